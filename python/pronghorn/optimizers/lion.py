"""Lion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import _core, arguments
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable

_raw = _core.ops


class Lion(Optimizer):
    """Steps of equal size in the direction of the sign of a momentum (Chen et al., 2023).

    Args:
        learning_rate: number, schedule or function; three to ten times smaller than Adam's.
        beta_1: share of the momentum in the step's direction.
        beta_2: how slowly the momentum moves.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.

    Raises:
        ValueError: if beta_1 is outside (0, 1].
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        if not 0 < arguments.number(beta_1, "Lion: beta_1") <= 1:
            raise ValueError(f"beta_1 must be in (0, 1], got {beta_1!r}")
        self._check_numbers(beta_2=beta_2)
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the momenta."""
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable."""
        rate = _raw.cast(learning_rate, dtype=self._scalar_dtype(variable))
        slots = [self._momentums[self._get_variable_index(variable)]]
        self._run_step(_raw.lion_step, variable, slots, gradient, rate, beta_1=self.beta_1, beta_2=self.beta_2)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
