"""LossScaleOptimizer: keeps small gradients from vanishing in float16 by scaling the loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pronghorn import _core, arguments, ops
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.saving import serialization
from pronghorn.variable import Variable

_raw = _core.ops

# What Keras once wrote into the config of this class, with values that have no effect.
_WITHOUT_EFFECT = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class LossScaleOptimizer(Optimizer):
    """Another optimizer whose loss is multiplied by a scale that is found during training.

    Gradients of a float16 network can be too small for float16. Those of the scaled loss are larger, and are divided by
    the scale in float32 before the inner optimizer takes them. After a step with a gradient that is not finite, nothing
    but the scale changes: it is halved. After `dynamic_growth_steps` steps without one, it is doubled. `compile` wraps
    its optimizer in this one where the dtype policy is "mixed_float16".

    Args:
        inner_optimizer: the `Optimizer` that makes the updates. Its `loss_scale_factor` is switched off.
        initial_scale: first scale. Too large a scale is halved at every step, too small a one doubled only rarely.
        dynamic_growth_steps: steps with finite gradients after which the scale is doubled.
        name: name; None makes one from the class name.
        **kwargs: options of `Optimizer` at their defaults, as in old configs; give them to `inner_optimizer`.

    Raises:
        TypeError: if `inner_optimizer` is no optimizer.
        ValueError: for other options than these, or settings out of range.

    Example:
        >>> import pronghorn as ph
        >>> weight = ph.Variable(1.0)
        >>> optimizer = ph.optimizers.LossScaleOptimizer(ph.optimizers.SGD(0.5), initial_scale=8.0)
        >>> optimizer.apply([ph.constant(8.0)], [weight])
        >>> optimizer.apply([ph.constant(float("inf"))], [weight])
        >>> float(weight), float(optimizer.dynamic_scale)
        (0.5, 4.0)
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(
                f"LossScaleOptimizer: inner_optimizer must be an Optimizer, got {arguments.shown(inner_optimizer)}"
            )
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer: the scale is always dynamic; for a fixed one, set `loss_scale_factor` of the "
                "optimizer itself"
            )
        for option, value in kwargs.items():
            if option not in _WITHOUT_EFFECT:
                raise ValueError(f"LossScaleOptimizer: unknown argument {option!r}")
            default = _WITHOUT_EFFECT[option]
            if not isinstance(value, type(default)) or value != default:
                raise ValueError(f"LossScaleOptimizer: set {option!r} of inner_optimizer instead, got {value!r}")
        if not arguments.number(initial_scale, "LossScaleOptimizer: initial_scale") > 0:
            raise ValueError(f"LossScaleOptimizer: initial_scale must be positive, got {initial_scale!r}")
        arguments.integer(dynamic_growth_steps, "LossScaleOptimizer: dynamic_growth_steps", least=1)
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the scale, the count of steps since it changed, and what the inner optimizer keeps."""
        self.step_counter = self._new_variable(0, "step_counter", dtype="int32")
        self.dynamic_scale = self._new_variable(float(self.initial_scale), "dynamic_scale", dtype="float32")
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """The variables of this optimizer, then those of the inner one."""
        return self._variables + self.inner_optimizer.variables

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer has made."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's present learning rate."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def apply(self, grads: Any, trainable_variables: Iterable[Variable] | None = None) -> None:
        """Divide gradients by the scale and update variables with them, if all are finite; then adapt the scale.

        Args:
            grads: list of gradients of the scaled loss; None for a variable that stays.
            trainable_variables: list of variables; by default those the optimizer was built with.

        Raises:
            ValueError: if there is no gradient at all, or variables the optimizer was not built with.
        """
        grads = arguments.list_of(grads, "apply: grads")
        if trainable_variables is not None:
            trainable_variables = arguments.list_of(trainable_variables, "apply: trainable_variables")
        if not self.built:
            if trainable_variables is None:
                raise ValueError("apply: trainable_variables must be given the first time, or build() called")
            self.build(trainable_variables)
        grads = [None if grad is None else ops.convert_to_tensor(grad) for grad in grads]
        finite = self.check_finite(grads)
        scale = self.dynamic_scale.value
        # The updates are made in any case, and taken back where a gradient is not finite: a traced step cannot branch.
        state = self._trainable_variables + self.inner_optimizer.variables
        before = [variable.value for variable in state]
        unscaled = [None if grad is None else _raw.divide(grad, scale) for grad in grads]
        self.inner_optimizer.apply(unscaled, trainable_variables)
        self._keep_if(finite, state, before)
        count = _raw.add(self.step_counter, 1)
        grows = _raw.equal(count, self.dynamic_growth_steps)
        self.step_counter.assign(_raw.select(_raw.logical_and(finite, _raw.logical_not(grows)), count, 0))
        factor = _raw.select(finite, _raw.select(grows, 2.0, 1.0), 0.5)
        self.dynamic_scale.assign(_raw.multiply(scale, factor))

    def check_finite(self, grads: Sequence[Any]) -> Any:
        """Return a scalar bool tensor: whether all elements of all gradients are finite.

        Args:
            grads: list of tensors; None is passed over.
        """
        finite = ops.convert_to_tensor(True)
        for grad in grads:
            if grad is not None:
                finite = _raw.logical_and(finite, _raw.reduce_all(_raw.isfinite(grad)))
        return finite

    def scale_loss(self, loss: Any) -> Any:
        """Multiply the loss by the present scale."""
        return _raw.multiply(loss, self.dynamic_scale if self.built else float(self.initial_scale))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """At the end of training, set the variables to the inner optimizer's moving averages, if there are any."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "name": self.name,
            "inner_optimizer": serialization.serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> LossScaleOptimizer:
        """Make an optimizer from `get_config`'s result."""
        config = arguments.config_of(config, cls.__name__)
        inner = config.get("inner_optimizer")
        if isinstance(inner, dict):
            config["inner_optimizer"] = serialization.deserialize_keras_object(inner, custom_objects=custom_objects)
        return cls(**config)
