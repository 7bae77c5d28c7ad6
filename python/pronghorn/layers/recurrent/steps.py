"""Taking a function of one time step through the steps of a sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import ops, tree
from pronghorn.symbolic import KerasTensor, infer_spec

# (inputs of a step, states) -> (outputs, next states)
Step = Callable[[Any, Any], tuple[Any, Any]]


def unrolled(step: Step, sequences: Any, states: Any, mask: Any, last_only: bool) -> tuple[Any, Any]:
    """Call a step function for one time step after the other.

    Where a step is masked, the states stay as they were and the outputs repeat those of the step before (before the
    first step: the first state, if it has the outputs' shape, else zeros).

    Args:
        step: function of the inputs of a step, (batch, ...), and the states.
        sequences: tensor of shape (batch, steps, ...), of one step at least.
        states: structure of tensors.
        mask: bool tensor of shape (batch, steps), false where a step is masked; or None.
        last_only: whether to return the outputs of the last step alone.

    Returns:
        the outputs, (batch, steps, ...) or those of the last step (batch, ...), and the states after the last step.
    """
    present = [] if mask is None else ops.unstack(mask, axis=1)
    outputs: list[Any] = []
    last = None
    for time, inputs in enumerate(ops.unstack(sequences, axis=1)):
        output, following = step(inputs, states)
        if present:

            def unless_masked(new: Any, old: Any, at: Any = present[time]) -> Any:
                return ops.where(ops.reshape(at, (-1,) + (1,) * (len(new.shape) - 1)), new, old)

            output = unless_masked(output, _before_first(states, output) if last is None else last)
            following = tree.map_structure(unless_masked, following, states)
        last, states = output, following
        if not last_only:
            outputs.append(output)
    return (last if last_only else ops.stack(outputs, axis=1)), states


def _before_first(states: Any, output: Any) -> Any:
    first = tree.flatten(states[-1] if tree.is_nested(states[0]) else states[0])[0]
    return first if first.shape == output.shape else ops.zeros_like(output)


def spec_by_one_step(call: Callable[..., Any], sequences: Any, mask: Any, stacked: int, **others: Any) -> Any:
    """Return what a call would return, as symbolic tensors, tracing it for one time step however many there are.

    Args:
        call: function of sequences, mask and the other arguments.
        sequences: tensor of shape (batch, steps, ...).
        mask: tensor of shape (batch, steps), or None.
        stacked: how many of the results, counted from the first, have an axis of time steps.
        **others: further arguments.
    """

    def first_step(x: Any) -> Any:
        if isinstance(x, KerasTensor):
            return KerasTensor((x.shape[0], 1, *x.shape[2:]), x.dtype)
        return ops.convert_to_tensor(x)[:, :1]

    results = infer_spec(call, first_step(sequences), mask=None if mask is None else first_step(mask), **others)
    flat = tree.flatten(results)
    for index, x in enumerate(flat[:stacked]):
        flat[index] = KerasTensor((x.shape[0], sequences.shape[1], *x.shape[2:]), x.dtype)
    return tree.pack_sequence_as(results, flat)
