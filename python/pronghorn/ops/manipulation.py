"""Ops that rearrange, join, cut and repeat tensors."""

from __future__ import annotations

import builtins
import itertools
from typing import Any

import numpy as np

from pronghorn import _core
from pronghorn.ops.dispatch import op

__all__ = [
    "append",
    "array_split",
    "broadcast_to",
    "concatenate",
    "diag",
    "diagflat",
    "diagonal",
    "dsplit",
    "dstack",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "moveaxis",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "slice",
    "slice_update",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "transpose",
    "unstack",
    "vsplit",
    "vstack",
]

_raw = _core.ops


def _normalize(axis: int, rank: int, name: str) -> int:
    if not -rank <= axis < rank:
        raise ValueError(f"{name}: axis {axis} is out of range for a tensor of rank {rank}")
    return axis % rank


@op
def reshape(x: Any, newshape: Any) -> Any:
    """Return `x` in another shape of the same number of elements; one entry may be -1.

    Raises:
        ValueError: if the elements do not fit.
    """
    return _raw.reshape(x, (newshape,) if isinstance(newshape, int) else tuple(int(size) for size in newshape))


@op
def ravel(x: Any) -> Any:
    """Return `x` with one dimension."""
    return _raw.reshape(x, (-1,))


@op
def transpose(x: Any, axes: Any = None) -> Any:
    """Return `x` with its axes permuted, reversed by default."""
    return _raw.transpose(x, () if axes is None else tuple(axes))


@op
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return `x` with two axes changed about."""
    rank = len(x.shape)
    axes = list(range(rank))
    axis1, axis2 = _normalize(axis1, rank, "swapaxes"), _normalize(axis2, rank, "swapaxes")
    axes[axis1], axes[axis2] = axis2, axis1
    return _raw.transpose(x, axes)


@op
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Return `x` with some axes moved to other places."""
    x = _core.convert(x)
    source = (source,) if isinstance(source, int) else tuple(source)
    destination = (destination,) if isinstance(destination, int) else tuple(destination)
    if len(source) != len(destination):
        raise ValueError(f"moveaxis: source {source} and destination {destination} differ in length")
    rank = len(x.shape)
    source = tuple(_normalize(axis, rank, "moveaxis") for axis in source)
    order = [axis for axis in range(rank) if axis not in source]
    for to, origin in sorted((_normalize(axis, rank, "moveaxis"), origin) for axis, origin in zip(destination, source)):
        order.insert(to, origin)
    return _raw.transpose(x, order)


@op
def expand_dims(x: Any, axis: Any) -> Any:
    """Return `x` with new axes of size 1 at `axis`."""
    x = _core.convert(x)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    rank = len(x.shape) + len(axes)
    places = {_normalize(each, rank, "expand_dims") for each in axes}
    sizes = iter(x.shape)
    return _raw.reshape(x, tuple(1 if i in places else next(sizes) for i in range(rank)))


@op
def squeeze(x: Any, axis: Any = None) -> Any:
    """Return `x` without its axes of size 1, or without those `axis` names.

    Raises:
        ValueError: if a named axis has another size.
    """
    x = _core.convert(x)
    rank = len(x.shape)
    if axis is None:
        return _raw.reshape(x, tuple(size for size in x.shape if size != 1))
    axes = {_normalize(each, rank, "squeeze") for each in ((axis,) if isinstance(axis, int) else axis)}
    for each in axes:
        if x.shape[each] != 1:
            raise ValueError(f"squeeze: axis {each} of x {x.shape} does not have size 1")
    return _raw.reshape(x, tuple(size for i, size in enumerate(x.shape) if i not in axes))


@op
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Join tensors along an axis; they may differ in that axis only."""
    return _raw.concatenate(list(xs), axis=axis)


@op
def stack(x: Any, axis: int = 0) -> Any:
    """Join tensors of one shape along a new axis."""
    return _raw.concatenate([expand_dims(each, axis) for each in x], axis=axis)


@op
def vstack(xs: Any) -> Any:
    """Join along the first axis; vectors become rows."""
    return concatenate([_raw.reshape(x, (1, -1)) if len(x.shape) < 2 else x for x in map(_core.convert, xs)], axis=0)


@op
def hstack(xs: Any) -> Any:
    """Join along the second axis; vectors along their only one."""
    tensors = [_core.convert(x) for x in xs]
    return concatenate(tensors, axis=0 if len(tensors[0].shape) <= 1 else 1)


@op
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """Return the block of `shape` that starts at `start_indices`; an entry of -1 in `shape` goes to the end."""
    x = _core.convert(inputs)
    begin = [int(index) for index in start_indices]
    sizes = [x.shape[i] - begin[i] if size == -1 else int(size) for i, size in enumerate(shape)]
    return _raw.slice(x, begin, sizes, (1,) * len(begin))


@op
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """Return `inputs` with the block that starts at `start_indices` replaced by `updates`."""
    x, updates = _core.convert(inputs), _core.convert(updates)
    begin = [int(index) for index in start_indices]
    strides = (1,) * len(begin)
    mask = np.zeros(x.shape, dtype=bool)
    mask[tuple(builtins.slice(b, b + n) for b, n in zip(begin, updates.shape))] = True
    placed = _raw.slice_grad(_raw.cast(updates, dtype=x.dtype), shape=x.shape, begin=begin, strides=strides)
    return _raw.select(_core.convert(mask), placed, x)


@op
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut `x` along an axis, into so many equal parts or at the given positions.

    Raises:
        ValueError: if the axis does not divide equally.
    """
    x = _core.convert(x)
    axis = _normalize(axis, len(x.shape), "split")
    total = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if indices_or_sections <= 0 or total % indices_or_sections:
            raise ValueError(
                f"split: axis {axis} of size {total} does not divide into {indices_or_sections} equal parts"
            )
        step = total // indices_or_sections
        edges = list(range(0, total + 1, step)) if total else [0] * (indices_or_sections + 1)
    else:
        edges = [0, *(min(int(index), total) for index in indices_or_sections), total]
    parts = []
    for begin, end in itertools.pairwise(edges):
        start = [0] * len(x.shape)
        start[axis] = begin
        sizes = list(x.shape)
        sizes[axis] = max(end - begin, 0)
        parts.append(_raw.slice(x, start, sizes, (1,) * len(sizes)))
    return parts


@op
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """Cut `x` into the slices along an axis, without that axis."""
    x = _core.convert(x)
    axis = _normalize(axis, len(x.shape), "unstack")
    if num is not None and num != x.shape[axis]:
        raise ValueError(f"unstack: axis {axis} of x {x.shape} does not have num={num} slices")
    return [squeeze(part, axis) for part in split(x, x.shape[axis], axis)] if x.shape[axis] else []


@op
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Return `x` with elements added before and after each axis.

    Args:
        x: tensor.
        pad_width: ((before, after), ...) for each axis, one pair, or one number for all.
        mode: "constant", "edge", "reflect" or "symmetric".
        constant_values: what is added in mode "constant", 0 by default.

    Raises:
        ValueError: for an unknown mode, or `constant_values` with another mode than "constant".
    """
    x = _core.convert(x)
    rank = len(x.shape)
    widths = np.broadcast_to(np.asarray(pad_width, dtype=np.int64), (rank, 2)).tolist()
    if mode == "constant":
        value = 0.0 if constant_values is None else float(constant_values)
        return _raw.pad(x, [low for low, _ in widths], [high for _, high in widths], value)
    if constant_values is not None:
        raise ValueError(f"pad: constant_values can only be given with mode='constant', got mode={mode!r}")
    if mode not in ("edge", "reflect", "symmetric"):
        raise ValueError(f"pad: mode must be 'constant', 'edge', 'reflect' or 'symmetric', got {mode!r}")
    for axis, (low, high) in enumerate(widths):
        if low or high:
            index = np.pad(np.arange(x.shape[axis], dtype="int32"), (low, high), mode)  # type: ignore[call-overload]
            x = _raw.take(x, _core.convert(index), axis=axis)
    return x


@op
def broadcast_to(x: Any, shape: Any) -> Any:
    """Return `x` repeated along axes of size 1 and new leading axes to have `shape`."""
    return _raw.broadcast_to(x, shape=tuple(shape))


@op
def tile(x: Any, repeats: Any) -> Any:
    """Return `x` repeated as a whole `repeats` times along each axis."""
    x = _core.convert(x)
    repeats = (repeats,) if isinstance(repeats, int) else tuple(int(each) for each in repeats)
    rank = max(len(x.shape), len(repeats))
    sizes = (1,) * (rank - len(x.shape)) + x.shape
    repeats = (1,) * (rank - len(repeats)) + repeats
    for axis, count in enumerate(repeats):
        x = _raw.reshape(x, sizes)
        x = (
            _raw.concatenate([x] * count, axis=axis)
            if count > 0
            else _raw.slice(
                x, (0,) * rank, tuple(0 if i == axis else size for i, size in enumerate(x.shape)), (1,) * rank
            )
        )
        sizes = x.shape
    return x


@op
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Return `x` with each element along `axis` repeated; of the flattened tensor for None."""
    x = _core.convert(x)
    if axis is None:
        x, axis = _raw.reshape(x, (-1,)), 0
    index = np.repeat(np.arange(x.shape[axis], dtype="int32"), np.asarray(repeats))
    return _raw.take(x, _core.convert(index), axis=axis)


@op
def flip(x: Any, axis: Any = None) -> Any:
    """Return `x` with the order along `axis` (all axes for None) reversed."""
    x = _core.convert(x)
    rank = len(x.shape)
    axes = range(rank) if axis is None else [axis] if isinstance(axis, int) else axis
    turned = {_normalize(each, rank, "flip") for each in axes}
    begin = [size - 1 if i in turned else 0 for i, size in enumerate(x.shape)]
    return _raw.slice(x, begin, x.shape, [-1 if i in turned else 1 for i in range(rank)])


@op
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Return `x` with elements moved along `axis`, those that leave coming back at the other end."""
    x = _core.convert(x)
    if axis is None:
        return _raw.reshape(roll(_raw.reshape(x, (-1,)), shift, 0), x.shape)
    shifts = [shift] if isinstance(shift, int) else list(shift)
    for amount, each in zip(shifts, [axis] if isinstance(axis, int) else axis):
        size = x.shape[each]
        if size:
            index = (np.arange(size) - amount) % size
            x = _raw.take(x, _core.convert(index.astype("int32")), axis=each)
    return x


@op
def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Return the array turned by k quarter turns in the plane of two axes."""
    k %= 4
    if k == 0:
        return _core.convert(array)
    if k == 2:
        return flip(array, axes)
    turned = swapaxes(array, *axes)
    return flip(turned, axes[0] if k == 1 else axes[1])


@op
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the diagonal of the plane of two axes as a new last axis."""
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2:]
    steps = np.arange(max(0, min(rows + min(offset, 0), columns - max(offset, 0))))
    index = (steps - min(offset, 0)) * columns + steps + max(offset, 0)
    flat = _raw.reshape(x, (*x.shape[:-2], rows * columns))
    return _raw.take(flat, _core.convert(index.astype("int32")), axis=-1)


@op
def diag(x: Any, k: int = 0) -> Any:
    """Return the k-th diagonal of a matrix, or a matrix with a vector on that diagonal."""
    x = _core.convert(x)
    if len(x.shape) == 2:
        return diagonal(x, k)
    n = x.shape[0] + abs(k)
    steps = np.arange(x.shape[0])
    index = (steps + max(-k, 0)) * n + steps + max(k, 0)
    flat = _raw.take_grad(x, _core.convert(index.astype("int32")), shape=(n * n,), axis=0)
    return _raw.reshape(flat, (n, n))


@op
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """Join two tensors along an axis; both flattened for None."""
    if axis is None:
        return _raw.concatenate([_raw.reshape(x1, (-1,)), _raw.reshape(x2, (-1,))], axis=0)
    return _raw.concatenate([x1, x2], axis=axis)


@op
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut `x` along an axis into parts that are as equal as can be, or at the given positions."""
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    x = _core.convert(x)
    least, longer = divmod(x.shape[axis], indices_or_sections)
    sizes = [least + (i < longer) for i in range(indices_or_sections)]
    return split(x, np.cumsum(sizes)[:-1].tolist(), axis)


@op
def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut `x` along its first axis."""
    return split(x, indices_or_sections, 0)


@op
def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut `x` along its second axis, a vector along its only one."""
    x = _core.convert(x)
    return split(x, indices_or_sections, 0 if len(x.shape) == 1 else 1)


@op
def dsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut `x` along its third axis."""
    return split(x, indices_or_sections, 2)


@op
def dstack(xs: Any) -> Any:
    """Join along the third axis; vectors and matrices get new axes for it."""
    tensors = [_core.convert(x) for x in xs]
    shapes = [(1, *x.shape, 1) if len(x.shape) == 1 else (*x.shape, 1) for x in tensors]
    return _raw.concatenate(
        [x if len(x.shape) > 2 else _raw.reshape(x, shape) for x, shape in zip(tensors, shapes)], axis=2
    )


@op
def fliplr(x: Any) -> Any:
    """Return `x` with its columns in reverse order."""
    return flip(x, 1)


@op
def flipud(x: Any) -> Any:
    """Return `x` with its rows in reverse order."""
    return flip(x, 0)


@op
def diagflat(x: Any, k: int = 0) -> Any:
    """Return a matrix with the flattened `x` on its k-th diagonal."""
    return diag(_raw.reshape(x, (-1,)), k)
