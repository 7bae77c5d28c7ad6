"""Metrics under Keras 3's names."""

from __future__ import annotations

from typing import Any

from pronghorn import naming
from pronghorn.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from pronghorn.metrics.accuracy_metrics import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from pronghorn.metrics.auc import AUC
from pronghorn.metrics.confusion_metrics import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from pronghorn.metrics.correlation_metrics import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from pronghorn.metrics.f_score_metrics import F1Score, FBetaScore
from pronghorn.metrics.hinge_metrics import CategoricalHinge, Hinge, SquaredHinge
from pronghorn.metrics.iou_metrics import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from pronghorn.metrics.metric import Metric
from pronghorn.metrics.probabilistic_metrics import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from pronghorn.metrics.r2_score import R2Score
from pronghorn.metrics.reduction_metrics import Mean, MeanMetricWrapper, Sum
from pronghorn.metrics.regression_metrics import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
)
from pronghorn.saving import serialization
from pronghorn.saving.identifiers import resolve

_CLASSES = (
    AUC,
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    BinaryIoU,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    ConcordanceCorrelation,
    CosineSimilarity,
    F1Score,
    FBetaScore,
    FalseNegatives,
    FalsePositives,
    Hinge,
    IoU,
    KLDivergence,
    LogCoshError,
    Mean,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanIoU,
    MeanMetricWrapper,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    OneHotIoU,
    OneHotMeanIoU,
    PearsonCorrelation,
    Poisson,
    Precision,
    PrecisionAtRecall,
    R2Score,
    Recall,
    RecallAtPrecision,
    RootMeanSquaredError,
    SensitivityAtSpecificity,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SpecificityAtSensitivity,
    SquaredHinge,
    Sum,
    TopKCategoricalAccuracy,
    TrueNegatives,
    TruePositives,
)
_FUNCTIONS = (
    binary_accuracy,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_accuracy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    concordance_correlation,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    pearson_correlation,
    poisson,
    sparse_categorical_accuracy,
    sparse_categorical_crossentropy,
    sparse_top_k_categorical_accuracy,
    squared_hinge,
    top_k_categorical_accuracy,
)
_ALIASES = {
    "mse": MeanSquaredError, "MSE": MeanSquaredError, "mae": MeanAbsoluteError, "MAE": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError, "MAPE": MeanAbsolutePercentageError, "msle": MeanSquaredLogarithmicError,
    "MSLE": MeanSquaredLogarithmicError, "bce": BinaryCrossentropy, "BCE": BinaryCrossentropy, "kld": KLDivergence,
    "KLD": KLDivergence, "logcosh": LogCoshError, "rmse": RootMeanSquaredError, "RMSE": RootMeanSquaredError,
}  # fmt: skip

# A name that is both a function's and a metric's stands for the metric, whose mean is reported under that name.
_KNOWN: dict[str, Any] = {
    **{each.__name__: each for each in (*_FUNCTIONS, *_CLASSES)},
    **{naming.to_snake_case(each.__name__): each for each in _CLASSES},
    **_ALIASES,
}

__all__ = [
    "Metric",
    "deserialize",
    "get",
    "serialize",
    *(each.__name__ for each in (*_CLASSES, *_FUNCTIONS)),
]


def get(identifier: Any) -> Any:
    """Return a metric object or function from its name, config, class or itself; None for None.

    Raises:
        ValueError: for anything else.

    Example:
        >>> import pronghorn as ph
        >>> ph.metrics.get("mae").name
        'mean_absolute_error'
    """
    return resolve(identifier, _KNOWN, "metric")


def serialize(metric: Any) -> Any:
    """Return a metric as a config.

    Example:
        >>> import pronghorn as ph
        >>> ph.metrics.serialize(ph.metrics.Sum())["class_name"]
        'Sum'
    """
    return serialization.serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a metric from a config.

    Example:
        >>> import pronghorn as ph
        >>> ph.metrics.deserialize(ph.metrics.serialize(ph.metrics.Sum()))
        <Sum name=sum>
    """
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_KNOWN)
