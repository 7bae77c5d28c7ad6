"""Convolutions against plain loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from harness import random_input, run_layer_test

from pronghorn import layers


def pads_for(padding, size, window, stride, dilation):
    reach = dilation * (window - 1) + 1
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return reach - 1, 0
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def reference(x, kernel, strides, padding, dilation, groups=1):
    """Convolution of (batch, *spatial, channels) with (*window, channels / groups, filters), in float64."""
    rank = kernel.ndim - 2
    spatial = x.shape[1:-1]
    pads = [pads_for(padding, *each) for each in zip(spatial, kernel.shape, strides, dilation)]
    x = np.pad(x.astype("float64"), [(0, 0), *pads, (0, 0)])
    sizes = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[1:-1], kernel.shape, strides, dilation)]
    inputs, filters = kernel.shape[-2], kernel.shape[-1] // groups
    y = np.zeros((x.shape[0], *sizes, kernel.shape[-1]))
    for tap in itertools.product(*(range(k) for k in kernel.shape[:rank])):
        at = tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilation, sizes, strides))
        part = x[(slice(None), *at)]
        for g in range(groups):
            out = slice(g * filters, (g + 1) * filters)
            y[..., out] += part[..., g * inputs : (g + 1) * inputs] @ kernel[tap][:, out]
    return y


CASES = [
    {"kernel_size": 3},
    {"kernel_size": 3, "padding": "same"},
    {"kernel_size": (2, 3), "strides": 2},
    {"kernel_size": 3, "strides": (2, 1), "padding": "same"},
    {"kernel_size": 3, "dilation_rate": 2},
    {"kernel_size": 3, "groups": 2, "padding": "same"},
    {"kernel_size": 1, "use_bias": False},
]


@pytest.mark.parametrize("options", CASES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_conv2d_values(options, data_format):
    x = random_input((2, 8, 9, 4))
    layer = layers.Conv2D(6, **options, data_format=data_format, bias_initializer="ones")
    last = data_format == "channels_last"
    y = layer(x if last else x.transpose(0, 3, 1, 2)).numpy()
    expected = reference(
        x, layer.get_weights()[0], layer.strides, layer.padding, layer.dilation_rate, layer.groups
    ) + float(layer.use_bias)
    np.testing.assert_allclose(y if last else y.transpose(0, 2, 3, 1), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize("steps", [{}, {"strides": 2}, {"dilation_rate": 2}])
def test_conv1d_values(padding, steps):
    x = random_input((2, 10, 3))
    layer = layers.Conv1D(4, 3, padding=padding, **steps)
    expected = reference(x, layer(x) is None or layer.get_weights()[0], layer.strides, padding, layer.dilation_rate)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_depthwise_and_separable_values():
    x = random_input((2, 7, 8, 3))
    depthwise = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", use_bias=False)
    y = depthwise(x).numpy()
    kernel = depthwise.get_weights()[0]
    full = np.zeros((3, 3, 3, 6))
    for channel in range(3):
        full[:, :, channel, 2 * channel : 2 * channel + 2] = kernel[:, :, channel]
    expected = reference(x, full, (1, 1), "same", (1, 1))
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    separable = layers.SeparableConv2D(4, 3, depth_multiplier=2, padding="same", use_bias=False)
    separable.build(x.shape)
    pointwise = separable.get_weights()[1]
    separable.set_weights([kernel, pointwise])
    np.testing.assert_allclose(separable(x).numpy(), expected @ pointwise[0, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_conv2d_transpose_is_the_transpose_of_conv2d(strides, padding):
    small, filters, window = random_input((1, 4, 4, 3)), 2, 3
    layer = layers.Conv2DTranspose(filters, window, strides=strides, padding=padding, use_bias=False)
    big = layer(small).numpy()
    # <conv(b), s> == <b, conv_transpose(s)> for every b
    other = random_input(big.shape, seed=1)
    forward = reference(other, layer.get_weights()[0], (strides,) * 2, padding, (1, 1))
    assert forward.shape == small.shape
    np.testing.assert_allclose(np.sum(forward * small), np.sum(other * big), rtol=1e-4)


def test_conv_layers_in_general():
    run_layer_test(layers.Conv1D, {"filters": 4, "kernel_size": 3}, (2, 8, 3), (2, 6, 4), trainable_weights=2)
    run_layer_test(
        layers.Conv2D,
        {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu", "kernel_regularizer": "l2"},
        (2, 8, 8, 3),
        (2, 8, 8, 4),
        trainable_weights=2,
        losses=1,
    )
    first = {"filters": 4, "kernel_size": 3, "strides": 2, "data_format": "channels_first"}
    run_layer_test(layers.Conv2D, first, (2, 3, 8, 8), (2, 4, 3, 3), trainable_weights=2)
    run_layer_test(layers.DepthwiseConv1D, {"kernel_size": 3}, (2, 8, 3), (2, 6, 3), trainable_weights=2)
    run_layer_test(layers.DepthwiseConv2D, {"kernel_size": 3}, (2, 8, 8, 3), (2, 6, 6, 3), trainable_weights=2)
    sizes = {"filters": 4, "kernel_size": 3}
    run_layer_test(layers.SeparableConv1D, sizes, (2, 8, 3), (2, 6, 4), trainable_weights=3)
    run_layer_test(layers.SeparableConv2D, sizes, (2, 8, 8, 3), (2, 6, 6, 4), trainable_weights=3)


def test_conv_transpose_layers_in_general():
    twice = {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}
    run_layer_test(layers.Conv1DTranspose, twice, (2, 5, 3), (2, 10, 4), trainable_weights=2)
    run_layer_test(layers.Conv2DTranspose, twice, (2, 5, 5, 3), (2, 10, 10, 4), trainable_weights=2)
    valid = {"filters": 4, "kernel_size": 3, "strides": 2, "output_padding": 1}
    run_layer_test(layers.Conv2DTranspose, valid, (2, 5, 5, 3), (2, 12, 12, 4), trainable_weights=2)


def test_unknown_image_size():
    x = layers.Input((None, None, 3))
    assert layers.Conv2D(4, 3, strides=2, padding="same")(x).shape == (None, None, None, 4)


def test_conv_errors():
    with pytest.raises(ValueError, match="kernel_size must be"):
        layers.Conv2D(4, (3, 3, 3))
    with pytest.raises(ValueError, match="divisible by groups"):
        layers.Conv2D(5, 3, groups=2)
    with pytest.raises(ValueError, match="must not both exceed 1"):
        layers.Conv2D(4, 3, strides=2, dilation_rate=2)
    with pytest.raises(ValueError, match="padding must be one of"):
        layers.Conv2D(4, 3, padding="causal")
    with pytest.raises(ValueError, match="expected ndim=4, found ndim=3"):
        layers.Conv2D(4, 3)(np.ones((8, 8, 3)))
    with pytest.raises(ValueError, match="output_padding must be smaller"):
        layers.Conv2DTranspose(4, 3, strides=2, output_padding=2)
