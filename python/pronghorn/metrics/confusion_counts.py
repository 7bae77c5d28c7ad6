"""True and false positives and negatives at thresholds: what many metrics are made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pronghorn import arguments, config, ops
from pronghorn.losses.loss import squeeze_or_expand_to_same_rank
from pronghorn.variable import Variable

NAMES = ("true_positives", "false_positives", "true_negatives", "false_negatives")

# A threshold below every prediction that counts.
LOWEST = -1e10


def parse_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """Return thresholds, given as None, a number or several, as a list.

    Raises:
        ValueError: for a threshold outside [0, 1].
    """
    if thresholds is None:
        return [default]
    values = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    return [arguments.number_between(value, "thresholds", 0, 1) for value in values]


def even_thresholds(count: int, margin: float = 0.0) -> list[float]:
    """Return `count` evenly spaced thresholds from 0 - `margin` to 1 + `margin`; 0.5 if it is one."""
    if count == 1:
        return [0.5]
    return [-margin, *((i + 1) / (count - 1) for i in range(count - 2)), 1.0 + margin]


def add_counts(
    counts: dict[str, Variable],
    y_true: Any,
    y_pred: Any,
    thresholds: Sequence[float],
    *,
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    by_label: bool = False,
    label_weights: Any = None,
) -> None:
    """Add the counts of a batch to variables.

    Args:
        counts: variables by what they count, any of `NAMES`; shape (thresholds,), or (thresholds, labels) if counted
            by label.
        y_true: labels, taken as true where not zero.
        y_pred: predictions of the same shape, positive where above a threshold.
        thresholds: limits; evenly spaced ones are much cheaper if there are many.
        sample_weight: weights that broadcast to the predictions, or one for each sample.
        top_k: only the k largest predictions of each sample can be positive.
        class_id: count this class only, on the last axis.
        by_label: y_pred is (samples, labels); count each label by itself.
        label_weights: weights of the labels, (labels,).

    Raises:
        ValueError: for predictions without classes with a `class_id`.
    """
    dtype = next(iter(counts.values())).dtype
    y_true, y_pred = ops.convert_to_tensor(y_true, dtype), ops.convert_to_tensor(y_pred, dtype)
    y_pred, y_true = squeeze_or_expand_to_same_rank(y_pred, y_true)
    if sample_weight is not None:
        sample_weight = ops.expand_dims(ops.convert_to_tensor(sample_weight, dtype), -1)
        _, sample_weight = squeeze_or_expand_to_same_rank(y_true, sample_weight, expand_rank_1=False)
    if top_k is not None:
        y_pred = _only_top_k(y_pred, top_k)
    if class_id is not None:
        if len(y_pred.shape) < 2:
            raise ValueError(f"class_id needs y_pred of shape (samples, classes), got {tuple(y_pred.shape)}")
        class_id = arguments.integer(class_id, "class_id", 0, y_pred.shape[-1] - 1)
        y_true, y_pred = y_true[..., class_id : class_id + 1], y_pred[..., class_id : class_id + 1]
    positives = ops.cast(ops.not_equal(y_true, 0.0), dtype)
    negatives = 1.0 - positives
    for weight in (sample_weight, label_weights):
        if weight is not None:
            positives, negatives = positives * weight, negatives * weight
    if not by_label:
        y_pred, positives, negatives = (ops.reshape(each, (-1,)) for each in (y_pred, positives, negatives))
    found = (_by_bucket if _are_even(thresholds) else _by_comparison)(counts, y_pred, positives, negatives, thresholds)
    for name, variable in counts.items():
        variable.assign_add(found[name])


def _are_even(thresholds: Sequence[float]) -> bool:
    count = len(thresholds)
    even = np.arange(count) / max(1, count - 1)
    return count > 2 and np.allclose(thresholds, even, atol=2 * config.epsilon())


def _by_comparison(
    wanted: Iterable[str], y_pred: Any, positives: Any, negatives: Any, thresholds: Sequence[float]
) -> dict[str, Any]:
    shape = (len(thresholds), *(1,) * len(y_pred.shape))
    limits = ops.convert_to_tensor(np.asarray(thresholds, y_pred.dtype).reshape(shape))
    above = ops.cast(ops.greater(ops.expand_dims(y_pred, 0), limits), y_pred.dtype)
    found = {}
    for name in wanted:
        picked = above if name.endswith("positives") else 1.0 - above
        weights = positives if name in ("true_positives", "false_negatives") else negatives
        found[name] = ops.sum(picked * weights, axis=1)
    return found


def _by_bucket(
    wanted: Iterable[str], y_pred: Any, positives: Any, negatives: Any, thresholds: Sequence[float]
) -> dict[str, Any]:
    """Sort predictions into the spaces between evenly spaced thresholds: the work does not grow with their number."""
    count, labels = len(thresholds), y_pred.shape[1:]
    # A prediction is above the thresholds 0 .. bucket; above none is -1.
    bucket = ops.ceil(ops.clip(y_pred, 0.0, 1.0) * float(count - 1)) - 1.0
    if thresholds[0] < 0.0:
        bucket = ops.maximum(bucket, 0.0)
    bucket = ops.cast(bucket, "int32")
    columns = math.prod(labels)
    if labels:
        bucket = ops.reshape(bucket * columns + np.arange(columns, dtype="int32"), (-1,))

    def above(weights: Any) -> Any:
        sums = ops.segment_sum(ops.reshape(weights, (-1,)), bucket, count * columns)
        return ops.flip(ops.cumsum(ops.flip(ops.reshape(sums, (count, *labels)), axis=0), axis=0), axis=0)

    wanted, found = set(wanted), {}
    for weights, over, under in (
        (positives, "true_positives", "false_negatives"),
        (negatives, "false_positives", "true_negatives"),
    ):
        if wanted & {over, under}:
            found[over] = above(weights)
            found[under] = ops.sum(weights, axis=0) - found[over]
    return found


def _only_top_k(y_pred: Any, k: int) -> Any:
    _, index = ops.top_k(y_pred, k)
    mask = ops.sum(ops.one_hot(index, y_pred.shape[-1], dtype=y_pred.dtype), axis=-2)
    return ops.where(ops.greater(mask, 0.0), y_pred, LOWEST)
