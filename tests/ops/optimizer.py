"""Optimizer updates as single ops. Whole optimizers are compared with real Keras in test_optimizers.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from sample import Sample, normal


def _adam(
    w: Any, m: Any, v: Any, g: Any, rate: Any, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
) -> Any:
    m = m + (g - m) * (1 - beta_1)
    v = v + (g * g - v) * (1 - beta_2)
    return w - m * rate / (np.sqrt(v) + epsilon), m, v


def _rmsprop(w: Any, v: Any, g: Any, rate: Any, rho: float = 0.9, epsilon: float = 1e-7) -> Any:
    v = rho * v + (1 - rho) * g * g
    return w - g * rate / np.sqrt(v + epsilon), v


RATE = np.asarray(0.125)


def _samples() -> list[Sample]:
    samples = []
    for name, shape in {"scalar": (), "ragged": (3, 7), "empty": (0, 3), "two spans": (16384 + 37,)}.items():
        w, m, v, g = normal(*shape), normal(*shape, seed=1), abs(normal(*shape, seed=2)), normal(*shape, seed=3)
        adam = {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}
        rmsprop = {"rho": 0.75, "epsilon": 1e-3}
        samples += [
            Sample(
                name, "adam_step", (w, m, v, g, RATE), adam, lambda *x, a=adam: _adam(*x, **a), grad=False, rtol=1e-5
            ),
            Sample(
                name,
                "rmsprop_step",
                (w, v, g, RATE),
                rmsprop,
                lambda *x, a=rmsprop: _rmsprop(*x, **a),
                grad=False,
                rtol=1e-5,
            ),
        ]
    return samples


SAMPLES = [
    *_samples(),
    Sample(
        "shapes differ",
        "adam_step",
        (normal(3), normal(3), normal(3), normal(4), RATE),
        raises=(
            ValueError,
            r"adam_step: slots and gradient must be float\d+\(3,\) as the variable, got float\d+\(4,\)",
        ),
    ),
    Sample(
        "rate is no scalar",
        "rmsprop_step",
        (normal(3), normal(3), normal(3), normal(3)),
        raises=(ValueError, r"rmsprop_step: rate must be float\d+\(\)"),
    ),
]
