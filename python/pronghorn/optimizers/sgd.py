"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import _core
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable

_raw = _core.ops


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for.

    w -= lr * g, or with momentum m = momentum * m - lr * g and w += m (Nesterov: w += momentum * m - lr * g).

    Args:
        learning_rate: number, schedule or function.
        momentum: in [0, 1]; 0 for none.
        nesterov: whether to use Nesterov's momentum.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.

    Raises:
        ValueError: if momentum is outside [0, 1].
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be in [0, 1], got {momentum!r}")
        self._check_numbers(momentum=momentum)
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the momenta."""
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum else []

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable."""
        rate = _raw.cast(learning_rate, dtype=self._scalar_dtype(variable))
        if not self.momentum:
            self._run_step(_raw.sgd_step, variable, [], gradient, rate)
            return
        slots = [self.momentums[self._get_variable_index(variable)]]
        self._run_step(
            _raw.momentum_step, variable, slots, gradient, rate, momentum=self.momentum, nesterov=self.nesterov
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
