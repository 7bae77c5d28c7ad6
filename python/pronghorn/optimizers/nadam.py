"""Nadam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import _core
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable

_raw = _core.ops


class Nadam(Optimizer):
    """Adam with Nesterov's momentum, whose weight warms up (Dozat, 2016).

    Args:
        learning_rate: number, schedule or function.
        beta_1, beta_2: how slowly the averages of gradients and of their squares move.
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
        """Create the averages and the running product of momentum weights."""
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._u_product = self._new_variable(1.0, "u_product", dtype="float32")

    def _momentum_weight(self, step: Any) -> Any:
        warmed = _raw.power(_raw.full(shape=(), dtype="float32", value=0.96), step)
        return _raw.multiply(_raw.subtract(1.0, _raw.multiply(warmed, 0.5)), self.beta_1)

    def _update(self, pairs: list[tuple[Any, Variable]]) -> None:
        """The product goes on once a step, not once a variable."""
        step = _raw.cast(_raw.add(self.iterations, 1), dtype="float32")
        self._weight = self._momentum_weight(step)
        self._next_weight = self._momentum_weight(_raw.add(step, 1.0))
        self._product = _raw.multiply(self._u_product, self._weight)
        self._step = step
        super()._update(pairs)
        self._u_product.assign(self._product)
        del self._weight, self._next_weight, self._product, self._step

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable."""
        dtype = self._scalar_dtype(variable)
        i = self._get_variable_index(variable)
        of_m = _raw.divide(self._next_weight, _raw.subtract(1.0, _raw.multiply(self._product, self._next_weight)))
        of_g = _raw.divide(_raw.subtract(1.0, self._weight), _raw.subtract(1.0, self._product))
        of_v = _raw.subtract(1.0, _raw.power(_raw.full(shape=(), dtype="float32", value=self.beta_2), self._step))
        rate = _raw.cast(learning_rate, dtype=dtype)
        of_m, of_g, of_v = (_raw.cast(scalar, dtype=dtype) for scalar in (of_m, of_g, of_v))
        self._run_step(
            _raw.nadam_step,
            variable,
            [self._momentums[i], self._velocities[i]],
            gradient,
            _raw.multiply(of_m, rate),
            _raw.multiply(of_g, rate),
            of_v,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
