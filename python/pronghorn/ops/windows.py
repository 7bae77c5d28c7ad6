"""Window functions of signal processing."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import _core, arguments, config

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]


def _window(values: np.ndarray) -> Any:
    return _core.convert(values.astype(config.floatx()))


def _length(x: Any) -> int:
    points = arguments.integer(x, "x, the number of points,")
    arguments.allocatable((points,), "x, the number of points,")
    return points


def bartlett(x: Any) -> Any:
    """Return a triangular window of `x` points."""
    return _window(np.bartlett(_length(x)))


def blackman(x: Any) -> Any:
    """Return a Blackman window of `x` points."""
    return _window(np.blackman(_length(x)))


def hamming(x: Any) -> Any:
    """Return a Hamming window of `x` points."""
    return _window(np.hamming(_length(x)))


def hanning(x: Any) -> Any:
    """Return a Hann window of `x` points."""
    return _window(np.hanning(_length(x)))


def kaiser(x: Any, beta: float) -> Any:
    """Return a Kaiser window of `x` points."""
    return _window(np.kaiser(_length(x), arguments.number(beta, "kaiser: beta")))
