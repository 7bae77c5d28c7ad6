"""True and false positives and negatives at thresholds: what many metrics are made of."""

from __future__ import annotations

from typing import Any, NamedTuple

from pronghorn import config, ops
from pronghorn.losses.loss import squeeze_or_expand_to_same_rank


class Counts(NamedTuple):
    """Weighted counts, (thresholds,) or (thresholds, labels) each."""

    true_positives: Any
    false_positives: Any
    true_negatives: Any
    false_negatives: Any


def thresholds_or_default(thresholds: Any, default: float) -> list[float]:
    """Return thresholds as a list.

    Raises:
        ValueError: for values outside [0, 1].
    """
    values = (
        [default] if thresholds is None else [thresholds] if isinstance(thresholds, (int, float)) else list(thresholds)
    )
    for value in values:
        if value is None or not 0 <= value <= 1:
            raise ValueError(f"thresholds must be in [0, 1], got {thresholds!r}")
    return [float(value) for value in values]


def even_thresholds(count: int) -> list[float]:
    """`count` thresholds from just below 0 to just above 1."""
    inner = [(i + 1) / (count - 1) for i in range(count - 2)]
    return [-config.epsilon(), *inner, 1.0 + config.epsilon()]


def count(
    y_true: Any,
    y_pred: Any,
    thresholds: list[float],
    dtype: str,
    sample_weight: Any = None,
    class_id: int | None = None,
    top_k: int | None = None,
    multi_label: bool = False,
    label_weights: Any = None,
) -> Counts:
    """Count predictions above each threshold by their labels.

    Args:
        y_true: labels, taken as true where not zero.
        y_pred: predictions in [0, 1].
        class_id: only this class, the last axis.
        top_k: only the k largest predictions of each sample count as predictions.
        multi_label: keep the last axis.
        label_weights: weight of each label, (labels,).
    """
    y_pred = ops.convert_to_tensor(y_pred, dtype)
    y_true = ops.convert_to_tensor(y_true, dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    if top_k is not None:
        kth = ops.top_k(y_pred, top_k)[0][..., -1:]
        y_pred = ops.where(ops.greater_equal(y_pred, kth), y_pred, -1e10)
    weight = ops.ones(y_pred.shape, dtype)
    if sample_weight is not None:
        given = ops.convert_to_tensor(sample_weight, dtype)
        missing = len(y_pred.shape) - len(given.shape)
        given = ops.reshape(given, (*given.shape, *(1,) * missing)) if given.shape else given
        weight = weight * given
    if class_id is not None:
        y_true, y_pred, weight = y_true[..., class_id], y_pred[..., class_id], weight[..., class_id]
    labels = y_pred.shape[-1] if multi_label and len(y_pred.shape) > 1 else 1
    y_true, y_pred, weight = (ops.reshape(each, (1, -1, labels)) for each in (y_true, y_pred, weight))
    if label_weights is not None:
        weight = weight * ops.reshape(ops.convert_to_tensor(label_weights, dtype), (1, 1, -1))
        if not multi_label:
            raise ValueError("label_weights need multi_label=True")
    limits = ops.reshape(ops.convert_to_tensor([float(value) for value in thresholds], dtype), (-1, 1, 1))
    predicted = ops.cast(ops.greater(y_pred, limits), dtype)
    actual = ops.cast(ops.not_equal(y_true, 0), dtype)
    positives, negatives = actual * weight, (1.0 - actual) * weight
    true_positives = ops.sum(predicted * positives, axis=1)
    false_positives = ops.sum(predicted * negatives, axis=1)
    all_positives, all_negatives = ops.sum(positives, axis=1), ops.sum(negatives, axis=1)
    results = (
        true_positives,
        false_positives,
        all_negatives - false_positives,
        all_positives - true_positives,
    )
    return Counts(*(each if multi_label else ops.squeeze(each, -1) for each in results))
