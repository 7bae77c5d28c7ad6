"""Ops of neural networks."""

from __future__ import annotations

from typing import Any

from pronghorn import _core
from pronghorn.ops.dispatch import op
from pronghorn.ops.reduction import logsumexp

__all__ = ["log_softmax", "softmax"]

_raw = _core.ops


@op
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Logarithm of the softmax along `axis`."""
    return _raw.subtract(x, logsumexp(x, axis, keepdims=True))


@op
def softmax(x: Any, axis: Any = -1) -> Any:
    """Exponentials along `axis` divided by their sum."""
    return _raw.exp(log_softmax(x, axis))
