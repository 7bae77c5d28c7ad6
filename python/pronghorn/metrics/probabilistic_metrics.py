"""Means of losses of probabilities and margins."""

from __future__ import annotations

from typing import Any

from pronghorn import losses
from pronghorn.metrics.reduction_metrics import MeanMetricWrapper


class KLDivergence(MeanMetricWrapper):
    """Mean Kullback-Leibler divergence.

    Args:
        name, dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """Mean Poisson loss.

    Args:
        name, dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of labels 0 and 1.

    Args:
        name, dtype: see `Metric`.
        from_logits: whether predictions are logits.
        label_smoothing: how far labels are drawn to one half.
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(losses.binary_crossentropy, name, dtype, **options)


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of one-hot labels.

    Args:
        name, dtype: see `Metric`.
        from_logits: whether predictions are logits.
        label_smoothing: how far labels are drawn to the uniform distribution.
        axis: axis of the classes.
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
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, dtype, **options)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of class numbers.

    Args:
        name, dtype: see `Metric`.
        from_logits: whether predictions are logits.
        axis: axis of the classes.
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, from_logits=from_logits, axis=axis)


class Hinge(MeanMetricWrapper):
    """Mean hinge loss.

    Args:
        name, dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """Mean squared hinge loss.

    Args:
        name, dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Mean hinge loss of the best wrong class against the right one.

    Args:
        name, dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)
