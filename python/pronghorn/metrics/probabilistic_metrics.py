"""How well predicted probabilities agree with the labels."""

from __future__ import annotations

from typing import Any

from pronghorn.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from pronghorn.metrics.reduction_metrics import MeanMetricWrapper


class KLDivergence(MeanMetricWrapper):
    """Mean of sum(y_true * log(y_true / y_pred)).

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.KLDivergence()
        >>> round(float(metric([[0.0, 1.0], [0.0, 0.0]], [[0.6, 0.4], [0.4, 0.6]])), 4)
        0.4581
    """

    _direction = "down"

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """Mean of y_pred - y_true * log(y_pred).

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.Poisson()
        >>> round(float(metric([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]])), 4)
        0.5
    """

    _direction = "down"

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of labels 0 and 1.

    Args:
        name, dtype: see `Metric`.
        from_logits: predictions are logits, not probabilities.
        label_smoothing: in [0, 1]: labels are mixed with as much of equal shares.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.BinaryCrossentropy()
        >>> round(float(metric([[0.0, 1.0], [0.0, 0.0]], [[0.6, 0.4], [0.4, 0.6]])), 4)
        0.8149
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of one-hot labels.

    Args:
        name, dtype: see `Metric`.
        from_logits: predictions are logits, not probabilities.
        label_smoothing: in [0, 1]: labels are mixed with as much of equal shares.
        axis: the axis of the classes.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.CategoricalCrossentropy()
        >>> round(float(metric([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [[0.05, 0.95, 0.0], [0.1, 0.8, 0.1]])), 4)
        1.1769
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            categorical_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of class numbers.

    Args:
        name, dtype: see `Metric`.
        from_logits: predictions are logits, not probabilities.
        ignore_class: a class whose samples do not count.
        axis: the axis of the classes.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.SparseCategoricalCrossentropy()
        >>> round(float(metric([1, 2], [[0.05, 0.95, 0.0], [0.1, 0.8, 0.1]])), 4)
        1.1769
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis
        )
