"""Records what real Keras's layers give for the calls in keras_layer_cases.py.

KERAS_BACKEND=jax python tests/record_keras_layers.py     # with keras 3.15 installed; writes tests/data/
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from keras_layer_cases import CASES, Case, output_factors, plain_config, weight_values


def _numbers(array: Any) -> list[float]:
    return np.asarray(array, "float64").round(6).ravel().tolist()


def record(case: Case) -> dict[str, Any]:
    """Call the layer of a case and differentiate it."""
    import jax
    import keras

    layer = case.make(keras)
    inputs = [keras.ops.convert_to_tensor(array) for array in case.inputs]
    layer.build(case.shapes)
    layer.set_weights(weight_values(layer))
    trainable = [v.value for v in layer.trainable_variables]
    kept = [v.value for v in layer.non_trainable_variables]

    def run(trainable: list[Any], inputs: list[Any]) -> tuple[Any, Any]:
        outputs, updated = layer.stateless_call(trainable, kept, case.joined(inputs), **case.arguments(keras))
        return (outputs * output_factors(outputs.shape)).sum(), (outputs, updated)

    # one compiled function: compiling each operation by itself takes minutes
    argnums = (0, 1) if case.dtype == "float32" else (0,)
    gradients, (outputs, updated) = jax.jit(jax.grad(run, argnums, has_aux=True))(trainable, inputs)
    result: dict[str, Any] = {
        "weights": [[v.path, list(v.shape)] for v in layer.weights],
        "trainable": [v.path for v in layer.trainable_weights],
        "output_shape": list(layer.compute_output_shape(case.shapes)),
        "dtype": str(outputs.dtype),
        "outputs": _numbers(outputs),
        "gradients": [_numbers(gradient) for part in gradients for gradient in part],
    }
    states = {v.path: _numbers(value) for v, value in zip(layer.non_trainable_variables, updated)}
    updates = [states[v.path] for v in layer.non_trainable_weights]
    if updates:
        result["updated"] = updates
    layer(case.joined(inputs), **case.arguments(keras))
    if layer.losses:
        result["losses"] = [_numbers(loss)[0] for loss in layer.losses]
    if layer.supports_masking:
        mask = layer.compute_mask(case.joined(inputs), case.joined([None] * len(inputs)))
        result["mask"] = None if mask is None else np.asarray(mask).tolist()
    return result


def main() -> None:
    """Run all cases and write what comes out, and the config of each class's first case."""
    import keras

    values = {case.id: record(case) for case in CASES}
    first = {case.layer: case for case in reversed(CASES)}
    configs = {name: plain_config(case.make(keras)) for name, case in sorted(first.items()) if name != "Lambda"}
    path = Path(__file__).with_name("data") / "keras_layers.json"
    recorded = {"keras": keras.__version__, "configs": configs, "values": values}
    path.write_text(json.dumps(recorded, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
