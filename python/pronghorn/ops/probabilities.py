"""Scores to probabilities: softmax and its relatives."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, config
from pronghorn.arguments import normalize_axes, normalize_axis
from pronghorn.ops.creation import cast
from pronghorn.ops.dispatch import op
from pronghorn.ops.elementwise import maximum, where
from pronghorn.ops.manipulation import flip, reshape, transpose
from pronghorn.ops.ordering import sort
from pronghorn.ops.ranges import arange
from pronghorn.ops.reduction import cumsum, sum

__all__ = ["log_softmax", "softmax", "sparsemax"]

_raw = _core.ops


def _along(native: Any, x: Any, axis: Any) -> Any:
    """Run a native op over one axis or several taken as one, half precision in float32."""
    x = _core.convert(x)
    if x.dtype in ("float16", "bfloat16"):
        return cast(_along(native, cast(x, "float32"), axis), x.dtype)
    if not x.dtype.startswith("float"):
        x = cast(x, config.floatx())
    if isinstance(axis, int):
        return native(x, axis=axis)
    rank = len(x.shape)
    last = normalize_axes(axis, rank, "softmax")
    order = (*(i for i in range(rank) if i not in last), *last)
    moved = transpose(x, order)
    flat = native(reshape(moved, (*moved.shape[: rank - len(last)], -1)), axis=-1)
    return transpose(reshape(flat, moved.shape), sorted(range(rank), key=order.__getitem__))


@op
def softmax(x: Any, axis: Any = -1) -> Any:
    """Exponentials along `axis` divided by their sum.

    Args:
        x: tensor; integers become the default float.
        axis: int, or a tuple of ints taken as one axis.

    Returns:
        Tensor like `x`.

    Raises:
        ValueError: if `axis` is out of range.

    Example:
        >>> from pronghorn import ops
        >>> ops.softmax([0.0, 0.0]).numpy()
        array([0.5, 0.5], dtype=float32)
    """
    return _along(_raw.softmax, x, axis)


@op
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Logarithm of the softmax along `axis`, without under- or overflow.

    Args:
        x: tensor; integers become the default float.
        axis: int, or a tuple of ints taken as one axis.

    Returns:
        Tensor like `x`.

    Example:
        >>> from pronghorn import ops
        >>> ops.log_softmax([0.0, -1000.0]).numpy()
        array([    0., -1000.], dtype=float32)
    """
    return _along(_raw.log_softmax, x, axis)


@op
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The point nearest to `x` whose elements along `axis` are >= 0 and add up to 1 (Martins and Astudillo, 2016).

    Args:
        x: floating tensor.
        axis: int.

    Returns:
        Tensor like `x`.

    Example:
        >>> from pronghorn import ops
        >>> ops.sparsemax([1.0, 0.5, -3.0]).numpy()
        array([0.75, 0.25, 0.  ], dtype=float32)
    """
    x = _core.convert(x)
    axis = normalize_axis(axis, len(x.shape), "sparsemax")
    descending = flip(sort(x, axis=axis), axis=axis)
    sizes = [1] * len(x.shape)
    sizes[axis] = x.shape[axis]
    count = reshape(arange(1, x.shape[axis] + 1, dtype=x.dtype), tuple(sizes))
    support = descending - (cumsum(descending, axis=axis) - 1.0) / count > 0.0
    kept = sum(where(support, descending, 0.0), axis=axis, keepdims=True)
    return maximum(x - (kept - 1.0) / sum(cast(support, x.dtype), axis=axis, keepdims=True), 0.0)
