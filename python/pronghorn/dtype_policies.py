"""Dtype policies by name and config."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, config
from pronghorn.dtype_policy import DTypePolicy


def get(identifier: Any) -> DTypePolicy:
    """Return the policy meant by None (that of `config.dtype_policy()`), a name, a dtype, a config or a policy.

    Raises:
        ValueError: for anything else.

    Example:
        >>> import pronghorn as ph
        >>> ph.dtype_policies.get("mixed_float16")
        <DTypePolicy "mixed_float16">
    """
    if identifier is None:
        return config.dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return DTypePolicy(identifier)
    if isinstance(identifier, type) or hasattr(identifier, "name"):
        return DTypePolicy(getattr(identifier, "name", None) or identifier.__name__)
    raise ValueError(f"dtype must be a dtype name or a DTypePolicy, got {identifier!r}")


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """Return the policy that `serialize` described.

    Args:
        config: what `serialize` returned.
        custom_objects: classes by name, beside `DTypePolicy`.

    Raises:
        ValueError: for a config of anything else; quantized policies are not supported.

    Example:
        >>> import pronghorn as ph
        >>> ph.dtype_policies.deserialize(ph.dtype_policies.serialize(ph.DTypePolicy("mixed_bfloat16")))
        <DTypePolicy "mixed_bfloat16">
    """
    config = arguments.config_of(config, "dtype_policies.deserialize")
    if custom_objects is not None and not isinstance(custom_objects, dict):
        raise TypeError(f"custom_objects must be a dict of classes by name, got {arguments.shown(custom_objects)}")
    name, settings = config.get("class_name"), config.get("config")
    # Keras has two names for the one class.
    known = {"DTypePolicy": DTypePolicy, "FloatDTypePolicy": DTypePolicy, **(custom_objects or {})}
    if name not in known or not isinstance(settings, dict):
        raise ValueError(f"dtype_policies: config must be that of a DTypePolicy, got {arguments.shown(config)}")
    return known[name].from_config(settings)


def serialize(policy: DTypePolicy) -> dict[str, Any]:
    """Return the policy as Keras 3 writes it in a layer's config."""
    if not isinstance(policy, DTypePolicy):
        raise TypeError(f"dtype_policies.serialize: policy must be a DTypePolicy, got {policy!r}")
    return {"module": "keras", "class_name": "DTypePolicy", "config": policy.get_config(), "registered_name": None}
