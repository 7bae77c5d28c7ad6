"""Records twenty steps of real Keras for every optimizer and option, for tests/test_optimizers.py to compare with.

KERAS_BACKEND=jax python tests/record_keras_optimizers.py     # with keras 3.15 installed; writes tests/data/
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from optimizer_cases import CASES, STEPS, gradients, initial_values


def main() -> None:
    """Run all cases and write their final and intermediate values."""
    import keras

    recorded = {}
    for case in CASES:
        variables = [keras.Variable(value, name=name) for name, value in initial_values().items()]
        for variable in variables:
            if case.constraint:
                variable.constraint = getattr(keras.constraints, case.constraint[0])(**case.constraint[1])
        optimizer = getattr(keras.optimizers, case.optimizer)(**case.arguments(keras))
        if case.not_decayed:
            optimizer.exclude_from_weight_decay(var_names=case.not_decayed)
        for step in range(STEPS):
            grads = [keras.ops.convert_to_tensor(grad) for grad in gradients(step)]
            optimizer.apply(grads, variables)
        optimizer.finalize_variable_values(variables)
        recorded[case.id] = [np.asarray(variable.value, "float64").round(9).tolist() for variable in variables]
    path = Path(__file__).with_name("data") / "keras_optimizers.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"keras": keras.__version__, "steps": STEPS, "values": recorded}) + "\n")


if __name__ == "__main__":
    main()
