"""What dtype a layer computes in and what dtype it keeps its variables in."""

from __future__ import annotations

from typing import Any

from pronghorn import config

_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64",
)  # fmt: skip


class DTypePolicy:
    """The dtypes of a layer.

    Args:
        name: a dtype name, such as "float32" or "float64".

    Raises:
        ValueError: if `name` is not a dtype.

    Example:
        >>> from pronghorn.dtype_policies import DTypePolicy
        >>> DTypePolicy("float64").compute_dtype
        'float64'
    """

    def __init__(self, name: str) -> None:
        if name not in _DTYPES:
            raise ValueError(f"DTypePolicy: name must be one of {_DTYPES}, got {name!r}")
        self.name = name

    @property
    def compute_dtype(self) -> str:
        """The dtype of the layer's arithmetic."""
        return self.name

    @property
    def variable_dtype(self) -> str:
        """The dtype of the layer's variables."""
        return self.name

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Make a policy from `get_config`'s result."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


def get(identifier: Any) -> DTypePolicy:
    """Return the policy meant by None (the default float type), a dtype, a config or a policy.

    Raises:
        ValueError: for anything else.
    """
    if identifier is None:
        return DTypePolicy(config.floatx())
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
    return {"module": "keras", "class_name": "DTypePolicy", "config": policy.get_config(), "registered_name": None}
