"""The losses of regression.py as classes."""

from __future__ import annotations

from typing import Any

from pronghorn.losses import regression
from pronghorn.losses.loss import LossFunctionWrapper


class MeanSquaredError(LossFunctionWrapper):
    """Mean of squared errors. See `regression.mean_squared_error`.

    Args:
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """Mean of absolute errors. See `regression.mean_absolute_error`.

    Args:
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """Mean of errors as percentages of the targets. See `regression.mean_absolute_percentage_error`.

    Args:
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """Mean of squared errors of the logarithms. See `regression.mean_squared_logarithmic_error`.

    Args:
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """Squared error near zero, linear far from it. See `regression.huber`.

    Args:
        delta: where the loss becomes linear.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """Logarithm of the hyperbolic cosine of the error. See `regression.log_cosh`.

    Args:
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.log_cosh, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine between targets and predictions. See `regression.cosine_similarity`.

    Args:
        axis: axis of the vectors.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.cosine_similarity, reduction, name, dtype, axis=axis)


class Poisson(LossFunctionWrapper):
    """Poisson loss. See `regression.poisson`.

    Args:
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.poisson, reduction, name, dtype)


class KLDivergence(LossFunctionWrapper):
    """Kullback-Leibler divergence. See `regression.kl_divergence`.

    Args:
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.kl_divergence, reduction, name, dtype)


class Hinge(LossFunctionWrapper):
    """Hinge loss. See `regression.hinge`.

    Args:
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """Squared hinge loss. See `regression.squared_hinge`.

    Args:
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """Hinge loss of the best wrong class against the right one. See `regression.categorical_hinge`.

    Args:
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(regression.categorical_hinge, reduction, name, dtype)
