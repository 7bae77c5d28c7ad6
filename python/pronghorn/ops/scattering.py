"""Writing by index: scatter, and reductions over segments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import _core, arguments
from pronghorn.ops.creation import cast
from pronghorn.ops.dispatch import op
from pronghorn.ops.indexing import as_index

__all__ = ["scatter", "scatter_update", "segment_max", "segment_min", "segment_prod", "segment_sum"]

_raw = _core.ops


@op
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Return zeros of `shape` with `values` added where the rows of `indices` (..., depth) say.

    Args:
        indices: integer tensor (..., depth).
        values: tensor (..., rest of the shape).
        shape: ints.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.scatter([[1], [1]], [5, 6], (3,))
        ph.Tensor([ 0 11  0], shape=(3,), dtype=int32)
    """
    values = _core.convert(values)
    shape = arguments.integers(shape, "scatter: shape", least=0)
    return _scatter_add(_raw.full(shape=shape, dtype=values.dtype, value=0), indices, values)


def _flat_positions(indices: Any, shape: tuple[int, ...]) -> tuple[Any, int, tuple[int, ...]]:
    indices = as_index(indices)
    if not indices.shape or indices.shape[-1] > len(shape):
        raise ValueError(f"indices {indices.shape} must be rows of at most {len(shape)} coordinates, for shape {shape}")
    depth = indices.shape[-1]
    steps = [math.prod(shape[i + 1 : depth]) for i in range(depth)]
    sizes = _core.convert(np.asarray(shape[:depth], indices.dtype))
    indices = _raw.select(_raw.less(indices, 0), _raw.add(indices, sizes), indices)
    weighted = _raw.multiply(indices, _core.convert(np.asarray(steps, indices.dtype)))
    return _raw.reduce_sum(weighted, axes=(-1,)), math.prod(shape[:depth]), shape[depth:]


def _scatter_add(x: Any, indices: Any, values: Any) -> Any:
    positions, count, rest = _flat_positions(indices, x.shape)
    rows = _raw.reshape(values, (*positions.shape, *rest))
    added = _raw.take_grad(rows, positions, shape=(count, *rest), axis=0)
    return _raw.add(x, _raw.reshape(added, x.shape))


@op
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """Return `inputs` with `updates` in place of the slices that the rows of `indices` name.

    Args:
        inputs: tensor.
        indices: integers of shape (..., depth), each row the first coordinates of a slice.
        updates: the slices.
        reduction: None writes them (the last of several to a place), "add" adds them.

    Raises:
        ValueError: for another reduction.
    """
    if reduction not in (None, "add"):
        raise ValueError(f"scatter_update: reduction must be None or 'add', got {reduction!r}")
    x = _core.convert(inputs)
    updates = cast(updates, x.dtype)
    if reduction == "add":
        return _scatter_add(x, indices, updates)
    positions, count, rest = _flat_positions(indices, x.shape)
    # give every place the number of its last update
    number = _raw.add(_core.convert(np.arange(positions.size, dtype="int32").reshape(-1, 1)), 1)
    hot = _raw.one_hot(_raw.reshape(positions, (-1,)), depth=count, dtype="int32")
    last = (
        _raw.reduce_max(_raw.multiply(hot, number), axes=(0,))
        if positions.size
        else _raw.full(shape=(count,), dtype="int32", value=0)
    )
    rows = _raw.concatenate(
        [_raw.full(shape=(1, *rest), dtype=x.dtype, value=0), _raw.reshape(updates, (positions.size, *rest))], axis=0
    )
    chosen = _raw.reshape(_raw.take(rows, last, axis=0), x.shape)
    touched = _raw.reshape(_raw.greater(last, 0), (*x.shape[: len(x.shape) - len(rest)], *(1,) * len(rest)))
    return _raw.select(touched, chosen, x)


def _count(num_segments: int | None, ids: Any) -> int:
    """How many segments there are: as many as the user says, or as the largest id asks for."""
    if num_segments is None:
        return int(ids.numpy().max()) + 1 if ids.size else 0
    num_segments = arguments.integer(num_segments, "num_segments", least=0)
    arguments.allocatable((num_segments, *ids.shape), "num_segments")
    return num_segments


def _segment_extremum(data: Any, segment_ids: Any, num_segments: int | None, start: float, native: Any) -> Any:
    data, ids = _core.convert(data), as_index(segment_ids, "segment_ids")
    num_segments = _count(num_segments, ids)
    segments = _core.convert(np.arange(num_segments, dtype="int32").reshape(-1, 1))
    member = _raw.equal(segments, _raw.cast(ids, dtype="int32"))
    member = _raw.reshape(member, (*member.shape, *(1,) * (len(data.shape) - 1)))
    return native(_raw.select(member, data, start), axes=(1,))


def _lowest(dtype: str) -> float:
    if dtype == "bool":
        return False
    return -math.inf if dtype.startswith(("float", "bfloat")) else int(np.iinfo(dtype).min)


def _highest(dtype: str) -> float:
    if dtype == "bool":
        return True
    return math.inf if dtype.startswith(("float", "bfloat")) else int(np.iinfo(dtype).max)


@op
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Return the largest of the rows of `data` with the same segment id; an empty segment has the lowest value."""
    data = _core.convert(data)
    return _segment_extremum(data, segment_ids, num_segments, _lowest(data.dtype), _raw.reduce_max)


@op
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Return the smallest of the rows of `data` with the same segment id; an empty segment has the highest value."""
    data = _core.convert(data)
    return _segment_extremum(data, segment_ids, num_segments, _highest(data.dtype), _raw.reduce_min)


@op
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Return the product of the rows of `data` that have the same segment id; an empty segment has 1."""
    return _segment_extremum(data, segment_ids, num_segments, 1, _raw.reduce_prod)


@op
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Add the rows of `data` that have the same segment id. Rows with an id outside [0, num_segments) are dropped.

    Args:
        data: tensor (rows, ...).
        segment_ids: integer tensor (rows,).
        num_segments: how many segments; inside traces it must be given.
        sorted: accepted for Keras's sake.

    Returns:
        tensor (num_segments, ...).

    Example:
        >>> from pronghorn import ops
        >>> ops.segment_sum([1, 2, 3], [0, 0, 2], 3)
        ph.Tensor([3 0 3], shape=(3,), dtype=int32)
    """
    data, ids = _core.convert(data), as_index(segment_ids, "segment_ids")
    num_segments = _count(num_segments, ids)
    outside = _raw.logical_or(_raw.less(ids, 0), _raw.greater_equal(ids, num_segments))
    ids = _raw.select(outside, num_segments, ids)
    total = _raw.take_grad(data, ids, shape=(num_segments + 1, *data.shape[1:]), axis=0)
    return total[:num_segments]
