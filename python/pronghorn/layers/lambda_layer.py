"""Lambda: any function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pronghorn import tree
from pronghorn.layers.layer import Layer
from pronghorn.saving.serialization import deserialize_keras_object, serialize_keras_object
from pronghorn.symbolic import infer_spec


class Lambda(Layer):
    """Call a function written with ops.

    Args:
        function: callable of the inputs; it may also take `mask` and `training`.
        output_shape: shape tuple without the batch size, or function of the input shape; None works it out.
        mask: mask of the outputs, or a function of inputs and mask; None means none.
        arguments: dict of further keyword arguments for the function.

    A lambda expression has no name and cannot be saved; register a function with `register_keras_serializable`.

    Example:
        >>> import pronghorn as ph
        >>> float(ph.layers.Lambda(lambda x: x * 2)(ph.ops.ones((1, 1)))[0, 0])
        2.0
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ValueError(f"Lambda: function must be callable, got {function!r}")
        if arguments is not None and not isinstance(arguments, dict):
            raise TypeError(f"Lambda: arguments must be a dict by name, got {arguments!r}")
        self.function = function
        self.arguments = arguments or {}
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        accepted = inspect.signature(function).parameters
        self._takes_mask = "mask" in accepted
        self._takes_training = "training" in accepted

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> Any:
        if self._output_shape is None:
            return infer_spec(self.call, inputs, **kwargs)
        return super().compute_output_spec(inputs, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        return (tree.flatten(input_shape)[0], *self._output_shape)

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        further = dict(self.arguments)
        if self._takes_mask:
            further["mask"] = mask
        if self._takes_training:
            further["training"] = training
        return self.function(inputs, **further)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        if getattr(self.function, "__name__", "") == "<lambda>":
            raise ValueError(
                f"Lambda {self.name!r}: a lambda expression cannot be saved; use a function registered with "
                "register_keras_serializable"
            )
        config = {
            "function": serialize_keras_object(self.function),
            "output_shape": serialize_keras_object(self._output_shape),
            "mask": serialize_keras_object(self.mask),
            "arguments": serialize_keras_object(dict(self.arguments)),
        }
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = dict(config)
        for name in ("function", "output_shape", "mask", "arguments"):
            config[name] = deserialize_keras_object(config.get(name), custom_objects=custom_objects)
        return cls(**config)
