"""Callbacks, driven by hand and by fit."""

from __future__ import annotations

import csv
from types import SimpleNamespace

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import callbacks


class FakeModel:
    """Just what callbacks look at."""

    def __init__(self):
        self.stop_training = False
        self.weights = 0
        self.built = True
        self.metrics = [
            SimpleNamespace(name="accuracy", _direction="up"),
            SimpleNamespace(name="mae", _direction="down"),
        ]
        self.optimizer = SimpleNamespace(learning_rate=0.1)
        self.saved = []

    def get_weights(self):
        return [self.weights]

    def set_weights(self, weights):
        (self.weights,) = weights

    def save_weights(self, path, overwrite=True):
        with open(path, "w") as file:
            file.write(f"weights {self.weights}")
        self.saved.append(path)

    def save(self, path, overwrite=True):
        self.save_weights(path)


def play(callback, values, monitor="val_loss", model=None):
    """Run epochs whose metric takes the given values; stop when told to. Returns the number of epochs."""
    model = model or FakeModel()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {monitor: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch + 1


def test_early_stopping_patience_and_best_weights():
    model = FakeModel()
    stop = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    assert play(stop, [3, 2, 1, 1.5, 1.2, 0.5], model=model) == 5
    assert model.weights == 2 and stop.best == 1 and stop.stopped_epoch == 4


@pytest.mark.parametrize(
    "options, values, monitor, epochs",
    [
        ({}, [3, 2, 2.5, 0], "val_loss", 3),
        ({"min_delta": 0.6}, [3, 2.5, 0], "val_loss", 2),
        ({"mode": "max"}, [1, 2, 1.5, 5], "val_loss", 3),
        ({"monitor": "accuracy"}, [1, 2, 1.5, 5], "accuracy", 3),
        ({"monitor": "val_mae"}, [2, 1, 1.5, 0], "val_mae", 3),
        ({"baseline": 1.0, "patience": 2}, [3, 3.5, 0.5], "val_loss", 2),
        ({"start_from_epoch": 3}, [1, 2, 3, 4, 5, 6], "val_loss", 5),
    ],
)
def test_early_stopping_options(options, values, monitor, epochs):
    assert play(callbacks.EarlyStopping(**options), values, monitor) == epochs


def test_monitor_errors_and_warnings():
    with pytest.raises(ValueError, match="mode='max'"):
        play(callbacks.EarlyStopping(monitor="unknown"), [1, 2], "unknown")
    with pytest.warns(UserWarning, match="'val_loss' is not available"):
        play(callbacks.EarlyStopping(), [1], "loss")
    with pytest.warns(UserWarning, match="mode 'sideways'"):
        callbacks.EarlyStopping(mode="sideways")


def test_reduce_lr_on_plateau():
    model = FakeModel()
    play(callbacks.ReduceLROnPlateau(factor=0.5, patience=2), [1, 1, 1, 1, 1], model=model)
    assert model.optimizer.learning_rate == pytest.approx(0.025)
    model = FakeModel()
    play(callbacks.ReduceLROnPlateau(factor=0.5, patience=1, cooldown=3), [1] * 5, model=model)
    assert model.optimizer.learning_rate == pytest.approx(0.025)
    model = FakeModel()
    play(callbacks.ReduceLROnPlateau(factor=0.1, patience=1, min_lr=0.05), [1] * 9, model=model)
    assert model.optimizer.learning_rate == pytest.approx(0.05)
    with pytest.raises(ValueError, match="factor"):
        callbacks.ReduceLROnPlateau(factor=1.0)


def test_learning_rate_scheduler():
    model = FakeModel()
    play(callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2), [1, 1], model=model)
    assert model.optimizer.learning_rate == pytest.approx(0.025)
    play(callbacks.LearningRateScheduler(lambda epoch: 0.3 + epoch), [1, 1], model=model)
    assert model.optimizer.learning_rate == pytest.approx(1.3)
    with pytest.raises(ValueError, match="must return a number"):
        play(callbacks.LearningRateScheduler(lambda epoch, rate: "fast"), [1])


def test_model_checkpoint_names_and_best_only(tmp_path):
    model = FakeModel()
    path = tmp_path / "sub" / "{epoch:02d}-{val_loss:.1f}.weights.h5"
    keep = callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True)
    play(keep, [3, 2, 2.5, 1], model=model)
    files = sorted(p.name for p in (tmp_path / "sub").iterdir())
    assert files == ["01-3.0.weights.h5", "02-2.0.weights.h5", "04-1.0.weights.h5"]
    assert (tmp_path / "sub" / "04-1.0.weights.h5").read_text() == "weights 3"


def test_model_checkpoint_leaves_the_old_file_when_saving_fails(tmp_path):
    model = FakeModel()
    path = tmp_path / "m.weights.h5"
    keep = callbacks.ModelCheckpoint(path, save_weights_only=True)
    play(keep, [1], model=model)

    def broken(target, overwrite=True):
        with open(target, "w") as file:
            file.write("half")
        raise OSError("disk full")

    model.save_weights = broken
    with pytest.raises(OSError, match="disk full"):
        play(keep, [1], model=model)
    assert path.read_text() == "weights 0" and [p.name for p in tmp_path.iterdir()] == ["m.weights.h5"]


def test_model_checkpoint_every_few_batches(tmp_path):
    model = FakeModel()
    keep = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=3)
    assert keep.wants_batches("train") and not callbacks.ModelCheckpoint("x.keras").wants_batches("train")
    keep.set_model(model)
    keep.on_train_begin()
    for epoch in range(2):
        keep.on_epoch_begin(epoch)
        for batch in range(4):
            keep.on_train_batch_end(batch, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1-3.keras", "2-2.keras"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"filepath": "a.keras", "save_weights_only": True}, "weights.h5"),
        ({"filepath": "a.txt"}, "keras or .h5"),
        ({"filepath": "a.keras", "save_freq": "sometimes"}, "save_freq"),
    ],
)
def test_model_checkpoint_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        callbacks.ModelCheckpoint(**arguments)


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    play(callbacks.CSVLogger(path), [0.5, 0.25], "loss")
    play(callbacks.CSVLogger(path, append=True), [0.125], "loss")
    rows = list(csv.DictReader(path.open()))
    assert [(row["epoch"], row["loss"], row["val_loss"]) for row in rows] == [
        ("0", "0.5", "NA"),
        ("1", "0.25", "NA"),
        ("0", "0.125", "NA"),
    ]
    play(callbacks.CSVLogger(path, separator=";"), [1], "loss")
    assert path.read_text().splitlines() == ["epoch;loss;val_loss", "0;1;NA"]


def test_callback_list_rejects_what_is_no_callback():
    with pytest.raises(TypeError, match="Callback instances"):
        callbacks.CallbackList(["early"])
    with pytest.raises(TypeError, match="no hook"):
        callbacks.LambdaCallback(on_sunday=print)


def test_wants_batches():
    class Ends(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            pass

    assert Ends().wants_batches("train") and not Ends().wants_batches("test")
    assert not callbacks.History().wants_batches("train")
    assert callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None).wants_batches("train")
    assert callbacks.TerminateOnNaN().wants_batches("train")


HOOKS = [name for name in dir(callbacks.Callback) if name.startswith("on_")]


def small_model(**options):
    ph.utils.set_random_seed(1)
    model = ph.Sequential([ph.Input((3,)), ph.layers.Dense(1)])
    model.compile(optimizer=ph.optimizers.SGD(0.05), loss="mse", **options)
    return model


X = np.linspace(-1, 1, 30).reshape(10, 3).astype("float32")
Y = X.sum(axis=1, keepdims=True)


class Recorder(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []


def _recorded(name):
    def hook(self, *args, logs=None):
        self.calls.append((name.removeprefix("on_"), *(a for a in args if isinstance(a, int))))

    return hook


for _name in HOOKS:
    if _name not in ("on_batch_begin", "on_batch_end"):
        setattr(Recorder, _name, _recorded(_name))


def test_order_of_hooks():
    recorder = Recorder()
    model = small_model()
    model.fit(X, Y, batch_size=5, epochs=1, validation_data=(X[:5], Y[:5]), verbose=0, callbacks=[recorder])
    assert recorder.calls == [
        ("train_begin",),
        ("epoch_begin", 0),
        ("train_batch_begin", 0),
        ("train_batch_end", 0),
        ("train_batch_begin", 1),
        ("train_batch_end", 1),
        ("test_begin",),
        ("test_batch_begin", 0),
        ("test_batch_end", 0),
        ("test_end",),
        ("epoch_end", 0),
        ("train_end",),
    ]
    recorder.calls.clear()
    model.predict(X, batch_size=5, verbose=0, callbacks=[recorder])
    names = [call[0] for call in recorder.calls]
    assert names == ["predict_begin", *(["predict_batch_begin", "predict_batch_end"] * 2), "predict_end"]
    assert recorder.params == {"verbose": 0, "epochs": 1, "steps": 2} and recorder.model is model


def test_batch_hooks_with_steps_per_execution():
    recorder = Recorder()
    small_model(steps_per_execution=2).fit(X, Y, batch_size=2, verbose=0, callbacks=[recorder])
    batches = [call for call in recorder.calls if "batch" in call[0]]
    assert batches == [
        ("train_batch_begin", 0),
        ("train_batch_end", 1),
        ("train_batch_begin", 2),
        ("train_batch_end", 3),
        ("train_batch_begin", 4),
        ("train_batch_end", 4),
    ]


def test_batch_logs_are_running_means():
    seen = []
    log = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    history = small_model().fit(X, Y, batch_size=5, verbose=0, callbacks=[log])
    assert len(seen) == 2 and seen[-1] == pytest.approx(history.history["loss"][0])


def test_early_stopping_restores_weights_in_fit():
    model = small_model()
    best = []

    class Spoil(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                best.append(self.model.get_weights())
                self.model.optimizer.learning_rate = 100.0

    stop = callbacks.EarlyStopping(monitor="loss", patience=1, restore_best_weights=True)
    history = model.fit(X, Y, epochs=20, batch_size=10, verbose=0, callbacks=[Spoil(), stop])
    assert len(history.epoch) < 20
    assert stop.best == min(history.history["loss"])


def test_terminate_on_nan():
    model = small_model()
    seen = []
    count = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    y = Y.copy()
    y[0] = np.nan
    model.fit(X, y, batch_size=2, shuffle=False, verbose=0, callbacks=[callbacks.TerminateOnNaN(), count])
    assert seen == [0]
    with pytest.raises(RuntimeError, match="batch 0"):
        small_model().fit(X, y, batch_size=10, verbose=0, callbacks=[callbacks.TerminateOnNaN(raise_error=True)])


def test_learning_rate_callbacks_act_on_the_program():
    model = small_model()
    before = model.get_weights()
    zero = callbacks.LearningRateScheduler(lambda epoch, rate: 0.0 if epoch == 0 else 0.1)
    history = model.fit(X, Y, epochs=1, verbose=0, callbacks=[zero])
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert history.history["learning_rate"] == [0.0]
    model.fit(X, Y, epochs=2, initial_epoch=1, verbose=0, callbacks=[zero])
    assert any((old != new).any() for old, new in zip(before, model.get_weights()))


def test_checkpoint_and_backup_with_real_weights(tmp_path):
    pytest.importorskip("h5py")
    model = small_model()
    keep = callbacks.ModelCheckpoint(tmp_path / "best.weights.h5", "loss", save_best_only=True, save_weights_only=True)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[keep])
    other = small_model()
    other.load_weights(tmp_path / "best.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])

    class Crash(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    backup = callbacks.BackupAndRestore(tmp_path / "backup", double_checkpoint=True)
    first = small_model()
    with pytest.raises(KeyboardInterrupt):
        first.fit(X, Y, epochs=4, verbose=0, shuffle=False, callbacks=[backup, Crash()])
    again = small_model()
    history = again.fit(X, Y, epochs=4, verbose=0, shuffle=False, callbacks=[backup])
    assert history.epoch == [2, 3] and not (tmp_path / "backup").exists()
    straight = small_model()
    straight.fit(X, Y, epochs=4, verbose=0, shuffle=False)
    np.testing.assert_array_equal(straight.get_weights()[0], again.get_weights()[0])


def test_progress_lines(capsys):
    small_model().fit(X, Y, batch_size=5, epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2" and lines[1].startswith("2/2 ━") and " - loss: " in lines[1]
    small_model().fit(X, Y, batch_size=5, epochs=1, verbose=2)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("2/2 - 0s - ")
