"""Sequences of different length to one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn import arguments


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: str = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Bring sequences to the same length.

    Args:
        sequences: list of sequences; their entries may be numbers or arrays of one shape.
        maxlen: the length; None takes that of the longest.
        dtype: dtype of the result, `object` for strings.
        padding: "pre" or "post", the side where `value` is added.
        truncating: "pre" or "post", the side where entries are cut off.
        value: what is added.

    Returns:
        Array of shape (number of sequences, maxlen, ...).

    Raises:
        ValueError: for an unknown side, an entry without length, or entries of different shape.

    Example:
        >>> from pronghorn import utils
        >>> utils.pad_sequences([[1], [2, 3]])
        array([[0, 1],
               [2, 3]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"pad_sequences: {name} must be 'pre' or 'post', got {side!r}")
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences: sequences must be a list of sequences, got {type(sequences)}")
    for sequence in sequences:
        if not hasattr(sequence, "__len__"):
            raise ValueError(f"pad_sequences: sequences must be a list of sequences, found {sequence!r}")
    try:
        np.dtype(dtype)
    except (TypeError, ValueError):
        raise TypeError(f"pad_sequences: dtype must be a dtype, got {arguments.shown(dtype)}") from None
    if maxlen is None:
        maxlen = max((len(sequence) for sequence in sequences), default=0)
    maxlen = arguments.integer(maxlen, "pad_sequences: maxlen", least=0)
    entry_shape = next((np.asarray(sequence).shape[1:] for sequence in sequences if len(sequence)), ())
    if isinstance(value, str) and dtype is not object and not np.issubdtype(dtype, np.str_):
        raise ValueError(f"pad_sequences: dtype {dtype} cannot hold value {value!r}; use dtype=object")
    arguments.allocatable((len(sequences), maxlen, *entry_shape), "pad_sequences")
    try:
        result = np.full((len(sequences), maxlen, *entry_shape), value, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"pad_sequences: dtype {dtype} cannot hold value {arguments.shown(value)}") from None
    for row, sequence in zip(result, sequences):
        kept = sequence[max(len(sequence) - maxlen, 0) :] if truncating == "pre" else sequence[:maxlen]
        if len(kept) == 0:
            continue
        try:
            kept = np.asarray(kept, dtype=dtype)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"pad_sequences: dtype {dtype} cannot hold {arguments.shown(kept)}") from None
        if kept.shape[1:] != entry_shape:
            raise ValueError(f"pad_sequences: entries have shapes {entry_shape} and {kept.shape[1:]}")
        if padding == "post":
            row[: len(kept)] = kept
        else:
            row[maxlen - len(kept) :] = kept
    return result
