"""Runs the op samples once on the simulator's device, for a sanitizer to watch: those of few elements, forward only.

Results are not compared: tests/test_ops.py does, and pytest is slow under the thread sanitizer. Samples are taken in
float32. Usage: python tests/cuda/run_samples.py MOST_ELEMENTS [OP ...]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pronghorn import _core
from test_ops import VALUES, _call, _inputs


def main() -> None:
    most, ops = int(sys.argv[1]), set(sys.argv[2:])
    began, runs = time.time(), 0
    with _core.DeviceScope("gpu:sim"):
        for sample in VALUES:
            inputs = _inputs(sample, "float32")
            size = sum(np.size(x) for x in inputs)
            if size > most or (ops and sample.op not in ops):
                continue
            results = _call(sample, [_core.convert(x) for x in inputs])
            if sum(np.size(result.numpy()) for result in results) > 0:
                runs += 1
    assert runs, "no sample is that small"
    print(f"{runs} samples of at most {most} elements ran, in {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
