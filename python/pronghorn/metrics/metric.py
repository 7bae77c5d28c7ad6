"""Metric: the base class. State lies in variables; updates and results are ops, so they become part of a train step."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from pronghorn import arguments, config, dtype_policies, initializers, naming, ops
from pronghorn.stateless import with_values
from pronghorn.variable import Variable


class Metric:
    """Base class of metrics: define `update_state` and `result`, and create variables with `add_variable`.

    Args:
        dtype: dtype of the state; the default float if None.
        name: name; None makes one from the class name.

    Example:
        >>> import pronghorn as ph
        >>> class Largest(ph.Metric):
        ...     def __init__(self, name="largest"):
        ...         super().__init__(name=name)
        ...         self.value = self.add_variable(shape=(), initializer="zeros", name="value")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.value.assign(ph.ops.maximum(self.value, ph.ops.max(y_pred)))
        ...     def result(self):
        ...         return self.value
        >>> metric = Largest()
        >>> metric.update_state([0.0], [3.0])
        >>> float(metric.result())
        3.0
    """

    # "up" where larger is better, "down" where smaller is: for callbacks that watch a metric
    _direction: str | None = None

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name if name is not None else naming.auto_name(type(self).__name__)
        self._dtype = None if dtype is None else dtype_policies.get(dtype).compute_dtype
        self._variables: list[Variable] = []
        self._metrics: list[Metric] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Metric) and value not in self.__dict__.setdefault("_metrics", []):
            self._metrics.append(value)
        super().__setattr__(name, value)

    @property
    def dtype(self) -> str:
        """The dtype of the state."""
        return self._dtype or config.floatx()

    @property
    def variables(self) -> list[Variable]:
        """The variables of the metric and of metrics it is made of."""
        return [*self._variables, *(variable for metric in self._metrics for variable in metric.variables)]

    def add_variable(
        self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None, aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:  # fmt: skip
        """Create a variable of the metric's state.

        Args:
            shape: shape.
            initializer: anything `pronghorn.initializers.get` knows.
            dtype: the metric's dtype if None.
            aggregation: accepted for Keras's sake.
            name: name.
        """
        kind = type(self).__name__
        dtype = ops.standardize_dtype(dtype or self.dtype)
        shape = arguments.integers(shape, f"{kind}: shape", least=0)
        arguments.allocatable(shape, kind)
        if isinstance(initializer, str) and initializer in ("zeros", "ones"):
            # An array, not an op: a variable may be made while a step is traced.
            value = np.full(shape, 1 if initializer == "ones" else 0, dtype if dtype != "bfloat16" else "float32")
        else:
            value = arguments.function(initializers.get(initializer), f"{kind}: initializer")(shape, dtype=dtype)
        variable = Variable(value, dtype=dtype, trainable=False, name=name or "variable")
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Create a variable; see `add_variable`."""
        return self.add_variable(shape, "zeros" if initializer is None else initializer, dtype, name=name)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take a batch into account."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state")

    def result(self) -> Any:
        """Return the value so far: a scalar tensor, or a dict of them."""
        raise NotImplementedError(f"{type(self).__name__} must define result")

    def reset_state(self) -> None:
        """Set the state to zeros."""
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, variable.dtype))

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """Return the state after a batch, from a given state; the metric's own stays.

        Args:
            metric_variables: list of tensors, a value for each of `variables`.
            *args: the arguments of `update_state`.
            **kwargs: the arguments of `update_state`.

        Raises:
            ValueError: if there are not as many values as variables.
        """
        update = functools.partial(self.update_state, *args, **kwargs)
        return with_values(update, (self.variables, metric_variables, "metric_variables"))[1]

    def stateless_result(self, metric_variables: Any) -> Any:
        """Return the value that a given state stands for; the metric's own state stays.

        Args:
            metric_variables: list of tensors, a value for each of `variables`.

        Raises:
            ValueError: if there are not as many values as variables.
        """
        return with_values(self.result, (self.variables, metric_variables, "metric_variables"))[0]

    def stateless_reset_state(self) -> list[Any]:
        """Return the state before the first batch; the metric's own stays."""
        own = [variable.value for variable in self.variables]
        return with_values(self.reset_state, (self.variables, own, "metric_variables"))[1]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Update the state and return the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make a metric from `get_config`'s result."""
        return cls(**arguments.config_of(config, f"{cls.__name__}.from_config"))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
