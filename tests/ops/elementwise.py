"""Elementwise ops: one table of scalar formulas, each run over shapes that broadcast, tile and leave remainders."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sample import HALVES, Sample, distinct, in_halves, integers, normal

_erf = np.vectorize(math.erf, otypes=[float])


def _erfinv(y: np.ndarray) -> np.ndarray:
    x = np.zeros_like(y)
    for _ in range(60):  # Newton's method
        x = x - (_erf(x) - y) / (2 / np.sqrt(np.pi) * np.exp(-(x**2)))
    return x


def _between(low: float, high: float) -> Callable[..., np.ndarray]:
    def draw(*shape: int, seed: int = 0) -> np.ndarray:
        values = np.random.default_rng([seed, *shape]).uniform(low, high, size=shape)
        return values.astype("float32").astype("float64")

    return draw


_positive, _unit, _above_one, _wide = _between(0.1, 4), _between(-0.9, 0.9), _between(1.1, 4), _between(-5, 5)

# name: (formula, where its arguments come from, relative float32 tolerance)
UNARY: dict[str, tuple[Callable[..., Any], Callable[..., np.ndarray], float]] = {
    "negative": (np.negative, normal, 0.0),
    "abs": (np.abs, distinct, 0.0),
    "sign": (np.sign, distinct, 0.0),
    "square": (np.square, normal, 1e-6),
    "relu": (lambda x: np.maximum(x, 0), distinct, 0.0),
    "reciprocal": (np.reciprocal, _positive, 1e-6),
    "sqrt": (np.sqrt, _positive, 1e-6),
    "rsqrt": (lambda x: 1 / np.sqrt(x), _positive, 1e-6),
    "exp": (np.exp, _wide, 1e-6),
    "expm1": (np.expm1, _wide, 1e-6),
    "log": (np.log, _positive, 1e-6),
    "log1p": (np.log1p, _positive, 1e-6),
    "sin": (np.sin, _wide, 1e-5),
    "cos": (np.cos, _wide, 1e-5),
    "tan": (np.tan, _unit, 1e-5),
    "arcsin": (np.arcsin, _unit, 1e-5),
    "arccos": (np.arccos, _unit, 1e-5),
    "arctan": (np.arctan, _wide, 1e-5),
    "sinh": (np.sinh, _wide, 1e-5),
    "cosh": (np.cosh, _wide, 1e-5),
    "tanh": (np.tanh, _wide, 1e-6),
    "arcsinh": (np.arcsinh, _wide, 1e-5),
    "arccosh": (np.arccosh, _above_one, 1e-5),
    "arctanh": (np.arctanh, _unit, 1e-5),
    "erf": (_erf, _between(-2.5, 2.5), 1e-6),
    "erfinv": (_erfinv, _unit, 1e-5),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), _wide, 1e-6),
    "softplus": (lambda x: np.logaddexp(x, 0), _wide, 1e-6),
    "floor": (np.floor, _wide, 0.0),
    "ceil": (np.ceil, _wide, 0.0),
    "round": (np.round, _wide, 0.0),
    "trunc": (np.trunc, _wide, 0.0),
    "isnan": (np.isnan, normal, 0.0),
    "isinf": (np.isinf, normal, 0.0),
    "isfinite": (np.isfinite, normal, 0.0),
}
# name: (formula, left argument, right argument, relative float32 tolerance)
BINARY: dict[str, tuple[Callable[..., Any], Callable[..., np.ndarray], Callable[..., np.ndarray], float]] = {
    "add": (np.add, normal, normal, 1e-6),
    "subtract": (np.subtract, normal, normal, 1e-6),
    "multiply": (np.multiply, normal, normal, 1e-6),
    "divide": (np.divide, normal, _positive, 1e-6),
    "divide_no_nan": (lambda a, b: np.where(b == 0, 0, a / np.where(b == 0, 1, b)), normal, _positive, 1e-6),
    "maximum": (np.maximum, normal, normal, 0.0),
    "minimum": (np.minimum, normal, normal, 0.0),
    "floor_divide": (np.floor_divide, _wide, _positive, 0.0),
    "mod": (np.mod, _wide, _positive, 1e-5),
    "power": (np.power, _positive, _wide, 1e-5),
    "arctan2": (np.arctan2, _positive, normal, 1e-5),
    "relu_grad": (lambda dy, y: np.where(y > 0, dy, 0), normal, distinct, 0.0),
    "equal": (np.equal, normal, normal, 0.0),
    "not_equal": (np.not_equal, normal, normal, 0.0),
    "less": (np.less, normal, normal, 0.0),
    "less_equal": (np.less_equal, normal, normal, 0.0),
    "greater": (np.greater, normal, normal, 0.0),
    "greater_equal": (np.greater_equal, normal, normal, 0.0),
}
LOGICAL = {"logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor}
BITWISE = {"bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor}
SHIFTS = {"left_shift": np.left_shift, "right_shift": np.right_shift}

# 1031 leaves a remainder with every vector and tile size
SHAPES = {"vector": (1031,), "cube": (2, 3, 5), "scalar": (), "empty": (0, 3)}
PAIRS = {
    "same": ((3, 7), (3, 7)),
    "row": ((17, 65), (65,)),
    "column": ((17, 65), (17, 1)),
    "outer": ((9, 1), (1, 600)),
    "scalar": ((5, 4), ()),
    "scalar-first": ((), (1030,)),
    "middle": ((2, 3, 4), (3, 1)),
    "empty": ((0, 3), (1, 3)),
}


def _unary() -> list[Sample]:
    samples = []
    for op, (formula, draw, rtol) in UNARY.items():
        smooth = op not in ("sign", "floor", "ceil", "round", "trunc", "isnan", "isinf", "isfinite")
        for kind, shape in SHAPES.items():
            halves = HALVES if kind == "cube" and rtol <= 1e-6 else ()
            samples.append(Sample(kind, op, [draw(*shape)], {}, formula, grad=smooth, rtol=rtol, dtypes=halves))
    return samples


def _binary() -> list[Sample]:
    samples = []
    for op, (formula, left, right, rtol) in BINARY.items():
        for kind, (a, b) in PAIRS.items():
            # random numbers differ; floor and its like jump, so that differences are taken in `same` only
            smooth: Any = (0,) if op == "relu_grad" else op != "floor_divide" and (op != "mod" or kind == "same")
            inputs = [left(*a, seed=1), right(*b, seed=2)]
            samples.append(Sample(kind, op, inputs, {}, formula, grad=smooth, rtol=rtol))
    return samples


def _integers() -> list[Sample]:
    samples = []
    for op in ("add", "subtract", "multiply", "maximum", "minimum", "floor_divide", "mod", "equal", "less", "greater"):
        for dtype in ("int8", "int32", "int64", "uint8"):
            low = 1 if op in ("floor_divide", "mod") else 0 if dtype == "uint8" else -100
            inputs = [integers(0, 100, 5, 40, dtype=dtype), integers(low, 100, 40, dtype=dtype, seed=1)]
            samples.append(Sample(dtype, op, inputs, {}, BINARY[op][0]))
    for op in ("negative", "abs", "sign", "square", "relu"):
        inputs = [integers(-10, 10, 77)]
        samples.append(Sample("int32", op, inputs, {}, UNARY[op][0]))
    negative = [integers(-50, 50, 60), np.where(integers(0, 2, 60) == 0, -7, 3).astype("int32")]
    samples += [
        Sample("negative-operands", "floor_divide", negative, {}, np.floor_divide),
        Sample("negative-operands", "mod", negative, {}, np.mod),
        Sample("wraps-round", "add", [np.array([127], "int8"), np.array([1], "int8")], {}, np.add),
        Sample("wraps-round", "multiply", [np.array([2**31 - 1], "int32"), np.array([2], "int32")], {}, np.multiply),
        Sample("int32", "power", [integers(-4, 5, 30), integers(0, 6, 30)], {}, np.power),
    ]
    for op, formula in BITWISE.items():
        inputs = [integers(-1000, 1000, 6, 50), integers(-1000, 1000, 50, seed=1)]
        samples.append(Sample("int32", op, inputs, {}, formula))
        samples.append(Sample("uint8", op, [x.astype("uint8") for x in inputs], {}, formula))
    for op, formula in SHIFTS.items():
        samples.append(Sample("int32", op, [integers(-1000, 1000, 70), integers(0, 8, 70)], {}, formula))
    samples.append(Sample("int32", "bitwise_not", [integers(-100, 100, 33)], {}, np.bitwise_not))
    for op, formula in LOGICAL.items():
        inputs = [integers(0, 2, 40, 3, dtype="bool"), integers(0, 2, 3, dtype="bool", seed=1)]
        samples.append(Sample("bool", op, inputs, {}, formula))
    samples.append(Sample("bool", "logical_not", [integers(0, 2, 50, dtype="bool")], {}, np.logical_not))
    return samples


_NAN, _INF = np.nan, np.inf
SPECIAL = (
    *("abs", "sign", "relu", "sqrt", "rsqrt", "exp", "log", "sigmoid", "tanh", "softplus", "erf", "floor", "isnan"),
    *("isinf", "isfinite", "reciprocal"),
)
# around where powers of two leave the range of float32, and where polynomials meet
_BOUNDS = np.concatenate(
    [np.linspace(a - 1.5, a + 1.5, 401) for a in (-103.5, -87.5, -10, -0.5, 0, 0.5, 10, 87.5, 103.5)]
)
_SPECIAL = np.array([_NAN, _INF, -_INF, 0.0, -0.0, 1.0, -1.0, 88.0, -88.0, 1e-30, 3e38])


def _special() -> list[Sample]:
    samples = []
    for op in SPECIAL:
        samples.append(Sample("special", op, [_SPECIAL], {}, UNARY[op][0], grad=False, atol=1e-30))
    for op in ("exp", "sigmoid", "tanh"):
        bounds = _BOUNDS[_BOUNDS < 88.7] if op == "exp" else _BOUNDS
        bounds = bounds.astype("float32").astype("float64")
        samples.append(Sample("bounds", op, [bounds], {}, UNARY[op][0], grad=False, rtol=1e-6, atol=1e-37))
    for op in ("maximum", "minimum", "equal", "less", "multiply", "divide", "divide_no_nan"):
        a, b = (grid.reshape(-1) for grid in np.meshgrid(_SPECIAL[:7], _SPECIAL[:7]))
        samples.append(Sample("special", op, [a, b], {}, BINARY[op][0], grad=False))
    return samples


def _seams() -> list[Sample]:
    """Lengths that do and do not fill vectors of 16 bytes, with results of another size than the inputs, and broadcasts
    along whose axes vectors do and do not end."""
    samples = []
    for length in (*range(1, 10), 1023, 1024, 1025):
        a, b = normal(length, seed=1), normal(length, seed=2)
        for op in ("add", "less", "relu_grad"):
            halves = HALVES if length in (3, 8, 1025) else ()
            samples.append(Sample(f"{length}-elements", op, [a, b], {}, BINARY[op][0], grad=False, dtypes=halves))
    pairs: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
        "middle-of-four": ((2, 3, 4, 8), (3, 1, 8)),
        "around-the-middle": ((2, 1, 4, 5), (1, 3, 1, 5)),
        "row-of-vectors": ((7, 24), (24,)),
        "column-of-vectors": ((7, 24), (7, 1)),
        "square": ((7, 1), (1, 7)),
        "eight-axes": ((2, 1, 3, 1, 2, 1, 3, 4), (3, 1, 2, 2, 1, 1, 4)),
        "eight-ragged-axes": ((1, 2, 1, 3, 1, 2, 3, 1), (2, 1, 2, 1, 3, 1, 3, 5)),
        "several-blocks": ((3, 1, 1031), (6, 1)),
        "more-than-a-grid": ((70, 301), (301,)),
    }
    for kind, (a_shape, b_shape) in pairs.items():
        inputs = [normal(*a_shape, seed=1), normal(*b_shape, seed=2)]
        for op in ("subtract", "greater"):
            formula = BINARY[op][0]
            samples.append(Sample(kind, op, inputs, {}, formula, grad=kind == "eight-axes", rtol=1e-6, dtypes=HALVES))
    return samples


def _select() -> list[Sample]:
    def condition(*shape: int) -> np.ndarray:
        return integers(0, 2, *shape, dtype="bool")

    a, b = normal(6, 35), normal(35, seed=1)
    return [
        Sample("same", "select", [condition(6, 35), a, a + 1], {}, np.where, dtypes=HALVES),
        Sample("broadcast", "select", [condition(6, 1), a, b], {}, np.where),
        Sample("scalar-sides", "select", [condition(6, 35), normal(), normal(seed=3)], {}, np.where),
        Sample("int64", "select", [condition(9), integers(0, 9, 9, dtype="int64"), integers(0, 9, 9, dtype="int64")],
               {}, np.where),
        Sample("shapes", "select", [condition(3), normal(4), normal(4)], raises=(ValueError, r"select")),
    ]  # fmt: skip


ERRORS = [
    Sample("shapes", "add", [normal(3), normal(4)], raises=(ValueError, r"add.*\(3,\).*\(4,\)")),
    Sample("shapes", "power", [normal(2, 3), normal(3, 2)], raises=(ValueError, r"power.*\(2, 3\).*\(3, 2\)")),
    Sample("float", "bitwise_and", [normal(3), normal(3)], raises=(TypeError, r"bitwise_and.*integer.*float32")),
    Sample("float", "left_shift", [normal(3), normal(3)], raises=(TypeError, r"left_shift.*integer")),
]

SAMPLES = [*_unary(), *_binary(), *_integers(), *_special(), *_seams(), *_select(), *ERRORS]

SAMPLES = in_halves(SAMPLES)
