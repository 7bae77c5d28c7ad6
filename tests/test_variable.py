"""Variable: creation, assignment, use as a tensor."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import ops


def test_assignments_keep_shape_and_dtype():
    v = ph.Variable([1.0, 2.0], name="v")
    v.assign([3, 4])
    np.testing.assert_array_equal(v.assign_add([1.0, 1.0]).numpy(), [4.0, 5.0])
    v.assign_sub(1.0)
    assert v.dtype == "float32"
    np.testing.assert_array_equal(v.numpy(), [3.0, 4.0])


def test_a_callable_initializer_gets_shape_and_dtype():
    v = ph.Variable(lambda shape, dtype: np.full(shape, 7, dtype), shape=(2, 3), dtype="float64")
    assert v.shape == (2, 3) and v.dtype == "float64" and float(v[1, 2]) == 7.0


def test_an_initializer_may_be_named():
    v = ph.Variable("ones", shape=(2, 3), dtype="float16")
    assert (v.shape, v.dtype, v.numpy().sum()) == ((2, 3), "float16", 6)
    with pytest.raises(ValueError, match="shape is needed"):
        ph.Variable("zeros")
    with pytest.raises(ValueError, match="onez"):
        ph.Variable("onez", shape=(2,))


def test_variables_work_in_ops_and_operators():
    v = ph.Variable([1.0, -2.0])
    np.testing.assert_array_equal((v * 2 + 1).numpy(), [3.0, -3.0])
    np.testing.assert_array_equal(ops.abs(v).numpy(), [1.0, 2.0])
    assert [float(x) for x in v] == [1.0, -2.0] and (v == v).numpy().all()


def test_a_value_read_earlier_does_not_change():
    v = ph.Variable([1.0])
    before = v.value
    v.assign([2.0])
    assert float(before[0]) == 1.0


def test_variables_are_keys():
    a, b = ph.Variable(1.0), ph.Variable(1.0)
    assert {a: "a", b: "b"}[a] == "a"


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda: ph.Variable([1.0]).assign([1.0, 2.0]),
            r"variable 'variable' has shape \(1,\), the value has shape \(2,\)",
        ),
        (lambda: ph.Variable(lambda shape, dtype: 0), r"shape is needed"),
        (lambda: ph.Variable([1.0, 2.0], shape=(3,)), r"shape is \(3,\), the initial value has shape \(2,\)"),
    ],
)
def test_misuse_is_explained(use, message):
    with pytest.raises(ValueError, match=message):
        use()
