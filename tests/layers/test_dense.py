"""Dense and Embedding."""

from __future__ import annotations

import numpy as np
import pytest
from harness import random_input, run_layer_test

import pronghorn as ph
from pronghorn import layers


def test_dense_basics():
    run_layer_test(layers.Dense, {"units": 5}, (2, 3), (2, 5), trainable_weights=2, supports_masking=True)
    run_layer_test(layers.Dense, {"units": 5, "activation": "relu"}, (2, 4, 3), (2, 4, 5), trainable_weights=2)
    run_layer_test(layers.Dense, {"units": 5, "use_bias": False}, (2, 3), (2, 5), trainable_weights=1)
    regularized = {"units": 5, "kernel_regularizer": "l2", "bias_regularizer": "l2", "activity_regularizer": "l2"}
    run_layer_test(layers.Dense, regularized, (2, 3), (2, 5), trainable_weights=2, losses=3)


def test_dense_values():
    layer = layers.Dense(4, activation="tanh", bias_initializer="ones")
    x = random_input((3, 5))
    y = layer(x).numpy()
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(y, np.tanh(x @ kernel + bias), rtol=1e-5, atol=1e-6)
    assert [v.path for v in layer.weights] == [f"{layer.name}/kernel", f"{layer.name}/bias"]


def test_dense_takes_integers_and_casts_float64():
    layer = layers.Dense(2)
    assert layer(np.ones((2, 3), dtype="uint8")).dtype == "float32"
    assert layer(np.ones((2, 3))).dtype == "float32"
    assert layers.Dense(2, dtype="float64")(np.ones((2, 3), dtype="float32")).dtype == "float64"


def test_dense_errors():
    with pytest.raises(ValueError, match="units must be a positive integer, got -1"):
        layers.Dense(-1)
    with pytest.raises(ValueError, match="min_ndim=2"):
        layers.Dense(3)(np.ones(3))
    layer = layers.Dense(3)
    layer(np.ones((2, 4)))
    with pytest.raises(ValueError, match="axis -1 of input shape to have value 4"):
        layer(np.ones((2, 5)))
    with pytest.raises(ValueError, match="must be known"):
        layers.Dense(3)(layers.Input((None,)))
    with pytest.raises(ValueError, match="unrecognized keyword arguments"):
        layers.Dense(3, no_such_argument=1)


def test_embedding():
    config = {"input_dim": 4, "output_dim": 3}
    run_layer_test(layers.Embedding, config, (2, 5), (2, 5, 3), "int32", trainable_weights=1, differentiable=False)
    layer = layers.Embedding(4, 3, mask_zero=True)
    indices = np.array([[1, 0, 3]])
    y = layer(indices)
    np.testing.assert_array_equal(y.numpy(), layer.get_weights()[0][indices])
    np.testing.assert_array_equal(y._keras_mask.numpy(), [[True, False, True]])


def test_embedding_gradient_counts_repeats():
    layer = layers.Embedding(4, 2)
    with ph.GradientTape() as tape:
        loss = ph.ops.sum(layer(np.array([[1, 1, 2]])))
    gradient = tape.gradient(loss, layer.trainable_variables)[0]
    np.testing.assert_array_equal(gradient.numpy(), [[0, 0], [2, 2], [1, 1], [0, 0]])


def test_embedding_starts_from_weights():
    table = np.arange(6, dtype="float32").reshape(3, 2)
    np.testing.assert_array_equal(layers.Embedding(3, 2, weights=[table])(np.array([2])).numpy(), [[4, 5]])
