"""Ops that rearrange, join, cut and repeat tensors."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from pronghorn import _core, arguments
from pronghorn.arguments import integers, normalize_axes, normalize_axis
from pronghorn.ops.dispatch import op

__all__ = [
    "broadcast_to",
    "diag",
    "diagflat",
    "diagonal",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "moveaxis",
    "pad",
    "ravel",
    "reshape",
    "roll",
    "rot90",
    "slice",
    "slice_update",
    "squeeze",
    "swapaxes",
    "transpose",
]

_raw = _core.ops


@op
def reshape(x: Any, newshape: Any) -> Any:
    """Return `x` in another shape of the same number of elements; one entry may be -1.

    Args:
        x: tensor.
        newshape: int or ints.

    Returns:
        tensor sharing the memory of `x`.

    Raises:
        ValueError: if the elements do not fit.

    Example:
        >>> from pronghorn import ops
        >>> ops.reshape([[1, 2], [3, 4]], (-1,))
        ph.Tensor([1 2 3 4], shape=(4,), dtype=int32)
    """
    return _raw.reshape(x, integers(newshape, "reshape: newshape"))


@op
def ravel(x: Any) -> Any:
    """Return `x` with one dimension."""
    return _raw.reshape(x, (-1,))


@op
def transpose(x: Any, axes: Any = None) -> Any:
    """Return `x` with its axes permuted, reversed by default.

    Args:
        x: tensor.
        axes: for each axis of the result the axis of `x`; None reverses them.

    Returns:
        tensor.

    Raises:
        ValueError: if `axes` is no permutation.

    Example:
        >>> from pronghorn import ops
        >>> ops.transpose([[1, 2], [3, 4]])
        ph.Tensor([[1 3]
         [2 4]], shape=(2, 2), dtype=int32)
    """
    return _raw.transpose(x, () if axes is None else integers(axes, "transpose: axes"))


@op
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return `x` with two axes changed about."""
    x = _core.convert(x)
    rank = len(x.shape)
    axes = list(range(rank))
    axis1, axis2 = normalize_axis(axis1, rank, "swapaxes"), normalize_axis(axis2, rank, "swapaxes")
    axes[axis1], axes[axis2] = axis2, axis1
    return _raw.transpose(x, axes)


@op
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Return `x` with some axes moved to other places."""
    x = _core.convert(x)
    source = integers(source, "moveaxis: source")
    destination = integers(destination, "moveaxis: destination")
    if len(source) != len(destination):
        raise ValueError(f"moveaxis: source {source} and destination {destination} differ in length")
    rank = len(x.shape)
    source = tuple(normalize_axis(axis, rank, "moveaxis") for axis in source)
    order = [axis for axis in range(rank) if axis not in source]
    for to, origin in sorted(
        (normalize_axis(axis, rank, "moveaxis"), origin) for axis, origin in zip(destination, source)
    ):
        order.insert(to, origin)
    return _raw.transpose(x, order)


@op
def expand_dims(x: Any, axis: Any) -> Any:
    """Return `x` with new axes of size 1 at `axis`.

    Args:
        x: tensor.
        axis: an int or several, counted in the result.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.expand_dims([1, 2], -1).shape
        (2, 1)
    """
    x = _core.convert(x)
    axes = integers(axis, "expand_dims: axis")
    rank = len(x.shape) + len(axes)
    places = {normalize_axis(each, rank, "expand_dims") for each in axes}
    sizes = iter(x.shape)
    return _raw.reshape(x, tuple(1 if i in places else next(sizes) for i in range(rank)))


@op
def squeeze(x: Any, axis: Any = None) -> Any:
    """Return `x` without its axes of size 1, or without those `axis` names.

    Args:
        x: tensor.
        axis: an int or several; None for all of size 1.

    Returns:
        tensor.

    Raises:
        ValueError: if a named axis has another size.

    Example:
        >>> from pronghorn import ops
        >>> ops.squeeze([[1, 2]])
        ph.Tensor([1 2], shape=(2,), dtype=int32)
    """
    x = _core.convert(x)
    rank = len(x.shape)
    if axis is None:
        return _raw.reshape(x, tuple(size for size in x.shape if size != 1))
    axes = set(normalize_axes(axis, rank, "squeeze"))
    for each in axes:
        if x.shape[each] != 1:
            raise ValueError(f"squeeze: axis {each} of x {x.shape} does not have size 1")
    return _raw.reshape(x, tuple(size for i, size in enumerate(x.shape) if i not in axes))


@op
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """Return the block of `shape` that starts at `start_indices`; an entry of -1 in `shape` goes to the end.

    Args:
        inputs: tensor.
        start_indices: an int for each axis.
        shape: an int for each axis.

    Returns:
        tensor.

    Raises:
        ValueError: if the block leaves `inputs`.

    Example:
        >>> from pronghorn import ops
        >>> ops.slice([1, 2, 3, 4], (1,), (2,))
        ph.Tensor([2 3], shape=(2,), dtype=int32)
    """
    x = _core.convert(inputs)
    begin, sizes = integers(start_indices, "slice: start_indices"), integers(shape, "slice: shape")
    if not len(begin) == len(sizes) == len(x.shape):
        raise ValueError(
            f"slice: start_indices {begin} and shape {sizes} must have an entry for each axis of inputs {x.shape}"
        )
    sizes = tuple(x.shape[i] - begin[i] if size == -1 else size for i, size in enumerate(sizes))
    return _raw.slice(x, begin, sizes, (1,) * len(begin))


@op
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """Return `inputs` with the block that starts at `start_indices` replaced by `updates`.

    Args:
        inputs: tensor.
        start_indices: an int for each axis.
        updates: tensor of the rank of `inputs`.

    Returns:
        tensor like `inputs`.

    Raises:
        ValueError: if the block leaves `inputs`.

    Example:
        >>> from pronghorn import ops
        >>> ops.slice_update([1, 2, 3, 4], (1,), [7, 8])
        ph.Tensor([1 7 8 4], shape=(4,), dtype=int32)
    """
    x, updates = _core.convert(inputs), _core.convert(updates)
    begin = integers(start_indices, "slice_update: start_indices")
    if not len(begin) == len(updates.shape) == len(x.shape):
        raise ValueError(
            f"slice_update: start_indices {begin} and updates {updates.shape} must have the rank of inputs {x.shape}"
        )
    strides = (1,) * len(begin)
    mask = np.zeros(x.shape, dtype=bool)
    mask[tuple(builtins.slice(b, b + n) for b, n in zip(begin, updates.shape))] = True
    placed = _raw.slice_grad(_raw.cast(updates, dtype=x.dtype), shape=x.shape, begin=begin, strides=strides)
    return _raw.select(_core.convert(mask), placed, x)


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
    try:
        widths = np.broadcast_to(np.asarray(pad_width), (rank, 2)).tolist()
    except ValueError:
        widths = []
    if len(widths) != rank:
        raise ValueError(
            f"pad: pad_width must be a number, a pair or a pair for each axis of x {x.shape}, got {pad_width!r}"
        )
    widths = [integers(pair, "pad: pad_width", 0) for pair in widths]
    if mode == "constant":
        value = 0.0 if constant_values is None else arguments.number(constant_values, "pad: constant_values")
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
    """Return `x` repeated along axes of size 1 and new leading axes to have `shape`.

    Args:
        x: tensor.
        shape: ints.

    Returns:
        tensor.

    Raises:
        ValueError: if `x` does not fit.

    Example:
        >>> from pronghorn import ops
        >>> ops.broadcast_to([1, 2], (2, 2))
        ph.Tensor([[1 2]
         [1 2]], shape=(2, 2), dtype=int32)
    """
    return _raw.broadcast_to(x, shape=integers(shape, "broadcast_to: shape"))


@op
def flip(x: Any, axis: Any = None) -> Any:
    """Return `x` with the order along `axis` (all axes for None) reversed.

    Args:
        x: tensor.
        axis: an int, several, or None for all axes.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.flip([1, 2, 3])
        ph.Tensor([3 2 1], shape=(3,), dtype=int32)
    """
    x = _core.convert(x)
    rank = len(x.shape)
    turned = set(normalize_axes(axis, rank, "flip"))
    begin = [size - 1 if i in turned else 0 for i, size in enumerate(x.shape)]
    return _raw.slice(x, begin, x.shape, [-1 if i in turned else 1 for i in range(rank)])


@op
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Return `x` with elements moved along `axis`, those that leave coming back at the other end."""
    x = _core.convert(x)
    if axis is None:
        return _raw.reshape(roll(_raw.reshape(x, (-1,)), shift, 0), x.shape)
    shifts, axes = integers(shift, "roll: shift"), normalize_axes(axis, len(x.shape), "roll")
    if len(shifts) != len(axes):
        raise ValueError(f"roll: shift {shifts} and axis {axes} differ in length")
    for amount, each in zip(shifts, axes):
        size = x.shape[each]
        if size:
            index = (np.arange(size) - amount % size) % size
            x = _raw.take(x, _core.convert(index.astype("int32")), axis=each)
    return x


@op
def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Return the array turned by k quarter turns in the plane of two axes."""
    k = arguments.integer(k, "rot90: k") % 4
    array = _core.convert(array)
    plane = normalize_axes(axes, len(array.shape), "rot90")
    if len(plane) != 2 or plane[0] == plane[1]:
        raise ValueError(f"rot90: axes must be two different axes of array {array.shape}, got {axes}")
    if k == 0:
        return array
    if k == 2:
        return flip(array, plane)
    turned = swapaxes(array, *plane)
    return flip(turned, plane[0] if k == 1 else plane[1])


@op
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the diagonal of the plane of two axes as a new last axis."""
    x = _core.convert(x)
    rank = len(x.shape)
    axis1, axis2 = normalize_axis(axis1, rank, "diagonal"), normalize_axis(axis2, rank, "diagonal")
    if axis1 == axis2:
        raise ValueError(f"diagonal: axis1 and axis2 must differ, got {axis1} twice")
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    offset = min(max(arguments.integer(offset, "diagonal: offset"), -x.shape[-2]), x.shape[-1])
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
    if len(x.shape) != 1:
        raise ValueError(f"diag: x must be a vector or a matrix, got shape {x.shape}")
    k = arguments.integer(k, "diag: k")
    arguments.allocatable((x.shape[0] + abs(k),) * 2, "diag")
    n = x.shape[0] + abs(k)
    steps = np.arange(x.shape[0])
    index = (steps + max(-k, 0)) * n + steps + max(k, 0)
    flat = _raw.take_grad(x, _core.convert(index.astype("int32")), shape=(n * n,), axis=0)
    return _raw.reshape(flat, (n, n))


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
