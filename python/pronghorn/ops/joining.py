"""Ops that join, cut and repeat tensors."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from pronghorn import _core, arguments
from pronghorn.arguments import integers, normalize_axis
from pronghorn.ops.dispatch import op
from pronghorn.ops.manipulation import expand_dims, squeeze

__all__ = [
    "append",
    "array_split",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "repeat",
    "split",
    "stack",
    "tile",
    "unstack",
    "vsplit",
    "vstack",
]

_raw = _core.ops


def _list_of(xs: Any, name: str) -> list[Any]:
    """The tensors to be joined."""
    if isinstance(xs, (str, dict)) or not isinstance(xs, Iterable):
        raise TypeError(f"{name}: inputs must be a sequence of tensors, got {arguments.shown(xs)}")
    tensors = list(xs)
    if not tensors:
        raise ValueError(f"{name}: `inputs` is empty")
    return tensors


@op
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Join tensors along an axis; they may differ in that axis only.

    Args:
        xs: sequence of tensors; different dtypes are brought to a common one.
        axis: an int.

    Returns:
        tensor.

    Raises:
        ValueError: if they differ in another axis, or there are none.

    Example:
        >>> from pronghorn import ops
        >>> ops.concatenate([[1, 2], [3]])
        ph.Tensor([1 2 3], shape=(3,), dtype=int32)
    """
    return _raw.concatenate(_list_of(xs, "concatenate"), axis=axis)


@op
def stack(x: Any, axis: int = 0) -> Any:
    """Join tensors of one shape along a new axis.

    Args:
        x: sequence of tensors.
        axis: where the new axis lies in the result.

    Returns:
        tensor.

    Raises:
        ValueError: if their shapes differ.

    Example:
        >>> from pronghorn import ops
        >>> ops.stack([[1, 2], [3, 4]], axis=1)
        ph.Tensor([[1 3]
         [2 4]], shape=(2, 2), dtype=int32)
    """
    return _raw.concatenate([expand_dims(each, axis) for each in _list_of(x, "stack")], axis=axis)


@op
def vstack(xs: Any) -> Any:
    """Join along the first axis; vectors become rows."""
    return concatenate(
        [_raw.reshape(x, (1, -1)) if len(x.shape) < 2 else x for x in map(_core.convert, _list_of(xs, "vstack"))],
        axis=0,
    )


@op
def hstack(xs: Any) -> Any:
    """Join along the second axis; vectors along their only one."""
    tensors = [_core.convert(x) for x in _list_of(xs, "hstack")]
    return concatenate(tensors, axis=0 if len(tensors[0].shape) <= 1 else 1)


@op
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut `x` along an axis, into so many equal parts or at the given positions.

    Args:
        x: tensor.
        indices_or_sections: the number of parts, or the positions of the cuts.
        axis: an int.

    Returns:
        list of tensors.

    Raises:
        ValueError: if the axis does not divide equally.

    Example:
        >>> from pronghorn import ops
        >>> [part.tolist() for part in ops.split([1, 2, 3, 4], 2)]
        [[1, 2], [3, 4]]
    """
    x = _core.convert(x)
    axis = normalize_axis(axis, len(x.shape), "split")
    total = x.shape[axis]
    if isinstance(indices_or_sections, int):
        equal = _raw.split(x, parts=indices_or_sections, axis=axis)
        return list(equal) if isinstance(equal, tuple) else [equal]
    cuts = integers(indices_or_sections, "split: indices_or_sections", 0)
    edges = [0, *(min(index, total) for index in cuts), total]
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
    """Cut `x` into the slices along an axis, without that axis.

    Args:
        x: tensor.
        num: how many slices there must be.
        axis: an int.

    Returns:
        list of tensors.

    Raises:
        ValueError: if there are not `num`.

    Example:
        >>> from pronghorn import ops
        >>> [part.tolist() for part in ops.unstack([[1, 2], [3, 4]])]
        [[1, 2], [3, 4]]
    """
    x = _core.convert(x)
    axis = normalize_axis(axis, len(x.shape), "unstack")
    if num is not None and num != x.shape[axis]:
        raise ValueError(f"unstack: axis {axis} of x {x.shape} does not have num={num} slices")
    return [squeeze(part, axis) for part in split(x, x.shape[axis], axis)] if x.shape[axis] else []


@op
def tile(x: Any, repeats: Any) -> Any:
    """Return `x` repeated as a whole `repeats` times along each axis.

    Args:
        x: tensor.
        repeats: an int or one for each axis.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.tile([1, 2], 2)
        ph.Tensor([1 2 1 2], shape=(4,), dtype=int32)
    """
    x = _core.convert(x)
    repeats = integers(repeats, "tile: repeats", least=0)
    rank = max(len(x.shape), len(repeats))
    sizes = (1,) * (rank - len(x.shape)) + x.shape
    repeats = (1,) * (rank - len(repeats)) + repeats
    arguments.allocatable(tuple(size * count for size, count in zip(sizes, repeats)), "tile")
    if max(repeats, default=0) > 1 << 24:
        raise ValueError(f"tile: repeats must be at most 2**24, got {repeats}")
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
    """Return `x` with each element along `axis` repeated; of the flattened tensor for None.

    Args:
        x: tensor.
        repeats: an int, or one for each element along the axis.
        axis: an int, or None.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.repeat([1, 2], 2)
        ph.Tensor([1 1 2 2], shape=(4,), dtype=int32)
    """
    x = _core.convert(x)
    if axis is None:
        x, axis = _raw.reshape(x, (-1,)), 0
    axis = normalize_axis(axis, len(x.shape), "repeat")
    size = x.shape[axis]
    counts = integers(repeats, "repeat: repeats", least=0)
    if len(counts) not in (1, size):
        raise ValueError(f"repeat: repeats must be one number or {size}, one for each element; got {len(counts)}")
    arguments.allocatable((size * counts[0] if len(counts) == 1 else sum(counts),), "repeat")
    index = np.repeat(np.arange(size, dtype="int32"), counts)
    return _raw.take(x, _core.convert(index), axis=axis)


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
    axis = normalize_axis(axis, len(x.shape), "array_split")
    if not 0 < indices_or_sections < 1 << 20:
        raise ValueError(
            f"array_split: indices_or_sections must be positive and below 2**20, got {indices_or_sections}"
        )
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
    tensors = [_core.convert(x) for x in _list_of(xs, "dstack")]
    shapes = [(1, *x.shape, 1) if len(x.shape) == 1 else (*x.shape, 1) for x in tensors]
    return _raw.concatenate(
        [x if len(x.shape) > 2 else _raw.reshape(x, shape) for x, shape in zip(tensors, shapes)], axis=2
    )
