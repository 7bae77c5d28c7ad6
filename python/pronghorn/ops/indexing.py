"""Taking elements by index; ordering."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import _core, arguments, config
from pronghorn.ops.creation import standardize_dtype
from pronghorn.ops.dispatch import op
from pronghorn.ops.manipulation import moveaxis

__all__ = ["bincount", "get_item", "multi_hot", "nonzero", "one_hot", "take", "take_along_axis", "unravel_index"]

_raw = _core.ops


def as_index(indices: Any, name: str = "indices") -> Any:
    """`indices` as an int32 or int64 tensor; TypeError for what is not integer."""
    tensor = _core.convert(indices)
    if tensor.dtype in ("int32", "int64"):
        return tensor
    if not tensor.dtype.startswith(("int", "uint")) and tensor.size:
        raise TypeError(f"{name} must be of an integer dtype, got {tensor.dtype}")
    return _raw.cast(tensor, dtype="int64" if tensor.dtype in ("uint32", "uint64") else "int32")


@op
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the slices of `x` along `axis` that `indices` name; of the flattened tensor for None.

    Args:
        x: tensor.
        indices: integer tensor; negative ones count from the end.
        axis: an int, or None.

    Returns:
        tensor with the shape of `indices` in place of the axis.

    Raises:
        IndexError: if an index is out of range.

    Example:
        >>> from pronghorn import ops
        >>> ops.take([10, 20, 30], [2, 0])
        ph.Tensor([30 10], shape=(2,), dtype=int32)
    """
    x = _core.convert(x)
    if axis is None:
        x, axis = _raw.reshape(x, (-1,)), 0
    return _raw.take(x, as_index(indices), axis=axis)


@op
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the elements of `x` that `indices` (of the same rank) name along `axis`.

    Args:
        x: tensor.
        indices: integer tensor; the other axes broadcast.
        axis: an int, or None for the flattened tensors.

    Returns:
        tensor.

    Raises:
        ValueError: if the ranks differ.

    Example:
        >>> from pronghorn import ops
        >>> ops.take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1)
        ph.Tensor([[2]
         [3]], shape=(2, 1), dtype=int32)
    """
    x, indices = _core.convert(x), as_index(indices)
    if axis is None:
        return _raw.take(_raw.reshape(x, (-1,)), _raw.reshape(indices, (-1,)), axis=0)
    rank = len(x.shape)
    if len(indices.shape) != rank:
        raise ValueError(f"take_along_axis: indices {indices.shape} must have the rank of x {x.shape}")
    axis = arguments.normalize_axis(axis, rank, "take_along_axis")
    x_moved, index = moveaxis(x, axis, -1), moveaxis(indices, axis, -1)
    try:
        lead = np.broadcast_shapes(x_moved.shape[:-1], index.shape[:-1])
    except ValueError:
        raise ValueError(
            f"take_along_axis: x {x.shape} and indices {indices.shape} do not broadcast outside axis {axis}"
        ) from None
    n = x_moved.shape[-1]
    flat = _raw.reshape(_raw.broadcast_to(x_moved, shape=(*lead, n)), (-1,))
    index = _raw.broadcast_to(index, shape=(*lead, index.shape[-1]))
    index = _raw.select(_raw.less(index, 0), _raw.add(index, n), index)
    row_start = (np.arange(math.prod(lead)) * n).reshape(*lead, 1).astype(index.dtype)
    return moveaxis(_raw.take(flat, _raw.add(index, _core.convert(row_start)), axis=0), -1, axis)


@op
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """Return vectors of length `num_classes` with a one where `x` says, along a new axis.

    Args:
        x: integer tensor.
        num_classes: length of the new axis.
        axis: where it lies in the result.
        dtype: dtype name.
        sparse: only False.

    Returns:
        tensor; a class outside [0, num_classes) gives zeros.

    Raises:
        TypeError: if `x` is not integer.

    Example:
        >>> from pronghorn import ops
        >>> ops.one_hot([0, 2], 3)
        ph.Tensor([[1. 0. 0.]
         [0. 0. 1.]], shape=(2, 3), dtype=float32)
    """
    if sparse:
        raise ValueError("one_hot: sparse tensors are not supported")
    hot = _raw.one_hot(
        as_index(x), depth=arguments.integer(num_classes, "one_hot: num_classes"), dtype=standardize_dtype(dtype)
    )
    return hot if axis == -1 else moveaxis(hot, -1, axis)


@op
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """Return a vector with ones at all the classes that `inputs` names along `axis`."""
    if num_classes is None:
        raise ValueError("multi_hot: num_classes must be given")
    hot = one_hot(inputs, num_classes, dtype=dtype, sparse=sparse)
    if len(hot.shape) == 1:
        return hot
    reduced = arguments.normalize_axis(axis, len(hot.shape) - 1, "multi_hot")
    return _raw.reduce_max(hot, axes=(reduced,))


def nonzero(x: Any) -> tuple[Any, ...]:
    """Return the indices of the values that are not zero, a tensor for each axis. Not inside traces."""
    x = _core.convert(x)
    if not x.shape:
        raise ValueError("nonzero: x must have one or more dimensions, got a number")
    return tuple(_core.convert(index.astype("int32")) for index in np.nonzero(x.numpy()))


@op
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """Count each non-negative integer in `x`. Not inside traces, as its size depends on the values."""
    x = as_index(x, "bincount: x").numpy()
    if x.size and x.min() < 0:
        raise ValueError(f"bincount: x must not hold negative numbers, got {x.min()}")
    minlength = arguments.integer(minlength, "bincount: minlength", least=0)
    arguments.allocatable((max(minlength, int(x.max()) + 1 if x.size else 0),), "bincount")
    if weights is not None:
        weights = _core.convert(weights).numpy()
        if weights.shape != x.shape:
            raise ValueError(f"bincount: weights {weights.shape} must have the shape of x {x.shape}")
    counts = np.bincount(x.reshape(-1), None if weights is None else weights.reshape(-1), minlength)
    return _core.convert(counts.astype("int32" if weights is None else config.floatx()))


@op
def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Return the coordinates in an array of `shape` of flat `indices`."""
    rest = as_index(indices)
    coordinates = []
    for size in reversed(arguments.integers(shape, "unravel_index: shape", least=1)):
        coordinates.append(_raw.mod(rest, size))
        rest = _raw.floor_divide(rest, size)
    return tuple(reversed(coordinates))


def _slice_of(key: slice, size: int) -> tuple[int, int, int]:
    bounds = [
        None if bound is None else arguments.integer(bound, "a bound of a slice")
        for bound in (key.start, key.stop, key.step)
    ]
    if bounds[2] == 0:
        raise ValueError("slice step must not be zero")
    start, stop, step = slice(*bounds).indices(size)
    return start, len(range(start, stop, step)), step


def _is_advanced(part: Any) -> bool:
    return isinstance(part, (list, np.ndarray, _core.Tensor, _core.Variable)) and not isinstance(part, bool)


@op
def get_item(x: Any, key: Any) -> Any:
    """Return x[key] with NumPy's meaning of integers, slices, Ellipsis, None, integer arrays and boolean masks.

    Args:
        x: tensor.
        key: what stands between the brackets; boolean masks not inside traces.

    Returns:
        tensor.

    Raises:
        IndexError: if an index is out of range, or there are too many.

    Example:
        >>> from pronghorn import ops
        >>> ops.get_item([[1, 2], [3, 4]], (..., 0))
        ph.Tensor([1 3], shape=(2,), dtype=int32)
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
            advanced.append((len(shape), as_index(part)))
            start, count, step = 0, size, 1
            shape.append(count)
        else:
            index = arguments.integer(part, "an index")
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
