"""Devices: where tensors are made, models run, and what is said where there is none."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import _core, config, ops

NO_DRIVER = bool(_core.why_no_gpu())


def test_tensors_are_made_on_the_device_of_the_innermost_block():
    outside = _core.current_device()
    with ph.device("cpu"):
        assert ops.ones(2).device == "cpu:0"
        with ph.device("cpu:0"):
            assert _core.current_device() == "cpu:0"
    assert _core.current_device() == outside


def test_a_block_may_be_entered_again_within_itself():
    scope = ph.device("cpu")
    with scope, scope:
        pass
    with scope:
        assert ops.zeros(1).device == "cpu:0"


def test_the_devices_are_listed_by_type():
    assert config.list_devices("cpu") == ["cpu:0"]
    assert config.list_devices()[0] == "cpu:0"
    assert all(name.startswith("gpu:") for name in config.list_devices("gpu"))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ph.device("tpu"), ValueError, r"there is no device 'tpu'; devices here: cpu:0"),
        (lambda: ph.device("gpu:99"), ValueError, r"there is no device 'gpu:99'; devices here: cpu:0"),
        (lambda: ph.device(""), ValueError, r"there is no device ''"),
        (lambda: ph.device(3), TypeError, r"name must be a string such as 'cpu' or 'gpu:0', got 3"),
        (lambda: config.list_devices("tpu"), ValueError, r"device_type must be 'cpu', 'gpu' or None, got 'tpu'"),
    ],
)
def test_misuse_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def _run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, **variables)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)


@pytest.mark.skipif(not NO_DRIVER, reason="a GPU can be used here")
def test_without_a_driver_the_cpu_is_taken_silently():
    run = _run("import pronghorn as ph; print(ph.ops.ones(1).device)", PRONGHORN_DEVICE="")
    assert (run.returncode, run.stdout, run.stderr) == (0, "cpu:0\n", "")


@pytest.mark.skipif(not NO_DRIVER, reason="a GPU can be used here")
def test_a_gpu_that_was_asked_for_and_is_missing_is_an_error_with_the_reason():
    run = _run("import pronghorn as ph; ph.ops.ones(1)", PRONGHORN_DEVICE="gpu")
    assert run.returncode == 1
    assert "there is no device 'gpu'; devices here: cpu:0; no GPU can be used: " in run.stderr


def test_a_simulator_that_is_missing_is_an_error_that_says_how_to_build_it():
    run = _run("import pronghorn as ph; ph.ops.ones(1)", PRONGHORN_DEVICE="gpu:sim", PRONGHORN_SIMULATOR="/nowhere.so")
    assert run.returncode == 1
    assert "/nowhere.so" in run.stderr and "cmake -DPRONGHORN_SIMULATOR=ON" in run.stderr


def test_a_value_assigned_to_a_variable_moves_to_its_device():
    variable = ph.Variable(np.zeros(3, "float32"))
    with ph.device("cpu"):
        variable.assign(ops.ones(3))
    assert variable.value.device == _core.current_device()
    np.testing.assert_array_equal(variable.numpy(), np.ones(3))
