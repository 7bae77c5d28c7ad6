"""Model.profile: which layer a call belongs to, and that the step that is profiled leaves everything as it was."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph
from profiles import array, convnet, find, profile_of
from pronghorn import _core, layers, ops
from pronghorn.cli.workloads import build

# --- whose work it is


def test_every_row_belongs_to_the_layer_that_made_it():
    profile = profile_of(convnet(), array(4, 9, 9, 3), np.array([0, 1, 2, 3]))
    expected = {
        ("block/conv", "forward", "conv2d"),
        ("block/norm", "forward", "batch_norm_train"),
        ("pool", "forward", "average_pool2d"),
        ("drop", "forward", "dropout"),
        ("out", "forward", "matmul"),
        ("out", "forward", "softmax"),
        ("out", "backward", "softmax_grad"),
        ("out", "backward", "reduce_sum"),
        ("out", "backward", "matmul"),
        ("drop", "backward", "dropout"),
        ("pool", "backward", "average_pool2d_grad"),
        ("block/norm", "backward", "batch_norm_grad"),
        ("block/conv", "backward", "conv2d_kernel_grad"),
        ("loss/sparse_categorical_crossentropy", "forward", "sparse_cross_entropy"),
        ("loss/sparse_categorical_crossentropy", "backward", "sparse_cross_entropy_grad"),
        ("metrics/accuracy", "forward", "argmax"),
        ("optimizer", "update", "adam_step"),
    }
    found = {(row.layer, row.phase, row.op) for row in profile.rows}
    assert expected <= found
    small = {
        "tiles",
        "add",
        "multiply",
        "subtract",
        "cast",
        "equal",
        "reduce_sum",
        "reduce_mean",
        "copy",
        "broadcast_to",
    }
    assert {op for _, _, op in found - expected} <= small
    places = {"block/conv", "block/norm", "pool", "drop", "out", "metrics/accuracy", "metrics/loss", "optimizer"}
    assert {layer for layer, _, _ in found} <= places | {"loss", "loss/sparse_categorical_crossentropy", "(step)"}
    assert {op for layer, _, op in found if layer == "(step)"} <= {"copy"}
    assert {phase for layer, phase, _ in found if layer == "optimizer"} == {"update"}
    calls = [row.calls for row in profile.rows if row.op != "copy"]
    assert sum(calls) == len(_convnet_program().steps()) - 1


def _convnet_program():
    model = convnet()
    model.train_on_batch(array(4, 9, 9, 3), np.array([0, 1, 2, 3]))
    return model.program()


@pytest.mark.parametrize("name", ["mlp-32", "convnet", "resnet-20"])
def test_no_call_of_a_model_is_without_a_layer(name):
    shape = {"mlp-32": (784,), "convnet": (12, 12, 1), "resnet-20": (8, 8, 3)}[name]
    model = build(ph, name, shape)
    names = {layer.name for layer in model.layers}
    for profile in (profile_of(model, array(2, *shape), np.array([3, 1])), profile_of(model, array(2, *shape))):
        layers_of = {row.layer for row in profile.rows if row.op != "copy"}
        extra = {layer for layer in layers_of - names if not layer.startswith(("loss", "metrics/"))}
        assert extra == ({"optimizer"} if profile.kind == "train" else set())


def test_a_fused_call_names_the_other_layers_whose_work_it_does():
    profile = profile_of(convnet(), array(4, 9, 9, 3), np.array([0, 1, 2, 3]))
    assert find(profile, "block/norm", "forward", "batch_norm_train").fused == ("block/relu",)
    assert find(profile, "block/norm", "backward", "batch_norm_grad").fused == ("block/relu",)
    model = ph.Sequential([ph.Input((4,)), layers.Dense(3, name="d"), layers.ReLU(name="r")])
    assert find(profile_of(model, array(2, 4)), "d", "forward", "matmul").fused == ("r",)


def test_the_parts_of_a_model_are_kept_without_any_pass_too(monkeypatch):
    monkeypatch.setenv("PRONGHORN_PASSES", "none")
    profile = profile_of(convnet(), array(4, 9, 9, 3), np.array([0, 1, 2, 3]))
    assert find(profile, "block/relu", "forward", "relu").calls == 1
    assert find(profile, "block/relu", "backward", "relu_grad").calls == 1
    assert find(profile, "optimizer", "update", "adam_step").calls == 5


def test_the_gradient_of_a_layer_called_twice_is_that_layer_s():
    dense = layers.Dense(4, name="twice")
    inputs = ph.Input((4,))
    model = ph.Model(inputs, dense(dense(inputs)))
    model.compile("sgd", "mse")
    profile = profile_of(model, array(3, 4), array(3, 4))
    assert find(profile, "twice", "forward", "matmul").calls == 2
    assert find(profile, "twice", "backward", "matmul").calls == 3


def test_ops_of_a_subclassed_model_are_the_model_s_and_raw_ops_have_names():
    class Own(ph.Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = layers.Dense(3, name="d")

        def call(self, x):
            return ops.cumsum(self.dense(x), axis=1)

    rows = {(row.layer, row.op) for row in profile_of(Own(), array(2, 4)).rows}
    assert {("own", "cumsum"), ("d", "matmul")} <= rows
    inputs = ph.Input((4,))
    functional = ph.Model(inputs, ops.cumsum(inputs, axis=1))
    assert any(
        row.layer.startswith("cumsum") and row.op == "cumsum" for row in profile_of(functional, array(2, 4)).rows
    )


def test_a_train_step_of_one_s_own_is_attributed_too():
    class Own(ph.Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = layers.Dense(3, name="d")
            self.mse = ph.losses.MeanSquaredError(name="squares")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y, _ = ph.utils.unpack_x_y_sample_weight(data)
            with ph.GradientTape() as tape:
                loss = self.mse(y, self(x, training=True))
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    model = Own()
    model.compile(ph.optimizers.Adam(clipvalue=0.5))
    profile = profile_of(model, array(2, 4), array(2, 3))
    found = {(row.layer, row.phase) for row in profile.rows if row.op != "copy"}
    wanted = {("d", "forward"), ("d", "backward"), ("squares", "forward"), ("optimizer", "update")}
    assert wanted <= found <= {*wanted, ("squares", "backward")}


def test_mixed_precision_casts_belong_to_the_layer():
    model = ph.Sequential([ph.Input((32,)), layers.Dense(64, dtype="mixed_bfloat16", name="d")])
    profile = profile_of(model, array(64, 32))
    assert find(profile, "d", "forward", "cast").calls >= 1
    assert find(profile, "d", "forward", "matmul").flops >= 2 * 32 * 32 * 64


@pytest.mark.skipif(not _core.current_device().startswith("cpu"), reason="float64 is the CPU's")
def test_products_of_another_dtype_have_a_ceiling_of_their_own():
    model = ph.Sequential([ph.Input((256,), dtype="float64"), layers.Dense(256, dtype="float64", name="d")])
    profile = profile_of(model, array(64, 256))
    row = find(profile, "d", "forward", "matmul")
    assert row.results == "float64(32, 256)"
    assert row.ceiling_seconds >= row.flops / profile.ceilings.flops["float64"]


# --- the step that is profiled


def _state(model):
    seeds = [layer.seed_generator.state for layer in model._flatten_layers() if hasattr(layer, "seed_generator")]
    assert seeds
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    variables = [*model.variables, *model.optimizer.variables, *metrics, *seeds]
    return [variable.numpy().tobytes() for variable in variables]


def test_profiling_a_train_step_leaves_weights_optimizer_metrics_and_seeds_bit_for_bit():
    model, x, y = convnet(), array(8, 9, 9, 3), np.arange(8) % 5
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    before = _state(model)
    held = model.layers[-1].kernel.value  # somebody holds a tensor of the weights
    profile_of(model, x, y, batch_size=4, repeats=3)
    assert _state(model) == before
    assert np.array_equal(held, model.layers[-1].kernel.numpy())


def test_training_after_a_profile_goes_on_as_without_it():
    x, y = array(8, 9, 9, 3), np.arange(8) % 5
    results = []
    for profiled in (False, True):
        ph.random.set_random_seed(5)
        model = convnet()
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
        if profiled:
            profile_of(model, x, y, batch_size=4)
            profile_of(model, x)
        history = model.fit(x, y, batch_size=4, shuffle=False, epochs=2, verbose=0)
        results.append((history.history["loss"], [weight.tobytes() for weight in model.get_weights()]))
    assert results[0] == results[1]


def test_a_step_that_fails_leaves_the_variables_too():
    model, x, y = convnet(), array(4, 9, 9, 3), np.array([0, 1, 2, 3])
    model.fit(x, y, verbose=0)
    before = _state(model)
    with pytest.raises((ValueError, IndexError), match="label"):
        profile_of(model, x, np.array([0, 1, 2, 99]))
    assert _state(model) == before
    assert model.fit(x, y, verbose=0).history["loss"]


def test_the_kind_follows_from_the_targets_and_can_be_named():
    model, x, y = convnet(), array(4, 9, 9, 3), np.array([0, 1, 2, 3])
    assert profile_of(model, x, y).kind == "train"
    assert profile_of(model, x).kind == "predict"
    assert profile_of(model, x, y, kind="predict").kind == "predict"
    test = profile_of(model, x, y, kind="test")
    assert test.kind == "test" and {row.phase for row in test.rows} <= {"forward", "update"}
    assert any(row.layer == "metrics/accuracy" for row in test.rows)
    assert not any(row.phase == "backward" for row in profile_of(model, x).rows)


def test_all_forms_of_data_that_fit_takes():
    a, b = ph.Input((3,), name="a"), ph.Input((2,), name="b")
    model = ph.Model({"a": a, "b": b}, layers.Dense(2, name="d")(layers.Concatenate(name="c")([a, b])))
    model.compile("sgd", "mse")
    data, y = {"a": array(6, 3), "b": array(6, 2)}, array(6, 2)
    profile = profile_of(model, data, y, batch_size=4, sample_weight=np.ones(6))
    assert profile.batch_size == 4
    assert find(profile, "c", "forward", "concatenate").calls == 1
    single = ph.Sequential([ph.Input((3,)), layers.Dense(2)])
    single.compile("sgd", "mse")
    for x, targets in (
        (ph.ops.ones((5, 3)), ph.ops.ones((5, 2))),
        ([[1.0, 2.0, 3.0]] * 5, [[1.0, 2.0]] * 5),
        (((np.ones((5, 3)), np.ones((5, 2))) for _ in range(1)), None),
    ):
        profile = profile_of(single, x, targets)
        assert (profile.kind, profile.batch_size) == ("train", 5)


def test_an_unbuilt_model_and_one_without_weights_can_be_profiled():
    unbuilt = ph.Sequential([layers.Dense(2, name="d")])
    assert any(row.layer == "d" for row in profile_of(unbuilt, array(4, 3)).rows)
    nothing = ph.Sequential([ph.Input((3,)), layers.ReLU(name="r")])
    profile = profile_of(nothing, array(4, 3))
    assert profile.weight_bytes == 0 and any(row.layer == "r" for row in profile.rows)


def test_the_memory_of_the_program_weights_and_optimizer():
    model = convnet()
    profile = profile_of(model, array(4, 9, 9, 3), np.array([0, 1, 2, 3]))
    assert profile.weight_bytes == sum(weight.nbytes for weight in model.get_weights())
    assert profile.optimizer_bytes == sum(variable.numpy().nbytes for variable in model.optimizer.variables)
    assert profile.arena_bytes == model.program("train").arena_bytes > 0
    assert profile_of(model, array(4, 9, 9, 3)).optimizer_bytes == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"x": None}, ValueError, "x is missing"),
        ({"kind": "training"}, ValueError, "profile: kind"),
        ({"repeats": 0}, ValueError, "profile: repeats"),
        ({"repeats": 1.5}, TypeError, "profile: repeats"),
        ({"verbose": "loud"}, ValueError, "profile: verbose"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"y": np.zeros(3, "int64")}, ValueError, "same number of samples"),
        ({"x": np.zeros((0, 9, 9, 3))}, ValueError, "x is empty"),
        ({"x": np.zeros((4, 9, 9, 2))}, ValueError, "expected"),
    ],
)
def test_bad_arguments_are_explained(options, error, message):
    with pytest.raises(error, match=message):
        convnet().profile(**{"x": array(4, 9, 9, 3), "y": np.array([0, 1, 2, 3]), "verbose": 0, **options})


def test_a_model_that_is_not_compiled_or_runs_eagerly_is_refused():
    model = ph.Sequential([ph.Input((3,)), layers.Dense(2)])
    with pytest.raises(ValueError, match=r"compile\(\)"):
        profile_of(model, array(4, 3), array(4, 2))
    with pytest.raises(ValueError, match=r"compile\(\)"):
        profile_of(model, array(4, 3), kind="test")
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError, match="run_eagerly"):
        profile_of(model, array(4, 3), array(4, 2))


def test_the_native_profile_checks_its_arguments():
    program = _convnet_program()
    inputs = [array(4, 9, 9, 3), np.array([0, 1, 2, 3])]
    with pytest.raises(ValueError, match="repeats"):
        program.profile(inputs, 0)
    with pytest.raises(ValueError, match="takes 2 inputs"):
        program.profile(inputs[:1], 1)
    steps, whole = program.profile(inputs, 3)
    assert steps.shape == (3, len(program.steps())) and whole.shape == (3,)
    assert np.all(steps >= 0) and np.all(whole > 0)
