"""The op tests pass at every instruction-set level that was built, not only at this processor's best."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pronghorn import _core

OP_TESTS = Path(__file__).with_name("test_ops.py")
CHECKS = "test_values or test_other_dtypes or test_gradients or test_the_number_of_threads"


@pytest.mark.parametrize("level", [level for level in _core.cpu_levels() if level != _core.cpu_level()])
def test_ops_are_right_at_level(level):
    environment = dict(os.environ, PRONGHORN_CPU=level.replace("_sim", ":sim"))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(OP_TESTS), "-k", CHECKS]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]


def test_a_level_is_chosen_by_the_environment():
    program = "from pronghorn import _core; print(_core.cpu_level())"
    for level in _core.cpu_levels():
        environment = dict(os.environ, PRONGHORN_CPU=level.replace("_sim", ":sim"))
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
        )
        assert run.stdout.strip() == level


def test_an_unknown_level_is_refused_with_those_there_are():
    program = "import numpy as np; from pronghorn import _core; _core.ops.exp(np.ones(3, 'float32'))"
    environment = dict(os.environ, PRONGHORN_CPU="avx1024")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 1
    assert "PRONGHORN_CPU=avx1024: this level was not built or cannot run here; levels here: " in run.stderr
