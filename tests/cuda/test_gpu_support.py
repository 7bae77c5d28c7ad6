"""No op is left out on a GPU: it takes there every dtype that it takes on the CPU."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import op_support
from gpu_kernels import DEVICE, needs_device

pytestmark = needs_device
SAMPLES = op_support.samples()


def test_every_op_that_can_be_called_has_samples():
    assert [op for op, candidates in SAMPLES.items() if not candidates] == ["tiles"]  # passes make it


@pytest.mark.parametrize("op", SAMPLES)
def test_the_gpu_takes_every_dtype_that_the_cpu_takes(op):
    cpu, gpu = (set(op_support.supported(SAMPLES[op], device)) for device in ("cpu:0", DEVICE))
    assert cpu <= gpu
