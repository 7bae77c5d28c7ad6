"""Pronghorn: a small, fast deep-learning library that speaks Keras's words.

Submodules are loaded when they are first used, so that `import pronghorn` is quick.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

__version__ = "0.1.0"

_SUBMODULES = (
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "profiling",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
)

# public name -> module that defines it
_NAMES = {
    "DTypePolicy": "pronghorn.dtype_policies",
    "GradientTape": "pronghorn.gradient_tape",
    "Initializer": "pronghorn.initializers",
    "Input": "pronghorn.layers",
    "InputSpec": "pronghorn.layers",
    "KerasTensor": "pronghorn.symbolic",
    "Layer": "pronghorn.layers",
    "Loss": "pronghorn.losses",
    "Metric": "pronghorn.metrics",
    "Model": "pronghorn.models",
    "Optimizer": "pronghorn.optimizers",
    "Regularizer": "pronghorn.regularizers",
    "Sequential": "pronghorn.models",
    "Tensor": "pronghorn.ops.operators",
    "Variable": "pronghorn.variable",
    "device": "pronghorn.devices",
}


def __getattr__(name: str) -> Any:
    if name == "keras":  # TensorFlow programs say tf.keras.layers.Dense
        return sys.modules[__name__]
    if name.startswith("_"):
        raise AttributeError(f"module 'pronghorn' has no attribute {name!r}")
    if name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
    elif importlib.util.find_spec(f"pronghorn.{name}") is not None:
        return importlib.import_module(f"pronghorn.{name}")
    else:
        tf_names = importlib.import_module("pronghorn.tf_names")
        if name not in tf_names.__all__:
            raise AttributeError(f"module 'pronghorn' has no attribute {name!r}")
        value = getattr(tf_names, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_NAMES, *importlib.import_module("pronghorn.tf_names").__all__})
