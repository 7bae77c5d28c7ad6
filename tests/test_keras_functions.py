"""Activations, losses, constraints and regularizers give real Keras's values; names, configs and misuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pronghorn as ph
from keras_cases import CASES, CLASSES, LOGITS, PROBABILITIES, A, B
from pronghorn import _core

RECORDED = json.loads((Path(__file__).with_name("data") / "keras_functions.json").read_text())["values"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_values_are_those_of_keras(case):
    np.testing.assert_allclose(case.result(ph), np.asarray(RECORDED[case.id]), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("case", [case for case in CASES if case.module != "activations"], ids=lambda case: case.id)
def test_configs_come_round(case):
    module = getattr(ph, case.module)
    made = getattr(module, case.name)(**case.settings)
    again = module.get(module.serialize(made))
    assert type(again) is type(made) and again.get_config() == made.get_config()
    np.testing.assert_array_equal(
        np.asarray(again(*case.inputs, **case.call).numpy()), np.asarray(made(*case.inputs, **case.call).numpy())
    )


@pytest.mark.parametrize("name", [name for name in dir(ph.activations) if name in ph.activations._FUNCTIONS])
def test_activations_come_round_by_name(name):
    function = ph.activations.get(name)
    assert ph.activations.get(ph.activations.serialize(function)) is function


def test_sparsemax_is_the_nearest_point_of_the_simplex():
    # Keras 3.15 adds up all partial sums of the support and so does not sum to one; the paper's formula does
    shares = ph.activations.sparsemax(LOGITS).numpy()
    np.testing.assert_allclose(shares.sum(axis=-1), 1, rtol=1e-6)
    points = np.random.default_rng(0).dirichlet(np.full(4, 0.3), size=3000)
    nearest = ((LOGITS[:, None] - points) ** 2).sum(axis=-1).min(axis=1)
    assert (((LOGITS - shares) ** 2).sum(axis=-1) <= nearest + 1e-6).all()


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("mse", "mean_squared_error"),
        ("MAE", "mean_absolute_error"),
        ("kld", "kl_divergence"),
        ("bce", "binary_crossentropy"),
        ("huber", "huber"),
        ("sparse_categorical_crossentropy", "sparse_categorical_crossentropy"),
    ],
)
def test_losses_by_alias(alias, name):
    assert ph.losses.get(alias) is getattr(ph.losses, name)


@pytest.mark.parametrize(
    ("name", "arguments", "named"),
    [
        ("Dice", ("sum", "own", (1,)), {"reduction": "sum", "name": "own", "axis": (1,)}),
        ("Tversky", (0.3, 0.7, "sum", "own", (1,)), {"alpha": 0.3, "reduction": "sum", "name": "own", "axis": (1,)}),
        (
            "SparseCategoricalCrossentropy",
            (True, 2, "sum", 1, "own"),
            {"from_logits": True, "ignore_class": 2, "reduction": "sum", "axis": 1, "name": "own"},
        ),
    ],
)
def test_losses_take_positional_arguments_in_the_order_of_keras(name, arguments, named):
    config = getattr(ph.losses, name)(*arguments).get_config()
    assert {key: config[key] for key in named} == named


def test_generalized_cross_entropy_needs_q():
    with pytest.raises(TypeError, match="q"):
        ph.losses.categorical_generalized_cross_entropy(CLASSES, PROBABILITIES)


def test_a_loss_traces_to_the_bits_of_the_eager_one():
    loss = ph.losses.SparseCategoricalCrossentropy(from_logits=True)
    graph = _core.Graph()
    with graph:
        graph.set_outputs([loss(graph.input(CLASSES.shape, "int32"), graph.input(LOGITS.shape, "float32"))])
    (traced,) = _core.compile(graph).run([CLASSES, LOGITS])
    assert float(traced) == float(loss(CLASSES, LOGITS))


def test_a_mask_leaves_values_out():
    prediction = ph.ops.convert_to_tensor(B)
    prediction._keras_mask = ph.ops.convert_to_tensor([True, False, True, True, False])
    expected = ((A - B) ** 2).mean(axis=1)[[0, 2, 3]].mean()
    np.testing.assert_allclose(float(ph.losses.MeanSquaredError()(A, prediction)), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: ph.losses.MeanSquaredError(reduction="average"), ValueError, r"reduction must be one of"),
        (lambda: ph.losses.get("msee"), ValueError, r"unknown loss 'msee'"),
        (lambda: ph.losses.get(3), ValueError, r"cannot interpret 3 as a loss"),
        (lambda: ph.activations.get("rellu"), ValueError, r"unknown activation 'rellu'"),
        (lambda: ph.activations.relu(A, max_value=-1.0), ValueError, r"max_value must not be negative"),
        (lambda: ph.activations.glu(A[:, :3]), ValueError, r"must have an even size"),
        (lambda: ph.regularizers.L2(float("nan")), ValueError, r"l2 must be a finite number, got nan"),
        (lambda: ph.regularizers.get("l3"), ValueError, r"unknown regularizer 'l3'"),
        (lambda: ph.constraints.get("tight"), ValueError, r"unknown constraint 'tight'"),
        (
            lambda: ph.losses.MeanSquaredError()(A, B[:, :3]),
            ValueError,
            r"y_true of shape \(5, 4\) does not fit y_pred of shape \(5, 3\)",
        ),
        (lambda: ph.losses.SparseCategoricalCrossentropy()([0, 9, 0, 0, 0], PROBABILITIES), IndexError, r"label 9|9"),
        (lambda: ph.losses.Loss()(A, B), NotImplementedError, r"must define call"),
    ],
)
def test_misuse_is_explained(use, error, message):
    with pytest.raises(error, match=message):
        use()
