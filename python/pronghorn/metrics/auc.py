"""Area under the ROC or precision-recall curve."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, config, ops
from pronghorn.metrics.confusion_counts import NAMES, add_counts, even_thresholds, parse_thresholds
from pronghorn.metrics.metric import Metric
from pronghorn.variable import Variable


def label_weights_of(weights: Any) -> list[float]:
    """Return the weights of the labels as floats."""
    if not isinstance(weights, (list, tuple)) and not hasattr(weights, "shape"):
        raise TypeError(f"label_weights must be a list of numbers, got {arguments.shown(weights)}")
    return [arguments.number_between(each, "label_weights", 0) for each in weights]


class AUC(Metric):
    """Area under a curve, by sums over thresholds.

    Args:
        num_thresholds: how many, evenly spaced; at least 2.
        curve: "ROC", "PR" (precision over recall) or "PRGAIN" (precision gain over recall gain; Flach and Kull, 2015).
        summation_method: "interpolation" (trapezes; for PR that of Davis and Goadrich, 2006), "minoring" or
            "majoring" (the lower or higher of neighbouring values).
        name, dtype: see `Metric`.
        thresholds: thresholds in [0, 1] instead of even ones.
        multi_label: an area for each label, averaged.
        num_labels: with multi_label, how many labels there are; by default from the first batch.
        label_weights: weights of that average.
        from_logits: whether predictions are logits.

    Raises:
        ValueError: for unknown or contradicting settings.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.AUC(num_thresholds=3)
        >>> float(metric([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
        0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if str(curve).upper() not in ("ROC", "PR", "PRGAIN"):
            raise ValueError(f"curve must be 'ROC', 'PR' or 'PRGAIN', got {curve!r}")
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f"summation_method must be 'interpolation', 'minoring' or 'majoring', got {summation_method!r}"
            )
        if thresholds is None:
            num_thresholds = arguments.integer(num_thresholds, "num_thresholds", 2, 1 << 24)
            self.thresholds = even_thresholds(num_thresholds, config.epsilon())
        else:
            inner = sorted(float(value) for value in parse_thresholds(thresholds))
            self.thresholds = [-config.epsilon(), *inner, 1.0 + config.epsilon()]
        if num_labels is not None and not multi_label:
            raise ValueError("num_labels needs multi_label=True")
        self._has_own_thresholds = thresholds is not None
        self.num_thresholds = len(self.thresholds)
        self.curve = str(curve).upper()
        self.summation_method = summation_method
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else label_weights_of(label_weights)
        self._from_logits = from_logits
        self._counts: dict[str, Variable] = {}
        if not multi_label:
            self._build((self.num_thresholds,))
        elif num_labels is not None:
            self._build((self.num_thresholds, num_labels))

    def _build(self, shape: tuple[int, ...]) -> None:
        self._counts = {each: self.add_variable(shape, name=each) for each in NAMES}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        y_pred = ops.convert_to_tensor(y_pred, self.dtype)
        if self._from_logits:
            y_pred = ops.sigmoid(y_pred)
        if not self._counts:
            self._build((self.num_thresholds, y_pred.shape[-1]))
        weights = None
        if self.label_weights is not None and not self.multi_label:
            weights = ops.convert_to_tensor(self.label_weights, self.dtype)
        add_counts(
            self._counts, y_true, y_pred, self.thresholds,
            sample_weight=sample_weight, by_label=self.multi_label, label_weights=weights,
        )  # fmt: skip

    def result(self) -> Any:
        """Return the area so far."""
        if not self._counts:
            return ops.convert_to_tensor(0.0, self.dtype)
        tp, fp, tn, fn = (self._counts[each].value for each in NAMES)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = self._interpolated_pr(tp, fp, fn)
        else:
            recall = ops.divide_no_nan(tp, tp + fn)
            if self.curve == "ROC":
                x, y = ops.divide_no_nan(fp, fp + tn), recall
            elif self.curve == "PR":
                x, y = recall, ops.divide_no_nan(tp, tp + fp)
            else:
                x, y = self._gains(tp, fp, tn, fn)
            left, right = y[:-1], y[1:]
            heights = {
                "interpolation": lambda: (left + right) * 0.5,
                "minoring": lambda: ops.minimum(left, right),
                "majoring": lambda: ops.maximum(left, right),
            }[self.summation_method]()
            areas = ops.sum((x[:-1] - x[1:]) * heights, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = ops.convert_to_tensor(self.label_weights, self.dtype)
        return ops.divide_no_nan(ops.sum(areas * weights), ops.sum(weights))

    def _gains(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        odds = ops.divide_no_nan(tp + fn, tn + fp)
        nothing = ops.equal(tp, 0.0)
        recall = ops.where(nothing, 0.0, 1.0 - odds * ops.divide_no_nan(fn, tp))
        precision = ops.where(nothing, 1.0, 1.0 - odds * ops.divide_no_nan(fp, tp))
        return ops.maximum(recall, 0.0), precision

    def _interpolated_pr(self, tp: Any, fp: Any, fn: Any) -> Any:
        gained = tp[:-1] - tp[1:]
        predicted = tp + fp
        slope = ops.divide_no_nan(gained, ops.maximum(predicted[:-1] - predicted[1:], 0.0))
        intercept = tp[1:] - slope * predicted[1:]
        both = ops.logical_and(ops.greater(predicted[:-1], 0), ops.greater(predicted[1:], 0))
        ratio = ops.where(both, ops.divide_no_nan(predicted[:-1], ops.maximum(predicted[1:], 0.0)), 1.0)
        area = slope * (gained + intercept * ops.log(ratio))
        return ops.sum(ops.divide_no_nan(area, ops.maximum(tp[1:] + fn[1:], 0.0)), axis=0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own_thresholds = {"thresholds": self.thresholds[1:-1]} if self._has_own_thresholds else {}
        return {
            **super().get_config(),
            **own_thresholds,
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self._from_logits,
        }
