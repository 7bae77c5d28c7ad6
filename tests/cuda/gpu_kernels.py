"""Single kernels of an op on a GPU: forced by name, measured, and on the simulator run in every order of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import ml_dtypes
import numpy as np
import pytest
import simulator

from pronghorn import _core, config

SIMULATOR = os.environ.get("PRONGHORN_SIMULATOR")
DEVICE = "gpu:sim" if SIMULATOR else next(iter(config.list_devices("gpu")), "")
MODES = [mode for mode in simulator.MODES if mode != "forward"]
needs_device = pytest.mark.skipif(
    not DEVICE, reason="no GPU, and PRONGHORN_SIMULATOR does not name a library of simulated kernels"
)
needs_simulator = pytest.mark.skipif(
    not SIMULATOR, reason="PRONGHORN_SIMULATOR does not name a library of simulated kernels"
)


def variants(op: str) -> list[str]:
    """The names of the op's kernels, as the library lists them."""
    with _core.DeviceScope(DEVICE):
        return next(entry["kernels"] for entry in _core.op_table() if entry["name"] == op)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name) if before is None else os.environ.update({name: before})


@contextmanager
def precision(name: str) -> Iterator[None]:
    before = config.matmul_precision()
    config.set_matmul_precision(name)
    try:
        yield
    finally:
        config.set_matmul_precision(before)


def stored(array: np.ndarray, dtype: str) -> np.ndarray:
    return np.asarray(array).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


def run_all(op: str, variant: str, *inputs: np.ndarray, **attrs) -> list[np.ndarray]:
    """All results by this kernel, twice; both times it gives the same bits."""

    def once() -> list[np.ndarray]:
        results = getattr(_core.ops, op)(*(_core.convert(array) for array in inputs), **attrs)
        return [result.numpy() for result in (results if isinstance(results, tuple) else [results])]

    with _environment("PRONGHORN_KERNEL", f"{op}:{variant}"), precision("high"), _core.DeviceScope(DEVICE):
        first, second = once(), once()
    assert [result.tobytes() for result in first] == [result.tobytes() for result in second]
    return first


def run(op: str, variant: str, *inputs: np.ndarray, **attrs) -> np.ndarray:
    """The same of an op with one result."""
    return run_all(op, variant, *inputs, **attrs)[0]


def assert_close(got: np.ndarray, wanted: np.ndarray, tolerance: float) -> None:
    """In norm, and for each element beside what elements usually are."""
    assert got.shape == wanted.shape
    got = got.astype("float64")
    assert np.isfinite(got).all()
    if wanted.size == 0:
        return
    usual = np.sqrt(np.mean(wanted**2))
    error = np.abs(got - wanted)
    assert np.sqrt(np.mean(error**2)) <= tolerance * usual
    assert (error <= 4 * tolerance * (np.abs(wanted) + usual)).all()


def tolerance(kind: str, depth: int) -> float:
    """What a kernel may lose, relative to the result; `depth` products are added."""
    exact = 2e-6 * max(1.0, depth**0.5 / 16)
    return {"exact": exact, "tf32": 1e-3, "bfloat16": 1e-2, "float16": 1e-3, "float64": 1e-14 * max(depth, 1)}[kind]


def _in_another_process(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The simulator reads its modes once for each process."""
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | path | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def digests_in(mode: str, module: str) -> list[str]:
    """What the module's digests() gives where threads, blocks and copies come in this order."""
    code = f"import {module}; print(*{module}.digests(), sep='\\n')"
    return _in_another_process(code, simulator.MODES[mode]).stdout.split()


def choices(module: str, capability: int) -> list[str]:
    """The kernels ("op:variant") that the module's choose() has chosen on a device of this compute capability."""
    environment = {"PRONGHORN_SIM_CAPABILITY": str(capability), "PRONGHORN_VERBOSE": "kernels"}
    printed = _in_another_process(f"import {module}; {module}.choose()", environment).stderr
    lines = [line.removeprefix("pronghorn: ") for line in printed.splitlines() if line.startswith("pronghorn: ")]
    return [line.split(";")[0] for line in lines]
