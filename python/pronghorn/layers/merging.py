"""Layers that join several tensors into one."""

from __future__ import annotations

import functools
from typing import Any

from pronghorn import arguments, ops
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config
from pronghorn.layers.masks import get_mask
from pronghorn.layers.shapes import is_shape


class Merge(Layer):
    """A layer called on a list of tensors, joined element by element.

    Ranks may differ: axes of size 1 are put in after the batch axis.
    """

    least = 1

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        kind = type(self).__name__
        if is_shape(input_shape) or not isinstance(input_shape, (list, tuple)) or len(input_shape) < self.least:
            raise ValueError(f"{kind} must be called on a list of at least {self.least} tensors, got {input_shape}")
        if not all(is_shape(shape) for shape in input_shape):
            raise ValueError(f"{kind} must be called on a list of tensors, got shapes {input_shape}")
        if len({shape[0] for shape in input_shape if shape} - {None}) > 1:
            raise ValueError(f"{kind}: tensors of different batch sizes cannot be joined, got shapes {input_shape}")
        self._check_shapes(input_shape)

    def _check_shapes(self, shapes: Any) -> None:
        longest = max(len(shape) for shape in shapes)
        padded = [(*shape[:1], *(1,) * (longest - len(shape)), *shape[1:]) for shape in shapes]
        for sizes in zip(*padded):
            if len(set(sizes) - {1, None}) > 1:
                raise ValueError(f"{type(self).__name__}: shapes {list(shapes)} do not fit together")

    def join(self, inputs: list[Any]) -> Any:
        """Return the tensors, of equal rank, joined."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"{type(self).__name__} must be called on a list of tensors, got {inputs!r}")
        if not all(hasattr(x, "shape") for x in inputs):
            raise ValueError(f"{type(self).__name__} must be called on a list of tensors, got {inputs!r}")
        rank = max(len(x.shape) for x in inputs)
        return self.join([_with_rank(x, rank) for x in inputs])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or any(each is None for each in mask):
            return None
        return functools.reduce(ops.logical_or, mask)


def _with_rank(x: Any, rank: int) -> Any:
    if len(x.shape) == rank:
        return x
    return ops.reshape(x, (*x.shape[:1], *(1,) * (rank - len(x.shape)), *x.shape[1:]))


def _mask_apart(op: Any, inputs: list[Any]) -> Any:
    """Join with `op`; where an input is masked, it has no say."""
    result, known = None, None
    for x in inputs:
        mask = get_mask(x)
        if mask is not None:
            mask = ops.broadcast_to(ops.expand_dims(mask, -1), x.shape)
        if result is None:
            result, known = x, mask
            continue
        mine = x if mask is None else ops.where(mask, x, result)
        result = result if known is None else ops.where(known, result, mine)
        known = None if mask is None or known is None else ops.logical_or(known, mask)
        result = op(result, mine)
    return result


class Add(Merge):
    """The sum of a list of tensors.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Add()([ph.ops.ones((2, 3)), ph.ops.ones((2, 3))]).shape
        (2, 3)
    """

    def join(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.add, inputs)


class Subtract(Merge):
    """The first of two tensors minus the second.

    Raises:
        ValueError: if it is not called on two tensors.
    """

    least = 2

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"Subtract must be called on exactly 2 tensors, got shapes {input_shape}")

    def join(self, inputs: list[Any]) -> Any:
        return ops.subtract(inputs[0], inputs[1])


class Multiply(Merge):
    """The product of a list of tensors, element by element."""

    def join(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.multiply, inputs)


class Average(Merge):
    """The mean of a list of tensors, element by element."""

    def join(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.add, inputs) / len(inputs)


class Maximum(Merge):
    """The largest of a list of tensors, element by element; masked entries have no say."""

    def join(self, inputs: list[Any]) -> Any:
        return _mask_apart(ops.maximum, inputs)


class Minimum(Merge):
    """The smallest of a list of tensors, element by element; masked entries have no say."""

    def join(self, inputs: list[Any]) -> Any:
        return _mask_apart(ops.minimum, inputs)


class Concatenate(Merge):
    """A list of tensors one after another along an axis.

    Args:
        axis: int; not the batch axis of inputs whose batch sizes differ.

    Raises:
        ValueError: if the other axes differ.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Concatenate()([ph.ops.ones((2, 3)), ph.ops.ones((2, 5))]).shape
        (2, 8)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = arguments.integer(axis, "Concatenate: axis")

    def _check_shapes(self, shapes: Any) -> None:
        ranks = {len(shape) for shape in shapes}
        message = f"Concatenate: shapes {list(shapes)} must agree but for axis {self.axis}"
        if len(ranks) != 1 or not -min(ranks) <= self.axis < min(ranks):
            raise ValueError(message)
        axis = self.axis % min(ranks)
        for position, sizes in enumerate(zip(*shapes)):
            if position != axis and len(set(sizes) - {None}) > 1:
                raise ValueError(message)

    def join(self, inputs: list[Any]) -> Any:
        return ops.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or all(each is None for each in mask):
            return None
        full = []
        for x, each in zip(inputs, mask):
            if each is None:
                full.append(ops.ones(x.shape, dtype="bool"))
            else:
                each = ops.expand_dims(each, -1) if len(each.shape) < len(x.shape) else each
                full.append(ops.broadcast_to(each, x.shape))
        return ops.any(ops.concatenate(full, axis=self.axis), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "axis")}


class Dot(Merge):
    """The dot products of two tensors along an axis of each, for every sample.

    Args:
        axes: int or two ints, the axes; not the batch axis.
        normalize: bool, whether to scale both to length 1 along them first, which gives the cosine.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Dot(axes=(1, 2))([ph.ops.ones((2, 3, 5)), ph.ops.ones((2, 10, 3))]).shape
        (2, 5, 10)
    """

    least = 2

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(f"Dot: axes must be an int or two, got {axes!r}")
            if len(axes) != 2 or not all(isinstance(axis, int) for axis in axes):
                raise ValueError(f"Dot: axes must be an int or two, got {axes!r}")
        self.axes = axes
        self.normalize = normalize

    def _axes_for(self, x_shape: Any, y_shape: Any) -> tuple[int, int]:
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        return pair[0] % len(x_shape), pair[1] % len(y_shape)

    def _check_shapes(self, shapes: Any) -> None:
        if len(shapes) != 2 or min(len(shape) for shape in shapes) < 2:
            raise ValueError(f"Dot must be called on 2 tensors of rank 2 or more, got shapes {list(shapes)}")
        x_axis, y_axis = self._axes_for(*shapes)
        if 0 in (x_axis, y_axis):
            raise ValueError(f"Dot: axes must not be the batch axis, got {self.axes}")
        sizes = {shapes[0][x_axis], shapes[1][y_axis]} - {None}
        if len(sizes) > 1:
            raise ValueError(f"Dot: shapes {list(shapes)} differ along axes {self.axes}")

    def call(self, inputs: Any) -> Any:
        x, y = inputs
        x_axis, y_axis = self._axes_for(x.shape, y.shape)
        if self.normalize:
            x, y = _unit_length(x, x_axis), _unit_length(y, y_axis)
        x, y = _axis_to(x, x_axis, len(x.shape) - 1), _axis_to(y, y_axis, 1)
        size = x.shape[-1]
        rows, columns = x.shape[1:-1], y.shape[2:]
        x = ops.reshape(x, (x.shape[0], _product(rows), size))
        y = ops.reshape(y, (y.shape[0], size, _product(columns)))
        return ops.reshape(ops.matmul(x, y), (x.shape[0], *rows, *columns) if rows or columns else (x.shape[0], 1))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "axes", "normalize")}


def _unit_length(x: Any, axis: int) -> Any:
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))


def _axis_to(x: Any, axis: int, position: int) -> Any:
    order = [each for each in range(len(x.shape)) if each != axis]
    order.insert(position, axis)
    return x if order == sorted(order) else ops.transpose(x, order)


def _product(sizes: Any) -> int:
    return functools.reduce(lambda a, b: a * b, sizes, 1)


def add(inputs: Any, **kwargs: Any) -> Any:
    """Return `Add(**kwargs)(inputs)`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """Return `Subtract(**kwargs)(inputs)`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """Return `Multiply(**kwargs)(inputs)`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """Return `Average(**kwargs)(inputs)`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """Return `Maximum(**kwargs)(inputs)`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """Return `Minimum(**kwargs)(inputs)`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Return `Concatenate(axis, **kwargs)(inputs)`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Return `Dot(axes, **kwargs)(inputs)`."""
    return Dot(axes=axes, **kwargs)(inputs)
