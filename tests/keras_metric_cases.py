"""Metrics, their settings and the batches they see, compared with recorded values of real Keras."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=shape).astype("float32")


def _one_hot(seed: int, rows: int, classes: int) -> np.ndarray:
    return np.eye(classes, dtype="float32")[np.random.default_rng(seed).integers(0, classes, rows)]


def _bits(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, shape).astype("float32")


def _classes(seed: int, rows: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, count, rows).astype("int32")


def _shares(seed: int, rows: int, classes: int) -> np.ndarray:
    values = _random(seed, rows, classes) + 0.05
    return (values / values.sum(axis=1, keepdims=True)).astype("float32")


WEIGHTS = np.array([1.0, 0.0, 2.0, 0.5, 1.5, 1.0], "float32")

# kind of data -> two batches of (y_true, y_pred)
BATCHES: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {
    "numbers": [(_random(i, 6, 3), _random(i + 10, 6, 3)) for i in (1, 2)],
    "bits": [(_bits(i, 6, 1), _random(i + 20, 6, 1)) for i in (3, 4)],
    "many bits": [(_bits(i, 6, 4), _random(i + 30, 6, 4)) for i in (5, 6)],
    "one-hot": [(_one_hot(i, 6, 5), _shares(i + 40, 6, 5)) for i in (7, 8)],
    "classes": [(_classes(i, 6, 5), _shares(i + 50, 6, 5)) for i in (9, 10)],
    "class against class": [(_classes(i, 6, 4), _classes(i + 60, 6, 4)) for i in (11, 12)],
    "equal": [(_classes(i, 6, 2), _classes(i + 70, 6, 2)) for i in (13, 14)],
}

_METRICS: list[tuple[str, str, list[dict[str, Any]]]] = [
    *(
        (name, "numbers", [{}])
        for name in (
            "MeanSquaredError",
            "RootMeanSquaredError",
            "MeanAbsoluteError",
            "MeanAbsolutePercentageError",
            "MeanSquaredLogarithmicError",
            "LogCoshError",
            "CosineSimilarity",
            "PearsonCorrelation",
            "ConcordanceCorrelation",
            "Poisson",
            "KLDivergence",
        )
    ),
    ("R2Score", "numbers", [{}, {"class_aggregation": "variance_weighted_average"}, {"class_aggregation": None}]),
    ("Accuracy", "equal", [{}]),
    ("BinaryAccuracy", "bits", [{}, {"threshold": 0.3}]),
    ("CategoricalAccuracy", "one-hot", [{}]),
    ("SparseCategoricalAccuracy", "classes", [{}]),
    ("TopKCategoricalAccuracy", "one-hot", [{"k": 2}]),
    ("SparseTopKCategoricalAccuracy", "classes", [{"k": 2}, {"k": 4}]),
    ("BinaryCrossentropy", "many bits", [{}, {"label_smoothing": 0.1}]),
    ("CategoricalCrossentropy", "one-hot", [{}]),
    ("SparseCategoricalCrossentropy", "classes", [{}, {"from_logits": True}]),
    ("Hinge", "many bits", [{}]),
    ("SquaredHinge", "many bits", [{}]),
    ("CategoricalHinge", "one-hot", [{}]),
    ("TruePositives", "bits", [{}, {"thresholds": [0.2, 0.7]}]),
    ("FalsePositives", "bits", [{}, {"thresholds": [0.2, 0.7]}]),
    ("TrueNegatives", "bits", [{}]),
    ("FalseNegatives", "bits", [{}]),
    ("Precision", "many bits", [{}, {"thresholds": [0.3, 0.6]}, {"class_id": 1}, {"top_k": 2}]),
    ("Recall", "many bits", [{}, {"thresholds": [0.3, 0.6]}, {"class_id": 1}, {"top_k": 2}]),
    ("SensitivityAtSpecificity", "bits", [{"specificity": 0.5}, {"specificity": 0.5, "num_thresholds": 10}]),
    ("SpecificityAtSensitivity", "bits", [{"sensitivity": 0.5}]),
    ("PrecisionAtRecall", "bits", [{"recall": 0.5}]),
    ("RecallAtPrecision", "bits", [{"precision": 0.5}]),
    (
        "AUC",
        "bits",
        [
            {},
            {"curve": "PR"},
            {"num_thresholds": 5, "summation_method": "minoring"},
            {"num_thresholds": 5, "summation_method": "majoring", "curve": "PR"},
            {"thresholds": [0.25, 0.5, 0.75]},
        ],
    ),
    ("AUC", "many bits", [{"multi_label": True}, {"multi_label": True, "label_weights": [1.0, 2.0, 0.5, 1.0]}]),
    ("IoU", "class against class", [{"num_classes": 4, "target_class_ids": [0, 2]}]),
    ("MeanIoU", "class against class", [{"num_classes": 4}, {"num_classes": 4, "ignore_class": 1}]),
    ("BinaryIoU", "bits", [{}, {"target_class_ids": [1], "threshold": 0.4}]),
    ("OneHotIoU", "one-hot", [{"num_classes": 5, "target_class_ids": [0, 3]}]),
    ("OneHotMeanIoU", "one-hot", [{"num_classes": 5}]),
    (
        "F1Score",
        "one-hot",
        [{}, {"average": "micro"}, {"average": "macro"}, {"average": "weighted"}, {"threshold": 0.3}],
    ),
    ("FBetaScore", "one-hot", [{"beta": 2.0}, {"beta": 0.5, "average": "macro"}]),
]
# the IoU metrics of Keras 3.15 cut fractional weights down to whole numbers; ours do not
_WITHOUT_WEIGHTS = {
    "PearsonCorrelation", "ConcordanceCorrelation", "IoU", "MeanIoU", "BinaryIoU", "OneHotIoU", "OneHotMeanIoU",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A metric after two batches."""

    name: str
    data: str
    settings: dict[str, Any] = field(default_factory=dict)
    weighted: bool = False

    @property
    def id(self) -> str:
        """What the recording is filed under."""
        options = ",".join(f"{key}={value}" for key, value in self.settings.items())
        return f"{self.name}({options}) of {self.data}{', weighted' if self.weighted else ''}"

    def make(self, library: Any) -> Any:
        """The metric of a library with Keras's names."""
        return getattr(library.metrics, self.name)(**self.settings)

    def update(self, metric: Any, library: Any) -> None:
        """Show the metric all batches."""
        for y_true, y_pred in BATCHES[self.data]:
            weights = library.ops.convert_to_tensor(WEIGHTS) if self.weighted else None
            metric.update_state(
                library.ops.convert_to_tensor(y_true), library.ops.convert_to_tensor(y_pred), sample_weight=weights
            )

    def value(self, metric: Any, library: Any) -> np.ndarray:
        """The metric's result as an array."""
        return np.asarray(library.ops.convert_to_numpy(metric.result()), "float64")


CASES = [
    Case(name, data, settings, weighted)
    for name, data, variants in _METRICS
    for settings in variants
    for weighted in (False, True)
    if not (weighted and name in _WITHOUT_WEIGHTS)
]
