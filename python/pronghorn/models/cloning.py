"""Copies of models with new weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import arguments, tree
from pronghorn.layers.input_layer import Input, InputLayer
from pronghorn.layers.layer import Layer
from pronghorn.models.functional import Functional
from pronghorn.models.model import Model
from pronghorn.models.sequential import Sequential
from pronghorn.symbolic import KerasTensor, Operation


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """Return a model of the same layers with new weights.

    Args:
        model: the model.
        input_tensors: symbolic tensors to build on, or None for new ones.
        clone_function: function from a layer to its copy; None copies by config.
        call_function: function of (layer, *args, **kwargs) that calls a layer of the copy, for functional models.
        recursive: bool, whether `clone_function` is applied within nested models too.

    Raises:
        ValueError: if it is no model, or for a subclassed model with a `clone_function` or `input_tensors`.

    Example:
        >>> import pronghorn as ph
        >>> model = ph.Sequential([ph.Input((4,)), ph.layers.Dense(2)])
        >>> ph.models.clone_model(model).count_params()
        10
    """

    if not isinstance(model, Model):
        raise ValueError(f"clone_model: model must be a Model, got {arguments.shown(model)}")
    for name, function in (("clone_function", clone_function), ("call_function", call_function)):
        if function is not None:
            arguments.function(function, f"clone_model: {name}")
    if input_tensors is not None:
        given = tree.flatten(input_tensors)
        if not given or not all(isinstance(x, KerasTensor) for x in given):
            raise ValueError(
                f"clone_model: input_tensors must be symbolic tensors from Input, got {arguments.shown(input_tensors)}"
            )

    def copy(layer: Layer) -> Layer:
        if recursive and isinstance(layer, (Functional, Sequential)):
            return clone_model(layer, clone_function=clone_function, call_function=call_function, recursive=True)
        if clone_function is not None and not isinstance(layer, InputLayer):
            return clone_function(layer)
        return type(layer).from_config(layer.get_config())

    if isinstance(model, Sequential):
        return _clone_sequential(model, input_tensors, copy)
    if isinstance(model, Functional):
        return _clone_functional(model, input_tensors, copy, call_function)
    if clone_function is not None or input_tensors is not None:
        raise ValueError("clone_model: a subclassed model can only be copied by its config")
    return type(model).from_config(model.get_config())


def _clone_sequential(model: Sequential, input_tensors: Any, copy: Callable[[Layer], Layer]) -> Sequential:
    copies: list[Any] = [copy(layer) for layer in model.layers]
    if input_tensors is not None:
        copies.insert(0, tree.flatten(input_tensors)[0])
    elif model._layers and isinstance(model._layers[0], InputLayer):
        copies.insert(0, copy(model._layers[0]))
    return Sequential(copies, name=model.name, trainable=model.trainable)


def _clone_functional(
    model: Functional,
    input_tensors: Any,
    copy: Callable[[Layer], Layer],
    call_function: Callable[..., Any] | None,
) -> Any:
    copies: dict[int, Any] = {}

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        if id(operation) not in copies:
            copies[id(operation)] = _copied(operation, copy)
        copied = copies[id(operation)]
        return copied(*args, **kwargs) if call_function is None else call_function(copied, *args, **kwargs)

    if input_tensors is None:
        inputs = [Input(batch_shape=x.shape, dtype=x.dtype, name=x.name) for x in model.inputs]
    else:
        inputs = tree.flatten(input_tensors)
    outputs = model._graph.run(inputs, call)
    return Functional(
        tree.pack_sequence_as(model.input, inputs), tree.pack_sequence_as(model.output, outputs), name=model.name
    )


def _copied(operation: Operation, copy: Callable[[Layer], Layer]) -> Operation:
    if isinstance(operation, Layer):
        return copy(operation)
    return type(operation).from_config(operation.get_config())  # type: ignore[attr-defined]
