"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import _core
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable

_raw = _core.ops


class Adam(Optimizer):
    """Moving averages of gradients and of their squares, corrected for starting at zero (Kingma and Ba, 2014).

    Args:
        learning_rate: number, schedule or function.
        beta_1, beta_2: how slowly the two averages move.
        epsilon: keeps the division finite.
        amsgrad: divide by the largest mean square so far (Reddi et al., 2018).
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self._check_numbers(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the averages."""
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat") if self.amsgrad else []

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable."""
        i = self._get_variable_index(variable)
        alpha = self._corrected_rate(learning_rate, self._scalar_dtype(variable))
        if not self.amsgrad:
            self._run_step(
                _raw.adam_step,
                variable,
                [self._momentums[i], self._velocities[i]],
                gradient,
                alpha,
                beta_1=self.beta_1,
                beta_2=self.beta_2,
                epsilon=self.epsilon,
            )
            return
        momentum = _raw.add(
            self._momentums[i], _raw.multiply(_raw.subtract(gradient, self._momentums[i]), 1 - self.beta_1)
        )
        velocity = _raw.add(
            self._velocities[i],
            _raw.multiply(_raw.subtract(_raw.square(gradient), self._velocities[i]), 1 - self.beta_2),
        )
        highest = _raw.maximum(self._velocity_hats[i], velocity)
        self._momentums[i].assign(momentum)
        self._velocities[i].assign(velocity)
        self._velocity_hats[i].assign(highest)
        step = _raw.divide(_raw.multiply(momentum, alpha), _raw.add(_raw.sqrt(highest), self.epsilon))
        variable.assign_sub(step)

    def _corrected_rate(self, learning_rate: Any, dtype: str) -> Any:
        """The learning rate with both bias corrections."""
        step = _raw.cast(_raw.add(self.iterations, 1), dtype=dtype)
        first = _raw.subtract(1.0, _raw.power(_raw.full(shape=(), dtype=dtype, value=self.beta_1), step))
        second = _raw.subtract(1.0, _raw.power(_raw.full(shape=(), dtype=dtype, value=self.beta_2), step))
        return _raw.divide(_raw.multiply(_raw.cast(learning_rate, dtype=dtype), _raw.sqrt(second)), first)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "amsgrad": self.amsgrad}
        return {**super().get_config(), **own}


class AdamW(Adam):
    """Adam with weight decay apart from the gradients (Loshchilov and Hutter, 2017).

    Args:
        weight_decay: share of each variable taken off at every step, times the learning rate.
        learning_rate, beta_1, beta_2, epsilon, amsgrad: see `Adam`.

    Raises:
        ValueError: if weight_decay is None.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number; use Adam for none")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, name, weight_decay=weight_decay, **kwargs)
