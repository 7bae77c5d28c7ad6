"""Records what real Keras does in the cases of tests/training_cases, for tests/test_keras_training.py.

python tests/record_keras_training.py               # all cases; with keras 3.15, jax and pandas
python tests/record_keras_training.py generators ...   # these cases only, the others stay as they are
KERAS_BACKEND=tensorflow python tests/record_keras_training.py stateful_fits   # as the case itself says
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from training_cases import CASES, plain

PATH = Path(__file__).with_name("data") / "keras_training.json"


def record(names: list[str]) -> dict[str, Any]:
    """Run cases on real Keras and return what they return."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    # Every case trains several models for a few steps: compiling them takes far longer than running them.
    os.environ["JAX_DISABLE_JIT"] = "1"
    import keras

    recorded = {}
    for name in names:
        keras.backend.clear_session()
        with tempfile.TemporaryDirectory() as folder:
            recorded[name] = plain(CASES[name](keras, folder))
    return recorded


def write(recorded: dict[str, Any]) -> None:
    """Write the results, and those that the file holds of cases that were not run."""
    from keras import __version__

    before = json.loads(PATH.read_text())["cases"] if PATH.exists() else {}
    cases = {**before, **recorded}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(cases[name])}" for name in CASES if name in cases)
    PATH.write_text(f'{{"keras": "{__version__}", "cases": {{\n{lines}\n}}}}\n')


if __name__ == "__main__":
    write(record(sys.argv[1:] or list(CASES)))
