"""Records what real Keras gives for the calls in keras_cases.py.

KERAS_BACKEND=jax python tests/record_keras_functions.py     # with keras 3.15 installed; writes tests/data/
"""

from __future__ import annotations

import json
from pathlib import Path

from keras_cases import CASES


def main() -> None:
    """Run all cases and write their values."""
    import keras

    values = {case.id: case.result(keras).round(9).tolist() for case in CASES}
    path = Path(__file__).with_name("data") / "keras_functions.json"
    path.write_text(json.dumps({"keras": keras.__version__, "values": values}) + "\n")


if __name__ == "__main__":
    main()
