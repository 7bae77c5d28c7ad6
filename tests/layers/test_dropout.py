"""Noise in training."""

from __future__ import annotations

import numpy as np
import pytest
from harness import run_layer_test, run_traced

from pronghorn import layers

CASES = [
    (layers.Dropout, {"rate": 0.3}, (4, 5)),
    (layers.SpatialDropout1D, {"rate": 0.3}, (4, 5, 3)),
    (layers.SpatialDropout2D, {"rate": 0.3}, (4, 5, 5, 3)),
    (layers.GaussianNoise, {"stddev": 0.3}, (4, 5)),
    (layers.GaussianDropout, {"rate": 0.3}, (4, 5)),
    (layers.AlphaDropout, {"rate": 0.3}, (4, 5)),
]


@pytest.mark.parametrize("cls, arguments, shape", CASES)
def test_in_general(cls, arguments, shape):
    layer = run_layer_test(cls, arguments, shape, shape, supports_masking=True)
    x = np.ones(shape, dtype="float32")
    np.testing.assert_array_equal(layer(x).numpy(), x)
    assert not np.array_equal(layer(x, training=True).numpy(), x)
    assert len(layer.variables) == 1 and layer.weights == []


def test_dropout_rate_and_scale():
    y = layers.Dropout(0.25, seed=7)(np.ones((100, 100)), training=True).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(np.mean(y == 0) - 0.25) < 0.02


def test_dropout_seed_repeats_and_moves_on():
    x = np.ones((8, 8))
    first, second = layers.Dropout(0.5, seed=3), layers.Dropout(0.5, seed=3)
    one, two = first(x, training=True).numpy(), first(x, training=True).numpy()
    np.testing.assert_array_equal(one, second(x, training=True).numpy())
    assert not np.array_equal(one, two)


def test_dropout_in_a_program_equals_eager():
    x = np.ones((8, 8), dtype="float32")
    eager, traced = layers.Dropout(0.5, seed=3), layers.Dropout(0.5, seed=3)
    result = run_traced(lambda inputs: traced(inputs, training=True), x)
    np.testing.assert_array_equal(eager(x, training=True).numpy(), result)


def test_shared_noise():
    y = layers.Dropout(0.5, noise_shape=(None, 1), seed=1)(np.ones((50, 4)), training=True).numpy()
    assert np.all(y == y[:, :1]) and 0 < np.sum(y[:, 0] == 0) < 50
    y = layers.SpatialDropout2D(0.5, seed=1)(np.ones((10, 3, 3, 8)), training=True).numpy()
    assert np.all(y == y[:, :1, :1])


def test_alpha_dropout_keeps_moments():
    x = np.random.default_rng(0).normal(size=(300, 300)).astype("float32")
    y = layers.AlphaDropout(0.2, seed=1)(x, training=True).numpy()
    assert abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02


def test_activity_regularization():
    layer = run_layer_test(layers.ActivityRegularization, {"l1": 0.5, "l2": 0.25}, (2, 3), (2, 3), losses=1)
    layer(np.full((2, 3), 2.0))
    np.testing.assert_allclose(float(layer.losses[0]), (0.5 * 12 + 0.25 * 24) / 2, rtol=1e-6)


def test_errors():
    with pytest.raises(ValueError, match=r"rate must be a number between 0 and 1, got 1\.5"):
        layers.Dropout(1.5)
    with pytest.raises(ValueError, match="noise_shape"):
        layers.Dropout(0.5, noise_shape=(0, 1))
    with pytest.raises(ValueError, match="stddev must be"):
        layers.GaussianNoise(-1)
