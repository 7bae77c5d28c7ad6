"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import _core
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable

_raw = _core.ops


class RMSprop(Optimizer):
    """Steps divided by a moving root mean square of the gradients (Tieleman and Hinton, 2012).

    Args:
        learning_rate: number, schedule or function.
        rho: how slowly the mean square moves.
        momentum: share of the last step in this one.
        epsilon: keeps the division finite.
        centered: divide by the gradients' standard deviation instead.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self._check_numbers(rho=rho, momentum=momentum, epsilon=epsilon)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the mean squares, and momenta and means where needed."""
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum > 0 else []
        self._average_gradients = self.add_optimizer_variables(variables, "average_gradient") if self.centered else []

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable."""
        rate = _raw.cast(learning_rate, dtype=self._scalar_dtype(variable))
        i = self._get_variable_index(variable)
        if not self.centered and not self.momentum:
            slots = [self._velocities[i]]
            self._run_step(_raw.rmsprop_step, variable, slots, gradient, rate, rho=self.rho, epsilon=self.epsilon)
            return
        velocity = _moving(self._velocities[i], _raw.square(gradient), self.rho)
        variance = velocity
        if self.centered:
            variance = _raw.subtract(velocity, _raw.square(_moving(self._average_gradients[i], gradient, self.rho)))
        step = _raw.divide(_raw.multiply(gradient, rate), _raw.sqrt(_raw.add(variance, self.epsilon)))
        if self.momentum > 0:
            step = _raw.add(_raw.multiply(self._momentums[i], self.momentum), step)
            self._momentums[i].assign(step)
        variable.assign_sub(step)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
        return {**super().get_config(), **own}


def _moving(slot: Variable, value: Any, rho: float) -> Any:
    average = _raw.add(_raw.multiply(slot, rho), _raw.multiply(value, 1 - rho))
    slot.assign(average)
    return average
