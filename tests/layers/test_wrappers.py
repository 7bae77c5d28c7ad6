"""Lambda, Masking, TimeDistributed."""

from __future__ import annotations

import numpy as np
import pytest
from harness import random_input, run_layer_test

from pronghorn import layers, ops
from pronghorn.saving.serialization import (
    deserialize_keras_object,
    register_keras_serializable,
    serialize_keras_object,
)


@register_keras_serializable("test_wrappers")
def doubled(x, factor=2.0):
    return x * factor


def test_lambda():
    x = random_input((2, 3))
    np.testing.assert_allclose(layers.Lambda(lambda x: x + 1)(x).numpy(), x + 1, rtol=1e-6)
    layer = layers.Lambda(doubled, arguments={"factor": 3.0})
    revived = deserialize_keras_object(serialize_keras_object(layer))
    np.testing.assert_allclose(revived(x).numpy(), 3 * x, rtol=1e-6)
    assert layers.Lambda(lambda x: ops.sum(x, axis=1))(layers.Input((3,))).shape == (None,)
    assert layers.Lambda(lambda x: x, output_shape=(3,)).compute_output_shape((None, 3)) == (None, 3)
    with pytest.raises(ValueError, match="lambda expression cannot be saved"):
        layers.Lambda(lambda x: x).get_config()


def test_lambda_training_argument():
    layer = layers.Lambda(lambda x, training=None: x * 0 if training else x)
    x = np.ones((1, 2))
    assert layer(x).numpy().sum() == 2 and layer(x, training=True).numpy().sum() == 0


def test_masking():
    run_layer_test(layers.Masking, {"mask_value": 1.0}, (2, 4, 3), (2, 4, 3), supports_masking=True)
    x = np.array([[[1.0, 2.0], [0.0, 0.0], [0.0, 3.0]]])
    y = layers.Masking()(x)
    np.testing.assert_array_equal(y._keras_mask.numpy(), [[True, False, True]])
    np.testing.assert_array_equal(y.numpy(), x)
    assert layers.Dense(3)(y)._keras_mask is y._keras_mask


def test_mask_is_dropped_with_a_warning():
    y = layers.Masking()(np.ones((1, 2, 3)))
    with pytest.warns(UserWarning, match="does not support masking"):
        layers.Flatten()(y)


def test_time_distributed():
    arguments = {"layer": layers.Dense(4, name="inner")}
    layer = layers.TimeDistributed(**arguments)
    x = random_input((2, 5, 3))
    y = layer(x).numpy()
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(y, x @ kernel + bias, rtol=1e-5, atol=1e-6)
    assert layer.weights[0].path == f"{layer.name}/inner/kernel"
    assert layers.TimeDistributed(layers.Conv2D(2, 3))(layers.Input((5, 8, 8, 1))).shape == (None, 5, 6, 6, 2)
    revived = deserialize_keras_object(serialize_keras_object(layer))
    assert isinstance(revived.layer, layers.Dense) and revived.layer.units == 4
    with pytest.raises(ValueError, match="must be a Layer"):
        layers.TimeDistributed("dense")
