"""The timed side of benchmarks/ops.py: single ops in one library, told over standard input which to run."""

from __future__ import annotations

import importlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Shape = tuple[int, ...]
# given the library's ops and the inputs as its tensors, the call to time
Factory = Callable[..., Callable[[], Any]]


@dataclass(frozen=True)
class Case:
    """One call, and how much work it is.

    Args:
        work: operations, or bytes that must at least be read and written.
        unit: of work in 1e9 a second.
        inputs: shapes of float32 inputs.
        ours, torch: make the call.
    """

    work: float
    unit: str
    inputs: tuple[Shape, ...]
    ours: Factory
    torch: Factory


def _product(m: int, n: int, k: int, turned: str = "") -> Case:
    turn_a, turn_b = turned == "a", turned == "b"
    return Case(
        2.0 * m * n * k,
        "GFLOP/s",
        ((k, m) if turn_a else (m, k), (n, k) if turn_b else (k, n)),
        lambda ops, a, b: lambda: ops.matmul(a, b, transpose_a=turn_a, transpose_b=turn_b),
        lambda torch, a, b: lambda: torch.mm(a.t() if turn_a else a, b.t() if turn_b else b),
    )


def _conv(x: Shape, kernel: Shape, padding: str, which: str) -> Case:
    taken = kernel[0] - 1 if padding == "valid" else 0
    y = (x[0], x[1] - taken, x[2] - taken, kernel[3])
    inputs = {"forward": (x, kernel), "input": (y, kernel), "kernel": (x, y)}[which]

    def ours(ops: Any, first: Any, second: Any) -> Callable[[], Any]:
        if which == "forward":
            return lambda: ops.conv2d(first, second, padding=padding)
        if which == "input":
            return lambda: ops.conv2d_input_grad(first, second, padding=padding, size=x[1:3])
        return lambda: ops.conv2d_kernel_grad(first, second, padding=padding, size=kernel[:2])

    def theirs(torch: Any, first: Any, second: Any) -> Callable[[], Any]:
        def images(t: Any) -> Any:
            return t.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

        def weights(t: Any) -> Any:
            return t.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)

        border = kernel[0] // 2 if padding == "same" else 0
        if which == "forward":
            a, w = images(first), weights(second)
            return lambda: torch.nn.functional.conv2d(a, w, padding=border)
        if which == "input":
            d, w, a = images(first), weights(second), images(torch.zeros(x))
            mask = [True, False, False]
        else:
            d, w, a = images(second), weights(torch.zeros(kernel)), images(first)
            mask = [False, True, False]
        ones, zeros = [1, 1], [0, 0]
        return lambda: torch.ops.aten.convolution_backward(
            d, a, w, None, ones, [border, border], ones, False, zeros, 1, mask
        )

    work = 2.0 * math.prod(y) * math.prod(kernel[:3])
    return Case(work, "GFLOP/s", inputs, ours, theirs)


def _memory(inputs: tuple[Shape, ...], result: Shape, ours: Factory, torch: Factory) -> Case:
    bytes_moved = 4.0 * (sum(math.prod(shape) for shape in inputs) + math.prod(result))
    return Case(bytes_moved, "GB/s", inputs, ours, torch)


def _unary(name: str, shape: Shape) -> Case:
    return _memory(
        (shape,), shape, lambda ops, x: lambda: getattr(ops, name)(x), lambda torch, x: lambda: getattr(torch, name)(x)
    )


def _binary(name: str, theirs: str, shape: Shape, other: Shape) -> Case:
    return _memory(
        (shape, other),
        shape,
        lambda ops, x, y: lambda: getattr(ops, name)(x, y),
        lambda torch, x, y: lambda: getattr(torch, theirs)(x, y),
    )


def _sum(shape: Shape, axis: int) -> Case:
    result = tuple(size for i, size in enumerate(shape) if i != axis)
    return _memory(
        (shape,),
        result,
        lambda ops, x: lambda: ops.reduce_sum(x, axes=(axis,)),
        lambda torch, x: lambda: torch.sum(x, dim=axis),
    )


def _softmax(shape: Shape) -> Case:
    return _memory(
        (shape,), shape, lambda ops, x: lambda: ops.softmax(x), lambda torch, x: lambda: torch.softmax(x, dim=-1)
    )


def _transpose(shape: Shape) -> Case:
    return _memory(
        (shape,),
        shape,
        lambda ops, x: lambda: ops.transpose(x, axes=(1, 0)),
        lambda torch, x: lambda: x.t().contiguous(),
    )


def _layer_norm(shape: Shape) -> Case:
    width = shape[-1:]
    return _memory(
        (shape, width, width),
        shape,
        lambda ops, x, gamma, beta: lambda: ops.layer_norm(x, gamma, beta),
        lambda torch, x, gamma, beta: lambda: torch.nn.functional.layer_norm(x, width, gamma, beta),
    )


def _batch_norm(shape: Shape) -> Case:
    channels = shape[-1:]

    def theirs(torch: Any, x: Any, gamma: Any, beta: Any) -> Callable[[], Any]:
        images = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        return lambda: torch.nn.functional.batch_norm(images, None, None, gamma, beta, training=True)

    return _memory(
        (shape, channels, channels),
        shape,
        lambda ops, x, gamma, beta: lambda: ops.batch_norm_train(x, gamma, beta),
        theirs,
    )


def _max_pool(shape: Shape) -> Case:
    def theirs(torch: Any, x: Any) -> Callable[[], Any]:
        images = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        return lambda: torch.nn.functional.max_pool2d(images, 2)

    result = (shape[0], shape[1] // 2, shape[2] // 2, shape[3])
    return _memory((shape,), result, lambda ops, x: lambda: ops.max_pool2d(x), theirs)


_PRODUCTS = [
    (32, 32, 784),
    (32, 10, 32),
    (128, 512, 784),
    (128, 512, 512),
    (128, 10, 512),
    (128, 10, 1600),
    (64, 512, 128),
    (4096, 512, 32),
    *[(size, size, size) for size in (32, 64, 128, 256, 512, 1024, 2048)],
]
_CONVOLUTIONS: list[tuple[Shape, Shape, str]] = [
    ((128, 28, 28, 1), (3, 3, 1, 32), "valid"),
    ((128, 13, 13, 32), (3, 3, 32, 64), "valid"),
    ((128, 32, 32, 3), (3, 3, 3, 16), "same"),
    ((128, 32, 32, 16), (3, 3, 16, 16), "same"),
    ((128, 16, 16, 32), (3, 3, 32, 32), "same"),
    ((128, 8, 8, 64), (3, 3, 64, 64), "same"),
]


def _cases() -> Iterator[tuple[str, Case]]:
    for m, n, k in _PRODUCTS:
        for turned, mark in (("", ""), ("b", " b^T"), ("a", " a^T")):
            yield f"matmul {m}x{n}x{k}{mark}", _product(m, n, k, turned)
    for x, kernel, padding in _CONVOLUTIONS:
        for which in ("forward", "input", "kernel"):
            if which != "input" or x[3] > 3:
                name = "x".join(map(str, x[1:]))
                yield f"conv 3x3 {name}->{kernel[3]} {which}", _conv(x, kernel, padding, which)
    for shape in ((128, 512), (4096, 512)):
        size = "x".join(map(str, shape))
        for name in ("relu", "exp", "tanh", "sigmoid", "erf"):
            yield f"{name} {size}", _unary(name, shape)
        yield f"add {size}", _binary("add", "add", shape, shape)
        yield f"add row {size}", _binary("add", "add", shape, shape[1:])
        yield f"divide {size}", _binary("divide", "div", shape, shape)
        yield f"sum over rows {size}", _sum(shape, 0)
        yield f"sum over columns {size}", _sum(shape, 1)
        yield f"softmax {size}", _softmax(shape)
        yield f"transpose {size}", _transpose(shape)
        yield f"layer norm {size}", _layer_norm(shape)
    yield "softmax 128x10", _softmax((128, 10))
    yield "batch norm 128x16x16x32", _batch_norm((128, 16, 16, 32))
    yield "max pool 128x26x26x32", _max_pool((128, 26, 26, 32))


CASES: dict[str, Case] = dict(_cases())


def _tensors(library: str, threads: int, case: Case) -> tuple[Any, list[Any], Factory]:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype("float32") for shape in case.inputs]
    if library == "torch":
        torch = importlib.import_module("torch")
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        return torch, [torch.from_numpy(array) for array in arrays], case.torch
    core = importlib.import_module("pronghorn._core")
    core.set_num_threads(threads)
    return core.ops, [core.convert(array) for array in arrays], case.ours


def _best_seconds(call: Callable[[], Any]) -> float:
    """The best of several stretches of about 2 ms, per call."""
    call()
    begin = time.perf_counter()
    call()
    repeats = max(1, int(2e-3 / max(time.perf_counter() - begin, 1e-7)))
    best = math.inf
    for _ in range(8):
        begin = time.perf_counter()
        for _ in range(repeats):
            call()
        best = min(best, (time.perf_counter() - begin) / repeats)
    return best


def main() -> None:
    """Answer commands, one JSON list a line, until standard input ends."""
    library, threads = sys.argv[1], int(sys.argv[2])
    importlib.import_module("torch" if library == "torch" else "pronghorn._core")
    print('@"ready"', flush=True)
    for line in sys.stdin:
        case = CASES[json.loads(line)[1]]
        module, tensors, factory = _tensors(library, threads, case)
        seconds = _best_seconds(factory(module, *tensors))
        print("@" + json.dumps(case.work / seconds * 1e-9), flush=True)


if __name__ == "__main__":
    main()
