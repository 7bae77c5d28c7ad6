"""How much work a call is: the operations and bytes of profiles."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph
from profiles import array, find, profile_of
from pronghorn import _core, layers, ops


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


def test_the_operations_and_bytes_of_a_dense_layer_are_those_counted_by_hand():
    batch, inputs, units = 6, 7, 5
    model = ph.Sequential([ph.Input((inputs,)), layers.Dense(units, activation="relu", name="d")])
    model.compile("sgd", "mse")
    profile = profile_of(model, array(batch, inputs), array(batch, units))
    forward = find(profile, "d", "forward", "matmul")
    # products, bias, ReLU
    assert forward.flops == 2 * batch * inputs * units + 2 * batch * units
    assert forward.bytes == 4 * (batch * inputs + inputs * units + units + batch * units)
    backward = find(profile, "d", "backward", "matmul")  # of the kernel only: nobody asks for that of the inputs
    assert backward.flops == 2 * batch * inputs * units
    assert backward.bytes == 4 * (batch * inputs + batch * units + inputs * units)
    assert find(profile, "d", "backward", "reduce_sum").flops == batch * units
    update = find(profile, "optimizer", "update", "sgd_step")
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
    profile = profile_of(model, array(batch, size, size, channels), array(batch, side, side, filters))
    products = 2 * batch * side * side * filters * kernel * kernel * (channels // groups)
    assert find(profile, "c", "forward", "conv2d").flops == products + batch * side * side * filters  # and the bias
    assert find(profile, "c", "backward", "conv2d_input_grad").flops == products
    row = find(profile, "c", "backward", "conv2d_kernel_grad")
    assert row.flops == products
    taps = kernel * kernel * (channels // groups) * filters
    assert row.bytes == 4 * (batch * size * size * channels + batch * side * side * filters + taps)


def test_batched_and_transposed_products_are_counted():
    @_steps(array(3, 4, 5), array(6, 4))
    def steps(a, b):
        return ops.matmul(ops.transpose(a, (0, 2, 1)), ops.transpose(b))

    assert [step["operations"] for step in steps if step["op"] == "matmul"] == [2 * 3 * 5 * 6 * 4]


def test_what_only_moves_data_has_no_operations_and_reads_no_more_than_it_writes():
    @_steps(array(100, 8), np.array([3, 1], "int32"))
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
    @_steps(array(4, 6), array(6))
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
    profile = profile_of(model, array(2, 8, 8, 3), array(2, 2, 2, 4))
    pooled, averaged = 2 * 4 * 4 * 4, 2 * 2 * 2 * 4
    assert find(profile, "m", "forward", "max_pool2d").flops == 4 * pooled
    assert find(profile, "m", "backward", "max_pool2d_grad").flops == 2 * 4 * pooled
    assert find(profile, "a", "forward", "average_pool2d").flops == 4 * averaged
    assert find(profile, "a", "backward", "average_pool2d_grad").flops == 2 * 4 * averaged


@pytest.mark.parametrize("passes", ["fuse_elementwise", "fuse_epilogue", "fuse_norm", None])
def test_fusion_leaves_the_number_of_operations_as_it_was(passes):
    def function(x, kernel, bias, gamma):
        y = ops.relu(ops.matmul(x, kernel) + bias)
        y = ops.relu(_core.ops.batch_norm_train(y, gamma, gamma, axis=-1)[0])
        return ops.tanh(y * 3.0 - ops.sigmoid(y)) / 7.0

    inputs = array(8, 6), array(6, 4), array(4), array(4)
    plain, fused = _steps(*inputs, passes="none")(function), _steps(*inputs, passes=passes)(function)
    assert len(fused) < len(plain)
    assert sum(step["operations"] for step in fused) == sum(step["operations"] for step in plain) > 0


@pytest.mark.parametrize(("optimizer", "op", "each"), [("adam", "adam_step", 12), ("rmsprop", "rmsprop_step", 9)])
def test_optimizers_are_counted_for_every_variable(optimizer, op, each):
    model = ph.Sequential([ph.Input((3,)), layers.Dense(4), layers.Dense(5)])
    model.compile(optimizer, "mse")
    row = find(profile_of(model, array(2, 3), array(2, 5)), "optimizer", "update", op)
    assert row.calls == 1 and row.flops == each * model.count_params()
