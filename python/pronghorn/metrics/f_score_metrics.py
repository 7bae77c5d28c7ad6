"""F scores."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, config, ops
from pronghorn.metrics.metric import Metric


class FBetaScore(Metric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall) of one-hot labels.

    Args:
        average: how classes become one: None (no), "micro", "macro" or "weighted" (by their number).
        beta: weight of recall; positive.
        threshold: predictions above it count as ones; None: the largest of each sample does.
        name, dtype: see `Metric`.

    Raises:
        ValueError: for unknown or out-of-range settings.
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"average must be None, 'micro', 'macro' or 'weighted', got {average!r}")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"beta must be a positive float, got {beta!r}")
        if threshold is not None and not 0 < arguments.number(threshold, "threshold") <= 1:
            raise ValueError(f"threshold must be in (0, 1], got {threshold!r}")
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, name="intermediate_weights")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch (samples, classes) into account."""
        y_true = ops.convert_to_tensor(y_true, self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, self.dtype)
        if len(y_pred.shape) != 2 or len(y_true.shape) != 2:
            raise ValueError(
                f"{type(self).__name__}: labels and predictions must have shape (samples, classes), got {y_true.shape} "
                f"and {y_pred.shape}"
            )
        if not self._built:
            self._build(y_pred.shape[1])
        if self.threshold is None:
            highest = ops.max(y_pred, axis=-1, keepdims=True)
            # a row without any probability predicts nothing
            chosen = ops.logical_and(ops.greater_equal(y_pred, highest), ops.greater(ops.abs(y_pred), 1e-9))
        else:
            chosen = ops.greater(y_pred, self.threshold)
        predicted, actual = ops.cast(chosen, self.dtype), y_true
        axis = None if self.average == "micro" else 0
        weight: Any = 1.0
        if sample_weight is not None:
            weight = ops.reshape(ops.convert_to_tensor(sample_weight, self.dtype), (-1, 1))
        self.true_positives.assign_add(ops.sum(predicted * actual * weight, axis=axis))
        self.false_positives.assign_add(ops.sum(predicted * (1.0 - actual) * weight, axis=axis))
        self.false_negatives.assign_add(ops.sum((1.0 - predicted) * actual * weight, axis=axis))
        self.intermediate_weights.assign_add(ops.sum(actual * weight, axis=axis))

    def result(self) -> Any:
        """Return the score so far; a vector without an average."""
        if not self._built:
            return ops.convert_to_tensor(0.0, self.dtype)
        precision = ops.divide(self.true_positives, self.true_positives + self.false_positives + config.epsilon())
        recall = ops.divide(self.true_positives, self.true_positives + self.false_negatives + config.epsilon())
        square = self.beta**2
        score = precision * recall * (1 + square) / (precision * square + recall + config.epsilon())
        if self.average == "weighted":
            weights = ops.divide(self.intermediate_weights, ops.sum(self.intermediate_weights) + config.epsilon())
            return ops.sum(score * weights)
        return score if self.average is None else ops.mean(score)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


class F1Score(FBetaScore):
    """`FBetaScore` with beta 1.

    Args:
        average, threshold, name, dtype: see `FBetaScore`.
    """

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str = "f1_score", dtype: Any = None
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        del config["beta"]
        return config
