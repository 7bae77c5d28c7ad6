"""A penalty on outputs, as a layer."""

from __future__ import annotations

from typing import Any

from pronghorn import regularizers
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


class ActivityRegularization(Layer):
    """Return the inputs and add a penalty on them to the losses.

    Args:
        l1: float, factor of the sum of absolute values.
        l2: float, factor of the sum of squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["activity_regularizer"]
        return {**config, **attribute_config(self, "l1", "l2")}
