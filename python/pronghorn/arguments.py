"""Checks of arguments that the whole library shares. Each returns the value in one form, or raises naming the argument.

`name` says whose argument it is: "top_k: k".
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

_MOST_ELEMENTS = 1 << 46  # more than any machine's memory: NumPy is not asked for it


def shown(value: Any) -> str:
    """A value as messages quote it: its repr, cut short."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def integer(value: Any, name: str, least: int | None = None, most: int | None = None) -> int:
    """Return `value` as an int.

    Raises:
        TypeError: if it is none.
        ValueError: if it is not between `least` and `most`.
    """
    try:
        number = operator.index(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an integer, got {shown(value)}") from None
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value}")
    if least is not None and number < least:
        wanted = {0: "must not be negative", 1: "must be a positive integer"}.get(least, f"must be at least {least}")
        raise ValueError(f"{name} {wanted}, got {number}")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {most}, got {number}")
    return number


def integers(value: Any, name: str, least: int | None = None) -> tuple[int, ...]:
    """Return `value`, an int or a sequence of ints, as a tuple.

    Raises:
        TypeError: if it is neither.
        ValueError: if one is less than `least`.
    """
    if isinstance(value, int):
        return (integer(value, name, least),)
    if hasattr(value, "__index__") and not getattr(value, "shape", ()):
        return (integer(value, name, least),)
    if isinstance(value, (str, bytes, dict)) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be an integer or a sequence of integers, got {shown(value)}")
    try:
        return tuple(integer(each, name, least) for each in value)
    except TypeError:
        raise TypeError(f"{name} must be an integer or a sequence of integers, got {shown(value)}") from None


def number(value: Any, name: str) -> float:
    """Return `value` as a float.

    Raises:
        TypeError: if it is no number.
        ValueError: if it is too large for a float.
    """
    try:
        if isinstance(value, (str, bytes, bool)):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, got {shown(value)}") from None
    except OverflowError:
        raise ValueError(f"{name} is too large for a float, got {shown(value)}") from None


def number_between(value: Any, name: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Return `value` as a float between `low` and `high`, both included; NaN is outside.

    Raises:
        TypeError: if it is no number.
        ValueError: if it is outside.
    """
    result = number(value, name)
    if not low <= result <= high:
        if high == math.inf:
            wanted = "must not be NaN" if low == -math.inf else f"must be at least {low:g}"
        else:
            wanted = f"must be in [{low:g}, {high:g}]"
        raise ValueError(f"{name} {wanted}, got {value!r}")
    return result


def normalize_axis(axis: Any, rank: int, name: str) -> int:
    """Return an axis counted from the front.

    Raises:
        TypeError: if it is no integer.
        ValueError: if there is no such axis.
    """
    if not isinstance(axis, int):
        axis = integer(axis, f"{name}: axis")
    if not -rank <= axis < rank:
        raise ValueError(f"{name}: axis {axis} is out of range for a tensor of rank {rank}")
    return axis % rank


def normalize_axes(axes: Any, rank: int, name: str) -> tuple[int, ...]:
    """Return axes counted from the front, all of them for None."""
    if axes is None:
        return tuple(range(rank))
    return tuple(normalize_axis(each, rank, name) for each in integers(axes, f"{name}: axis"))


def function(value: Any, name: str) -> Callable[..., Any]:
    """Return `value` if it can be called.

    Raises:
        TypeError: otherwise.
    """
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {shown(value)}")
    return value


def one_of(value: Any, allowed: Iterable[Any], name: str) -> Any:
    """Return `value` if it is among those allowed.

    Raises:
        ValueError: otherwise.
    """
    allowed = tuple(allowed)
    if not any(value is each or (type(value) is type(each) and value == each) for each in allowed):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}; got {shown(value)}")
    return value


def numbers(value: Any, name: str) -> np.ndarray:
    """Return an array, or what can be made one, as a NumPy array of numbers.

    Raises:
        TypeError: if there is something else than numbers in it.
        ValueError: if its rows differ in length.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} is no array: its rows differ in length, got {shown(value)}") from None
    # "V" is how NumPy sees bfloat16
    if array.dtype.kind not in "biufcV":
        raise TypeError(f"{name} must hold numbers, got {shown(value)}")
    return array


def list_of(values: Any, name: str) -> list[Any]:
    """Return an iterable's entries as a list.

    Raises:
        TypeError: if it is none, or a string or a dict.
    """
    if isinstance(values, (str, bytes, dict)) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a list, got {shown(values)}")
    return list(values)


def path(value: Any, name: str) -> str:
    """Return a path given as a string or a path object as a string.

    Raises:
        TypeError: if it is neither.
    """
    try:
        return os.fspath(value)
    except TypeError:
        raise TypeError(f"{name} must be a path, got {shown(value)}") from None


def broadcastable(shape: tuple[Any, ...], other: tuple[Any, ...], name: str, other_name: str) -> None:
    """Check that two shapes broadcast together.

    Raises:
        ValueError: if not.
    """
    for size, opposite in zip(reversed(shape), reversed(other)):
        if size != opposite and not {1, None} & {size, opposite}:
            raise ValueError(f"{name} of shape {shape} does not fit {other_name} of shape {other}")


def allocatable(shape: tuple[int, ...], name: str) -> None:
    """Check that memory for an array of `shape` may exist.

    Raises:
        MemoryError: if not.
    """
    if math.prod(shape) > _MOST_ELEMENTS:
        raise MemoryError(f"{name}: no memory for a tensor of shape {shape}")


def config_of(config: Any, name: str) -> dict[str, Any]:
    """Return a copy of a config.

    Raises:
        TypeError: if it is no dict of arguments by name.
    """
    if not isinstance(config, dict) or not all(isinstance(key, str) for key in config):
        raise TypeError(f"{name}: config must be a dict as get_config() returns it, got {shown(config)}")
    return dict(config)
