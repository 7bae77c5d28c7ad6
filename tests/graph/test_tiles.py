"""Chains of elementwise ops in one kernel against NumPy: odd lengths, every kind of broadcast, mixed types, many
registers and outputs. The formulas round once, so that results are equal."""

from __future__ import annotations

import numpy as np
import pytest
from test_passes import after, op_names

from pronghorn import _core

ops = _core.ops


def _array(shape, dtype, seed):
    rng = np.random.default_rng([seed, *shape])
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.startswith("float"):
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(-50, 50, shape).astype(dtype)


def _run(function, arrays):
    """The results of `function` as a program, which must be one chain."""
    graph = _core.Graph()
    with graph:
        graph.set_outputs(function(ops, *[graph.input(array.shape, array.dtype.name) for array in arrays]))
    assert op_names(after(graph, "fuse_elementwise")) == ["tiles"]
    return [result.numpy() for result in _core.compile(graph).run(arrays)]


class Numpy:
    """The ops used here."""

    add, multiply, subtract, maximum, less = np.add, np.multiply, np.subtract, np.maximum, np.less
    negative, select = np.negative, np.where


def _check(function, arrays):
    for result, wanted in zip(_run(function, arrays), function(Numpy, *arrays), strict=True):
        assert result.dtype == wanted.dtype
        np.testing.assert_array_equal(result, wanted)


def _three_outputs(ops, x, y, z):
    """Of the compute type, of bool, and of the compute type again."""
    product = ops.multiply(x, y)
    smaller = ops.less(product, z)
    return [ops.add(product, z), smaller, ops.select(smaller, x, ops.negative(y))]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("length", [*range(1, 10), 1023, 1024, 1025])
def test_lengths_that_do_not_fill_vectors(length, dtype):
    _check(_three_outputs, [_array((length,), dtype, seed) for seed in range(3)])


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_more_vectors_than_the_grid_has_threads(dtype):
    _check(_three_outputs, [_array((70, 301), dtype, 0), _array((70, 301), dtype, 1), _array((301,), dtype, 2)])


PATTERNS = {
    "row": [(), (1,)],
    "column": [(1, 0), (1, 1, 0)],
    "middle": [(1, 0, 0, 1), (1, 0, 1)],
    "outer": [(1, 0, 0, 0), (1,)],
    "holes": [(1, 0, 1, 0), (0, 1, 0, 1), (1, 1, 0, 0)],
}


@pytest.mark.parametrize("inner", [1, 2, 3, 4, 5, 8, 12])
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_that_are_broadcast(pattern, inner, dtype):
    whole = (2, 3, 5, inner)

    def kept(axes):
        return tuple(n if axis else 1 for n, axis in zip(whole[len(whole) - len(axes) :], axes))

    arrays = [_array(whole, dtype, 0), *[_array(kept(axes), dtype, 1 + i) for i, axes in enumerate(PATTERNS[pattern])]]

    def function(ops, whole, *others):
        for other in others:
            whole = ops.subtract(ops.multiply(whole, other), other)
        return [whole]

    _check(function, arrays)


def test_eight_axes_of_which_every_other_is_broadcast():
    whole = (2, 3, 2, 2, 3, 2, 2, 4)
    shapes = [whole, whole[:1] + (1, 2, 1, 3, 1, 2, 1), (1, 3, 1, 2, 1, 2, 1, 4), (3, 1, 1, 1, 2, 1, 4), (4,)]

    def function(ops, x, a, b, c, d):
        return [ops.add(ops.multiply(x, a), ops.multiply(ops.multiply(x, b), ops.multiply(ops.multiply(x, c), d)))]

    _check(function, [_array(shape, "float32", i) for i, shape in enumerate(shapes)])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (9, 1), (9, 7)])
def test_conditions_of_every_shape_are_mixed_with_numbers(shape, dtype):
    def function(ops, condition, x, y):
        chosen = ops.select(condition, x, y)
        other = ops.select(ops.less(x, y), ops.maximum(x, y), chosen)
        return [ops.add(chosen, other), ops.less(chosen, other)]

    _check(function, [_array(shape, "bool", 0), _array((9, 7), dtype, 1), _array((9, 7), dtype, 2)])


def test_as_many_inputs_and_slots_as_there_are_and_seven_outputs():
    arrays = [_array((3, 41), "float32", seed) for seed in range(16)]

    def function(ops, *inputs):
        first = [ops.multiply(x, y) for x, y in zip(inputs, inputs[1:] + inputs[:1])]  # 16 slots
        pairs = [ops.add(first[i], first[15 - i]) for i in range(8)]
        return [ops.add(pairs[6], pairs[7]), *[ops.subtract(pairs[i], pairs[i + 1]) for i in range(6)]]

    _check(function, arrays)


def test_one_element_for_all_inputs():
    _check(_three_outputs, [_array((), "float32", 0), _array((1, 1), "float32", 1), _array((1,), "float32", 2)])


def test_nothing_at_all():
    _check(_three_outputs, [_array((0, 3), "float32", 0), _array((0, 3), "float32", 1), _array((3,), "float32", 2)])
