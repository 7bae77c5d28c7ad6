"""Optimizers and schedules take the steps that real Keras takes; options, configs and misuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pronghorn as ph
from optimizer_cases import CASES, STEPS, gradients, initial_values
from pronghorn import _core, ops

RECORDED = json.loads((Path(__file__).with_name("data") / "keras_optimizers.json").read_text())["values"]


def _variables(case):
    variables = [ph.Variable(value, name=name) for name, value in initial_values().items()]
    for variable in variables:
        if case.constraint:
            variable.constraint = getattr(ph.constraints, case.constraint[0])(**case.constraint[1])
    return variables


def _optimizer(case):
    optimizer = getattr(ph.optimizers, case.optimizer)(**case.arguments(ph))
    if case.not_decayed:
        optimizer.exclude_from_weight_decay(var_names=case.not_decayed)
    return optimizer


def _check(case, variables):
    for variable, expected in zip(variables, RECORDED[case.id]):
        np.testing.assert_allclose(variable.numpy(), np.asarray(expected), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_twenty_eager_steps_are_those_of_keras(case):
    variables, optimizer = _variables(case), _optimizer(case)
    for step in range(STEPS):
        optimizer.apply(gradients(step), variables)
    optimizer.finalize_variable_values(variables)
    _check(case, variables)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_twenty_steps_of_a_program_are_those_of_keras(case):
    variables, optimizer = _variables(case), _optimizer(case)
    optimizer.build(variables)
    graph = _core.Graph()
    with graph:
        optimizer.apply([graph.input(grad.shape, "float32") for grad in gradients(0)], variables)
        graph.set_outputs([])
    program = _core.compile(graph)
    for step in range(STEPS):
        program.run(gradients(step))
    optimizer.finalize_variable_values(variables)
    _check(case, variables)


@pytest.mark.parametrize(
    "name", ["Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD"]
)
def test_names_and_configs_come_round(name):
    by_name = ph.optimizers.get(name.lower())
    assert type(by_name).__name__ == name
    optimizer = type(by_name)(learning_rate=0.03, clipnorm=2.0, use_ema=True, ema_momentum=0.5)
    again = ph.optimizers.get(ph.optimizers.serialize(optimizer))
    assert type(again) is type(optimizer) and again.get_config() == optimizer.get_config()


@pytest.mark.parametrize(
    ("name", "settings"), [case.schedule for case in CASES if case.schedule], ids=lambda value: str(value)[:60]
)
def test_schedules_come_round_in_the_optimizer_config(name, settings):
    schedule = getattr(ph.optimizers.schedules, name)(**settings)
    optimizer = ph.optimizers.get(ph.optimizers.serialize(ph.optimizers.SGD(schedule)))
    for step in (0, 3, 11):
        assert float(optimizer._schedule(ops.convert_to_tensor(step))) == float(schedule(ops.convert_to_tensor(step)))


def test_the_learning_rate_can_be_read_and_set():
    optimizer = ph.optimizers.SGD(0.5)
    w = ph.Variable([1.0])
    optimizer.learning_rate = 0.25
    optimizer.apply([[1.0]], [w])
    assert float(optimizer.learning_rate) == 0.25 and float(w[0]) == 0.75 and int(optimizer.iterations) == 1


def test_a_users_optimizer_needs_update_step_only():
    class Plain(ph.optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, gradient * learning_rate)

    w = ph.Variable([1.0, 2.0])
    Plain(0.5).apply_gradients([([1.0, 1.0], w)])
    np.testing.assert_array_equal(w.numpy(), [0.5, 1.5])


def test_variables_without_a_gradient_are_left_alone():
    a, b = ph.Variable([1.0]), ph.Variable([1.0])
    ph.optimizers.Adam(0.1).apply([[1.0], None], [a, b])
    assert float(a[0]) < 1.0 and float(b[0]) == 1.0


def test_slots_are_saved_and_loaded():
    w = ph.Variable([1.0, 2.0])
    first = ph.optimizers.Adam(0.1)
    first.apply([[1.0, 1.0]], [w])
    store = {}
    first.save_own_variables(store)
    second = ph.optimizers.Adam(0.5)
    second.build([w])
    second.load_own_variables(store)
    for a, b in zip(first.variables, second.variables):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: ph.optimizers.SGD(momentum=1.5), ValueError, r"momentum must be in \[0, 1\], got 1.5"),
        (lambda: ph.optimizers.SGD(learning_rate="fast"), ValueError, r"learning_rate must be a number.*'fast'"),
        (lambda: ph.optimizers.SGD(speed=1), TypeError, r"unknown argument 'speed'"),
        (lambda: ph.optimizers.Adam(clipnorm=1.0, clipvalue=1.0), ValueError, r"only one of clipnorm"),
        (lambda: ph.optimizers.Adam(clipnorm=-1.0), ValueError, r"clipnorm must be positive, got -1.0"),
        (lambda: ph.optimizers.Adam(use_ema=True, ema_momentum=2), ValueError, r"ema_momentum must be in"),
        (lambda: ph.optimizers.Adam(gradient_accumulation_steps=1), ValueError, r"at least 2"),
        (lambda: ph.optimizers.AdamW(weight_decay=None), ValueError, r"AdamW: weight_decay"),
        (lambda: ph.optimizers.Ftrl(learning_rate_power=0.5), ValueError, r"learning_rate_power must not be positive"),
        (lambda: ph.optimizers.get("adem"), ValueError, r"unknown optimizer 'adem'"),
        (lambda: ph.optimizers.get(3), ValueError, r"cannot interpret 3 as an optimizer"),
        (lambda: ph.optimizers.SGD().apply([None], [ph.Variable(1.0)]), ValueError, r"no gradient was given"),
        (lambda: ph.optimizers.SGD().apply([1.0]), ValueError, r"trainable_variables must be given"),
        (lambda: ph.optimizers.Optimizer(0.1).apply([1.0], [ph.Variable(1.0)]), NotImplementedError, r"update_step"),
        (lambda: ph.optimizers.schedules.ExponentialDecay(0.1, 0, 0.5), ValueError, r"decay_steps must be positive"),
        (lambda: ph.optimizers.schedules.PiecewiseConstantDecay([1], [0.1]), ValueError, r"one more entry"),
    ],
)
def test_misuse_is_explained(use, error, message):
    with pytest.raises(error, match=message):
        use()


def test_unknown_variables_are_refused():
    optimizer = ph.optimizers.SGD()
    optimizer.build([ph.Variable(1.0)])
    with pytest.raises(ValueError, match="not one of those the optimizer was built with"):
        optimizer.apply([1.0], [ph.Variable(1.0, name="other")])


def test_decay_of_old_programs_is_ignored_with_a_warning():
    with pytest.warns(UserWarning, match="SGD: decay is ignored; give a schedule as learning_rate instead"):
        optimizer = ph.optimizers.SGD(0.1, decay=1e-6)
    assert "decay" not in optimizer.get_config()
    with pytest.raises(TypeError, match="SGD: unknown argument 'decays'"):
        ph.optimizers.SGD(decays=1)


def test_piecewise_constant_decay_keeps_its_name():
    schedule = ph.optimizers.schedules.PiecewiseConstantDecay
    assert schedule([2], [1.0, 0.5]).name == "PiecewiseConstant"
    assert schedule([2], [1.0, 0.5], name="mine").get_config()["name"] == "mine"
