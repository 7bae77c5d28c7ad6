"""The mask of a tensor: which of its time steps count."""

from __future__ import annotations

from typing import Any


def get_mask(x: Any) -> Any:
    """Return the mask that travels with a tensor, None if it has none."""
    return getattr(x, "_keras_mask", None)


def set_mask(x: Any, mask: Any) -> None:
    """Let a mask travel with a tensor."""
    x._keras_mask = mask
