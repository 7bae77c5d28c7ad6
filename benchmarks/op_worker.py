"""The timed side of benchmarks/ops.py: single ops in one library, told over standard input which to run.

On a CPU calls are timed as they are. On a GPU a fixed number of calls is put into one graph (PyTorch: torch.cuda.graph;
Pronghorn: a program, which it records as a CUDA graph at its second run) and the graph's replays are timed, so that
nobody's cost of launching counts. The calls rotate among input sets that together exceed the cache.
"""

from __future__ import annotations

import functools
import importlib
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from op_cases import Case, Shape, cases
from worker import reason_of

CACHE = 150e6  # bytes: input sets together exceed it, three times the L2 cache of an H100
STRETCHES = 8
CHECKED = 64  # elements of a result that are compared


@functools.cache
def _pool(position: int) -> np.ndarray:
    return np.random.default_rng(position).standard_normal(4_000_037, dtype=np.float32)


def _numbers(shape: Shape, position: int) -> np.ndarray:
    """Random numbers, the same in every library; large arrays repeat a pool of them whose length is odd."""
    return np.resize(_pool(position), shape)


def fingerprint(result: np.ndarray) -> list[float]:
    """Some elements, the first and the last among them, and the mean magnitude of all (of a million of them)."""
    flat = result.reshape(-1)
    chosen = [0, -1, *np.random.default_rng(1).integers(flat.size, size=CHECKED)]
    spread = flat[:: max(1, flat.size // 1_000_003)]
    return [*flat[chosen].astype(np.float64).tolist(), float(np.abs(spread.astype(np.float64)).mean())]


def _plan(case: Case, tiny: bool) -> tuple[int, int]:
    """How many input sets there are, and how many calls one graph holds."""
    set_bytes = sum(math.prod(shape) for shape in case.inputs) * (2 if case.precision == "bfloat16" else 4)
    sets = 2 if tiny else max(1, min(16, math.ceil(CACHE / set_bytes)))
    guess = case.work / (200e12 if case.unit == "GFLOP/s" else 2e12)  # seconds
    calls = 2 if tiny else max(2, min(40, math.ceil(1e-3 / guess)))
    return sets, math.ceil(calls / sets) * sets


def _stretches(call: Callable[[], Any], wait: Callable[[], Any], least: float) -> list[float]:
    """Seconds a call takes, in several stretches of at least so many seconds."""
    for _ in range(3):
        call()
    wait()
    begin = time.perf_counter()
    call()
    wait()
    repeats = max(1, math.ceil(least / max(time.perf_counter() - begin, 1e-7)))
    found = []
    for _ in range(STRETCHES):
        begin = time.perf_counter()
        for _ in range(repeats):
            call()
        wait()
        found.append((time.perf_counter() - begin) / repeats)
    return found


class Torch:
    """PyTorch's ops."""

    def __init__(self, threads: int, on_gpu: bool) -> None:
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(threads)
        self.torch.set_grad_enabled(False)
        self.device = "cuda" if on_gpu else "cpu"
        self.name = self.torch.cuda.get_device_name() if on_gpu else "cpu"
        self.torch.backends.cudnn.benchmark = True

    def run(self, case: Case, tiny: bool) -> dict[str, Any]:
        """Time one case."""
        torch = self.torch
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = case.precision == "tf32"
        dtype = torch.bfloat16 if case.precision == "bfloat16" else torch.float32
        arrays = [_numbers(shape, i) for i, shape in enumerate(case.inputs)]
        count, calls = _plan(case, tiny) if self.device == "cuda" else (1, 1)
        sets = [[torch.from_numpy(array).to(self.device, dtype, copy=True) for array in arrays] for _ in range(count)]
        functions = [case.torch(torch, *tensors) for tensors in sets]
        result = functions[0]()
        result = result.permute(
            {"": tuple(range(result.ndim)), "images": (0, 2, 3, 1), "weights": (2, 3, 1, 0)}[case.layout]
        )
        check = fingerprint(result.float().cpu().numpy())
        if self.device == "cpu":
            return {"seconds": min(_stretches(functions[0], lambda: None, 2e-3)), "check": check}
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                for function in functions:
                    function()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for i in range(calls):
                functions[i % count]()
        times = [seconds / calls for seconds in _stretches(graph.replay, torch.cuda.synchronize, 5e-3)]
        del graph, functions, sets, result
        torch.cuda.empty_cache()
        return {"seconds": statistics.median(times), "times": times, "check": check, "calls": calls, "sets": count}


class Pronghorn:
    """Pronghorn's native ops."""

    def __init__(self, threads: int, on_gpu: bool) -> None:
        self.core = importlib.import_module("pronghorn._core")
        self.profiling = importlib.import_module("pronghorn.profiling")
        self.core.set_num_threads(threads)
        self.on_gpu = on_gpu
        self.name = self.core.device_description(self.core.default_device())

    def run(self, case: Case, tiny: bool) -> dict[str, Any]:
        """Time one case."""
        core = self.core
        arrays = [_numbers(shape, i) for i, shape in enumerate(case.inputs)]
        if case.precision == "bfloat16":
            bfloat16 = importlib.import_module("ml_dtypes").bfloat16
            arrays = [array.astype(bfloat16) for array in arrays]
        if self.on_gpu:
            core.set_matmul_precision("highest" if case.precision == "float32" else "high")
        ceiling = self._ceiling(case)
        if not self.on_gpu:
            call = case.ours(core.ops, *[core.convert(array) for array in arrays])
            check = fingerprint(call().numpy())
            return {"seconds": min(_stretches(call, lambda: None, 2e-3)), "check": check, "ceiling": ceiling}
        count, calls = _plan(case, tiny)
        sets = [[core.Variable(array) for array in arrays] for _ in range(count)]
        eager = case.ours(core.ops, *[variable.read() for variable in sets[0]])().numpy()

        def result(i: int) -> Any:
            return case.ours(core.ops, *[variable.read() for variable in sets[i % count]])()

        # A program keeps only what its outputs need: the first element of each result. What taking it costs is timed
        # alone and taken off.
        program = self._program(result, calls)
        firsts = program.run([])[0].numpy()
        if any(first != eager.flat[0] for first in firsts):
            raise ValueError("the program computes something else than the call")
        bare = self._program(lambda i: sets[i % count][0].read(), calls)
        least = 0.0 if tiny else 5e-3
        totals, alone = self._times(program, least), statistics.median(self._times(bare, least))
        times = [(total - alone) / calls for total in totals]
        steps = [line.strip() for line in program.text().splitlines()]
        return {
            "seconds": max(statistics.median(times), 1e-9),
            "times": times,
            "taking_off": alone / calls,
            "check": fingerprint(eager),
            "ceiling": ceiling,
            "calls": calls,
            "sets": count,
            "step": steps[0],
        }

    def _ceiling(self, case: Case) -> float:
        """The best speed of our products, or of adding arrays of the same size."""
        dtype = "bfloat16" if case.precision == "bfloat16" else "float32"
        found = self.profiling.measure_ceilings([dtype])
        return (found.peak(dtype) if case.unit == "GFLOP/s" else found.bandwidth(case.work)) * 1e-9

    def _program(self, result: Callable[[int], Any], calls: int) -> Any:
        ops, graph = self.core.ops, self.core.Graph()
        with graph:
            firsts = []
            for i in range(calls):
                tensor = result(i)
                rank = len(tensor.shape)
                first = ops.slice(tensor, begin=(0,) * rank, size=(1,) * rank, strides=(1,) * rank)
                firsts.append(ops.reshape(first, shape=(1,)))
            graph.set_outputs([ops.concatenate(firsts, axis=0)])
        return self.core.compile(graph)

    def _times(self, program: Any, least: float) -> list[float]:
        latest: list[Any] = []

        def replay() -> None:
            latest[:] = program.run([])

        return _stretches(replay, lambda: latest[0].numpy(), least)


def main() -> None:
    """Answer commands, one JSON list a line, until standard input ends."""
    library, settings = sys.argv[1], json.loads(sys.argv[2])
    device, tiny = settings["device"], settings["tiny"]
    os.environ["PRONGHORN_PASSES"] = "dead_code"  # equal calls stay as many as they are
    os.environ["PRONGHORN_STEPS"] = "serial"  # and wait for each other
    ours = library == "pronghorn"
    on_gpu = device == "gpu" and (ours or settings["peer_device"] == "gpu")
    worker: Any = (Pronghorn if ours else Torch)(settings["threads"], on_gpu)
    known = cases(device, tiny)
    print("@" + json.dumps({"ready": worker.name}), flush=True)
    for line in sys.stdin:
        try:
            answer = worker.run(known[json.loads(line)[1]], tiny)
        except Exception as error:  # the other cases may work
            answer = {"failed": reason_of(error)}
        print("@" + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
