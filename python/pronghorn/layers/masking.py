"""Masking: skip time steps that hold nothing."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


class Masking(Layer):
    """Mask the time steps whose features all equal `mask_value`, and set them to 0.

    Args:
        mask_value: float.

    Inputs have shape (batch, steps, features); the mask, of shape (batch, steps), travels with the outputs.
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        present = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.where(present, inputs, ops.zeros_like(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "mask_value")}
