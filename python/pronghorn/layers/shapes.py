"""Shapes in nested structures, and the ways in which layers are told shapes."""

from __future__ import annotations

from typing import Any

from pronghorn import tree
from pronghorn.symbolic import KerasTensor
from pronghorn.tensor import Tensor
from pronghorn.variable import Variable


def is_shape(value: Any) -> bool:
    """Tell whether `value` is one shape: a tuple or list of sizes, None for unknown ones."""
    return isinstance(value, (list, tuple)) and all(size is None or isinstance(size, int) for size in value)


def shape_of(x: Any) -> Any:
    """Return the shapes of a structure of tensors."""
    return tree.map_structure(lambda leaf: None if leaf is None else tuple(leaf.shape), x)


def as_shapes(value: Any) -> Any:
    """Turn lists of sizes, as JSON has them, back into shape tuples, in any structure."""
    if is_shape(value):
        return tuple(value)
    if isinstance(value, dict):
        return {key: as_shapes(item) for key, item in value.items()}
    return type(value)(as_shapes(item) for item in value) if isinstance(value, (list, tuple)) else value


def specs_of(shapes: Any, dtype: str) -> Any:
    """Return symbolic tensors for a structure of shape tuples."""
    if is_shape(shapes):
        return KerasTensor(shapes, dtype)
    if isinstance(shapes, dict):
        return {key: specs_of(shape, dtype) for key, shape in shapes.items()}
    return type(shapes)(specs_of(shape, dtype) for shape in shapes)


def holds_tensors(value: Any) -> bool:
    """Tell whether all leaves of `value` are tensors."""
    leaves = tree.flatten(value)
    return bool(leaves) and all(isinstance(leaf, (Tensor, KerasTensor, Variable)) for leaf in leaves)


def legacy_input_shape(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """Take Keras 2's ways of giving the input shape out of `kwargs`; the result begins with the batch size."""
    batch_shape = kwargs.pop("batch_input_shape", None)
    shape = kwargs.pop("input_shape", None)
    dim = kwargs.pop("input_dim", None)
    length = kwargs.pop("input_length", None)
    if batch_shape is not None:
        return tuple(batch_shape)
    if shape is not None:
        return (None, shape) if isinstance(shape, int) else (None, *shape)
    if dim is not None:
        return (None, dim) if length is None else (None, length, dim)
    return None
