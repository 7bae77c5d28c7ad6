"""Counts of right and wrong decisions, precision and recall."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, ops
from pronghorn.metrics.confusion_counts import LOWEST, NAMES, add_counts, even_thresholds, parse_thresholds
from pronghorn.metrics.metric import Metric
from pronghorn.variable import Variable


class _Counting(Metric):
    """One of the four counts at each threshold."""

    _counted: str

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = parse_thresholds(thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        add_counts({self._counted: self.accumulator}, y_true, y_pred, self.thresholds, sample_weight=sample_weight)

    def result(self) -> Any:
        """Return the count so far; a vector for several thresholds."""
        return self.accumulator[0] if len(self.thresholds) == 1 else self.accumulator.value

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Counting):
    """Ones that are predicted.

    Args:
        thresholds: number or list in [0, 1]; 0.5 if None.
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.TruePositives()
        >>> float(metric([0, 1, 1, 1], [0.1, 0.2, 0.6, 0.8]))
        2.0
    """

    _counted, _direction = "true_positives", "up"


class FalsePositives(_Counting):
    """Zeros that are predicted to be ones.

    Args:
        thresholds: number or list in [0, 1]; 0.5 if None.
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.FalsePositives()
        >>> float(metric([0, 1, 1, 1], [0.1, 0.2, 0.6, 0.8]))
        0.0
    """

    _counted, _direction = "false_positives", "down"


class TrueNegatives(_Counting):
    """Zeros that are predicted.

    Args:
        thresholds: number or list in [0, 1]; 0.5 if None.
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.TrueNegatives()
        >>> float(metric([0, 1, 1, 1], [0.1, 0.2, 0.6, 0.8]))
        1.0
    """

    _counted, _direction = "true_negatives", "up"


class FalseNegatives(_Counting):
    """Ones that are predicted to be zeros.

    Args:
        thresholds: number or list in [0, 1]; 0.5 if None.
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.FalseNegatives()
        >>> float(metric([0, 1, 1, 1], [0.1, 0.2, 0.6, 0.8]))
        1.0
    """

    _counted, _direction = "false_negatives", "down"


class _Ratio(Metric):
    """True positives over true positives and one kind of error."""

    _error: str
    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        # With top_k and no threshold every one of the k counts.
        self.thresholds = parse_thresholds(thresholds, 0.5 if top_k is None else LOWEST)
        self._counts = {
            each: self.add_variable((len(self.thresholds),), name=each) for each in ("true_positives", self._error)
        }

    @property
    def true_positives(self) -> Variable:
        """The true positives so far, (thresholds,)."""
        return self._counts["true_positives"]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        add_counts(
            self._counts, y_true, y_pred, self.thresholds,
            sample_weight=sample_weight, top_k=self.top_k, class_id=self.class_id,
        )  # fmt: skip

    def result(self) -> Any:
        """Return the ratio so far; a vector for several thresholds."""
        ratio = ops.divide_no_nan(self.true_positives.value, self.true_positives + self._counts[self._error])
        return ratio[0] if len(self.thresholds) == 1 else ratio

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Ratio):
    """Share of the predicted ones that are ones.

    Args:
        thresholds: number or list in [0, 1]; 0.5 if None.
        top_k: only the k largest predictions of each sample count.
        class_id: only this class.
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.Precision()
        >>> float(metric([0, 1, 1, 1], [0.1, 0.2, 0.6, 0.8]))
        1.0
    """

    _error = "false_positives"

    @property
    def false_positives(self) -> Variable:
        """The false positives so far, (thresholds,)."""
        return self._counts["false_positives"]


class Recall(_Ratio):
    """Share of the ones that are predicted.

    Args:
        thresholds: number or list in [0, 1]; 0.5 if None.
        top_k: only the k largest predictions of each sample count.
        class_id: only this class.
        name, dtype: see `Metric`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.Recall(thresholds=0.7)
        >>> float(metric([0, 1, 1, 0], [0.1, 0.2, 0.8, 0.6]))
        0.5
    """

    _error = "false_negatives"

    @property
    def false_negatives(self) -> Variable:
        """The false negatives so far, (thresholds,)."""
        return self._counts["false_negatives"]


class _BestAt(Metric):
    """The best of one rate where another reaches a value, over many thresholds."""

    _direction = "up"
    _value_name: str

    def __init__(
        self, value: float, num_thresholds: int = 200, class_id: int | None = None,
        name: str | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        self.value = arguments.number_between(value, self._value_name, 0, 1)
        num_thresholds = arguments.integer(num_thresholds, "num_thresholds", 1, 1 << 24)
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        self.thresholds = even_thresholds(num_thresholds)
        self._counts = {each: self.add_variable((len(self.thresholds),), name=each) for each in NAMES}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        add_counts(self._counts, y_true, y_pred, self.thresholds, sample_weight=sample_weight, class_id=self.class_id)

    def _rates(self) -> tuple[Any, Any]:
        """The rate that must reach the value, and the one to be made best."""
        raise NotImplementedError

    def result(self) -> Any:
        """Return the best rate so far; 0 where none qualifies."""
        limited, best = self._rates()
        return ops.max(ops.where(ops.greater_equal(limited, self.value), best, 0.0))

    def _sensitivity(self) -> Any:
        tp, _, _, fn = self._counts.values()
        return ops.divide_no_nan(tp.value, tp + fn)

    def _specificity(self) -> Any:
        _, fp, tn, _ = self._counts.values()
        return ops.divide_no_nan(tn.value, tn + fp)

    def _precision(self) -> Any:
        tp, fp, _, _ = self._counts.values()
        return ops.divide_no_nan(tp.value, tp + fp)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"num_thresholds": self.num_thresholds, "class_id": self.class_id, self._value_name: self.value}
        return {**super().get_config(), **own}


class SensitivityAtSpecificity(_BestAt):
    """Best share of ones predicted, where at least `specificity` of the zeros are.

    Args:
        specificity: in [0, 1].
        num_thresholds, class_id, name, dtype: see `Metric` and `AUC`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.SensitivityAtSpecificity(0.5)
        >>> float(metric([0, 1, 1, 1], [0.1, 0.2, 0.6, 0.8]))
        1.0
    """

    _value_name = "specificity"

    def __init__(self, specificity: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None) -> None:  # fmt: skip
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def _rates(self) -> tuple[Any, Any]:
        return self._specificity(), self._sensitivity()


class SpecificityAtSensitivity(_BestAt):
    """Best share of zeros predicted, where at least `sensitivity` of the ones are.

    Args:
        sensitivity: in [0, 1].
        num_thresholds, class_id, name, dtype: see `Metric` and `AUC`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.SpecificityAtSensitivity(0.5)
        >>> float(metric([0, 1, 1, 1], [0.1, 0.2, 0.6, 0.8]))
        1.0
    """

    _value_name = "sensitivity"

    def __init__(self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None) -> None:  # fmt: skip
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def _rates(self) -> tuple[Any, Any]:
        return self._sensitivity(), self._specificity()


class PrecisionAtRecall(_BestAt):
    """Best precision where recall is at least `recall`.

    Args:
        recall: in [0, 1].
        num_thresholds, class_id, name, dtype: see `Metric` and `AUC`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.PrecisionAtRecall(0.5)
        >>> float(metric([0, 1, 1, 1], [0.1, 0.2, 0.6, 0.8]))
        1.0
    """

    _value_name = "recall"

    def __init__(self, recall: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None) -> None:  # fmt: skip
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def _rates(self) -> tuple[Any, Any]:
        return self._sensitivity(), self._precision()


class RecallAtPrecision(_BestAt):
    """Best recall where precision is at least `precision`.

    Args:
        precision: in [0, 1].
        num_thresholds, class_id, name, dtype: see `Metric` and `AUC`.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.RecallAtPrecision(0.5)
        >>> float(metric([0, 1, 1, 1], [0.1, 0.2, 0.6, 0.8]))
        1.0
    """

    _value_name = "precision"

    def __init__(self, precision: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None) -> None:  # fmt: skip
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def _rates(self) -> tuple[Any, Any]:
        return self._precision(), self._sensitivity()
