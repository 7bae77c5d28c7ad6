"""Write the table of which ops run in which dtypes on which devices, found by running the samples of the op tests.

PRONGHORN_SIMULATOR=build/cuda/sim/libpronghorn_sim.so python tools/op_support.py > docs/op_support.md
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np

import pronghorn as ph
from pronghorn import _core

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from sample import Sample

FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")
DTYPES = FLOATS + INTEGERS
DEVICES = ("cpu:0", "gpu:sim")


def samples() -> dict[str, list[Sample]]:
    """Op name -> its samples that give values, in the table's order."""
    folder = Path(__file__).resolve().parents[1] / "tests" / "ops"
    found: dict[str, list[Sample]] = {}
    for path in sorted(folder.glob("*.py")):
        for sample in importlib.import_module(f"ops.{path.stem}").SAMPLES:
            if sample.raises is None:
                found.setdefault(sample.op, []).append(sample)
    return {entry["name"]: found.get(entry["name"], []) for entry in _core.op_table()}


def _inputs(sample: Sample, dtype: str) -> list[np.ndarray] | None:
    """The sample's inputs with its floating ones, or all where it has none, in `dtype`; None where they do not fit."""
    arrays = [np.asarray(array) for array in sample.inputs]
    main = [array.dtype.name in ("float32", "float64") for array in arrays]
    if not any(main):
        return arrays if any(array.dtype.name == dtype for array in arrays) else None
    wanted = ph.ops.convert_to_tensor(np.zeros(1), dtype=dtype).numpy().dtype
    with np.errstate(all="ignore"):
        return [array.astype(wanted) if is_main else array for array, is_main in zip(arrays, main)]


def runs(sample: Sample, dtype: str, device: str) -> bool:
    """Whether a device takes a sample in a dtype."""
    arrays = _inputs(sample, dtype)
    if arrays is None:
        return False
    entry = next(entry for entry in _core.op_table() if entry["name"] == sample.op)
    try:
        with _core.DeviceScope(device):
            tensors = [_core.convert(array) for array in arrays]
            function = getattr(_core.ops, sample.op)
            result = function(tensors, **sample.attrs) if entry["variadic"] else function(*tensors, **sample.attrs)
            first = result[0] if isinstance(result, tuple) else result
            first.numpy()
    except (ValueError, TypeError, IndexError):
        return False
    return True


def supported(candidates: list[Sample], device: str) -> list[str]:
    """The dtypes in which a device takes any of the samples of an op."""
    return [dtype for dtype in DTYPES if any(runs(sample, dtype, device) for sample in candidates)]


def main() -> None:
    """Print the table."""
    print("# Which ops run in which dtypes\n")
    print(
        "Made by `tools/op_support.py` from the samples in `tests/ops`. The dtype is that of the floating inputs, or of"
    )
    print(
        "the integer ones where an op has no others. Integers that an op makes floats of before it runs count as taken."
    )
    print("f32, f64, f16, bf16: float32, float64, float16, bfloat16; i and u: integers of so many bits.\n")
    short = {"float": "f", "bfloat": "bf", "int": "i", "uint": "u"}
    names = {
        d: short[d.rstrip("0123456789")] + d.lstrip("abcdefghijklmnopqrstuvwxyz") if d != "bool" else d for d in DTYPES
    }
    print("| op | CPU | GPU |\n|---|---|---|")
    for op, candidates in samples().items():
        cells = [" ".join(names[dtype] for dtype in supported(candidates, device)) or "-" for device in DEVICES]
        print(f"| {op} | {cells[0]} | {'the same' if cells[0] == cells[1] else cells[1]} |")


if __name__ == "__main__":
    main()
