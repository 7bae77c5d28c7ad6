"""Symbolic tensors of the functional API: what a layer or op would return, and the record of how it was made."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pronghorn import _core, naming, ops, tree
from pronghorn.tensor import Tensor

# Output shapes are inferred with each unknown dimension set to these two sizes in turn; what differs is unknown.
_PROBE_SIZES = (83, 89)


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.depth = 0
        self.undo: list[Callable[[], None]] = []


_scratch = _Scratch()


class KerasHistory(NamedTuple):
    """Where a symbolic tensor came from: the operation, which of its calls, which of that call's outputs."""

    operation: Operation
    node_index: int
    tensor_index: int


class Operation:
    """Anything that a symbolic graph records calls of: a layer, a model, an op.

    Args:
        name: unique name; None makes one from the class name.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = naming.auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"{type(self).__name__}: name must be a string without '/', got {name!r}")
        self.name = name
        self._inbound_nodes: list[Node] = []

    @property
    def input(self) -> Any:
        """The symbolic input (or structure of inputs) of the first call recorded.

        Raises:
            ValueError: if the operation was never called symbolically.
        """
        node = self._first_node("input")
        return node.arguments[0][0] if len(node.inputs) == 1 and node.arguments[0] else list(node.inputs)

    @property
    def output(self) -> Any:
        """The symbolic output (or structure of outputs) of the first call recorded.

        Raises:
            ValueError: if the operation was never called symbolically.
        """
        return self._first_node("output").outputs

    def _first_node(self, attribute: str) -> Node:
        if not self._inbound_nodes:
            raise ValueError(f"{self.name!r} has no {attribute}: it was never called symbolically")
        return self._inbound_nodes[0]

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Call the operation on actual tensors in place of the recorded symbolic ones."""
        raise NotImplementedError


class KerasTensor:
    """A tensor with shape and dtype but no values; dimensions that are not known are None.

    Args:
        shape: tuple of int or None.
        dtype: dtype name.
        name: name; None makes one.

    Example:
        >>> import pronghorn as ph
        >>> (ph.Input((3,)) * 2.0).shape
        (None, 3)
    """

    # NumPy arrays on the left of an operator then leave it to this class.
    __array_priority__ = 1000
    __array_ufunc__ = None

    def __init__(self, shape: Any, dtype: str = "float32", name: str | None = None) -> None:
        for size in shape:
            if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 0):
                raise ValueError(f"KerasTensor: shape must hold non-negative integers or None, got {tuple(shape)}")
        self.shape = tuple(shape)
        self.dtype = dtype
        self.name = name if name is not None else naming.auto_name("KerasTensor")
        self._keras_history: Any = None  # a KerasHistory once an operation has returned it

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def _refuse(self, what: str) -> TypeError:
        return TypeError(
            f"a KerasTensor has a shape and a dtype but no values, so {what}; "
            f"wrap the computation in a layer or use pronghorn.ops. Got {self!r}"
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._refuse("it cannot become a NumPy array")

    def __bool__(self) -> bool:
        raise self._refuse("it cannot be used as a condition")

    def __iter__(self) -> Iterator[Any]:
        raise self._refuse("it cannot be iterated over")

    def __int__(self) -> int:
        raise self._refuse("it cannot become an int")

    def __float__(self) -> float:
        raise self._refuse("it cannot become a float")

    def __len__(self) -> int:
        raise self._refuse("it has no length; use shape")


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "mod": operator.mod,
    "power": operator.pow,
    "matmul": operator.matmul,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "negative": operator.neg,
    "absolute": operator.abs,
    "invert": operator.invert,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
    "get_item": operator.getitem,
}

_SPECIAL_METHODS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}


def _install_operators() -> None:
    def forward(op: str) -> Callable[..., Any]:
        return lambda *args: record_op(op, args, {})

    def reflected(op: str) -> Callable[..., Any]:
        return lambda self, other: record_op(op, (other, self), {})

    for method, op in _SPECIAL_METHODS.items():
        setattr(KerasTensor, f"__{method}__", forward(op))
        setattr(KerasTensor, f"__r{method}__", reflected(op))
    for method, op in (("lt", "less"), ("le", "less_equal"), ("gt", "greater"), ("ge", "greater_equal")):
        setattr(KerasTensor, f"__{method}__", forward(op))
    for method, op in (("neg", "negative"), ("abs", "absolute"), ("invert", "invert"), ("getitem", "get_item")):
        setattr(KerasTensor, f"__{method}__", forward(op))


class Node:
    """One recorded call of an operation.

    Args:
        operation: what was called.
        args: positional arguments, symbolic tensors among them.
        kwargs: keyword arguments.
        outputs: the structure of symbolic tensors that the call returned; each gets this node as its history.
    """

    def __init__(self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.operation = operation
        self.arguments = (args, kwargs)
        self.inputs: list[KerasTensor] = [x for x in tree.flatten(self.arguments) if isinstance(x, KerasTensor)]
        self.outputs = outputs
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for position, output in enumerate(tree.flatten(outputs)):
            if isinstance(output, KerasTensor):
                output._keras_history = KerasHistory(operation, index, position)

    @property
    def is_input(self) -> bool:
        """Whether this is the start of a graph, a call without symbolic arguments."""
        return not self.inputs

    def parents(self) -> list[Node]:
        """Return the nodes that made this node's inputs."""
        return [node_of(x) for x in self.inputs]

    def fill_in(self, values: dict[int, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the call's arguments with values, by id of the symbolic tensor, in place of symbolic tensors."""
        args, kwargs = self.arguments
        if len(args) == 1 and not kwargs and isinstance(args[0], KerasTensor):
            return (values[id(args[0])],), {}
        return tree.map_structure(lambda x: values[id(x)] if isinstance(x, KerasTensor) else x, self.arguments)


def node_of(x: KerasTensor) -> Node:
    """Return the call that produced a symbolic tensor."""
    if x._keras_history is None:
        raise ValueError(f"{x!r} was not made by Input(), a layer or an op")
    return x._keras_history.operation._inbound_nodes[x._keras_history.node_index]


def _public_op(name: str) -> Callable[..., Any] | None:
    found: Any = ops
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


class OpCall(Operation):
    """A raw op applied to symbolic tensors, as a step of a functional model.

    Args:
        op: name of the op.
        name: unique name; None makes one from `op`.
    """

    def __init__(self, op: str, name: str | None = None) -> None:
        super().__init__(name=name if name is not None else naming.uniquify(op.replace(".", "_")))
        self.op = op
        self._function = _OPERATORS.get(op) or _public_op(op) or getattr(_core.ops, op)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        with _core.Part(self.name):
            return self._function(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Record a call on symbolic tensors."""
        outputs = infer_spec(self._function, *args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {"op": self.op, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OpCall:
        """Make an op call from `get_config`'s result."""
        return cls(**config)


def record_op(op: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a raw op on symbolic tensors and return its symbolic outputs."""
    return OpCall(op)(*args, **kwargs)


def is_symbolic(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Tell whether a KerasTensor is among the leaves of the arguments."""
    if len(args) == 1 and not kwargs and isinstance(args[0], (Tensor, KerasTensor)):
        return isinstance(args[0], KerasTensor)
    return any(isinstance(x, KerasTensor) for x in tree.flatten((args, kwargs)))


def after_scratch_trace(undo: Callable[[], None]) -> None:
    """Call `undo` when the scratch trace under way, if there is one, is over: what it left must not be used."""
    if _scratch.depth:
        _scratch.undo.append(undo)


@contextmanager
def _scratch_trace() -> Iterator[_core.Graph]:
    _scratch.depth += 1
    try:
        graph = _core.Graph()
        with graph:
            yield graph
    finally:
        _scratch.depth -= 1
        if not _scratch.depth:
            for undo in _scratch.undo:
                undo()
            _scratch.undo.clear()


def _probe(function: Callable[..., Any], arguments: tuple[Any, Any], size: int) -> Any:
    with _scratch_trace() as graph:

        def stand_in(x: Any) -> Any:
            if not isinstance(x, KerasTensor):
                return x
            return graph.input(tuple(size if dim is None else dim for dim in x.shape), x.dtype)

        args, kwargs = tree.map_structure(stand_in, arguments)
        outputs = function(*args, **kwargs)
        return tree.map_structure(lambda y: KerasTensor(y.shape, y.dtype) if isinstance(y, Tensor) else y, outputs)


def infer_spec(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what `function` would return, as symbolic tensors.

    The function is traced into a scratch graph, which computes nothing. With unknown dimensions it is traced twice,
    with two sizes in their place, and output dimensions that differ are unknown.

    Args:
        function: written with ops or layers.
        *args, **kwargs: its arguments; each `KerasTensor` among their leaves stands for a tensor.

    Returns:
        the structure that `function` returns, with a `KerasTensor` for each tensor.
    """
    arguments = (args, kwargs)
    outputs = _probe(function, arguments, _PROBE_SIZES[0])
    if all(None not in x.shape for x in tree.flatten(arguments) if isinstance(x, KerasTensor)):
        return outputs
    others = iter(tree.flatten(_probe(function, arguments, _PROBE_SIZES[1])))

    def merge(y: Any) -> Any:
        other = next(others)
        if not isinstance(y, KerasTensor):
            return y
        return KerasTensor(tuple(a if a == b else None for a, b in zip(y.shape, other.shape)), y.dtype)

    return tree.pack_sequence_as(outputs, [merge(y) for y in tree.flatten(outputs)])


_install_operators()
_core.set_symbolic_handler(KerasTensor, record_op)
