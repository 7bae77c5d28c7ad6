"""Sequential models, with the programs of the notes that the library grew from."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pronghorn as ph
from pronghorn.layers import Activation, Dense, Dropout, Embedding, Flatten
from pronghorn.models import Sequential


def test_list_with_input_shape():
    model = Sequential([Dense(32, input_shape=(784,)), Activation("relu"), Dense(10), Activation("softmax")])
    assert model.input_shape == (None, 784) and model.output_shape == (None, 10)
    assert [type(layer).__name__ for layer in model.layers] == ["Dense", "Activation", "Dense", "Activation"]
    assert model.count_params() == 784 * 32 + 32 + 32 * 10 + 10
    np.testing.assert_allclose(model(np.ones((2, 784))).numpy().sum(axis=1), [1.0, 1.0], rtol=1e-5)


def test_add_with_input_dim():
    model = Sequential()
    model.add(Dense(32, input_dim=784))
    model.add(Activation("relu"))
    model.add(Dense(10, input_dim=32))
    model.add(Activation("softmax"))
    assert model.output_shape == (None, 10) and len(model.weights) == 4
    model.add(Flatten())
    model.add(Dense(50, kernel_initializer="he_normal"))
    assert model.output_shape == (None, 50)


def test_other_ways_to_give_the_shape():
    assert Sequential([ph.Input((4,)), Dense(2)]).input_shape == (None, 4)
    assert Sequential([ph.layers.InputLayer((4,)), Dense(2)]).input_shape == (None, 4)
    assert Sequential([Dense(2, batch_input_shape=(None, 4)), Dense(2)]).input_shape == (None, 4)
    assert Sequential([Embedding(10, 3, input_length=5), Flatten()]).call is not None
    model = Sequential([ph.Input((5,), dtype="int32"), Embedding(10, 3), Flatten(), Dense(1)])
    assert model.output_shape == (None, 1) and model(np.zeros((2, 5))).shape == (2, 1)


def test_deferred_build():
    model = Sequential([Dense(3), Dense(2)])
    assert not model.built and model.weights == []
    with pytest.raises(AttributeError, match="has no output_shape yet"):
        _ = model.output_shape
    assert model(np.ones((7, 4))).shape == (7, 2)
    assert model.built and model.input_shape == (None, 4) and len(model.weights) == 4
    assert model(np.ones((3, 4))).shape == (3, 2)
    other = Sequential([Dense(3)])
    other.build((None, 4))
    assert other.count_params() == 15
    with pytest.raises(ValueError, match="incompatible"):
        model(np.ones((3, 5)))


def test_pop_and_add():
    model = Sequential([ph.Input((4,)), Dense(3), Dense(2)])
    last = model.pop()
    assert last.units == 2 and model.output_shape == (None, 3)
    model.add(Dense(5))
    assert model.output_shape == (None, 5) and model(np.ones((1, 4))).shape == (1, 5)


def test_paths_and_names():
    model = Sequential(
        [ph.Input((4,)), Dense(3, name="one"), Sequential([Dense(2, name="two")], name="inner")], name="m"
    )
    assert [v.path for v in model.weights] == ["m/one/kernel", "m/one/bias", "m/inner/two/kernel", "m/inner/two/bias"]


def test_nested_and_training():
    model = Sequential([Sequential([ph.Input((4,)), Dense(3), Dropout(0.5, seed=1)]), Dense(3, "linear")])
    assert model.input_shape == (None, 4)
    x = np.ones((4, 4), "float32")
    assert not np.allclose(model(x).numpy(), model(x, training=True).numpy())


def test_config_round_trip():
    model = Sequential([ph.Input((4,)), Dense(3, activation="relu"), Dropout(0.1), Dense(2)], name="net")
    revived = Sequential.from_config(model.get_config())
    assert revived.name == "net" and json.loads(revived.to_json()) == json.loads(model.to_json())
    revived.set_weights(model.get_weights())
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(revived(x).numpy(), model(x).numpy(), rtol=1e-6)
    deferred = ph.models.model_from_json(Sequential([Dense(3)]).to_json())
    assert not deferred.built and deferred(x).shape == (2, 3)
    clone = ph.models.clone_model(model)
    assert clone.count_params() == model.count_params() and clone.layers[0] is not model.layers[0]


def test_errors():
    with pytest.raises(ValueError, match="must be a Layer"):
        Sequential(["dense"])
    with pytest.raises(ValueError, match="names must be unique"):
        Sequential([Dense(2, name="a"), Dense(2, name="a")])
    with pytest.raises(ValueError, match="an Input must come first"):
        Sequential([Dense(2), ph.Input((3,))])
    with pytest.raises(ValueError, match="has no layers"):
        Sequential().build((None, 3))
    with pytest.raises(ValueError, match="has no layers"):
        Sequential().pop()
    with pytest.raises(AttributeError, match="use add"):
        Sequential().layers = []
    with pytest.raises(ValueError, match="already built for inputs"):
        Sequential([ph.Input((4,)), Dense(2)]).build((None, 5))
