"""Variable: a named tensor that changes over time."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from pronghorn import _core, arguments, config
from pronghorn.ops import operators  # noqa: F401  a variable is used in arithmetic


class Variable(_core.Variable):
    """A named place for a tensor that changes: a weight, an optimizer slot, a metric's count.

    Args:
        initializer: the first value (anything array-like), a callable `f(shape, dtype=...)` returning it, or the name
            of an initializer, such as "zeros".
        shape: the shape; needed with a callable or named initializer.
        dtype: a dtype name; by default the initial value's, the default float for Python floats or a callable.
        trainable: whether gradient tapes watch it and optimizers change it.
        name: how it is called in summaries and programs.
        autocast: whether layers of mixed precision see it in the dtype they compute in.

    Raises:
        ValueError: if an initializer has no such name or comes without `shape`, or a value does not have the `shape`
            given.

    Example:
        >>> import pronghorn as ph
        >>> v = ph.Variable([1.0, 2.0], name="v")
        >>> v.assign_add([1.0, 1.0])
        >>> v.numpy()
        array([2., 3.], dtype=float32)
    """

    def __init__(
        self,
        initializer: Any,
        shape: tuple[int, ...] | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        name: str = "variable",
        regularizer: Callable[..., Any] | None = None,
        constraint: Callable[..., Any] | None = None,
        autocast: bool = True,
    ) -> None:
        if isinstance(initializer, str):
            # found when one is named: initializers, whose seeds are variables, import this module
            initializer = importlib.import_module("pronghorn.initializers").get(initializer)
        if callable(initializer) and not isinstance(initializer, (_core.Tensor, _core.Variable)):
            if shape is None:
                raise ValueError(f"Variable: shape is needed with the initializer {initializer!r}")
            value = initializer(arguments.integers(shape, "Variable: shape", least=0), dtype=dtype or config.floatx())
        else:
            value = initializer
        tensor = _core.convert(value)
        if dtype is not None and tensor.dtype != dtype:
            tensor = _core.ops.cast(tensor, dtype=dtype)
        if shape is not None and arguments.integers(shape, "Variable: shape") != tensor.shape:
            raise ValueError(f"Variable: shape is {shape}, the initial value has shape {tensor.shape}")
        super().__init__(tensor, name, trainable)
        self.name = name
        self.path = name
        self.regularizer = regularizer
        self.constraint = constraint
        self.native_autocast = bool(autocast)

    @property
    def autocast(self) -> bool:
        """Whether layers of mixed precision see it in the dtype they compute in."""
        return self.native_autocast

    @property
    def trainable(self) -> bool:
        """Whether gradient tapes watch it and optimizers change it."""
        return self.native_trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.native_trainable = bool(value)

    @property
    def path(self) -> str:
        """The full name, with the names of the layers it belongs to: "dense/kernel"."""
        return self.native_name

    @path.setter
    def path(self, value: str) -> None:
        self.native_name = value

    @property
    def value(self) -> _core.Tensor:
        """The present value; within a call of a layer of mixed precision in the dtype that the layer computes in."""
        return self.seen()

    @property
    def device(self) -> str:
        """The name of the device the value lies on."""
        return self.stored.device

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def assign(self, value: Any) -> _core.Tensor:
        """Replace the value; it keeps its shape and dtype. Returns the new value.

        Raises:
            ValueError: if `value` has another shape.
        """
        tensor = _core.convert(value)
        if tensor.dtype != self.stored_dtype:
            tensor = _core.ops.cast(tensor, dtype=self.stored_dtype)
        self.write(tensor)
        return tensor

    def assign_add(self, value: Any) -> _core.Tensor:
        """Add to the value. Returns the new value."""
        return self.assign(_core.ops.add(self.read(), value))

    def assign_sub(self, value: Any) -> _core.Tensor:
        """Subtract from the value. Returns the new value."""
        return self.assign(_core.ops.subtract(self.read(), value))

    def numpy(self) -> np.ndarray:
        """Return the value as a NumPy array (a copy)."""
        return self.read().numpy()

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.stored.numpy()}>"
