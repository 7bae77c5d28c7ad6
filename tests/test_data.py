"""Sources of batches and helpers around data."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pronghorn import utils
from pronghorn.training import arrays
from pronghorn.training.data import make_source


def epoch(source, max_steps=100):
    source.begin_epoch()
    pieces = []
    while (piece := source.take(max_steps)) is not None:
        pieces.append(piece)
    source.end_epoch()
    return pieces


def rows_of(pieces):
    return [piece.batch(step)[0].reshape(-1).tolist() for piece in pieces for step in range(piece.steps)]


def test_arrays_are_cut_into_full_batches_and_a_rest():
    source = make_source(np.arange(10), batch_size=4)
    pieces = epoch(source)
    assert [(p.steps, p.batch_size) for p in pieces] == [(2, 4), (1, 2)]
    assert rows_of(pieces) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert source.num_batches == 3 and source.num_samples == 10


def test_shuffle_draws_a_new_order_each_epoch_and_is_seeded():
    def orders():
        np.random.seed(3)
        source = make_source(np.arange(50), batch_size=50, shuffle=True)
        return [rows_of(epoch(source))[0] for _ in range(2)]

    first, second = orders()
    assert sorted(first) == list(range(50)) and first != second
    assert orders() == [first, second]


def test_shuffle_batch_keeps_batches_together():
    rows = rows_of(epoch(make_source(np.arange(11), batch_size=3, shuffle="batch")))
    assert sorted(rows[:3]) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]] and rows[3] == [9, 10]


def test_steps_per_epoch_goes_on_where_it_stopped():
    source = make_source(np.arange(6), batch_size=2, steps_per_epoch=2)
    assert rows_of(epoch(source)) == [[0, 1], [2, 3]]
    assert rows_of(epoch(source)) == [[4, 5], [0, 1]]


def test_float64_becomes_the_default_float_and_the_rest_stays():
    piece = epoch(make_source(np.ones((4, 2)), np.arange(4)))[0]
    assert piece.data[0].dtype == np.float32 and piece.data[1].dtype == np.int64


def test_structures_and_lists():
    source = make_source({"a": np.zeros((3, 1)), "b": [np.zeros((3, 2)), np.zeros(3)]}, [0, 1, 2])
    x, y, weight = epoch(source)[0].batch(0)
    assert x["b"][0].shape == (3, 2) and y.tolist() == [0, 1, 2] and weight is None
    assert make_source([[1.0, 2.0], [3.0, 4.0]]).first_batch()[0].shape == (2, 2)


def test_class_weight():
    y = np.array([[0], [1], [2], [1]])
    weights = arrays.class_weight_to_sample_weight(y, {0: 2.0, 1: 0.5})
    assert weights.tolist() == [2.0, 0.5, 1.0, 0.5]
    assert arrays.class_weight_to_sample_weight(np.eye(3), {2: 3.0}).tolist() == [1.0, 1.0, 3.0]


def test_validation_split_takes_the_last_samples():
    (x, y, _), (val_x, val_y, weight) = arrays.split_validation((np.arange(10), np.arange(10), None), 0.25)
    assert x.tolist() == y.tolist() == list(range(7)) and val_x.tolist() == val_y.tolist() == [7, 8, 9]
    assert weight is None


ERRORS = [
    (lambda: make_source(np.zeros((3, 1)), np.zeros(4)), "x: 3; y: 4"),
    (lambda: make_source(np.zeros((0, 3))), "x is empty"),
    (lambda: make_source(np.zeros(3), batch_size=0), "batch_size"),
    (lambda: make_source(np.float32(1)), "scalar"),
    (lambda: make_source(np.array(["a"])), "numeric"),
    (lambda: make_source(np.array([object()])), "numeric"),
    (lambda: make_source(None), "x is missing"),
    (lambda: make_source([]), "x is empty"),
    (lambda: make_source(iter([]), np.zeros(3)), "y must be None"),
    (lambda: make_source(iter([]), batch_size=3), "batch_size must be None"),
    (lambda: make_source(np.zeros(3), np.zeros(3), np.zeros(3), class_weight={0: 1.0}), "same time"),
    (lambda: make_source(np.zeros(3), [np.zeros(3), np.zeros(3)], class_weight={0: 1.0}), "single output"),
    (lambda: make_source(np.zeros(3), steps_per_epoch=0), "steps_per_epoch"),
    (lambda: make_source(iter([])).first_batch(), "no batch"),
    (lambda: arrays.split_validation((np.zeros(4), None, None), 1.5), "between 0 and 1"),
    (lambda: arrays.split_validation((np.zeros(4), None, None), 0.999), "empty part"),
    (lambda: arrays.split_validation((iter([]), None, None), 0.5), "arrays only"),
    (lambda: utils.unpack_x_y_sample_weight((1, 2, 3, 4)), "tuple of 4"),
]


@pytest.mark.parametrize("call, message", ERRORS)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unknown_data_kind():
    with pytest.raises(TypeError, match="x must be arrays"):
        make_source(3)


def test_generator_and_its_end():
    def batches(count):
        for i in range(count):
            yield np.full((2, 1), i), np.zeros(2)

    source = make_source(batches(3))
    assert source.num_batches is None
    assert source.first_batch()[0][0, 0] == 0
    assert rows_of(epoch(source)) == [[0, 0], [1, 1], [2, 2]]
    assert source.num_batches == 3
    source = make_source(batches(5), steps_per_epoch=2)
    assert rows_of(epoch(source)) == [[0, 0], [1, 1]]
    assert rows_of(epoch(source)) == [[2, 2], [3, 3]]
    with pytest.warns(UserWarning, match="ended after 1 steps"):
        assert rows_of(epoch(source)) == [[4, 4]]


class Ramp(utils.PyDataset):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.ended = 0

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return np.full((2, 1), index), np.zeros(2)

    def on_epoch_end(self):
        self.ended += 1


@pytest.mark.parametrize(
    "options", [{}, {"workers": 3, "max_queue_size": 2}, {"workers": 2, "use_multiprocessing": True}]
)
def test_py_dataset(options):
    dataset = Ramp(**options)
    source = make_source(dataset)
    for _ in range(2):
        assert rows_of(epoch(source)) == [[i, i] for i in range(5)]
    assert dataset.ended == 2 and source.num_batches == 5
    shuffled = rows_of(epoch(make_source(Ramp(), shuffle=True)))
    assert sorted(shuffled) == [[i, i] for i in range(5)]


def test_pandas_like_series_becomes_a_column():
    pandas = pytest.importorskip("pandas")
    assert arrays.to_array(pandas.Series([1.0, 2.0]), "x").shape == (2, 1)
    assert arrays.to_array(pandas.DataFrame({"a": [1.0], "b": [2.0]}), "x").shape == (1, 2)


def test_to_categorical():
    np.testing.assert_array_equal(utils.to_categorical([0, 2]), [[1, 0, 0], [0, 0, 1]])
    assert utils.to_categorical(np.array([[1], [0]]), 4).shape == (2, 4)
    with pytest.raises(ValueError, match="0 to 1"):
        utils.to_categorical([0, 2], 2)
    with pytest.raises(ValueError, match="-1"):
        utils.to_categorical([-1])


def test_pad_sequences():
    assert utils.pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist() == [[0, 1], [2, 3], [5, 6]]
    padded = utils.pad_sequences([[1], [4, 5, 6]], maxlen=2, padding="post", truncating="post", value=9)
    assert padded.tolist() == [[1, 9], [4, 5]]
    assert utils.pad_sequences([np.ones((1, 2)), np.ones((2, 2))]).shape == (2, 2, 2)
    with pytest.raises(ValueError, match="padding"):
        utils.pad_sequences([[1]], padding="middle")
    with pytest.raises(ValueError, match="list of sequences"):
        utils.pad_sequences([1])


def test_normalize_and_split_dataset():
    np.testing.assert_allclose(utils.normalize([[3.0, 4.0], [0.0, 0.0]]), [[0.6, 0.8], [0, 0]])
    left, right = utils.split_dataset({"x": np.arange(10), "y": np.arange(10)}, left_size=0.8)
    assert left["x"].tolist() == list(range(8)) and right["y"].tolist() == [8, 9]
    left, right = utils.split_dataset(np.arange(10), right_size=3, shuffle=True, seed=1)
    assert sorted([*left, *right]) == list(range(10)) and len(right) == 3
    with pytest.raises(ValueError, match="left_size"):
        utils.split_dataset(np.arange(10))


def test_get_file(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    origin = tmp_path / "data.txt"
    origin.write_text("hello")
    path = utils.get_file(origin=origin.as_uri())
    assert Path(path).read_text() == "hello"
    origin.write_text("changed")
    assert Path(utils.get_file(origin=origin.as_uri())).read_text() == "hello"
    assert Path(utils.get_file(origin=origin.as_uri(), force_download=True)).read_text() == "changed"
    with pytest.raises(ValueError, match="sum is"):
        utils.get_file(origin=origin.as_uri(), file_hash="0" * 32)
    assert os.path.exists(path)


def test_get_file_unpacks(tmp_path, monkeypatch):
    import zipfile

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inside.txt", "x")
    folder = utils.get_file(origin=(tmp_path / "a.zip").as_uri(), extract=True)
    assert os.listdir(folder) == ["inside.txt"]


def test_progbar_writes_one_line_where_there_is_no_terminal(capsys):
    bar = utils.Progbar(3)
    for step in range(1, 4):
        bar.update(step, [("loss", 1.0 / step)])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("3/3 ━━━━━━━━━━━━━━━━━━━━ 0s") and line.endswith("/step - loss: 0.3333")
    utils.Progbar(3, verbose=0).update(3, [("loss", 1.0)])
    assert capsys.readouterr().out == ""
