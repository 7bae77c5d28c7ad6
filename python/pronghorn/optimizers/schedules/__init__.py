"""Learning-rate schedules."""

from __future__ import annotations

from typing import Any

from pronghorn.optimizers.schedules.decays import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from pronghorn.optimizers.schedules.schedule import LearningRateSchedule
from pronghorn.saving import serialization

_SCHEDULES = (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

__all__ = ["LearningRateSchedule", "deserialize", "serialize", *(schedule.__name__ for schedule in _SCHEDULES)]


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return a schedule as a config."""
    return serialization.serialize_keras_object(learning_rate_schedule)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> LearningRateSchedule:
    """Make a schedule from a config."""
    return serialization.deserialize_keras_object(
        config, module_objects={schedule.__name__: schedule for schedule in _SCHEDULES}, custom_objects=custom_objects
    )
