"""Runs the op samples on the simulator's device or a GPU, for a sanitizer to watch: in float32, nothing compared.

tests/test_ops.py compares, but pytest is slow under the thread sanitizer. Samples of more than MOST elements, inputs
and results together, are left out; with --one only the largest sample of each op that remains is run, as each CUDA
thread is a thread to that sanitizer and slow to make.

Usage: python tests/cuda/run_samples.py MOST [--one] [--device gpu:sim] [--ops OP ...]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pronghorn import _core
from test_ops import VALUES, _call, _inputs


def elements(sample) -> int:
    """Of inputs and results, as the CPU computes them."""
    inputs = _inputs(sample, "float32")
    with _core.DeviceScope("cpu:0"):
        results = _call(sample, [_core.convert(x) for x in inputs])
        return sum(np.size(x) for x in [*inputs, *(result.numpy() for result in results)])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("most", type=int)
    parser.add_argument("--one", action="store_true")
    parser.add_argument("--device", default="gpu:sim")
    parser.add_argument("--ops", nargs="+", default=sorted({sample.op for sample in VALUES}))
    arguments = parser.parse_args()
    sizes = [(elements(sample), sample) for sample in VALUES if sample.op in arguments.ops]
    chosen = sorted([each for each in sizes if 0 < each[0] <= arguments.most], key=lambda each: each[0])
    if arguments.one:
        chosen = list({sample.op: (size, sample) for size, sample in chosen}.values())
    assert chosen, "no sample is that small"

    began = time.time()
    with _core.DeviceScope(arguments.device):
        for _, sample in chosen:
            for result in _call(sample, [_core.convert(x) for x in _inputs(sample, "float32")]):
                result.numpy()
    ops, largest = len({sample.op for _, sample in chosen}), max(size for size, _ in chosen)
    print(f"{len(chosen)} samples of {ops} ops, up to {largest} elements, ran in {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
