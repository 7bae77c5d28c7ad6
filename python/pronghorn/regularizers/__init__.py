"""Regularizers."""

from __future__ import annotations

from typing import Any

from pronghorn.regularizers.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer
from pronghorn.saving import serialization
from pronghorn.saving.identifiers import resolve

l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_KNOWN = {
    "L1": L1, "l1": L1, "L2": L2, "l2": L2, "L1L2": L1L2, "l1_l2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer, "orthogonal_regularizer": OrthogonalRegularizer,
}  # fmt: skip

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


def serialize(regularizer: Regularizer) -> Any:
    """Return a regularizer as a config."""
    return serialization.serialize_keras_object(regularizer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a regularizer from a config."""
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_KNOWN)


def get(identifier: Any) -> Any:
    """Return a regularizer from its name, config, class or itself; None for None.

    Raises:
        ValueError: for anything else.
    """
    return resolve(identifier, _KNOWN, "regularizer")
