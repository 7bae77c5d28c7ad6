"""Layers around a layer."""

from __future__ import annotations

import inspect
from typing import Any

from pronghorn import ops
from pronghorn.layers.layer import Layer
from pronghorn.saving.serialization import deserialize_keras_object, serialize_keras_object


class Wrapper(Layer):
    """A layer around another one.

    Args:
        layer: the layer within.

    Raises:
        ValueError: if it is not a layer.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(f"{type(self).__name__}: layer must be a Layer, got {layer!r}")
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = dict(config)
        return cls(deserialize_keras_object(config.pop("layer"), custom_objects=custom_objects), **config)


class TimeDistributed(Wrapper):
    """Apply a layer to every time step of inputs of shape (batch, steps, ...).

    The steps become part of the batch; only in training, a layer that keeps statistics of its batches (it has weights
    that are not trainable) is called for one step after the other.

    Args:
        layer: the layer for one step.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.TimeDistributed(ph.layers.Dense(4))(ph.ops.ones((2, 10, 3))).shape
        (2, 10, 4)
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        if len(input_shape) < 3:
            raise ValueError(f"TimeDistributed needs inputs of rank 3 or more, got shape {input_shape}")
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        batch, steps = inputs.shape[:2]
        if mask is not None and tuple(mask.shape[:2]) != (batch, steps):
            raise ValueError(f"TimeDistributed: mask of shape {mask.shape} does not fit inputs of {inputs.shape}")
        if mask is not None and "mask" not in inspect.signature(self.layer.call).parameters:
            mask = None
        if training and self.layer.non_trainable_weights:
            masks = [{} if mask is None else {"mask": mask[:, step]} for step in range(steps)]
            return ops.stack([self.layer(inputs[:, step], **masks[step]) for step in range(steps)], axis=1)
        masked = {} if mask is None else {"mask": ops.reshape(mask, (batch * steps, *mask.shape[2:]))}
        outputs = self.layer(ops.reshape(inputs, (batch * steps, *inputs.shape[2:])), **masked)
        return ops.reshape(outputs, (batch, steps, *outputs.shape[1:]))
