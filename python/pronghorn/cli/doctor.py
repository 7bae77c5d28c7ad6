"""`pronghorn doctor`: what this installation runs on."""

from __future__ import annotations

import os
import platform

import numpy as np

import pronghorn
from pronghorn import _core, config, ops

# Variables that change how programs are made and run.
_SWITCHES = (
    "PRONGHORN_DEVICE",
    "PRONGHORN_CPU",
    "PRONGHORN_NUM_THREADS",
    "PRONGHORN_PASSES",
    "PRONGHORN_PLAN",
    "PRONGHORN_KERNEL",
    "PRONGHORN_VERBOSE",
    "PRONGHORN_GPU_DEBUG",
)


def doctor() -> int:
    """Print versions, instruction-set level and threads, and check one product; return the exit status."""
    facts = {
        "pronghorn": pronghorn.__version__,
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "NumPy": np.__version__,
        "native core": _core.__file__,
        "CPU level": f"{_core.cpu_level()} (built: {', '.join(_core.cpu_levels())})",
        "threads": str(_core.num_threads()),
        "default device": _core.default_device(),
    }
    for device in _core.devices():
        facts[device] = _core.device_description(device)
    if not config.list_devices("gpu"):
        facts["gpu"] = f"none can be used: {_core.why_no_gpu()}"
    for switch in _SWITCHES:
        if switch in os.environ:
            facts[switch] = os.environ[switch]
    for name, value in facts.items():
        print(f"{name:<14} {value}")
    left = np.arange(35, dtype="float32").reshape(5, 7)
    right = np.arange(21, dtype="float32").reshape(7, 3)
    right_answer = np.array_equal(ops.convert_to_numpy(ops.matmul(left, right)), left @ right)
    print(f"{'self-check':<14} {'matmul agrees with NumPy' if right_answer else 'matmul gives WRONG results'}")
    return 0 if right_answer else 1
