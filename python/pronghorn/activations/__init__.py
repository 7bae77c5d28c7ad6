"""Activation functions."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments
from pronghorn.activations.functions import (
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh,
    tanh_shrink,
    threshold,
)
from pronghorn.saving import serialization
from pronghorn.saving.identifiers import resolve

_FUNCTIONS = {
    "celu": celu, "elu": elu, "exponential": exponential, "gelu": gelu, "glu": glu, "hard_shrink": hard_shrink,
    "hard_sigmoid": hard_sigmoid, "hard_silu": hard_silu, "hard_swish": hard_swish, "hard_tanh": hard_tanh,
    "leaky_relu": leaky_relu, "linear": linear, "log_sigmoid": log_sigmoid, "log_softmax": log_softmax, "mish": mish,
    "relu": relu, "relu6": relu6, "selu": selu, "sigmoid": sigmoid, "silu": silu, "soft_shrink": soft_shrink,
    "softmax": softmax, "softplus": softplus, "softsign": softsign, "sparse_plus": sparse_plus,
    "sparse_sigmoid": sparse_sigmoid, "sparsemax": sparsemax, "squareplus": squareplus, "swish": swish, "tanh": tanh,
    "tanh_shrink": tanh_shrink, "threshold": threshold,
}  # fmt: skip
# the first name of each function is the one configs carry; swish and hard_swish are read but not written
_NAMES = {function: name for name, function in reversed(_FUNCTIONS.items()) if name not in ("swish", "hard_swish")}

__all__ = ["deserialize", "get", "serialize", *_FUNCTIONS]


def serialize(activation: Any) -> Any:
    """Return an activation as its name, or as a config if it is not one of Keras's."""
    name = _NAMES.get(arguments.function(activation, "activation"))
    return name if name is not None else serialization.serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make an activation from a name or config."""
    if isinstance(config, str) and config in _FUNCTIONS and not custom_objects:
        return _FUNCTIONS[config]
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_FUNCTIONS)


def get(identifier: Any) -> Any:
    """Return an activation from its name, config or itself; `linear` for None.

    Raises:
        ValueError: for anything else.

    Example:
        >>> import pronghorn as ph
        >>> ph.activations.get("relu") is ph.activations.relu
        True
    """
    if identifier is None:
        return linear
    return resolve(identifier, _FUNCTIONS, "activation", make=False)
