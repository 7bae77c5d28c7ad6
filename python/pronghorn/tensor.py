"""Tensor: an immutable array on a device. The type lives in the native core; how it prints is here."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import _core

Tensor = _core.Tensor


def _values_text(tensor: Any) -> str:
    return "<traced>" if tensor.is_traced else str(tensor.numpy())


def _repr(self: Any) -> str:
    """Print as the notes the library grew from do: value, shape and dtype."""
    return f"ph.Tensor({_values_text(self)}, shape={self.shape}, dtype={self.dtype})"


def _array(self: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    if copy is False:
        raise ValueError("a tensor's values can only be copied into a NumPy array; use np.from_dlpack to share memory")
    values = self.numpy()
    return values if dtype is None else values.astype(dtype)


Tensor.__repr__ = _repr
Tensor.__str__ = _repr
for _type in (Tensor, _core.Variable):
    _type.__array__ = _array
    _type.__array_priority__ = 100  # NumPy arrays on the left leave the operator to us
