"""Cross entropies: few and many classes, rows in blocks, clipped probabilities, labels that do not exist."""

from __future__ import annotations

import numpy as np

from sample import Sample, in_halves, integers, normal


def _log_sum(x: np.ndarray) -> np.ndarray:
    most = x.max(axis=-1)
    return most + np.log(np.exp(x - most[..., None]).sum(axis=-1))


def _hot(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes)[labels]


def _sparse_softmax(x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    log_sum = _log_sum(x)
    return log_sum - (x * _hot(labels, x.shape[-1])).sum(axis=-1), log_sum


def _sparse_softmax_grad(x: np.ndarray, labels: np.ndarray, log_sum: np.ndarray, dloss: np.ndarray) -> np.ndarray:
    return dloss[..., None] * (np.exp(x - log_sum[..., None]) - _hot(labels, x.shape[-1]))


def _softmax(x: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    log_sum = _log_sum(x)
    return (targets * (log_sum[..., None] - x)).sum(axis=-1), log_sum


def _softmax_grad(x: np.ndarray, targets: np.ndarray, log_sum: np.ndarray, dloss: np.ndarray) -> np.ndarray:
    return dloss[..., None] * (np.exp(x - log_sum[..., None]) * targets.sum(axis=-1, keepdims=True) - targets)


def _share(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return (p * _hot(labels, p.shape[-1])).sum(axis=-1) / p.sum(axis=-1)


def _sparse(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return -np.log(np.clip(_share(p, labels), 1e-3, 1 - 1e-3))


def _sparse_grad(p: np.ndarray, labels: np.ndarray, dloss: np.ndarray) -> np.ndarray:
    share = _share(p, labels)
    scale = np.where((share < 1e-3) | (share > 1 - 1e-3), 0, -dloss / share / p.sum(axis=-1))
    return scale[..., None] * (_hot(labels, p.shape[-1]) - share[..., None])


def _probabilities(*shape: int) -> np.ndarray:
    return np.abs(normal(*shape, seed=5)) + 0.05


SHAPES = {
    "ten-classes": (33, 10),
    "one-row": (1, 3),
    "one-class": (4, 1),
    "many-rows": (901, 7),
    "many-classes": (3, 1000),
    "more-classes-than-a-block": (2, 5003),
    "pixels": (2, 3, 4, 5),
    "vectors": (5, 132),
    "vectors-by-block": (3, 1028),
    "vector": (6,),
    "no-rows": (0, 5),
}
EPSILON = {"epsilon": 1e-3}


def _samples(name: str, shape: tuple[int, ...]) -> list[Sample]:
    rows, classes = shape[:-1], shape[-1]
    labels = integers(0, classes, *rows)
    x, p, dloss = normal(*shape, scale=2), _probabilities(*shape), normal(*rows, seed=3)
    targets = np.abs(normal(*shape, seed=2))
    log_sum = normal(*rows, seed=4, shift=1.0 + np.log(classes))
    return [
        Sample(name, "sparse_softmax_cross_entropy", [x, labels], {}, _sparse_softmax),
        Sample(name, "sparse_softmax_cross_entropy_grad", [x, labels, log_sum, dloss], {}, _sparse_softmax_grad),
        Sample(name, "softmax_cross_entropy", [x, targets], {}, _softmax, rtol=5e-5),
        Sample(
            name, "softmax_cross_entropy_grad", [x, targets, log_sum, dloss], {}, _softmax_grad, rtol=1e-4, atol=1e-4
        ),
        Sample(name, "sparse_cross_entropy", [p, labels], EPSILON, _sparse),
        Sample(name, "sparse_cross_entropy_grad", [p, labels, dloss], EPSILON, _sparse_grad),
    ]


_CLIPPED = np.array([[0.0, 1.0], [1e-5, 1.0], [0.9999, 1e-5], [0.3, 0.7]])
_BAD = np.array([0, 3, 1], dtype="int32")

SAMPLES = [sample for name, shape in SHAPES.items() for sample in _samples(name, shape)] + [
    Sample(
        "int64", "sparse_softmax_cross_entropy", [normal(5, 3), integers(0, 3, 5, dtype="int64")], {}, _sparse_softmax
    ),
    Sample(
        "huge",
        "sparse_softmax_cross_entropy",
        [np.array([[1e4, -1e4], [1e30, 0.0]]), np.array([1, 0], "int32")],
        {},
        _sparse_softmax,
        grad=False,
    ),
    Sample(
        "impossible-class",
        "softmax_cross_entropy",
        [np.array([[1.0, -np.inf, 2.0]]), np.array([[0.5, 0.0, 0.5]])],
        {},
        lambda x, t: (np.array([_log_sum(x)[0] - 1.5]), _log_sum(x)),
        grad=False,
    ),
    Sample("clipped", "sparse_cross_entropy", [_CLIPPED, np.zeros(4, "int32")], EPSILON, _sparse, grad=False),
    Sample("clipped", "sparse_cross_entropy_grad", [_CLIPPED, np.zeros(4, "int32"), normal(4)], EPSILON, _sparse_grad),
    Sample(
        "label-too-large",
        "sparse_softmax_cross_entropy",
        [normal(3, 3), _BAD],
        raises=(IndexError, r"holds 3.*\[0, 3\)"),
    ),
    Sample(
        "label-too-large-in-a-long-row",
        "sparse_softmax_cross_entropy",
        [normal(2, 301), np.array([300, 301])],
        raises=(IndexError, r"holds 301.*\[0, 301\)"),
    ),
    Sample("label-negative", "sparse_cross_entropy", [normal(3, 3), _BAD - 2], raises=(IndexError, "holds -2")),
    Sample(
        "labels-float", "sparse_softmax_cross_entropy", [normal(3, 3), normal(3)], raises=(TypeError, "int32 or int64")
    ),
    Sample(
        "labels-shape", "sparse_softmax_cross_entropy", [normal(3, 3), _BAD[:2]], raises=(ValueError, r"shape \(3,\)")
    ),
    Sample("targets", "softmax_cross_entropy", [normal(3, 3), normal(3, 4)], raises=(ValueError, "targets must be")),
    Sample("scalar", "sparse_softmax_cross_entropy", [normal(), _BAD[0]], raises=(ValueError, "last axis")),
]

SAMPLES = in_halves(SAMPLES)
