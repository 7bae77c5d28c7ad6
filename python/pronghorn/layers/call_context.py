"""What the layer call under way passes down to the layers called inside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


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
