"""Random numbers are the same bits on a GPU as on the CPU, here on the simulator's device."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest
import simulator
from gpu_kernels import DEVICE, needs_device

from pronghorn import _core

NVCC = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")

SEEDS = [np.array(seed, "uint32") for seed in ([0, 0], [1234567, 3], [0xFFFFFFFF, 0xFFFFFFFF])]
# one element, a group and its neighbours, a ragged end in each place of a group, several blocks
SHAPES = [(), (1,), (5,), (63,), (64,), (65,), (7, 13), (127,), (128,), (129,), (3, 1001), (20011,)]
FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def _bits(device: str, op: str, seed: np.ndarray, *inputs: np.ndarray, **attrs) -> bytes:
    with _core.DeviceScope(device):
        tensors = [_core.convert(array) for array in (*inputs, seed)]
        result = getattr(_core.ops, op)(*tensors, **attrs)
        assert result.device == device
        return result.numpy().tobytes()


def _check(op: str, seed: np.ndarray, *inputs: np.ndarray, **attrs) -> None:
    cpu, gpu = (_bits(device, op, seed, *inputs, **attrs) for device in ("cpu:0", DEVICE))
    assert cpu == gpu


@needs_device
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", ["random_normal", "random_truncated_normal", "random_uniform"])
def test_floats_are_the_cpus_bits(op, dtype, shape):
    names = ("minval", "maxval") if op == "random_uniform" else ("mean", "stddev")
    for seed in SEEDS:
        _check(op, seed, shape=shape, dtype=dtype)
        _check(op, seed, shape=shape, dtype=dtype, **dict(zip(names, (0.3, 1.7))))


@needs_device
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_the_cpus_bits(dtype, shape):
    for seed in SEEDS:
        _check("random_randint", seed, shape=shape, dtype=dtype, minval=-3, maxval=1000)
        _check("random_randint", seed, shape=shape, dtype=dtype, minval=-(2**63), maxval=2**63 - 1)


@needs_device
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_gives_the_cpus_bits(dtype, shape):
    x = np.random.default_rng(1).normal(size=shape).astype(dtype)
    for seed in SEEDS:
        for rate in (0.0, 0.1, 0.5, 1.0):
            _check("dropout", seed, x, rate=rate)


@needs_device
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_dropout_of_16_bit_floats_rounds_once(dtype, shape):
    """The CPU takes them through float32 and back, in three ops."""
    x = np.random.default_rng(2).normal(size=shape).astype("float32")
    for seed in SEEDS:
        results = []
        for device in ("cpu:0", DEVICE):
            with _core.DeviceScope(device):
                narrow = _core.ops.cast(_core.convert(x), dtype=dtype)
                wide = _core.ops.cast(narrow, dtype="float32") if device == "cpu:0" else narrow
                dropped = _core.ops.dropout(wide, _core.convert(seed), rate=0.3)
                results.append(_core.ops.cast(dropped, dtype=dtype).numpy().tobytes())
        assert results[0] == results[1]


@pytest.mark.skipif(not NVCC, reason="needs nvcc")
@pytest.mark.parametrize("architecture", ["sm_75", "sm_90a"])
def test_no_product_and_sum_of_floats_become_one_instruction(architecture, tmp_path):
    """On a device the same bits hang on the option that keeps random.cu from contraction."""
    source, to = simulator.ROOT / "cuda" / "random.cu", tmp_path / "random.ptx"
    options = ["-std=c++20", f"-arch={architecture}", "--expt-relaxed-constexpr", "-fmad=false", "-DPH_LEVEL=cuda"]
    folders = [f"-I{simulator.ROOT}", f"-I{simulator.ROOT / 'src'}"]
    subprocess.run([NVCC, *options, *folders, "-ptx", "-o", str(to), str(source)], check=True)
    text = to.read_text()
    assert re.search(r"mul\.rn\.f32|mul\.f32", text)
    assert re.search(r"mul\.rn\.f64|mul\.f64", text)
    assert not re.search(r"fma\.\w+\.f(32|64)|mad\.\w+\.f(32|64)", text)
