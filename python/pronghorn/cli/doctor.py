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
    "PRONGHORN_STEPS",
    "PRONGHORN_KERNEL",
    "PRONGHORN_VERBOSE",
    "PRONGHORN_GPU_DEBUG",
    "PRONGHORN_SIMULATOR",
)


def doctor() -> int:
    """Print versions, devices and settings, and check some calls on every device; return the exit status."""
    facts = {
        "pronghorn": pronghorn.__version__,
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "NumPy": np.__version__,
        "native core": _core.__file__,
        "CPU level": f"{_core.cpu_level()} (built: {', '.join(_core.cpu_levels())})",
        "threads": str(_core.num_threads()),
        "default device": _default_device(),
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
    verdicts = {device: _verdict(device) for device in _core.devices()}
    for device, verdict in verdicts.items():
        print(f"{'self-check':<14} {device}: {verdict or 'agrees with NumPy'}")
    return 1 if any(verdicts.values()) else 0


def _verdict(device: str) -> str:
    """What is wrong with a device's results; empty where nothing is."""
    try:
        wrong = [name for name, agrees in _checks(device).items() if not agrees]
    except (MemoryError, RuntimeError, ValueError) as error:
        return f"FAILED: {error}"
    return f"WRONG results of {', '.join(wrong)}" if wrong else ""


def _default_device() -> str:
    try:
        return _core.default_device()
    except ValueError as error:
        return f"none: {error}"


def _checks(name: str) -> dict[str, bool]:
    """Small calls on a device, and whether each gives what NumPy gives."""
    left = np.arange(35, dtype="float32").reshape(5, 7)
    other = np.arange(21, dtype="float32").reshape(7, 3)
    image = np.arange(32, dtype="float32").reshape(1, 4, 4, 2)
    with pronghorn.device(name):
        calls = {
            "matmul": (ops.matmul(left, other), left @ other),
            "conv": (
                ops.conv(image, np.ones((4, 4, 2, 1), "float32"), padding="valid"),
                image.sum().reshape(1, 1, 1, 1),
            ),
            "softmax": (ops.softmax(np.zeros((3, 4), "float32")), np.full((3, 4), 0.25)),
            "sum": (ops.sum(left, axis=0), left.sum(axis=0)),
            "add": (ops.add(left, 1.0), left + 1),
        }
    return {check: np.array_equal(ops.convert_to_numpy(result), wanted) for check, (result, wanted) in calls.items()}
