"""Sequential: layers one after another."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments
from pronghorn.layers.input_layer import InputLayer
from pronghorn.layers.layer import Layer
from pronghorn.layers.shapes import as_shapes, is_shape
from pronghorn.models.functional import Functional
from pronghorn.models.model import Model
from pronghorn.saving.serialization import deserialize_keras_object, serialize_keras_object
from pronghorn.symbolic import KerasTensor


class Sequential(Model):
    """A model that calls its layers in order.

    Args:
        layers: list of layers; it may begin with an `Input`, which tells the shape of the inputs. Without one the
            weights are made on the first call.
        trainable: bool.
        name: unique name; None makes one.

    Raises:
        ValueError: if an entry is not a layer, or two have the same name.

    Example:
        >>> import pronghorn as ph
        >>> model = ph.Sequential([ph.Input((784,)), ph.layers.Dense(32), ph.layers.Activation("relu")])
        >>> model.add(ph.layers.Dense(10))
        >>> model.output_shape
        (None, 10)
    """

    _built_by_call = False
    _functional: Functional | None

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        Layer.__init__(self, trainable=trainable, name=name, **kwargs)
        self.__dict__["_functional"] = None
        for layer in arguments.list_of(layers or (), "Sequential: layers"):
            self.add(layer, rebuild=False)
        if self._layers:
            self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end.

        Args:
            layer: layer, or symbolic tensor from `Input`.
            rebuild: bool, whether to make the layer's weights now if the input shape is known.

        Raises:
            ValueError: if it is not a layer, its name is taken, or it is a second input.
        """
        if isinstance(layer, KerasTensor) and layer._keras_history is not None:
            layer = layer._keras_history.operation
        if not isinstance(layer, Layer):
            raise ValueError(f"Sequential.add: layer must be a Layer, got {layer!r} of type {type(layer)}")
        if not self._layers and not isinstance(layer, InputLayer) and layer._input_batch_shape is not None:
            self.add(InputLayer(batch_shape=layer._input_batch_shape, dtype=layer.input_dtype), rebuild=False)
        if any(other.name == layer.name and other is not layer for other in self._layers):
            raise ValueError(f"Sequential.add: names must be unique, there is already a layer named {layer.name!r}")
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(f"Sequential.add: an Input must come first, {self.name!r} already has layers")
        self._layers.append(layer)
        self._reset()
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer away and return it.

        Args:
            rebuild: bool, whether to put the remaining layers together now.

        Raises:
            ValueError: if there is none.
        """
        if not self.layers:
            raise ValueError(f"Sequential.pop: model {self.name!r} has no layers")
        layer = self._layers.pop()
        self._reset()
        if rebuild and self._layers:
            self._rebuild()
        return layer

    def _reset(self) -> None:
        self.built = False
        self.__dict__["_functional"] = None
        self.__dict__.pop("output_names", None)

    def _rebuild(self) -> None:
        self._reset()
        first = self._layers[0]
        if len(self._layers) > 1 and isinstance(first, InputLayer):
            self.build(first.batch_shape)
        elif len(self._layers) > 1 and isinstance(first, Model) and hasattr(first, "input_shape"):
            self.build(first.input_shape)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of a shape; with several inputs this waits for the first call.

        Args:
            input_shape: shape tuple with the batch size, None for any.

        Raises:
            ValueError: if there are no layers, or an `Input` gives another shape.
        """
        input_shape = as_shapes(input_shape)
        if not is_shape(input_shape):
            return
        if not self._layers:
            raise ValueError(f"Sequential {self.name!r} cannot be built because it has no layers")
        first = self._layers[0]
        if not isinstance(first, InputLayer):
            # a stateful layer needs to know the batch size; any other model takes batches of all sizes
            stateful = any(getattr(layer, "stateful", False) for layer in self._flatten_layers(include_self=False))
            batch_shape = input_shape if stateful else (None, *input_shape[1:])
            first = InputLayer(batch_shape=batch_shape, dtype=first.input_dtype)
            self._layers.insert(0, first)
        elif first.batch_shape[1:] != input_shape[1:]:
            raise ValueError(
                f"Sequential {self.name!r} is already built for inputs of shape {first.batch_shape}, got {input_shape}"
            )
        x = first.output
        for layer in self._layers[1:]:
            x = layer(x)
        functional = Functional(first.output, x, name=f"{self.name}_graph")
        self.__dict__.update(_functional=functional, output_names=functional.output_names)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if self._functional is not None:
            return self._functional.call(inputs, training=training, mask=mask)
        for layer in self.layers:
            inputs = layer(inputs, training=training)
        return inputs

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        # The layers within have put their masks on the outputs.
        return None

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError("Sequential.layers is computed; use add() and pop()")

    def _of_functional(self, attribute: str) -> Any:
        if self._functional is None:
            raise AttributeError(f"Sequential {self.name!r} has no {attribute} yet; give it an Input or call it first")
        return getattr(self._functional, attribute)

    @property
    def input_shape(self) -> Any:
        """The inputs' shape, None for unknown sizes."""
        return self._of_functional("input_shape")

    @property
    def output_shape(self) -> Any:
        """The outputs' shape, None for unknown sizes."""
        return self._of_functional("output_shape")

    @property
    def inputs(self) -> Any:
        """The symbolic inputs, as a list."""
        return self._of_functional("inputs")

    @property
    def outputs(self) -> Any:
        """The symbolic outputs, as a list."""
        return self._of_functional("outputs")

    @property
    def input(self) -> Any:
        """The symbolic input."""
        return self._of_functional("input")

    @property
    def output(self) -> Any:
        """The symbolic output."""
        return self._of_functional("output")

    @property
    def input_dtype(self) -> str:
        """Dtype that floating inputs are converted to."""
        first = self._layers[0] if self._layers else None
        return first.dtype if isinstance(first, InputLayer) else self.compute_dtype

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "layers": [serialize_keras_object(layer) for layer in self._layers]}
        if self._functional is not None:
            config["build_input_shape"] = self._layers[0].batch_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = arguments.config_of(config, "Sequential.from_config")
        if "layers" not in config or "name" not in config:
            raise ValueError(f"Sequential.from_config: config must have 'name' and 'layers', got {sorted(config)}")
        model = cls(name=config["name"])
        for entry in config["layers"]:
            model.add(deserialize_keras_object(entry, custom_objects=custom_objects), rebuild=False)
        if model._layers:
            model._rebuild()
        shape = config.get("build_input_shape")
        if model._functional is None and shape and model._layers:
            model.build(shape)
        if not config.get("trainable", True):
            model.trainable = False
        return model
