"""Reductions over axes, and what is made of them."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, arguments, config
from pronghorn.arguments import normalize_axis
from pronghorn.ops.creation import cast
from pronghorn.ops.dispatch import axes_of, op
from pronghorn.ops.elementwise import isclose

__all__ = [
    "all",
    "allclose",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "average",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "diff",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "std",
    "sum",
    "trapezoid",
    "var",
]

_raw = _core.ops


_WIDER = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}


def _numbers(x: Any) -> Any:
    x = _core.convert(x)
    return _raw.cast(x, dtype="int32") if x.dtype == "bool" else x


def _wide(x: Any) -> Any:
    """Integers in a type that holds the sum of many."""
    x = _core.convert(x)
    return _raw.cast(x, dtype=_WIDER[x.dtype]) if x.dtype in _WIDER else x


def _floats(x: Any) -> Any:
    x = _core.convert(x)
    return x if x.dtype.startswith(("float", "bfloat")) else _raw.cast(x, dtype=config.floatx())


@op
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum over `axis` (an int, several, or None for all).

    Args:
        x: tensor; integers narrower than 32 bits are summed in 32 bits.
        axis: an int, several, or None for all axes.
        keepdims: whether the axes stay, with size 1.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.sum([[1, 2], [3, 4]], axis=0)
        ph.Tensor([4 6], shape=(2,), dtype=int32)
    """
    return _raw.reduce_sum(_wide(x), axes=axes_of(axis), keepdims=keepdims)


@op
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Arithmetic mean over `axis`.

    Args:
        x: tensor; integers become the default float.
        axis: an int, several, or None for all axes.
        keepdims: whether the axes stay, with size 1.

    Returns:
        floating tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.mean([1, 2])
        ph.Tensor(1.5, shape=(), dtype=float32)
    """
    return _raw.reduce_mean(_floats(x), axes=axes_of(axis), keepdims=keepdims)


@op
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Product over `axis`."""
    x = _wide(x) if dtype is None else cast(x, dtype)
    return _raw.reduce_prod(x, axes=axes_of(axis), keepdims=keepdims)


def _extremum(native: Any, x: Any, axis: Any, keepdims: bool, initial: Any, join: Any) -> Any:
    x = _core.convert(x)
    is_bool = x.dtype == "bool"
    result = native(_numbers(x), axes=axes_of(axis), keepdims=keepdims)
    if initial is not None:
        result = join(result, initial)
    return _raw.cast(result, dtype="bool") if is_bool else result


@op
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Largest value over `axis`; NaN where there is one.

    Args:
        x: tensor.
        axis: an int, several, or None for all axes.
        keepdims: whether the axes stay, with size 1.
        initial: the least the result can be.

    Returns:
        tensor of the dtype of `x`.

    Raises:
        ValueError: if there is nothing to take it of.

    Example:
        >>> from pronghorn import ops
        >>> ops.max([[1, 5], [3, 2]], axis=1)
        ph.Tensor([5 3], shape=(2,), dtype=int32)
    """
    return _extremum(_raw.reduce_max, x, axis, keepdims, initial, _raw.maximum)


@op
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Smallest value over `axis`; NaN where there is one.

    Args:
        x: tensor.
        axis: an int, several, or None for all axes.
        keepdims: whether the axes stay, with size 1.
        initial: the most the result can be.

    Returns:
        tensor of the dtype of `x`.

    Raises:
        ValueError: if there is nothing to take it of.

    Example:
        >>> from pronghorn import ops
        >>> ops.min([[1, 5], [3, 2]], axis=1)
        ph.Tensor([1 2], shape=(2,), dtype=int32)
    """
    return _extremum(_raw.reduce_min, x, axis, keepdims, initial, _raw.minimum)


def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest value over `axis`; see `max`."""
    return max(x, axis, keepdims)


def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest value over `axis`; see `min`."""
    return min(x, axis, keepdims)


@op
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest minus smallest value over `axis`."""
    return _raw.subtract(max(x, axis, keepdims), min(x, axis, keepdims))


@op
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all values over `axis` are true.

    Args:
        x: tensor.
        axis: an int, several, or None for all axes.
        keepdims: whether the axes stay, with size 1.

    Returns:
        bool tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.all([True, False])
        ph.Tensor(False, shape=(), dtype=bool)
    """
    return _raw.reduce_all(cast(x, "bool"), axes=axes_of(axis), keepdims=keepdims)


@op
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether any value over `axis` is true.

    Args:
        x: tensor.
        axis: an int, several, or None for all axes.
        keepdims: whether the axes stay, with size 1.

    Returns:
        bool tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.any([True, False])
        ph.Tensor(True, shape=(), dtype=bool)
    """
    return _raw.reduce_any(cast(x, "bool"), axes=axes_of(axis), keepdims=keepdims)


@op
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Variance over `axis` (mean of squared distances from the mean).

    Args:
        x: tensor; integers become the default float.
        axis: an int, several, or None for all axes.
        keepdims: whether the axes stay, with size 1.

    Returns:
        floating tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.var([1.0, 3.0])
        ph.Tensor(1.0, shape=(), dtype=float32)
    """
    x = _floats(x)
    centred = _raw.subtract(x, mean(x, axis, keepdims=True))
    return mean(_raw.square(centred), axis, keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Standard deviation over `axis`."""
    return _raw.sqrt(var(x, axis, keepdims))


@op
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Mean over `axis`, weighted if `weights` are given."""
    if weights is None:
        return mean(x, axis)
    x, weights = _floats(x), _floats(weights)
    if len(weights.shape) == 1 and len(x.shape) > 1:
        sizes = [1] * len(x.shape)
        if axis is None:
            raise ValueError(f"average: weights {weights.shape} must have the shape of x {x.shape} where axis is None")
        sizes[normalize_axis(axis, len(x.shape), "average")] = weights.shape[0]
        weights = _raw.reshape(weights, tuple(sizes))
    weights = _raw.broadcast_to(weights, shape=x.shape)
    return _raw.divide(sum(_raw.multiply(x, weights), axis), sum(weights, axis))


@op
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over `axis`, without overflow.

    Args:
        x: tensor.
        axis: an int, several, or None for all axes.
        keepdims: whether the axes stay, with size 1.

    Returns:
        floating tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.logsumexp([1000.0, 1000.0]).numpy().round(3)
        np.float32(1000.693)
    """
    x = _floats(x)
    highest = _raw.stop_gradient(max(x, axis, keepdims=True))
    highest = _raw.select(_raw.isfinite(highest), highest, 0.0)
    total = _raw.add(_raw.log(sum(_raw.exp(_raw.subtract(x, highest)), axis, keepdims=True)), highest)
    if keepdims:
        return total
    return _raw.reshape(total, sum(x, axis).shape)


@op
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """Number of values over `axis` that are not zero, as int32."""
    return sum(_raw.cast(_raw.not_equal(x, 0), dtype="int32"), axis)


def _arg(native: Any, x: Any, axis: int | None, keepdims: bool) -> Any:
    x = _core.convert(x)
    if x.dtype in ("float16", "bfloat16"):
        x = _raw.cast(x, dtype="float32")
    if axis is None:
        index = native(_raw.reshape(x, (-1,)), axis=0)
        return _raw.reshape(index, (1,) * len(x.shape)) if keepdims else index
    return native(x, axis=axis, keepdims=keepdims)


@op
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index (int32) of the first largest value along `axis`, of the flattened tensor for None.

    Args:
        x: tensor.
        axis: an int, or None.
        keepdims: whether the axis stays, with size 1.

    Returns:
        int32 tensor.

    Raises:
        ValueError: if the axis is empty.

    Example:
        >>> from pronghorn import ops
        >>> ops.argmax([[1, 5], [3, 2]], axis=1)
        ph.Tensor([1 0], shape=(2,), dtype=int32)
    """
    return _arg(_raw.argmax, x, axis, keepdims)


@op
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index (int32) of the first smallest value along `axis`, of the flattened tensor for None."""
    return _arg(_raw.argmin, x, axis, keepdims)


def _cumulative(native: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    x = _numbers(x) if dtype is None else cast(x, dtype)
    if axis is None:
        x, axis = _raw.reshape(x, (-1,)), 0
    wide = {"float16": "float32", "bfloat16": "float32"}.get(x.dtype)
    if wide is None and x.dtype not in ("float32", "float64", "int32", "int64"):
        wide = "int64"
    if wide is None:
        return native(x, axis=axis)
    return _raw.cast(native(_raw.cast(x, dtype=wide), axis=axis), dtype=x.dtype)


@op
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along `axis`, of the flattened tensor for None.

    Args:
        x: tensor.
        axis: an int, or None.
        dtype: dtype name of the result.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.cumsum([1, 2, 3])
        ph.Tensor([1 3 6], shape=(3,), dtype=int32)
    """
    return _cumulative(_raw.cumsum, x, axis, dtype)


@op
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along `axis`, of the flattened tensor for None."""
    return _cumulative(_raw.cumprod, x, axis, dtype)


def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all values are close; see `isclose`."""
    return all(isclose(x1, x2, rtol, atol, equal_nan))


@op
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours along `axis`, taken `n` times."""
    a = _core.convert(a)
    axis = normalize_axis(axis, len(a.shape), "diff")
    for _ in range(arguments.integer(n, "diff: n", least=0)):
        if not a.shape[axis]:
            break
        key = [slice(None)] * len(a.shape)
        later, earlier = list(key), list(key)
        later[axis], earlier[axis] = slice(1, None), slice(None, -1)
        difference = _raw.not_equal if a.dtype == "bool" else _raw.subtract
        a = difference(a[tuple(later)], a[tuple(earlier)])
    return a


@op
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Integral along `axis` by the trapezoidal rule, at points `x` or `dx` apart."""
    y = _floats(y)
    axis = normalize_axis(axis, len(y.shape), "trapezoid")
    key = [slice(None)] * len(y.shape)
    later, earlier = list(key), list(key)
    later[axis], earlier[axis] = slice(1, None), slice(None, -1)
    width: Any = dx
    if x is not None:
        width = diff(x)
        if len(width.shape) == 1:
            width = _raw.reshape(width, tuple(-1 if i == axis else 1 for i in range(len(y.shape))))
    middle = _raw.multiply(_raw.add(y[tuple(later)], y[tuple(earlier)]), 0.5)
    return sum(_raw.multiply(middle, width), axis)
