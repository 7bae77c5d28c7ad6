"""Layers that join tensors."""

from __future__ import annotations

import numpy as np
import pytest
from harness import random_input, run_layer_test

from pronghorn import layers

PAIRS = [
    (layers.Add, layers.add, lambda a, b: a + b),
    (layers.Subtract, layers.subtract, lambda a, b: a - b),
    (layers.Multiply, layers.multiply, lambda a, b: a * b),
    (layers.Average, layers.average, lambda a, b: (a + b) / 2),
    (layers.Maximum, layers.maximum, np.maximum),
    (layers.Minimum, layers.minimum, np.minimum),
]


@pytest.mark.parametrize("cls, function, reference", PAIRS)
def test_elementwise(cls, function, reference):
    run_layer_test(cls, {}, [(2, 4, 3), (2, 4, 3)], (2, 4, 3), supports_masking=True)
    a, b = random_input([(2, 4, 3), (2, 3)])
    expected = reference(a, b[:, None, :])
    np.testing.assert_allclose(cls()([a, b]).numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(function([a, b]).numpy(), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="list of at least"):
        cls()(a)
    with pytest.raises(ValueError, match="do not fit"):
        cls()([a, random_input((2, 4, 5))])
    with pytest.raises(ValueError, match="batch sizes"):
        cls()([a, random_input((3, 4, 3))])


def test_more_than_two():
    x = random_input([(2, 3)] * 3)
    np.testing.assert_allclose(layers.Add()(x).numpy(), sum(x), rtol=1e-6)
    with pytest.raises(ValueError, match="exactly 2"):
        layers.Subtract()(x)


def test_concatenate():
    run_layer_test(layers.Concatenate, {"axis": 1}, [(2, 4, 3), (2, 5, 3)], (2, 9, 3))
    a, b = random_input([(2, 3), (2, 4)])
    np.testing.assert_array_equal(layers.concatenate([a, b]).numpy(), np.concatenate([a, b], axis=-1))
    with pytest.raises(ValueError, match="must agree but for axis"):
        layers.Concatenate(axis=1)([random_input((2, 4, 3)), random_input((2, 5, 4))])


def test_dot():
    run_layer_test(layers.Dot, {"axes": -1}, [(2, 5), (2, 5)], (2, 1))
    run_layer_test(layers.Dot, {"axes": (1, 2), "normalize": True}, [(2, 3, 5), (2, 10, 3)], (2, 5, 10))
    a, b = random_input([(2, 3, 5), (2, 10, 3)])
    np.testing.assert_allclose(
        layers.Dot(axes=(1, 2))([a, b]).numpy(), np.einsum("bij,bki->bjk", a, b), rtol=1e-5, atol=1e-5
    )
    with pytest.raises(ValueError, match="batch axis"):
        layers.Dot(axes=0)([a, a])
    with pytest.raises(ValueError, match="differ along axes"):
        layers.Dot(axes=1)([a, b])


def test_masks_are_joined():
    a = layers.Masking()(np.array([[[1.0], [0.0], [2.0]]]))
    b = layers.Masking()(np.array([[[1.0], [0.0], [0.0]]]))
    np.testing.assert_array_equal(layers.Add()([a, b])._keras_mask.numpy(), [[True, False, True]])
    np.testing.assert_array_equal(layers.Concatenate(axis=1)([a, b])._keras_mask.numpy(), [[1, 0, 1, 1, 0, 0]])
