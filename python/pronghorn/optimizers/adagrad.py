"""Adagrad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import _core, ops
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable

_raw = _core.ops


class Adagrad(Optimizer):
    """Steps divided by the root of all squared gradients so far (Duchi et al., 2011).

    Args:
        learning_rate: number, schedule or function.
        initial_accumulator_value: what the sums of squares start with.
        epsilon: keeps the division finite.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self._check_numbers(initial_accumulator_value=initial_accumulator_value, epsilon=epsilon)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the sums of squares."""
        super().build(variables)
        start = self.initial_accumulator_value
        self._accumulators = self.add_optimizer_variables(
            variables, "accumulator", lambda shape, dtype: ops.full(shape, start, dtype)
        )

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable."""
        rate = _raw.cast(learning_rate, dtype=self._scalar_dtype(variable))
        slots = [self._accumulators[self._get_variable_index(variable)]]
        self._run_step(_raw.adagrad_step, variable, slots, gradient, rate, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
