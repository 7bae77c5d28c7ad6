"""Each pass, shown on a small graph before and after."""

from __future__ import annotations

import numpy as np
import pytest

from pronghorn import _core

ops = _core.ops


def trace(function, *shapes, dtype="float32"):
    """The graph of `function` on inputs of these shapes."""
    graph = _core.Graph()
    with graph:
        outputs = function(*[graph.input(shape, dtype) for shape in shapes])
        graph.set_outputs(outputs if isinstance(outputs, list) else [outputs])
    return graph


def after(graph, *passes):
    return _core.run_passes(graph, list(passes))


def lines(text):
    return [line.split("  #")[0] for line in text.strip().splitlines()]


def op_names(text):
    return [line.split(" = ")[1].split("(")[0] for line in lines(text) if " = " in line]


def test_dead_code_drops_what_nobody_reads():
    def function(x):
        ops.exp(x)
        return ops.tanh(x)

    graph = trace(function, (2,))
    assert op_names(graph.text()) == ["exp", "tanh"]
    assert op_names(after(graph, "dead_code")) == ["tanh"]


def test_fold_constants_runs_what_depends_on_no_input():
    constant = _core.convert(np.array([1.0, 4.0], "float32"))

    def function(x):
        hidden = ops.add(x, 0.0)
        return ops.add(hidden, ops.sqrt(constant))

    graph = trace(function, (2,))
    assert op_names(after(graph, "fold_constants")) == ["add", "add"]


def test_common_merges_equal_nodes_and_swapped_operands():
    graph = trace(lambda x, y: ops.multiply(ops.add(x, y), ops.add(y, x)), (2,), (2,))
    assert op_names(after(graph, "common")) == ["add", "multiply"]


def test_common_keeps_nodes_with_other_attributes():
    graph = trace(lambda x: [ops.cast(x, "float64"), ops.cast(x, "int32")], (2,))
    assert op_names(after(graph, "common")) == ["cast", "cast"]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.multiply(x, 1.0),
        lambda x: ops.add(0.0, x),
        lambda x: ops.subtract(x, 0.0),
        lambda x: ops.divide(x, 1.0),
        lambda x: ops.cast(x, "float32"),
        lambda x: ops.transpose(x, (0, 1)),
        lambda x: ops.broadcast_to(x, (2, 2)),
        lambda x: ops.reshape(ops.reshape(x, (4, 1)), (2, 2)),
    ],
    ids=[
        "times one",
        "zero plus",
        "minus zero",
        "over one",
        "cast to itself",
        "axes stay",
        "broadcast to itself",
        "reshape there and back",
    ],
)
def test_simplify_drops_what_changes_nothing(function):
    assert lines(after(trace(function, (2, 2)), "simplify", "dead_code")) == ["return input0"]


def test_simplify_keeps_an_addition_that_broadcasts():
    graph = trace(lambda x: ops.add(x, np.zeros((3, 1), "float32")), (1,))
    assert op_names(after(graph, "simplify")) == ["add"]


def test_simplify_folds_transposes_into_matmul():
    def function(a, b):
        return ops.matmul(ops.transpose(a, (1, 0)), ops.transpose(b, (1, 0)))

    graph = trace(function, (3, 2), (4, 3))
    assert "matmul(input0, input1, transpose_a=True, transpose_b=True)" in after(graph, "simplify")


def _pooled_relu_gradient(x, dy):
    active = ops.relu(x)
    pooled = ops.max_pool2d(active, pool_size=(2, 2), strides=(2, 2))
    return ops.relu_grad(ops.max_pool2d_grad(active, pooled, dy, pool_size=(2, 2), strides=(2, 2)), active)


def test_simplify_masks_the_gradient_of_a_pooled_relu_where_it_is_small():
    graph = trace(_pooled_relu_gradient, (2, 5, 4, 3), (2, 2, 2, 3))
    simplified = after(graph, "simplify", "dead_code")
    assert op_names(simplified) == ["relu", "max_pool2d", "relu_grad", "max_pool2d_grad"]
    assert "relu_grad(input1, %3)" in simplified


def normalized(x, kernel, mean, scale, beta):
    """A convolution and what a batch normalization is that is not trained."""
    images = ops.conv2d(x, kernel, padding="same")
    return ops.add(ops.multiply(ops.subtract(images, ops.reshape(mean, shape=(1, 1, 1, -1))), scale), beta)


IMAGES_AND_KERNEL = (2, 8, 8, 3), (3, 3, 3, 5)


def test_fold_scale_takes_scale_and_shift_of_channels_into_the_weights():
    graph = trace(normalized, *IMAGES_AND_KERNEL, (5,), (5,), (5,))
    names = op_names(after(graph, "fold_scale"))
    assert sorted(names) == sorted(["reshape"] * 2 + ["multiply"] * 2 + ["negative", "add", "conv2d", "add"])
    assert names.index("conv2d") == len(names) - 2  # with a bias behind it
    generator = np.random.default_rng(0)
    arrays = [generator.standard_normal(shape).astype("float32") for shape in (*IMAGES_AND_KERNEL, (5,), (5,), (5,))]
    values = [_core.convert(array) for array in arrays]
    folded = _core.compile(graph).run(values)[0].numpy()
    np.testing.assert_allclose(folded, normalized(*values).numpy(), rtol=1e-5, atol=1e-5)


def test_fold_scale_leaves_values_others_read():
    def function(x, kernel, scale):
        images = ops.conv2d(x, kernel, padding="same")
        return [ops.multiply(images, scale), images]

    graph = trace(function, *IMAGES_AND_KERNEL, (5,))
    assert op_names(after(graph, "fold_scale")) == ["conv2d", "multiply"]


@pytest.mark.parametrize("shape", [(8, 8, 5), (8, 8, 1), (1,), (2, 8, 8, 5)], ids=str)
def test_fold_scale_leaves_scales_of_pixels(shape):
    graph = trace(lambda x, k, s: ops.multiply(ops.conv2d(x, k, padding="same"), s), *IMAGES_AND_KERNEL, shape)
    assert op_names(after(graph, "fold_scale")) == ["conv2d", "multiply"]


def test_fold_scale_leaves_weights_that_are_larger_than_half_of_the_result():
    graph = trace(lambda x, w, s: ops.multiply(ops.matmul(x, w), s), (5, 4), (4, 6), (6,))
    assert op_names(after(graph, "fold_scale")) == ["matmul", "multiply"]
    graph = trace(lambda x, w, s: ops.multiply(ops.matmul(x, w), s), (8, 4), (4, 6), (6,))
    assert op_names(after(graph, "fold_scale")) == ["multiply", "matmul"]


def test_fold_scale_leaves_an_addition_alone_to_the_epilogue():
    graph = trace(lambda x, w, b: ops.add(ops.matmul(x, w), b), (8, 4), (4, 6), (6,))
    assert op_names(after(graph, "fold_scale")) == ["matmul", "add"]


def test_fuse_epilogue_takes_bias_and_relu_into_matmul():
    graph = trace(lambda x, w, b: ops.relu(ops.add(ops.matmul(x, w), b)), (5, 3), (3, 4), (4,))
    assert lines(after(graph, "fuse_epilogue"))[0] == "%3 = matmul(input0, input1, input2, activation='relu')"


def test_fuse_epilogue_takes_bias_and_relu_from_behind_a_reshape_of_rows():
    def dense(x, w, b):
        return ops.relu(ops.add(ops.reshape(ops.matmul(x, w), shape=(2, 3, 4)), b))

    graph = trace(dense, (6, 5), (5, 4), (4,))
    fused = after(graph, "fuse_epilogue")
    assert op_names(fused) == ["matmul", "reshape"]
    assert lines(fused)[0] == "%3 = matmul(input0, input1, input2, activation='relu')"


def test_fuse_epilogue_leaves_a_reshape_that_mixes_the_channels():
    def mixed(x, w, b):
        return ops.add(ops.reshape(ops.matmul(x, w), shape=(12, 2)), b)

    graph = trace(mixed, (6, 5), (5, 4), (2,))
    assert op_names(after(graph, "fuse_epilogue")) == ["matmul", "reshape", "add"]


def test_fuse_epilogue_leaves_values_others_read():
    def function(x, w, b):
        product = ops.matmul(x, w)
        return [ops.add(product, b), product]

    graph = trace(function, (5, 3), (3, 4), (4,))
    assert op_names(after(graph, "fuse_epilogue")) == ["matmul", "add"]


def _batch_norm_and_relu(x, gamma, beta, dy):
    y, mean, variance = ops.batch_norm_train(x, gamma, beta)
    active = ops.relu(y)
    return [active, *ops.batch_norm_grad(x, gamma, mean, variance, ops.relu_grad(dy, active))]


def test_fuse_norm_takes_relu_into_batch_normalization_both_ways():
    shapes = ((40, 7, 5), (5,), (5,), (40, 7, 5))
    graph = trace(_batch_norm_and_relu, *shapes)
    fused = after(graph, "fuse_norm")
    assert op_names(fused) == ["batch_norm_train", "batch_norm_grad"]
    assert "activation='relu'" in fused
    arrays = [np.random.default_rng(i).normal(size=shape).astype("float32") for i, shape in enumerate(shapes)]
    eager = _batch_norm_and_relu(*[_core.convert(array) for array in arrays])
    for result, wanted in zip(_core.compile(graph).run(arrays), eager):
        np.testing.assert_array_equal(result.numpy(), wanted.numpy())


def test_fuse_norm_leaves_values_others_read():
    def function(x, gamma, beta):
        y = ops.batch_norm_train(x, gamma, beta)[0]
        return [ops.relu(y), ops.exp(y)]

    assert op_names(after(trace(function, (4, 3), (3,), (3,)), "fuse_norm")) == ["batch_norm_train", "relu", "exp"]


def test_fuse_elementwise_makes_one_chain():
    graph = trace(lambda x, y: ops.tanh(ops.add(ops.exp(x), y)), (8,), (8,))
    assert op_names(after(graph, "fuse_elementwise")) == ["tiles"]


def test_fuse_elementwise_does_not_close_a_cycle():
    def function(x):
        first = ops.exp(x)
        outside = ops.reduce_sum(first, axes=(0,), keepdims=True)
        return ops.add(first, outside)

    graph = trace(function, (8,))
    assert op_names(after(graph, "fuse_elementwise")) == ["exp", "reduce_sum", "add"]


def test_fuse_elementwise_does_not_close_a_cycle_through_another_group():
    def function(x, y):
        a = ops.exp(x)
        total = ops.reduce_sum(a, axes=(0,), keepdims=True)
        b = ops.multiply(ops.add(total, y), y)
        return ops.add(a, b)

    graph = trace(function, (8,), (8,))
    inputs = [np.linspace(-1, 1, 8, dtype="float32"), np.linspace(2, 3, 8, dtype="float32")]
    (result,) = _core.compile(graph).run(inputs)
    expected = np.exp(inputs[0]) + (np.exp(inputs[0]).sum() + inputs[1]) * inputs[1]
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_fusing_a_tangle_of_nodes_leaves_an_order_in_which_they_can_run(seed):
    def function(x, y):
        rng, values = np.random.default_rng(seed), [x, y]
        for _ in range(120):
            a, b = (values[max(0, len(values) - 1 - int(rng.exponential(6)))] for _ in range(2))
            if rng.integers(6) == 0:  # nothing is fused through these
                values.append(ops.broadcast_to(ops.reduce_max(a, axes=(0,), keepdims=True), (8,)))
            else:
                values.append(ops.tanh((ops.add, ops.multiply, ops.maximum)[rng.integers(3)](a, b)))
        return values[-20:]

    graph = trace(function, (8,), (8,))
    fused = op_names(after(graph, "dead_code", "fuse_elementwise"))
    assert fused.count("tiles") > 5 and len(fused) < 0.7 * len(op_names(after(graph, "dead_code")))
    inputs = [np.random.default_rng(seed + k).normal(size=8).astype("float32") for k in (100, 200)]
    expected = function(*[_core.convert(x) for x in inputs])
    for result, wanted in zip(_core.compile(graph).run(inputs), expected, strict=True):
        np.testing.assert_array_equal(result.numpy(), wanted.numpy())


def test_a_chain_too_long_for_one_tile_program_is_cut():
    def function(x):
        for _ in range(120):
            x = ops.add(ops.multiply(x, 0.5), 1.0)
        return x

    graph = trace(function, (1000,))
    names = op_names(after(graph, "common", "fuse_elementwise"))
    assert 5 <= len(names) <= 8 and set(names) == {"tiles"}
    x = np.linspace(-3, 3, 1000, dtype="float32")
    expected = x
    for _ in range(120):
        expected = expected * np.float32(0.5) + np.float32(1)
    np.testing.assert_array_equal(_core.compile(graph).run([x])[0].numpy(), expected)


def _updates(read_early):
    """Plain updates of three variables; the new value of the first is read before the others are made, or not."""
    variables = [
        _core.Variable(np.full(shape, 2.0, "float32"), name=f"v{i}") for i, shape in enumerate([(3,), (2, 2), ()])
    ]
    graph = _core.Graph()
    with graph:
        x = graph.input((3,), "float32")
        rate = ops.add(ops.reduce_sum(x), 0.5)
        early = None
        for variable in variables:
            gradient = ops.multiply(variable.read(), 1.0 if early is None else early)
            new = ops.sgd_step([variable.read(), gradient, rate])
            if read_early and early is None:
                early = ops.reduce_sum(new)
            variable.write(new)
        graph.set_outputs([rate])
    return graph, variables


def test_group_optimizer_makes_one_node_of_all_updates():
    graph, variables = _updates(read_early=False)
    grouped = after(graph, "group_optimizer")
    assert [name for name in op_names(grouped) if name == "sgd_step"] == ["sgd_step"]
    _core.compile(graph).run([np.zeros(3, "float32")])
    for variable in variables:
        np.testing.assert_array_equal(variable.stored.numpy(), np.full(variable.stored.shape, 1.0))


def test_group_optimizer_leaves_out_what_is_read_before_the_last_update():
    graph, variables = _updates(read_early=True)
    assert op_names(after(graph, "group_optimizer")).count("sgd_step") == 2
    _core.compile(graph).run([np.zeros(3, "float32")])
    assert [float(variable.stored.numpy().flat[0]) for variable in variables] == [1.0, -1.0, -1.0]


def test_group_optimizer_keeps_updates_with_other_attributes_or_rates_apart():
    def function(w, g, m, rate, other):
        return [
            ops.momentum_step([w, m, g, rate], momentum=0.5)[0],
            ops.momentum_step([m, w, g, rate], momentum=0.25)[0],
            ops.momentum_step([g, w, m, other], momentum=0.5)[0],
        ]

    graph = trace(function, (4,), (4,), (4,), (), ())
    assert op_names(after(graph, "group_optimizer")) == ["momentum_step"] * 3
