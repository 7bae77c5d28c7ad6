"""Random products on tensor cores (rounding.cu) are within the error that any order of additions and any rounding of
the sums to float32's 24 bits may make, in the CUDA simulator and on hardware alike; the simulator's are those of the
hardware they were recorded on (data/tensor_cores.npz: an H200, mma; its wgmma gave the same) bit for bit."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import simulator

KINDS = {"bfloat16": 16, "float16": 16, "tf32": 8}  # and the depth
INSTRUCTIONS = ["mma", "wgmma"]
ROUNDING = [f"rounding_{instruction}_{kind}" for instruction in INSTRUCTIONS for kind in KINDS]
FLAVOURS = [
    pytest.param("plain", marks=pytest.mark.skipif(not simulator.COMPILER, reason="needs g++")),
    pytest.param(
        "device",
        marks=pytest.mark.skipif(not simulator.DEVICE_PROGRAM, reason="PRONGHORN_CUDA_CASES does not name a program"),
    ),
]


@functools.cache
def _printed(flavour: str) -> dict[str, list[np.ndarray]]:
    cases = [*ROUNDING, "tf32_reads_upper_bits"]
    if flavour == "device":
        printed, failed = simulator.run_on_device(cases)
        assert not failed, failed
        return printed
    result = simulator.run(flavour, cases)
    assert result.returncode == 0, result.stdout[-1000:] + result.stderr
    return simulator.values(result.stdout)


def _check(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, depth: int) -> None:
    """For each of the depth + 1 terms a unit in the last place of the largest, twice; subnormal numbers may be lost."""
    a, b, c, d = (x.astype("float64") for x in (a, b, c, d))
    a, b, c, d = a.reshape(-1, 16, depth), b.reshape(-1, depth, 8), c.reshape(-1, 16, 8), d.reshape(-1, 16, 8)
    size = np.abs(a) @ np.abs(b) + np.abs(c)
    lost = 2.0**-126 * (np.abs(a).max(-1)[..., None] + np.abs(b).max(-2)[..., None, :] + 1) * (depth + 1)
    assert np.isfinite(d).all()
    excess = np.abs(d - (a @ b + c)) - (2 * (depth + 1) * 2.0**-23 * size + lost)
    assert (excess <= 0).all(), f"wrong in {(excess > 0).sum()} places, first at {np.argwhere(excess > 0)[0]}"


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("instruction", INSTRUCTIONS)
def test_products_are_within_the_rounding_of_their_sums(flavour, kind, instruction):
    a, b, c, d = _printed(flavour)[f"rounding_{instruction}_{kind}"]
    _check(a, b, c, d, KINDS[kind])


@pytest.mark.skipif(not simulator.COMPILER, reason="needs g++")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("instruction", INSTRUCTIONS)
def test_the_simulator_adds_as_hardware_does(instruction, kind):
    with np.load(simulator.ROOT / "tests" / "data" / "tensor_cores.npz") as recorded:
        wanted = recorded[kind]
    assert wanted.size == 28 * 16 * 8
    np.testing.assert_array_equal(_printed("plain")[f"rounding_{instruction}_{kind}"][3], wanted)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_tf32_products_read_the_upper_19_bits(flavour):
    a, b, by_mma, by_wgmma = _printed(flavour)["tf32_reads_upper_bits"]
    a, b = ((x.view("uint32") & 0xFFFFE000).view("float32") for x in (a, b))
    for d in (by_mma, by_wgmma):
        _check(a, b, np.zeros_like(d), d, 8)
