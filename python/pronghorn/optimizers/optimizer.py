"""Optimizer: the base class. An update is written in ops on variables, so it runs eagerly and traced alike."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pronghorn import _core, arguments, naming, ops
from pronghorn.optimizers.optimizer_variables import OptimizerVariables
from pronghorn.optimizers.schedules.schedule import LearningRateSchedule
from pronghorn.saving import serialization
from pronghorn.stateless import with_values
from pronghorn.variable import Variable

_raw = _core.ops


def _variables(values: Any, name: str) -> list[Variable]:
    variables = arguments.list_of(values, name)
    for each in variables:
        if not isinstance(each, Variable):
            raise TypeError(f"{name} must be a list of variables, got {arguments.shown(each)} in it")
    return variables


class Optimizer(OptimizerVariables):
    """Base class of optimizers. Derive from it and write `update_step`, and `build` if there are slot variables.

    Args:
        learning_rate: number, `LearningRateSchedule`, or function without arguments.
        weight_decay: share of each variable taken off at every step, times the learning rate.
        clipnorm: longest gradient of one variable; longer ones are scaled down.
        clipvalue: largest absolute value in a gradient.
        global_clipnorm: longest gradient of all variables together.
        use_ema: keep an exponential moving average of the variables.
        ema_momentum: how slowly that average moves.
        ema_overwrite_frequency: steps after which variables are set to their averages; None: at the end of training.
        loss_scale_factor: the loss is multiplied and the gradients divided by it.
        gradient_accumulation_steps: steps whose gradients are averaged for one update.
        name: name; None makes one from the class name.

    Raises:
        ValueError: for settings that contradict each other or are out of range.

    Example:
        >>> import pronghorn as ph
        >>> class Plain(ph.optimizers.Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, gradient * learning_rate)
        >>> w = ph.Variable([1.0, 2.0])
        >>> _ = Plain(learning_rate=0.5).apply_gradients([(ph.constant([1.0, 1.0]), w)])
        >>> w.numpy()
        array([0.5, 1.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("decay", None) is not None:
            warnings.warn(
                f"{type(self).__name__}: decay is ignored; give a schedule as learning_rate instead", stacklevel=3
            )
        for key in kwargs:
            raise TypeError(f"{type(self).__name__}: unknown argument {key!r}")
        if sum(value is not None for value in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                f"only one of clipnorm, clipvalue and global_clipnorm can be set, got clipnorm={clipnorm}, "
                f"clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        for option, value in (("clipnorm", clipnorm), ("clipvalue", clipvalue), ("global_clipnorm", global_clipnorm)):
            if value is not None and not arguments.number(value, option) > 0:
                raise ValueError(f"{option} must be positive, got {value!r}")
        if use_ema:
            arguments.number_between(ema_momentum, "ema_momentum", 0, 1)
        for option, value in (("weight_decay", weight_decay), ("loss_scale_factor", loss_scale_factor)):
            if value is not None:
                arguments.number_between(value, option)
        if ema_overwrite_frequency is not None and not (
            isinstance(ema_overwrite_frequency, int) and ema_overwrite_frequency >= 1
        ):
            raise ValueError(f"ema_overwrite_frequency must be a positive integer, got {ema_overwrite_frequency!r}")
        if gradient_accumulation_steps is not None:
            arguments.integer(gradient_accumulation_steps, "gradient_accumulation_steps", least=2)
        self.name = name if name is not None else naming.auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._variables = []
        self._trainable_variables: list[Variable] = []
        self._averages: list[Variable] = []
        self._accumulated: list[Variable] = []
        self._positions: dict[Variable, int] = {}
        self._not_decayed: set[Variable] = set()
        self._not_decayed_patterns: list[str] = []
        self._iterations = self._new_variable(0, "iteration", dtype="int32")
        self._schedule: LearningRateSchedule | Callable[[], Any] | None = None
        if isinstance(learning_rate, LearningRateSchedule) or callable(learning_rate):
            self._schedule = learning_rate
        else:
            if isinstance(learning_rate, bool) or not isinstance(learning_rate, (int, float)):
                raise ValueError(f"learning_rate must be a number, a schedule or a function, got {learning_rate!r}")
            self._learning_rate = self._new_variable(
                arguments.number_between(learning_rate, "learning_rate"), "learning_rate", dtype="float32"
            )

    def _check_numbers(self, **settings: Any) -> None:
        for name, value in settings.items():
            arguments.number_between(value, f"{type(self).__name__}: {name}")

    def build(self, variables: Sequence[Variable]) -> None:
        """Create what is kept for each trainable variable. Derived classes call this first."""
        variables = _variables(variables, "build: variables")
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated = self.add_optimizer_variables(variables, "gradient_accumulator")
        self._trainable_variables = list(variables)
        self._positions = {variable: i for i, variable in enumerate(variables)}
        self.built = True

    def _get_variable_index(self, variable: Variable) -> int:
        return self._positions[variable]

    @property
    def iterations(self) -> Any:
        """How many updates have been made."""
        if self.gradient_accumulation_steps:
            return _raw.floor_divide(self._iterations, self.gradient_accumulation_steps)
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The present learning rate: a variable, or the schedule's value."""
        if self._schedule is None:
            return self._learning_rate
        # Schedules count every step, those that only accumulate gradients too.
        return (
            self._schedule(self._iterations) if isinstance(self._schedule, LearningRateSchedule) else self._schedule()
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or callable(value):
            self._schedule = value
            return
        if self._schedule is not None:
            raise TypeError("this optimizer was made with a LearningRateSchedule, so its learning rate cannot be set")
        self._learning_rate.assign(value)

    # ---- assignments, for update_step

    def assign(self, variable: Variable, value: Any) -> None:
        """Set a variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable."""
        variable.assign_sub(value)

    # ---- the update

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable. To be written by derived classes.

        Args:
            gradient: tensor of the variable's shape.
            variable: trainable variable.
            learning_rate: scalar tensor.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update_step(gradient, variable, learning_rate)")

    def _scalar_dtype(self, variable: Variable) -> str:
        """The dtype of a variable's learning rate: what its update is computed in."""
        return "float32" if variable.dtype in ("float16", "bfloat16") else variable.dtype

    def _run_step(
        self, step: Any, variable: Variable, slots: list[Variable], gradient: Any, *scalars: Any, **attributes: Any
    ) -> None:
        """Run a native update op on one variable and its slots, and store what it returns."""
        state = [variable, *slots]
        results = step([*state, gradient, *scalars], **attributes)
        for each, value in zip(state, results if slots else (results,)):
            each.assign(value)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """Update variables from (gradient, variable) pairs. Returns the iteration count."""
        pairs = arguments.list_of(grads_and_vars, "apply_gradients: grads_and_vars")
        if not pairs or not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs):
            raise ValueError(
                f"apply_gradients: grads_and_vars must be (gradient, variable) pairs, got {arguments.shown(pairs)}"
            )
        grads, variables = zip(*pairs)
        with _core.Part("optimizer", updates=True):
            self.apply(grads, variables)
        return self._iterations

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None) -> None:
        """Update the trainable variables.

        Args:
            grads: a gradient for each variable; variables whose gradient is None are left alone.
            trainable_variables: by default those the optimizer was built with.

        Raises:
            ValueError: if there is no gradient at all, or variables the optimizer was not built with.
        """
        grads = arguments.list_of(grads, "apply: grads")
        if trainable_variables is None:
            if not self.built:
                raise ValueError("apply: trainable_variables must be given the first time, or build() called")
            if len(grads) != len(self._trainable_variables):
                raise ValueError(
                    f"apply: grads must have one entry for each of the {len(self._trainable_variables)} variables the "
                    f"optimizer was built with, got {len(grads)}"
                )
            variables = list(self._trainable_variables)
        else:
            variables = _variables(trainable_variables, "apply: trainable_variables")
            if len(grads) != len(variables):
                raise ValueError(f"apply: {len(grads)} grads came for {len(variables)} trainable_variables")
            if not self.built:
                self.build(variables)
            for variable in variables:
                if variable not in self._positions:
                    raise ValueError(
                        f"apply: variable {variable.path!r} is not one of those the optimizer was built with; "
                        "make a new optimizer (compile again) when the trainable variables change"
                    )
        with _core.Part("optimizer", updates=True):
            self._apply(grads, variables)

    def _apply(self, grads: list[Any], variables: list[Variable]) -> None:
        pairs = [
            (ops.cast(ops.convert_to_tensor(grad), variable.dtype), variable)
            for grad, variable in zip(grads, variables)
            if grad is not None
        ]
        if not pairs:
            raise ValueError("apply: no gradient was given for any variable; does the loss depend on them?")
        if self.loss_scale_factor:
            pairs = [(_raw.divide(grad, self.loss_scale_factor), variable) for grad, variable in pairs]
        if self.gradient_accumulation_steps:
            self._accumulate(pairs)
        else:
            self._update(pairs)
        if self.use_ema:
            self._update_averages()
        for _, variable in pairs:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))
        self._iterations.assign_add(1)

    def stateless_apply(self, optimizer_variables: Any, grads: Any, trainable_variables: Any) -> tuple[Any, Any]:
        """Return the values after an update, from given values; the variables stay as they are.

        Args:
            optimizer_variables: list of tensors, a value for each of `variables`.
            grads: a gradient for each trainable variable.
            trainable_variables: list of tensors, a value for each variable the optimizer was built with.

        Returns:
            The new values of the trainable variables, and of the optimizer's.

        Raises:
            ValueError: if the optimizer is not built, or there are not as many values as variables.

        Example:
            >>> import pronghorn as ph
            >>> weight, optimizer = ph.Variable(1.0), ph.optimizers.SGD(0.1)
            >>> optimizer.build([weight])
            >>> values, state = optimizer.stateless_apply(optimizer.variables, [2.0], [weight])
            >>> float(values[0]), int(state[0]), float(weight)
            (0.800000011920929, 1, 1.0)
        """
        if not self.built:
            raise ValueError("stateless_apply: call build(trainable_variables) first")
        _, values, state = with_values(
            lambda: self.apply(grads),
            (self._trainable_variables, trainable_variables, "trainable_variables"),
            (self.variables, optimizer_variables, "optimizer_variables"),
        )
        return values, state

    def _update(self, pairs: list[tuple[Any, Variable]]) -> None:
        grads = self._clip([grad for grad, _ in pairs])
        variables = [variable for _, variable in pairs]
        rate = ops.convert_to_tensor(self.learning_rate)
        self._apply_weight_decay(variables, rate)
        for grad, variable in zip(grads, variables):
            self.update_step(grad, variable, rate)

    def _accumulate(self, pairs: list[tuple[Any, Variable]]) -> None:
        """Add up gradients; every so many steps, update with their mean."""
        steps = self.gradient_accumulation_steps
        is_update = _raw.equal(_raw.mod(_raw.add(self._iterations, 1), steps), 0)
        totals = [_raw.add(self._accumulated[self._positions[variable]], grad) for grad, variable in pairs]
        changed = [variable for _, variable in pairs]
        changed += [variable for variable in self._variables if variable is not self._iterations]
        before = [variable.value for variable in changed]
        self._update([(_raw.divide(total, steps), variable) for total, (_, variable) in zip(totals, pairs)])
        self._keep_if(is_update, changed, before)
        for total, (_, variable) in zip(totals, pairs):
            zeros = _raw.full(shape=total.shape, dtype=total.dtype, value=0)
            self._accumulated[self._positions[variable]].assign(_raw.select(is_update, zeros, total))

    def _keep_if(self, condition: Any, variables: Sequence[Variable], before: Sequence[Any]) -> None:
        """Set the variables back to what they were before, unless a scalar bool tensor says True."""
        for variable, old in zip(variables, before):
            new = variable.value
            if new.id != old.id:
                variable.assign(_raw.select(condition, new, old))

    def _clip(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm is not None:
            return [_raw.multiply(grad, _scale_to_norm(_squares(grad), self.clipnorm)) for grad in grads]
        if self.global_clipnorm is not None:
            total = _squares(grads[0])
            for grad in grads[1:]:
                total = _raw.add(total, _squares(grad))
            scale = _scale_to_norm(total, self.global_clipnorm)
            return [_raw.multiply(grad, scale) for grad in grads]
        if self.clipvalue is not None:
            return [ops.clip(grad, -self.clipvalue, self.clipvalue) for grad in grads]
        return grads

    # ---- weight decay

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave variables out of weight decay, by themselves or by patterns found in their names.

        Raises:
            ValueError: if the optimizer is built already.
        """
        if self.built:
            raise ValueError("exclude_from_weight_decay must be called before the optimizer is built")
        self._not_decayed = set(_variables(var_list or (), "exclude_from_weight_decay: var_list"))
        names = arguments.list_of(var_names or (), "exclude_from_weight_decay: var_names")
        if not all(isinstance(name, str) for name in names):
            raise TypeError(f"exclude_from_weight_decay: var_names must be strings, got {arguments.shown(names)}")
        self._not_decayed_patterns = names

    def _use_weight_decay(self, variable: Variable) -> bool:
        if variable in self._not_decayed:
            return False
        return not any(re.search(pattern, variable.name) for pattern in self._not_decayed_patterns)

    def _apply_weight_decay(self, variables: list[Variable], rate: Any) -> None:
        if self.weight_decay is None:
            return
        for variable in variables:
            if self._use_weight_decay(variable):
                decay = _raw.multiply(_raw.multiply(variable, self.weight_decay), ops.cast(rate, variable.dtype))
                variable.assign_sub(decay)

    # ---- moving averages

    def _update_averages(self) -> None:
        iterations = self.iterations
        is_first = _raw.equal(iterations, 0)
        momentum = _raw.select(is_first, 0.0, float(self.ema_momentum))
        overwrite = None
        if self.ema_overwrite_frequency:
            count = _raw.mod(_raw.add(iterations, 1), self.ema_overwrite_frequency)
            overwrite = _raw.equal(count, 0)
        for variable, average in zip(self._trainable_variables, self._averages):
            weight = ops.cast(momentum, variable.dtype)
            mixed = _raw.add(_raw.multiply(average, weight), _raw.multiply(variable, _raw.subtract(1.0, weight)))
            average.assign(mixed)
            if overwrite is not None:
                variable.assign(_raw.select(overwrite, mixed, variable))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """At the end of training, set the variables to their moving averages, if there are any."""
        if not self.use_ema:
            return
        if [*var_list] != self._trainable_variables:
            raise ValueError("finalize_variable_values: var_list must be the variables the optimizer was built with")
        for variable, average in zip(self._trainable_variables, self._averages):
            variable.assign(average.value)

    def scale_loss(self, loss: Any) -> Any:
        """Multiply the loss by `loss_scale_factor`, if there is one."""
        return loss if self.loss_scale_factor is None else _raw.multiply(loss, self.loss_scale_factor)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        rate: Any
        if self._schedule is None:
            rate = float(self._learning_rate.numpy())
        elif isinstance(self._schedule, LearningRateSchedule):
            rate = serialization.serialize_keras_object(self._schedule)
        else:
            rate = self._schedule
        return {
            "name": self.name,
            "learning_rate": rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
        """Make an optimizer from `get_config`'s result."""
        config = arguments.config_of(config, cls.__name__)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = serialization.deserialize_keras_object(
                config["learning_rate"], custom_objects=custom_objects
            )
        return cls(**config)


def _squares(gradient: Any) -> Any:
    return _raw.reduce_sum(_raw.square(gradient))


def _scale_to_norm(squares: Any, longest: float) -> Any:
    """What a gradient with this sum of squares is multiplied by to be no longer than `longest`."""
    return _raw.divide(longest, _raw.maximum(_raw.sqrt(squares), longest))
