"""Automatic names of layers, models and operations, and the name scope their variables are created in."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pronghorn import _core

_WORD_STARTS = re.compile(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")

_used: dict[str, int] = {}  # how often each name was asked for


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.names: list[str] = []


_scopes = _Scopes()


def to_snake_case(name: str) -> str:
    """Turn a class name into a layer name.

    Example:
        >>> from pronghorn import naming
        >>> naming.to_snake_case("GlobalAveragePooling2D"), naming.to_snake_case("ReLU")
        ('global_average_pooling2d', 're_lu')
    """
    return _WORD_STARTS.sub("_", re.sub(r"\W+", "", name)).lower()


def uniquify(name: str) -> str:
    """Return `name` the first time, then `name_1`, `name_2` and so on."""
    times = count(name)
    return name if times == 1 else f"{name}_{times - 1}"


def count(name: str) -> int:
    """Return how often `name` was asked for, this time included."""
    _used[name] = _used.get(name, 0) + 1
    return _used[name]


def auto_name(class_name: str) -> str:
    """Return a name not given out before, made from a class name."""
    return uniquify(to_snake_case(class_name))


def reset() -> None:
    """Forget every name given out, so that counting starts again."""
    _used.clear()


@contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Put `name` in front of the paths of variables created inside; what is traced inside becomes part of it."""
    _scopes.names.append(name)
    try:
        if _core.is_tracing():
            with _core.Part(name):
                yield
        else:
            yield
    finally:
        _scopes.names.pop()


def current_path() -> str:
    """Return the names of the open scopes, joined by slashes."""
    return "/".join(_scopes.names)
