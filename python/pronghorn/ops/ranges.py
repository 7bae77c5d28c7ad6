"""Numbers in a row: ranges, and values spaced evenly or by a factor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import _core, arguments, config
from pronghorn.ops.creation import convert_to_numpy, standardize_dtype

__all__ = ["arange", "geomspace", "linspace", "logspace"]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Return evenly spaced values in the half-open interval [start, stop).

    Args:
        start: first value; the end, if it stands alone.
        stop: where to stop, not included.
        step: distance of neighbours, 1 by default.
        dtype: dtype name; by default int32 for integers, the default float otherwise.

    Returns:
        tensor of rank 1.

    Raises:
        ValueError: if `step` is zero.

    Example:
        >>> from pronghorn import ops
        >>> ops.arange(1, 6, 2)
        ph.Tensor([1 3 5], shape=(3,), dtype=int32)
    """
    low, high = (0, start) if stop is None else (start, stop)
    numbers = [value.item() if hasattr(value, "item") else value for value in (low, high, 1 if step is None else step)]
    if not all(map(_is_number, numbers)):
        raise TypeError(f"arange: start, stop and step must be numbers, got {start!r}, {stop!r} and {step!r}")
    if numbers[2] == 0:
        raise ValueError("arange: step must not be zero")
    if dtype is None:
        dtype = "int32" if all(isinstance(number, int) for number in numbers) else config.floatx()
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"arange: start, stop and step must be finite, got {start!r}, {stop!r} and {step!r}")
    low, high, distance = numbers
    if max(abs(low), abs(high), abs(distance)) >= 2**63:
        raise ValueError(f"arange: start, stop and step must fit into 64 bits, got {start!r}, {stop!r} and {step!r}")
    arguments.allocatable((max(0, int((high - low) // distance)),), "arange")
    return _core.convert(np.arange(*numbers).astype(standardize_dtype(dtype)))


def _ends(start: Any, stop: Any, num: int, axis: int, name: str) -> tuple[np.ndarray, np.ndarray, int, int]:
    """The ends as arrays; the number of values between them, and the axis they get in the result."""
    num = arguments.integer(num, f"{name}: num", least=0)
    start, stop = convert_to_numpy(start), convert_to_numpy(stop)
    arguments.allocatable((num, max(start.size, stop.size)), name)
    return start, stop, num, arguments.normalize_axis(axis, max(start.ndim, stop.ndim) + 1, name)


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """Return `num` evenly spaced values from `start` to `stop`.

    Args:
        start: first value, a number or tensor.
        stop: last value.
        num: how many values.
        endpoint: whether `stop` is among them.
        retstep: whether to return the distance of neighbours too.
        dtype: dtype name.
        axis: where the values lie in the result.

    Returns:
        tensor, or (tensor, step).

    Raises:
        ValueError: if `num` is negative.

    Example:
        >>> from pronghorn import ops
        >>> ops.linspace(0.0, 1.0, 3)
        ph.Tensor([0.  0.5 1. ], shape=(3,), dtype=float32)
    """
    start, stop, num, axis = _ends(start, stop, num, axis, "linspace")
    values, step = np.linspace(start, stop, num, endpoint=endpoint, retstep=True, axis=axis)
    if dtype is None:
        dtype = start.dtype.name if start.dtype.kind == "f" else config.floatx()
    result = _core.convert(values.astype(standardize_dtype(dtype)))
    return (result, step) if retstep else result


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: float = 10, dtype: Any = None, axis: int = 0
) -> Any:
    """Return `num` values spaced evenly on a logarithmic scale."""
    start, stop, num, axis = _ends(start, stop, num, axis, "logspace")
    values = np.logspace(start, stop, num, endpoint, arguments.number(base, "logspace: base"), axis=axis)
    return _core.convert(values.astype(standardize_dtype(dtype)))


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Return `num` values from `start` to `stop`, each the same multiple of the one before."""
    start, stop, num, axis = _ends(start, stop, num, axis, "geomspace")
    if not (start.all() and stop.all()):
        raise ValueError("geomspace: start and stop must not be zero")
    values = np.geomspace(start, stop, num, endpoint, axis=axis)
    return _core.convert(values.astype(standardize_dtype(dtype)))
