"""Adamax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import _core
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable

_raw = _core.ops


class Adamax(Optimizer):
    """Adam with the largest of the decayed gradients in place of their mean square (Kingma and Ba, 2014, section 7).

    Args:
        learning_rate: number, schedule or function.
        beta_1, beta_2: how slowly the average and the largest move.
        epsilon: keeps the division finite.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self._check_numbers(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the averages and the largest gradients."""
        super().build(variables)
        self._m, self._u = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable."""
        dtype = self._scalar_dtype(variable)
        i = self._get_variable_index(variable)
        step = _raw.cast(_raw.add(self.iterations, 1), dtype=dtype)
        correction = _raw.subtract(1.0, _raw.power(_raw.full(shape=(), dtype=dtype, value=self.beta_1), step))
        rate = _raw.divide(_raw.cast(learning_rate, dtype=dtype), correction)
        betas = {"beta_1": self.beta_1, "beta_2": self.beta_2}
        self._run_step(
            _raw.adamax_step, variable, [self._m[i], self._u[i]], gradient, rate, epsilon=self.epsilon, **betas
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
