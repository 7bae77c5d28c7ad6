"""Initializer: the base class."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import arguments


class Initializer:
    """Base class: define `__call__(shape, dtype=None)`, which returns a tensor.

    Example:
        >>> import pronghorn as ph
        >>> class Sevens(ph.Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return ph.ops.full(shape, 7, dtype or "float32")
        >>> ph.layers.Dense(2, kernel_initializer=Sevens()).kernel_initializer((1, 2)).numpy()
        array([[7., 7.]], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return a tensor of `shape`."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype)")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Make an initializer from `get_config`'s result."""
        return cls(**config)

    def clone(self) -> Initializer:
        """Return a new initializer with the same settings."""
        return type(self).from_config(self.get_config())


def compute_fans(shape: Any, input_axes: Any = None, output_axes: Any = None) -> tuple[int, int]:
    """Return how many inputs and outputs each unit of a weight has: fan_in and fan_out.

    Args:
        shape: (inputs, outputs) for dense kernels, (*size, inputs, outputs) for convolutions.
        input_axes, output_axes: the axes whose sizes are multiplied for fan_in and fan_out, for weights laid out
            otherwise; they count only if both are given.

    Raises:
        IndexError: for an axis that the shape does not have.
    """
    shape = arguments.integers(shape, "shape", least=0)
    if input_axes is not None and output_axes is not None:
        for name, axes in (("input_axes", input_axes), ("output_axes", output_axes)):
            if any(not -len(shape) <= axis < len(shape) for axis in axes):
                raise IndexError(f"{name} must be axes of the shape {shape}, got {axes!r}")
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    taps = math.prod(shape[:-2])
    return shape[-2] * taps, shape[-1] * taps
