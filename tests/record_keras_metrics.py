"""Records what real Keras's metrics give for the batches in keras_metric_cases.py.

KERAS_BACKEND=jax python tests/record_keras_metrics.py     # with keras 3.15 installed; writes tests/data/
"""

from __future__ import annotations

import json
from pathlib import Path

from keras_metric_cases import CASES


def main() -> None:
    """Run all cases and write their values."""
    import keras

    values = {}
    for case in CASES:
        metric = case.make(keras)
        case.update(metric, keras)
        values[case.id] = case.value(metric, keras).round(9).tolist()
    path = Path(__file__).with_name("data") / "keras_metrics.json"
    path.write_text(json.dumps({"keras": keras.__version__, "values": values}) + "\n")


if __name__ == "__main__":
    main()
