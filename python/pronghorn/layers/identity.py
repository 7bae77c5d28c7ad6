"""Identity: outputs are the inputs."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.layer import Layer


class Identity(Layer):
    """Return the inputs, any structure of tensors, as they are."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs
