"""Weight files in Keras 3's layout."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

import pronghorn as ph
from pronghorn import layers


def names_in(path):
    names = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: names.update({name: item.shape}) if hasattr(item, "shape") else None)
    return names


def convnet():
    x = ph.Input((8, 8, 1))
    y = layers.BatchNormalization()(layers.Conv2D(2, 3)(x))
    y = layers.TimeDistributed(layers.Dense(2))(layers.Reshape((4, 18))(y))
    return ph.Model(x, ph.Sequential([layers.Dense(3), layers.Dense(2)])(layers.Flatten()(y)))


class Subclassed(ph.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Dense(2)
        self.blocks = [layers.Dense(3), layers.Dense(4), [layers.Dense(4)]]
        self.by_name = {"a": layers.Dense(3)}
        self.again = self.first
        self.own = self.add_weight(shape=(2,), name="own")

    def call(self, inputs):
        x = self.first(inputs)
        for block in self.blocks[:2]:
            x = block(x)
        return self.by_name["a"](self.blocks[2][0](x))


def test_layout_of_a_functional_model(tmp_path):
    path = tmp_path / "model.weights.h5"
    convnet().save_weights(path)
    assert names_in(path) == {
        "layers/conv2d/vars/0": (3, 3, 1, 2),
        "layers/conv2d/vars/1": (2,),
        **{f"layers/batch_normalization/vars/{i}": (2,) for i in range(4)},
        "layers/time_distributed/layer/vars/0": (18, 2),
        "layers/time_distributed/layer/vars/1": (2,),
        "layers/sequential/layers/dense/vars/0": (8, 3),
        "layers/sequential/layers/dense/vars/1": (3,),
        "layers/sequential/layers/dense_1/vars/0": (3, 2),
        "layers/sequential/layers/dense_1/vars/1": (2,),
    }
    with h5py.File(path) as file:
        assert file["layers/conv2d/vars"].attrs["name"].startswith("conv2d")


def test_layout_of_a_subclassed_model(tmp_path):
    path = tmp_path / "model.weights.h5"
    model = Subclassed()
    model(np.ones((2, 3)))
    model.save_weights(path)
    expected = {"vars/0": (2,)}
    for place, shape in {
        "again": (3, 2),
        "blocks/dense": (2, 3),
        "blocks/dense_1": (3, 4),
        "blocks/container/dense": (4, 4),
        "by_name/dense": (4, 3),
    }.items():
        expected |= {f"{place}/vars/0": shape, f"{place}/vars/1": shape[1:]}
    assert names_in(path) == expected


@pytest.mark.parametrize("kind", ["functional", "subclassed"])
def test_round_trip(tmp_path, kind):
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 1) if kind == "functional" else (2, 3)).astype("float32")
    models = [convnet() if kind == "functional" else Subclassed() for _ in range(2)]
    for model in models:
        model(x)
    models[0].save_weights(tmp_path / "a.weights.h5")
    models[1].load_weights(str(tmp_path / "a.weights.h5"))
    np.testing.assert_array_equal(models[0](x).numpy(), models[1](x).numpy())


def test_mismatch(tmp_path):
    path = tmp_path / "a.weights.h5"
    ph.Sequential([ph.Input((3,)), layers.Dense(4), layers.Dense(2)]).save_weights(path)
    other = ph.Sequential([ph.Input((3,)), layers.Dense(4), layers.Dense(5)])
    with pytest.raises(ValueError, match=r"1 objects do not fit .* has shape \(4, 5\)"):
        other.load_weights(path)
    before = other.layers[1].get_weights()
    with pytest.warns(UserWarning, match="do not fit"):
        other.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(other.layers[1].get_weights()[0], before[0])


def test_optimizer_state_round_trip(tmp_path):
    path = tmp_path / "a.weights.h5"
    x, y = np.ones((8, 3), "float32"), np.ones((8, 2), "float32")

    def compiled():
        model = ph.Sequential([ph.Input((3,)), layers.Dense(2)])
        model.compile("adam", "mse")
        return model

    model = compiled()
    model.fit(x, y, epochs=2, verbose=0)
    model.save_weights(path)
    assert "optimizer/vars/0" in names_in(path)
    other = compiled()
    other.optimizer.build(other.trainable_variables)
    other.load_weights(path)
    for left, right in zip(model.optimizer.variables, other.optimizer.variables):
        np.testing.assert_array_equal(left.numpy(), right.numpy())
    unbuilt = compiled()
    unbuilt.load_weights(path)
    np.testing.assert_array_equal(unbuilt.get_weights()[0], model.get_weights()[0])


def test_errors(tmp_path):
    model = ph.Sequential([ph.Input((3,)), layers.Dense(4)])
    with pytest.raises(ValueError, match=r"must end in '\.weights\.h5'"):
        model.save_weights(tmp_path / "model.h5")
    model.save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(ValueError, match="overwrite is False"):
        model.save_weights(tmp_path / "a.weights.h5", overwrite=False)
    with pytest.raises(ValueError, match="has no weights yet"):
        ph.Sequential([layers.Dense(4)]).save_weights(tmp_path / "b.weights.h5")
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "missing.weights.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.weights.h5"]
