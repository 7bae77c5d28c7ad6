"""LSTM: a state that gates keep, write and read."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, activations, ops
from pronghorn.layers.arguments import constructor_arguments
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer_config import attribute_config
from pronghorn.layers.recurrent.cell import RecurrentCell, recurrent_product
from pronghorn.layers.recurrent.cell_layer import CellLayer, checked_use_cudnn, of_cell
from pronghorn.layers.recurrent.steps import Step


class LSTMCell(RecurrentCell):
    """One step of `LSTM`.

    Args:
        units: int, size of outputs and states.
        activation: name or function, of what is written into the memory and of what is read; None means none.
        recurrent_activation: name or function, of the gates; None means none.
        use_bias: bool.
        kernel_initializer, recurrent_initializer, bias_initializer: name or initializer.
        unit_forget_bias: bool, whether the bias of the forget gate starts from 1.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: name, regularizer or None.
        kernel_constraint, recurrent_constraint, bias_constraint: name, constraint or None.
        dropout: float from 0 to 1, share of the inputs to drop in training, the same ones in all steps.
        recurrent_dropout: same, of the state h, for each gate on its own.
        seed: int or None.
        **kwargs: `implementation`, 1 to drop inputs for each gate on its own; `name`, `dtype`, `trainable`.

    It is called on inputs of shape (batch, features) and the list [h, c] of states of shape (batch, units), and returns
    the outputs, which are the next h, and the list of the next states.

    Raises:
        ValueError: if `units` is not a positive int, or a rate lies outside 0 to 1.

    Example:
        >>> import pronghorn as ph
        >>> cell = ph.layers.LSTMCell(4)
        >>> outputs, states = cell(ph.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> outputs.shape, len(states)
        ((2, 4), 2)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        shared = constructor_arguments(locals(), but=("recurrent_activation", "unit_forget_bias"))
        super().__init__(gates=4, **shared, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def initializer_of_bias(self) -> Any:
        given = self.bias_initializer
        if given is None or not self.unit_forget_bias:
            return given

        def with_ones(shape: Any, dtype: Any = None) -> Any:
            forget_gate = ops.ones((self.units,), dtype=dtype)
            return ops.concatenate(
                [given((self.units,), dtype=dtype), forget_gate, given((2 * self.units,), dtype=dtype)]
            )

        return with_ones

    def recurrence(self, state: Any, training: bool | None) -> Step:
        product = recurrent_product(ops.convert_to_tensor(self.recurrent_kernel), self.state_masks(state, training))

        def step(projected: Any, states: Any) -> tuple[Any, Any]:
            h, c = states
            i, f, g, o = ops.split(ops.add(projected, product(h)), 4, axis=-1)
            kept = ops.multiply(self.recurrent_activation(f), c)
            c = ops.add(kept, ops.multiply(self.recurrent_activation(i), self.activation(g)))
            h = ops.multiply(self.recurrent_activation(o), self.activation(c))
            return h, [h, c]

        return step

    def histories(self, projected: Any, states: list[Any], mask: Any) -> list[Any] | None:
        if self.activation is not ops.tanh or self.recurrent_activation is not ops.sigmoid:
            return None
        hidden, cells, _ = _core.ops.lstm(projected, self.recurrent_kernel, *states, mask)
        return [hidden, cells]

    def own_config(self) -> dict[str, Any]:
        return {**super().own_config(), **attribute_config(self, "recurrent_activation", "unit_forget_bias")}


class LSTM(CellLayer):
    """Long short-term memory: a state c that gates keep, write and read.

    With i, f, g, o the parts of `x @ kernel + bias + h @ recurrent_kernel`, in this order, s `recurrent_activation` and
    t `activation`: `c = s(f) * c + s(i) * t(g)`, `h = s(o) * t(c)`. The output of a step is h.

    Args:
        units: int, size of outputs and states.
        activation: name or function, of what is written into c and of what is read; None means none.
        recurrent_activation: name or function, of the gates; None means none.
        use_bias: bool.
        kernel_initializer, recurrent_initializer, bias_initializer: name or initializer.
        unit_forget_bias: bool, whether the bias of the forget gate f starts from 1.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: name, regularizer or None.
        kernel_constraint, recurrent_constraint, bias_constraint: name, constraint or None.
        dropout: float from 0 to 1, share of the inputs to drop in training, the same ones in all steps.
        recurrent_dropout: same, of the state h, for each gate on its own.
        seed: int or None.
        return_sequences, return_state, go_backwards, stateful, unroll: as in `RNN`.
        use_cudnn: accepted for Keras's sake: "auto" or a bool.
        **kwargs: `zero_output_for_mask` as in `RNN`; `implementation`, 1 to drop inputs for each gate on its own;
            `name`, `dtype`, `trainable` as for `Layer`.

    Inputs, calls and results are those of `RNN`; the states are [h, c].

    Raises:
        ValueError: if `units` is not a positive int, or a rate lies outside 0 to 1.

    Example:
        >>> import pronghorn as ph
        >>> outputs, h, c = ph.layers.LSTM(4, return_sequences=True, return_state=True)(ph.ops.ones((2, 10, 3)))
        >>> outputs.shape, c.shape
        ((2, 10, 4), (2, 4))

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997; https://keras.io/api/layers/recurrent_layers/lstm/
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(LSTMCell, constructor_arguments(locals(), but=("use_cudnn",)), kwargs)
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = checked_use_cudnn(use_cudnn)

    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")
