"""Normalization layers."""

from __future__ import annotations

import numpy as np
import pytest
from harness import random_input, run_layer_test, run_traced

import pronghorn as ph
from pronghorn import layers


def test_batch_normalization_in_general():
    counts = {"trainable_weights": 2, "non_trainable_weights": 2, "supports_masking": True}
    run_layer_test(layers.BatchNormalization, {}, (4, 3), (4, 3), **counts)
    run_layer_test(layers.BatchNormalization, {"axis": 1}, (4, 3, 5, 5), (4, 3, 5, 5), **counts)
    plain = {"center": False, "scale": False}
    run_layer_test(layers.BatchNormalization, plain, (4, 3), (4, 3), non_trainable_weights=2)
    renorm = {"renorm": True, "renorm_clipping": {"rmax": 3.0, "rmin": 0.3, "dmax": 5.0}}
    run_layer_test(layers.BatchNormalization, renorm, (4, 3), (4, 3), trainable_weights=2, non_trainable_weights=5)


@pytest.mark.parametrize("axis, shape", [(-1, (6, 4, 5, 3)), (1, (6, 3, 4, 5))])
def test_batch_normalization_values(axis, shape):
    x = random_input(shape) * 2 + 1
    layer = layers.BatchNormalization(axis=axis, momentum=0.9)
    reduced = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    broadcast = [1] * x.ndim
    broadcast[axis] = -1
    mean, variance = x.mean(axis=reduced), x.var(axis=reduced)
    y = layer(x, training=True).numpy()
    expected = (x - mean.reshape(broadcast)) / np.sqrt(variance.reshape(broadcast) + 1e-3)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * variance, rtol=1e-4)
    moved = [v.numpy().reshape(broadcast) for v in (layer.moving_mean, layer.moving_variance)]
    expected = (x - moved[0]) / np.sqrt(moved[1] + 1e-3)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_batch_normalization_frozen_and_masked():
    x = random_input((8, 3))
    layer = layers.BatchNormalization()
    layer.trainable = False
    np.testing.assert_allclose(layer(x, training=True).numpy(), x / np.sqrt(1.001), rtol=1e-5)
    assert layer.trainable_variables == [] and len(layer.non_trainable_variables) == 4
    sequence = np.stack([np.full((4, 2), 3.0), np.full((4, 2), 5.0), np.full((4, 2), 99.0)], axis=1)
    masked = layers.BatchNormalization(momentum=0.0)
    masked(sequence, mask=np.array([[True, True, False]] * 4), training=True)
    np.testing.assert_allclose(masked.moving_mean.numpy(), [4.0, 4.0], rtol=1e-5)
    np.testing.assert_allclose(masked.moving_variance.numpy(), [1.0, 1.0], rtol=1e-4)


def test_batch_normalization_moves_in_a_program():
    x = random_input((8, 3))
    layer = layers.BatchNormalization()
    layer.build(x.shape)
    run_traced(lambda inputs: layer(inputs, training=True), x)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.01 * x.mean(axis=0), rtol=1e-4, atol=1e-6)


def test_layer_normalization():
    run_layer_test(layers.LayerNormalization, {}, (2, 5, 3), (2, 5, 3), trainable_weights=2)
    run_layer_test(layers.LayerNormalization, {"axis": [1, 2]}, (2, 5, 3), (2, 5, 3), trainable_weights=2)
    x = random_input((2, 5, 3))
    y = layers.LayerNormalization()(x).numpy()
    expected = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(TypeError, match="axis must be"):
        layers.LayerNormalization(axis="last")


def test_group_normalization():
    run_layer_test(layers.GroupNormalization, {"groups": 2}, (2, 5, 4), (2, 5, 4), trainable_weights=2)
    run_layer_test(layers.GroupNormalization, {"groups": 3, "axis": 1}, (2, 6, 5), (2, 6, 5), trainable_weights=2)
    x = random_input((2, 5, 4))
    y = layers.GroupNormalization(groups=2)(x).numpy()
    for group in (slice(0, 2), slice(2, 4)):
        part = x[..., group]
        mean, variance = part.mean(axis=(1, 2), keepdims=True), part.var(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(y[..., group], (part - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="cannot be divided"):
        layers.GroupNormalization(groups=3)(x)


def test_unit_and_rms_normalization():
    run_layer_test(layers.UnitNormalization, {}, (2, 5), (2, 5))
    run_layer_test(layers.RMSNormalization, {}, (2, 5), (2, 5), trainable_weights=1)
    x = random_input((2, 5))
    expected = x / np.linalg.norm(x, axis=-1, keepdims=True)
    np.testing.assert_allclose(layers.UnitNormalization()(x).numpy(), expected, rtol=1e-5)
    expected = x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(layers.RMSNormalization()(x).numpy(), expected, rtol=1e-5)


def test_normalization_adapts():
    data = random_input((50, 3)) * 3 + 2
    layer = layers.Normalization()
    layer.adapt(data)
    expected = (data - data.mean(axis=0)) / data.std(axis=0)
    np.testing.assert_allclose(layer(data).numpy(), expected, rtol=1e-4, atol=1e-5)
    batches = layers.Normalization()
    batches.adapt(data[start : start + 20] for start in range(0, 50, 20))
    np.testing.assert_allclose(batches(data).numpy(), expected, rtol=1e-4, atol=1e-5)
    inverse = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 4.0, 4.0], invert=True)
    np.testing.assert_allclose(inverse(np.ones((1, 3))).numpy(), [[3.0, 4.0, 5.0]], rtol=1e-6)
    run_layer_test(layers.Normalization, {"mean": 1.0, "variance": 4.0}, (2, 3), (2, 3))
    run_layer_test(layers.Normalization, {"axis": None}, (2, 3), (2, 3), non_trainable_weights=3)
    with pytest.raises(ValueError, match="both mean and variance"):
        layers.Normalization(mean=1.0)
    with pytest.raises(ValueError, match="data is empty"):
        layers.Normalization().adapt([])


def test_rescaling():
    run_layer_test(layers.Rescaling, {"scale": 0.5, "offset": 1.0}, (2, 3), (2, 3))
    x = np.arange(6, dtype="uint8").reshape(2, 3)
    y = layers.Rescaling(1 / 255.0, offset=[0.0, 1.0, 2.0])(x)
    assert isinstance(y, ph.Tensor)
    np.testing.assert_allclose(y.numpy(), x / 255.0 + [0.0, 1.0, 2.0], rtol=1e-6)
