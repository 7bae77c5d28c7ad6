"""How often predictions are right."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, ops
from pronghorn.losses.loss import squeeze_or_expand_to_same_rank
from pronghorn.metrics.reduction_metrics import MeanMetricWrapper


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1.0 where labels and predictions are equal, 0.0 elsewhere."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, y_pred.dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return ops.cast(ops.equal(y_true, y_pred), "float32")


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1.0 where predictions are on the labels' side of the threshold."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    threshold = 0.5 if threshold is None else threshold
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return ops.cast(ops.equal(y_true, ops.cast(ops.greater(y_pred, threshold), y_true.dtype)), "float32")


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1.0 for samples whose largest prediction is at the largest label."""
    return ops.cast(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)), "float32")


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1.0 for samples whose largest prediction is at the class that the label names."""
    y_pred, y_true = ops.convert_to_tensor(y_pred), ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    return ops.cast(ops.equal(ops.cast(y_true, "int32"), ops.argmax(y_pred, axis=-1)), "float32")


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1.0 for samples whose class is among the k largest predictions; one-hot labels."""
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1.0 for samples whose class is among the k largest predictions; class numbers as labels.

    Args:
        from_sorted_ids: predictions are class numbers, likeliest first.
    """
    y_pred, y_true = ops.convert_to_tensor(y_pred), ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if from_sorted_ids:
        best = y_pred[..., :k]
        hit = ops.any(ops.equal(ops.cast(best, "int32"), ops.expand_dims(ops.cast(y_true, "int32"), -1)), axis=-1)
    else:
        hit = ops.in_top_k(ops.cast(y_true, "int32"), y_pred, k=k)
    return ops.cast(hit, "float32")


class Accuracy(MeanMetricWrapper):
    """Share of predictions equal to the labels.

    Args:
        name, dtype: see `Metric`.
    """

    _direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """Share of predictions on the labels' side of a threshold.

    Args:
        name, dtype: see `Metric`.
        threshold: in (0, 1) as a rule.
    """

    _direction = "up"

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        if threshold is not None and not 0 < arguments.number(threshold, "threshold") < 1:
            raise ValueError(f"threshold must be in (0, 1), got {threshold!r}")
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose class is the likeliest; one-hot labels.

    Args:
        name, dtype: see `Metric`.
    """

    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose class is the likeliest; class numbers as labels.

    Args:
        name, dtype: see `Metric`.
    """

    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose class is among the k likeliest; one-hot labels.

    Args:
        k: how many.
        name, dtype: see `Metric`.
    """

    _direction = "up"

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose class is among the k likeliest; class numbers as labels.

    Args:
        k: how many.
        name, dtype: see `Metric`.
        from_sorted_ids: predictions are class numbers, likeliest first.
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
