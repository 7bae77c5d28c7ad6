"""Metrics under Keras 3's names."""

from __future__ import annotations

from typing import Any

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
from pronghorn.metrics.metric import Metric
from pronghorn.metrics.reduction_metrics import Mean, MeanMetricWrapper, Sum
from pronghorn.saving import serialization
from pronghorn.saving.identifiers import resolve

_CLASSES = (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    Mean,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    Sum,
    TopKCategoricalAccuracy,
)
_FUNCTIONS = (
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
_KNOWN: dict[str, Any] = {each.__name__: each for each in (*_CLASSES, *_FUNCTIONS)}


def get(identifier: Any) -> Any:
    """Return a metric object or function from its name, config, class or itself; None for None.

    Raises:
        ValueError: for anything else.
    """
    return resolve(identifier, _KNOWN, "metric")


def serialize(metric: Any) -> Any:
    """Return a metric as a config."""
    return serialization.serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a metric from a config."""
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_KNOWN)
