"""Reductions: over every pattern of axes, long and short runs, and their edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from sample import HALVES, Sample, distinct, in_halves, integers, normal

REDUCTIONS: dict[str, Any] = {
    "reduce_sum": np.sum,
    "reduce_mean": np.mean,
    "reduce_max": np.max,
    "reduce_min": np.min,
    "reduce_prod": np.prod,
}
PATTERNS: dict[str, tuple[tuple[int, ...], tuple[int, ...], bool]] = {
    "all": ((7, 9), (), False),
    "all-keep": ((3, 4, 2), (), True),
    "rows": ((5, 70), (1,), False),
    "columns": ((70, 5), (0,), False),
    "columns-keep": ((33, 18), (0,), True),
    "negative-axis": ((2, 3, 4), (-2,), False),
    "trailing-two": ((3, 4, 5), (1, 2), True),
    "leading-two": ((3, 4, 5), (0, 1), False),
    "first-and-last": ((3, 4, 5), (0, 2), False),
    "first-and-last-keep": ((3, 4, 5), (0, 2), True),
    "every-second": ((2, 3, 2, 3, 2), (1, 3), False),
    "outer-of-pairs": ((2, 3, 2, 3), (0, 2), False),
    "channels-first": ((4, 3, 5, 6), (0, 2, 3), False),
    "ones": ((1, 4, 1), (0, 2), False),
    "scalar": ((), (), False),
}


def _reduce(op: str, id: str, x: np.ndarray, axes: tuple[int, ...], keepdims: bool = False, **more: Any) -> Sample:
    formula = REDUCTIONS.get(op) or {"reduce_all": np.all, "reduce_any": np.any}[op]
    return Sample(
        id, op, [x], {"axes": axes, "keepdims": keepdims},
        lambda x: formula(x, axis=axes or None, keepdims=keepdims), **more,
    )  # fmt: skip


def _patterns() -> list[Sample]:
    samples = []
    for op in REDUCTIONS:
        draw = distinct if op in ("reduce_max", "reduce_min") else normal
        for id, (shape, axes, keepdims) in PATTERNS.items():
            x = draw(*shape)
            if op == "reduce_prod":
                x = np.sign(x) * (0.5 + np.abs(x)) ** 0.25
            halves = HALVES if id in ("rows", "first-and-last") and op != "reduce_prod" else ()
            samples.append(_reduce(op, id, x, axes, keepdims, dtypes=halves))
    return samples


def _long() -> list[Sample]:
    """Float32 sums of many numbers stay accurate."""
    return [
        _reduce("reduce_sum", "million", normal(1_000_003, shift=10.0), (), rtol=2e-6, grad=False),
        _reduce("reduce_sum", "million-rows", normal(100_003, 10, shift=10.0), (0,), rtol=2e-6, grad=False),
        _reduce("reduce_sum", "bias", normal(3000, 300, shift=1.0), (0,), rtol=2e-6, grad=False),
        _reduce("reduce_sum", "wide-bias", normal(64, 3000), (0,), rtol=2e-6, atol=1e-5, grad=False),
        _reduce("reduce_mean", "images", normal(8, 16, 40, 40, shift=5.0), (0, 2, 3), rtol=2e-6, grad=False),
        _reduce("reduce_sum", "vectors-in-slices", normal(5, 40_000, shift=1.0), (1,), rtol=2e-6, grad=False),
        _reduce("reduce_sum", "ragged-rows-in-slices", normal(3, 40_001, shift=1.0), (1,), rtol=2e-6, grad=False),
        _reduce("reduce_sum", "vectors-around", normal(37, 3, 36, shift=1.0), (0, 2), rtol=2e-6, dtypes=HALVES),
        _reduce("reduce_sum", "columns-around", normal(37, 6, 5, 8, shift=1.0), (0, 2), rtol=2e-6, dtypes=HALVES),
        _reduce("reduce_sum", "columns-in-slices", normal(3000, 136, shift=1.0), (0,), rtol=2e-6, grad=False),
        _reduce("reduce_mean", "every-second-of-eight", normal(2, 3, 2, 3, 2, 3, 2, 3), (0, 2, 4, 6), grad=False),
        _reduce("reduce_mean", "others-of-eight", normal(2, 3, 2, 3, 2, 3, 2, 4), (1, 3, 5, 7), grad=False),
        _reduce("reduce_max", "million", normal(1_000_003), (), grad=False),
        _reduce("reduce_max", "tall", normal(20_000, 9), (0,), grad=False),
    ]


def _edges() -> list[Sample]:
    samples = []
    for dtype in ("int8", "uint8", "int32", "int64"):
        x = integers(0, 5, 6, 70, dtype=dtype)
        samples.append(Sample(dtype, "reduce_sum", [x], {"axes": (0,)}, lambda x: x.sum(0).astype(x.dtype)))
        samples.append(_reduce("reduce_max", dtype, x, (1,)))
        samples.append(_reduce("reduce_min", dtype, x, (0,)))
    for dtype in ("int16", "uint16", "uint32", "uint64"):
        x = integers(0, 5, 6, 70, dtype=dtype)
        samples.append(Sample(dtype, "reduce_sum", [x], {"axes": (0,)}, lambda x: x.sum(0).astype(x.dtype)))
    samples.append(_reduce("reduce_prod", "int64", integers(1, 4, 3, 8, dtype="int64"), (1,)))
    with_nan = normal(5, 40)
    with_nan[2, 17] = np.nan
    for op in ("reduce_max", "reduce_min", "reduce_sum", "reduce_mean"):
        samples.append(_reduce(op, "nan-rows", with_nan, (1,), grad=False))
        samples.append(_reduce(op, "nan-columns", with_nan, (0,), grad=False))
    infinite = np.array([[np.inf, 1.0], [-np.inf, -np.inf], [2.0, np.inf]])
    for op in ("reduce_max", "reduce_min", "reduce_mean"):
        samples.append(_reduce(op, "infinite", infinite, (1,), grad=False))
    for op in ("reduce_sum", "reduce_prod"):
        samples.append(_reduce(op, "nothing", normal(0, 3), (0,)))
        samples.append(_reduce(op, "nothing-left", normal(0, 3), (1,)))
    samples.append(_reduce("reduce_max", "nothing-left", normal(0, 3), (1,)))
    samples.append(_reduce("reduce_prod", "one-zero", np.array([[2.0, 0.0, 3.0], [1.0, 4.0, 2.0]]), (1,)))
    samples.append(_reduce("reduce_prod", "two-zeros", np.array([0.0, 2.0, 0.0]), ()))
    for op in ("reduce_max", "reduce_min"):
        samples.append(Sample("empty", op, [normal(0, 3)], {"axes": (0,)}, raises=(ValueError, rf"{op}.*\(0, 3\)")))
    samples += [
        Sample("range", "reduce_sum", [normal(2, 3)], {"axes": (2,)}, raises=(ValueError, r"reduce_sum.*axis 2")),
        Sample("twice", "reduce_mean", [normal(2, 3)], {"axes": (1, -1)}, raises=(ValueError, r"reduce_mean.*twice")),
        Sample("integer", "reduce_mean", [integers(0, 3, 4)], {}, raises=(TypeError, r"reduce_mean.*int32")),
        Sample("bool", "reduce_sum", [integers(0, 2, 4, dtype="bool")], {}, raises=(TypeError, r"reduce_sum.*bool")),
        Sample("float", "reduce_all", [normal(3)], {}, raises=(TypeError, r"reduce_all.*bool")),
    ]  # fmt: skip
    for op in ("reduce_all", "reduce_any"):
        for id, (shape, axes, keepdims) in PATTERNS.items():
            threshold = 1 if op == "reduce_any" else 9
            x = integers(0, 10, *shape) < threshold
            samples.append(_reduce(op, id, np.asarray(x), axes, keepdims))
        samples.append(_reduce(op, "nothing", np.zeros((0, 3), "bool"), (0,)))
    return samples


def _arg(op: str, id: str, x: np.ndarray, axis: int, keepdims: bool = False) -> Sample:
    formula = {"argmax": np.argmax, "argmin": np.argmin}[op]
    return Sample(id, op, [x], {"axis": axis, "keepdims": keepdims}, lambda x: formula(x, axis=axis, keepdims=keepdims))


def _positions() -> list[Sample]:
    samples = []
    for op in ("argmax", "argmin"):
        ties = integers(0, 3, 40, 5).astype("float64")
        with_nan = normal(4, 9)
        with_nan[1, 3] = with_nan[1, 7] = np.nan
        samples += [
            _arg(op, "rows", normal(6, 50), 1),
            _arg(op, "columns", normal(50, 6), 0),
            _arg(op, "middle-keep", normal(3, 5, 4), 1, True),
            _arg(op, "ties", ties, 0),
            _arg(op, "nan", with_nan, -1),
            _arg(op, "one", normal(3, 1), 1),
            _arg(op, "ties-in-slices", integers(0, 9, 2, 9000).astype("float64"), 1),
            _arg(op, "ties-in-columns-in-slices", integers(0, 9, 3000, 3).astype("float64"), 0),
            _arg(op, "nothing-left", normal(0, 3), 1),
            *[_arg(op, dtype, integers(0, 7, 4, 30, dtype=dtype), 1) for dtype in ("int8", "uint8", "int64", "uint32")],
            Sample("empty", op, [normal(2, 0)], {"axis": 1}, raises=(ValueError, rf"{op}.*\(2, 0\)")),
            Sample("range", op, [normal(2, 3)], {"axis": 2}, raises=(ValueError, rf"{op}.*axis 2")),
        ]
    return samples


def _cumulative(op: str, id: str, x: np.ndarray, axis: int, reverse: bool = False, **more: Any) -> Sample:
    formula = {"cumsum": np.cumsum, "cumprod": np.cumprod}[op]

    def reference(x: np.ndarray) -> np.ndarray:
        result = np.flip(formula(np.flip(x, axis), axis=axis), axis) if reverse else formula(x, axis=axis)
        return result.astype(x.dtype)

    return Sample(id, op, [x], {"axis": axis, "reverse": reverse}, reference, **more)


def _running() -> list[Sample]:
    samples = []
    for op in ("cumsum", "cumprod"):
        zeros = normal(4, 6)
        zeros[1, 2] = zeros[2, 0] = zeros[2, 3] = zeros[3, 5] = 0.0
        samples += [
            _cumulative(op, "rows", normal(3, 17), 1),
            _cumulative(op, "columns", normal(9, 40), 0),
            _cumulative(op, "middle", normal(2, 5, 3), -2),
            _cumulative(op, "reverse", normal(3, 8), 1, True),
            _cumulative(op, "long-reverse", 1 + normal(2, 70, scale=0.01), 1, True),
            _cumulative(op, "long-middle", 1 + normal(2, 90, 3, scale=0.01), 1),
            _cumulative(op, "zeros", zeros, 1),
            _cumulative(op, "zeros-reverse", zeros, 1, True),
            _cumulative(op, "one", normal(3, 1), 1),
            _cumulative(op, "empty", normal(0, 3), 0),
            _cumulative(op, "int32", integers(-3, 4, 5, 6), 1),
            _cumulative(op, "int64", integers(-3, 4, 5, 6, dtype="int64"), 0),
            Sample("range", op, [normal(3)], {"axis": 1}, raises=(ValueError, rf"{op}.*axis 1")),
        ]
    samples.append(_cumulative("cumsum", "chunks", normal(2, 2500, shift=1.0), 1, grad=False))
    samples.append(_cumulative("cumsum", "chunks-reverse", integers(-9, 9, 1, 1500, 2), 1, True))
    return samples


SAMPLES = [*_patterns(), *_long(), *_edges(), *_positions(), *_running()]

SAMPLES = in_halves(SAMPLES)
