"""What a string, config or object given for a loss, metric, activation ... stands for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pronghorn.saving import serialization


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
            raise ValueError(f"unknown {kind} {identifier!r}; known: {', '.join(sorted(known))}")
    elif isinstance(identifier, dict):
        found = serialization.deserialize_keras_object(identifier, module_objects=dict(known))
    else:
        found = identifier
    if make and inspect.isclass(found):
        found = found()
    if not callable(found):
        raise ValueError(f"cannot interpret {identifier!r} as a {kind}")
    return found
