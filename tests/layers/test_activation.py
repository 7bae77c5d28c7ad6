"""Activations as layers."""

from __future__ import annotations

import numpy as np
import pytest
from harness import random_input, run_layer_test

from pronghorn import layers

CASES = [
    (layers.Activation, {"activation": "relu"}, lambda x: np.maximum(x, 0)),
    (layers.ReLU, {}, lambda x: np.maximum(x, 0)),
    (layers.ReLU, {"negative_slope": 0.1, "max_value": 0.5}, lambda x: np.where(x > 0, np.minimum(x, 0.5), 0.1 * x)),
    (layers.LeakyReLU, {"negative_slope": 0.2}, lambda x: np.where(x > 0, x, 0.2 * x)),
    (layers.ELU, {"alpha": 0.5}, lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    (layers.Softmax, {}, lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    (layers.Softmax, {"axis": (0, 1)}, lambda x: np.exp(x) / np.exp(x).sum((0, 1), keepdims=True)),
]


@pytest.mark.parametrize("cls, arguments, reference", CASES)
def test_values(cls, arguments, reference):
    x = random_input((3, 4))
    run_layer_test(cls, arguments, (3, 4), (3, 4), supports_masking=True)
    np.testing.assert_allclose(cls(**arguments)(x).numpy(), reference(x), rtol=1e-5, atol=1e-6)


def test_prelu():
    run_layer_test(layers.PReLU, {"alpha_initializer": "ones"}, (3, 4), (3, 4), trainable_weights=1)
    layer = layers.PReLU(shared_axes=[1, 2])
    x = random_input((2, 4, 5, 3))
    layer(x)
    assert layer.alpha.shape == (1, 1, 3)
    layer.alpha.assign(np.full((1, 1, 3), 0.25))
    np.testing.assert_allclose(layer(x).numpy(), np.where(x > 0, x, 0.25 * x), rtol=1e-6)


def test_softmax_mask():
    y = layers.Softmax()(np.array([[1.0, 2.0, 1.0]]), mask=np.array([[True, False, True]]))
    np.testing.assert_allclose(y.numpy(), [[0.5, 0.0, 0.5]], atol=1e-6)


def test_errors():
    with pytest.raises(ValueError, match="max_value must not be negative"):
        layers.ReLU(max_value=-1.0)
    with pytest.raises(ValueError, match="negative_slope must not be negative"):
        layers.LeakyReLU(None)
    with pytest.raises(ValueError):
        layers.Activation("no such activation")
