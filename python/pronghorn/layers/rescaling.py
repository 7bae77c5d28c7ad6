"""Rescaling of inputs by fixed numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import config, ops
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


class Rescaling(Layer):
    """`inputs * scale + offset`, as in `Rescaling(1 / 255)` for images of bytes.

    Args:
        scale: float, or one for each channel.
        offset: float, or one for each channel.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Rescaling(1 / 255)(ph.ops.ones((1, 2), dtype="uint8")).dtype
        'float32'
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale.tolist() if isinstance(scale, np.ndarray) else scale
        self.offset = offset.tolist() if isinstance(offset, np.ndarray) else offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        scale, offset = (ops.convert_to_tensor(value, dtype=self.compute_dtype) for value in (self.scale, self.offset))
        if len(scale.shape) == 1 and config.image_data_format() == "channels_first":
            scale, offset = (ops.reshape(value, (-1, 1, 1)) if value.shape else value for value in (scale, offset))
        return ops.cast(inputs, self.compute_dtype) * scale + offset

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "scale", "offset")}
