"""Records what real Keras's layers give for the calls in keras_layer_cases.py.

KERAS_BACKEND=jax python tests/record_keras_layers.py     # with keras 3.15 installed; writes tests/data/
KERAS_BACKEND=jax python tests/record_keras_layers.py LSTM GRU    # these layers only, the others stay as they are
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from keras_layer_case import Case, leaves, plain_config, shapes_of, weight_values, weighted_sum
from keras_layer_cases import CASES

PATH = Path(__file__).with_name("data") / "keras_layers.json"


def _numbers(outputs: Any) -> list[float]:
    return [number for x in leaves(outputs) for number in np.asarray(x, "float64").round(6).ravel().tolist()]


def _made(case: Case) -> Any:
    import keras

    keras.backend.clear_session()  # names begin at the first number
    return case.make(keras)


def record(case: Case) -> dict[str, Any]:
    """Call the layer of a case and differentiate it."""
    import jax
    import keras

    layer = _made(case)
    inputs = [keras.ops.convert_to_tensor(array) for array in case.inputs]
    arguments = case.arguments(keras)
    layer.build(case.shapes)
    layer.set_weights(weight_values(layer))
    trainable = [v.value for v in layer.trainable_variables]
    kept = [v.value for v in layer.non_trainable_variables]

    def run(trainable: list[Any], states: Any, inputs: list[Any]) -> tuple[Any, Any]:
        given = {**arguments, case.states: states} if case.states else arguments
        outputs, updated = layer.stateless_call(trainable, kept, case.joined(inputs), **given)
        return weighted_sum(keras, outputs), (outputs, updated)

    # one compiled function: compiling each operation by itself takes minutes
    argnums = (0, 1, 2) if case.dtype == "float32" else (0, 1)
    states = arguments[case.states] if case.states else []
    gradients, (outputs, updated) = jax.jit(jax.grad(run, argnums, has_aux=True))(trainable, states, inputs)
    # a cell has no rule for the shape: it takes two arguments
    shape = shapes_of(outputs) if case.states == "states" else layer.compute_output_shape(case.shapes)
    result: dict[str, Any] = {
        "weights": [[v.path, list(v.shape)] for v in layer.weights],
        "trainable": [v.path for v in layer.trainable_weights],
        "output_shape": shape,
        "dtype": str(leaves(outputs)[0].dtype),
        "outputs": _numbers(outputs),
        "gradients": [_numbers(gradient) for gradient in leaves(list(gradients))],
    }
    if shapes_of(outputs) != json.loads(json.dumps(shape)):
        result["shapes"] = shapes_of(outputs)
    updates = {v.path: _numbers(value) for v, value in zip(layer.non_trainable_variables, updated)}
    updated = [updates[v.path] for v in layer.non_trainable_weights]
    if updated:
        result["updated"] = updated
    layer(case.joined(inputs), **arguments)
    if layer.losses:
        result["losses"] = [_numbers(loss)[0] for loss in layer.losses]
    if layer.supports_masking:
        mask = layer.compute_mask(case.joined(inputs), arguments.get("mask", case.joined([None] * len(inputs))))
        result["mask"] = [None if each is None else np.asarray(each).tolist() for each in leaves(mask)]
    return result


def main(names: list[str]) -> None:
    """Run all cases, or those of the layers named, and write what comes out, and the config of each's first case."""
    import keras

    before = json.loads(PATH.read_text()) if names else {"configs": {}, "values": {}}
    wanted = [case for case in CASES if not names or case.layer in names]
    values = {**before["values"], **{case.id: record(case) for case in wanted}}
    first = {case.layer: case for case in reversed(wanted) if case.layer != "Lambda"}
    configs = {**before["configs"], **{name: plain_config(_made(case)) for name, case in first.items()}}
    recorded = {
        "keras": keras.__version__,
        "configs": dict(sorted(configs.items())),
        "values": {case.id: values[case.id] for case in CASES},
    }
    PATH.write_text(json.dumps(recorded, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
