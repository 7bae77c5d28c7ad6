"""Constraints: what a variable's value is replaced by after each update."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, config, ops


class Constraint:
    """Base class: define `__call__(w)`, which returns the constrained value of a variable."""

    def __call__(self, w: Any) -> Any:
        """Return `w` constrained; as it is unless a derived class says otherwise."""
        return w

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """Make a constraint from `get_config`'s result."""
        return cls(**config)


def _norm(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Vectors along `axis` are scaled down to a length of at most `max_value`.

    Args:
        max_value: longest length.
        axis: along which lengths are measured; for a Dense kernel 0, for a Conv2D kernel [0, 1, 2].

    Example:
        >>> import pronghorn as ph
        >>> ph.constraints.MaxNorm(1.0)(ph.constant([[3.0], [4.0]])).numpy().round(3).tolist()
        [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = arguments.number_between(max_value, "MaxNorm: max_value", 0)
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """Return `w` with long vectors scaled down."""
        norms = _norm(w, self.axis)
        return w * (ops.clip(norms, 0, self.max_value) / (norms + config.epsilon()))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Negative values become zero."""

    def __call__(self, w: Any) -> Any:
        """Return `w` with negative values set to zero."""
        return ops.relu(w)


class UnitNorm(Constraint):
    """Vectors along `axis` are scaled to length 1.

    Args:
        axis: along which lengths are measured.
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """Return `w` with vectors of length 1."""
        return w / (_norm(w, self.axis) + config.epsilon())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Vectors along `axis` are scaled towards a length between two bounds.

    Args:
        min_value, max_value: bounds of the length.
        rate: 1 enforces the bounds at once, smaller values only step by step.
        axis: along which lengths are measured.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value = arguments.number_between(min_value, "MinMaxNorm: min_value", 0)
        self.max_value = arguments.number_between(max_value, "MinMaxNorm: max_value", self.min_value)
        self.rate = arguments.number_between(rate, "MinMaxNorm: rate", 0, 1)
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """Return `w` with vectors scaled towards the bounds."""
        norms = _norm(w, self.axis)
        wanted = ops.clip(norms, self.min_value, self.max_value) * self.rate + norms * (1 - self.rate)
        return w * (wanted / (norms + config.epsilon()))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}
