"""RNN: a cell taken through the time steps of sequences."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, ops, tree
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config
from pronghorn.layers.recurrent.any_cell import check_cell, initial_state, output_size, run_cell
from pronghorn.layers.recurrent.cell import RecurrentCell
from pronghorn.layers.recurrent.stacked_cells import StackedRNNCells
from pronghorn.layers.recurrent.steps import spec_by_one_step
from pronghorn.layers.shapes import is_shape
from pronghorn.saving.serialization import deserialize_keras_object, serialize_keras_object
from pronghorn.variable import Variable


class RNN(Layer):
    """A cell called for one time step after the other, with its states handed on from step to step.

    Args:
        cell: a cell or a list of cells (`StackedRNNCells`). A cell is an object with `call(inputs, states)`, which
            returns outputs and next states, and `state_size`, an int or a list of ints; it may have `output_size` and
            `get_initial_state(batch_size)`.
        return_sequences: bool, whether to return the outputs of all steps or of the last one.
        return_state: bool, whether to return the states after the last step too.
        go_backwards: bool, whether to begin with the last step; the outputs stand in the order they are made in.
        stateful: bool, whether a call begins with the states that the call before has left. The batch size must be
            known, as from `Input(batch_shape=...)`.
        unroll: accepted for Keras's sake; it makes no difference.
        zero_output_for_mask: bool, whether the outputs of masked steps are zeros, not those of the step before.

    It is called on sequences of shape (batch, steps, ...) and takes `mask`, bool of shape (batch, steps), false where a
    step is to be skipped, so that the states stay as they were; `initial_state`, the list of states to begin with; and
    `training`. It returns outputs of shape (batch, units), or (batch, steps, units) with `return_sequences`; with
    `return_state` a tuple of these and the states.

    Raises:
        ValueError: if `cell` is no cell.

    Example:
        >>> import pronghorn as ph
        >>> class Sum(ph.layers.Layer):
        ...     state_size = 3
        ...     def call(self, inputs, states):
        ...         total = states[0] + inputs
        ...         return total, [total]
        >>> ph.layers.RNN(Sum())(ph.ops.ones((1, 5, 3))).tolist()
        [[5.0, 5.0, 5.0]]

    Source: https://keras.io/api/layers/recurrent_layers/rnn/
    """

    states: Any

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        check_cell(cell, f"{type(self).__name__}: cell")
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.state_size = list(cell.state_size) if tree.is_nested(cell.state_size) else [cell.state_size]
        self._keep_states(None)

    def _keep_states(self, states: Any) -> None:
        # As in Keras, they are no weights of the layer.
        object.__setattr__(self, "states", states)

    def _check_shape(self, shape: Any) -> None:
        if not is_shape(shape) or len(shape) < 3:
            raise ValueError(f"layer {self.name!r}: sequences must have shape (batch, steps, ...), got {shape}")

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        self._check_shape(sequences_shape)
        batch_size = sequences_shape[0]
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((batch_size, *sequences_shape[2:]))
            self.cell.built = True
        if not self.stateful:
            return
        if self.states is not None:
            self.reset_state()
        elif batch_size is None:
            raise ValueError(
                f"layer {self.name!r}: a stateful layer must know the batch size, as from "
                f"Input(batch_shape=...), got sequences of shape {tuple(sequences_shape)}"
            )
        else:
            states = self.get_initial_state(batch_size)
            self._keep_states(tree.map_structure(self._state_variable, states))

    def _state_variable(self, value: Any) -> Variable:
        variable = Variable(value, dtype=self.variable_dtype, trainable=False, name="rnn_state")
        variable.path = f"{self.path}/rnn_state"
        return variable

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Return the list of states that a call begins with: the cell's, or zeros."""
        states = initial_state(self.cell, batch_size, self._cell_dtype())
        return list(states) if tree.is_nested(states) else [states]

    def _cell_dtype(self) -> str:
        return getattr(self.cell, "compute_dtype", self.compute_dtype)

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zeros."""
        for state in tree.flatten(self.states) if self.states is not None else []:
            state.assign(ops.zeros_like(state.read()))

    def reset_states(self) -> None:
        """Set the states of a stateful layer to zeros: `reset_state` under its older name."""
        self.reset_state()

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = False) -> Any:
        if sequences.shape[1] == 0:
            raise ValueError(
                f"layer {self.name!r}: sequences must have at least one time step, got shape {sequences.shape}"
            )
        states = self._first_states(sequences.shape[0], initial_state)
        mask = None if mask is None else self._checked_mask(mask, sequences.shape[:2])
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        self._forget_dropout_masks()
        try:
            outputs, states = run_cell(self.cell, sequences, states, mask, training, not self.return_sequences)
        finally:
            self._forget_dropout_masks()
        if mask is not None and self.zero_output_for_mask:
            present = mask if self.return_sequences else mask[:, -1]
            present = ops.reshape(present, present.shape + (1,) * (len(outputs.shape) - len(present.shape)))
            outputs = ops.where(present, outputs, ops.zeros_like(outputs))
        outputs = ops.cast(outputs, self.compute_dtype)
        states = tree.map_structure(lambda state: ops.cast(state, self.compute_dtype), states)
        if self.stateful:
            for kept, state in zip(tree.flatten(self.states), tree.flatten(states)):
                kept.assign(state)
        return (outputs, *states) if self.return_state else outputs

    def _first_states(self, batch_size: int, given: Any) -> list[Any]:
        if self.stateful:
            expected = tree.flatten(self.states)[0].shape[0]
            if batch_size != expected:
                raise ValueError(
                    f"layer {self.name!r}: a stateful layer takes batches of one size, here "
                    f"{expected}, got {batch_size} sequences"
                )
        wanted = self.get_initial_state(batch_size)
        if given is None:
            given = self.states if self.stateful else wanted
        flat = [ops.convert_to_tensor(state) for state in tree.flatten(given)]
        shapes = [state.shape for state in tree.flatten(wanted)]
        if [state.shape for state in flat] != shapes:
            raise ValueError(
                f"layer {self.name!r}: initial_state must hold tensors of the shapes {shapes}, "
                f"got {[state.shape for state in flat]}"
            )
        return tree.pack_sequence_as(wanted, [ops.cast(state, self._cell_dtype()) for state in flat])

    def _checked_mask(self, mask: Any, shape: Any) -> Any:
        mask = ops.cast(ops.convert_to_tensor(mask), "bool")
        if len(mask.shape) == 3:  # a step counts where any of its features does
            mask = ops.any(mask, axis=-1)
        if mask.shape != tuple(shape):
            raise ValueError(
                f"layer {self.name!r}: mask must have shape (batch, steps) = {tuple(shape)}, got {mask.shape}"
            )
        return mask

    def _forget_dropout_masks(self) -> None:
        for layer in self._flatten_layers(include_self=False):
            if isinstance(layer, RecurrentCell):
                layer.reset_dropout_mask()
                layer.reset_recurrent_dropout_mask()

    def compute_output_spec(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = False
    ) -> Any:
        return spec_by_one_step(
            self.call, sequences, mask, int(self.return_sequences), initial_state=initial_state, training=training
        )

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        self._check_shape(sequences_shape)
        batch, steps = sequences_shape[:2]
        size = output_size(self.cell)
        outputs = (batch, steps, size) if self.return_sequences else (batch, size)
        states = tree.map_structure(lambda size: (batch, size), self.state_size)
        return (outputs, *states) if self.return_state else outputs

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        mask = tree.flatten(mask)[0] if self.return_sequences else None
        return [mask, *(None for _ in self.state_size)] if self.return_state else mask

    def get_config(self) -> dict[str, Any]:
        config = attribute_config(
            self, "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask"
        )
        return {**super().get_config(), **config, "cell": serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = arguments.config_of(config, cls.__name__)
        return cls(deserialize_keras_object(config.pop("cell"), custom_objects), **config)
