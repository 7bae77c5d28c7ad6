"""Matrix products: shapes around the register block, the panel and the depth block; transposes; batches; epilogues."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from sample import Sample, in_halves, integers, normal

FLAGS = [(False, False), (True, False), (False, True), (True, True)]

# (m, n, k). At every level there is a row block (14 or 6 rows), a panel (8 to 32 columns, in one vector or two) and a
# depth block of 384: one less, one more and two of each are among these.
SIZES = [
    (1, 1, 1),
    (1, 37, 5),
    (37, 1, 5),
    (2, 3, 4),
    (5, 7, 9),
    (6, 8, 8),
    (7, 9, 16),
    (13, 15, 17),
    (14, 16, 3),
    (15, 17, 1),
    (29, 33, 31),
    (31, 65, 64),
    (85, 31, 2),
]
DEEP = [(3, 5, 383), (14, 32, 384), (15, 33, 385), (4, 10, 800)]
EMPTY = [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0)]


def _times(transpose_a: bool, transpose_b: bool) -> Callable[..., np.ndarray]:
    def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (np.swapaxes(a, -1, -2) if transpose_a else a) @ (np.swapaxes(b, -1, -2) if transpose_b else b)

    return product


def _operands(m: int, n: int, k: int, flags: tuple[bool, bool], scale: float = 1.0) -> list[np.ndarray]:
    a = normal(*((k, m) if flags[0] else (m, k)), seed=1, scale=scale)
    b = normal(*((n, k) if flags[1] else (k, n)), seed=2, scale=scale)
    return [a, b]


def _attrs(flags: tuple[bool, bool]) -> dict[str, bool]:
    return {"transpose_a": flags[0], "transpose_b": flags[1]}


def _suffix(flags: tuple[bool, bool]) -> str:
    return "nt"[flags[0]] + "nt"[flags[1]]


def _plain(m: int, n: int, k: int, flags: tuple[bool, bool], grad: bool) -> Sample:
    return Sample(
        f"{m}x{n}x{k}-{_suffix(flags)}",
        "matmul",
        _operands(m, n, k, flags),
        _attrs(flags),
        _times(*flags),
        grad=grad,
        # additions of k products of size about 1
        atol=2e-6 * max(1.0, math.sqrt(k)),
    )


def _batch(id: str, a: Sequence[int], b: Sequence[int], flags: tuple[bool, bool] = (False, False)) -> Sample:
    return Sample(
        f"batch-{id}-{_suffix(flags)}",
        "matmul",
        [normal(*a, seed=3), normal(*b, seed=4)],
        _attrs(flags),
        _times(*flags),
        atol=4e-6 * math.sqrt(a[-2] if flags[0] else a[-1]),
    )


def _epilogue(m: int, n: int, k: int, flags: tuple[bool, bool], activation: str, with_bias: bool) -> Sample:
    def reference(a: np.ndarray, b: np.ndarray, bias: np.ndarray | float = 0.0) -> np.ndarray:
        result = _times(*flags)(a, b) + bias
        return np.maximum(result, 0) if activation == "relu" else result

    return Sample(
        f"{m}x{n}x{k}-{_suffix(flags)}-{'bias-' if with_bias else ''}{activation}",
        "matmul",
        _operands(m, n, k, flags) + ([normal(n, seed=5)] if with_bias else []),
        {**_attrs(flags), "activation": activation},
        reference,
        grad=False,  # gradients are taken before epilogues are fused
        atol=2e-6 * max(1.0, math.sqrt(k)),
    )


def _integers(dtype: str, flags: tuple[bool, bool]) -> Sample:
    low = 0 if dtype.startswith("u") else -9
    shapes = (4, 3) if flags[0] else (3, 4), (5, 4) if flags[1] else (4, 5)
    return Sample(
        f"{dtype}-{_suffix(flags)}",
        "matmul",
        [integers(low, 10, *shape, dtype=dtype, seed=i) for i, shape in enumerate(shapes)],
        _attrs(flags),
        _times(*flags),
        grad=False,
    )


def _special(id: str, a: np.ndarray, b: np.ndarray, activation: str = "none") -> Sample:
    def reference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        result = a @ b
        return np.where(result < 0, 0, result) if activation == "relu" else result

    return Sample(id, "matmul", [a, b], {"activation": activation}, reference, grad=False)


def _error(id: str, inputs: list[np.ndarray], exception: type[Exception], message: str, **attrs: bool) -> Sample:
    return Sample(f"error-{id}", "matmul", inputs, attrs, raises=(exception, message))


_with_nan = normal(3, 4)
_with_nan[1, 2] = np.nan
_with_inf = normal(3, 4)
_with_inf[0, 0], _with_inf[2, 1] = np.inf, -np.inf

SAMPLES: list[Sample] = [
    *[_plain(*size, flags, grad=math.prod(size) <= 20000) for size in SIZES for flags in FLAGS],
    *[_plain(*size, flags, grad=False) for size in DEEP for flags in FLAGS],
    *[_plain(*size, flags, grad=True) for size in EMPTY for flags in FLAGS],
    # several pieces of C, both ways: what threads share
    *[_plain(200, 300, 70, flags, grad=False) for flags in FLAGS],
    _plain(130, 20, 500, (False, False), grad=False),
    _batch("same", (2, 3, 4), (2, 4, 5)),
    _batch("same", (2, 4, 3), (2, 5, 4), (True, True)),
    _batch("of-b-only", (3, 4), (2, 4, 5)),
    _batch("of-b-only", (4, 3), (2, 4, 5), (True, False)),
    _batch("of-a-only", (2, 3, 4), (4, 5)),
    _batch("of-a-only", (2, 3, 4), (5, 4), (False, True)),
    _batch("ones", (2, 1, 3, 4), (1, 3, 4, 5)),
    _batch("ranks", (3, 1, 2, 4), (2, 4, 2)),
    _batch("empty", (0, 3, 4), (0, 4, 5)),
    _batch("empty-against-one", (0, 3, 4), (1, 4, 5)),
    _batch("many-small", (40, 2, 3), (40, 3, 2)),
    _batch("many-shared-by-threads", (5, 4, 30, 40), (4, 40, 20)),
    _batch("large-and-parallel-themselves", (2, 170, 170), (2, 170, 170)),
    *[
        _epilogue(*size, flags, activation, with_bias)
        for size in [(1, 1, 1), (15, 33, 7), (3, 10, 400), (20, 40, 0)]
        for flags in FLAGS[:2]
        for activation, with_bias in [("none", True), ("relu", True), ("relu", False)]
    ],
    Sample(
        "batch-bias-relu",
        "matmul",
        [normal(3, 2, 5, 4), normal(2, 4, 6), normal(6)],
        {"activation": "relu"},
        lambda a, b, bias: np.maximum(a @ b + bias, 0),
        grad=False,
    ),
    *[_integers(dtype, flags) for dtype in ("int8", "int16", "int32", "int64", "uint8", "uint32") for flags in FLAGS],
    Sample(
        "int64-wraps-round",
        "matmul",
        [np.full((2, 2), 2**62, "int64"), np.full((2, 2), 3, "int64")],
        {},
        lambda a, b: a @ b,
        grad=False,
    ),
    _special("nan", _with_nan, normal(4, 5)),
    _special("nan-relu", _with_nan, normal(4, 5), "relu"),
    _special("inf", _with_inf, normal(4, 5)),
    _special("inf-relu", _with_inf, normal(4, 5), "relu"),
    _error("sizes", [normal(3, 4), normal(5, 6)], ValueError, r"matmul.*\(3, 4\).*\(5, 6\)"),
    _error("sizes-transposed", [normal(3, 4), normal(4, 5)], ValueError, "matmul.*transposed", transpose_a=True),
    _error("rank", [normal(3), normal(3, 4)], ValueError, "matmul.*rank 2"),
    _error("batch", [normal(2, 3, 4), normal(3, 4, 5)], ValueError, "matmul"),
    _error("bias", [normal(3, 4), normal(4, 5), normal(4)], ValueError, r"bias.*\(5,\).*\(4,\)"),
    _error("bool", [np.ones((2, 2), bool), np.ones((2, 2), bool)], TypeError, "matmul.*bool"),
]

SAMPLES = in_halves(SAMPLES)
