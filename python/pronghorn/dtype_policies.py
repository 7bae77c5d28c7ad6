"""Dtype policies by name and config."""

from __future__ import annotations

from typing import Any

from pronghorn import config
from pronghorn.dtype_policy import DTypePolicy


def get(identifier: Any) -> DTypePolicy:
    """Return the policy meant by None (that of `config.dtype_policy()`), a dtype, a config or a policy.

    Raises:
        ValueError: for anything else.
    """
    if identifier is None:
        return config.dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict) and isinstance(identifier.get("config"), dict):
        return DTypePolicy.from_config(identifier["config"])
    if isinstance(identifier, str):
        return DTypePolicy(identifier)
    if isinstance(identifier, type) or hasattr(identifier, "name"):
        return DTypePolicy(getattr(identifier, "name", None) or identifier.__name__)
    raise ValueError(f"dtype must be a dtype name or a DTypePolicy, got {identifier!r}")


def serialize(policy: DTypePolicy) -> dict[str, Any]:
    """Return the policy as Keras 3 writes it in a layer's config."""
    if not isinstance(policy, DTypePolicy):
        raise TypeError(f"dtype_policies.serialize: policy must be a DTypePolicy, got {policy!r}")
    return {"module": "keras", "class_name": "DTypePolicy", "config": policy.get_config(), "registered_name": None}
