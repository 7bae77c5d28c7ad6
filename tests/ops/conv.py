"""Convolution and its two gradients, over strides, paddings, dilations, groups, ragged and empty sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from sample import Sample, in_halves, normal


def _axis(size: int, taps: int, stride: int, dilation: int, padding: Any) -> tuple[int, int]:
    """Output positions and padding in front."""
    extent = (taps - 1) * dilation + 1
    if padding == "same":
        out = -(-size // stride)
        return out, max((out - 1) * stride + extent - size, 0) // 2
    before, after = padding
    return max((size + before + after - extent) // stride + 1, 0), before


def convolve(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    strides: Any = (1, 1),
    padding: str = "valid",
    pads: Any = (0, 0, 0, 0),
    dilation: Any = (1, 1),
    groups: int = 1,
    activation: str = "none",
) -> np.ndarray:
    """The definition, tap by tap."""
    batch, height, width, channels = x.shape
    rows, columns, in_group, filters = kernel.shape
    around = ("same", "same") if padding == "same" else ((0, 0), (0, 0)) if padding == "valid" else (pads[:2], pads[2:])
    out_h, top = _axis(height, rows, strides[0], dilation[0], around[0])
    out_w, left = _axis(width, columns, strides[1], dilation[1], around[1])
    far_h, far_w = out_h * strides[0] + rows * dilation[0], out_w * strides[1] + columns * dilation[1]
    padded = np.zeros((batch, height + top + far_h, width + left + far_w, channels), dtype=x.dtype)
    padded[:, top : top + height, left : left + width] = x
    y = np.zeros((batch, out_h, out_w, filters), dtype=x.dtype)
    of_group = filters // groups
    for r in range(rows):
        for s in range(columns):
            i, j = r * dilation[0], s * dilation[1]
            seen = padded[:, i : i + out_h * strides[0] : strides[0], j : j + out_w * strides[1] : strides[1]]
            for g in range(groups):
                taken = seen[..., g * in_group : (g + 1) * in_group]
                y[..., g * of_group : (g + 1) * of_group] += taken @ kernel[r, s, :, g * of_group : (g + 1) * of_group]
    if bias is not None:
        y = y + bias
    return np.maximum(y, 0) if activation == "relu" else y


def _input_gradient(dy: np.ndarray, kernel: np.ndarray, size: Any, groups: int = 1, **settings: Any) -> np.ndarray:
    """Each element of x moved by one changes the result by what convolving a unit gives."""
    shape = (size[0], size[1], kernel.shape[2] * groups)
    dx = np.zeros((dy.shape[0], *shape))
    for index in np.ndindex(*shape):
        unit = np.zeros((1, *shape))
        unit[(0, *index)] = 1
        dx[(slice(None), *index)] = (convolve(unit, kernel, groups=groups, **settings) * dy).sum(axis=(1, 2, 3))
    return dx


def _kernel_gradient(x: np.ndarray, dy: np.ndarray, size: Any, groups: int = 1, **settings: Any) -> np.ndarray:
    shape = (size[0], size[1], x.shape[3] // groups, dy.shape[3])
    dk = np.zeros(shape)
    for index in np.ndindex(*shape):
        unit = np.zeros(shape)
        unit[index] = 1
        dk[index] = (convolve(x, unit, groups=groups, **settings) * dy).sum()
    return dk


# id: (x, kernel, attributes)
CASES: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "plain": ((2, 6, 5, 3), (3, 3, 3, 4), {}),
    "one pixel": ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    "one channel, 17 filters": ((3, 7, 8, 1), (3, 3, 1, 17), {}),
    "33 filters": ((1, 4, 9, 5), (2, 3, 5, 33), {}),
    "same": ((2, 5, 6, 3), (3, 3, 3, 4), {"padding": "same"}),
    "same, even kernel": ((2, 5, 6, 2), (2, 4, 2, 3), {"padding": "same"}),
    "same, strides": ((2, 7, 8, 3), (3, 3, 3, 4), {"padding": "same", "strides": (2, 3)}),
    "strides": ((1, 9, 8, 2), (3, 2, 2, 3), {"strides": (3, 2)}),
    "stride beyond the kernel": ((1, 9, 9, 2), (1, 1, 2, 3), {"strides": (4, 3)}),
    "dilation": ((2, 9, 8, 2), (3, 2, 2, 3), {"dilation": (2, 3)}),
    "same, dilation": ((2, 6, 7, 2), (3, 3, 2, 3), {"padding": "same", "dilation": (2, 2)}),
    "explicit pads": ((1, 5, 4, 2), (3, 3, 2, 3), {"padding": "explicit", "pads": (2, 0, 1, 3)}),
    "groups": ((2, 6, 5, 6), (3, 3, 2, 6), {"groups": 3, "padding": "same"}),
    "depthwise": ((2, 6, 5, 4), (3, 3, 1, 4), {"groups": 4}),
    "depthwise, multiplier, strides": ((2, 7, 6, 3), (3, 3, 1, 6), {"groups": 3, "strides": (2, 2), "padding": "same"}),
    "depthwise, 19 channels, same": ((1, 3, 7, 19), (3, 3, 1, 19), {"groups": 19, "padding": "same"}),
    "depthwise, strides, same": ((1, 7, 9, 5), (3, 3, 1, 5), {"groups": 5, "strides": (2, 3), "padding": "same"}),
    "depthwise, 25 taps, dilation": (
        (1, 6, 9, 7),
        (5, 5, 1, 7),
        {"groups": 7, "padding": "same", "dilation": (1, 2)},
    ),
    "depthwise, pads beyond the kernel": (
        (2, 3, 4, 9),
        (2, 2, 1, 9),
        {"groups": 9, "padding": "explicit", "pads": (3, 1, 0, 4)},
    ),
    "depthwise, 40 channels": ((2, 5, 11, 40), (3, 3, 1, 40), {"groups": 40, "padding": "same"}),
    "pointwise": ((2, 4, 5, 6), (1, 1, 6, 3), {}),
    "kernel of the image's size": ((3, 4, 5, 2), (4, 5, 2, 3), {}),
    "one row": ((2, 1, 11, 3), (1, 4, 3, 5), {"dilation": (1, 2)}),
    "many pixels": ((3, 19, 17, 2), (3, 3, 2, 3), {"padding": "same"}),
}


def _samples() -> list[Sample]:
    samples = []
    for name, (x_shape, kernel_shape, attrs) in CASES.items():
        x, kernel = normal(*x_shape), normal(*kernel_shape, seed=1)
        dy = normal(*convolve(x, kernel, **attrs).shape, seed=2)
        settings = {"rtol": 1e-5, "atol": 1e-4}
        few = x.size < 400
        forward = dict(attrs)
        samples.append(
            Sample(
                name, "conv2d", (x, kernel), forward, lambda x, k, a=attrs: convolve(x, k, **a), grad=few, **settings
            )
        )
        if not few:
            continue
        backward = {**attrs, "size": x_shape[1:3]}
        samples.append(
            Sample(
                name,
                "conv2d_input_grad",
                (dy, kernel),
                backward,
                lambda dy, k, a=backward: _input_gradient(dy, k, **a),
                **settings,
            )
        )
        backward = {**attrs, "size": kernel_shape[:2]}
        samples.append(
            Sample(
                name,
                "conv2d_kernel_grad",
                (x, dy),
                backward,
                lambda x, dy, a=backward: _kernel_gradient(x, dy, **a),
                **settings,
            )
        )
    return samples


def _fused(name: str, activation: str) -> Sample:
    inputs = (normal(2, 6, 5, 3), normal(3, 3, 3, 4, seed=1), normal(4, seed=2))
    attrs = {"activation": activation}
    return Sample(name, "conv2d", inputs, attrs, lambda x, k, b: convolve(x, k, b, **attrs), grad=False, atol=1e-4)


def _wrong(name: str, x: tuple[int, ...], kernel: tuple[int, ...], message: str, **attrs: Any) -> Sample:
    return Sample(f"wrong {name}", "conv2d", (np.zeros(x), np.zeros(kernel)), attrs, raises=(ValueError, message))


SAMPLES = [
    *_samples(),
    _fused("bias", "none"),
    _fused("bias and relu", "relu"),
    Sample(
        "empty batch",
        "conv2d",
        (np.zeros((0, 6, 5, 3)), normal(3, 3, 3, 4)),
        {},
        lambda x, k: np.zeros((0, 4, 3, 4)),
        grad=False,
    ),
    Sample(
        "empty batch",
        "conv2d_kernel_grad",
        (np.zeros((0, 6, 5, 3)), np.zeros((0, 4, 3, 4))),
        {"size": (3, 3)},
        lambda x, dy: np.zeros((3, 3, 3, 4)),
        grad=False,
    ),
    _wrong("channels", (1, 5, 5, 3), (3, 3, 4, 2), r"kernel \(3, 3, 4, 2\) with groups 1 needs 4 input channels"),
    _wrong(
        "rank of x", (5, 5, 3), (3, 3, 3, 2), r"x must have shape \(batch, height, width, channels\), got \(5, 5, 3\)"
    ),
    _wrong("rank of kernel", (1, 5, 5, 3), (3, 3, 3), r"kernel must have shape \(height, width, channels, filters\)"),
    _wrong(
        "kernel too large", (1, 2, 2, 1), (3, 3, 1, 1), r"kernel \(3, 3, 1, 1\) with dilation \(1, 1\) is larger than x"
    ),
    _wrong(
        "filters not divisible",
        (1, 5, 5, 4),
        (3, 3, 2, 3),
        r"3 filters of kernel .* do not divide into 2 groups",
        groups=2,
    ),
    _wrong("no groups", (1, 5, 5, 4), (3, 3, 2, 3), r"groups must be positive, got 0", groups=0),
    _wrong(
        "too many groups", (1, 5, 5, 4), (3, 3, 2, 3), r"groups must be at most 2147483647, got 4611", groups=2**62 - 1
    ),
    _wrong("zero strides", (1, 5, 5, 3), (3, 3, 3, 2), r"strides must be positive, got 0", strides=(0, 1)),
    _wrong("negative dilation", (1, 5, 5, 3), (3, 3, 3, 2), r"dilation must be positive, got -1", dilation=(1, -1)),
    _wrong("pads", (1, 5, 5, 3), (3, 3, 3, 2), r"needs pads \(top, bottom, left, right\)", padding="explicit"),
    Sample(
        "padding",
        "conv2d",
        (np.zeros((1, 5, 5, 3)), np.zeros((3, 3, 3, 2))),
        {"padding": "full"},
        raises=(TypeError, r"`padding` must be one of 'valid', 'same', 'explicit', got 'full'"),
    ),
    Sample(
        "shape of dy",
        "conv2d_kernel_grad",
        (np.zeros((1, 5, 5, 3)), np.zeros((1, 5, 5, 2))),
        {"size": (3, 3)},
        raises=(ValueError, r"dy must have shape \(1, 3, 3, 2\), got \(1, 5, 5, 2\)"),
    ),
]

SAMPLES = in_halves(SAMPLES)
