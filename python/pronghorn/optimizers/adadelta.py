"""Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import _core
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable

_raw = _core.ops


class Adadelta(Optimizer):
    """Steps scaled by the ratio of two moving roots: of mean squared steps and gradients (Zeiler, 2012).

    Args:
        learning_rate: number, schedule or function; the paper's is 1.0.
        rho: how slowly the means move.
        epsilon: keeps the ratio finite.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self._check_numbers(rho=rho, epsilon=epsilon)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the means."""
        super().build(variables)
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable."""
        rate = _raw.cast(learning_rate, dtype=self._scalar_dtype(variable))
        i = self._get_variable_index(variable)
        slots = [self._accumulated_grads[i], self._accumulated_delta_vars[i]]
        self._run_step(_raw.adadelta_step, variable, slots, gradient, rate, rho=self.rho, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
