"""The names of `keras.backend`: global settings, dtypes and the state behind automatic names."""

from __future__ import annotations

import gc
from typing import Any

from pronghorn import dtype_policy, naming
from pronghorn.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from pronghorn.ops.creation import result_type, standardize_dtype
from pronghorn.symbolic import KerasTensor

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]


def clear_session(free_memory: bool = True) -> None:
    """Forget the dtype policy that was set and the automatic names given out: the next `Dense` is "dense" again.

    Args:
        free_memory: whether to collect garbage as well, models that nothing refers to any more among it.

    Example:
        >>> import pronghorn as ph
        >>> ph.backend.clear_session()
        >>> ph.layers.Dense(1).name
        'dense'
    """
    naming.reset()
    dtype_policy.default.policy = None
    if free_memory:
        gc.collect()


def get_uid(prefix: str = "") -> int:
    """Return 1, 2, 3 ... : how often a number was asked for, or a name made, with this prefix."""
    if not isinstance(prefix, str):
        raise TypeError(f"get_uid: prefix must be a string, got {prefix!r}")
    return naming.count(prefix)


def is_keras_tensor(x: Any) -> bool:
    """Tell whether `x` is symbolic: the result of `Input` or of a layer or op called on one.

    Example:
        >>> import pronghorn as ph
        >>> ph.backend.is_keras_tensor(ph.Input((2,))), ph.backend.is_keras_tensor(ph.ops.ones(2))
        (True, False)
    """
    return isinstance(x, KerasTensor)


def is_float_dtype(dtype: Any) -> bool:
    """Tell whether a dtype is floating."""
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype: Any) -> bool:
    """Tell whether a dtype is an integer type, signed or not."""
    return standardize_dtype(dtype).startswith(("int", "uint"))
