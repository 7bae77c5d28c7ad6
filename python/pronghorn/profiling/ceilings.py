"""What a device can do: the most operations and bytes a second that our own kernels reach on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pronghorn import _core, arguments
from pronghorn.training.program import dtype_of

FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})

_raw = _core.ops

# Products grow until one takes this long, or to the last size; sums likewise.
_LONG = 0.008
_PRODUCT_SIDES = (64, 128, 256, 512, 1024, 2048, 4096)
_SUM_BYTES = tuple(48 * 1024 * 4**power for power in range(7))
_BUDGET = 0.05  # seconds of repeats for each size


@dataclass(frozen=True)
class Ceilings:
    """The roofline of a device (Williams, Waterman and Patterson, 2009): no call is faster than the slower of its
    arithmetic at the rate of the best matrix product and its memory traffic at the rate of adding two arrays.

    Args:
        device: name of the device.
        description: what it is.
        threads: number of threads that computed.
        flops: dtype name -> operations a second of the best square matrix product.
        bandwidths: (bytes read and written by a call, bytes a second) pairs, by size; the last is that of memory, those
            before of caches.
        call_seconds: how long a call takes that does next to nothing.

    Example:
        >>> from pronghorn.profiling import Ceilings
        >>> machine = Ceilings("cpu:0", "", 2, {"float32": 100e9}, ((1e5, 80e9), (1e8, 10e9)), 1e-6)
        >>> machine.seconds("float32", operations=2e9, traffic=1e5), machine.bound("float32", 2e9, 1e5)
        (0.02, 'compute')
        >>> machine.seconds("float32", operations=1e6, traffic=1e8), machine.bound("float32", 1e6, 1e8)
        (0.01, 'memory')
    """

    device: str
    description: str
    threads: int
    flops: dict[str, float]
    bandwidths: tuple[tuple[float, float], ...]
    call_seconds: float

    def bandwidth(self, traffic: float) -> float:
        """Return the bytes a second that a call of so many bytes can move."""
        sizes, rates = zip(*self.bandwidths)
        # A smaller set of data fits wherever a larger one does.
        best = np.maximum.accumulate(rates[::-1])[::-1]
        return float(np.interp(math.log(max(traffic, 1.0)), np.log(sizes), best))

    def peak(self, dtype: str) -> float:
        """Return the operations a second in a dtype; in float32 for those that products are not measured in."""
        return self.flops.get(dtype, self.flops["float32"])

    def seconds(self, dtype: str, operations: float, traffic: float) -> float:
        """Return the least time of a call.

        Args:
            dtype: name of the dtype it computes in.
            operations: number of arithmetic operations.
            traffic: bytes read and written.
        """
        return max(operations / self.peak(dtype), traffic / self.bandwidth(traffic))

    def bound(self, dtype: str, operations: float, traffic: float) -> str:
        """Return what limits a call: "compute", "memory", "cache", or "overhead" where it does next to nothing."""
        if self.seconds(dtype, operations, traffic) < 2 * self.call_seconds:
            return "overhead"
        rate = self.bandwidth(traffic)
        if operations / self.peak(dtype) >= traffic / rate:
            return "compute"
        return "memory" if rate < 1.5 * self.bandwidths[-1][1] else "cache"


# (device, threads, precision of products) -> what was measured
_measured: dict[tuple[str, int, str], Ceilings] = {}


def measure_ceilings(dtypes: Iterable[str] = ()) -> Ceilings:
    """Measure the current device, in a second or so; once for each number of threads and precision of products.

    Args:
        dtypes: names of floating dtypes to measure products in, besides float32.

    Returns:
        `Ceilings`.

    Raises:
        TypeError: if `dtypes` is no list.
        ValueError: for the name of another dtype.

    Example:
        >>> from pronghorn.profiling import measure_ceilings
        >>> measure_ceilings().peak("float32") > 1e6
        True
    """
    names = arguments.list_of(dtypes, "measure_ceilings: dtypes")
    wanted = {"float32", *(arguments.one_of(name, sorted(FLOATS), "measure_ceilings: dtypes") for name in names)}
    name = _core.current_device()
    key = (name, _core.num_threads(), _core.matmul_precision())
    if key not in _measured:
        overhead = _best_seconds(_sum_of(1))
        _measured[key] = Ceilings(name, _core.device_description(name), key[1], {}, _bandwidths(overhead), overhead)
    known = _measured[key]
    missing = sorted(wanted - set(known.flops))
    if missing:
        flops = known.flops | {dtype: _peak(dtype, known.call_seconds) for dtype in missing}
        _measured[key] = replace(known, flops=flops)
    return _measured[key]


def _peak(dtype: str, overhead: float) -> float:
    found = 0.0
    for side in _PRODUCT_SIDES:
        matrix = np.resize(_numbers(), (side, side)).astype(dtype_of(dtype))
        seconds = _without(overhead, _best_seconds(_program(_raw.matmul, [matrix, matrix])))
        found = max(found, 2.0 * side**3 / seconds)
        if seconds > _LONG:
            break
    return found


def _bandwidths(overhead: float) -> tuple[tuple[float, float], ...]:
    found = []
    for size in _SUM_BYTES:
        seconds = _without(overhead, _best_seconds(_sum_of(size // 12)))
        found.append((float(size), size / seconds))
        if seconds > 4 * _LONG:
            break
    return tuple(found)


def _without(overhead: float, seconds: float) -> float:
    """What a call takes besides being made and waited for; at least half of what was measured."""
    return max(seconds - overhead, seconds / 2)


def _numbers() -> np.ndarray:
    # zeros would let some processors run faster than on data
    return np.random.default_rng(0).standard_normal(10_007, dtype=np.float32)


def _sum_of(count: int) -> Any:
    numbers = np.resize(_numbers(), count)
    return _program(_raw.add, [numbers, numbers])


def _program(op: Callable[..., Any], arrays: list[np.ndarray]) -> Any:
    variables = [_core.Variable(array) for array in arrays]
    graph = _core.Graph()
    with graph:
        graph.set_outputs([op(*[variable.read() for variable in variables])])
    return _core.compile(graph)


def _best_seconds(program: Any) -> float:
    """The least time of a program's first step."""
    best = float(program.profile([], 1)[0][0, 0])
    repeats = min(100, int(_BUDGET / (2 * max(best, 1e-9))))
    if repeats > 0:
        best = min(best, float(program.profile([], repeats)[0][:, 0].min()))
    return max(best, 1e-9)
