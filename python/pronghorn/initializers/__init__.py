"""Initializers under Keras's names; `initializers.he_normal` is `initializers.HeNormal`."""

from __future__ import annotations

from typing import Any

from pronghorn.initializers.constant_initializers import Constant, Identity, Ones, Zeros
from pronghorn.initializers.initializer import Initializer, compute_fans
from pronghorn.initializers.random_initializers import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomInitializer,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from pronghorn.saving import serialization
from pronghorn.saving.identifiers import resolve

constant, identity, ones, zeros, orthogonal = Constant, Identity, Ones, Zeros, Orthogonal
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform, random_normal, random_uniform = LecunNormal, LecunUniform, RandomNormal, RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal

_KNOWN: dict[str, Any] = {
    "Constant": Constant, "constant": Constant, "Identity": Identity, "identity": Identity,
    "IdentityInitializer": Identity, "Ones": Ones, "ones": Ones, "one": Ones, "Zeros": Zeros, "zeros": Zeros,
    "zero": Zeros, "GlorotNormal": GlorotNormal, "glorot_normal": GlorotNormal, "GlorotUniform": GlorotUniform,
    "glorot_uniform": GlorotUniform, "HeNormal": HeNormal, "he_normal": HeNormal, "HeUniform": HeUniform,
    "he_uniform": HeUniform, "LecunNormal": LecunNormal, "lecun_normal": LecunNormal, "LecunUniform": LecunUniform,
    "lecun_uniform": LecunUniform, "Orthogonal": Orthogonal, "orthogonal": Orthogonal,
    "OrthogonalInitializer": Orthogonal, "RandomNormal": RandomNormal, "random_normal": RandomNormal,
    "normal": RandomNormal, "RandomUniform": RandomUniform, "random_uniform": RandomUniform, "uniform": RandomUniform,
    "TruncatedNormal": TruncatedNormal, "truncated_normal": TruncatedNormal, "VarianceScaling": VarianceScaling,
    "variance_scaling": VarianceScaling,
}  # fmt: skip

__all__ = [
    "IdentityInitializer",
    "Initializer",
    "OrthogonalInitializer",
    "RandomInitializer",
    "compute_fans",
    "deserialize",
    "get",
    "serialize",
    *sorted(name for name in _KNOWN if name in globals()),
]


def serialize(initializer: Initializer) -> Any:
    """Return an initializer as a config."""
    return serialization.serialize_keras_object(initializer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """Make an initializer from a config."""
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_KNOWN)


def get(identifier: Any) -> Any:
    """Return an initializer from its name, config, class, array (a constant) or itself; None for None.

    Raises:
        ValueError: for anything else.

    Example:
        >>> import pronghorn as ph
        >>> ph.initializers.get("he_normal").mode
        'fan_in'
    """
    if hasattr(identifier, "shape") and hasattr(identifier, "dtype"):
        return Constant(identifier)
    return resolve(identifier, _KNOWN, "initializer")
