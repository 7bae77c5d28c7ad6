"""Metrics give real Keras's values, eagerly and traced; reset, configs, names, misuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pronghorn as ph
from keras_metric_cases import BATCHES, CASES
from pronghorn import _core

RECORDED = json.loads((Path(__file__).with_name("data") / "keras_metrics.json").read_text())["values"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_values_are_those_of_keras(case):
    metric = case.make(ph)
    case.update(metric, ph)
    np.testing.assert_allclose(case.value(metric, ph), np.asarray(RECORDED[case.id]), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("case", [case for case in CASES if not case.weighted], ids=lambda case: case.id)
def test_a_traced_update_and_result_are_those_of_keras(case):
    metric = case.make(ph)
    first = BATCHES[case.data][0]
    metric.update_state(*first)  # metrics that are built by their first batch make their variables outside the trace
    metric.reset_state()
    update, result = _core.Graph(), _core.Graph()
    with update:
        metric.update_state(*(update.input(each.shape, each.dtype.name) for each in first))
        update.set_outputs([])
    with result:
        result.set_outputs([metric.result()])
    program = _core.compile(update)
    for batch in BATCHES[case.data]:
        program.run(list(batch))
    (value,) = _core.compile(result).run([])
    np.testing.assert_allclose(value.numpy(), np.asarray(RECORDED[case.id]), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("case", [case for case in CASES if not case.weighted], ids=lambda case: case.id)
def test_reset_starts_again_and_configs_come_round(case):
    metric = case.make(ph)
    case.update(metric, ph)
    metric.reset_state()
    case.update(metric, ph)
    np.testing.assert_allclose(case.value(metric, ph), np.asarray(RECORDED[case.id]), rtol=2e-5, atol=2e-6)
    again = ph.metrics.get(ph.metrics.serialize(metric))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("mse", "MeanSquaredError"),
        ("mae", "MeanAbsoluteError"),
        ("AUC", "AUC"),
        ("auc", "AUC"),
        ("RootMeanSquaredError", "RootMeanSquaredError"),
        ("binary_accuracy", "BinaryAccuracy"),
        ("mean_io_u", "MeanIoU"),
    ],
)
def test_metrics_by_name(name, cls):
    found = ph.metrics._KNOWN[name]
    assert found is getattr(ph.metrics, cls)


def test_mean_and_sum_of_values():
    mean, total = ph.metrics.Mean(), ph.metrics.Sum()
    for values, weights in [([1.0, 2.0], None), ([4.0, 8.0], [0.5, 0.25])]:
        mean.update_state(values, weights)
        total.update_state(values, weights)
    assert float(total.result()) == 7.0
    assert float(mean.result()) == pytest.approx(7.0 / 2.75)
    assert float(ph.metrics.Mean().result()) == 0.0


def test_a_function_becomes_a_mean():
    metric = ph.metrics.MeanMetricWrapper(lambda y, p, scale: (p - y) * scale, name="bias", scale=2.0)
    assert float(metric(ph.constant([1.0, 1.0]), ph.constant([2.0, 4.0]))) == 4.0 and metric.name == "bias"


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: ph.metrics.get("acuracy"), r"unknown metric 'acuracy'"),
        (lambda: ph.metrics.Precision(thresholds=2.0), r"thresholds must be in \[0, 1\], got 2.0"),
        (lambda: ph.metrics.AUC(curve="roc2"), r"curve must be 'ROC', 'PR' or 'PRGAIN'"),
        (lambda: ph.metrics.AUC(num_thresholds=1), r"num_thresholds must be at least 2"),
        (lambda: ph.metrics.AUC(summation_method="left"), r"summation_method must be"),
        (lambda: ph.metrics.MeanIoU(0), r"num_classes must be a positive integer, got 0"),
        (lambda: ph.metrics.IoU(2, [2]), r"target_class_ids must be in \[0, 2\)"),
        (lambda: ph.metrics.FBetaScore(beta=-1.0), r"beta must be a positive float"),
        (lambda: ph.metrics.R2Score(num_regressors=-1), r"num_regressors must not be negative"),
        (lambda: ph.metrics.RecallAtPrecision(1.5), r"precision must be in \[0, 1\]"),
        (
            lambda: ph.metrics.MeanSquaredError().update_state(np.ones((2, 3)), np.ones((2, 4))),
            r"y_true of shape \(2, 3\) does not fit y_pred of shape \(2, 4\)",
        ),
    ],
)
def test_misuse_is_explained(use, message):
    with pytest.raises(ValueError, match=message):
        use()
