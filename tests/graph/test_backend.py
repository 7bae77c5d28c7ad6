"""A device is what core/backend.h asks for and nothing else: a toy one runs ops, gradients and whole programs."""

from __future__ import annotations

import numpy as np
import pytest

from pronghorn import _core

CALLS: list[str] = []


def _kernel(name, function):
    def run(inputs, outputs, attributes):
        CALLS.append(name)
        outputs[0][...] = function(*inputs)

    return run


def _full(inputs, outputs, attributes):
    CALLS.append("full")
    assert tuple(attributes["shape"]) == outputs[0].shape
    outputs[0][...] = attributes["value"]


@pytest.fixture(scope="module")
def toy():
    kernels = {"add": np.add, "multiply": np.multiply, "exp": np.exp}
    table = {name: _kernel(name, function) for name, function in kernels.items()} | {"full": _full}
    _core.register_python_device("toy", table)
    return _core.DeviceScope("toy")


def test_eager_ops_run_on_the_device_of_their_inputs(toy):
    CALLS.clear()
    with toy:
        x = _core.convert(np.array([1.0, 2.0], "float32"))
    y = _core.ops.add(x, x)
    assert y.device == "toy:0" and CALLS == ["add"]
    np.testing.assert_array_equal(y.numpy(), [2.0, 4.0])


def test_an_op_without_a_kernel_there_says_so(toy):
    with toy:
        x = _core.convert(np.ones(2, "float32"))
    with pytest.raises(ValueError, match=r"tanh: there is no kernel for it on toy:0"):
        _core.ops.tanh(x)


def test_tensors_of_the_cpu_follow_to_the_device_of_the_others(toy):
    with toy:
        x = _core.convert(np.ones(2, "float32"))
    with _core.DeviceScope("cpu"):
        here = _core.convert(np.array([1.0, 2.0], "float32"))
    y = _core.ops.add(here, x)
    assert y.device == "toy:0"
    np.testing.assert_array_equal(y.numpy(), [2.0, 3.0])


def test_tensors_on_two_devices_that_are_not_the_cpu_do_not_mix(toy):
    _core.register_python_device("toy2", {"add": _kernel("add", np.add)})
    with toy:
        x = _core.convert(np.ones(2, "float32"))
    with _core.DeviceScope("toy2"):
        y = _core.convert(np.ones(2, "float32"))
    with pytest.raises(ValueError, match="different devices, toy:0 and toy2:0"):
        _core.ops.add(x, y)


def test_a_program_with_state_runs_on_the_device(toy, monkeypatch):
    monkeypatch.setenv("PRONGHORN_PASSES", "none")
    CALLS.clear()
    with toy:
        state = _core.Variable(np.zeros(3, "float32"), name="state")
        graph = _core.Graph()
        with graph:
            x = graph.input((3,), "float32")
            state.write(_core.ops.add(state.read(), _core.ops.multiply(x, x)))
            graph.set_outputs([state.read()])
        program = _core.compile(graph)
    rows = np.arange(6, dtype="float32")
    out = np.zeros(6, "float32")
    program.run_steps(_core.RowSource([rows]), np.arange(6), 2, [out])
    assert CALLS == ["multiply", "add"] * 2
    np.testing.assert_array_equal(state.stored.numpy(), rows[:3] ** 2 + rows[3:] ** 2)
    np.testing.assert_array_equal(out[3:], state.stored.numpy())
