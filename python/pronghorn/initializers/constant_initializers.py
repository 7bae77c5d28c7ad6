"""Initializers without chance."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, config, ops
from pronghorn.initializers.initializer import Initializer
from pronghorn.ops.creation import standardize_dtype


class Zeros(Initializer):
    """Zeros."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return zeros of `shape`."""
        return ops.zeros(shape, dtype)


class Ones(Initializer):
    """Ones."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return ones of `shape`."""
        return ops.ones(shape, dtype)


class Constant(Initializer):
    """One value throughout.

    Args:
        value: number, or array that broadcasts to the shape.
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return a tensor of `shape` filled with the value."""
        return ops.full(shape, self.value, standardize_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"value": self.value}


class Identity(Initializer):
    """The identity matrix times `gain`.

    Args:
        gain: factor.

    Raises:
        ValueError: when called for a shape that is no matrix.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = arguments.number_between(gain, "Identity: gain")

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return the scaled identity."""
        shape = arguments.integers(shape, "Identity: shape", least=0)
        if len(shape) != 2:
            raise ValueError(f"Identity: shape must have two dimensions, got {tuple(shape)}")
        return ops.eye(shape[0], shape[1], dtype=dtype or config.floatx()) * self.gain

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"gain": self.gain}
