"""Correlation of predictions with targets."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.losses.loss import squeeze_or_expand_to_same_rank
from pronghorn.metrics.reduction_metrics import MeanMetricWrapper


def _centered(y_true: Any, y_pred: Any, axis: int) -> tuple[Any, Any, Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true, y_pred = squeeze_or_expand_to_same_rank(ops.convert_to_tensor(y_true, y_pred.dtype), y_pred)
    true_mean, pred_mean = ops.mean(y_true, axis=axis, keepdims=True), ops.mean(y_pred, axis=axis, keepdims=True)
    return y_true, y_pred, true_mean, pred_mean


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Covariance over the product of the standard deviations, along `axis`.

    Example:
        >>> import pronghorn as ph
        >>> round(float(ph.metrics.pearson_correlation([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])), 4)
        1.0
    """
    y_true, y_pred, true_mean, pred_mean = _centered(y_true, y_pred, axis)
    true, pred = y_true - true_mean, y_pred - pred_mean
    true = true / ops.std(true, axis=axis, keepdims=True)
    pred = pred / ops.std(pred, axis=axis, keepdims=True)
    return ops.mean(true * pred, axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Agreement along `axis`: 2 covariance / (both variances + squared difference of the means) (Lin, 1989).

    Example:
        >>> import pronghorn as ph
        >>> round(float(ph.metrics.concordance_correlation([0.0, 1.0, 2.0], [0.0, 1.0, 2.0])), 4)
        1.0
    """
    y_true, y_pred, true_mean, pred_mean = _centered(y_true, y_pred, axis)
    true_var = ops.var(y_true - true_mean, axis=axis, keepdims=True)
    pred_var = ops.var(y_pred - pred_mean, axis=axis, keepdims=True)
    # Either mean may be taken off y_true: the mean of y_pred - pred_mean is zero.
    products = (y_true - pred_mean) * (y_pred - pred_mean)
    norm = true_var + pred_var + ops.square(true_mean - pred_mean) + config.epsilon()
    return ops.mean(products * 2.0 / norm, axis=axis)


class PearsonCorrelation(MeanMetricWrapper):
    """Mean of Pearson's correlation of targets and predictions.

    Args:
        name, dtype: see `Metric`.
        axis: the axis along which values vary.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.PearsonCorrelation(axis=-1)
        >>> targets, predictions = [[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]]
        >>> round(float(metric(targets, predictions)), 4)
        0.9967
    """

    _direction = "up"

    def __init__(self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """Mean of the concordance correlation of targets and predictions.

    Args:
        name, dtype: see `Metric`.
        axis: the axis along which values vary.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.ConcordanceCorrelation(axis=-1)
        >>> targets, predictions = [[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]]
        >>> round(float(metric(targets, predictions)), 4)
        0.9816
    """

    _direction = "up"

    def __init__(self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
