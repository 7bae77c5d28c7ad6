"""Optimizers under Keras 3's names, and learning-rate schedules."""

from __future__ import annotations

from typing import Any

from pronghorn.optimizers import schedules
from pronghorn.optimizers.adadelta import Adadelta
from pronghorn.optimizers.adagrad import Adagrad
from pronghorn.optimizers.adam import Adam, AdamW
from pronghorn.optimizers.adamax import Adamax
from pronghorn.optimizers.ftrl import Ftrl
from pronghorn.optimizers.lion import Lion
from pronghorn.optimizers.nadam import Nadam
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.optimizers.rmsprop import RMSprop
from pronghorn.optimizers.sgd import SGD
from pronghorn.saving import serialization

_OPTIMIZERS = (Adadelta, Adagrad, Adam, AdamW, Adamax, Ftrl, Lion, Nadam, RMSprop, SGD)
_BY_NAME = {optimizer.__name__.lower(): optimizer for optimizer in _OPTIMIZERS}

__all__ = [
    "Optimizer",
    "deserialize",
    "get",
    "schedules",
    "serialize",
    *(optimizer.__name__ for optimizer in _OPTIMIZERS),
]


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return an optimizer as a config."""
    return serialization.serialize_keras_object(optimizer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
    """Make an optimizer from a config; class names in any case."""
    config = dict(config)
    known = _BY_NAME.get(str(config.get("class_name", "")).lower())
    if known is not None:
        config["class_name"] = known.__name__
    return serialization.deserialize_keras_object(
        config,
        module_objects={optimizer.__name__: optimizer for optimizer in _OPTIMIZERS},
        custom_objects=custom_objects,
    )


def get(identifier: Any) -> Optimizer | None:
    """Return an optimizer from its name (in any case), config, or itself; None for None.

    Raises:
        ValueError: for anything else.

    Example:
        >>> import pronghorn as ph
        >>> ph.optimizers.get("adam").name
        'adam'
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        known = _BY_NAME.get(identifier.lower())
        if known is not None:
            return known()
        custom = serialization.get_registered_object(identifier)
        if custom is not None:
            return custom()
    raise ValueError(f"unknown optimizer {identifier!r}; wants an Optimizer, its config, or one of {sorted(_BY_NAME)}")
