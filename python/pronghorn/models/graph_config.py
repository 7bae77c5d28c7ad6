"""Configs of functional models: which layers there are, and which calls join them."""

from __future__ import annotations

import json
from typing import Any

from pronghorn import arguments, tree
from pronghorn.saving.serialization import deserialize_keras_object, serialize_keras_object
from pronghorn.symbolic import KerasTensor, Node, OpCall, Operation, node_of

_TENSOR = "__keras_tensor__"


def graph_config(model: Any, functional: type) -> dict[str, Any]:
    """Return the layers, their calls, the inputs and the outputs of a functional model.

    Args:
        model: the model.
        functional: the class of functional models; their first call has number 1.
    """
    graph = model._graph
    layers = []
    for operation in graph.operations:
        config = _op_config(operation) if isinstance(operation, OpCall) else serialize_keras_object(operation)
        own = [node for node in graph.nodes if node.operation is operation and not node.is_input]
        config["name"] = operation.name
        config["inbound_nodes"] = [_node_config(graph, node) for node in sorted(own, key=graph.index_of)]
        layers.append(config)

    def place(x: KerasTensor) -> list[Any]:
        node = node_of(x)
        first = 1 if isinstance(node.operation, functional) else 0
        return [node.operation.name, graph.index_of(node) + first, x._keras_history.tensor_index]

    return {
        "layers": layers,
        "input_layers": tree.map_structure(place, model._inputs_struct),
        "output_layers": tree.map_structure(place, model._outputs_struct),
    }


def _op_config(operation: OpCall) -> dict[str, Any]:
    config = operation.get_config()
    return {"module": "pronghorn.symbolic", "class_name": "OpCall", "config": config, "registered_name": None}


def _node_config(graph: Any, node: Node) -> dict[str, Any]:
    def leaf(x: KerasTensor) -> dict[str, Any]:
        history = [x._keras_history.operation.name, graph.index_of(node_of(x)), x._keras_history.tensor_index]
        return {"class_name": _TENSOR, "config": {"shape": list(x.shape), "dtype": x.dtype, "keras_history": history}}

    args, kwargs = node.arguments
    return {"args": _plain(list(args), leaf), "kwargs": _plain(kwargs, leaf)}


def _plain(value: Any, leaf: Any) -> Any:
    """Return a structure of arguments in a form that JSON can hold."""
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "config": [_plain(item, leaf) for item in value]}
    if isinstance(value, list):
        return [_plain(item, leaf) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, leaf) for key, item in value.items()}
    if isinstance(value, slice):
        return {"class_name": "__slice__", "config": [value.start, value.stop, value.step]}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    return leaf(value) if isinstance(value, KerasTensor) else serialize_keras_object(value)


def graph_from_config(
    config: dict[str, Any], custom_objects: dict[str, Any] | None, functional: type
) -> tuple[Any, Any]:
    """Make layers from a config, repeat their calls, and return the structures of inputs and outputs.

    Raises:
        ValueError: if the calls refer to each other in a circle or to layers that do not exist.
    """
    made: dict[str, Any] = {}
    first_call: dict[str, int] = {}
    waiting: list[tuple[Any, dict[str, Any]]] = []
    for entry in config["layers"]:
        name = entry["name"]
        if entry["class_name"] == "OpCall":
            made[name] = OpCall.from_config(entry["config"])
        else:
            made[name] = deserialize_keras_object(entry, custom_objects=custom_objects)
        # the call that an Input is born with counts
        first_call[name] = len(made[name]._inbound_nodes) if entry["inbound_nodes"] else 0
        waiting += [(made[name], call) for call in entry["inbound_nodes"]]

    def tensor(name: str, call: int, output: int) -> KerasTensor | None:
        if name not in made:
            raise ValueError(f"config of a functional model: no layer is named {name!r}")
        nodes = made[name]._inbound_nodes[first_call[name] :]
        return tree.flatten(nodes[call].outputs)[output] if call < len(nodes) else None

    while waiting:
        left: list[tuple[Operation, dict[str, Any]]] = []
        blocked: set[int] = set()
        for operation, call in waiting:
            arguments = None if id(operation) in blocked else _arguments(call, tensor)
            if arguments is None:
                blocked.add(id(operation))  # a layer's calls keep their order
                left.append((operation, call))
            else:
                operation(*arguments[0], **arguments[1])
        if len(left) == len(waiting):
            names = sorted({operation.name for operation, _ in left})
            raise ValueError(f"config of a functional model: calls of {names} depend on each other")
        waiting = left

    def place(value: Any) -> Any:
        if isinstance(value, (list, tuple)) and len(value) == 3 and isinstance(value[0], str):
            name, call, output = value
            return tensor(name, call - 1 if isinstance(made[name], functional) else call, output)
        if isinstance(value, dict):
            return {key: place(item) for key, item in value.items()}
        return [place(item) for item in value]

    return place(config["input_layers"]), place(config["output_layers"])


def _arguments(call: dict[str, Any], tensor: Any) -> tuple[list[Any], dict[str, Any]] | None:
    """Return the arguments of a call, None if a tensor among them has not been made yet."""
    missing = []

    def revive(value: Any) -> Any:
        if isinstance(value, list):
            return [revive(item) for item in value]
        if not isinstance(value, dict):
            return value
        kind = value.get("class_name")
        if kind == _TENSOR:
            found = tensor(*value["config"]["keras_history"])
            if found is None:
                missing.append(value)
            return found
        if kind == "__tuple__":
            return tuple(revive(item) for item in value["config"])
        if kind == "__slice__":
            return slice(*value["config"])
        if kind == "__ellipsis__":
            return Ellipsis
        if kind is not None and "config" in value:
            return deserialize_keras_object(value)
        return {key: revive(item) for key, item in value.items()}

    args, kwargs = revive(call["args"]), revive(call["kwargs"])
    return None if missing else (args, kwargs)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a model, without its weights, from what `Model.to_json` returned.

    Args:
        json_string: the JSON text.
        custom_objects: dict from names to classes or functions of your own.

    Raises:
        TypeError: if it is no text.
        ValueError: if the text is no JSON.
    """
    try:
        config = json.loads(json_string)
    except TypeError:
        raise TypeError(f"model_from_json: json_string must be a string, got {arguments.shown(json_string)}") from None
    except ValueError as error:
        raise ValueError(f"model_from_json: json_string is no JSON: {error}") from None
    return deserialize_keras_object(config, custom_objects=custom_objects)
