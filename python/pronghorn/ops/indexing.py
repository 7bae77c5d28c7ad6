"""Taking elements by index; ordering."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import _core, config
from pronghorn.ops.creation import cast, standardize_dtype
from pronghorn.ops.dispatch import op
from pronghorn.ops.manipulation import moveaxis

__all__ = [
    "argpartition",
    "argsort",
    "bincount",
    "digitize",
    "get_item",
    "in_top_k",
    "multi_hot",
    "nonzero",
    "one_hot",
    "scatter",
    "scatter_update",
    "searchsorted",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "sort",
    "take",
    "take_along_axis",
    "top_k",
    "unique",
    "unravel_index",
]

_raw = _core.ops


def _as_index(indices: Any) -> Any:
    tensor = _core.convert(indices)
    if tensor.dtype in ("int32", "int64"):
        return tensor
    if not tensor.dtype.startswith(("int", "uint")) and tensor.size:
        raise TypeError(f"indices must be integers, got dtype {tensor.dtype}")
    return _raw.cast(tensor, dtype="int64" if tensor.dtype in ("uint32", "uint64") else "int32")


@op
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the slices of `x` along `axis` that `indices` name; of the flattened tensor for None.

    Raises:
        IndexError: if an index is out of range.
    """
    x = _core.convert(x)
    if axis is None:
        x, axis = _raw.reshape(x, (-1,)), 0
    return _raw.take(x, _as_index(indices), axis=axis)


@op
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the elements of `x` that `indices` (of the same rank) name along `axis`."""
    x, indices = _core.convert(x), _as_index(indices)
    if axis is None:
        return _raw.take(_raw.reshape(x, (-1,)), _raw.reshape(indices, (-1,)), axis=0)
    rank = len(x.shape)
    if len(indices.shape) != rank:
        raise ValueError(f"take_along_axis: indices {indices.shape} must have the rank of x {x.shape}")
    axis %= rank
    x_moved, index = moveaxis(x, axis, -1), moveaxis(indices, axis, -1)
    lead = np.broadcast_shapes(x_moved.shape[:-1], index.shape[:-1])
    n = x_moved.shape[-1]
    flat = _raw.reshape(_raw.broadcast_to(x_moved, shape=(*lead, n)), (-1,))
    index = _raw.broadcast_to(index, shape=(*lead, index.shape[-1]))
    index = _raw.select(_raw.less(index, 0), _raw.add(index, n), index)
    row_start = (np.arange(math.prod(lead)) * n).reshape(*lead, 1).astype(index.dtype)
    return moveaxis(_raw.take(flat, _raw.add(index, _core.convert(row_start)), axis=0), -1, axis)


@op
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """Return vectors of length `num_classes` with a one where `x` says, along a new axis."""
    if sparse:
        raise ValueError("one_hot: sparse tensors are not supported")
    hot = _raw.one_hot(_as_index(x), depth=int(num_classes), dtype=standardize_dtype(dtype))
    return hot if axis == -1 else moveaxis(hot, -1, axis)


@op
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """Return a vector with ones at all the classes that `inputs` names along `axis`."""
    if num_classes is None:
        raise ValueError("multi_hot: num_classes must be given")
    hot = one_hot(inputs, num_classes, dtype=dtype, sparse=sparse)
    reduced = axis if axis >= 0 else len(hot.shape) - 1 + axis
    return _raw.reduce_max(hot, axes=(reduced,)) if len(hot.shape) > 1 else hot


def _in_order(x: Any, axis: int, descending: bool = False) -> tuple[Any, Any]:
    moved = moveaxis(x, axis, -1)
    half = moved.dtype in ("float16", "bfloat16")
    order = _raw.argsort(_raw.cast(moved, dtype="float32") if half else moved, descending=descending)
    return moved, order


@op
def argsort(x: Any, axis: int | None = -1) -> Any:
    """Return the positions (int32) that sort `x` along `axis`; equal values keep their order."""
    x = _core.convert(x)
    if axis is None:
        x, axis = _raw.reshape(x, (-1,)), 0
    return moveaxis(_in_order(x, axis)[1], -1, axis)


@op
def sort(x: Any, axis: int | None = -1) -> Any:
    """Return `x` sorted along `axis`."""
    x = _core.convert(x)
    if axis is None:
        x, axis = _raw.reshape(x, (-1,)), 0
    moved, order = _in_order(x, axis)
    return moveaxis(take_along_axis(moved, order, -1), -1, axis)


@op
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """Return the k largest values of the last axis, largest first, and their positions (int32).

    Raises:
        ValueError: if the axis has fewer than `k` values.
    """
    x = _core.convert(x)
    if not x.shape or not 0 <= k <= x.shape[-1]:
        raise ValueError(f"top_k: k must be in [0, {x.shape[-1] if x.shape else 0}] for x {x.shape}, got {k}")
    _, order = _in_order(x, -1, descending=True)
    best = order[..., :k]
    return take_along_axis(x, best, -1), best


@op
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Tell for each row of `predictions` whether the target class is among its k largest (ties count as among)."""
    targets, predictions = _as_index(targets), _core.convert(predictions)
    of_target = take_along_axis(predictions, _raw.reshape(targets, (*targets.shape, 1)), -1)
    better = _raw.reduce_sum(_raw.cast(_raw.greater(predictions, of_target), dtype="int32"), axes=(-1,))
    finite = _raw.reshape(_raw.isfinite(of_target), targets.shape)
    return _raw.logical_and(_raw.less(better, k), finite)


def nonzero(x: Any) -> tuple[Any, ...]:
    """Return the indices of the values that are not zero, a tensor for each axis. Not inside traces."""
    return tuple(_core.convert(index.astype("int32")) for index in np.nonzero(_core.convert(x).numpy()))


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
    found: Any = np.unique(  # type: ignore[call-overload]
        _core.convert(x).numpy(), return_index, return_inverse, return_counts, axis
    )
    parts = list(found) if isinstance(found, tuple) else [found]
    if size is not None:
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
    values = _core.convert(values)
    before = _raw.less if side == "left" else _raw.less_equal
    is_before = before(sorted_sequence, _raw.reshape(values, (*values.shape, 1)))
    return _raw.reduce_sum(_raw.cast(is_before, dtype="int32"), axes=(-1,))


def digitize(x: Any, bins: Any) -> Any:
    """Return the bin (int32) each value falls into; bins are increasing edges."""
    return searchsorted(bins, x, side="right")


@op
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """Count each non-negative integer in `x`. Not inside traces, as its size depends on the values."""
    x = _core.convert(x).numpy()
    counts = np.bincount(x.reshape(-1), None if weights is None else np.asarray(weights).reshape(-1), minlength)
    return _core.convert(counts.astype("int32" if weights is None else config.floatx()))


@op
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Return zeros of `shape` with `values` added where the rows of `indices` (..., depth) say."""
    values = _core.convert(values)
    shape = tuple(int(size) for size in shape)
    return _scatter_add(_raw.full(shape=shape, dtype=values.dtype, value=0), indices, values)


def _flat_positions(indices: Any, shape: tuple[int, ...]) -> tuple[Any, int, tuple[int, ...]]:
    indices = _as_index(indices)
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


def _segment_extremum(data: Any, segment_ids: Any, num_segments: int | None, start: float, native: Any) -> Any:
    data, ids = _core.convert(data), _as_index(segment_ids)
    if num_segments is None:
        num_segments = int(ids.numpy().max()) + 1 if ids.size else 0
    segments = _core.convert(np.arange(num_segments, dtype="int32").reshape(-1, 1))
    member = _raw.equal(segments, _raw.cast(ids, dtype="int32"))
    member = _raw.reshape(member, (*member.shape, *(1,) * (len(data.shape) - 1)))
    return native(_raw.select(member, data, start), axes=(1,))


def _lowest(dtype: str) -> float:
    return -math.inf if dtype.startswith(("float", "bfloat")) else int(np.iinfo(dtype).min)


def _highest(dtype: str) -> float:
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
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """Return positions (int32) that put the kth smallest value along `axis` in its place, smaller ones before it."""
    return argsort(x, axis)


@op
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Add the rows of `data` that have the same segment id. Rows with an id outside [0, num_segments) are dropped."""
    data, ids = _core.convert(data), _as_index(segment_ids)
    if num_segments is None:
        num_segments = int(ids.numpy().max()) + 1 if ids.size else 0
    outside = _raw.logical_or(_raw.less(ids, 0), _raw.greater_equal(ids, num_segments))
    ids = _raw.select(outside, num_segments, ids)
    total = _raw.take_grad(data, ids, shape=(num_segments + 1, *data.shape[1:]), axis=0)
    return total[:num_segments]


@op
def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Return the coordinates in an array of `shape` of flat `indices`."""
    rest = _as_index(indices)
    coordinates = []
    for size in reversed(tuple(shape)):
        coordinates.append(_raw.mod(rest, int(size)))
        rest = _raw.floor_divide(rest, int(size))
    return tuple(reversed(coordinates))


def _slice_of(key: slice, size: int) -> tuple[int, int, int]:
    bounds = [None if bound is None else int(bound) for bound in (key.start, key.stop, key.step)]
    if bounds[2] == 0:
        raise ValueError("slice step must not be zero")
    start, stop, step = slice(*bounds).indices(size)
    return start, len(range(start, stop, step)), step


def _is_advanced(part: Any) -> bool:
    return isinstance(part, (list, np.ndarray, _core.Tensor, _core.Variable)) and not isinstance(part, bool)


@op
def get_item(x: Any, key: Any) -> Any:
    """Return x[key] with NumPy's meaning of integers, slices, Ellipsis, None, integer arrays and boolean masks.

    Raises:
        IndexError: if an index is out of range, or there are too many.
    """
    x = _core.convert(x)
    parts = list(key) if isinstance(key, tuple) else [key]
    if any(_is_advanced(part) and _core.convert(part).dtype == "bool" for part in parts):
        return _masked(x, parts)
    used = sum(part is not None and part is not Ellipsis for part in parts)
    if used > len(x.shape):
        raise IndexError(f"too many indices for a tensor of shape {x.shape}: {used}")
    if not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    at = next(i for i, part in enumerate(parts) if part is Ellipsis)
    parts[at : at + 1] = [slice(None)] * (len(x.shape) - used)

    begin, sizes, strides, shape, advanced = [], [], [], [], []
    axis = 0
    for part in parts:
        if part is None:
            shape.append(1)
            continue
        size = x.shape[axis]
        if isinstance(part, slice):
            start, count, step = _slice_of(part, size)
            shape.append(count)
        elif _is_advanced(part) and not (isinstance(part, _core.Tensor) and not part.shape and not part.is_traced):
            advanced.append((len(shape), _as_index(part)))
            start, count, step = 0, size, 1
            shape.append(count)
        else:
            index = part.__index__()
            if not -size <= index < size:
                raise IndexError(f"index {index} is out of range for axis {axis} of size {size}")
            start, count, step = index % size, 1, 1
        begin.append(start if count else 0)
        sizes.append(count)
        strides.append(step)
        axis += 1
    whole = all(b == 0 and s == 1 for b, s in zip(begin, strides)) and tuple(sizes) == x.shape
    result = x if whole else _raw.slice(x, begin, sizes, strides)
    if result.shape != tuple(shape):
        result = _raw.reshape(result, tuple(shape))
    return _take_advanced(result, advanced) if advanced else result


def _take_advanced(x: Any, advanced: list[tuple[int, Any]]) -> Any:
    if len(advanced) == 1:
        axis, index = advanced[0]
        return _raw.take(x, index, axis=axis)
    axes = [axis for axis, _ in advanced]
    together = axes == list(range(axes[0], axes[0] + len(axes)))
    x = moveaxis(x, axes, tuple(range(len(axes))))
    sizes = x.shape[: len(axes)]
    flat: Any = 0
    for size, (_, index) in zip(sizes, advanced):
        index = _raw.select(_raw.less(index, 0), _raw.add(index, size), index)
        flat = _raw.add(_raw.multiply(flat, size), index)
    taken = _raw.take(_raw.reshape(x, (math.prod(sizes), *x.shape[len(axes) :])), flat, axis=0)
    if not together:
        return taken
    lead = len(flat.shape)
    return moveaxis(taken, tuple(range(lead)), tuple(range(axes[0], axes[0] + lead)))


def _masked(x: Any, parts: list[Any]) -> Any:
    """Boolean masks: how many elements they choose is known from values only, so not inside traces."""
    expanded: list[Any] = []
    for part in parts:
        if _is_advanced(part) and _core.convert(part).dtype == "bool":
            mask = _core.convert(part).numpy()
            axis = len([p for p in expanded if p is not None])
            if mask.shape != x.shape[axis : axis + mask.ndim]:
                raise IndexError(f"boolean mask of shape {mask.shape} does not fit a tensor of shape {x.shape}")
            expanded.extend(index.astype("int32") for index in np.nonzero(mask))
        else:
            expanded.append(part)
    return get_item(x, tuple(expanded))
