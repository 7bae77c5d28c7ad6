"""Calls of activations, losses, constraints and regularizers that are compared with recorded values of real Keras."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


X = np.concatenate([_random(0, 4, 6), np.array([[-3.0, -1.0, -0.5, 0.0, 0.5, 30.0]], "float32")])
LOGITS = _random(1, 5, 4) * 2
PROBABILITIES = (np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)).astype("float32")
ONE_HOT = np.eye(4, dtype="float32")[[0, 3, 1, 1, 2]]
SOFT = np.abs(_random(2, 5, 4)).astype("float32")
SOFT /= SOFT.sum(axis=1, keepdims=True)
CLASSES = np.array([0, 3, 1, 1, 2], "int32")
BITS = np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 1], [1, 1, 1, 1], [0, 1, 0, 1]], "float32")
A, B = _random(3, 5, 4), _random(4, 5, 4)
UNIT = (A / np.linalg.norm(A, axis=1, keepdims=True)).astype("float32")
WEIGHTS = np.array([1.0, 0.5, 0.0, 2.0, 3.0], "float32")


@dataclass(frozen=True)
class Case:
    """One call: `module.name(**settings)` applied to inputs, or for activations `name(*inputs, **settings)`."""

    module: str
    name: str
    inputs: tuple[Any, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    call: dict[str, Any] = field(default_factory=dict)
    tag: str = ""

    @property
    def id(self) -> str:
        """What the recording is filed under."""
        options = ",".join(f"{key}={value}" for key, value in self.settings.items())
        return f"{self.module}.{self.name}({options}){self.tag}"

    def result(self, library: Any) -> np.ndarray:
        """The value that a library with Keras's names gives."""
        target = getattr(getattr(library, self.module), self.name)
        if self.module == "activations":
            value = target(*self.inputs, **self.settings)
        else:
            inputs = [library.ops.convert_to_tensor(each) for each in self.inputs]
            value = target(**self.settings)(*inputs, **self.call)
        return np.asarray(library.ops.convert_to_numpy(value), "float64")


_ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    ("relu", {}),
    ("relu", {"negative_slope": 0.1, "max_value": 2.0, "threshold": 0.5}),
    ("relu", {"max_value": 1.0}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {"alpha": 0.7}),
    ("celu", {"alpha": 0.7}),
    ("gelu", {}),
    ("gelu", {"approximate": True}),
    ("gelu", {"approximate": False}),
    ("glu", {}),
    ("softmax", {}),
    ("softmax", {"axis": 0}),
    ("log_softmax", {}),
    ("threshold", {"threshold": 0.2, "default_value": -1.0}),
    ("soft_shrink", {}),
    ("hard_shrink", {}),
    *(
        (name, {})
        for name in (
            "relu6",
            "selu",
            "silu",
            "mish",
            "softplus",
            "softsign",
            "tanh",
            "sigmoid",
            "hard_sigmoid",
            "hard_silu",
            "hard_tanh",
            "tanh_shrink",
            "exponential",
            "linear",
            "log_sigmoid",
            "sparse_plus",
            "sparse_sigmoid",
            "squareplus",
        )
    ),
]

_LOSSES: list[tuple[str, tuple[Any, Any], list[dict[str, Any]]]] = [
    ("MeanSquaredError", (A, B), [{}]),
    ("MeanAbsoluteError", (A, B), [{}]),
    ("MeanAbsolutePercentageError", (A, B), [{}]),
    ("MeanSquaredLogarithmicError", (np.abs(A), np.abs(B)), [{}]),
    ("Huber", (A, B), [{}, {"delta": 0.3}]),
    ("LogCosh", (A, B), [{}]),
    ("CosineSimilarity", (A, B), [{}, {"axis": 0}]),
    ("Poisson", (np.abs(A), np.abs(B)), [{}]),
    ("KLDivergence", (SOFT, PROBABILITIES), [{}]),
    ("Hinge", (BITS, A), [{}]),
    ("SquaredHinge", (BITS * 2 - 1, A), [{}]),
    ("CategoricalHinge", (ONE_HOT, LOGITS), [{}]),
    ("BinaryCrossentropy", (BITS, PROBABILITIES), [{}, {"label_smoothing": 0.2}]),
    ("BinaryCrossentropy", (BITS, LOGITS), [{"from_logits": True}]),
    ("BinaryFocalCrossentropy", (BITS, PROBABILITIES), [{}, {"apply_class_balancing": True, "gamma": 1.5}]),
    ("BinaryFocalCrossentropy", (BITS, LOGITS), [{"from_logits": True, "label_smoothing": 0.1}]),
    ("CategoricalCrossentropy", (ONE_HOT, PROBABILITIES), [{}, {"label_smoothing": 0.1}]),
    ("CategoricalCrossentropy", (SOFT, LOGITS), [{"from_logits": True}]),
    ("CategoricalFocalCrossentropy", (ONE_HOT, PROBABILITIES), [{}, {"alpha": 0.5, "gamma": 1.0}]),
    ("CategoricalFocalCrossentropy", (ONE_HOT, LOGITS), [{"from_logits": True}]),
    ("SparseCategoricalCrossentropy", (CLASSES, PROBABILITIES), [{}, {"ignore_class": 1}]),
    ("SparseCategoricalCrossentropy", (CLASSES, LOGITS), [{"from_logits": True}]),
    ("CategoricalGeneralizedCrossEntropy", (CLASSES, PROBABILITIES), [{}, {"q": 0.8}]),
    ("Dice", (BITS, PROBABILITIES), [{}, {"axis": (1,)}]),
    ("Tversky", (BITS, PROBABILITIES), [{}, {"alpha": 0.3, "beta": 0.7}]),
    ("Circle", (CLASSES, UNIT), [{}, {"gamma": 10, "margin": 0.2}]),
]


def _cases() -> list[Case]:
    cases = [Case("activations", name, (X,), settings) for name, settings in _ACTIVATIONS]
    for name, inputs, variants in _LOSSES:
        for settings in variants:
            cases.append(Case("losses", name, inputs, settings))
    for reduction in ("none", "sum", "mean", "sum_over_batch_size", "mean_with_sample_weight"):
        settings = {"reduction": reduction}
        cases.append(Case("losses", "MeanSquaredError", (A, B), settings))
        cases.append(Case("losses", "MeanSquaredError", (A, B), settings, {"sample_weight": WEIGHTS}, " weighted"))
        cases.append(
            Case(
                "losses",
                "SparseCategoricalCrossentropy",
                (CLASSES, PROBABILITIES),
                settings,
                {"sample_weight": WEIGHTS},
                " weighted",
            )
        )
    cases.append(Case("losses", "MeanSquaredError", (A[:, :1], B[:, 0]), {}, {}, " (batch, 1) and (batch,)"))
    cases.append(Case("losses", "SparseCategoricalCrossentropy", (CLASSES[:, None], PROBABILITIES), {}, {}, " column"))
    for name, settings in [
        ("MaxNorm", {}), ("MaxNorm", {"max_value": 1.0, "axis": 1}), ("NonNeg", {}), ("UnitNorm", {}),
        ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.5}),
    ]:  # fmt: skip
        cases.append(Case("constraints", name, (A,), settings))
    for name, settings in [
        ("L1", {}), ("L2", {"l2": 0.3}), ("L1L2", {"l1": 0.1, "l2": 0.2}), ("OrthogonalRegularizer", {}),
        ("OrthogonalRegularizer", {"mode": "columns", "factor": 0.5}),
    ]:  # fmt: skip
        cases.append(Case("regularizers", name, (A,), settings))
    return cases


CASES = _cases()
