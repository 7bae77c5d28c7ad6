"""What the layer call under way passes down to the layers called inside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pronghorn import _core

_FLOAT_TYPES = ("float16", "bfloat16", "float32", "float64")


class _Context(threading.local):
    def __init__(self) -> None:
        self.depth = 0
        self.training: bool | None = None


_context = _Context()


def training() -> bool | None:
    """Return the `training` argument of the enclosing layer call, None where there is none."""
    return _context.training


@contextmanager
def layer_call(training: bool | None) -> Iterator[bool]:
    """Make `training` the default for layers called inside; yields whether this is the outermost call."""
    previous = _context.training
    outermost = _context.depth == 0
    _context.training = training
    _context.depth += 1
    try:
        yield outermost
    finally:
        _context.depth -= 1
        _context.training = previous


@contextmanager
def variables_seen_in(compute_dtype: str, variable_dtype: str, autocast: bool) -> Iterator[None]:
    """Let ops called inside see floating variables in the dtype that a layer computes in.

    Args:
        compute_dtype: what the layer computes in.
        variable_dtype: what it keeps its variables in.
        autocast: whether it wants conversions at all.
    """
    outer = _core.autocast_dtype()
    if outer is None:
        inner = compute_dtype if compute_dtype != variable_dtype else None
    else:
        inner = compute_dtype if autocast and compute_dtype in _FLOAT_TYPES else None
    if inner == outer:
        yield
        return
    _core.set_autocast_dtype(inner)
    try:
        yield
    finally:
        _core.set_autocast_dtype(outer)
