"""Constraints on variables."""

from __future__ import annotations

from typing import Any

from pronghorn.constraints.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from pronghorn.saving import serialization
from pronghorn.saving.identifiers import resolve

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_KNOWN = {
    "MaxNorm": MaxNorm, "max_norm": MaxNorm, "MinMaxNorm": MinMaxNorm, "min_max_norm": MinMaxNorm,
    "NonNeg": NonNeg, "non_neg": NonNeg, "UnitNorm": UnitNorm, "unit_norm": UnitNorm,
}  # fmt: skip

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


def serialize(constraint: Constraint) -> Any:
    """Return a constraint as a config."""
    return serialization.serialize_keras_object(constraint)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a constraint from a config."""
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_KNOWN)


def get(identifier: Any) -> Any:
    """Return a constraint from its name, config, class or itself; None for None.

    Raises:
        ValueError: for anything else.
    """
    return resolve(identifier, _KNOWN, "constraint")
