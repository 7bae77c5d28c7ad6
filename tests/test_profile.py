"""Model.profile: whose work a call is, how much work it is, and what is made of that."""

from __future__ import annotations

import importlib.util
import itertools
import json
import math

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import _core, layers, ops
from pronghorn.profiling import Ceilings, Profile, ProfileRow, measure_ceilings

RNG = np.random.default_rng(3)
MACHINE = Ceilings(
    "cpu:0", "", 2, {"float32": 100e9, "float64": 50e9}, ((1e3, 40e9), (1e5, 80e9), (1e7, 20e9), (1e8, 10e9)), 1e-6
)


def _images(count=4, size=9, channels=3):
    return RNG.standard_normal((count, size, size, channels)).astype("float32")


def _convnet():
    """A model within a model, with normalization, dropout and every phase."""
    block = ph.Sequential(
        [
            layers.Conv2D(8, 3, strides=2, use_bias=False, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
        ],
        name="block",
    )
    inputs = ph.Input((9, 9, 3))
    x = layers.MaxPooling2D(2, name="pool")(block(inputs))
    x = layers.Dropout(0.5, name="drop")(layers.Flatten(name="flat")(x))
    model = ph.Model(inputs, layers.Dense(5, activation="softmax", name="out")(x), name="net")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _profile(model, *data, **options):
    return model.profile(*data, **{"repeats": 1, "verbose": 0, **options})


def _find(profile, layer, phase, op):
    rows = [row for row in profile.rows if (row.layer, row.phase, row.op) == (layer, phase, op)]
    assert len(rows) == 1, f"{layer} {phase} {op}: {[(row.layer, row.phase, row.op) for row in profile.rows]}"
    return rows[0]


def _steps(*inputs, passes="none"):
    """The native steps of a function, with the passes named: decorates it."""

    def trace(function):
        graph = _core.Graph()
        with graph:
            result = function(*[graph.input(x.shape, x.dtype.name) for x in inputs])
            graph.set_outputs(result if isinstance(result, list) else [result])
        with pytest.MonkeyPatch.context() as patch:
            if passes is not None:
                patch.setenv("PRONGHORN_PASSES", passes)
            return _core.compile(graph).steps()

    return trace


def _array(*shape, dtype="float32"):
    return RNG.standard_normal(shape).astype(dtype)


# --- how much work a call is


def test_the_operations_and_bytes_of_a_dense_layer_are_those_counted_by_hand():
    batch, inputs, units = 6, 7, 5
    model = ph.Sequential([ph.Input((inputs,)), layers.Dense(units, activation="relu", name="d")])
    model.compile("sgd", "mse")
    profile = _profile(model, _array(batch, inputs), _array(batch, units))
    forward = _find(profile, "d", "forward", "matmul")
    # products, bias, ReLU
    assert forward.flops == 2 * batch * inputs * units + 2 * batch * units
    assert forward.bytes == 4 * (batch * inputs + inputs * units + units + batch * units)
    backward = _find(profile, "d", "backward", "matmul")  # of the kernel only: nobody asks for that of the inputs
    assert backward.flops == 2 * batch * inputs * units
    assert backward.bytes == 4 * (batch * inputs + batch * units + inputs * units)
    assert _find(profile, "d", "backward", "reduce_sum").flops == batch * units
    update = _find(profile, "optimizer", "update", "sgd_step")
    parameters = inputs * units + units
    assert update.flops == 2 * parameters
    assert update.bytes == 4 * (3 * parameters + 1)  # variable and gradient in, variable out, the rate


@pytest.mark.parametrize(
    ("padding", "strides", "dilation", "groups"),
    [("valid", 1, 1, 1), ("same", 2, 1, 1), ("valid", 1, 2, 1), ("same", 1, 1, 3)],
)
def test_the_operations_of_a_convolution_are_two_for_each_tap_of_each_output(padding, strides, dilation, groups):
    batch, size, channels, filters, kernel = 2, 9, 6, 12, 3
    inputs = ph.Input((size, size, channels))
    first = layers.Conv2D(channels, 1, name="first")(inputs)
    options = {"strides": strides, "dilation_rate": dilation, "groups": groups}
    model = ph.Model(inputs, layers.Conv2D(filters, kernel, padding=padding, name="c", **options)(first))
    model.compile("sgd", "mse")
    out = {("valid", 1): size - kernel + 1, ("same", 2): 5, ("valid", 2): size - 2 * (kernel - 1), ("same", 1): size}
    side = out[padding, max(strides, dilation)]
    profile = _profile(model, _images(batch, size, channels), _images(batch, side, filters))
    products = 2 * batch * side * side * filters * kernel * kernel * (channels // groups)
    assert _find(profile, "c", "forward", "conv2d").flops == products + batch * side * side * filters  # and the bias
    assert _find(profile, "c", "backward", "conv2d_input_grad").flops == products
    row = _find(profile, "c", "backward", "conv2d_kernel_grad")
    assert row.flops == products
    taps = kernel * kernel * (channels // groups) * filters
    assert row.bytes == 4 * (batch * size * size * channels + batch * side * side * filters + taps)


def test_batched_and_transposed_products_are_counted():
    @_steps(_array(3, 4, 5), _array(6, 4))
    def steps(a, b):
        return ops.matmul(ops.transpose(a, (0, 2, 1)), ops.transpose(b))

    assert [step["operations"] for step in steps if step["op"] == "matmul"] == [2 * 3 * 5 * 6 * 4]


def test_what_only_moves_data_has_no_operations_and_reads_no_more_than_it_writes():
    @_steps(_array(100, 8), np.array([3, 1], "int32"))
    def steps(table, rows):
        taken = _core.ops.take(table, rows, axis=0)
        part = table[10:20]
        return [taken, part, ops.transpose(table), ops.concatenate([table, table]), ops.cast(table, "float64")]

    found = {step["op"]: (step["operations"], step["bytes"]) for step in steps}
    assert found["take"] == (0, 4 * (2 * 8) * 2 + 8)
    assert found["slice"] == (0, 4 * (10 * 8) * 2)
    assert found["transpose"] == (0, 4 * 800 * 2)
    assert found["concatenate"] == (0, 4 * 1600 * 2)
    assert found["cast"] == (0, 4 * 800 + 8 * 800)
    assert "reshape" not in found


def test_elementwise_ops_and_reductions_count_elements():
    @_steps(_array(4, 6), _array(6))
    def steps(x, row):
        y = ops.exp(x * row)
        return [y, ops.sum(y, axis=0), ops.max(y), ops.softmax(y), ops.argmax(y, axis=1)]

    found = {step["op"]: step["operations"] for step in steps}
    assert found["multiply"] == found["exp"] == found["reduce_sum"] == found["reduce_max"] == found["argmax"] == 24
    assert found["softmax"] == 5 * 24


def test_pools_count_the_elements_of_their_windows():
    model = ph.Sequential([ph.Input((8, 8, 3)), layers.Conv2D(4, 1), layers.MaxPooling2D(2, name="m")])
    model.add(layers.AveragePooling2D(2, name="a"))
    model.compile("sgd", "mse")
    profile = _profile(model, _images(2, 8, 3), _images(2, 2, 4))
    pooled, averaged = 2 * 4 * 4 * 4, 2 * 2 * 2 * 4
    assert _find(profile, "m", "forward", "max_pool2d").flops == 4 * pooled
    assert _find(profile, "m", "backward", "max_pool2d_grad").flops == 2 * 4 * pooled
    assert _find(profile, "a", "forward", "average_pool2d").flops == 4 * averaged
    assert _find(profile, "a", "backward", "average_pool2d_grad").flops == 2 * 4 * averaged


@pytest.mark.parametrize("passes", ["fuse_elementwise", "fuse_epilogue", "fuse_norm", None])
def test_fusion_leaves_the_number_of_operations_as_it_was(passes):
    def function(x, kernel, bias, gamma):
        y = ops.relu(ops.matmul(x, kernel) + bias)
        y = ops.relu(_core.ops.batch_norm_train(y, gamma, gamma, axis=-1)[0])
        return ops.tanh(y * 3.0 - ops.sigmoid(y)) / 7.0

    inputs = _array(8, 6), _array(6, 4), _array(4), _array(4)
    plain, fused = _steps(*inputs, passes="none")(function), _steps(*inputs, passes=passes)(function)
    assert len(fused) < len(plain)
    assert sum(step["operations"] for step in fused) == sum(step["operations"] for step in plain) > 0


@pytest.mark.parametrize(("optimizer", "op", "each"), [("adam", "adam_step", 12), ("rmsprop", "rmsprop_step", 9)])
def test_optimizers_are_counted_for_every_variable(optimizer, op, each):
    model = ph.Sequential([ph.Input((3,)), layers.Dense(4), layers.Dense(5)])
    model.compile(optimizer, "mse")
    row = _find(_profile(model, _array(2, 3), _array(2, 5)), "optimizer", "update", op)
    assert row.calls == 1 and row.flops == each * model.count_params()


# --- whose work it is


def test_every_row_belongs_to_the_layer_that_made_it():
    profile = _profile(_convnet(), _images(), np.array([0, 1, 2, 3]))
    expected = {
        ("block/conv", "forward", "conv2d"),
        ("block/norm", "forward", "batch_norm_train"),
        ("pool", "forward", "max_pool2d"),
        ("drop", "forward", "dropout"),
        ("out", "forward", "matmul"),
        ("out", "forward", "softmax"),
        ("out", "backward", "softmax_grad"),
        ("out", "backward", "reduce_sum"),
        ("out", "backward", "matmul"),
        ("drop", "backward", "dropout"),
        ("pool", "backward", "max_pool2d_grad"),
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
    model = _convnet()
    model.train_on_batch(_images(), np.array([0, 1, 2, 3]))
    return model.program()


def test_a_fused_call_names_the_other_layers_whose_work_it_does():
    profile = _profile(_convnet(), _images(), np.array([0, 1, 2, 3]))
    assert _find(profile, "block/norm", "forward", "batch_norm_train").fused == ("block/relu",)
    assert _find(profile, "block/norm", "backward", "batch_norm_grad").fused == ("block/relu",)
    model = ph.Sequential([ph.Input((4,)), layers.Dense(3, name="d"), layers.ReLU(name="r")])
    assert _find(_profile(model, _array(2, 4)), "d", "forward", "matmul").fused == ("r",)


def test_the_parts_of_a_model_are_kept_without_any_pass_too(monkeypatch):
    monkeypatch.setenv("PRONGHORN_PASSES", "none")
    profile = _profile(_convnet(), _images(), np.array([0, 1, 2, 3]))
    assert _find(profile, "block/relu", "forward", "relu").calls == 1
    assert _find(profile, "block/relu", "backward", "relu_grad").calls == 1
    assert _find(profile, "optimizer", "update", "adam_step").calls == 5


def test_the_gradient_of_a_layer_called_twice_is_that_layer_s():
    dense = layers.Dense(4, name="twice")
    inputs = ph.Input((4,))
    model = ph.Model(inputs, dense(dense(inputs)))
    model.compile("sgd", "mse")
    profile = _profile(model, _array(3, 4), _array(3, 4))
    assert _find(profile, "twice", "forward", "matmul").calls == 2
    assert _find(profile, "twice", "backward", "matmul").calls == 3


def test_ops_of_a_subclassed_model_are_the_model_s_and_raw_ops_have_names():
    class Own(ph.Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = layers.Dense(3, name="d")

        def call(self, x):
            return ops.cumsum(self.dense(x), axis=1)

    rows = {(row.layer, row.op) for row in _profile(Own(), _array(2, 4)).rows}
    assert {("own", "cumsum"), ("d", "matmul")} <= rows
    inputs = ph.Input((4,))
    functional = ph.Model(inputs, ops.cumsum(inputs, axis=1))
    assert any(row.layer.startswith("cumsum") and row.op == "cumsum" for row in _profile(functional, _array(2, 4)).rows)


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
    profile = _profile(model, _array(2, 4), _array(2, 3))
    found = {(row.layer, row.phase) for row in profile.rows if row.op != "copy"}
    wanted = {("d", "forward"), ("d", "backward"), ("squares", "forward"), ("optimizer", "update")}
    assert wanted <= found <= {*wanted, ("squares", "backward")}


def test_mixed_precision_casts_belong_to_the_layer():
    model = ph.Sequential([ph.Input((32,)), layers.Dense(64, dtype="mixed_bfloat16", name="d")])
    profile = _profile(model, _array(64, 32))
    assert _find(profile, "d", "forward", "cast").calls >= 1
    assert _find(profile, "d", "forward", "matmul").flops >= 2 * 32 * 32 * 64


@pytest.mark.skipif(not _core.current_device().startswith("cpu"), reason="float64 is the CPU's")
def test_products_of_another_dtype_have_a_ceiling_of_their_own():
    model = ph.Sequential([ph.Input((256,), dtype="float64"), layers.Dense(256, dtype="float64", name="d")])
    profile = _profile(model, _array(64, 256))
    row = _find(profile, "d", "forward", "matmul")
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
    model, x, y = _convnet(), _images(8), np.arange(8) % 5
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    before = _state(model)
    held = model.layers[-1].kernel.value  # somebody holds a tensor of the weights
    _profile(model, x, y, batch_size=4, repeats=3)
    assert _state(model) == before
    assert np.array_equal(held, model.layers[-1].kernel.numpy())


def test_training_after_a_profile_goes_on_as_without_it():
    x, y = _images(8), np.arange(8) % 5
    results = []
    for profiled in (False, True):
        ph.random.set_random_seed(5)
        model = _convnet()
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
        if profiled:
            _profile(model, x, y, batch_size=4)
            _profile(model, x)
        history = model.fit(x, y, batch_size=4, shuffle=False, epochs=2, verbose=0)
        results.append((history.history["loss"], [weight.tobytes() for weight in model.get_weights()]))
    assert results[0] == results[1]


def test_a_step_that_fails_leaves_the_variables_too():
    model, x, y = _convnet(), _images(4), np.array([0, 1, 2, 3])
    model.fit(x, y, verbose=0)
    before = _state(model)
    with pytest.raises((ValueError, IndexError), match="label"):
        _profile(model, x, np.array([0, 1, 2, 99]))
    assert _state(model) == before
    assert model.fit(x, y, verbose=0).history["loss"]


def test_the_kind_follows_from_the_targets_and_can_be_named():
    model, x, y = _convnet(), _images(), np.array([0, 1, 2, 3])
    assert _profile(model, x, y).kind == "train"
    assert _profile(model, x).kind == "predict"
    assert _profile(model, x, y, kind="predict").kind == "predict"
    test = _profile(model, x, y, kind="test")
    assert test.kind == "test" and {row.phase for row in test.rows} <= {"forward", "update"}
    assert any(row.layer == "metrics/accuracy" for row in test.rows)
    assert not any(row.phase == "backward" for row in _profile(model, x).rows)


def test_all_forms_of_data_that_fit_takes():
    a, b = ph.Input((3,), name="a"), ph.Input((2,), name="b")
    model = ph.Model({"a": a, "b": b}, layers.Dense(2, name="d")(layers.Concatenate(name="c")([a, b])))
    model.compile("sgd", "mse")
    data, y = {"a": _array(6, 3), "b": _array(6, 2)}, _array(6, 2)
    profile = _profile(model, data, y, batch_size=4, sample_weight=np.ones(6))
    assert profile.batch_size == 4
    assert _find(profile, "c", "forward", "concatenate").calls == 1
    single = ph.Sequential([ph.Input((3,)), layers.Dense(2)])
    single.compile("sgd", "mse")
    for x, targets in (
        (ph.ops.ones((5, 3)), ph.ops.ones((5, 2))),
        ([[1.0, 2.0, 3.0]] * 5, [[1.0, 2.0]] * 5),
        (((np.ones((5, 3)), np.ones((5, 2))) for _ in range(1)), None),
    ):
        profile = _profile(single, x, targets)
        assert (profile.kind, profile.batch_size) == ("train", 5)


def test_an_unbuilt_model_and_one_without_weights_can_be_profiled():
    unbuilt = ph.Sequential([layers.Dense(2, name="d")])
    assert any(row.layer == "d" for row in _profile(unbuilt, _array(4, 3)).rows)
    nothing = ph.Sequential([ph.Input((3,)), layers.ReLU(name="r")])
    profile = _profile(nothing, _array(4, 3))
    assert profile.weight_bytes == 0 and any(row.layer == "r" for row in profile.rows)


def test_the_memory_of_the_program_weights_and_optimizer():
    model = _convnet()
    profile = _profile(model, _images(), np.array([0, 1, 2, 3]))
    assert profile.weight_bytes == sum(weight.nbytes for weight in model.get_weights())
    assert profile.optimizer_bytes == sum(variable.numpy().nbytes for variable in model.optimizer.variables)
    assert profile.arena_bytes == model.program("train").arena_bytes > 0
    assert _profile(model, _images()).optimizer_bytes == 0


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
        _convnet().profile(**{"x": _images(), "y": np.array([0, 1, 2, 3]), "verbose": 0, **options})


def test_a_model_that_is_not_compiled_or_runs_eagerly_is_refused():
    model = ph.Sequential([ph.Input((3,)), layers.Dense(2)])
    with pytest.raises(ValueError, match=r"compile\(\)"):
        _profile(model, _array(4, 3), _array(4, 2))
    with pytest.raises(ValueError, match=r"compile\(\)"):
        _profile(model, _array(4, 3), kind="test")
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError, match="run_eagerly"):
        _profile(model, _array(4, 3), _array(4, 2))


def test_the_native_profile_checks_its_arguments():
    program = _convnet_program()
    inputs = [_images(), np.array([0, 1, 2, 3])]
    with pytest.raises(ValueError, match="repeats"):
        program.profile(inputs, 0)
    with pytest.raises(ValueError, match="takes 2 inputs"):
        program.profile(inputs[:1], 1)
    steps, whole = program.profile(inputs, 3)
    assert steps.shape == (3, len(program.steps())) and whole.shape == (3,)
    assert np.all(steps >= 0) and np.all(whole > 0)


# --- what is made of it


def _made():
    rows = (
        ProfileRow("b", "forward", "matmul", "gemm", "float32(2, 2)", ("r",), 2, 3e-3, 2e8, 1e6, 2e-3, "compute"),
        ProfileRow("a", "backward", "add", "tiles", "float32(2,)", (), 1, 2e-3, 1e6, 8e6, 1e-4, "memory"),
        ProfileRow("a", "backward", "exp", "tiles", "float32(2,)", ("q",), 1, 1.5e-3, 1e6, 8e6, 1e-4, "cache"),
        ProfileRow("optimizer", "update", "sgd_step", "spans", "float32(2,)", (), 1, 1e-4, 0.0, 1e3, 1e-9, "overhead"),
    )
    return Profile("m[x]", "train", 32, rows, 6e-3, 1000, 2000, 3000, MACHINE)


def test_rates_and_shares_are_what_the_figures_say():
    row = _made().rows[0]
    assert row.gflops_per_second == pytest.approx(2e8 / 3e-3 * 1e-9)
    assert row.gbytes_per_second == pytest.approx(1e6 / 3e-3 * 1e-9)
    assert row.percent_of_ceiling == pytest.approx(100 * 2 / 3)
    assert _made().samples_per_second == pytest.approx(32 / 6e-3)


def test_layers_and_total_are_sums_of_rows_slowest_first():
    profile = _made()
    first, second, third = profile.layers
    assert (first.layer, first.phase, first.op) == ("a", "backward", "")
    assert first.seconds == pytest.approx(3.5e-3) and first.calls == 2 and first.fused == ("q",)
    assert (second.layer, third.layer) == ("b", "optimizer")
    assert profile.total.seconds == pytest.approx(6.6e-3) and profile.total.calls == 5
    assert profile.total.flops == 2e8 + 2e6 and profile.total.bytes == 17e6 + 1e3
    assert Profile("m", "predict", 1, (), 0.0, 0, 0, 0, MACHINE).total.seconds == 0
    real = _profile(_convnet(), _images(), np.array([0, 1, 2, 3]))
    times = [row.seconds for row in real.rows]
    assert times == sorted(times, reverse=True)
    assert len({(row.layer, row.phase, row.op) for row in real.rows}) == len(real.rows)


def test_the_table_shows_each_row_and_sums_up_the_rest():
    text = str(_made())
    for part in ("m[x]", "train step of 32", "b + r", "matmul", "bwd", "memory", "overhead", "67%", "all"):
        assert part in text
    assert _made().table().row_count == 4 + 1
    assert _made().table(limit=2).row_count == 2 + 1 + 1
    assert _made().table(by="layer").row_count == 3 + 1
    columns = [len(_made().table(width=width).columns) for width in (None, 140, 139, 100, 99)]
    assert columns == [12, 12, 9, 9, 7]
    with pytest.raises(ValueError, match="table: by"):
        _made().table(by="time")
    with pytest.raises(ValueError, match="table: limit"):
        _made().table(limit=0)
    assert "4 rows" in repr(_made())


def test_a_profile_is_printed_unless_it_shall_not_be(capsys):
    model = ph.Sequential([ph.Input((3,)), layers.Dense(2, name="visible")])
    model.profile(_array(4, 3), repeats=1)
    assert "visible" in capsys.readouterr().out
    _profile(model, _array(4, 3))
    assert capsys.readouterr().out == ""


def test_json_holds_everything_and_comes_back(tmp_path):
    real = _profile(_convnet(), _images(), np.array([0, 1, 2, 3]))
    for profile in (_made(), real):
        assert Profile.from_json(profile.to_json()) == profile
        profile.save(tmp_path / "profile.json")
        assert Profile.load(tmp_path / "profile.json") == profile
    data = json.loads((tmp_path / "profile.json").read_text())
    assert data["rows"][0]["percent_of_ceiling"] == pytest.approx(real.rows[0].percent_of_ceiling)
    assert data["samples_per_second"] == pytest.approx(real.samples_per_second)


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"format": "other"}', '{"format": "pronghorn profile 1"}'])
def test_json_of_something_else_is_refused(text):
    with pytest.raises(ValueError, match="from_json"):
        Profile.from_json(text)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "profile.json"
    _made().save(path)
    before = path.read_text()
    monkeypatch.setattr(Profile, "to_json", lambda self, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        _made().save(path)
    assert path.read_text() == before and [each.name for each in tmp_path.iterdir()] == ["profile.json"]
    with pytest.raises(TypeError, match="save: path"):
        _made().save(3)


def test_a_picture_without_matplotlib_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'pronghorn\[plot\]'"):
        _made().plot(tmp_path / "p.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed")
@pytest.mark.parametrize(("name", "start"), [("p.png", b"\x89PNG"), ("p.svg", b"<?xml")])
def test_the_picture_is_written_in_the_format_of_its_name(tmp_path, name, start):
    empty = Profile("m", "predict", 1, (), 0.0, 0, 0, 0, MACHINE)
    for profile in (_made(), empty):
        profile.plot(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    with pytest.raises(ValueError, match="plot: limit"):
        _made().plot(tmp_path / name, limit=0)


# --- what the machine can do


def test_a_call_takes_at_least_the_time_of_its_arithmetic_and_of_its_traffic():
    assert MACHINE.seconds("float32", 1e9, 1e5) == pytest.approx(0.01)
    assert MACHINE.seconds("float64", 1e9, 1e5) == pytest.approx(0.02)
    assert MACHINE.seconds("int32", 1e9, 1e5) == pytest.approx(0.01)
    assert MACHINE.seconds("float32", 0, 1e8) == pytest.approx(0.01)


def test_bandwidth_falls_with_the_size_of_the_data():
    # the rate measured at 1e3 bytes is that of the overhead of the call; what is small fits where 1e5 bytes do
    assert MACHINE.bandwidth(0) == MACHINE.bandwidth(1e3) == MACHINE.bandwidth(1e5) == 80e9
    assert MACHINE.bandwidth(1e8) == MACHINE.bandwidth(1e12) == 10e9
    between = MACHINE.bandwidth(math.sqrt(1e5 * 1e7))
    assert between == pytest.approx(50e9)
    rates = [MACHINE.bandwidth(10**power) for power in range(12)]
    assert all(a >= b for a, b in itertools.pairwise(rates))


def test_what_bounds_a_call():
    assert MACHINE.bound("float32", 1e9, 1e5) == "compute"
    assert MACHINE.bound("float32", 1e3, 1e8) == "memory"
    assert MACHINE.bound("float32", 1e3, 1e6) == "cache"
    assert MACHINE.bound("float32", 1e3, 1e3) == "overhead"


def test_the_machine_is_measured_once_and_more_dtypes_when_asked():
    first = measure_ceilings()
    assert measure_ceilings() is first
    assert first.device == _core.current_device() and first.threads == ph.config.num_threads()
    assert first.peak("float32") > 0 and first.call_seconds > 0
    assert all(rate > 0 for _, rate in first.bandwidths)
    assert [size for size, _ in first.bandwidths] == sorted(size for size, _ in first.bandwidths)
    more = measure_ceilings(["float64"])
    assert more.flops["float32"] == first.flops["float32"] and more.flops["float64"] > 0
    assert more.bandwidths == first.bandwidths
    with pytest.raises(ValueError, match="dtypes"):
        measure_ceilings(["int8"])
    with pytest.raises(TypeError, match="dtypes"):
        measure_ceilings("float32")
