"""SimpleRNN: the output of a step is the state of the next."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, activations, ops
from pronghorn.layers.arguments import constructor_arguments
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.recurrent.cell import RecurrentCell, recurrent_product
from pronghorn.layers.recurrent.cell_layer import CellLayer
from pronghorn.layers.recurrent.steps import Step

# the activations that the native op has, and what it calls them
_NATIVE = ((activations.tanh, "tanh"), (activations.relu, "relu"), (activations.linear, "none"))


class SimpleRNNCell(RecurrentCell):
    """One step of `SimpleRNN`: `activation(inputs @ kernel + bias + state @ recurrent_kernel)`.

    Args:
        units: int, size of outputs and state.
        activation: name or function; None means none.
        use_bias: bool.
        kernel_initializer, recurrent_initializer, bias_initializer: name or initializer.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: name, regularizer or None.
        kernel_constraint, recurrent_constraint, bias_constraint: name, constraint or None.
        dropout: float from 0 to 1, share of the inputs to drop in training, the same ones in all steps.
        recurrent_dropout: same, of the state.
        seed: int or None.

    It is called on inputs of shape (batch, features) and a list of one state of shape (batch, units), and returns the
    outputs, (batch, units), and the list of the next state.

    Raises:
        ValueError: if `units` is not a positive int, or a rate lies outside 0 to 1.

    Example:
        >>> import pronghorn as ph
        >>> cell = ph.layers.SimpleRNNCell(4)
        >>> outputs, states = cell(ph.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> outputs.shape
        (2, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(gates=1, **constructor_arguments(locals()), **kwargs)

    def drops(self, rate: float) -> bool:
        return rate > 0

    def recurrence(self, state: Any, training: bool | None) -> Step:
        product = recurrent_product(ops.convert_to_tensor(self.recurrent_kernel), self.state_masks(state, training))

        def step(projected: Any, states: Any) -> tuple[Any, Any]:
            output = self.activation(ops.add(projected, product(states[0])))
            return output, [output]

        return step

    def histories(self, projected: Any, states: list[Any], mask: Any) -> list[Any] | None:
        names = [name for function, name in _NATIVE if function is self.activation]
        if not names:
            return None
        return [_core.ops.simple_rnn(projected, self.recurrent_kernel, *states, mask, activation=names[0])]


class SimpleRNN(CellLayer):
    """The recurrent network whose state is its output: `h = activation(x @ kernel + bias + h @ recurrent_kernel)`.

    Args:
        units: int, size of outputs and state.
        activation: name or function; None means none.
        use_bias: bool.
        kernel_initializer, recurrent_initializer, bias_initializer: name or initializer.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: name, regularizer or None.
        kernel_constraint, recurrent_constraint, bias_constraint: name, constraint or None.
        dropout: float from 0 to 1, share of the inputs to drop in training, the same ones in all steps.
        recurrent_dropout: same, of the state.
        return_sequences, return_state, go_backwards, stateful, unroll: as in `RNN`.
        seed: int or None.
        **kwargs: `zero_output_for_mask` as in `RNN`; `name`, `dtype`, `trainable` as for `Layer`.

    Inputs, calls and results are those of `RNN`.

    Raises:
        ValueError: if `units` is not a positive int, or a rate lies outside 0 to 1.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.SimpleRNN(4)(ph.ops.ones((2, 10, 3))).shape
        (2, 4)

    Source: Elman, "Finding structure in time", 1990; https://keras.io/api/layers/recurrent_layers/simple_rnn/
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(SimpleRNNCell, constructor_arguments(locals()), kwargs)
        self.input_spec = [InputSpec(ndim=3)]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["seed"]  # Keras leaves it out here
        return config
