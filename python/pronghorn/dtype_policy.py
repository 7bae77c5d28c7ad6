"""DTypePolicy: what dtype a layer computes in and what dtype it keeps its variables in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64",
)  # fmt: skip
_MIXED = {"mixed_float16": ("float16", "float32"), "mixed_bfloat16": ("bfloat16", "float32")}


@dataclass
class Default:
    """What layers are given where nobody says otherwise; `config` has the functions that set it."""

    floatx: str = "float32"
    policy: DTypePolicy | None = None


default = Default()


class DTypePolicy:
    """The dtypes of a layer: what it computes in, and what it keeps its variables in.

    Args:
        name: a dtype name, such as "float32" or "float16", for both; or "mixed_float16" or "mixed_bfloat16", which
            compute in that dtype and keep variables in float32. None means the policy of `config.dtype_policy()`.

    Raises:
        TypeError: if `name` is no string.
        ValueError: if it is neither a dtype nor a mixed policy.

    Example:
        >>> import pronghorn as ph
        >>> policy = ph.DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = default.policy.name if default.policy is not None else default.floatx
        if not isinstance(name, str):
            raise TypeError(f"DTypePolicy: name must be a string, such as 'mixed_float16', got {name!r}")
        if name not in _MIXED and name not in _DTYPES:
            raise ValueError(f"DTypePolicy: name must be one of {(*_MIXED, *_DTYPES)}, got {name!r}")
        self._name = name
        self._compute_dtype, self._variable_dtype = _MIXED.get(name, (name, name))

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of the layer's arithmetic, of what floating inputs are converted to, and of its outputs."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the layer's variables."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> None:
        """None: the policy does not quantize."""
        return None

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
