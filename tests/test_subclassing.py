"""Layers and models that users derive."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import layers, ops
from pronghorn.saving.serialization import register_keras_serializable


@register_keras_serializable("test_subclassing")
class Linear(ph.layers.Layer):
    def __init__(self, units=3, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.scale = scale

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=False, name="b")

    def call(self, inputs):
        return ops.matmul(inputs, self.w) * self.scale + self.b


class Block(ph.Model):
    def __init__(self, widths=(4, 3), **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(width) for width in widths]
        self.extra = {"drop": layers.Dropout(0.5, seed=1)}
        self.pair = (Linear(2), Linear(2))

    def call(self, inputs, training=None):
        for block in self.blocks:
            inputs = block(inputs)
        inputs = self.extra["drop"](inputs, training=training)
        return self.pair[0](inputs) + self.pair[1](inputs)


def test_layer_builds_on_first_call():
    layer = Linear(4)
    assert not layer.built and layer.path is None
    y = layer(np.ones((2, 3)))
    assert y.shape == (2, 4) and layer.built and layer.path == layer.name
    assert [v.path for v in layer.weights] == [f"{layer.name}/w", f"{layer.name}/b"]
    assert layer.trainable_weights == [layer.w] and layer.non_trainable_weights == [layer.b]
    assert (layer.count_params() == 16 and layer.name == "linear") or layer.name.startswith("linear_")


def test_config_is_made_from_constructor_arguments():
    layer = Linear(5, scale=2.0, name="mine", trainable=False)
    config = json.loads(json.dumps(layer.get_config()))
    assert config["units"] == 5 and config["scale"] == 2.0 and config["name"] == "mine"
    again = Linear.from_config(config)
    assert again.units == 5 and again.scale == 2.0 and not again.trainable

    class NoKwargs(ph.layers.Layer):
        def __init__(self, size, inner=None):
            super().__init__()
            self.size, self.inner = size, inner

    config = NoKwargs(3, inner=layers.Dense(2)).get_config()
    assert config["size"] == 3 and "name" not in config
    assert isinstance(NoKwargs.from_config(config).inner, layers.Dense)
    with pytest.raises(NotImplementedError, match="override get_config"):
        NoKwargs(object()).get_config()


def test_everything_in_attributes_is_tracked():
    model = Block(name="block")
    assert len(model.layers) == 5 and model.weights == []
    assert model(np.ones((2, 6))).shape == (2, 2)
    assert len(model.weights) == 8 and len(model.trainable_weights) == 6
    assert model.weights[0].path.startswith("block/dense")
    model.blocks.append(layers.Dense(7))
    assert len(model.layers) == 6
    model.blocks.pop()
    assert len(model.layers) == 5
    model.pair = None
    assert len(model.layers) == 3


def test_training_is_handed_down():
    model = Block()
    x = np.ones((2, 6), "float32")
    model(x)
    assert not np.allclose(model(x).numpy(), model(x, training=True).numpy())

    class Silent(ph.Model):
        def __init__(self):
            super().__init__()
            self.drop = layers.Dropout(0.5, seed=1)

        def call(self, inputs):
            return self.drop(inputs)

    assert np.any(Silent()(np.ones((8, 8)), training=True).numpy() == 0)
    assert np.all(Silent()(np.ones((8, 8))).numpy() == 1)


def test_symbolic_call_of_a_subclass():
    x = ph.Input((6,))
    block = Block()
    model = ph.Model(x, block(x))
    assert model.output_shape == (None, 2) and len(model.weights) == 8
    assert model(np.ones((2, 6))).shape == (2, 2)
    built = Block()
    built.build((None, 6))
    assert len(built.weights) == 8 and built.built


def test_add_loss_and_regularizers():
    class Penalty(ph.layers.Layer):
        def call(self, inputs):
            self.add_loss(ops.sum(inputs))
            return inputs

    class Net(ph.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, kernel_regularizer="l2")
            self.penalty = Penalty()

        def call(self, inputs):
            return self.dense(self.penalty(inputs))

    net = Net()
    for _ in range(2):
        net(np.ones((2, 3)))
        assert len(net.losses) == 2
        assert float(net.losses[0]) == 6.0
    x = ph.Input((3,))
    outer = ph.Model(x, net(x))
    outer(np.ones((2, 3)))
    assert len(outer.losses) == 2
    with pytest.raises(ValueError, match="must be a tensor"):
        net.add_loss("much")


def test_symbolic_call_leaves_no_losses():
    class Penalty(ph.layers.Layer):
        def call(self, inputs):
            self.add_loss(ops.sum(inputs))
            return inputs

    layer = Penalty()
    layer(ph.Input((3,)))
    assert layer.losses == []


def test_several_arguments_and_shapes():
    class Join(ph.layers.Layer):
        def build(self, left_shape, right_shape):
            self.w = self.add_weight(shape=(left_shape[-1], right_shape[-1]), name="w")

        def call(self, left, right, flip=False):
            return ops.matmul(left, self.w) * (right if not flip else -right)

    x, y = ph.Input((3,)), ph.Input((2,))
    layer = Join()
    model = ph.Model([x, y], layer(x, right=y, flip=True))
    assert layer.w.shape == (3, 2)
    assert model([np.ones((2, 3)), np.ones((2, 2))]).shape == (2, 2)


def test_dict_and_none_arguments():
    class Pick(ph.layers.Layer):
        def call(self, inputs, bias=None):
            total = inputs["a"] + inputs["b"]
            return {"total": total if bias is None else total + bias}

    out = Pick()({"a": np.ones((2, 3)), "b": np.ones((2, 3))}, bias=np.ones((3,)))
    np.testing.assert_array_equal(out["total"].numpy(), np.full((2, 3), 3.0))


def test_model_subclass_made_functionally():
    class Wide(ph.Model):
        def __init__(self, units=3):
            x = ph.Input((4,))
            super().__init__(inputs=x, outputs=layers.Dense(units)(x))
            self.units = units

    model = Wide(5)
    assert isinstance(model, Wide) and isinstance(model, ph.models.Functional)
    assert model.output_shape == (None, 5) and model.units == 5 and model(np.ones((2, 4))).shape == (2, 5)


def test_compute_output_shape_of_the_user_is_used():
    class Odd(ph.layers.Layer):
        def call(self, inputs):
            return ops.convert_to_tensor(np.asarray(inputs).sum(axis=1))

        def compute_output_shape(self, input_shape):
            return (input_shape[0],)

    assert Odd()(ph.Input((3,))).shape == (None,)


def test_reassigned_layers_are_replaced():
    class Head(ph.Model):
        def __init__(self):
            super().__init__()
            self.head = layers.Dense(2)

        def call(self, inputs):
            return self.head(inputs)

    model = Head()
    model.head = layers.Dense(5)
    assert len(model.layers) == 1 and model(np.ones((1, 3))).shape == (1, 5)


def test_set_weights_and_errors():
    layer = Linear(2)
    layer(np.ones((1, 3)))
    layer.set_weights([np.ones((3, 2)), np.zeros(2)])
    np.testing.assert_array_equal(layer(np.ones((1, 3))).numpy(), [[3.0, 3.0]])
    with pytest.raises(ValueError, match="has 2 weights, got 1"):
        layer.set_weights([np.ones((3, 2))])
    with pytest.raises(ValueError, match="has shape"):
        layer.set_weights([np.ones((2, 2)), np.zeros(2)])
    with pytest.raises(ValueError, match="not built"):
        Linear(2).count_params()
    with pytest.raises(ValueError, match="only tensors may be passed"):
        layer(np.ones((1, 3)), "text")
    with pytest.raises(NotImplementedError, match=r"no call\(\)"):
        ph.layers.Layer()(np.ones(3))

    class Forgot(ph.layers.Layer):
        def __init__(self):
            self.inner = layers.Dense(2)

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\)"):
        Forgot()(np.ones((1, 3)))


def test_names_count_up():
    first, second = layers.Dense(1), layers.Dense(1)
    one, two = (int(layer.name.partition("_")[2] or 0) for layer in (first, second))
    assert two == one + 1
    with pytest.raises(ValueError, match="name must be a string"):
        layers.Dense(1, name="a/b")


def test_build_may_do_without_a_shape():
    class Shift(layers.Layer):
        def build(self):
            self.shift = self.add_weight(shape=(1,), initializer="ones")

        def call(self, x):
            return x + self.shift

    np.testing.assert_array_equal(Shift()(np.zeros((1, 2), "float32")), [[1.0, 1.0]])
