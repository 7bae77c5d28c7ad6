"""The native matrix product, with half floats computed in float32."""

from __future__ import annotations

from typing import Any

from pronghorn import _core
from pronghorn.ops.creation import result_type

_HALVES = ("float16", "bfloat16")


def matrix_product(a: Any, b: Any) -> Any:
    """Return the product over the last two axes of tensors of rank 2 or more."""
    if a.dtype in _HALVES or b.dtype in _HALVES:
        dtype = result_type(a, b)
        if dtype in _HALVES:
            wide = _core.ops.matmul(_core.ops.cast(a, dtype="float32"), _core.ops.cast(b, dtype="float32"))
            return _core.ops.cast(wide, dtype=dtype)
    return _core.ops.matmul(a, b)
