"""Configs of layers: what to write for each constructor argument, and how to read it back."""

from __future__ import annotations

import inspect
from typing import Any

from pronghorn import activations
from pronghorn.saving.serialization import deserialize_keras_object, serialize_keras_object


def attribute_config(layer: Any, *names: str) -> dict[str, Any]:
    """Return a config with the named attributes of a layer.

    Plain values are kept; activations, initializers, regularizers, constraints and layers are serialized.
    """
    return {name: _plain(getattr(layer, name)) for name in names}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value) if type(value) is tuple else [_plain(v) for v in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if inspect.isfunction(value) or inspect.isbuiltin(value):
        return activations.serialize(value)
    return serialize_keras_object(value)


def constructor_config(layer: Any, shared: tuple[str, ...]) -> dict[str, Any]:
    """Return a config made of the arguments that a layer was constructed with.

    Args:
        layer: the layer.
        shared: arguments of every layer, which are left out.

    Raises:
        NotImplementedError: if an argument has no serialized form.
    """
    args, kwargs = layer._constructor_arguments
    parameters = list(inspect.signature(type(layer).__init__).parameters.values())[1:]
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(args) > len(positional):
        raise NotImplementedError(f"{type(layer).__name__} takes *args and must therefore override get_config()")
    given = {**dict(zip(positional, args)), **kwargs}
    try:
        return {name: serialize_keras_object(value) for name, value in given.items() if name not in shared}
    except (TypeError, ValueError) as error:
        raise NotImplementedError(
            f"{type(layer).__name__} was made with arguments that cannot be serialized and must therefore "
            f"override get_config(): {error}"
        ) from error


def revive(config: dict[str, Any]) -> dict[str, Any]:
    """Return constructor arguments from a config written by `constructor_config`."""
    return {name: deserialize_keras_object(value) for name, value in config.items()}
