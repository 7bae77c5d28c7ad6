"""The table that `Model.summary` prints."""

from __future__ import annotations

import itertools
import math
import re
import shutil
from collections.abc import Callable
from typing import Any

from pronghorn import arguments
from pronghorn.layers.shapes import is_shape, shape_of

_BYTES = {"bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "float16": 2, "bfloat16": 2}
_BYTES |= {"int32": 4, "uint32": 4, "float32": 4, "int64": 8, "uint64": 8, "float64": 8}
_WIDEST = 10_000
_UNKNOWN, _NUMBER, _SYMBOL, _NO = 45, 34, 33, 9


def _colored(text: Any, color: int) -> str:
    return f"[color({color})]{text}[/]"


def _number(value: Any) -> str:
    return _colored(value, _UNKNOWN if value is None else _NUMBER)


def _bold(text: str) -> str:
    return f"[bold]{text}[/]"


def memory_size(variables: list[Any]) -> str:
    """Return the memory that variables take, as in "1.50 KB"."""
    size = float(sum(math.prod(v.shape) * _BYTES[v.dtype] for v in {id(v): v for v in variables}.values()))
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"


def _count(variables: list[Any]) -> int:
    return sum(math.prod(v.shape) for v in variables)


def _shapes_text(shapes: Any) -> Any:
    if is_shape(shapes):
        return f"({', '.join(_number(size) for size in shapes)})"
    if isinstance(shapes, dict):
        return {key: _shapes_text(shape) for key, shape in shapes.items()}
    return [_shapes_text(shape) for shape in shapes]


def _output_shape(layer: Any) -> str:
    if layer._inbound_nodes:
        shapes = _shapes_text(shape_of(layer._inbound_nodes[-1].outputs))
    elif getattr(layer, "_build_shapes", None):
        try:
            shapes = _shapes_text(layer.compute_output_shape(next(iter(layer._build_shapes.values()))))
        except (NotImplementedError, TypeError, ValueError):
            return "?"
    else:
        return "?"
    return shapes if isinstance(shapes, str) else str(shapes).replace("'", "")


def _in_range(layers: list[Any], layer_range: Any) -> list[Any]:
    """Return the layers from the first that matches one pattern to the last that matches the other."""
    if layer_range is None:
        return layers
    if (
        not isinstance(layer_range, (list, tuple))
        or len(layer_range) != 2
        or not all(isinstance(pattern, str) for pattern in layer_range)
    ):
        raise ValueError(f"summary: layer_range must hold two names, got {layer_range!r}")
    first, last = ([i for i, layer in enumerate(layers) if re.match(p, layer.name)] for p in layer_range)
    if not first or not last:
        raise ValueError(f"summary: layer_range {layer_range!r} matches none of {[layer.name for layer in layers]}")
    low, high = min(first), max(last)
    if low > high:
        low, high = min(last), max(first)
    return layers[low : high + 1]


def _is_chain(graph: Any) -> bool:
    """Tell whether each step of a graph needs only the one before it, and no layer is called twice."""
    depths = {graph.depths[id(node)] for node in graph.nodes}
    operations = {id(node.operation) for node in graph.nodes}
    size = len(graph.nodes)
    return len(depths) == size and len(operations) == size and all(len(node.inputs) <= 1 for node in graph.nodes)


def _connections(graph: Any, layer: Any) -> str:
    sources = [x._keras_history for node in graph.nodes if node.operation is layer for x in node.inputs]
    texts = [f"{s.operation.name}[{_number(s.node_index)}][{_number(s.tensor_index)}]" for s in sources]
    return ", ".join(texts) or "-"


def _trainable_mark(layer: Any) -> str:
    if not getattr(layer, "weights", None):
        return _bold("-")
    return _bold(_colored("Y", _NUMBER) if layer.trainable else _colored("N", _NO))


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: list[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Print a table of a model's layers; `Model.summary` describes the arguments.

    Raises:
        ValueError: if the width is too small or `layer_range` matches nothing.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    if line_length is not None:
        arguments.integer(line_length, "summary: line_length", least=1, most=_WIDEST)
    if positions is not None:
        positions = [
            arguments.number_between(end, "summary: positions", 0, 1)
            for end in arguments.list_of(positions, "summary: positions")
        ]
    if print_fn is not None:
        arguments.function(print_fn, "summary: print_fn")
    graph = getattr(model, "_graph", None)
    chain = graph is None or _is_chain(graph)
    layers = model.layers if graph is None else graph.operations
    headers = ["Layer (type)", "Output Shape", "Param #"]
    alignment = ["left", "left", "right"]
    width, ends = (88, [0.45, 0.80, 1.0]) if chain else (108, [0.3, 0.56, 0.74, 1.0])
    ends = positions or ends
    if not chain:
        headers, alignment = [*headers, "Connected to"], [*alignment, "left"]
    if show_trainable:
        width, ends = width + 12, [*(end * 0.9 for end in ends), 1.0]
        headers, alignment = [*headers, "Trainable"], [*alignment, "center"]
    width = line_length or min(width, shutil.get_terminal_size().columns - 4)
    stops = [0, *(int(end * width) for end in ends)]
    widths = [right - left for left, right in itertools.pairwise(stops)]
    if min(widths) < 4:
        raise ValueError(f"summary: a width of {width} is too small for {len(headers)} columns")
    columns = [Column(h, justify=a, width=w) for h, a, w in zip(headers, alignment, widths)]  # type: ignore[arg-type]
    table = Table(*columns, width=width, show_lines=True)

    def add_rows(layer: Any, level: int) -> None:
        indent = "   " * level + "└ " if level else ""
        name = f"{escape(indent + layer.name)} ({_colored(escape(type(layer).__name__), _SYMBOL)})"
        if not hasattr(layer, "built"):
            params = _number(0)
        else:
            params = _number(f"{layer.count_params():,}") if layer.built else f"{_number(0)} (unbuilt)"
        row = [name, _output_shape(layer), params]
        if not chain:
            row.append(_connections(graph, layer))
        if show_trainable:
            row.append(_trainable_mark(layer))
        table.add_row(*row)
        for inner in getattr(layer, "layers", ()) if expand_nested else ():
            add_rows(inner, level + 1)

    for layer in _in_range(list(layers), layer_range):
        add_rows(layer, 0)
    plain = {"force_terminal": False, "color_system": None} if print_fn else {}
    console = Console(highlight=False, width=line_length, **plain)  # type: ignore[arg-type]
    if print_fn:
        console.begin_capture()
    console.print(_bold(f'Model: "{escape(model.name)}"'))
    console.print(table)
    for title, variables in _totals(model):
        size = memory_size(variables)
        console.print(f"{_bold(f' {title} params: ')}{_number(f'{_count(variables):,}')} ({size})")
    if print_fn:
        print_fn(console.end_capture())


def _totals(model: Any) -> list[tuple[str, list[Any]]]:
    trainable, fixed = model.trainable_weights, model.non_trainable_weights
    optimizer = getattr(model, "optimizer", None)
    slots = list(optimizer.variables) if optimizer is not None and getattr(optimizer, "built", False) else []
    totals = [("Total", trainable + fixed + slots), ("Trainable", trainable), ("Non-trainable", fixed)]
    return [*totals, ("Optimizer", slots)] if slots else totals
