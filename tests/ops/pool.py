"""Pooling: windows that overlap, leave gaps, reach over the edge; ties; NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sample import Sample, distinct, in_halves, integers, normal


def _windows(shape: tuple[int, ...], pool_size: Any, strides: Any, padding: str) -> tuple[tuple[int, int], list[Any]]:
    """Output size, and for each output position the slices of x it sees."""
    outs, spans = [], []
    for size, taps, stride in zip(shape[1:3], pool_size, strides):
        if padding == "same":
            out = -(-size // stride)
            before = max((out - 1) * stride + taps - size, 0) // 2
        else:
            out, before = (size - taps) // stride + 1, 0
        outs.append(out)
        starts = [i * stride - before for i in range(out)]
        spans.append([slice(max(start, 0), min(start + taps, size)) for start in starts])
    return (outs[0], outs[1]), [
        (i, j, rows, columns) for i, rows in enumerate(spans[0]) for j, columns in enumerate(spans[1])
    ]


def pool(reduce: Callable[..., np.ndarray], x: np.ndarray, pool_size: Any, strides: Any, padding: str) -> np.ndarray:
    """The definition, window by window."""
    (height, width), windows = _windows(x.shape, pool_size, strides, padding)
    y = np.zeros((x.shape[0], height, width, x.shape[3]), dtype=x.dtype)
    for i, j, rows, columns in windows:
        y[:, i, j] = reduce(x[:, rows, columns], axis=(1, 2))
    return y


def _max_gradient(x: np.ndarray, y: np.ndarray, dy: np.ndarray, **settings: Any) -> np.ndarray:
    dx = np.zeros_like(x)
    _, windows = _windows(x.shape, **settings)
    for i, j, rows, columns in windows:
        for n in range(x.shape[0]):
            for c in range(x.shape[3]):
                seen = x[n, rows, columns, c]
                first = np.unravel_index(seen.argmax(), seen.shape)
                dx[n, rows, columns, c][first] += dy[n, i, j, c]
    return dx


def _average_gradient(dy: np.ndarray, size: Any, **settings: Any) -> np.ndarray:
    dx = np.zeros((dy.shape[0], *size, dy.shape[3]))
    _, windows = _windows(dx.shape, **settings)
    for i, j, rows, columns in windows:
        seen = dx[:, rows, columns]
        seen += dy[:, i : i + 1, j : j + 1] / (seen.shape[1] * seen.shape[2])
    return dx


CASES: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "halves": ((2, 6, 4, 3), {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}),
    "a row left over": ((1, 7, 5, 2), {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}),
    "same": ((2, 7, 5, 2), {"pool_size": (2, 2), "strides": (2, 2), "padding": "same"}),
    "overlapping": ((2, 6, 5, 3), {"pool_size": (3, 2), "strides": (1, 1), "padding": "valid"}),
    "same, overlapping": ((2, 5, 6, 3), {"pool_size": (3, 3), "strides": (2, 1), "padding": "same"}),
    "gaps": ((1, 8, 7, 2), {"pool_size": (1, 2), "strides": (3, 3), "padding": "valid"}),
    "one pixel": ((1, 1, 1, 1), {"pool_size": (1, 1), "strides": (1, 1), "padding": "valid"}),
    "130 channels": ((1, 4, 4, 130), {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}),
    "empty batch": ((0, 4, 4, 2), {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}),
}


def _samples() -> list[Sample]:
    samples = []
    for name, (shape, attrs) in CASES.items():
        x = distinct(*shape)
        y = pool(np.max, x, **attrs)
        dy = normal(*y.shape, seed=1)
        small = x.size < 1000
        samples += [
            Sample(name, "max_pool2d", (x,), attrs, lambda x, a=attrs: pool(np.max, x, **a), grad=small),
            Sample(
                name,
                "max_pool2d_grad",
                (x, y, dy),
                attrs,
                lambda x, y, dy, a=attrs: _max_gradient(x, y, dy, **a),
                grad=False,
            ),
            Sample(name, "average_pool2d", (x,), attrs, lambda x, a=attrs: pool(np.mean, x, **a), grad=small),
            Sample(
                name,
                "average_pool2d_grad",
                (dy,),
                {**attrs, "size": shape[1:3]},
                lambda dy, a=attrs, s=shape[1:3]: _average_gradient(dy, s, **a),
                grad=small,
            ),
        ]
    return samples


HALVING = CASES["halves"][1]
TIES = np.array([[1.0, 1.0], [1.0, 0.0]]).reshape(1, 2, 2, 1)

SAMPLES = [
    *_samples(),
    Sample(
        "integers",
        "max_pool2d",
        (integers(-9, 9, 2, 4, 4, 3),),
        HALVING,
        lambda x: pool(np.max, x, **HALVING),
        grad=False,
    ),
    Sample(
        "NaN wins",
        "max_pool2d",
        (np.where(distinct(1, 4, 4, 1) > 0.9, np.nan, distinct(1, 4, 4, 1)),),
        HALVING,
        lambda x: pool(np.max, x, **HALVING),
        grad=False,
    ),
    Sample(
        "the first of equals gets it",
        "max_pool2d_grad",
        (TIES, np.ones((1, 1, 1, 1)), np.full((1, 1, 1, 1), 5.0)),
        HALVING,
        lambda x, y, dy: np.array([[5.0, 0.0], [0.0, 0.0]]).reshape(1, 2, 2, 1),
        grad=False,
    ),
    Sample(
        "window too large",
        "max_pool2d",
        (np.zeros((1, 2, 2, 1)),),
        {"pool_size": (3, 3), "strides": (1, 1)},
        raises=(ValueError, r"pool_size \(3, 3\) is larger than x \(1, 2, 2, 1\)"),
    ),
    Sample(
        "rank", "average_pool2d", (np.zeros((2, 2, 1)),), {}, raises=(ValueError, r"x must have shape \(batch, height")
    ),
    Sample(
        "strides",
        "max_pool2d",
        (np.zeros((1, 4, 4, 1)),),
        {"strides": (0, 2)},
        raises=(ValueError, r"strides must be positive, got 0"),
    ),
    Sample(
        "integers",
        "average_pool2d",
        (integers(0, 9, 1, 4, 4, 1),),
        {},
        raises=(TypeError, r"wants a floating tensor, got int32"),
    ),
]

SAMPLES = in_halves(SAMPLES)
