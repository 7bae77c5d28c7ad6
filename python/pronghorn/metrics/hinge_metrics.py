"""Means of hinge losses."""

from __future__ import annotations

from typing import Any

from pronghorn.losses import categorical_hinge, hinge, squared_hinge
from pronghorn.metrics.reduction_metrics import MeanMetricWrapper


class Hinge(MeanMetricWrapper):
    """Mean of max(1 - y_true * y_pred, 0); labels -1 and 1, or 0 and 1.

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.Hinge()
        >>> round(float(metric([[0.0, 1.0], [0.0, 0.0]], [[0.6, 0.4], [0.4, 0.6]])), 4)
        1.3
    """

    _direction = "down"

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """Mean of max(1 - y_true * y_pred, 0)^2; labels -1 and 1, or 0 and 1.

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.SquaredHinge()
        >>> round(float(metric([[0.0, 1.0], [0.0, 0.0]], [[0.6, 0.4], [0.4, 0.6]])), 4)
        1.86
    """

    _direction = "down"

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Mean of max(1 + largest wrong prediction - right prediction, 0); one-hot labels.

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.CategoricalHinge()
        >>> round(float(metric([[0.0, 1.0], [0.0, 0.0]], [[0.6, 0.4], [0.4, 0.6]])), 4)
        1.4
    """

    _direction = "down"

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(categorical_hinge, name, dtype)
