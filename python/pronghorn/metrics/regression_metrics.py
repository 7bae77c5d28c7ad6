"""How far predicted numbers are from the targets."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.losses import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from pronghorn.losses.loss import squeeze_or_expand_to_same_rank
from pronghorn.metrics.reduction_metrics import Mean, MeanMetricWrapper


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Cosine of the angle between targets and predictions."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true, y_pred = squeeze_or_expand_to_same_rank(ops.convert_to_tensor(y_true, y_pred.dtype), y_pred)
    return ops.sum(ops.normalize(y_true, axis=axis) * ops.normalize(y_pred, axis=axis), axis=axis)


class MeanSquaredError(MeanMetricWrapper):
    """Mean of (y_true - y_pred)^2.

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.MeanSquaredError()
        >>> round(float(metric([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]])), 4)
        0.25
    """

    _direction = "down"

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of |y_true - y_pred|.

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.MeanAbsoluteError()
        >>> round(float(metric([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]])), 4)
        0.25
    """

    _direction = "down"

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of 100 |y_true - y_pred| / |y_true|.

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.MeanAbsolutePercentageError()
        >>> round(float(metric([[2.0, 4.0]], [[1.0, 4.0]])), 4)
        25.0
    """

    _direction = "down"

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of (log(y_true + 1) - log(y_pred + 1))^2.

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.MeanSquaredLogarithmicError()
        >>> round(float(metric([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]])), 4)
        0.1201
    """

    _direction = "down"

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of log(cosh(y_pred - y_true)).

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.LogCoshError()
        >>> round(float(metric([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]])), 4)
        0.1084
    """

    _direction = "down"

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(log_cosh, name, dtype)


class RootMeanSquaredError(Mean):
    """Square root of the mean of (y_true - y_pred)^2.

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.RootMeanSquaredError()
        >>> float(metric([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]]))
        0.5
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take a batch into account.

        Args:
            y_true, y_pred: targets and predictions of the same shape.
            sample_weight: weights, see `Mean.update_state`.
        """
        y_true, y_pred = ops.convert_to_tensor(y_true, self.dtype), ops.convert_to_tensor(y_pred, self.dtype)
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        super().update_state(ops.square(y_pred - y_true), sample_weight)

    def result(self) -> Any:
        """Return the root so far."""
        return ops.sqrt(super().result())


class CosineSimilarity(MeanMetricWrapper):
    """Mean of the cosine of the angle between targets and predictions: 1 for the same direction, -1 for opposite ones.

    Args:
        name, dtype: see `Metric`.
        axis: the axis that holds the vectors.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.CosineSimilarity(axis=1)
        >>> round(float(metric([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]])), 4)
        0.5
    """

    _direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)
