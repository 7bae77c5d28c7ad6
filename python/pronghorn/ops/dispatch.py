"""How an op written in Python meets symbolic tensors of the functional API."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from pronghorn import _core, arguments

F = TypeVar("F", bound=Callable[..., Any])


def op(function: F) -> F:
    """Make a function of tensors an op: called on a symbolic tensor it becomes one step of the functional model.

    Functions that only pass their arguments on to native ops do not need it.
    """

    name = ("image." if function.__module__ == "pronghorn.ops.image" else "") + function.__name__

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _core.holds_symbolic(*args, **kwargs):
            return _core.record_symbolic(name, args, kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def axes_of(axis: int | tuple[int, ...] | list[int] | None) -> tuple[int, ...]:
    """An `axis` argument as the native ops want it: a tuple, empty for all axes."""
    if axis is None:
        return ()
    return (axis,) if isinstance(axis, int) else arguments.integers(axis, "axis")
