"""GradientTape: what is watched, what comes back, persistent and nested tapes, inside traces as outside."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import _core, ops


def test_gradient_of_a_watched_tensor():
    x = ph.constant([1.0, 2.0, 3.0])
    with ph.GradientTape() as tape:
        tape.watch(x)
        y = x * x * 2.0
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [4.0, 8.0, 12.0])


def test_trainable_variables_are_watched_and_others_are_not():
    v, fixed = ph.Variable(3.0), ph.Variable(4.0, trainable=False)
    with ph.GradientTape() as tape:
        y = v * fixed
    assert tape.watched_variables() == (v,)
    dv, dfixed = tape.gradient(y, [v, fixed])
    assert float(dv) == 4.0 and dfixed is None


def test_sources_may_be_nested_and_keep_their_form():
    a, b = ph.Variable(2.0), ph.Variable(5.0)
    with ph.GradientTape() as tape:
        y = a * b
    grads = tape.gradient(y, {"a": a, "rest": [b]})
    assert float(grads["a"]) == 5.0 and float(grads["rest"][0]) == 2.0


def test_several_targets_add_up():
    x = ph.Variable(3.0)
    with ph.GradientTape() as tape:
        y, z = x * 2.0, x * x
    assert float(tape.gradient([y, z], x)) == 8.0


def test_output_gradients_weight_the_target():
    x = ph.Variable([1.0, 2.0])
    with ph.GradientTape() as tape:
        y = x * x
    np.testing.assert_allclose(tape.gradient(y, x, output_gradients=[10.0, 1.0]).numpy(), [20.0, 4.0])


def test_a_tape_that_is_not_persistent_gives_gradients_once():
    x = ph.Variable(1.0)
    with ph.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(ValueError, match=r"persistent=True"):
        tape.gradient(y, x)


def test_a_persistent_tape_gives_them_again():
    x = ph.Variable(3.0)
    with ph.GradientTape(persistent=True) as tape:
        y = x * x
        z = y * y
    assert (float(tape.gradient(z, x)), float(tape.gradient(y, x))) == (108.0, 6.0)


def test_nested_tapes_give_second_derivatives():
    x = ph.Variable(2.0)
    with ph.GradientTape() as outer:
        with ph.GradientTape() as inner:
            y = x * x * x
        first = inner.gradient(y, x)
    assert float(first) == 12.0 and float(outer.gradient(first, x)) == 12.0


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "exp", "log", "sin", "softplus", "erf", "rsqrt", "square"])
def test_second_derivatives_match_finite_differences(name):
    op = getattr(ops, name)
    point = np.array([0.3, 0.7, 1.9])

    def first(values):
        x = ops.convert_to_tensor(values)
        with ph.GradientTape() as tape:
            tape.watch(x)
            y = op(x)
        return tape.gradient(y, x).numpy()

    x = ops.convert_to_tensor(point)
    with ph.GradientTape() as outer:
        outer.watch(x)
        with ph.GradientTape() as inner:
            inner.watch(x)
            y = op(x)
        slope = inner.gradient(y, x)
    step = 1e-6
    expected = (first(point + step) - first(point - step)) / (2 * step)
    np.testing.assert_allclose(outer.gradient(slope, x).numpy(), expected, rtol=1e-7, atol=1e-8)


STATE = np.zeros((2, 3), "float32")


@pytest.mark.parametrize(
    ("function", "shape", "op"),
    [
        (lambda x: ops.max_pool(x, 2), (1, 4, 4, 2), "max_pool2d_grad"),
        (lambda x: ph.layers.LayerNormalization()(x), (3, 5), "layer_norm_grad"),
        (lambda x: ph.layers.BatchNormalization()(x, training=True), (3, 5), "batch_norm_grad"),
        (
            lambda x: ops.sparse_categorical_crossentropy(np.array([0, 2]), ops.abs(x)),
            (2, 3),
            "sparse_cross_entropy_grad",
        ),
        (lambda x: _core.ops.simple_rnn(x, np.eye(3, 3, dtype="f"), STATE), (2, 4, 3), "simple_rnn_grad"),
        (lambda x: _core.ops.gru(x, np.eye(3, 9, dtype="f"), np.zeros(9, "f"), STATE)[0], (2, 4, 9), "gru_grad"),
        (lambda x: _core.ops.lstm(x, np.eye(3, 12, dtype="f"), STATE, STATE)[0], (2, 4, 12), "lstm_grad"),
    ],
)
def test_second_derivatives_that_are_not_offered_are_an_error_not_zero(function, shape, op):
    x = ph.Variable(np.random.default_rng(0).normal(size=shape).astype("float32"))
    with ph.GradientTape() as outer:
        with ph.GradientTape() as inner:
            y = ops.sum(ops.square(function(x)))
        slope = inner.gradient(y, x)
    assert slope.shape == shape
    with pytest.raises(ValueError, match=f"there is no rule for the gradient of {op}: "):
        outer.gradient(slope, x)


def test_unconnected_sources_give_none_or_zeros():
    x, other = ph.Variable([1.0, 2.0]), ph.Variable([1.0, 2.0, 3.0])
    with ph.GradientTape(persistent=True) as tape:
        y = x * x
    assert tape.gradient(y, other) is None
    np.testing.assert_array_equal(tape.gradient(y, other, unconnected_gradients="zero").numpy(), np.zeros(3))


def test_stop_gradient_cuts_the_path():
    x = ph.Variable(3.0)
    with ph.GradientTape() as tape:
        y = ops.stop_gradient(x * x) * x
    assert float(tape.gradient(y, x)) == 9.0


def test_nothing_is_recorded_while_stopped():
    x = ph.Variable(3.0)
    with ph.GradientTape() as tape:
        y = x * x
        with tape.stop_recording():
            z = y * y
    assert tape.gradient(z, x) is None


def test_a_variable_assigned_between_reads_gets_both_parts():
    x = ph.Variable(2.0)
    with ph.GradientTape() as tape:
        y = x * x
        x.assign(5.0)
        z = y + x * x
    assert float(tape.gradient(z, x)) == 2 * 2.0 + 2 * 5.0


def test_a_tape_inside_a_trace_gives_the_eager_gradient():
    v = ph.Variable([0.5, -1.5])

    def step(x):
        with ph.GradientTape() as tape:
            y = ops.tanh(x * v) * v
        return tape.gradient(y, v)

    graph = _core.Graph()
    with graph:
        graph.set_outputs([step(graph.input((2,), "float32"))])
    x = np.array([1.0, 2.0], "float32")
    (traced,) = _core.compile(graph).run([x])
    np.testing.assert_array_equal(traced.numpy(), step(ops.convert_to_tensor(x)).numpy())


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda tape: tape.watch(ph.constant(1)), TypeError, r"must be floating, got int32\(\)"),
        (lambda tape: tape.watch("x"), TypeError, r"wants tensors or variables, got 'x'"),
        (lambda tape: tape.gradient("y", ph.constant(1.0)), TypeError, r"target must be tensors, got 'y'"),
        (lambda tape: tape.gradient(ph.constant(1), ph.constant(1.0)), TypeError, r"target must be floating"),
        (lambda tape: tape.gradient(ph.constant(1.0), 3), TypeError, r"sources must be tensors or variables, got 3"),
        (
            lambda tape: tape.gradient(ph.constant(1.0), [], unconnected_gradients="one"),
            ValueError,
            r"must be 'none' or 'zero', got 'one'",
        ),
    ],
)
def test_bad_arguments_are_named(use, error, message):
    with ph.GradientTape() as tape:
        pass
    with pytest.raises(error, match=message):
        use(tape)


def test_watched_variables_are_known_after_the_gradient():
    variable = ph.Variable([1.0, 2.0])
    with ph.GradientTape() as tape:
        loss = ops.sum(variable * variable)
    gradients = tape.gradient(loss, tape.watched_variables())
    assert [each is variable for each in tape.watched_variables()] == [True]
    np.testing.assert_array_equal(gradients[0], [2.0, 4.0])
    tape.reset()
    assert tape.watched_variables() == ()
