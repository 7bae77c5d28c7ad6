"""Records what real Keras does in the programs of mixed_precision_cases.py, for tests/test_mixed_precision.py.

python tests/record_keras_mixed_precision.py               # everything; with keras 3.15 and jax
python tests/record_keras_mixed_precision.py scalings ...  # these parts only, the others stay as they are
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mixed_precision_cases as cases

PATH = Path(__file__).with_name("data") / "keras_mixed_precision.json"
PARTS: dict[str, Callable[[Any], Any]] = {
    "layers": lambda keras: {
        policy: {case.id: cases.call_layer(keras, case, each) for each, case in cases.layer_calls() if each == policy}
        for policy in cases.POLICIES
    },
    "trainings": lambda keras: {
        policy: {name: cases.train(keras, name, policy) for name in cases.TRAININGS}
        for policy in cases.POLICIES
        if policy.startswith("mixed")
    },
    "scalings": lambda keras: {name: cases.scale(keras, name) for name in cases.SCALINGS},
    "overflow": cases.overflow,
    "configs": cases.configs,
}


def record(parts: list[str]) -> None:
    """Run parts on real Keras and write what comes out, each as soon as it is there."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    for part in parts:
        recorded = json.loads(PATH.read_text()) if PATH.exists() else {}
        recorded |= {"keras": keras.__version__, part: PARTS[part](keras)}
        PATH.write_text(json.dumps(recorded, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    record(sys.argv[1:] or list(PARTS))
