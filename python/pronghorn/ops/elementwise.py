"""Elementwise mathematics: arithmetic, comparisons, logic, activations' building blocks."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import _core, arguments
from pronghorn.ops.creation import LARGEST
from pronghorn.ops.dispatch import op
from pronghorn.ops.indexing import nonzero

__all__ = [
    "abs",
    "absolute",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "copy",
    "cos",
    "cosh",
    "deg2rad",
    "divide",
    "divide_no_nan",
    "equal",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "ldexp",
    "left_shift",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nan_to_num",
    "negative",
    "not_equal",
    "power",
    "rad2deg",
    "real",
    "reciprocal",
    "relu",
    "right_shift",
    "round",
    "rsqrt",
    "select",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "softplus",
    "sqrt",
    "square",
    "stop_gradient",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
    "where",
]

_raw = _core.ops

# These are native ops under the same name: broadcasting, promotion and symbolic tensors are seen to there.
negative, sign, square, relu = _raw.negative, _raw.sign, _raw.square, _raw.relu
reciprocal, sqrt, rsqrt, exp, expm1, log, log1p = (
    _raw.reciprocal, _raw.sqrt, _raw.rsqrt, _raw.exp, _raw.expm1, _raw.log, _raw.log1p,
)  # fmt: skip
sin, cos, tan, arcsin, arccos, arctan = _raw.sin, _raw.cos, _raw.tan, _raw.arcsin, _raw.arccos, _raw.arctan
sinh, cosh, tanh, arcsinh, arccosh, arctanh = (
    _raw.sinh, _raw.cosh, _raw.tanh, _raw.arcsinh, _raw.arccosh, _raw.arctanh,
)  # fmt: skip
erf, erfinv, sigmoid, softplus = _raw.erf, _raw.erfinv, _raw.sigmoid, _raw.softplus
floor, ceil, isnan, isinf, isfinite = (
    _raw.floor, _raw.ceil, _raw.isnan, _raw.isinf, _raw.isfinite,
)  # fmt: skip
add, subtract, multiply, divide, true_divide = _raw.add, _raw.subtract, _raw.multiply, _raw.divide, _raw.divide
maximum, minimum, floor_divide, mod, power, arctan2 = (
    _raw.maximum, _raw.minimum, _raw.floor_divide, _raw.mod, _raw.power, _raw.arctan2,
)  # fmt: skip
equal, not_equal, less, less_equal, greater, greater_equal = (
    _raw.equal, _raw.not_equal, _raw.less, _raw.less_equal, _raw.greater, _raw.greater_equal,
)  # fmt: skip
logical_not, logical_and, logical_or, logical_xor = (
    _raw.logical_not, _raw.logical_and, _raw.logical_or, _raw.logical_xor,
)  # fmt: skip
bitwise_and, bitwise_or, bitwise_xor = _raw.bitwise_and, _raw.bitwise_or, _raw.bitwise_xor
left_shift = bitwise_left_shift = _raw.left_shift
right_shift = bitwise_right_shift = _raw.right_shift


@op
def abs(x: Any) -> Any:
    """Value without its sign; booleans stay as they are."""
    x = _core.convert(x)
    return x if x.dtype == "bool" else _raw.abs(x)


absolute = fabs = abs


@op
def trunc(x: Any) -> Any:
    """Cut off the fraction; integers stay as they are."""
    x = _core.convert(x)
    return _raw.trunc(x) if x.dtype.startswith(("float", "bfloat")) else x


@op
def bitwise_not(x: Any) -> Any:
    """Return the bits of `x` inverted; for booleans, their negation."""
    x = _core.convert(x)
    return _raw.logical_not(x) if x.dtype == "bool" else _raw.bitwise_not(x)


bitwise_invert = bitwise_not


@op
def round(x: Any, decimals: int = 0) -> Any:
    """Round to `decimals` places, halves to the even neighbour."""
    x, decimals = _core.convert(x), arguments.integer(decimals, "round: decimals")
    if not x.dtype.startswith(("float", "bfloat")):
        return x
    if decimals == 0:
        return _raw.round(x)
    if not -300 <= decimals <= 300:
        raise ValueError(f"round: decimals must be between -300 and 300, got {decimals}")
    scale = 10.0**decimals
    return _raw.divide(_raw.round(_raw.multiply(x, scale)), scale)


def log2(x: Any) -> Any:
    """Logarithm to base 2."""
    return _raw.multiply(_raw.log(x), 1 / math.log(2))


def log10(x: Any) -> Any:
    """Logarithm to base 10."""
    return _raw.multiply(_raw.log(x), 1 / math.log(10))


def exp2(x: Any) -> Any:
    """2 to the power of `x`."""
    return _raw.exp(_raw.multiply(x, math.log(2)))


def logaddexp(x1: Any, x2: Any) -> Any:
    """log(exp(x1) + exp(x2)), without overflow."""
    high, low = _raw.maximum(x1, x2), _raw.minimum(x1, x2)
    # equal infinities would give NaN as a difference
    difference = where(_raw.equal(x1, x2), 0.0, _raw.subtract(low, high))
    return _raw.add(high, _raw.log1p(_raw.exp(difference)))


def erfc(x: Any) -> Any:
    """One minus the error function."""
    return _raw.subtract(1.0, _raw.erf(x))


def cbrt(x: Any) -> Any:
    """Cube root."""
    return _raw.multiply(_raw.sign(x), _raw.power(_raw.abs(x), 1 / 3))


def hypot(x1: Any, x2: Any) -> Any:
    """Length of the hypotenuse of legs `x1` and `x2`."""
    return _raw.sqrt(_raw.add(_raw.square(x1), _raw.square(x2)))


def deg2rad(x: Any) -> Any:
    """Degrees to radians."""
    return _raw.multiply(x, math.pi / 180)


def rad2deg(x: Any) -> Any:
    """Radians to degrees."""
    return _raw.multiply(x, 180 / math.pi)


def divide_no_nan(x1: Any, x2: Any) -> Any:
    """x1 / x2, zero where x2 is zero.

    Args:
        x1: tensor.
        x2: tensor.

    Returns:
        floating tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.divide_no_nan([1.0, 2.0], [0.0, 4.0])
        ph.Tensor([0.  0.5], shape=(2,), dtype=float32)
    """
    return _raw.divide_no_nan(x1, x2)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Return `x` with values outside [x_min, x_max] set to the nearer bound; None leaves a side open.

    Args:
        x: tensor.
        x_min: least value, or None.
        x_max: greatest value, or None.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.clip([1, 5, 9], 2, 8)
        ph.Tensor([2 5 8], shape=(3,), dtype=int32)
    """
    if x_min is not None:
        x = _raw.maximum(x, x_min)
    return x if x_max is None else _raw.minimum(x, x_max)


@op
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Return `x1` where `condition` holds and `x2` elsewhere, broadcast together.

    Args:
        condition: tensor; anything but bool means: is not zero.
        x1: tensor.
        x2: tensor.

    Returns:
        tensor of the common dtype; with neither `x1` nor `x2`, the indices that `nonzero` gives.

    Raises:
        ValueError: if only one of `x1`, `x2` is given.

    Example:
        >>> from pronghorn import ops
        >>> ops.where([True, False], 1, 2)
        ph.Tensor([1 2], shape=(2,), dtype=int32)
    """
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError("where: x1 and x2 must both be given, or neither")
    return _raw.select(condition, x1, x2)


@op
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """Replace NaN by `nan` and infinities by `posinf`, `neginf` (by default the largest finite numbers)."""
    x = _core.convert(x)
    if not x.dtype.startswith(("float", "bfloat")):
        return x
    limit = LARGEST[x.dtype]
    x = _raw.select(_raw.isnan(x), nan, x)
    x = _raw.select(_raw.equal(x, math.inf), limit if posinf is None else posinf, x)
    return _raw.select(_raw.equal(x, -math.inf), -limit if neginf is None else neginf, x)


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Tell where |x1 - x2| <= atol + rtol |x2|."""
    near = _raw.less_equal(_raw.abs(_raw.subtract(x1, x2)), _raw.add(_raw.multiply(_raw.abs(x2), rtol), atol))
    close = _raw.logical_or(_raw.logical_and(near, _raw.isfinite(x2)), _raw.equal(x1, x2))
    return _raw.logical_or(close, _raw.logical_and(_raw.isnan(x1), _raw.isnan(x2))) if equal_nan else close


@op
def stop_gradient(variable: Any) -> Any:
    """Return the value unchanged; no gradient passes through it.

    Args:
        variable: tensor.

    Returns:
        tensor.
    """
    return _raw.stop_gradient(_core.convert(variable))


def fmax(x1: Any, x2: Any) -> Any:
    """Larger of two values, ignoring a NaN beside a number."""
    return where(_raw.isnan(x1), x2, where(_raw.isnan(x2), x1, _raw.maximum(x1, x2)))


def fmin(x1: Any, x2: Any) -> Any:
    """Smaller of two values, ignoring a NaN beside a number."""
    return where(_raw.isnan(x1), x2, where(_raw.isnan(x2), x1, _raw.minimum(x1, x2)))


def fmod(x1: Any, x2: Any) -> Any:
    """Remainder of a division cut towards zero: it has the sign of `x1`."""
    remainder = _raw.mod(_raw.abs(x1), _raw.abs(x2))
    return where(_raw.less(x1, 0), _raw.negative(remainder), remainder)


def heaviside(x1: Any, x2: Any) -> Any:
    """0 below zero, `x2` at zero, 1 above."""
    return where(_raw.equal(x1, 0), x2, where(_raw.less(x1, 0), 0.0, 1.0))


def isposinf(x: Any) -> Any:
    """Tell where `x` is positive infinity."""
    return _raw.equal(x, math.inf)


def isneginf(x: Any) -> Any:
    """Tell where `x` is negative infinity."""
    return _raw.equal(x, -math.inf)


@op
def isreal(x: Any) -> Any:
    """Tell where `x` is a real number: everywhere, as there are no complex tensors."""
    return _raw.full(shape=_core.convert(x).shape, dtype="bool", value=1)


@op
def real(x: Any) -> Any:
    """Real part: `x` itself, as there are no complex tensors."""
    return _core.convert(x)


conj = conjugate = real


def ldexp(x1: Any, x2: Any) -> Any:
    """x1 * 2^x2."""
    return _raw.multiply(x1, exp2(x2))


def logaddexp2(x1: Any, x2: Any) -> Any:
    """log2(2^x1 + 2^x2), without overflow."""
    return _raw.multiply(logaddexp(_raw.multiply(x1, math.log(2)), _raw.multiply(x2, math.log(2))), 1 / math.log(2))


def signbit(x: Any) -> Any:
    """Tell where `x` is negative, minus zero included."""
    return _raw.logical_or(_raw.less(x, 0), _raw.less(_raw.divide(1.0, x), 0))


def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x), 1 at zero."""
    is_zero = _raw.equal(x, 0)
    angle = _raw.multiply(where(is_zero, 1.0, x), math.pi)
    return where(is_zero, 1.0, _raw.divide(_raw.sin(angle), angle))


@op
def copy(x: Any) -> Any:
    """Return `x`: tensors do not change, so that it need not be copied."""
    return _core.convert(x)


@op
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Return the elements of the first choice whose condition holds, `default` where none does.

    Raises:
        ValueError: if the lists differ in length or are empty.
    """
    if not isinstance(condlist, (list, tuple)) or not isinstance(choicelist, (list, tuple)):
        raise TypeError(
            "select: condlist and choicelist must be lists of tensors, got "
            f"{arguments.shown(condlist)} and {arguments.shown(choicelist)}"
        )
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"select: condlist and choicelist must have the same length, not 0; got {len(condlist)}, {len(choicelist)}"
        )
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        result = where(condition, choice, result)
    return result
