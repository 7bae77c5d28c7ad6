"""Order statistics, counts, and reductions that leave out NaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pronghorn import _core, arguments, config
from pronghorn.arguments import normalize_axes
from pronghorn.ops import ordering, reduction
from pronghorn.ops.creation import convert_to_numpy
from pronghorn.ops.dispatch import op
from pronghorn.ops.linalg import matmul
from pronghorn.ops.manipulation import moveaxis

__all__ = [
    "corrcoef",
    "histogram",
    "isin",
    "median",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
    "percentile",
    "quantile",
]

_raw = _core.ops


def _floats(x: Any) -> Any:
    x = _core.convert(x)
    return x if x.dtype.startswith(("float", "bfloat")) else _raw.cast(x, dtype=config.floatx())


@op
def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """Return the values below which the parts `q` (in [0, 1]) of the values over `axis` lie.

    Args:
        x: tensor.
        q: a number or a vector; a vector gives a new first axis. It must be concrete.
        axis: an int, several, or None for all.
        method: what stands between two values: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: whether the reduced axes stay, with size 1.

    Raises:
        ValueError: for an unknown method.
    """
    if method not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise ValueError(f"quantile: method must be linear, lower, higher, midpoint or nearest, got {method!r}")
    x = _floats(x)
    rank = len(x.shape)
    reduced = sorted(normalize_axes(axis, rank, "quantile"))
    kept = [i for i in range(rank) if i not in reduced]
    count = math.prod(x.shape[i] for i in reduced)
    rows = _raw.reshape(_raw.transpose(x, kept + reduced), (*(x.shape[i] for i in kept), count))
    ordered = ordering.sort(rows)
    at = np.asarray(convert_to_numpy(q), "float64") * (count - 1)
    low, high = np.floor(at), np.ceil(at)
    share = {"linear": at - low, "lower": 0 * at, "higher": np.sign(high - low), "midpoint": 0.5 * np.sign(high - low)}
    weight = share.get(method, np.round(at) - low)

    def value(index: np.ndarray) -> Any:
        return _raw.take(ordered, _core.convert(index.astype("int32")), axis=-1)

    below, above = value(low), value(high)
    between = _raw.multiply(_raw.subtract(above, below), _core.convert(weight.astype(np.dtype("float64")).tolist()))
    result = _raw.add(below, _raw.cast(between, dtype=x.dtype))
    has_nan = _raw.reduce_any(_raw.isnan(rows), axes=(len(kept),), keepdims=at.ndim > 0)
    result = _raw.select(has_nan, math.nan, result)
    if at.ndim:
        result = moveaxis(result, -1, 0)
    if keepdims:
        result = _raw.reshape(result, at.shape + tuple(1 if i in reduced else x.shape[i] for i in range(rank)))
    return result


@op
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """Return the values below which `q` percent of the values over `axis` lie; see `quantile`."""
    return quantile(x, convert_to_numpy(q) / 100.0, axis, method, keepdims)


@op
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the middle value over `axis`, the mean of the middle two for an even number."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


def _without_nan(x: Any, instead: float) -> Any:
    x = _core.convert(x)
    return _raw.select(_raw.isnan(x), instead, x) if x.dtype.startswith(("float", "bfloat")) else x


@op
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum over `axis` of what is not NaN."""
    return reduction.sum(_without_nan(x, 0.0), axis, keepdims)


@op
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Product over `axis` of what is not NaN."""
    return reduction.prod(_without_nan(x, 1.0), axis, keepdims)


@op
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean over `axis` of what is not NaN."""
    x = _floats(x)
    count = reduction.sum(_raw.cast(_raw.logical_not(_raw.isnan(x)), dtype=x.dtype), axis, keepdims)
    return _raw.divide(nansum(x, axis, keepdims), count)


@op
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Variance over `axis` of what is not NaN."""
    x = _floats(x)
    return nanmean(_raw.square(_raw.subtract(x, nanmean(x, axis, keepdims=True))), axis, keepdims)


@op
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Standard deviation over `axis` of what is not NaN."""
    return _raw.sqrt(nanvar(x, axis, keepdims))


def _nan_extremum(extremum: Callable[..., Any], x: Any, axis: Any, keepdims: bool, start: float) -> Any:
    x = _core.convert(x)
    if not x.dtype.startswith(("float", "bfloat")):
        return extremum(x, axis, keepdims)
    only_nan = reduction.all(_raw.isnan(x), axis, keepdims)
    return _raw.select(only_nan, math.nan, extremum(_without_nan(x, start), axis, keepdims))


@op
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest value over `axis` of what is not NaN."""
    return _nan_extremum(reduction.max, x, axis, keepdims, -math.inf)


@op
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest value over `axis` of what is not NaN."""
    return _nan_extremum(reduction.min, x, axis, keepdims, math.inf)


@op
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index of the first largest value along `axis` that is not NaN."""
    return reduction.argmax(_without_nan(x, -math.inf), axis, keepdims)


@op
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index of the first smallest value along `axis` that is not NaN."""
    return reduction.argmin(_without_nan(x, math.inf), axis, keepdims)


@op
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along `axis`, NaN counting as 0."""
    return reduction.cumsum(_without_nan(x, 0.0), axis, dtype)


@op
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along `axis`, NaN counting as 1."""
    return reduction.cumprod(_without_nan(x, 1.0), axis, dtype)


@op
def corrcoef(x: Any) -> Any:
    """Return the correlation coefficients of the rows of a matrix."""
    x = _floats(x)
    centred = _raw.subtract(x, reduction.mean(x, axis=-1, keepdims=True))
    length = _raw.sqrt(reduction.sum(_raw.square(centred), axis=-1, keepdims=True))
    unit = _raw.divide(centred, length)
    return matmul(unit, _raw.transpose(unit)) if len(x.shape) > 1 else reduction.sum(_raw.square(unit))


def histogram(x: Any, bins: int = 10, range: tuple[float, float] | None = None) -> tuple[Any, Any]:
    """Return how many values fall into each of `bins` equal bins, and the edges. Not inside traces.

    Raises:
        ValueError: if `bins` is not a positive number or `range` is not increasing.
    """
    if not isinstance(bins, int) or bins <= 0:
        raise ValueError(f"histogram: bins must be a positive integer, got {bins!r}")
    arguments.allocatable((bins,), "histogram")
    values = convert_to_numpy(x)
    if range is not None:
        if not isinstance(range, (tuple, list)) or len(range) != 2:
            raise ValueError(f"histogram: range must be a pair of numbers, got {arguments.shown(range)}")
        low, high = (arguments.number(each, "histogram: range") for each in range)
        if not low < high:
            raise ValueError(f"histogram: range must be increasing, got {range}")
    elif not np.isfinite(values).all():
        raise ValueError("histogram: x must be finite where no range is given")
    counts, edges = np.histogram(values, bins, range)
    return _core.convert(counts.astype(config.floatx())), _core.convert(edges.astype(config.floatx()))


@op
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Tell for each element of `x1` whether `x2` has it."""
    x1 = _core.convert(x1)
    among = _raw.equal(_raw.reshape(x1, (*x1.shape, 1)), _raw.reshape(x2, (-1,)))
    found = _raw.reduce_any(among, axes=(-1,))
    return _raw.logical_not(found) if invert else found
