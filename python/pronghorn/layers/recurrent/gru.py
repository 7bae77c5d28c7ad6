"""GRU: a state that gates replace part by part."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, activations, ops
from pronghorn.layers.arguments import constructor_arguments
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer_config import attribute_config
from pronghorn.layers.recurrent.cell import RecurrentCell, recurrent_product
from pronghorn.layers.recurrent.cell_layer import CellLayer, checked_use_cudnn, of_cell
from pronghorn.layers.recurrent.steps import Step


class GRUCell(RecurrentCell):
    """One step of `GRU`.

    Args:
        units: int, size of outputs and state.
        activation: name or function, of what may replace the state; None means none.
        recurrent_activation: name or function, of the gates; None means none.
        use_bias: bool.
        kernel_initializer, recurrent_initializer, bias_initializer: name or initializer.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: name, regularizer or None.
        kernel_constraint, recurrent_constraint, bias_constraint: name, constraint or None.
        dropout: float from 0 to 1, share of the inputs to drop in training, the same ones in all steps.
        recurrent_dropout: same, of the state, for each gate on its own.
        reset_after: bool, whether the reset gate is applied after the product with the recurrent kernel or before.
        seed: int or None.
        **kwargs: `implementation`, 1 to drop inputs for each gate on its own; `name`, `dtype`, `trainable`.

    It is called on inputs of shape (batch, features) and a list of one state of shape (batch, units), and returns the
    outputs, (batch, units), and the list of the next state.

    Raises:
        ValueError: if `units` is not a positive int, or a rate lies outside 0 to 1.

    Example:
        >>> import pronghorn as ph
        >>> cell = ph.layers.GRUCell(4)
        >>> outputs, states = cell(ph.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> outputs.shape
        (2, 4)
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
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        shared = constructor_arguments(locals(), but=("recurrent_activation", "reset_after"))
        super().__init__(gates=3, **shared, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def bias_shape(self) -> tuple[int, ...]:
        # one row for the inputs, with reset_after one more for the state
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def input_bias(self) -> Any:
        return self.bias[0] if self.use_bias and self.reset_after else self.bias

    def recurrence(self, state: Any, training: bool | None) -> Step:
        kernel = ops.convert_to_tensor(self.recurrent_kernel)
        masks = self.state_masks(state, training)
        return self._reset_after(kernel, masks) if self.reset_after else self._reset_before(kernel, masks)

    def _reset_after(self, kernel: Any, masks: list[Any] | None) -> Step:
        product = recurrent_product(kernel, masks)
        bias = self.bias[1] if self.use_bias else None

        def step(projected: Any, states: Any) -> tuple[Any, Any]:
            inner = product(states[0])
            inner_z, inner_r, inner_h = ops.split(inner if bias is None else ops.add(inner, bias), 3, axis=-1)
            x_z, x_r, x_h = ops.split(projected, 3, axis=-1)
            z = self.recurrent_activation(ops.add(x_z, inner_z))
            r = self.recurrent_activation(ops.add(x_r, inner_r))
            return _replaced(states[0], z, self.activation(ops.add(x_h, ops.multiply(r, inner_h))))

        return step

    def _reset_before(self, kernel: Any, masks: list[Any] | None) -> Step:
        of_gates = recurrent_product(kernel[:, : 2 * self.units], None if masks is None else masks[:2])
        of_candidate = recurrent_product(kernel[:, 2 * self.units :], None if masks is None else masks[2:])

        def step(projected: Any, states: Any) -> tuple[Any, Any]:
            h = states[0]
            inner_z, inner_r = ops.split(of_gates(h), 2, axis=-1)
            x_z, x_r, x_h = ops.split(projected, 3, axis=-1)
            z = self.recurrent_activation(ops.add(x_z, inner_z))
            r = self.recurrent_activation(ops.add(x_r, inner_r))
            return _replaced(h, z, self.activation(ops.add(x_h, of_candidate(ops.multiply(r, h)))))

        return step

    def histories(self, projected: Any, states: list[Any], mask: Any) -> list[Any] | None:
        if self.activation is not ops.tanh or self.recurrent_activation is not ops.sigmoid:
            return None
        both = self.use_bias and self.reset_after
        bias = self.bias[1] if both else ops.zeros((3 * self.units,), dtype=projected.dtype)
        return [_core.ops.gru(projected, self.recurrent_kernel, bias, *states, mask, reset_after=self.reset_after)[0]]

    def own_config(self) -> dict[str, Any]:
        return {**super().own_config(), **attribute_config(self, "recurrent_activation", "reset_after")}


def _replaced(h: Any, z: Any, candidate: Any) -> tuple[Any, Any]:
    h = ops.add(ops.multiply(z, h), ops.multiply(ops.subtract(1, z), candidate))
    return h, [h]


class GRU(CellLayer):
    """The gated recurrent unit: a state h that gates z and r replace part by part.

    With x_z, x_r, x_h the parts of `x @ kernel + bias`, h_z, h_r, h_h those of `h @ recurrent_kernel`, s
    `recurrent_activation` and t `activation`: `z = s(x_z + h_z)`, `r = s(x_r + h_r)`, and the next state, which is also
    the output, is `z * h + (1 - z) * t(x_h + r * h_h)`. With `reset_after=False`, h_h is made from `r * h` instead.

    Args:
        units: int, size of outputs and state.
        activation: name or function, of what may replace the state; None means none.
        recurrent_activation: name or function, of the gates; None means none.
        use_bias: bool.
        kernel_initializer, recurrent_initializer, bias_initializer: name or initializer.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: name, regularizer or None.
        kernel_constraint, recurrent_constraint, bias_constraint: name, constraint or None.
        dropout: float from 0 to 1, share of the inputs to drop in training, the same ones in all steps.
        recurrent_dropout: same, of the state, for each gate on its own.
        seed: int or None.
        return_sequences, return_state, go_backwards, stateful, unroll: as in `RNN`.
        reset_after: bool, whether the reset gate is applied after the product with the recurrent kernel or before.
        use_cudnn: accepted for Keras's sake: "auto" or a bool.
        **kwargs: `zero_output_for_mask` as in `RNN`; `implementation`, 1 to drop inputs for each gate on its own;
            `name`, `dtype`, `trainable` as for `Layer`.

    Inputs, calls and results are those of `RNN`.

    Raises:
        ValueError: if `units` is not a positive int, or a rate lies outside 0 to 1.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.GRU(4)(ph.ops.ones((2, 10, 3))).shape
        (2, 4)

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014;
    https://keras.io/api/layers/recurrent_layers/gru/
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
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(GRUCell, constructor_arguments(locals(), but=("use_cudnn",)), kwargs)
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = checked_use_cudnn(use_cudnn)

    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")
