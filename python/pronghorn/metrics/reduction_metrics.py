"""Metrics that add values up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import ops
from pronghorn.losses.loss import squeeze_or_expand_to_same_rank
from pronghorn.metrics.metric import Metric
from pronghorn.saving import serialization


def weighted_values(values: Any, sample_weight: Any, dtype: str) -> tuple[Any, Any]:
    """Values, and weights brought to a shape that broadcasts to them (None for none).

    Values with more axes than the weights are averaged over what is left, as in Keras.
    """
    mask = getattr(values, "_keras_mask", None)
    values = ops.convert_to_tensor(values, dtype)
    if mask is not None:
        mask = ops.cast(mask, dtype)
        sample_weight = mask if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype) * mask
    if sample_weight is None:
        return values, None
    sample_weight = ops.convert_to_tensor(sample_weight, dtype)
    values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
    weight_rank, rank = len(sample_weight.shape), len(values.shape)
    if weight_rank and rank > weight_rank:
        values = ops.mean(values, axis=tuple(range(weight_rank, rank)))
    return values, sample_weight


class Sum(Metric):
    """Sum of values, weighted if weights are given.

    Args:
        name, dtype: see `Metric`.
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values."""
        values, weight = weighted_values(values, sample_weight, self.dtype)
        self.total.assign_add(ops.sum(values if weight is None else values * weight))

    def result(self) -> Any:
        """Return the sum so far."""
        return self.total.value


class Mean(Metric):
    """Mean of values, weighted if weights are given.

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
        """Take values into account."""
        values, weight = weighted_values(values, sample_weight, self.dtype)
        if weight is None:
            self.total.assign_add(ops.sum(values))
            self.count.assign_add(float(values.size))
            return
        self.total.assign_add(ops.sum(values * weight))
        self.count.assign_add(ops.sum(ops.broadcast_to(weight, values.shape)))

    def result(self) -> Any:
        """Return the mean so far, 0 of nothing."""
        return ops.divide_no_nan(self.total, self.count)


class MeanMetricWrapper(Mean):
    """Mean of a function of targets and predictions.

    Args:
        fn: function (y_true, y_pred, **kwargs) -> values.
        name, dtype: see `Metric`.
        **kwargs: passed on to the function.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name if name is not None else getattr(fn, "__name__", "metric"), dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take a batch into account."""
        mask = getattr(y_pred, "_keras_mask", None)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        if mask is not None:
            values = ops.convert_to_tensor(values)
            values = ops.stop_gradient(values)
            values._keras_mask = mask
        super().update_state(values, sample_weight)

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
