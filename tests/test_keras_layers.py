"""Layers give real Keras's outputs, gradients, shapes, weights and configs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pronghorn as ph
from keras_layer_case import leaves, plain_config, shapes_of, weight_values, weighted_sum
from keras_layer_cases import CASES

_FILE = json.loads((Path(__file__).with_name("data") / "keras_layers.json").read_text())
RECORDED, CONFIGS = _FILE["values"], _FILE["configs"]


def _assert_close(ours, recorded, scale=1.0):
    ours = np.concatenate([np.asarray(x, "float64").ravel() for x in leaves(ours)] or [np.zeros(0)])
    np.testing.assert_allclose(ours, np.asarray(recorded, "float64"), rtol=2e-5, atol=3e-6 * scale)


def _made(case):
    ph.backend.clear_session()  # names begin at the first number
    return case.make(ph)


def _built(case):
    layer = _made(case)
    layer.build(case.shapes)
    layer.set_weights(weight_values(layer))
    return layer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_outputs_and_gradients_are_those_of_keras(case):
    recorded = RECORDED[case.id]
    layer = _built(case)
    inputs = [ph.ops.convert_to_tensor(array) for array in case.inputs]
    arguments = case.arguments(ph)
    watched = leaves(arguments[case.states]) if case.states else []
    watched = [*watched, *(inputs if case.dtype == "float32" else [])]
    with ph.GradientTape() as tape:
        tape.watch(watched)
        outputs = layer(case.joined(inputs), **arguments)
        total = weighted_sum(ph, outputs)
    assert shapes_of(outputs) == recorded.get("shapes", recorded["output_shape"])
    assert {x.dtype for x in leaves(outputs)} == {recorded["dtype"]}
    _assert_close(outputs, recorded["outputs"])
    sources = [*layer.trainable_variables, *watched]
    gradients = tape.gradient(total, sources) if sources else []
    assert len(gradients) == len(recorded["gradients"])
    for source, gradient, expected in zip(sources, gradients, recorded["gradients"]):
        gradient = np.zeros(source.shape) if gradient is None else gradient
        _assert_close(gradient, expected, scale=max(1.0, np.abs(expected).max(initial=0)))
    for variable, expected in zip(layer.non_trainable_weights, recorded.get("updated", []), strict=True):
        _assert_close(variable, expected)
    _assert_close(layer.losses, recorded.get("losses", []))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_weights_shapes_and_masks_are_those_of_keras(case):
    recorded = RECORDED[case.id]
    layer = _built(case)
    assert [[v.path, list(v.shape)] for v in layer.weights] == recorded["weights"]
    assert [v.path for v in layer.trainable_weights] == recorded["trainable"]
    if case.states != "states":
        assert json.loads(json.dumps(layer.compute_output_shape(case.shapes))) == recorded["output_shape"]
    assert layer.supports_masking == ("mask" in recorded)
    if layer.supports_masking:
        inputs = [ph.ops.convert_to_tensor(array) for array in case.inputs]
        previous = case.arguments(ph).get("mask", case.joined([None] * len(inputs)))
        masks = leaves(layer.compute_mask(case.joined(inputs), previous))
        assert [None if mask is None else mask.numpy().tolist() for mask in masks] == recorded["mask"]


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_configs_are_those_of_keras(name):
    case = next(case for case in CASES if case.layer == name)
    assert plain_config(_made(case)) == CONFIGS[name]


def test_every_layer_class_is_compared():
    classes = {name for name in ph.layers.__all__ if isinstance(getattr(ph.layers, name), type)}
    compared = {getattr(ph.layers, case.layer) for case in CASES}
    bases = {"Layer", "InputLayer", "InputSpec", "Wrapper"}
    assert {name for name in classes - bases if getattr(ph.layers, name) not in compared} == set()
