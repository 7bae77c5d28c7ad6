"""Times every kernel of matmul and of the convolutions that takes a case: what the rules that choose should choose.

One line a case, microseconds of each variant, the fastest first; * marks the one that is chosen by default. What says
most comes first, so that a deadline cuts off what says least.

    python benchmarks/gpu/tune.py --device gpu:0 --deadline 60 --rows tune.jsonl
    PRONGHORN_SIMULATOR=libpronghorn_sim.so python benchmarks/gpu/tune.py --device gpu:sim --tiny
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from pronghorn import _core as core

STRETCHES = 5
SLOW = 6  # times the best so far: not worth a graph
LEFT_OUT = ("reference", "tf32x3")  # beginnings of names
BYTES = 100e6  # of input sets, among which calls rotate


@dataclass(frozen=True)
class Case:
    """An op on inputs of these shapes, of so many operations."""

    name: str
    op: str
    precision: str
    inputs: tuple[tuple[int, ...], ...]
    work: float
    attributes: dict[str, Any]


def product(m: int, n: int, k: int, turned: str, precision: str) -> Case:
    """A matmul, "a" or "b" turned."""
    a, b = ((k, m) if turned == "a" else (m, k)), ((n, k) if turned == "b" else (k, n))
    attributes = {"transpose_a": turned == "a", "transpose_b": turned == "b"}
    mark = f" {turned}^T" if turned else ""
    return Case(f"matmul {m}x{n}x{k}{mark} {precision}", "matmul", precision, (a, b), 2.0 * m * n * k, attributes)


def convolution(batch: int, side: int, channels: int, filters: int, which: str, precision: str) -> Case:
    """A pass of a 3 x 3 convolution of square images with borders of zeros."""
    x, y, kernel = (batch, side, side, channels), (batch, side, side, filters), (3, 3, channels, filters)
    op, inputs, size = {
        "forward": ("conv2d", (x, kernel), None),
        "input": ("conv2d_input_grad", (y, kernel), (side, side)),
        "kernel": ("conv2d_kernel_grad", (x, y), (3, 3)),
    }[which]
    name = f"conv {batch}x{side}x{side}x{channels}->{filters} {which} {precision}"
    attributes = {"padding": "same"} | ({"size": size} if size else {})
    return Case(name, op, precision, inputs, 2.0 * math.prod(y) * 9 * channels, attributes)


def cases(tiny: bool) -> Iterator[Case]:
    """In the order of what they say."""
    if tiny:
        yield from (product(24, 40, 16, turned, precision) for turned in ("", "a") for precision in PRECISIONS)
        yield from (convolution(2, 4, 8, 8, which, precision) for which in PASSES for precision in PRECISIONS)
        return
    yield from (product(side, side, side, "", precision) for side in (4096, 1024) for precision in PRECISIONS)
    for side, width in ((28, 128), (56, 64), (7, 512), (14, 256)):
        yield from (convolution(128, side, width, width, which, p) for p in PRECISIONS for which in PASSES)
    layers = [(128, 512, 784, ""), (1024, 512, 784, ""), (1024, 512, 512, "b"), (784, 512, 1024, "a")]
    layers += [(128, 512, 512, "b"), (784, 512, 128, "a"), (2048, 2048, 2048, ""), (4096, 4096, 4096, "b")]
    layers += [
        (4096, 4096, 4096, "a"),
        (512, 512, 512, ""),
        (128, 10, 512, ""),
        (512, 10, 128, "a"),
        (128, 512, 10, "b"),
    ]
    yield from (product(*layer, precision) for layer in layers for precision in PRECISIONS)
    for side, width in ((32, 16), (16, 32), (8, 64)):
        yield from (convolution(128, side, width, width, which, p) for p in PRECISIONS for which in PASSES)
    yield from (product(8192, 8192, 8192, "", precision) for precision in PRECISIONS)


PASSES = ("forward", "input", "kernel")
PRECISIONS = ("tf32", "bfloat16")


class Timing:
    """A case's inputs on the device, and what its op's variants take."""

    def __init__(self, case: Case, tiny: bool) -> None:
        self.case, self.tiny = case, tiny
        dtype = ml_dtypes.bfloat16 if case.precision == "bfloat16" else np.dtype("float32")
        arrays = [np.resize(pool(i).astype(dtype), shape) for i, shape in enumerate(case.inputs)]
        count = 1 if tiny else max(1, min(4, int(BYTES / sum(array.nbytes for array in arrays))))
        self.sets = [[core.Variable(array) for array in arrays] for _ in range(count)]

    def result(self, i: int) -> Any:
        """Of call i."""
        inputs = [variable.read() for variable in self.sets[i % len(self.sets)]]
        return getattr(core.ops, self.case.op)(*inputs, **self.case.attributes)

    def alone(self) -> float:
        """Seconds of one call, its launch and its result's way to the host counted."""
        for _ in range(2):
            begin = time.perf_counter()
            first_of(self.result(0)).numpy()
            seconds = time.perf_counter() - begin
        return seconds

    def replayed(self, guess: float) -> float:
        """Seconds of one call among many in a graph."""
        calls = 2 if self.tiny else max(2, min(40, math.ceil(1e-3 / guess)))
        program, bare = (compiled(result, calls) for result in (self.result, lambda i: self.sets[0][0].read()))
        least = 0.0 if self.tiny else 2e-3
        return max(stretches(program, least) - stretches(bare, least), 1e-9) / calls


def pool(position: int) -> np.ndarray:
    """Random numbers that inputs repeat."""
    return np.random.default_rng(position).standard_normal(1_000_003, dtype=np.float32)


def first_of(tensor: Any) -> Any:
    """The first element, of rank 1."""
    ones = (1,) * len(tensor.shape)
    return core.ops.reshape(core.ops.slice(tensor, begin=(0,) * len(ones), size=ones, strides=ones), shape=(1,))


def compiled(result: Callable[[int], Any], calls: int) -> Any:
    """A program of so many calls, which keeps the first element of each result."""
    graph = core.Graph()
    with graph:
        graph.set_outputs([core.ops.concatenate([first_of(result(i)) for i in range(calls)], axis=0)])
    return core.compile(graph)


def stretches(program: Any, least: float) -> float:
    """Seconds of one run: the median of stretches of at least so many seconds."""
    for _ in range(3):  # the second is recorded, the third replays it
        begin = time.perf_counter()
        program.run([])[0].numpy()
    repeats = max(1, math.ceil(least / max(time.perf_counter() - begin, 1e-7)))
    found = []
    for _ in range(STRETCHES):
        begin = time.perf_counter()
        for _ in range(repeats):
            outputs = program.run([])
        outputs[0].numpy()
        found.append((time.perf_counter() - begin) / repeats)
    return statistics.median(found)


def tune(case: Case, tiny: bool, variants: list[str], until: float) -> dict[str, Any]:
    """Variant -> microseconds; None where it is slow; those that refuse the case are left out."""
    core.set_matmul_precision("high")
    timing = Timing(case, tiny)
    found: dict[str, float | None] = {}
    best, failed = math.inf, {}
    default = ""  # the first that takes the case
    for variant in variants:
        if time.perf_counter() > until:
            break
        os.environ["PRONGHORN_KERNEL"] = f"{case.op}:{variant}"
        try:
            alone = timing.alone()
        except ValueError as error:
            if "refused" not in str(error):
                failed[variant] = str(error)
            continue
        default = default or variant
        if alone > SLOW * best + 1e-3 and not tiny:
            found[variant] = None
            continue
        try:
            found[variant] = 1e6 * timing.replayed(alone)
        except (ValueError, RuntimeError) as error:
            failed[variant] = str(error)
            continue
        best = min(best, found[variant] * 1e-6)
    os.environ.pop("PRONGHORN_KERNEL", None)
    return {"name": case.name, "op": case.op, "microseconds": found, "failed": failed, "default": default}


def line_of(row: dict[str, Any], work: float) -> str:
    """What is printed of a case."""
    timed = {variant: us for variant, us in row["microseconds"].items() if us is not None}
    parts = [
        f"{'*' if variant == row['default'] else ''}{variant} {us:.1f}"
        for variant, us in sorted(timed.items(), key=lambda item: item[1])
    ]
    parts += [f"{variant} FAILED: {text}" for variant, text in row["failed"].items()]
    speed = f"{work / min(timed.values()) * 1e-6:.0f} TFLOP/s" if timed else "nothing"
    return f"{row['name']}: {speed}; " + ", ".join(parts)


def main() -> None:
    """Time the cases until the deadline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="gpu:0")
    parser.add_argument("--deadline", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose names contain it")
    parser.add_argument("--variants", nargs="*", default=[], help="these alone; else all but reference and tf32x3")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="JSON lines are appended to it")
    parser.add_argument("--tiny", action="store_true", help="small cases, to try the program itself")
    arguments = parser.parse_args()
    os.environ["PRONGHORN_PASSES"] = "dead_code"  # equal calls stay as many as they are
    os.environ["PRONGHORN_STEPS"] = "serial"  # and wait for each other
    until = time.perf_counter() + arguments.deadline
    with core.DeviceScope(arguments.device):
        kernels = {entry["name"]: entry["kernels"] for entry in core.op_table()}
        for case in cases(arguments.tiny):
            if arguments.only not in case.name or time.perf_counter() > until:
                continue
            variants = [
                variant
                for variant in kernels[case.op]
                if (variant in arguments.variants if arguments.variants else not variant.startswith(LEFT_OUT))
            ]
            row = tune(case, arguments.tiny, variants, until)
            print(line_of(row, case.work), flush=True)
            if arguments.rows:
                with arguments.rows.open("a") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
