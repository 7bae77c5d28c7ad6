"""Follow the regularized leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import _core, ops
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable

_raw = _core.ops


class Ftrl(Optimizer):
    """FTRL-proximal (McMahan et al., 2013), for large sparse linear models.

    Args:
        learning_rate: number, schedule or function.
        learning_rate_power: at most 0; how the learning rate falls with the squared gradients.
        initial_accumulator_value: what the sums of squares start with.
        l1_regularization_strength, l2_regularization_strength: not negative.
        l2_shrinkage_regularization_strength: not negative; penalty on the gradient's side.
        beta: added to the root of the sums of squares.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.

    Raises:
        ValueError: if a setting is out of its range.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        not_negative = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        self._check_numbers(**not_negative, learning_rate_power=learning_rate_power, beta=beta)
        for option, value in not_negative.items():
            if value < 0:
                raise ValueError(f"{option} must not be negative, got {value!r}")
        if learning_rate_power > 0:
            raise ValueError(f"learning_rate_power must not be positive, got {learning_rate_power!r}")
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the sums of squares and the linear terms."""
        super().build(variables)
        start = self.initial_accumulator_value
        self._accumulators, self._linears = self.add_optimizer_variables(
            variables, ["accumulator", "linear"], [lambda shape, dtype: ops.full(shape, start, dtype), "zeros"]
        )

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable."""
        rate = _raw.cast(learning_rate, dtype=self._scalar_dtype(variable))
        i = self._get_variable_index(variable)
        self._run_step(
            _raw.ftrl_step,
            variable,
            [self._accumulators[i], self._linears[i]],
            gradient,
            rate,
            learning_rate_power=self.learning_rate_power,
            l1=self.l1_regularization_strength,
            l2=self.l2_regularization_strength,
            l2_shrinkage=self.l2_shrinkage_regularization_strength,
            beta=self.beta,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = (
            "learning_rate_power",
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
            "beta",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
