"""Optimizers under Keras 3's names, and learning-rate schedules."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments
from pronghorn.optimizers import schedules
from pronghorn.optimizers.adadelta import Adadelta
from pronghorn.optimizers.adagrad import Adagrad
from pronghorn.optimizers.adam import Adam, AdamW
from pronghorn.optimizers.adamax import Adamax
from pronghorn.optimizers.ftrl import Ftrl
from pronghorn.optimizers.lion import Lion
from pronghorn.optimizers.loss_scale_optimizer import LossScaleOptimizer
from pronghorn.optimizers.nadam import Nadam
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.optimizers.rmsprop import RMSprop
from pronghorn.optimizers.sgd import SGD
from pronghorn.saving import serialization
from pronghorn.saving.identifiers import unknown_name

_OPTIMIZERS = (Adadelta, Adagrad, Adam, AdamW, Adamax, Ftrl, Lion, LossScaleOptimizer, Nadam, RMSprop, SGD)
_BY_NAME: dict[str, Any] = {optimizer.__name__.lower(): optimizer for optimizer in _OPTIMIZERS}

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
    config = arguments.config_of(config, "optimizers.deserialize")
    known = _BY_NAME.get(str(config.get("class_name", "")).lower())
    if known is not None:
        config["class_name"] = known.__name__
    optimizer = serialization.deserialize_keras_object(
        config,
        module_objects={optimizer.__name__: optimizer for optimizer in _OPTIMIZERS},
        custom_objects=custom_objects,
    )
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"cannot interpret {arguments.shown(config)} as an optimizer")
    return optimizer


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
        raise ValueError(unknown_name(identifier, _BY_NAME, "optimizer"))
    raise ValueError(f"cannot interpret {arguments.shown(identifier)} as an optimizer")
