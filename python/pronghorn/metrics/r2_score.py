"""The coefficient of determination."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, ops
from pronghorn.losses.loss import squeeze_or_expand_to_same_rank
from pronghorn.metrics.metric import Metric


class R2Score(Metric):
    """Share of the targets' variance that predictions explain.

    Args:
        class_aggregation: how the outputs' scores become one: "uniform_average", "variance_weighted_average" or None.
        num_regressors: for the adjusted score, how many inputs the model has.
        name, dtype: see `Metric`.

    Raises:
        ValueError: for an unknown aggregation or a negative number.

    Example:
        >>> import pronghorn as ph
        >>> metric = ph.metrics.R2Score()
        >>> round(float(metric([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
        0.5714
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                "class_aggregation must be 'uniform_average', 'variance_weighted_average' or None, "
                f"got {class_aggregation!r}"
            )
        num_regressors = arguments.integer(num_regressors, "num_regressors", least=0)
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable(name="num_samples")
        self._built = False

    def _build(self, outputs: int) -> None:
        self.squared_sum = self.add_variable((outputs,), name="squared_sum")
        self.sum = self.add_variable((outputs,), name="sum")
        self.total_mse = self.add_variable((outputs,), name="residual")
        self.count = self.add_variable((outputs,), name="count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true, y_pred: shape (samples, outputs).
            sample_weight: shape (samples,), or one that broadcasts to that of `y_true`.

        Raises:
            ValueError: for another rank.
        """
        y_true, y_pred = ops.convert_to_tensor(y_true, self.dtype), ops.convert_to_tensor(y_pred, self.dtype)
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        if len(y_true.shape) != 2 or len(y_pred.shape) != 2:
            raise ValueError(f"R2Score: targets must have shape (samples, outputs), got {y_true.shape}")
        if not self._built:
            self._build(y_true.shape[1])
        weight = ops.convert_to_tensor(1.0 if sample_weight is None else sample_weight, self.dtype)
        if len(weight.shape) == 1:
            weight = ops.expand_dims(weight, 1)
        weight = ops.broadcast_to(weight, y_true.shape)
        weighted = y_true * weight
        self.sum.assign_add(ops.sum(weighted, axis=0))
        self.squared_sum.assign_add(ops.sum(y_true * weighted, axis=0))
        self.total_mse.assign_add(ops.sum(ops.square(y_true - y_pred) * weight, axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))
        # Keras counts values, not rows.
        self.num_samples.assign_add(float(y_true.size))

    def result(self) -> Any:
        """Return the score so far; a vector without an aggregation.

        A target that does not vary scores 0, or 1 if predicted without error.
        """
        if not self._built:
            return ops.convert_to_tensor(0.0, self.dtype)
        total = self.squared_sum - self.sum * ops.divide_no_nan(self.sum.value, self.count.value)
        lost = ops.divide_no_nan(self.total_mse.value, total)
        constant = ops.logical_and(ops.equal(total, 0.0), ops.not_equal(self.total_mse.value, 0.0))
        scores = ops.where(constant, 0.0, 1.0 - lost)
        if self.class_aggregation == "uniform_average":
            scores = ops.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = ops.divide_no_nan(ops.sum(scores * total), ops.sum(total))
        if self.num_regressors:
            spare = self.num_samples - (self.num_regressors + 1.0)
            adjusted = 1.0 - ops.divide_no_nan((1.0 - scores) * (self.num_samples - 1.0), spare)
            # With too few samples to adjust, the score stays as it is.
            scores = ops.where(ops.greater(spare, 0.0), adjusted, scores)
        return scores

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
