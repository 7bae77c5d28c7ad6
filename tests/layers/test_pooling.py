"""Pooling against plain loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from harness import random_input, run_layer_test

from pronghorn import layers


def reference(x, window, strides, padding, reduce):
    sizes, starts = [], []
    for n, k, s in zip(x.shape[1:-1], window, strides):
        sizes.append(-(-n // s) if padding == "same" else (n - k) // s + 1)
        starts.append(max((sizes[-1] - 1) * s + k - n, 0) // 2 if padding == "same" else 0)
    y = np.zeros((x.shape[0], *sizes, x.shape[-1]))
    for position in itertools.product(*(range(n) for n in sizes)):
        at = tuple(slice(max(p * s - b, 0), p * s - b + k) for p, s, b, k in zip(position, strides, starts, window))
        y[(slice(None), *position)] = reduce(x[(slice(None), *at)], axis=tuple(range(1, x.ndim - 1)))
    return y


@pytest.mark.parametrize("window, strides", [((2, 2), None), ((3, 3), (2, 2)), ((2, 3), (1, 2))])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("cls, reduce", [(layers.MaxPooling2D, np.max), (layers.AveragePooling2D, np.mean)])
def test_pooling_2d_values(cls, reduce, window, strides, padding, data_format):
    x = random_input((2, 7, 8, 3))
    layer = cls(window, strides=strides, padding=padding, data_format=data_format)
    last = data_format == "channels_last"
    y = layer(x if last else x.transpose(0, 3, 1, 2)).numpy()
    expected = reference(x, layer.pool_size, layer.strides, padding, reduce)
    np.testing.assert_allclose(y if last else y.transpose(0, 2, 3, 1), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cls, reduce", [(layers.MaxPooling1D, np.max), (layers.AveragePooling1D, np.mean)])
def test_pooling_1d_values(cls, reduce):
    x = random_input((2, 9, 3))
    expected = reference(x, (3,), (2,), "same", reduce)
    np.testing.assert_allclose(cls(3, 2, "same")(x).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_pooling_in_general():
    for cls in (layers.MaxPooling1D, layers.AveragePooling1D):
        run_layer_test(cls, {"pool_size": 2}, (2, 8, 3), (2, 4, 3))
    for cls in (layers.MaxPooling2D, layers.AveragePooling2D):
        run_layer_test(cls, {"pool_size": 2}, (2, 8, 8, 3), (2, 4, 4, 3))
        run_layer_test(cls, {"pool_size": (3, 2), "strides": 1, "padding": "same"}, (2, 8, 8, 3), (2, 8, 8, 3))
    with pytest.raises(ValueError, match="pool_size must be"):
        layers.MaxPooling2D(0)


@pytest.mark.parametrize("keepdims", [False, True])
def test_global_pooling(keepdims):
    arguments = {"keepdims": keepdims}
    ones = (1, 1) if keepdims else ()
    for cls in (layers.GlobalMaxPooling2D, layers.GlobalAveragePooling2D):
        run_layer_test(cls, arguments, (2, 4, 5, 3), (2, *ones, 3))
        run_layer_test(cls, {**arguments, "data_format": "channels_first"}, (2, 3, 4, 5), (2, 3, *ones))
    for cls in (layers.GlobalMaxPooling1D, layers.GlobalAveragePooling1D):
        run_layer_test(cls, arguments, (2, 4, 3), (2, *ones[1:], 3))


def test_global_pooling_values():
    x = random_input((2, 4, 5, 3))
    np.testing.assert_allclose(layers.GlobalMaxPooling2D()(x).numpy(), x.max(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_allclose(layers.GlobalAveragePooling2D()(x).numpy(), x.mean(axis=(1, 2)), rtol=1e-5, atol=1e-7)
    masked = layers.Masking()(np.array([[[1.0, 1.0], [3.0, 3.0], [0.0, 0.0]]]))
    np.testing.assert_allclose(layers.GlobalAveragePooling1D()(masked).numpy(), [[2.0, 2.0]])
