"""Regularizers: penalties on a variable's value, added to the loss."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import arguments, ops


class Regularizer:
    """Base class: define `__call__(x)`, which returns a scalar penalty."""

    def __call__(self, x: Any) -> Any:
        """Return the penalty for `x`; zero unless a derived class says otherwise."""
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        raise NotImplementedError(f"{type(self).__name__} must define get_config()")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """Make a regularizer from `get_config`'s result."""
        return cls(**config)


def _factor(name: str, value: Any) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(arguments.number(value, name))
    ):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return float(value)


class L1L2(Regularizer):
    """l1 * sum(|x|) + l2 * sum(x^2).

    Args:
        l1, l2: factors.

    Raises:
        ValueError: if a factor is not a finite number.

    Example:
        >>> import pronghorn as ph
        >>> float(ph.regularizers.L1L2(l1=1.0, l2=0.5)(ph.constant([1.0, -2.0])))
        5.5
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor("l1", 0.0 if l1 is None else l1)
        self.l2 = _factor("l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        """Return the penalty for `x`."""
        penalty: Any = 0.0
        if self.l1:
            penalty = penalty + ops.sum(ops.abs(x)) * self.l1
        if self.l2:
            penalty = penalty + ops.sum(ops.square(x)) * self.l2
        return ops.convert_to_tensor(penalty)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """l1 * sum(|x|).

    Args:
        l1: factor.
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _factor("l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        """Return the penalty for `x`."""
        return ops.sum(ops.abs(x)) * self.l1

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l1": self.l1}


class L2(Regularizer):
    """l2 * sum(x^2).

    Args:
        l2: factor.
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        """Return the penalty for `x`."""
        return ops.sum(ops.square(x)) * self.l2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Penalty on the cosines between the rows (or columns) of a matrix.

    Args:
        factor: strength.
        mode: "rows" or "columns".

    Raises:
        ValueError: for another mode, or when called on what is not a matrix.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor("factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(f"mode must be 'rows' or 'columns', got {mode!r}")
        self.mode = mode

    def __call__(self, inputs: Any) -> Any:
        """Return the penalty for a matrix."""
        if not hasattr(inputs, "shape"):
            inputs = ops.convert_to_tensor(inputs)
        if len(inputs.shape) != 2:
            raise ValueError(f"OrthogonalRegularizer: wants a matrix, got shape {inputs.shape}")
        rows = self.mode == "rows"
        matrix = ops.normalize(inputs, axis=1 if rows else 0)
        products = ops.matmul(matrix, ops.transpose(matrix)) if rows else ops.matmul(ops.transpose(matrix), matrix)
        size = inputs.shape[0 if rows else 1]
        pairs = size * (size - 1) / 2
        apart = ops.abs(products * (1.0 - ops.eye(size, dtype=products.dtype)))
        return ops.sum(apart) * (self.factor * 0.5 / pairs) if pairs else ops.sum(apart)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"factor": self.factor, "mode": self.mode}
