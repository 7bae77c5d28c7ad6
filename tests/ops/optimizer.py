"""Optimizer updates as single ops. Whole optimizers are compared with real Keras in test_optimizers.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from sample import HALVES, Sample, normal

# Each: how one group (variable, slots, gradient) and the scalars of the step give the new variable and slots.


def _sgd(w: Any, g: Any, rate: Any) -> Any:
    return (w - rate * g,)


def _momentum(w: Any, m: Any, g: Any, rate: Any, momentum: float = 0.9, nesterov: bool = False) -> Any:
    m = momentum * m - rate * g
    return w + (momentum * m - rate * g if nesterov else m), m


def _adam(
    w: Any, m: Any, v: Any, g: Any, rate: Any, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
) -> Any:
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    return w - rate * m / (np.sqrt(v) + epsilon), m, v


def _nadam(
    w: Any, m: Any, v: Any, g: Any, of_m: Any, of_g: Any, correction: Any, beta_1: float, beta_2: float, epsilon: float
) -> Any:
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    return w - (of_m * m + of_g * g) / (np.sqrt(v / correction) + epsilon), m, v


def _adamax(w: Any, m: Any, u: Any, g: Any, rate: Any, beta_1: float, beta_2: float, epsilon: float) -> Any:
    m = beta_1 * m + (1 - beta_1) * g
    u = np.maximum(beta_2 * u, abs(g))
    return w - rate * m / (u + epsilon), m, u


def _rmsprop(w: Any, v: Any, g: Any, rate: Any, rho: float = 0.9, epsilon: float = 1e-7) -> Any:
    v = rho * v + (1 - rho) * g**2
    return w - rate * g / np.sqrt(v + epsilon), v


def _adadelta(w: Any, v: Any, d: Any, g: Any, rate: Any, rho: float, epsilon: float) -> Any:
    v = rho * v + (1 - rho) * g**2
    step = np.sqrt(d + epsilon) / np.sqrt(v + epsilon) * g
    return w - rate * step, v, rho * d + (1 - rho) * step**2


def _adagrad(w: Any, v: Any, g: Any, rate: Any, epsilon: float) -> Any:
    v = v + g**2
    return w - rate * g / np.sqrt(v + epsilon), v


def _ftrl(
    w: Any,
    n: Any,
    z: Any,
    g: Any,
    rate: Any,
    learning_rate_power: float,
    l1: float,
    l2: float,
    l2_shrinkage: float,
    beta: float,
) -> Any:
    total = n + g**2
    sigma = (total**-learning_rate_power - n**-learning_rate_power) / rate
    z = z + g + 2 * l2_shrinkage * w - sigma * w
    quadratic = total**-learning_rate_power / rate + 2 * (l2 + beta / (2 * rate))
    return np.where(abs(z) <= l1, 0, (np.sign(z) * l1 - z) / quadratic), total, z


def _lion(w: Any, m: Any, g: Any, rate: Any, beta_1: float, beta_2: float) -> Any:
    return w - rate * np.sign(beta_1 * m + (1 - beta_1) * g), beta_2 * m + (1 - beta_2) * g


ADAM = {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}
RMSPROP = {"rho": 0.75, "epsilon": 1e-3}
FTRL = {"learning_rate_power": -0.5, "l1": 0.3, "l2": 0.2, "l2_shrinkage": 0.1, "beta": 0.4}
# op -> reference, attributes, slots (True: it holds squares or norms), scalars
UPDATES: dict[str, tuple[Any, dict[str, Any], tuple[bool, ...], int]] = {
    "sgd_step": (_sgd, {}, (), 1),
    "momentum_step": (_momentum, {"momentum": 0.7}, (False,), 1),
    "adam_step": (_adam, ADAM, (False, True), 1),
    "nadam_step": (_nadam, ADAM, (False, True), 3),
    "adamax_step": (_adamax, ADAM, (False, True), 1),
    "rmsprop_step": (_rmsprop, RMSPROP, (True,), 1),
    "adadelta_step": (_adadelta, RMSPROP, (True, True), 1),
    "adagrad_step": (_adagrad, {"epsilon": 1e-3}, (True,), 1),
    "ftrl_step": (_ftrl, FTRL, (True, False), 1),
    "lion_step": (_lion, {"beta_1": 0.8, "beta_2": 0.95}, (False,), 1),
}
SHAPES: dict[str, list[tuple[int, ...]]] = {
    "scalar": [()],
    "ragged": [(3, 7)],
    "empty": [(0, 3)],
    "several variables": [(3, 7), (), (0,), (16384 + 37,), (5,)],
}


def _sample(op: str, name: str, shapes: list[tuple[int, ...]], attributes: dict[str, Any]) -> Sample:
    reference, _, slots, scalars = UPDATES[op]
    size = len(slots) + 2
    inputs = []
    for shape in shapes:
        group = [normal(*shape, seed=len(inputs) + i) for i in range(size)]
        inputs += [abs(each) if i in range(1, size - 1) and slots[i - 1] else each for i, each in enumerate(group)]
    step = [np.asarray(0.125 * (i + 1)) for i in range(scalars)]

    def expected(*arrays: np.ndarray) -> Any:
        groups = [arrays[i : i + size] for i in range(0, len(arrays) - scalars, size)]
        return tuple(new for group in groups for new in reference(*group, *arrays[-scalars:], **attributes))

    rates = tuple(range(len(inputs), len(inputs) + scalars))
    # among many numbers of 16 bits a few of Lion's sums are 0 but for rounding, and have either sign
    halves = () if op == "lion_step" and len(shapes) > 1 else HALVES
    return Sample(name, op, (*inputs, *step), attributes, expected, grad=False, rtol=2e-5, dtypes=halves, wide=rates)


def _error(op: str, name: str, inputs: tuple[np.ndarray, ...], message: str) -> Sample:
    return Sample(name, op, inputs, raises=(ValueError, f"{op}: {message}"))


RATE = np.asarray(0.125)
SAMPLES = [
    *[_sample(op, name, shapes, UPDATES[op][1]) for op in UPDATES for name, shapes in SHAPES.items()],
    # more than fit into the parameters of one launch on a GPU
    _sample("adam_step", "hundreds of variables", [(i % 3,) for i in range(800)], ADAM),
    _sample("momentum_step", "nesterov", [(3, 7)], {"momentum": 0.7, "nesterov": True}),
    _sample("ftrl_step", "another power", [(3, 7)], {**FTRL, "learning_rate_power": -0.25}),
    _error(
        "adam_step",
        "shapes differ",
        (normal(3), normal(3), normal(3), normal(4), RATE),
        r"slots and gradient must be float\d+\(3,\) as the variable, got float\d+\(4,\)",
    ),
    _error(
        "rmsprop_step", "rate is no scalar", (normal(3), normal(3), normal(3), normal(3)), r"rate must be float\d+\(\)"
    ),
    _error("momentum_step", "a gradient is missing", (normal(3), normal(3), RATE), "takes groups of 3 tensors"),
]
