"""Layers, models and optimizers used with other values than their variables', which stay as they are; state trees."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph
from pronghorn.stateless import with_values

X = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]], "float32")
KERNEL = np.array([[1.0], [10.0], [100.0]], "float32")
BIAS = np.array([0.5], "float32")


def _dense():
    layer = ph.layers.Dense(1, kernel_initializer="ones")
    layer.build((None, 3))
    return layer


def _trained():
    model = ph.Sequential([ph.Input((3,)), ph.layers.Dense(2, name="hidden"), ph.layers.Dense(1, name="out")])
    model.compile(ph.optimizers.Adam(0.1, name="adam"), "mse", metrics=["mae"])
    model.fit(X, X[:, :1], epochs=3, verbose=0)
    return model


def test_with_values_gives_variables_their_own_back_even_after_an_error():
    variable = ph.Variable([1.0, 2.0])

    def fail():
        assert variable.numpy().tolist() == [5.0, 6.0]
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        with_values(fail, ([variable], [[5.0, 6.0]], "values"))
    assert variable.numpy().tolist() == [1.0, 2.0]


def test_with_values_returns_what_the_function_left():
    variable = ph.Variable(3.0)
    result, (left,) = with_values(lambda: variable.assign_add(1.0) and "done", ([variable], [10.0], "values"))
    assert (result, float(left), float(variable)) == ("done", 11.0, 3.0)


def test_with_values_of_a_wrong_shape_leaves_all_variables_alone():
    first, second = ph.Variable([1.0]), ph.Variable([2.0, 3.0])
    with pytest.raises(ValueError, match=r"shape"):
        with_values(lambda: None, ([first, second], [[7.0], [8.0]], "values"))
    assert first.numpy().tolist() == [1.0] and second.numpy().tolist() == [2.0, 3.0]


def test_a_stateless_call_computes_with_the_given_values():
    layer = _dense()
    outputs, changed = layer.stateless_call([KERNEL, BIAS], [], X)
    np.testing.assert_allclose(outputs, X @ KERNEL + BIAS, rtol=1e-6)
    assert changed == [] and layer.kernel.numpy().ravel().tolist() == [1.0, 1.0, 1.0]


def test_gradients_reach_the_values_given_to_a_stateless_call():
    layer = _dense()
    kernel = ph.ops.convert_to_tensor(KERNEL)
    with ph.GradientTape() as tape:
        tape.watch(kernel)
        total = ph.ops.sum(layer.stateless_call([kernel, BIAS], [], X)[0])
    np.testing.assert_allclose(tape.gradient(total, kernel), X.sum(axis=0)[:, None], rtol=1e-6)


def test_a_stateless_call_returns_new_statistics_and_losses():
    layer = ph.layers.BatchNormalization(momentum=0.5, gamma_regularizer="l2")
    layer.build((None, 3))
    trainable, fixed = [v.value for v in layer.trainable_variables], [np.ones(3), np.ones(3)]
    _, (mean, variance), losses = layer.stateless_call(trainable, fixed, X, training=True, return_losses=True)
    np.testing.assert_allclose(mean, 0.5 + 0.5 * X.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(variance, 0.5 + 0.5 * X.var(axis=0), rtol=1e-6)
    assert [float(loss) for loss in losses] == pytest.approx([0.03])
    assert layer.moving_mean.numpy().tolist() == [0.0, 0.0, 0.0]


def test_a_symbolic_call_gives_the_spec_of_the_outputs():
    outputs = _dense().symbolic_call(ph.KerasTensor((None, 3)))
    assert outputs.shape == (None, 1) and outputs.dtype == "float32"


def test_stateless_compute_loss_is_compute_loss_with_other_weights():
    model = _trained()
    weights = [np.zeros(v.shape, "float32") for v in model.trainable_variables]
    tracked = [v.value for v in model.metrics_variables]
    y, y_pred = X[:, :1], model(X)
    loss, state = model.stateless_compute_loss(weights, [], tracked, x=X, y=y, y_pred=y_pred)
    np.testing.assert_allclose(loss, np.mean((y - y_pred.numpy()) ** 2), rtol=1e-6)
    assert [len(values) for values in state] == [4, 0, 4]


def test_stateless_apply_steps_as_apply_does_and_leaves_the_variables():
    variable = ph.Variable([1.0, 2.0])
    optimizer = ph.optimizers.Adam(0.1)
    optimizer.build([variable])
    gradient = ph.ops.convert_to_tensor([1.0, -2.0])
    before = [v.numpy() for v in optimizer.variables]
    (value,), state = optimizer.stateless_apply(before, [gradient], [variable.numpy()])
    assert variable.numpy().tolist() == [1.0, 2.0] and int(optimizer.iterations) == 0
    optimizer.apply([gradient])
    np.testing.assert_array_equal(value, variable)
    for ours, expected in zip(state, optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_weights_of_an_optimizer_go_into_another():
    gradient = ph.ops.convert_to_tensor([1.0, -2.0])
    variables = [ph.Variable([1.0, 2.0], name="v"), ph.Variable([1.0, 2.0], name="v")]
    first, second = ph.optimizers.Adam(0.1), ph.optimizers.Adam(0.5)
    for _ in range(3):
        first.apply([gradient], variables[:1])
    second.build(variables[1:])
    second.set_weights([v.numpy() for v in first.variables])
    variables[1].assign(variables[0])
    for optimizer, variable in zip((first, second), variables):
        optimizer.apply([gradient], [variable])
    np.testing.assert_array_equal(*variables)


def test_a_state_tree_holds_every_variable_by_its_path():
    state = _trained().get_state_tree("numpy_array")
    (model_name,) = state["trainable_variables"]
    assert {k: sorted(v) for k, v in state["trainable_variables"][model_name].items()} == {
        "hidden": ["bias", "kernel"],
        "out": ["bias", "kernel"],
    }
    assert state["non_trainable_variables"] == {}
    assert int(state["optimizer_variables"]["adam"]["iteration"]) == 3
    assert sorted(state["metrics_variables"]) == ["loss", "mean_absolute_error"]
    assert isinstance(state["trainable_variables"][model_name]["out"]["bias"], np.ndarray)


def test_a_state_tree_brings_a_model_and_its_optimizer_back():
    model = _trained()
    state, weights = model.get_state_tree(), model.get_weights()
    expected = model.fit(X, X[:, :1], epochs=2, verbose=0).history
    model.set_state_tree(state)
    for ours, before in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, before)
    assert model.fit(X, X[:, :1], epochs=2, verbose=0).history == expected


def test_a_state_tree_may_hold_some_variables_only():
    model = _trained()
    (name,) = model.get_state_tree()["trainable_variables"]
    kernel = model.get_layer("out").kernel.numpy()
    model.set_state_tree({"trainable_variables": {name: {"out": {"bias": np.array([7.0])}, "gone": {"bias": 1}}}})
    assert model.get_layer("out").bias.numpy().tolist() == [7.0]
    np.testing.assert_array_equal(model.get_layer("out").kernel, kernel)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: _dense().stateless_call([KERNEL], [], X), r"trainable_variables must hold 2 tensors, .* got 1"),
        (lambda: _dense().stateless_call([KERNEL, BIAS], [BIAS], X), r"non_trainable_variables must hold 0 tensors"),
        (lambda: ph.layers.Dense(1).stateless_call([], [], X), r"must be built first"),
        (lambda: ph.optimizers.SGD().stateless_apply([], [], []), r"stateless_apply: call build"),
        (lambda: ph.optimizers.SGD().set_weights([]), r"set_weights: call build"),
        (lambda: _trained().optimizer.set_weights([1.0]), r"the optimizer has 10 variables, got 1"),
        (lambda: _trained().get_state_tree("list"), r"value_format must be 'backend_tensor' or 'numpy_array'"),
        (lambda: _trained().set_state_tree({"weights": {}}), r"state_tree may have the keys .* got 'weights'"),
    ],
)
def test_misuse_is_explained(use, message):
    with pytest.raises(ValueError, match=message):
        use()
