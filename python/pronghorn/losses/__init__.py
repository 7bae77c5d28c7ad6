"""Losses under Keras 3's names, as classes and as functions."""

from __future__ import annotations

from typing import Any

from pronghorn.losses.classification import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    circle,
    dice,
    sparse_categorical_crossentropy,
    tversky,
)
from pronghorn.losses.classification_losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    Circle,
    Dice,
    SparseCategoricalCrossentropy,
    Tversky,
)
from pronghorn.losses.loss import Loss, LossFunctionWrapper
from pronghorn.losses.regression import (
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    squared_hinge,
)
from pronghorn.losses.regression_losses import (
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SquaredHinge,
)
from pronghorn.saving import serialization
from pronghorn.saving.identifiers import resolve

_CLASSES = (
    MeanSquaredError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Huber,
    LogCosh,
    CosineSimilarity,
    Poisson,
    KLDivergence,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    Dice,
    Tversky,
    Circle,
)
_FUNCTIONS = (
    mean_squared_error,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_logarithmic_error,
    huber,
    log_cosh,
    cosine_similarity,
    poisson,
    kl_divergence,
    hinge,
    squared_hinge,
    categorical_hinge,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    sparse_categorical_crossentropy,
    categorical_generalized_cross_entropy,
    dice,
    tversky,
    circle,
)
_ALIASES = {
    "mse": mean_squared_error, "MSE": mean_squared_error, "mae": mean_absolute_error, "MAE": mean_absolute_error,
    "mape": mean_absolute_percentage_error, "MAPE": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error, "MSLE": mean_squared_logarithmic_error, "bce": binary_crossentropy,
    "BCE": binary_crossentropy, "kld": kl_divergence, "KLD": kl_divergence, "logcosh": log_cosh,
    "huber_loss": huber, "kullback_leibler_divergence": kl_divergence,
}  # fmt: skip
_KNOWN: dict[str, Any] = {each.__name__: each for each in (*_CLASSES, *_FUNCTIONS)} | _ALIASES
mse, mae, mape, msle = (
    mean_squared_error, mean_absolute_error, mean_absolute_percentage_error, mean_squared_logarithmic_error,
)  # fmt: skip

__all__ = [
    "Loss",
    "LossFunctionWrapper",
    "deserialize",
    "get",
    "mae",
    "mape",
    "mse",
    "msle",
    "serialize",
    *(each.__name__ for each in (*_CLASSES, *_FUNCTIONS)),
]


def serialize(loss: Any) -> Any:
    """Return a loss as a config, a function of Keras's as its name."""
    return serialization.serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a loss from a name or config."""
    return serialization.deserialize_keras_object(name, custom_objects=custom_objects, module_objects=_KNOWN)


def get(identifier: Any) -> Any:
    """Return a loss function or object from its name (class names, function names, "mse", ...), config or itself.

    Raises:
        ValueError: for anything else.

    Example:
        >>> import pronghorn as ph
        >>> ph.losses.get("mse") is ph.losses.mean_squared_error
        True
    """
    return resolve(identifier, _KNOWN, "loss")
