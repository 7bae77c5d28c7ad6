"""What recurrent layers ask of a cell, a user's own included.

A cell is an object with an attribute `state_size`, an int or a list of ints (one for each state), and a method
`call(inputs, states)` that takes a step's inputs and the list of states and returns outputs and next states. It may
have `output_size`, `get_initial_state(batch_size)` and, if it is a layer, `training` among the arguments of `call`.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from pronghorn import arguments, ops, tree
from pronghorn.layers import call_context
from pronghorn.layers.layer import Layer
from pronghorn.layers.recurrent.steps import unrolled


def check_cell(cell: Any, name: str) -> None:
    """Raise unless `cell` is a cell.

    Raises:
        ValueError: naming what it lacks.
    """
    if not callable(getattr(cell, "call", None)):
        raise ValueError(f"{name} must be a cell, with a method call(inputs, states), got {arguments.shown(cell)}")
    sizes = tree.flatten(getattr(cell, "state_size", None))
    if not sizes or any(isinstance(size, bool) or not isinstance(size, int) or size < 0 for size in sizes):
        raise ValueError(
            f"{name} must have an attribute state_size, an integer or a list of integers, one for each state; "
            f"{arguments.shown(cell)} has {getattr(cell, 'state_size', 'none')!r}"
        )


def output_size(cell: Any) -> int:
    """Return the size of a cell's outputs: its `output_size`, else that of its first state."""
    size = getattr(cell, "output_size", None)
    return size if size is not None else tree.flatten(cell.state_size)[0]


def initial_state(cell: Any, batch_size: Any, dtype: str) -> Any:
    """Return a cell's states for the first step: what it says itself, else zeros."""
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch_size=batch_size)
    return tree.map_structure(lambda size: ops.zeros((batch_size, size), dtype=dtype), cell.state_size)


def call_cell(cell: Any, inputs: Any, states: Any, training: bool | None, **options: Any) -> tuple[Any, list[Any]]:
    """Return the outputs of a step and the list of next states.

    Raises:
        ValueError: if the cell returns something else.
    """
    if isinstance(cell, Layer) and _takes_training(type(cell).call):
        options["training"] = training
    results = (cell if callable(cell) else cell.call)(inputs, states, **options)
    if not isinstance(results, (list, tuple)) or len(results) != 2:
        raise ValueError(f"RNN: a cell must return outputs and next states, {arguments.shown(cell)} gave {results!r}")
    outputs, following = results
    following = list(following) if tree.is_nested(following) else [following]
    shapes, wanted = ([getattr(x, "shape", None) for x in tree.flatten(each)] for each in (following, states))
    if shapes != wanted:
        raise ValueError(
            f"RNN: a cell's next states must have the shapes of its states, {wanted}, "
            f"{arguments.shown(cell)} gave {shapes}"
        )
    return outputs, tree.pack_sequence_as(list(states), tree.flatten(following))


@functools.cache
def _takes_training(call: Any) -> bool:
    return "training" in inspect.signature(call).parameters


def run_cell(
    cell: Any, sequences: Any, states: list[Any], mask: Any, training: bool | None, last_only: bool
) -> tuple[Any, list[Any]]:
    """Take any cell through sequences; arguments and results are those of `steps.unrolled`."""
    if _runs_sequences(cell):
        with call_context.variables_seen_in(cell.compute_dtype, cell.variable_dtype, cell.autocast):
            return cell.run_sequence(sequences, states, mask, training, last_only)
    return unrolled(lambda x, s: call_cell(cell, x, s, training), sequences, states, mask, last_only)


def _runs_sequences(cell: Any) -> bool:
    """Tell whether a cell has a way through sequences that does what its `call` would do step by step."""
    if not hasattr(cell, "run_sequence") or cell.activity_regularizer is not None:
        return False

    def defined_at(name: str) -> int:
        return next(index for index, cls in enumerate(type(cell).__mro__) if name in cls.__dict__)

    return defined_at("run_sequence") <= defined_at("call")  # unless a subclass has another `call`
