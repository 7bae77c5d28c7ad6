"""Softmax: last, first and middle axes; rows shorter and longer than a block; large values; infinities."""

from __future__ import annotations

import numpy as np

from sample import Sample, in_halves, normal


def _softmax(axis: int = -1):
    def reference(x: np.ndarray) -> np.ndarray:
        raised = np.exp(x - x.max(axis=axis, keepdims=True))
        return raised / raised.sum(axis=axis, keepdims=True)

    return reference


def _log_softmax(axis: int = -1):
    def reference(x: np.ndarray) -> np.ndarray:
        shifted = x - x.max(axis=axis, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))

    return reference


def _softmax_grad(axis: int = -1):
    return lambda y, dy: y * (dy - (y * dy).sum(axis=axis, keepdims=True))


# id: (shape, axis)
SHAPES = {
    "row": ((7,), -1),
    "short-rows": ((33, 10), -1),
    "one-class": ((4, 1), -1),
    "many-short-rows": ((1201, 7), 1),
    "long-rows": ((3, 1000), -1),
    "rows-over-a-block": ((2, 9001), -1),
    "vectors": ((5, 132), -1),
    "vectors-by-block": ((3, 1028), -1),
    "many-columns": ((2, 3, 150), 1),
    "first-axis": ((5, 70), 0),
    "middle-axis": ((3, 4, 67), 1),
    "no-rows": ((0, 5), -1),
    "no-classes": ((5, 0), -1),
    "size-1": ((1, 1, 1), 1),
}
_HUGE = np.array([[1e4, 1e4 - 1, -1e4], [-1e38, 0.0, 1e38]])
_MASKED = np.array([[0.5, -np.inf, 1.5]])
_LONG = np.where(np.arange(2 * 4500).reshape(2, 4500) % 4500 < 700, -np.inf, normal(2, 4500, scale=30))

SAMPLES = [
    sample
    for name, (shape, axis) in SHAPES.items()
    for sample in (
        Sample(
            name, "softmax", [normal(*shape, scale=2)], {"axis": axis}, _softmax(axis) if np.prod(shape) else np.copy
        ),
        Sample(
            name,
            "log_softmax",
            [normal(*shape, scale=2)],
            {"axis": axis},
            _log_softmax(axis) if np.prod(shape) else np.copy,
        ),
        Sample(
            name,
            "softmax_grad",
            [normal(*shape), normal(*shape, seed=1)],
            {"axis": axis},
            _softmax_grad(axis),
            rtol=2e-5,
            atol=2e-5,
        ),
    )
] + [
    Sample("huge", "softmax", [_HUGE], {}, _softmax(), grad=False),
    Sample("huge", "log_softmax", [_HUGE], {}, _log_softmax(), grad=False),
    Sample("masked", "softmax", [_MASKED], {}, _softmax(), grad=False),
    Sample("masked", "log_softmax", [_MASKED], {}, _log_softmax(), grad=False),
    Sample("masked-long", "softmax", [_LONG], {}, _softmax(), grad=False),
    Sample("masked-long", "log_softmax", [_LONG], {}, _log_softmax(), grad=False),
    Sample("nan-long", "softmax", [_LONG * np.nan], {}, lambda x: np.full_like(x, np.nan), grad=False),
    Sample(
        "nothing-possible", "softmax", [np.full((2, 5), -np.inf)], {}, lambda x: np.full_like(x, np.nan), grad=False
    ),
    Sample(
        "nothing-possible-long",
        "softmax",
        [np.full((1, 4100), -np.inf)],
        {},
        lambda x: np.full_like(x, np.nan),
        grad=False,
    ),
    Sample("nan", "softmax", [np.array([[1.0, np.nan, 2.0]])], {}, lambda x: np.full_like(x, np.nan), grad=False),
    Sample("integers", "softmax", [np.arange(3)], {}, raises=(TypeError, "x must be floating, got int64")),
    Sample("axis", "softmax", [normal(2, 3)], {"axis": 2}, raises=(ValueError, "axis")),
    Sample("shapes", "softmax_grad", [normal(2, 3), normal(3, 2)], {}, raises=(ValueError, "must agree")),
]

SAMPLES = in_halves(SAMPLES)
