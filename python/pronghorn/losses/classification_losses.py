"""The losses of classification.py as classes."""

from __future__ import annotations

from typing import Any

from pronghorn.losses import classification
from pronghorn.losses.loss import LossFunctionWrapper


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross entropy of labels 0 and 1. See `classification.binary_crossentropy`.

    Args:
        from_logits: whether predictions are logits.
        label_smoothing: how far labels are drawn to one half.
        axis: axis of the mean.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            classification.binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary cross entropy in which easy samples count less. See `classification.binary_focal_crossentropy`.

    Args:
        apply_class_balancing: whether ones and zeros are weighted by alpha.
        alpha: weight of ones.
        gamma: how much less easy samples count.
        from_logits: whether predictions are logits.
        label_smoothing: how far labels are drawn to one half.
        axis: axis of the mean.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            classification.binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross entropy of one-hot labels. See `classification.categorical_crossentropy`.

    Args:
        from_logits: whether predictions are logits.
        label_smoothing: how far labels are drawn to the uniform distribution.
        axis: axis of the classes.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            classification.categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical cross entropy in which easy samples count less. See `classification.categorical_focal_crossentropy`.

    Args:
        alpha: weight.
        gamma: how much less easy samples count.
        from_logits: whether predictions are logits.
        label_smoothing: how far labels are drawn to the uniform distribution.
        axis: axis of the classes.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            classification.categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross entropy of class numbers. See `classification.sparse_categorical_crossentropy`.

    Args:
        from_logits: whether predictions are logits.
        ignore_class: class whose samples have no loss.
        reduction: see `Loss`.
        axis: axis of the classes.
        name, dtype: see `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            classification.sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """A cross entropy that wrong labels disturb less. See `classification.categorical_generalized_cross_entropy`.

    Args:
        q: in (0, 1), from cross entropy to absolute error.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(classification.categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


class Dice(LossFunctionWrapper):
    """One minus the Dice coefficient. See `classification.dice`.

    Args:
        reduction, name: see `Loss`.
        axis: axes of the sums; all for None.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(classification.dice, reduction, name, dtype, axis=axis)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss; targets and predictions as they are."""
        return self.fn(y_true, y_pred, **self._fn_kwargs)


class Tversky(LossFunctionWrapper):
    """One minus the Tversky index. See `classification.tversky`.

    Args:
        alpha: weight of what only the targets have.
        beta: weight of what only the predictions have.
        reduction, name: see `Loss`.
        axis: axes of the sums; all for None.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(classification.tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss; targets and predictions as they are."""
        return self.fn(y_true, y_pred, **self._fn_kwargs)


class Circle(LossFunctionWrapper):
    """Circle loss of embeddings. See `classification.circle`.

    Args:
        gamma: scale.
        margin: how far apart classes should be.
        remove_diagonal: whether samples are left out of their own comparison.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            classification.circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal
        )

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss; targets and predictions as they are."""
        return self.fn(y_true, y_pred, **self._fn_kwargs)
