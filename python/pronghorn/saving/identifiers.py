"""What a string, config or object given for a loss, metric, activation ... stands for."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from pronghorn import arguments
from pronghorn.saving import serialization


def unknown_name(name: str, known: Iterable[str], kind: str) -> str:
    """Return the message for a name nobody has: with the likely meant ones, or all of them."""
    near = difflib.get_close_matches(name.lower(), [each.lower() for each in known], n=3, cutoff=0.6)
    meant = sorted(each for each in known if each.lower() in near)
    if meant:
        return f"unknown {kind} {name!r}; did you mean {' or '.join(map(repr, meant))}?"
    return f"unknown {kind} {name!r}; known: {', '.join(sorted(known))}"


def resolve(identifier: Any, known: Mapping[str, Any], kind: str, make: bool = True) -> Any:
    """Return the object that `identifier` stands for.

    Args:
        identifier: None, a name, a config, a class or an object.
        known: classes and functions by name (class names, snake_case names, aliases).
        kind: "loss", "initializer" ...; named in errors.
        make: whether classes are called to make an object.

    Raises:
        ValueError: for an unknown name or anything that is neither.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        found = serialization.get_registered_object(identifier, module_objects=dict(known))
        if found is None:
            raise ValueError(unknown_name(identifier, known, kind))
    elif isinstance(identifier, dict):
        found = serialization.deserialize_keras_object(identifier, module_objects=dict(known))
    else:
        found = identifier
    if make and inspect.isclass(found):
        found = found()
    if not callable(found):
        article = "an" if kind[0] in "aeiou" else "a"
        raise ValueError(f"cannot interpret {arguments.shown(identifier)} as {article} {kind}")
    return found
