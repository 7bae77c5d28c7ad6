"""DTypePolicy: what dtype a layer computes in and what dtype it keeps its variables in."""

from __future__ import annotations

from typing import Any

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
