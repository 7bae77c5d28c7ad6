"""What the cells of SimpleRNN, LSTM and GRU have in common: weights, dropout, and the walk through a sequence."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, activations, constraints, initializers, ops, random, regularizers, tree
from pronghorn.layers.arguments import fraction, positive_int
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config
from pronghorn.layers.recurrent.steps import Step, unrolled


class RecurrentCell(Layer):
    """A cell that multiplies its inputs by a kernel and its state by a recurrent kernel; see `LSTMCell`.

    A step is made of two parts: `project`, which takes inputs only and so serves all time steps at once, and the
    function that `recurrence` returns, which takes one step's projected inputs and the states.

    Args:
        gates: int, number of parts, each of size `units`, that the kernels' last axis has.
        implementation: 2 for one dropout mask of the inputs, 1 for one mask per gate.
    """

    bias: Any
    _masks: dict[str, Any]

    def __init__(
        self,
        gates: int,
        units: int,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        kind = type(self).__name__
        self.gates = gates
        self.units = positive_int(units, f"{kind}: units")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = fraction(dropout, f"{kind}: dropout")
        self.recurrent_dropout = fraction(recurrent_dropout, f"{kind}: recurrent_dropout")
        if implementation not in (1, 2):
            raise ValueError(f"{kind}: implementation must be 1 or 2, got {implementation!r}")
        self.implementation = 1 if self.recurrent_dropout else implementation
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self.state_size: Any = self.units
        self.output_size = self.units
        self.__dict__["_masks"] = {}

    def build(self, input_shape: Any) -> None:
        features = input_shape[-1] if len(input_shape) else None
        if features is None:
            raise ValueError(f"layer {self.name!r}: the last axis of the inputs must be known, got shape {input_shape}")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.gates * self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, self.gates * self.units),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=self.bias_shape(),
                initializer=self.initializer_of_bias(),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (self.gates * self.units,)

    def initializer_of_bias(self) -> Any:
        """Return what gives the bias to start from."""
        return self.bias_initializer

    def input_bias(self) -> Any:
        """Return the bias of the projected inputs, None if there is none."""
        return self.bias

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Return zeros for the states of `batch_size` sequences, as a list."""
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in tree.flatten(self.state_size)]

    # ---- dropout: one mask for all steps

    def get_dropout_mask(self, step_input: Any) -> Any:
        """Return what a step's inputs are multiplied by in training: the same until `reset_dropout_mask`.

        Returns:
            a tensor like `step_input`, with `implementation=1` a list of one for each gate; None without dropout.
        """
        return self._mask("inputs", step_input, self.dropout, per_gate=self.gates > 1 and self.implementation == 1)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """Return what the state is multiplied by in training: the same until `reset_recurrent_dropout_mask`.

        Returns:
            a tensor like `step_input`, a list of one for each gate if there are several; None without dropout.
        """
        return self._mask("states", step_input, self.recurrent_dropout, per_gate=self.gates > 1)

    def reset_dropout_mask(self) -> None:
        """Forget the inputs' dropout mask; layers do so after each call."""
        self._masks.pop("inputs", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the state's dropout mask; layers do so after each call."""
        self._masks.pop("states", None)

    def _mask(self, kind: str, like: Any, rate: float, per_gate: bool) -> Any:
        if rate == 0:
            return None
        kept = self._masks.get(kind)
        if kept is None or not _is_still_usable(tree.flatten(kept)[0], like):
            drawn = [
                random.dropout(ops.ones_like(like), rate, seed=self.seed_generator)
                for _ in range(self.gates if per_gate else 1)
            ]
            kept = self._masks[kind] = drawn if per_gate else drawn[0]
        return kept

    def drops(self, rate: float) -> bool:
        """Tell whether a rate of dropout has an effect in training; a rate of 1 has none, as in Keras."""
        return 0 < rate < 1

    # ---- one step

    def project(self, inputs: Any, training: bool | None) -> Any:
        """Return `inputs @ kernel + bias`, with dropout in training, for one step or for all.

        Args:
            inputs: tensor of shape (batch, features) or (batch, steps, features).
            training: bool.
        """
        inputs = ops.cast(inputs, self.compute_dtype)
        if training and self.drops(self.dropout):
            sequence = len(inputs.shape) == 3
            masks = tree.flatten(self.get_dropout_mask(inputs[:, 0] if sequence else inputs))
            masks = [ops.expand_dims(mask, 1) if sequence else mask for mask in masks]
            kernels = ops.split(self.kernel, len(masks), axis=1)
            parts = [ops.matmul(inputs * mask, kernel) for mask, kernel in zip(masks, kernels)]
            projected = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
        else:
            projected = ops.matmul(inputs, self.kernel)
        bias = self.input_bias()
        return projected if bias is None else ops.add(projected, bias)

    def recurrence(self, state: Any, training: bool | None) -> Step:
        """Return the function of (projected inputs, list of states) that gives outputs and next states.

        Args:
            state: a state of the first step.
            training: bool.
        """
        raise NotImplementedError(f"{type(self).__name__} has no recurrence() method")

    def state_masks(self, state: Any, training: bool | None) -> list[Any] | None:
        """Return the dropout masks of the state, one for each gate, None where nothing is dropped."""
        if not training or not self.drops(self.recurrent_dropout):
            return None
        return tree.flatten(self.get_recurrent_dropout_mask(state))

    def call(self, inputs: Any, states: Any, training: bool | None = False) -> Any:
        nested = tree.is_nested(states)
        given = list(states) if nested else [states]
        wanted = [(inputs.shape[0], self.units)] * len(tree.flatten(self.state_size))
        shapes = [getattr(state, "shape", None) for state in given]
        if shapes != wanted:
            raise ValueError(f"layer {self.name!r}: states must have the shapes {wanted}, got {shapes}")
        outputs, states = self.recurrence(given[0], training)(self.project(inputs, training), given)
        return outputs, states if nested else states[0]

    # ---- all steps

    def run_sequence(
        self, sequences: Any, states: list[Any], mask: Any, training: bool | None, last_only: bool
    ) -> tuple[Any, list[Any]]:
        """Take the cell through whole sequences; arguments and results are those of `unrolled`."""
        projected = self.project(sequences, training)
        # native ops know no dropout, and their gradients have none themselves, for which one tape lies within another
        fits = not (training and self.drops(self.recurrent_dropout)) and _core.active_tapes() < 2
        histories = self.histories(projected, states, mask) if fits else None
        if histories is None:
            return unrolled(self.recurrence(states[0], training), projected, states, mask, last_only)
        last = [history[:, -1] for history in histories]
        return (last[0] if last_only else histories[0]), last

    def histories(self, projected: Any, states: list[Any], mask: Any) -> list[Any] | None:
        """Return each state after every step, (batch, steps, units), by one native op; None where there is none."""
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.own_config()}

    def own_config(self) -> dict[str, Any]:
        """Return the arguments that only cells of this kind have."""
        return attribute_config(
            self,
            "units",
            "activation",
            "use_bias",
            "kernel_initializer",
            "recurrent_initializer",
            "bias_initializer",
            "kernel_regularizer",
            "recurrent_regularizer",
            "bias_regularizer",
            "kernel_constraint",
            "recurrent_constraint",
            "bias_constraint",
            "dropout",
            "recurrent_dropout",
            "seed",
        )


def _is_still_usable(mask: Any, like: Any) -> bool:
    return mask.shape == like.shape and mask.is_traced == like.is_traced and not mask.is_of_ended_trace


def recurrent_product(kernel: Any, masks: list[Any] | None) -> Any:
    """Return the function state -> state @ kernel, with the masks, one for each part of the kernel, on the state."""
    if masks is None:
        return lambda state: ops.matmul(state, kernel)
    if len(masks) == 1:
        return lambda state: ops.matmul(state * masks[0], kernel)
    parts = list(zip(masks, ops.split(kernel, len(masks), axis=1)))
    return lambda state: ops.concatenate([ops.matmul(state * mask, part) for mask, part in parts], axis=-1)
