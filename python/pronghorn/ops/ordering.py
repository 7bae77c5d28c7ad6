"""Ordering: sorting, the largest values, places among sorted values."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import _core, arguments
from pronghorn.ops.dispatch import op
from pronghorn.ops.indexing import as_index, take_along_axis
from pronghorn.ops.manipulation import moveaxis

__all__ = ["argpartition", "argsort", "digitize", "in_top_k", "searchsorted", "sort", "top_k", "unique"]

_raw = _core.ops


def _in_order(x: Any, axis: int, descending: bool = False) -> tuple[Any, Any]:
    moved = moveaxis(x, axis, -1)
    half = moved.dtype in ("float16", "bfloat16")
    order = _raw.argsort(_raw.cast(moved, dtype="float32") if half else moved, descending=descending)
    return moved, order


@op
def argsort(x: Any, axis: int | None = -1) -> Any:
    """Return the positions (int32) that sort `x` along `axis`; equal values keep their order.

    Args:
        x: tensor.
        axis: an int, or None for the flattened tensor.

    Returns:
        int32 tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.argsort([3, 1, 2])
        ph.Tensor([1 2 0], shape=(3,), dtype=int32)
    """
    x = _core.convert(x)
    if axis is None:
        x, axis = _raw.reshape(x, (-1,)), 0
    return moveaxis(_in_order(x, axis)[1], -1, axis)


@op
def sort(x: Any, axis: int | None = -1) -> Any:
    """Return `x` sorted along `axis`.

    Args:
        x: tensor.
        axis: an int, or None for the flattened tensor.

    Returns:
        tensor; NaN comes last.

    Example:
        >>> from pronghorn import ops
        >>> ops.sort([3, 1, 2])
        ph.Tensor([1 2 3], shape=(3,), dtype=int32)
    """
    x = _core.convert(x)
    if axis is None:
        x, axis = _raw.reshape(x, (-1,)), 0
    moved, order = _in_order(x, axis)
    return moveaxis(take_along_axis(moved, order, -1), -1, axis)


@op
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """Return the k largest values of the last axis, largest first, and their positions (int32).

    Args:
        x: tensor.
        k: how many.
        sorted: accepted for Keras's sake; they are always in order.

    Returns:
        (values, positions).

    Raises:
        ValueError: if the axis has fewer than `k` values.

    Example:
        >>> from pronghorn import ops
        >>> [each.tolist() for each in ops.top_k([1, 5, 3], 2)]
        [[5, 3], [1, 2]]
    """
    x = _core.convert(x)
    k = arguments.integer(k, "top_k: k")
    if not x.shape or not 0 <= k <= x.shape[-1]:
        raise ValueError(f"top_k: k must be in [0, {x.shape[-1] if x.shape else 0}] for x {x.shape}, got {k}")
    _, order = _in_order(x, -1, descending=True)
    best = order[..., :k]
    return take_along_axis(x, best, -1), best


@op
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Tell for each row of `predictions` whether the target class is among its k largest (ties count as among).

    Args:
        targets: integer tensor (rows,).
        predictions: tensor (rows, classes).
        k: how many.

    Returns:
        bool tensor (rows,).

    Example:
        >>> from pronghorn import ops
        >>> ops.in_top_k([1], [[0.2, 0.5, 0.3]], k=1)
        ph.Tensor([ True], shape=(1,), dtype=bool)
    """
    targets, predictions = as_index(targets, "in_top_k: targets"), _core.convert(predictions)
    k = arguments.integer(k, "in_top_k: k")
    if targets.shape != predictions.shape[:-1]:
        raise ValueError(
            f"in_top_k: targets {targets.shape} must hold a class for each row of predictions {predictions.shape}"
        )
    of_target = take_along_axis(predictions, _raw.reshape(targets, (*targets.shape, 1)), -1)
    better = _raw.reduce_sum(_raw.cast(_raw.greater(predictions, of_target), dtype="int32"), axes=(-1,))
    finite = _raw.reshape(_raw.isfinite(of_target), targets.shape)
    return _raw.logical_and(_raw.less(better, k), finite)


def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Return the distinct values of `x`, sorted, and on demand where they come from. Not inside traces.

    Args:
        x: tensor.
        sorted: accepted for Keras's sake; values are always sorted.
        return_index: whether to return the position of each value's first occurrence too.
        return_inverse: whether to return where each element of `x` is among the values.
        return_counts: whether to return how often each value occurs.
        axis: compare whole slices along this axis; None compares elements.
        size: cut or fill up the result to this number of values.
        fill_value: what fills it up; the smallest value by default.
    """
    values = _core.convert(x).numpy()
    if axis is not None:
        axis = arguments.normalize_axis(axis, values.ndim, "unique")
    found: Any = np.unique(  # type: ignore[call-overload]
        values, return_index, return_inverse, return_counts, axis
    )
    parts = list(found) if isinstance(found, tuple) else [found]
    if size is not None:
        size = arguments.integer(size, "unique: size", least=0)
        arguments.allocatable((size, 1 << 16), "unique")  # the filling is a list
        along = 0 if axis is None else axis
        values = parts[0].take(range(min(size, parts[0].shape[along])), axis=along)
        filling = (
            values.take([0], axis=along)
            if fill_value is None
            else np.full_like(values.take([0], axis=along), fill_value)
        )
        parts[0] = np.concatenate([values, *[filling] * (size - values.shape[along])], axis=along)
    tensors = tuple(
        _core.convert(part.astype("int32") if i else np.ascontiguousarray(part)) for i, part in enumerate(parts)
    )
    return tensors if len(tensors) > 1 else tensors[0]


@op
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Return where `values` would be inserted into a sorted vector (int32)."""
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', got {side!r}")
    sorted_sequence, values = _core.convert(sorted_sequence), _core.convert(values)
    if len(sorted_sequence.shape) != 1:
        raise ValueError(f"searchsorted: sorted_sequence must be a vector, got shape {sorted_sequence.shape}")
    before = _raw.less if side == "left" else _raw.less_equal
    is_before = before(sorted_sequence, _raw.reshape(values, (*values.shape, 1)))
    return _raw.reduce_sum(_raw.cast(is_before, dtype="int32"), axes=(-1,))


def digitize(x: Any, bins: Any) -> Any:
    """Return the bin (int32) each value falls into; bins are increasing edges."""
    return searchsorted(bins, x, side="right")


@op
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """Return positions (int32) that put the kth smallest value along `axis` in its place, smaller ones before it."""
    arguments.integer(kth, "argpartition: kth")
    return argsort(x, axis)
