"""The optimizer settings that are compared with recorded steps of real Keras."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

STEPS = 20


def initial_values() -> dict[str, np.ndarray]:
    """Three small variables, by name."""
    rng = np.random.default_rng(7)
    return {
        "kernel": rng.normal(size=(3, 4)).astype("float32"),
        "bias": rng.normal(size=(4,)).astype("float32"),
        "scale": np.float32(1.5),
    }


def gradients(step: int) -> list[np.ndarray]:
    """The gradients of one step; some large, some zero."""
    rng = np.random.default_rng(100 + step)
    grads = [rng.normal(scale=2.0, size=value.shape).astype("float32") for value in initial_values().values()]
    grads[0][0, 0] = 0.0
    return grads


@dataclass(frozen=True)
class Case:
    """One optimizer with its settings."""

    id: str
    optimizer: str
    settings: dict[str, Any] = field(default_factory=dict)
    schedule: tuple[str, dict[str, Any]] | None = None
    not_decayed: tuple[str, ...] = ()
    constraint: tuple[str, dict[str, Any]] | None = None

    def arguments(self, keras: Any) -> dict[str, Any]:
        """The constructor's arguments for a library with Keras's names."""
        arguments = dict(self.settings)
        if self.schedule is not None:
            arguments["learning_rate"] = getattr(keras.optimizers.schedules, self.schedule[0])(**self.schedule[1])
        return arguments


_PLAIN = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "RMSprop": [
        {},
        {"momentum": 0.5},
        {"centered": True},
        {"rho": 0.8, "momentum": 0.3, "centered": True, "epsilon": 0.01},
    ],
    "Adam": [{}, {"amsgrad": True}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}],
    "AdamW": [{}, {"weight_decay": 0.1, "amsgrad": True}],
    "Adagrad": [{}, {"initial_accumulator_value": 0.5, "epsilon": 1e-2}],
    "Adadelta": [{"learning_rate": 1.0}, {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3}],
    "Adamax": [{}, {"beta_1": 0.7, "beta_2": 0.8}],
    "Nadam": [{}, {"beta_1": 0.8, "beta_2": 0.95}],
    "Ftrl": [
        {},
        {"l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2, "beta": 0.5},
        {"l2_shrinkage_regularization_strength": 0.1, "learning_rate_power": -0.3},
    ],
    "Lion": [{}, {"beta_1": 0.8, "beta_2": 0.9}],
}
_SHARED = [
    {"clipnorm": 1.0},
    {"clipvalue": 0.5},
    {"global_clipnorm": 1.0},
    {"weight_decay": 0.05},
    {"use_ema": True, "ema_momentum": 0.9},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    {"gradient_accumulation_steps": 3},
    {"loss_scale_factor": 4.0},
]
_SCHEDULES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [4, 9], "values": [0.1, 0.05, 0.01]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 12, "end_learning_rate": 0.01, "power": 2.0}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 6, "power": 0.5, "cycle": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.7}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.7, "staircase": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 15, "alpha": 0.1}),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 10, "warmup_target": 0.1, "warmup_steps": 5}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 4, "t_mul": 1.5, "m_mul": 0.8}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 4, "t_mul": 1.0, "alpha": 0.2}),
]


def _name(settings: dict[str, Any]) -> str:
    return ",".join(f"{key}={value}" for key, value in settings.items())


def _cases() -> list[Case]:
    cases = []
    for optimizer, variants in _PLAIN.items():
        for settings in variants:
            cases.append(Case(f"{optimizer}({_name(settings)})", optimizer, {"learning_rate": 0.05, **settings}))
    for optimizer in ("SGD", "Adam", "RMSprop"):
        for settings in _SHARED:
            cases.append(Case(f"{optimizer}({_name(settings)})", optimizer, {"learning_rate": 0.05, **settings}))
        decay = {"learning_rate": 0.05, "weight_decay": 0.2}
        cases.append(Case(f"{optimizer}(weight_decay=0.2, not bias)", optimizer, decay, not_decayed=("bias",)))
        limit = ("NonNeg", {})
        cases.append(Case(f"{optimizer}(NonNeg)", optimizer, {"learning_rate": 0.05}, constraint=limit))
    for name, settings in _SCHEDULES:
        cases.append(Case(f"SGD({name}:{_name(settings)})", "SGD", schedule=(name, settings)))
    return cases


CASES = _cases()
