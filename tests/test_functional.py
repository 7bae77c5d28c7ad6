"""Functional models and symbolic tensors."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import layers, ops
from pronghorn.symbolic import KerasTensor, infer_spec


def weights_like(model, other):
    model.set_weights(other.get_weights())
    return model


def test_shapes_and_call():
    x = ph.Input((4,))
    assert x.shape == (None, 4) and x.dtype == "float32" and isinstance(x, KerasTensor)
    hidden = layers.Dense(3, activation="relu", name="hidden")(x)
    model = ph.Model(x, layers.Dense(2, name="out")(hidden), name="net")
    assert model.input_shape == (None, 4) and model.output_shape == (None, 2)
    assert [layer.name for layer in model.layers] == [x.name, "hidden", "out"]
    assert model.count_params() == 23 and model.built and model.output_names == ["out"]
    data = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    kernel, bias, kernel2, bias2 = model.get_weights()
    expected = np.maximum(data @ kernel + bias, 0) @ kernel2 + bias2
    np.testing.assert_allclose(model(data).numpy(), expected, rtol=1e-5, atol=1e-6)
    assert model.get_layer("hidden") is model.layers[1] and model.get_layer(index=2) is model.layers[2]


def test_branches_shared_layers_and_several_inputs_and_outputs():
    a, b = ph.Input((3,), name="a"), ph.Input((3,), name="b")
    shared = layers.Dense(4, name="shared")
    joined = layers.Concatenate()([shared(a), shared(b)])
    model = ph.Model([a, b], [layers.Dense(1, name="one")(joined), layers.Add(name="two")([shared(a), shared(b)])])
    data = [np.ones((2, 3), "float32"), np.zeros((2, 3), "float32")]
    one, two = model(data)
    assert one.shape == (2, 1) and two.shape == (2, 4)
    assert len(model.trainable_weights) == 4 and len(model.inputs) == 2
    by_name = model({"b": data[1], "a": data[0]})
    np.testing.assert_array_equal(by_name[1].numpy(), two.numpy())
    with pytest.raises(ValueError, match="lack"):
        model({"a": data[0]})
    with pytest.raises(ValueError, match=r"expects 2 input\(s\), but it received 1"):
        model(data[0])


def test_dict_inputs_and_outputs():
    inputs = {"x": ph.Input((3,), name="x"), "y": ph.Input((3,), name="y")}
    outputs = {"sum": inputs["x"] + inputs["y"], "dense": layers.Dense(2)(inputs["x"])}
    model = ph.Model(inputs, outputs)
    result = model({"x": np.ones((2, 3)), "y": np.ones((2, 3))})
    assert set(result) == {"sum", "dense"} and result["dense"].shape == (2, 2)
    np.testing.assert_array_equal(result["sum"].numpy(), np.full((2, 3), 2.0))


def test_raw_ops_on_symbolic_tensors():
    x = ph.Input((4, 3))
    y = (2.0 * x + 1.0) / 4.0 - x[:, 0:1]
    y = ops.relu(y) @ np.eye(3, dtype="float32")
    model = ph.Model(x, [y, y[:, -1], ops.mean(x, axis=1), ops.concatenate([x, -x], axis=-1), x > 0])
    assert [out.shape for out in model.outputs] == [(None, 4, 3), (None, 3), (None, 3), (None, 4, 6), (None, 4, 3)]
    assert model.outputs[-1].dtype == "bool"
    data = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    expected = np.maximum((2 * data + 1) / 4 - data[:, :1], 0)
    results = model(data)
    np.testing.assert_allclose(results[0].numpy(), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(results[1].numpy(), expected[:, -1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(results[2].numpy(), data.mean(axis=1), rtol=1e-5, atol=1e-6)
    assert model.layers == [model.layers[0]]  # ops are no layers


def test_reshape_with_unknown_batch():
    x = ph.Input((4, 6))
    assert ops.reshape(x, (-1, 3, 8)).shape == (None, 3, 8)
    assert ops.sum(x).shape == ()
    assert layers.Flatten()(ph.Input((None, 3))).shape == (None, None)


def test_nested_models():
    inner_input = ph.Input((3,))
    inner = ph.Model(inner_input, layers.Dense(4)(inner_input), name="inner")
    x = ph.Input((3,))
    model = ph.Model(x, ph.Sequential([layers.Dense(2)], name="tail")(inner(x) + inner(x * 2.0)))
    assert [layer.name for layer in model.layers[1:]] == ["inner", "tail"]
    assert len(model.trainable_weights) == 4
    assert model(np.ones((2, 3))).shape == (2, 2)


def test_intermediate_layers_as_inputs_and_outputs():
    x = ph.Input((3,))
    middle = layers.Dense(4, activation="tanh")(x)
    model = ph.Model(x, layers.Dense(2)(middle))
    head, tail = ph.Model(x, middle), ph.Model(middle, model.output)
    data = np.ones((2, 3), "float32")
    np.testing.assert_allclose(tail(head(data)).numpy(), model(data).numpy(), rtol=1e-6)
    features = ph.Model(model.inputs, [layer.output for layer in model.layers[1:2]])
    assert features(data).shape == (2, 4)


def test_training_reaches_inner_layers_and_state_moves():
    x = ph.Input((3,))
    model = ph.Model(x, layers.Dropout(0.5, seed=1)(layers.BatchNormalization(momentum=0.0)(x)))
    data = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    assert np.all(model(data).numpy() != 0)
    assert np.any(model(data, training=True).numpy() == 0)
    np.testing.assert_allclose(model.layers[1].moving_mean.numpy(), data.mean(axis=0), rtol=1e-4, atol=1e-6)
    symbolic_calls_leave_no_trace = ph.Model(x, model(x))
    np.testing.assert_allclose(symbolic_calls_leave_no_trace(data).numpy(), model(data).numpy())


def test_input_rank_and_dtype_are_adjusted():
    x = ph.Input((1,), dtype="int32")
    model = ph.Model(x, layers.Embedding(5, 2)(x))
    assert model(np.array([1, 2, 3])).shape == (3, 1, 2)
    assert model(np.array([[1.0], [2.0]])).shape == (2, 1, 2)
    with pytest.raises(ValueError, match="incompatible"):
        model(np.zeros((2, 3), "int32"))


def test_config_round_trip():
    a, b = ph.Input((3,), name="a"), ph.Input((3,), name="b")
    shared = layers.Dense(4, kernel_regularizer="l2")
    merged = layers.Average()([shared(a), shared(b)])
    model = ph.Model({"a": a, "b": b}, [layers.Dense(2)(merged[:, 1:] * 2.0), shared(a)], name="net")
    revived = ph.models.model_from_json(model.to_json())
    assert revived.name == "net" and json.loads(revived.to_json()) == json.loads(model.to_json())
    weights_like(revived, model)
    data = {"a": np.ones((2, 3), "float32"), "b": np.zeros((2, 3), "float32")}
    for left, right in zip(model(data), revived(data)):
        np.testing.assert_allclose(left.numpy(), right.numpy(), rtol=1e-6)
    assert len(revived.losses) == 1


def test_nested_config_round_trip():
    inner = ph.Sequential([ph.Input((3,)), layers.Dense(4), layers.Dense(3)], name="inner")
    functional_input = ph.Input((3,))
    functional = ph.Model(functional_input, layers.Dense(3)(functional_input), name="functional_inner")
    x = ph.Input((3,))
    model = ph.Model(x, functional(inner(functional(x))))
    revived = weights_like(ph.models.model_from_json(model.to_json()), model)
    data = np.ones((2, 3), "float32")
    np.testing.assert_allclose(revived(data).numpy(), model(data).numpy(), rtol=1e-6)


def test_clone_model():
    x = ph.Input((3,))
    model = ph.Model(x, layers.Dense(2)(layers.Dense(4)(x)) * 2.0)
    clone = ph.models.clone_model(model)
    assert clone.count_params() == model.count_params()
    assert not set(map(id, clone.weights)) & set(map(id, model.weights))
    data = np.ones((2, 3), "float32")
    np.testing.assert_allclose(weights_like(clone, model)(data).numpy(), model(data).numpy(), rtol=1e-6)
    frozen = ph.models.clone_model(
        model, clone_function=lambda layer: type(layer).from_config({**layer.get_config(), "trainable": False})
    )
    assert frozen.trainable_weights == []


def test_trainable_is_recursive():
    x = ph.Input((3,))
    inner = ph.Sequential([layers.Dense(4)])
    model = ph.Model(x, layers.Dense(2)(inner(x)))
    inner.trainable = False
    assert len(model.trainable_weights) == 2 and len(model.non_trainable_weights) == 2
    model.trainable = False
    assert model.trainable_weights == [] and not model.layers[-1].trainable


def test_losses_of_layers():
    x = ph.Input((3,))
    model = ph.Model(x, layers.ActivityRegularization(l2=1.0)(layers.Dense(3, kernel_regularizer="l2")(x)))
    model(np.ones((2, 3)))
    assert len(model.losses) == 2
    model(np.ones((2, 3)))
    assert len(model.losses) == 2


def test_infer_spec():
    spec = infer_spec(lambda x: {"y": ops.matmul(x, x), "n": 3}, KerasTensor((None, 4, 4)))
    assert spec["y"].shape == (None, 4, 4) and spec["n"] == 3


def test_errors():
    x = ph.Input((3,))
    with pytest.raises(ValueError, match="graph disconnected"):
        ph.Model(ph.Input((3,)), layers.Dense(2)(x))
    with pytest.raises(ValueError, match="must be symbolic tensors"):
        ph.Model(x, np.ones(3))
    with pytest.raises(ValueError, match="names of layers in a model must be unique"):
        ph.Model(x, layers.Dense(2, name="same")(layers.Dense(2, name="same")(x)))
    with pytest.raises(TypeError, match="no values"):
        bool(x > 0)
    with pytest.raises(TypeError, match="no values"):
        np.asarray(x)
    with pytest.raises(ValueError, match="no layer is named"):
        ph.Model(x, layers.Dense(2)(x)).get_layer("nothing")
    with pytest.raises(ValueError, match="either shape or batch_shape"):
        ph.Input()
    with pytest.raises(ValueError, match="has no output: it was never called symbolically"):
        _ = layers.Dense(2).output


@pytest.mark.parametrize("kind", [list, tuple])
def test_one_output_in_a_list_comes_without_the_list(kind):
    x = ph.Input((3,))
    model = ph.Model(x, kind([layers.Dense(4)(x)]))
    assert model.predict(np.ones((2, 3)), verbose=0).shape == (2, 4)
    assert model(np.ones((2, 3), "float32")).shape == (2, 4) and model(x).shape == (None, 4)
    named = ph.Model(x, {"y": model.output[0]})
    assert {name: y.shape for name, y in named.predict(np.ones((2, 3)), verbose=0).items()} == {"y": (2, 4)}


def test_layers_that_were_reused_have_the_tensors_of_their_first_call():
    model = ph.Sequential([ph.Input((3,)), layers.Dense(4, name="shared"), layers.Dense(2)])
    first = model.get_layer("shared").output
    other = ph.Sequential([ph.Input((3,)), model.get_layer("shared"), layers.Dense(7)])
    assert model.get_layer("shared").output is first
    features = ph.Model(model.inputs, model.get_layer("shared").output)
    assert features.predict(np.ones((2, 3)), verbose=0).shape == (2, 4) and other.output_shape == (None, 7)
