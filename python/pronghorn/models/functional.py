"""Functional: a model made of a graph of layer calls."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from typing import Any

from pronghorn import arguments, ops, tree
from pronghorn.layers import call_context
from pronghorn.layers.input_layer import InputLayer
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.masks import get_mask, set_mask
from pronghorn.models.function_graph import FunctionGraph, with_input_layers
from pronghorn.models.graph_config import graph_config, graph_from_config
from pronghorn.models.model import Model, register_functional
from pronghorn.symbolic import KerasTensor, Operation
from pronghorn.tensor import Tensor


class Functional(Model):
    """What `Model(inputs, outputs)` makes; see `Model`.

    Args:
        inputs: symbolic tensor or structure of them.
        outputs: symbolic tensor or structure of them.
        name: unique name; None makes one.
        **kwargs: `trainable`, `dtype` as for `Layer`.

    Raises:
        ValueError: if inputs or outputs are not symbolic, or not connected.
    """

    _graph: FunctionGraph
    _inputs_struct: Any
    _outputs_struct: Any
    input_names: list[str]
    output_names: list[str]

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            for x in tree.flatten(structure):
                if not isinstance(x, KerasTensor):
                    raise ValueError(f"Model: all {what} must be symbolic tensors, as from Input(), got {x!r}")
        Layer.__init__(self, name=name, **kwargs)
        flat_inputs, flat_outputs = with_input_layers(tree.flatten(inputs), tree.flatten(outputs))
        self.__dict__.update(
            _inputs_struct=tree.pack_sequence_as(inputs, flat_inputs),
            _outputs_struct=tree.pack_sequence_as(outputs, flat_outputs),
            _graph=FunctionGraph(flat_inputs, flat_outputs),
            output_names=[x._keras_history.operation.name for x in flat_outputs],
            input_names=[x._keras_history.operation.name for x in flat_inputs],
        )
        for layer in self.layers:
            self._track(layer)
        self._convert_input_args = False
        self.input_spec = _input_specs(inputs, flat_inputs)
        self.built = True
        if trainable is not None:
            self.trainable = trainable

    @property
    def operations(self) -> list[Operation]:
        """The layers and raw ops of the model, in order."""
        return list(self._graph.operations)

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, in order."""
        return [operation for operation in self._graph.operations if isinstance(operation, Layer)]

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError("Model.layers is computed; keep your layers in an attribute of another name")

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, as a flat list."""
        return list(self._graph.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, as a flat list."""
        return list(self._graph.outputs)

    @property
    def input(self) -> Any:
        """The symbolic inputs, in the structure given to the constructor."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs, in the structure given to the constructor."""
        return self._outputs_struct

    @property
    def input_shape(self) -> Any:
        """The inputs' shapes, None for unknown sizes."""
        return _only([x.shape for x in self._graph.inputs])

    @property
    def output_shape(self) -> Any:
        """The outputs' shapes, None for unknown sizes."""
        return _only([x.shape for x in self._graph.outputs])

    def build(self, input_shape: Any) -> None:
        """Do nothing: the layers were built when they were called on the symbolic inputs."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        values = self._arrange(inputs)
        for x, each in zip(values, tree.flatten(mask) if mask is not None else ()):
            if each is not None:
                set_mask(x, each)
        with call_context.layer_call(call_context.training() if training is None else training):
            results = self._graph.run(values)
        outputs = tree.pack_sequence_as(self._outputs_struct, results)
        return _only(outputs) if isinstance(outputs, (list, tuple)) else outputs

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        # The layers within have put their masks on the outputs.
        return None

    def _arrange(self, inputs: Any) -> list[Any]:
        """Return the inputs as a flat list of tensors, in the order, dtype and rank that the graph wants."""
        struct = self._inputs_struct
        if isinstance(inputs, dict):
            names = list(struct) if isinstance(struct, dict) else [x.name for x in self._graph.inputs]
            missing = [name for name in names if name not in inputs]
            if missing:
                raise ValueError(f"model {self.name!r}: inputs lack {missing}, got {sorted(inputs)}")
            unused = sorted(set(inputs) - set(names))
            if unused:
                warnings.warn(f"model {self.name!r} does not use the inputs {unused}", stacklevel=3)
            inputs = {name: inputs[name] for name in names} if isinstance(struct, dict) else [inputs[n] for n in names]
        values = tree.flatten(inputs)
        if len(values) != len(self._graph.inputs):
            raise ValueError(f"model {self.name!r} takes {len(self._graph.inputs)} inputs, got {len(values)}")
        return [self._fit(value, wanted) for value, wanted in zip(values, self._graph.inputs)]

    def _fit(self, value: Any, wanted: KerasTensor) -> Any:
        if value is None:
            if not getattr(wanted._keras_history.operation, "optional", False):
                raise ValueError(f"model {self.name!r}: input {wanted.name!r} is not optional, got None")
            return None
        x = value if isinstance(value, Tensor) else ops.convert_to_tensor(value)
        mask = get_mask(value)
        if x.dtype != wanted.dtype:
            x = ops.cast(x, wanted.dtype)
        rank = len(x.shape)
        if rank == len(wanted.shape) + 1 and x.shape[-1] == 1:
            x = ops.squeeze(x, axis=-1)
        elif rank == len(wanted.shape) - 1 and wanted.shape[-1] == 1:
            x = ops.expand_dims(x, -1)
        elif rank != len(wanted.shape):
            raise ValueError(
                f"model {self.name!r}: input {wanted.name!r} must have shape {wanted.shape}, got shape {x.shape}"
            )
        if mask is not None and get_mask(x) is None:
            set_mask(x, mask)
        return x

    def get_config(self) -> dict[str, Any]:
        if not _takes_inputs_and_outputs(type(self)):
            return Model.get_config(self)
        return {"name": self.name, "trainable": self.trainable, **graph_config(self, Functional)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        further = arguments.config_of(config, f"{cls.__name__}.from_config")
        if not _takes_inputs_and_outputs(cls) or "layers" not in config:
            return super().from_config(config)
        parts = {key: further.pop(key) for key in ("layers", "input_layers", "output_layers")}
        inputs, outputs = graph_from_config(parts, custom_objects, Functional)
        return cls(inputs=inputs, outputs=outputs, **further)


def _takes_inputs_and_outputs(cls: type) -> bool:
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    names = [p.name for p in parameters]
    return names[:3] == ["inputs", "outputs", "name"] or any(p.kind is p.VAR_POSITIONAL for p in parameters)


def _only(entries: Sequence[Any]) -> Any:
    return entries[0] if len(entries) == 1 else entries


def _input_specs(inputs: Any, flat_inputs: list[KerasTensor]) -> Any:
    def spec(x: KerasTensor, name: str) -> InputSpec:
        operation = x._keras_history.operation
        optional = isinstance(operation, InputLayer) and operation.optional
        shape = (None, *x.shape[1:]) if x.shape else ()
        return InputSpec(shape=shape, allow_last_axis_squeeze=True, name=name, optional=optional)

    if isinstance(inputs, dict):
        if any(tree.is_nested(x) for x in inputs.values()):
            return None
        return [spec(x, name) for name, x in zip(sorted(inputs), flat_inputs)]
    return [spec(x, x.name) for x in flat_inputs]


register_functional(Functional)
