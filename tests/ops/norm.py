"""Batch and layer normalization: few and many channels, both axes, means far from zero, one element, no rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sample import Sample, in_halves, normal


def _along(vector: np.ndarray, x: np.ndarray, axis: int) -> np.ndarray:
    shape = [1] * x.ndim
    shape[axis] = -1
    return vector.reshape(shape)


def _batch_norm(axis: int, epsilon: float) -> Callable[..., Any]:
    def reference(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> Any:
        axes = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
        mean, variance = x.mean(axis=axes), x.var(axis=axes)
        hat = (x - _along(mean, x, axis)) / np.sqrt(_along(variance, x, axis) + epsilon)
        return hat * _along(gamma, x, axis) + _along(beta, x, axis), mean, variance

    return reference


def _batch_norm_grad(axis: int, epsilon: float) -> Callable[..., Any]:
    def reference(x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, variance: np.ndarray, dy: np.ndarray) -> Any:
        axes = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
        rstd = 1 / np.sqrt(variance + epsilon)
        hat = (x - _along(mean, x, axis)) * _along(rstd, x, axis)
        dbeta, dgamma = dy.sum(axis=axes), (dy * hat).sum(axis=axes)
        count = x.size / max(mean.size, 1)
        inner = dy - _along(dbeta, x, axis) / count - hat * _along(dgamma, x, axis) / count
        return _along(gamma * rstd, x, axis) * inner, dgamma, dbeta

    return reference


def _layer_norm(epsilon: float) -> Callable[..., Any]:
    def reference(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> Any:
        axes = tuple(range(x.ndim - gamma.ndim, x.ndim))
        mean, rstd = x.mean(axis=axes, keepdims=True), 1 / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)
        return (x - mean) * rstd * gamma + beta, mean.squeeze(axes), rstd.squeeze(axes)

    return reference


def _layer_norm_grad(x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, rstd: np.ndarray, dy: np.ndarray) -> Any:
    axes = tuple(range(x.ndim - gamma.ndim, x.ndim))
    rows = tuple(range(x.ndim - gamma.ndim))
    mean, rstd = np.expand_dims(mean, axes), np.expand_dims(rstd, axes)
    hat, slope = (x - mean) * rstd, dy * gamma
    inner = slope - slope.mean(axis=axes, keepdims=True) - hat * (slope * hat).mean(axis=axes, keepdims=True)
    return rstd * inner, (dy * hat).sum(axis=rows), dy.sum(axis=rows)


# id: (shape, axis, what is added to x)
BATCHES = {
    "images": ((3, 5, 7, 16), -1, 0.0),
    "three-channels": ((5, 4, 3), -1, 0.0),
    "dense": ((33, 10), 1, 0.0),
    "many-channels": ((6, 300), -1, 0.0),
    "many-rows": ((40, 31, 31, 8), -1, 0.0),
    "channels-first": ((4, 3, 9, 11), 1, 0.0),
    "channels-first-large": ((40, 3, 33, 37), 1, 0.0),
    "first-axis": ((5, 40), 0, 0.0),
    "far-from-zero": ((2000, 4), -1, 1000.0),
    "one-row": ((1, 6), -1, 0.0),
    "one-element": ((1, 1), -1, 0.0),
    "one-channel": ((12, 5, 1), -1, 0.0),
    "ragged-channels-in-slices": ((1500, 5), -1, 0.0),
    "channels-in-tiles": ((20, 260), -1, 0.0),
    "channels-first-in-slices": ((3, 2, 64, 68), 1, 0.0),
    "channels-first-far-from-zero": ((3, 2, 50, 50), 1, 1000.0),
}


def _batch_samples(name: str, shape: tuple[int, ...], axis: int, shift: float) -> list[Sample]:
    channels, attrs = shape[axis], {"axis": axis, "epsilon": 0.01}
    x, dy = normal(*shape, shift=shift), normal(*shape, seed=1)
    gamma, beta = normal(channels, seed=2), normal(channels, seed=3)
    mean, variance = normal(channels, seed=4, shift=shift), np.abs(normal(channels, seed=5)) + 0.5
    y = normal(*shape, seed=6)  # of a ReLU that followed

    def masked(
        x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, variance: np.ndarray, dy: np.ndarray, y: np.ndarray
    ) -> Any:
        return _batch_norm_grad(axis, 0.01)(x, gamma, mean, variance, np.where(y > 0, dy, 0))

    def clipped(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> Any:
        result, *rest = _batch_norm(axis, 0.01)(x, gamma, beta)
        return np.maximum(result, 0), *rest

    return [
        Sample(
            f"{name}-relu",
            "batch_norm_grad",
            [x, gamma, mean, variance, dy, y],
            attrs,
            masked,
            rtol=1e-4,
            atol=1e-3,
        ),
        Sample(
            f"{name}-relu",
            "batch_norm_train",
            [x, gamma, beta],
            {**attrs, "activation": "relu"},
            clipped,
            grad=False,
            rtol=3e-5,
            atol=3e-5 if shift == 0.0 else 3e-4,
        ),
        Sample(
            name,
            "batch_norm_train",
            [x, gamma, beta],
            attrs,
            _batch_norm(axis, 0.01),
            grad=shift == 0.0 and len(x) > 1,
            rtol=3e-5,
            atol=3e-5 if shift == 0.0 else 3e-4,
        ),
        Sample(
            name,
            "batch_norm_grad",
            [x, gamma, mean, variance, dy],
            attrs,
            _batch_norm_grad(axis, 0.01),
            rtol=1e-4,
            atol=1e-3,
        ),
    ]


# id: (shape, axes that are normalized)
LAYERS = {
    "tokens": ((4, 7, 32), 1),
    "long": ((3, 3000), 1),
    "many-rows": ((901, 40), 1),
    "two-axes": ((5, 3, 8), 2),
    "whole": ((2, 9), 2),
    "ragged": ((3, 17), 1),
    "size-1": ((4, 1), 1),
    "vectors": ((37, 132), 1),
    "vectors-by-block": ((3, 1100), 1),
    "longer-than-registers": ((2, 4100), 1),
    "odd-longer-than-a-warp": ((3, 201), 1),
    "no-rows": ((0, 6), 1),
}


def _layer_samples(name: str, shape: tuple[int, ...], count: int) -> list[Sample]:
    rows, n = shape[: len(shape) - count], shape[len(shape) - count :]
    x, dy, gamma, beta = normal(*shape), normal(*shape, seed=1), normal(*n, seed=2), normal(*n, seed=3)
    mean, rstd = normal(*rows, seed=4), np.abs(normal(*rows, seed=5)) + 0.5
    attrs = {"epsilon": 0.01}
    return [
        Sample(name, "layer_norm", [x, gamma, beta], attrs, _layer_norm(0.01), rtol=3e-5, atol=3e-5),
        Sample(name, "layer_norm_grad", [x, gamma, mean, rstd, dy], attrs, _layer_norm_grad, rtol=1e-4, atol=3e-4),
    ]


SAMPLES = (
    [sample for name, given in BATCHES.items() for sample in _batch_samples(name, *given)]
    + [sample for name, given in LAYERS.items() for sample in _layer_samples(name, *given)]
    + [
        Sample(
            "gamma",
            "batch_norm_train",
            [normal(4, 3), normal(4), normal(3)],
            raises=(ValueError, r"gamma must be float32\(3,\), got float32\(4,\)"),
        ),
        Sample(
            "axis", "batch_norm_train", [normal(4, 3), normal(3), normal(3)], {"axis": 2}, raises=(ValueError, "axis")
        ),
        Sample(
            "integers",
            "batch_norm_train",
            [np.ones((4, 3), "int32"), normal(3), normal(3)],
            raises=(TypeError, "floating"),
        ),
        Sample("gamma", "layer_norm", [normal(4, 3), normal(4), normal(3)], raises=(ValueError, "gamma must have")),
        Sample("beta", "layer_norm", [normal(4, 3), normal(3), normal(4)], raises=(ValueError, "beta must be")),
    ]
)

SAMPLES = in_halves(SAMPLES)
