"""Metrics that add values up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pronghorn import arguments, losses, naming, ops
from pronghorn.losses.loss import apply_mask, squeeze_or_expand_to_same_rank
from pronghorn.metrics.metric import Metric
from pronghorn.saving import serialization


def _weighted(values: Any, sample_weight: Any, dtype: str) -> tuple[Any, Any, tuple[int, ...]]:
    """Values, and weights (None for none) of the same rank; last, the axes of values that the weights do not have."""
    values = ops.convert_to_tensor(values, dtype)
    if sample_weight is None:
        return values, None, ()
    sample_weight = ops.convert_to_tensor(sample_weight, dtype)
    values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
    weight_rank, rank = len(sample_weight.shape), len(values.shape)
    if weight_rank < rank:
        sample_weight = ops.reshape(sample_weight, (*sample_weight.shape, *(1,) * (rank - weight_rank)))
    arguments.broadcastable(sample_weight.shape, values.shape, "metric: sample_weight", "the samples' values")
    return values, sample_weight, tuple(range(weight_rank, rank))


class Sum(Metric):
    """Sum of values, weighted if weights are given.

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> total = ph.metrics.Sum()
        >>> total.update_state([1.0, 3.0, 5.0], sample_weight=[1, 1, 0])
        >>> float(total.result())
        4.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: any shape.
            sample_weight: weights of the same shape, of the leading axes, or of a shape that broadcasts to it.
        """
        values, weight, _ = _weighted(values, sample_weight, self.dtype)
        self.total.assign_add(ops.sum(values if weight is None else values * weight))

    def result(self) -> Any:
        """Return the sum so far."""
        return self.total.value


class Mean(Metric):
    """Mean of values, weighted if weights are given.

    Each sample counts once, or by its weight, however many values it has.

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> mean = ph.metrics.Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> float(mean.result())
        2.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(name="total")
        self.count = self.add_variable(name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take values into account.

        Args:
            values: shape (samples, ...).
            sample_weight: weights of the same shape, of the leading axes, or of a shape that broadcasts to it.
        """
        values, weight, extra = _weighted(values, sample_weight, self.dtype)
        per_sample = max(1, math.prod(values.shape[1:]))
        if weight is None:
            self.total.assign_add(_divided(ops.sum(values), per_sample))
            self.count.assign_add(float(values.shape[0] if values.shape else 1))
            return
        if extra == tuple(range(len(values.shape))):
            per_sample = max(1, values.size)
        self.total.assign_add(_divided(ops.sum(values * weight), per_sample))
        shape = tuple(1 if axis in extra else size for axis, size in enumerate(values.shape))
        per_weight = max(1, math.prod(shape[1:]))
        self.count.assign_add(_divided(ops.sum(ops.broadcast_to(weight, shape)), per_weight))

    def result(self) -> Any:
        """Return the mean so far, 0 of nothing."""
        return ops.divide_no_nan(self.total, self.count)


def _divided(total: Any, by: int) -> Any:
    return total if by == 1 else total / by


class MeanMetricWrapper(Mean):
    """Mean of a function of targets and predictions.

    Args:
        fn: function (y_true, y_pred, **kwargs) -> values.
        name, dtype: see `Metric`.
        **kwargs: passed on to the function.

    Example:
        >>> import pronghorn as ph
        >>> error = ph.metrics.MeanMetricWrapper(ph.losses.mean_squared_error, name="error")
        >>> error.update_state([[0.0, 0.0]], [[1.0, 3.0]])
        >>> float(error.result())
        5.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name if name is not None else naming.auto_name(type(self).__name__), dtype=dtype)
        self._fn = arguments.function(fn, "MeanMetricWrapper: fn")
        self._fn_kwargs = kwargs
        if self._direction is None and getattr(losses, getattr(fn, "__name__", ""), None) is fn:
            self._direction = "down"

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take a batch into account.

        Args:
            y_true, y_pred: targets and predictions, as the function wants them.
            sample_weight: weights, see `Mean.update_state`; masked predictions have none.
        """
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        mask = getattr(y_pred, "_keras_mask", None)
        super().update_state(values, apply_mask(sample_weight, mask, self.dtype, "sum"))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"fn": serialization.serialize_keras_object(self._fn)} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make a metric from `get_config`'s result."""
        config = dict(config)
        if "fn" in config:
            config["fn"] = serialization.deserialize_keras_object(config["fn"])
        return cls(**config)
