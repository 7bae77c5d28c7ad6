"""Tensor: creation from Python and NumPy, printing, operators, exchange with other libraries."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import _core, ops


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (1, "int32", ()),
        (2**40, "int64", ()),
        (1.5, "float32", ()),
        (True, "bool", ()),
        ([1, 2, 3], "int32", (3,)),
        ([[1.0, 2.0]], "float32", (1, 2)),
        ([], "float32", (0,)),
        (np.float64(2.0), "float64", ()),
        (np.arange(3, dtype="int8"), "int8", (3,)),
        (np.zeros((0, 4)), "float64", (0, 4)),
        (np.zeros((2, 3), "float32").T, "float32", (3, 2)),
        (np.arange(4, dtype=">f4"), "float32", (4,)),
    ],
)
def test_what_values_become(value, dtype, shape):
    tensor = ops.convert_to_tensor(value)
    assert (tensor.dtype, tensor.shape) == (dtype, shape)
    np.testing.assert_array_equal(tensor.numpy(), np.asarray(value).astype(dtype))


@pytest.mark.parametrize("value", [None, "text", {"a": 1}, [1, "a"], [[1, 2], [3]], np.array([{}]), 1j], ids=repr)
def test_what_cannot_become_a_tensor(value):
    with pytest.raises((TypeError, ValueError), match=r"convert_to_tensor|cannot become"):
        ops.convert_to_tensor(value)


def test_printing():
    assert str(ph.constant(1)) == "ph.Tensor(1, shape=(), dtype=int32)"
    assert str(ph.zeros([2, 3])) == "ph.Tensor([[0. 0. 0.]\n [0. 0. 0.]], shape=(2, 3), dtype=float32)"


def test_numpy_gives_a_copy():
    tensor = ph.zeros([3])
    tensor.numpy()[0] = 5
    np.testing.assert_array_equal(np.asarray(tensor), np.zeros(3))


@pytest.mark.parametrize(
    "op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow]
)
@pytest.mark.parametrize("other", ["tensor", "array", "number"])
def test_arithmetic_operators_on_both_sides(op, other):
    a, b = np.array([7.0, -3.5, 2.0], "float32"), np.array([2.0, 3.0, -1.5], "float32")
    right = {"tensor": ops.convert_to_tensor(b), "array": b, "number": 2.0}[other]
    left = abs(a) if op is operator.pow else a
    np.testing.assert_allclose(
        op(ops.convert_to_tensor(left), right).numpy(), op(left, np.asarray(right, "float32")), rtol=1e-6
    )
    np.testing.assert_allclose(
        op(abs(np.asarray(right, "float32")), ops.convert_to_tensor(a)).numpy(),
        op(abs(np.asarray(right, "float32")), a),
        rtol=1e-6,
    )


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
def test_comparisons_give_booleans(op):
    a, b = np.array([1, 2, 3]), np.array([2, 2, 2])
    result = op(ops.convert_to_tensor(a), b)
    assert result.dtype == "bool"
    np.testing.assert_array_equal(result.numpy(), op(a, b))


def test_logic_and_sign_operators():
    a, b = ops.convert_to_tensor([True, False]), ops.convert_to_tensor([True, True])
    for result, expected in [
        (a & b, [True, False]),
        (a | b, [True, True]),
        (a ^ b, [False, True]),
        (~a, [False, True]),
    ]:
        assert result.dtype == "bool" and result.numpy().tolist() == expected
    x = ops.convert_to_tensor([1, -2])
    assert (-x).numpy().tolist() == [-1, 2] and abs(x).numpy().tolist() == [1, 2]
    assert (~x).numpy().tolist() == [-2, 1]


def test_python_numbers_follow_the_tensor():
    assert (ops.convert_to_tensor([1, 2]) + 1).dtype == "int32"
    assert (ops.convert_to_tensor([1, 2]) + 1.5).dtype == "float32"
    assert (ops.convert_to_tensor(np.ones(2)) * 2.5).dtype == "float64"
    assert (ops.convert_to_tensor(np.ones(2, "float16")) + 1.0).dtype == "float16"
    assert (ops.convert_to_tensor([1, 2]) / 2).dtype == "float32"


def test_values_as_python_numbers():
    assert float(ph.constant(2.5)) == 2.5 and int(ph.constant(3)) == 3 and bool(ph.constant(1)) is True
    assert list(range(5))[ph.constant(2)] == 2
    assert [float(row) for row in ph.constant([1.0, 2.0])] == [1.0, 2.0] and len(ph.constant([1, 2, 3])) == 3
    assert f"{ph.constant(2.0):.2f}" == "2.00"


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: bool(ph.constant([1, 2])), ValueError, r"ambiguous"),
        (lambda: float(ph.constant([1.0, 2.0])), TypeError, r"one element"),
        (lambda: len(ph.constant(1)), TypeError, r"rank 0"),
        (lambda: iter(ph.constant(1)), TypeError, r"rank 0"),
        (lambda: [1, 2][ph.constant(1.0)], TypeError, r"only integer tensors"),
        (lambda: ph.constant([1.0]) + "a", TypeError, r"unsupported operand"),
        (lambda: ph.constant([1.0, 2.0]) + [1.0, 2.0, 3.0], ValueError, r"add: shapes \(2,\) and \(3,\)"),
        (lambda: _core.ops.add(1), TypeError, r"add\(\) is missing argument `x2`"),
        (lambda: _core.ops.add(1, 2, 3), TypeError, r"takes at most 2"),
        (lambda: _core.ops.add(1, c=3), TypeError, r"has no argument `c`"),
        (lambda: _core.ops.add(1, 2, x2=3), TypeError, r"two values for argument `x2`"),
        (lambda: _core.ops.cast(1.0, dtype="float31"), TypeError, r"unknown dtype 'float31'; known dtypes: bool, int8"),
        (lambda: _core.ops.cast(1.0, dtype=3), TypeError, r"`dtype` must be a dtype name, got 3"),
        (lambda: _core.ops.full(shape=(-1,)), ValueError, r"negative dimension -1"),
        (lambda: _core.ops.full(shape=(1,) * 9), ValueError, r"at most 8 dimensions"),
        (lambda: _core.ops.full(shape=(2**40, 2**22)), ValueError, r"a tensor of .* is too large"),
        (lambda: _core.ops.full(shape=(2**40, 2**20)), MemoryError, r"out of memory: could not allocate \d+ bytes"),
    ],
)
def test_misuse_is_explained(use, error, message):
    with pytest.raises(error, match=message):
        use()


def test_dlpack_shares_memory_both_ways():
    array = np.arange(6, dtype="float32").reshape(2, 3)
    tensor = _core.from_dlpack(array)
    array[0, 0] = 42
    assert float(tensor[0, 0]) == 42.0
    back = np.from_dlpack(tensor)
    np.testing.assert_array_equal(back, array)
    del tensor
    assert back[0, 0] == 42.0


def test_dlpack_refuses_what_it_cannot_share():
    with pytest.raises(ValueError, match="not contiguous"):
        _core.from_dlpack(np.zeros((3, 4))[:, ::2])
    with pytest.raises(TypeError, match="with __dlpack__"):
        _core.from_dlpack([1, 2])


def test_a_program_does_not_write_into_shared_memory():
    with _core.DeviceScope("cpu"):
        v = ph.Variable(np.zeros(4, "float32"))
    exported = np.from_dlpack(v.value)
    graph = _core.Graph()
    with graph:
        v.assign_add(graph.input((4,), "float32"))
        graph.set_outputs([])
    _core.compile(graph).run([np.ones(4, "float32")])
    np.testing.assert_array_equal(exported, np.zeros(4))
    np.testing.assert_array_equal(v.numpy(), np.ones(4))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_floating_numpy_values_take_a_tensors_dtype_in_operators(dtype):
    tensor = ops.convert_to_tensor([1.0, 2.0], dtype)
    for other in (np.ones(2), np.ones(2, "float32"), np.float64(1.5), np.float32(1.5), np.sqrt(2.0)):
        for operation in (operator.add, operator.truediv, operator.pow):
            assert operation(tensor, other).dtype == operation(other, tensor).dtype == dtype
        assert (tensor < other).dtype == "bool"
    assert (ph.Variable([1.0]) * np.sqrt(2.0)).dtype == "float32"
    assert (ops.ones((2, 2)) @ np.eye(2)).dtype == "float32"
    # integers have no place for them, and what is asked for by name promotes
    assert (ops.ones(2, "int32") * np.ones(2)).dtype == "float64"
    assert ops.add(ops.ones(2), np.ones(2)).dtype == "float64"
    assert ops.add(ops.ones(2), np.float64(1)).dtype == "float32"  # a Python float, as np.sqrt(2.0) is


def test_a_numpy_table_in_a_layer_keeps_the_layers_dtype():
    table = np.linspace(0, 1, 6).reshape(3, 2)
    for policy in ("float32", "mixed_float16"):
        layer = ph.layers.Lambda(lambda x: x / np.sqrt(4.0) + table, dtype=policy)
        model = ph.Sequential([ph.Input((3, 2)), layer])
        assert model.predict(np.ones((1, 3, 2)), verbose=0).dtype == layer.compute_dtype
