"""Records what real Keras does in the programs of mixed_precision_cases.py, for tests/test_mixed_precision.py.

KERAS_BACKEND=jax python tests/record_keras_mixed_precision.py     # with keras 3.15 installed; writes tests/data/
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import mixed_precision_cases as cases


def main() -> None:
    """Run all programs and write what comes out."""
    import keras

    layers = {
        policy: {case.id: cases.call_layer(keras, case, policy) for case in cases.layer_cases()}
        for policy in cases.POLICIES
    }
    trainings = {
        policy: {name: cases.train(keras, name, policy) for name in cases.TRAININGS}
        for policy in ("mixed_bfloat16", "mixed_float16")
    }
    recorded = {
        "keras": keras.__version__,
        "layers": layers,
        "trainings": trainings,
        "scalings": {name: cases.scale(keras, name) for name in cases.SCALINGS},
        "overflow": cases.overflow(keras),
        "configs": cases.configs(keras),
    }
    path = Path(__file__).with_name("data") / "keras_mixed_precision.json"
    path.write_text(json.dumps(recorded, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")
    main()
