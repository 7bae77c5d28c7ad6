"""Dtype policies: what layers compute in and keep, the scale of the loss, and real Keras's values of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mixed_precision_cases as cases
import pronghorn as ph
from pronghorn import dtype_policy

RECORDED = json.loads((Path(__file__).with_name("data") / "keras_mixed_precision.json").read_text())
# Half the distance of neighbouring numbers at 1: what rounding once can be wrong by.
ROUNDING = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
HALVES = ("float16", "bfloat16")
OPTIMIZERS = ("SGD", "Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "Adadelta", "Adagrad", "Ftrl", "Lion")


@pytest.fixture(autouse=True)
def _policy_as_before():
    before = dict(vars(dtype_policy.default))
    yield
    vars(dtype_policy.default).update(before)


# ---- recordings of real Keras


@pytest.mark.parametrize(
    ("policy", "case"), cases.layer_calls(), ids=[f"{case.id}-{policy}" for policy, case in cases.layer_calls()]
)
def test_layers_give_and_keep_the_dtypes_that_they_do_in_keras(policy, case):
    recorded = RECORDED["layers"][policy][case.id]
    ours = cases.call_layer(ph, case, policy)
    for what in ("dtype", "weights", "config"):
        assert ours[what] == recorded[what], what
    # Keras rounds what lies between, too: by a few roundings of the largest number around.
    step = ROUNDING[policy.removeprefix("mixed_")]
    expected = np.asarray(recorded["outputs"])
    atol = 6 * step * max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(ours["outputs"], expected, rtol=6 * step, atol=atol)


@pytest.mark.parametrize("policy", list(RECORDED["trainings"]))
@pytest.mark.parametrize("name", cases.TRAININGS)
def test_models_train_as_in_keras(name, policy):
    recorded = RECORDED["trainings"][policy][name]
    ours = cases.train(ph, name, policy)
    for what in ("compute", "weights", "optimizer", "predicted"):
        assert ours[what] == recorded[what], what
    # Losses start a rounding of the activations apart; steps of two rounded trainings then drift apart.
    step = ROUNDING[policy.removeprefix("mixed_")]
    np.testing.assert_allclose(ours["losses"], recorded["losses"], rtol=8 * step)
    np.testing.assert_allclose(ours["evaluated"], recorded["evaluated"], rtol=8 * step)
    assert recorded["losses"][-1] < 0.97 * recorded["losses"][0]


@pytest.mark.parametrize("name", cases.SCALINGS)
def test_the_scale_moves_as_in_keras(name):
    for step, (ours, recorded) in enumerate(zip(cases.scale(ph, name), RECORDED["scalings"][name], strict=True)):
        for what in ("scale", "counter", "iterations"):
            assert ours[what] == recorded[what], (step, what)
        for what in ("variables", "state"):
            for mine, theirs in zip(ours[what], recorded[what], strict=True):
                np.testing.assert_allclose(mine, theirs, rtol=2e-5, atol=1e-6, err_msg=f"{what} of step {step}")


def test_training_halves_the_scale_where_float16_overflows_and_leaves_the_weights_as_keras_does():
    recorded, ours = RECORDED["overflow"], cases.overflow(ph)
    assert ours["states"] == recorded["states"]
    assert len({state["scale"] for state in ours["states"]}) > 1
    for mine, theirs in zip(ours["weights"], recorded["weights"], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=8 * ROUNDING["float16"], atol=8 * ROUNDING["float16"])


def test_configs_are_those_of_keras():
    assert json.loads(json.dumps(cases.configs(ph))) == RECORDED["configs"]


# ---- policies


def test_the_namespace_has_the_names_of_keras():
    ph.mixed_precision.set_global_policy("mixed_bfloat16")
    assert ph.mixed_precision.global_policy().name == ph.mixed_precision.dtype_policy().name == "mixed_bfloat16"
    ph.mixed_precision.set_dtype_policy(ph.mixed_precision.Policy("mixed_float16"))
    assert ph.config.dtype_policy().name == "mixed_float16"
    assert ph.mixed_precision.Policy is ph.mixed_precision.DTypePolicy is ph.DTypePolicy
    assert ph.mixed_precision.LossScaleOptimizer is ph.optimizers.LossScaleOptimizer


def test_a_layer_s_own_policy_goes_before_the_global_one():
    ph.config.set_dtype_policy("mixed_float16")
    x = ph.ops.ones((2, 3))
    for dtype, seen in (("float32", "float32"), (None, "float16"), (ph.DTypePolicy("mixed_bfloat16"), "bfloat16")):
        layer = ph.layers.Dense(2, dtype=dtype)
        assert layer(x).dtype == layer.compute_dtype == seen
        assert layer.kernel.dtype == layer.variable_dtype == layer.dtype == "float32"
        again = ph.layers.Dense.from_config(layer.get_config())
        assert again.dtype_policy == layer.dtype_policy


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_plain_policies_keep_variables_and_compute_in_their_dtype(dtype):
    ph.config.set_dtype_policy(dtype)
    model = ph.Sequential([ph.Input((3,)), ph.layers.Dense(4, activation="relu"), ph.layers.Dense(2)])
    assert {v.dtype for v in model.weights} == {dtype}
    assert model(np.ones((1, 3), "float32")).dtype == dtype
    model.compile("adam", "mse")
    losses = [model.train_on_batch(np.ones((4, 3)), np.ones((4, 2))) for _ in range(5)]
    assert losses[-1] < losses[0]
    assert not isinstance(model.optimizer, ph.optimizers.LossScaleOptimizer)


def test_variables_are_seen_in_the_compute_dtype_only_within_the_call():
    seen = {}

    class Look(ph.layers.Layer):
        def build(self, input_shape):
            self.cast = self.add_weight(shape=(2,), initializer="ones")
            self.kept = self.add_weight(shape=(2,), initializer="ones", autocast=False)
            self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros")

        def call(self, inputs):
            seen.update(cast=self.cast.dtype, kept=self.kept.dtype, count=self.count.dtype, value=self.cast.value.dtype)
            self.cast.assign_add([1.0, 1.0])
            return inputs * self.cast

    layer = Look(dtype="mixed_bfloat16")
    outputs = layer(np.ones((1, 2), "float32"))
    assert seen == {"cast": "bfloat16", "kept": "float32", "count": "int32", "value": "bfloat16"}
    assert outputs.dtype == "bfloat16" and outputs.numpy().astype("float32").tolist() == [[2.0, 2.0]]
    assert layer.cast.dtype == layer.cast.value.dtype == "float32" and layer.cast.numpy().tolist() == [2.0, 2.0]


def test_a_layer_that_raises_leaves_variables_as_they_were_seen():
    class Raise(ph.layers.Layer):
        def call(self, inputs):
            raise ZeroDivisionError

    variable = ph.Variable([1.0])
    with pytest.raises(ZeroDivisionError):
        Raise(dtype="mixed_float16")(np.ones((1, 1)))
    assert variable.value.dtype == "float32"


def test_layers_within_layers_see_their_own_dtype():
    class Outer(ph.layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.inner = ph.layers.Dense(2, dtype="float32")
            self.half = ph.layers.Dense(2)

        def call(self, inputs):
            return self.inner(inputs), self.half(inputs)

    ph.config.set_dtype_policy("mixed_float16")
    wide, half = Outer()(np.ones((1, 3), "float32"))
    assert (wide.dtype, half.dtype) == ("float32", "float16")


def test_autocast_of_inputs_leaves_integers_and_can_be_switched_off():
    class Same(ph.layers.Layer):
        def call(self, inputs):
            return inputs

    ph.config.set_dtype_policy("mixed_bfloat16")
    assert Same()(np.ones((2, 2), "float64")).dtype == "bfloat16"
    assert Same()(np.ones((2, 2), "int32")).dtype == "int32"
    assert Same(autocast=False)(np.ones((2, 2), "float32")).dtype == "float32"


@pytest.mark.parametrize("dtype", HALVES)
def test_gradients_of_float32_variables_are_float32(dtype):
    layer = ph.layers.Dense(2, dtype=f"mixed_{dtype}")
    x = ph.ops.ones((3, 4))
    with ph.GradientTape() as tape:
        loss = ph.ops.sum(layer(x))
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert loss.dtype == dtype
    assert [gradient.dtype for gradient in gradients] == ["float32", "float32"]
    assert gradients[0].numpy().tolist() == [[3.0, 3.0]] * 4


@pytest.mark.parametrize("loss", ["mse", "sparse_categorical_crossentropy", "binary_crossentropy", "huber"])
def test_losses_and_metrics_are_float32(loss):
    values = ph.losses.get(loss)
    pred = ph.ops.cast(np.full((2, 3), 0.25), "float16")
    true = np.array([0, 2]) if loss.startswith("sparse") else np.ones((2, 3), "float32")
    if not isinstance(values, ph.losses.Loss):
        values = {"mse": ph.losses.MeanSquaredError, "huber": ph.losses.Huber}.get(
            loss, getattr(ph.losses, "".join(part.capitalize() for part in loss.split("_")), None)
        )()
    assert values(true, pred).dtype == "float32"
    metric = ph.metrics.MeanAbsoluteError()
    metric.update_state(np.ones((2, 3), "float32"), pred)
    assert metric.result().dtype == "float32" and float(metric.result()) == 0.75


@pytest.mark.parametrize("eager", [False, True], ids=["program", "eager"])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_programs_train_as_op_by_op(policy, eager):
    def train(run_eagerly: bool) -> list[np.ndarray]:
        ph.utils.set_random_seed(1)
        ph.config.set_dtype_policy(policy)
        model = ph.Sequential(
            [
                ph.Input((6, 6, 2)),
                ph.layers.Conv2D(4, 3, activation="relu"),
                ph.layers.BatchNormalization(),
                ph.layers.Dropout(0.2, seed=1),
                ph.layers.Flatten(),
                ph.layers.Dense(3),
            ]
        )
        loss = ph.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(ph.optimizers.Adam(0.01), loss, metrics=["accuracy"], run_eagerly=run_eagerly)
        x = np.random.default_rng(0).normal(size=(32, 6, 6, 2)).astype("float32")
        model.fit(x, np.arange(32) % 3, batch_size=8, epochs=2, verbose=0, shuffle=False)
        return [v.numpy() for v in model.weights + model.optimizer.variables]

    ours, others = train(eager), train(False)
    half = policy.removeprefix("mixed_")
    for mine, theirs in zip(ours, others, strict=True):
        # What is fused in a program is not rounded between.
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=0 if not eager else 12 * ROUNDING[half])


def test_models_are_saved_and_loaded_with_their_policies(tmp_path):
    ph.config.set_dtype_policy("mixed_float16")
    model = ph.Sequential([ph.Input((3,)), ph.layers.Dense(4), ph.layers.Dense(1, dtype="float32")])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    model.save_weights(tmp_path / "model.weights.h5")
    ph.config.set_dtype_policy("float32")
    again = ph.Sequential.from_config(model.get_config())
    assert [layer.dtype_policy.name for layer in again.layers] == ["mixed_float16", "float32"]
    again.compile(ph.optimizers.LossScaleOptimizer(ph.optimizers.SGD(), initial_scale=2.0), "mse")
    again.optimizer.build(again.trainable_variables)
    again.load_weights(tmp_path / "model.weights.h5")
    for mine, theirs in zip(again.weights + again.optimizer.variables, model.weights + model.optimizer.variables):
        np.testing.assert_array_equal(mine, theirs)


def test_weights_of_16_bits_are_saved_and_loaded(tmp_path):
    for dtype in HALVES:
        model = ph.Sequential([ph.Input((3,)), ph.layers.Dense(4, dtype=dtype)])
        model.save_weights(tmp_path / f"{dtype}.weights.h5")
        again = ph.Sequential([ph.Input((3,)), ph.layers.Dense(4, dtype=dtype)])
        again.load_weights(tmp_path / f"{dtype}.weights.h5")
        for mine, theirs in zip(again.weights, model.weights, strict=True):
            assert mine.dtype == dtype and mine.numpy().tobytes() == theirs.numpy().tobytes()


def test_the_summary_counts_variables_as_they_are_kept(capsys):
    sizes = []
    for policy in ("mixed_float16", "float32", "float16"):
        ph.Sequential([ph.Input((8,)), ph.layers.Dense(32, dtype=policy)]).summary()
        sizes.append(next(line for line in capsys.readouterr().out.splitlines() if "Total params" in line))
    assert sizes[0] == sizes[1] and "1.12 KB" in sizes[0] and "576.00 B" in sizes[2]


@pytest.mark.parametrize(
    ("make", "exception", "message"),
    [
        (lambda: ph.DTypePolicy("mixed_float32"), ValueError, "name must be one of .*mixed_float16"),
        (lambda: ph.DTypePolicy(16), TypeError, "name must be a string"),
        (lambda: ph.config.set_dtype_policy("half"), ValueError, "name must be one of"),
        (lambda: ph.mixed_precision.set_global_policy(3), ValueError, "DTypePolicy or the name"),
        (lambda: ph.layers.Dense(1, dtype="mixed"), ValueError, "name must be one of"),
        (lambda: ph.dtype_policies.deserialize({"class_name": "Quantized"}), ValueError, "config must be that of"),
    ],
)
def test_wrong_policies_are_refused(make, exception, message):
    with pytest.raises(exception, match=message):
        make()
    assert ph.config.dtype_policy().name == "float32"


# ---- optimizers of 16-bit variables


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_16_bit_variables_move_as_float32_ones_but_for_rounding(name, dtype):
    start, gradient = np.array([1.0, -2.0, 0.5, 3.0]), np.array([0.5, 1.0, -2.0, 0.25])
    moved = []
    for kind in (dtype, "float32"):
        variable = ph.Variable(start, dtype=kind)
        optimizer = getattr(ph.optimizers, name)(learning_rate=0.25)
        optimizer.apply([ph.ops.cast(gradient, kind)], [variable])
        assert {v.dtype for v in optimizer.variables[2:]} <= {kind, "float32"}
        moved.append(variable.numpy().astype("float64"))
    np.testing.assert_allclose(*moved, rtol=ROUNDING[dtype], atol=1e-9 if name != "Ftrl" else ROUNDING[dtype])


# ---- the scale of the loss


def _scaled(inner: Any = None, **options: Any) -> Any:
    return ph.optimizers.LossScaleOptimizer(inner or ph.optimizers.SGD(0.5), **options)


def test_compile_wraps_the_optimizer_under_mixed_float16_only():
    def compiled(policy: str, **options: Any) -> Any:
        ph.config.set_dtype_policy(policy)
        model = ph.Sequential([ph.Input((2,)), ph.layers.Dense(1)])
        model.compile(options.pop("optimizer", "sgd"), "mse", **options)
        return model

    wrapped = compiled("mixed_float16").optimizer
    assert isinstance(wrapped, ph.optimizers.LossScaleOptimizer) and wrapped.name == "loss_scale_optimizer"
    assert isinstance(wrapped.inner_optimizer, ph.optimizers.SGD)
    for model in (compiled("mixed_float16", auto_scale_loss=False), compiled("mixed_bfloat16"), compiled("float16")):
        assert type(model.optimizer) is ph.optimizers.SGD
    own = _scaled()
    assert compiled("mixed_float16", optimizer=own).optimizer is own
    again = compiled("mixed_float16")
    again.compile_from_config(again.get_compile_config())
    assert isinstance(again.optimizer.inner_optimizer, ph.optimizers.SGD)


def test_the_scale_is_part_of_one_traced_program():
    ph.config.set_dtype_policy("mixed_float16")
    model = ph.Sequential([ph.Input((2,)), ph.layers.Dense(1)])
    # A learning rate at which gradients shrink: scaled by 32, none passes what float16 holds.
    model.compile(_scaled(ph.optimizers.SGD(0.1), initial_scale=1.0, dynamic_growth_steps=3), "mse")
    model.fit(np.ones((64, 2)), np.ones((64, 1)), batch_size=4, epochs=1, verbose=0)
    assert int(model.optimizer.iterations) == 16
    assert float(model.optimizer.dynamic_scale) == 2.0**5 and int(model.optimizer.step_counter) == 1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_gradient_that_is_not_finite_leaves_everything_but_the_scale(name):
    for bad in (np.inf, -np.inf, np.nan):
        variable = ph.Variable([1.0, 2.0], constraint=ph.constraints.MaxNorm(10.0))
        inner = getattr(ph.optimizers, name)(0.5, use_ema=True, clipnorm=1.0)
        optimizer = _scaled(inner, initial_scale=4.0)
        optimizer.apply([[1.0, 1.0]], [variable])
        before = [v.numpy() for v in [variable, *optimizer.inner_optimizer.variables]]
        optimizer.apply([[1.0, bad]], [variable])
        for now, then in zip([variable, *optimizer.inner_optimizer.variables], before, strict=True):
            np.testing.assert_array_equal(now, then)
        assert (float(optimizer.dynamic_scale), int(optimizer.step_counter)) == (2.0, 0)


def test_gradients_are_divided_by_the_scale_before_they_are_clipped():
    variable = ph.Variable([3.0])
    optimizer = _scaled(ph.optimizers.SGD(1.0, clipvalue=0.5), initial_scale=8.0)
    optimizer.apply([[2.0]], [variable])
    assert variable.numpy().tolist() == [2.75]


def test_missing_gradients_and_lists_of_variables_are_as_with_other_optimizers():
    first, second = ph.Variable(1.0), ph.Variable(2.0)
    optimizer = _scaled(initial_scale=2.0)
    optimizer.apply_gradients([(2.0, first), (None, second)])
    assert (float(first), float(second)) == (0.5, 2.0)
    optimizer.apply([None, 4.0])
    assert (float(first), float(second)) == (0.5, 1.0)
    with pytest.raises(ValueError, match="trainable_variables must be given the first time"):
        _scaled().apply([1.0])
    with pytest.raises(ValueError, match="is not one of those"):
        optimizer.apply([1.0], [ph.Variable(1.0)])
    with pytest.raises(ValueError, match="no gradient was given"):
        optimizer.apply([None, None])


def test_learning_rate_and_iterations_are_the_inner_optimizer_s():
    optimizer = _scaled()
    optimizer.learning_rate = 0.125
    assert float(optimizer.learning_rate) == float(optimizer.inner_optimizer.learning_rate) == 0.125
    optimizer.apply([1.0], [ph.Variable(1.0)])
    assert int(optimizer.iterations) == int(optimizer.inner_optimizer.iterations) == 1


def test_stateless_apply_returns_values_and_changes_none():
    variable = ph.Variable(1.0)
    optimizer = _scaled(initial_scale=4.0, dynamic_growth_steps=1)
    optimizer.build([variable])
    values, state = optimizer.stateless_apply(optimizer.variables, [4.0], [variable])
    assert float(values[0]) == 0.5 and float(variable) == 1.0
    assert float(state[optimizer.variables.index(optimizer.dynamic_scale)]) == 8.0
    assert float(optimizer.dynamic_scale) == 4.0


def test_weights_of_the_wrapped_optimizer_come_and_go_with_those_of_the_wrapper():
    optimizer, other = (_scaled(ph.optimizers.SGD(0.5, momentum=0.5), initial_scale=1.0) for _ in range(2))
    optimizer.apply([1.0], [ph.Variable(1.0)])
    other.build([ph.Variable(1.0)])
    other.set_weights([v.numpy() for v in optimizer.variables])
    for mine, theirs in zip(other.variables, optimizer.variables, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_round_trips_keep_the_settings():
    optimizer = _scaled(ph.optimizers.Adam(0.1, clipnorm=2.0), initial_scale=4.0, dynamic_growth_steps=7, name="scaled")
    again = ph.optimizers.deserialize(ph.optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    assert isinstance(again.inner_optimizer, ph.optimizers.Adam) and again.inner_optimizer.clipnorm == 2.0


def test_averages_of_the_wrapped_optimizer_are_swapped_in():
    ph.config.set_dtype_policy("mixed_float16")
    model = ph.Sequential([ph.Input((2,)), ph.layers.Dense(1, use_bias=False)])
    model.compile(ph.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    x, y = np.ones((8, 2)), np.zeros((8, 1))
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[ph.callbacks.SwapEMAWeights(swap_on_epoch=True)])
    averages = model.optimizer.inner_optimizer._averages
    np.testing.assert_array_equal(model.weights[0], averages[0])


@pytest.mark.parametrize(
    ("make", "exception", "message"),
    [
        (lambda: ph.optimizers.LossScaleOptimizer("sgd"), TypeError, "inner_optimizer must be an Optimizer"),
        (lambda: _scaled(initial_scale=0.0), ValueError, "initial_scale must be positive"),
        (lambda: _scaled(dynamic_growth_steps=0), ValueError, "dynamic_growth_steps"),
        (lambda: _scaled(dynamic=False), ValueError, "always dynamic"),
        (lambda: _scaled(clipnorm=1.0), ValueError, "set 'clipnorm' of inner_optimizer"),
        (lambda: _scaled(rate=1.0), ValueError, "unknown argument 'rate'"),
    ],
)
def test_wrong_settings_of_the_scale_are_refused(make, exception, message):
    with pytest.raises(exception, match=message):
        make()


def test_old_configs_with_options_at_their_defaults_are_taken():
    assert _scaled(dynamic=True, clipnorm=None, use_ema=False, ema_momentum=0.99).dynamic_growth_steps == 2000
    assert _scaled(ph.optimizers.SGD(loss_scale_factor=8.0)).inner_optimizer.loss_scale_factor is None
