"""The part of a symbolic graph that lies between some inputs and some outputs."""

from __future__ import annotations

from typing import Any

from pronghorn import tree
from pronghorn.layers.input_layer import Input
from pronghorn.symbolic import KerasTensor, Node, Operation, node_of


class FunctionGraph:
    """Nodes and operations needed to compute `outputs` from `inputs`.

    Nodes stand in an order in which they can run. Operations stand in Keras's order, which the order of weights and
    the names in weight files follow: those farthest from the outputs first, then as a walk from the outputs meets them.

    Args:
        inputs: flat list of symbolic tensors.
        outputs: flat list of symbolic tensors.

    Raises:
        ValueError: if an output needs a tensor that no input leads to, or two operations share a name.
    """

    def __init__(self, inputs: list[KerasTensor], outputs: list[KerasTensor]) -> None:
        self.inputs = inputs
        self.outputs = outputs
        ordered, met = _walk(inputs, outputs)
        self.depths: dict[int, int] = {}
        depth_of: dict[int, int] = {}
        in_graph = {id(node) for node in ordered}
        for node in reversed(ordered):
            depth = max(self.depths.get(id(node), 0), depth_of.get(id(node.operation), 0))
            self.depths[id(node)] = depth_of[id(node.operation)] = depth
            for parent in node.parents():
                if id(parent) in in_graph:
                    self.depths[id(parent)] = max(depth + 1, self.depths.get(id(parent), 0))
        position = {id(operation): index for index, operation in enumerate(met)}
        for x in inputs:
            node = node_of(x)
            if node.is_input and id(node.operation) not in position:
                # an input that no output needs
                met.append(node.operation)
                ordered.insert(0, node)
                self.depths[id(node)] = depth_of[id(node.operation)] = 0
                position[id(node.operation)] = -1
        self.nodes = ordered
        self.operations = sorted(met, key=lambda op: (-depth_of[id(op)], position[id(op)]))
        self._check()

    def _check(self) -> None:
        known = {id(x) for x in self.inputs}
        for node in self.nodes:
            missing = [x for x in node.inputs if id(x) not in known]
            if missing or (node.is_input and not any(id(x) in known for x in tree.flatten(node.outputs))):
                what = missing[0] if missing else node.outputs
                raise ValueError(
                    f"graph disconnected: {what} at {node.operation.name!r} cannot be computed from the inputs "
                    f"{[x.name for x in self.inputs]}"
                )
            known.update(id(x) for x in tree.flatten(node.outputs))
        names = [operation.name for operation in self.operations]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"names of layers in a model must be unique, {repeated} occur more than once")

    def run(self, inputs: list[Any], call: Any = None) -> list[Any]:
        """Return the outputs for some inputs.

        Args:
            inputs: flat list of values for the graph's inputs.
            call: function of an operation and its arguments, used instead of running the operation.
        """
        values = {id(x): value for x, value in zip(self.inputs, inputs)}
        for node in self.nodes:
            if node.is_input:
                continue
            args, kwargs = node.fill_in(values)
            operation = node.operation
            results = operation.run(*args, **kwargs) if call is None else call(operation, *args, **kwargs)
            if isinstance(node.outputs, KerasTensor):
                values[id(node.outputs)] = results
            else:
                for x, value in zip(tree.flatten(node.outputs), tree.flatten(results)):
                    values[id(x)] = value
        return [values[id(x)] for x in self.outputs]

    def index_of(self, node: Node) -> int:
        """Return the position of a node among its operation's nodes in this graph."""
        mine = {id(each) for each in self.nodes}
        return [id(each) for each in node.operation._inbound_nodes if id(each) in mine].index(id(node))


def _walk(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> tuple[list[Node], list[Operation]]:
    """Return the nodes above `outputs`, each after those it needs, and the operations in the order they are met."""
    given = {id(x) for x in inputs}
    ordered: list[Node] = []
    met: dict[int, Operation] = {}
    done: set[int] = set()
    for output in outputs:
        # (node, whether the nodes it needs have been put on the stack); a stack, as graphs may be deep
        pending = [(node_of(output), False)] if _inside(output, given) else []
        while pending:
            node, expanded = pending.pop()
            if expanded:
                ordered.append(node)
                continue
            if id(node) in done:
                continue
            done.add(id(node))
            met.setdefault(id(node.operation), node.operation)
            pending.append((node, True))
            pending.extend((node_of(x), False) for x in reversed(node.inputs) if _inside(x, given))
    return ordered, list(met.values())


def _inside(x: KerasTensor, given: set[int]) -> bool:
    return node_of(x).is_input or id(x) not in given


def with_input_layers(
    inputs: list[KerasTensor], outputs: list[KerasTensor]
) -> tuple[list[KerasTensor], list[KerasTensor]]:
    """Return inputs that come from `Input`, and outputs computed from them.

    Where an input is the result of a layer, a new `Input` takes its place, and the calls that follow are recorded anew.
    """
    if all(node_of(x).is_input for x in inputs):
        return inputs, outputs
    replaced: dict[int, KerasTensor] = {}
    for x in inputs:
        is_input = node_of(x).is_input
        replaced[id(x)] = x if is_input else Input(batch_shape=x.shape, dtype=x.dtype, name=f"{x.name}CLONE")

    def swap(x: Any) -> Any:
        if isinstance(x, KerasTensor) and id(x) not in replaced:
            replaced[id(x)] = KerasTensor(x.shape, x.dtype, name=f"{x.name}_clone")
        return replaced[id(x)] if isinstance(x, KerasTensor) else x

    nodes, _ = _walk(inputs, outputs)
    for node in nodes:
        if not node.is_input:
            args, kwargs = tree.map_structure(swap, node.arguments)
            Node(node.operation, args, kwargs, tree.map_structure(swap, node.outputs))
    return [replaced[id(x)] for x in inputs], [replaced.get(id(x), x) for x in outputs]
