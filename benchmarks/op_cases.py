"""The calls that benchmarks/ops.py times: one case is one op on inputs of given shapes, in Pronghorn and in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

Shape = tuple[int, ...]
# given the library's ops and the inputs as its tensors, the call to time
Factory = Callable[..., Callable[[], Any]]

EPSILON = 1e-3  # of normalizations


@dataclass(frozen=True)
class Case:
    """One call, and how much work it is.

    Args:
        work: operations, or bytes that must at least be read and written.
        unit: of work in 1e9 a second.
        inputs: shapes of the inputs.
        ours, torch: make the call.
        layout: how PyTorch's result lies beside ours: "" alike, "images" (NCHW for NHWC), "weights" (OIHW for HWIO).
        precision: "float32", "tf32" (both of float32 inputs) or "bfloat16" (of inputs of that type).
    """

    work: float
    unit: str
    inputs: tuple[Shape, ...]
    ours: Factory
    torch: Factory
    layout: str = ""
    precision: str = "float32"


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
    groups = x[3] // kernel[2]
    inputs = {"forward": (x, kernel), "input": (y, kernel), "kernel": (x, y)}[which]

    def ours(ops: Any, first: Any, second: Any) -> Callable[[], Any]:
        if which == "forward":
            return lambda: ops.conv2d(first, second, padding=padding, groups=groups)
        if which == "input":
            return lambda: ops.conv2d_input_grad(first, second, padding=padding, groups=groups, size=x[1:3])
        return lambda: ops.conv2d_kernel_grad(first, second, padding=padding, groups=groups, size=kernel[:2])

    def theirs(torch: Any, first: Any, second: Any) -> Callable[[], Any]:
        def images(t: Any) -> Any:
            return t.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

        def weights(t: Any) -> Any:
            return t.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)

        border = kernel[0] // 2 if padding == "same" else 0
        if which == "forward":
            a, w = images(first), weights(second)
            return lambda: torch.nn.functional.conv2d(a, w, padding=border, groups=groups)
        if which == "input":
            d, w, a = images(first), weights(second), images(first.new_zeros(x))
            mask = [True, False, False]
        else:
            d, w, a = images(second), weights(first.new_zeros(kernel)), images(first)
            mask = [False, True, False]
        ones, zeros = [1, 1], [0, 0]
        return lambda: torch.ops.aten.convolution_backward(
            d, a, w, None, ones, [border, border], ones, False, zeros, groups, mask
        )[mask.index(True)]

    work = 2.0 * math.prod(y) * math.prod(kernel[:3])
    return Case(work, "GFLOP/s", inputs, ours, theirs, "weights" if which == "kernel" else "images")


def _memory(inputs: tuple[Shape, ...], result: Shape, ours: Factory, torch: Factory, layout: str = "") -> Case:
    bytes_moved = 4.0 * (sum(math.prod(shape) for shape in inputs) + math.prod(result))
    return Case(bytes_moved, "GB/s", inputs, ours, torch, layout)


def _in_bfloat16(case: Case) -> Case:
    return replace(case, work=case.work / 2 if case.unit == "GB/s" else case.work, precision="bfloat16")


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
        lambda ops, x, gamma, beta: lambda: ops.layer_norm(x, gamma, beta, epsilon=EPSILON)[0],
        lambda torch, x, gamma, beta: lambda: torch.nn.functional.layer_norm(x, width, gamma, beta, EPSILON),
    )


def _batch_norm(shape: Shape) -> Case:
    channels = shape[-1:]

    def theirs(torch: Any, x: Any, gamma: Any, beta: Any) -> Callable[[], Any]:
        images = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        return lambda: torch.nn.functional.batch_norm(images, None, None, gamma, beta, training=True, eps=EPSILON)

    return _memory(
        (shape, channels, channels),
        shape,
        lambda ops, x, gamma, beta: lambda: ops.batch_norm_train(x, gamma, beta, epsilon=EPSILON)[0],
        theirs,
        "images",
    )


def _max_pool(shape: Shape) -> Case:
    def theirs(torch: Any, x: Any) -> Callable[[], Any]:
        images = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        return lambda: torch.nn.functional.max_pool2d(images, 2)

    result = (shape[0], shape[1] // 2, shape[2] // 2, shape[3])
    return _memory((shape,), result, lambda ops, x: lambda: ops.max_pool2d(x), theirs, "images")


def _lstm(batch: int, steps: int, features: int, units: int, which: str) -> Case:
    """A layer with its input's product; "gradient": that of its three weights."""
    x, kernel, recurrent = (batch, steps, features), (features, 4 * units), (units, 4 * units)
    rows = batch * steps

    def ours(ops: Any, x: Any, kernel: Any, recurrent: Any, dhidden: Any) -> Callable[[], Any]:
        kernel, recurrent = ops.multiply(kernel, features**-0.5), ops.multiply(recurrent, units**-0.5)
        start = ops.full(shape=(batch, units), dtype="float32", value=0)
        x_rows = ops.reshape(x, shape=(rows, features))

        def forward() -> Any:
            projected = ops.reshape(ops.matmul(x_rows, kernel), shape=(batch, steps, 4 * units))
            return ops.lstm(projected, recurrent, start, start)

        def gradient() -> Any:
            dprojected = ops.reshape(ops.lstm_grad(recurrent, start, cells, gates, dhidden)[0], shape=(rows, 4 * units))
            first = ops.reshape(start, shape=(batch, 1, units))
            others = ops.slice(hidden, begin=(0, 0, 0), size=(batch, steps - 1, units), strides=(1, 1, 1))
            previous = ops.reshape(ops.concatenate([first, others], axis=1), shape=(rows, units))
            ops.matmul(x_rows, dprojected, transpose_a=True)
            ops.reduce_sum(dprojected, axes=(0,))
            return ops.matmul(previous, dprojected, transpose_a=True)

        if which == "forward":
            return lambda: forward()[0]
        hidden, cells, gates = forward()
        return gradient

    def theirs(torch: Any, x: Any, kernel: Any, recurrent: Any, dhidden: Any) -> Callable[[], Any]:
        layer = torch.nn.LSTM(features, units, batch_first=True).to(x.device)
        with torch.no_grad():
            layer.weight_ih_l0.copy_(kernel.t() * features**-0.5)
            layer.weight_hh_l0.copy_(recurrent.t() * units**-0.5)
            layer.bias_ih_l0.zero_()
            layer.bias_hh_l0.zero_()
        if which == "forward":
            return lambda: layer(x)[0]
        with torch.enable_grad():
            hidden = layer(x)[0]
        weights = [layer.weight_hh_l0, layer.weight_ih_l0, layer.bias_ih_l0]
        return lambda: torch.autograd.grad(hidden, weights, dhidden, retain_graph=True)[0].t()

    work = 2.0 * rows * 4 * units * (features + units + (units if which == "gradient" else 0))
    return Case(work, "GFLOP/s", (x, kernel, recurrent, (batch, steps, units)), ours, theirs)


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
    ((16, 56, 56, 128), (3, 3, 1, 128), "same"),
    ((16, 14, 14, 512), (3, 3, 1, 512), "same"),
]


def _cpu_cases() -> Iterator[tuple[str, Case]]:
    for m, n, k in _PRODUCTS:
        for turned, mark in (("", ""), ("b", " b^T"), ("a", " a^T")):
            yield f"matmul {m}x{n}x{k}{mark}", _product(m, n, k, turned)
    for x, kernel, padding in _CONVOLUTIONS:
        for which in ("forward", "input", "kernel"):
            if which != "input" or x[3] > 3:
                kind = "depthwise" if kernel[2] < x[3] else "conv"
                name = "x".join(map(str, x[1:]))
                yield f"{kind} 3x3 {name}->{kernel[3]} {which}", _conv(x, kernel, padding, which)
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
    for which in ("forward", "gradient"):
        yield f"lstm 64x64x32->128 {which}", _lstm(64, 64, 32, 128, which)


# ResNet's 3 x 3 convolutions of 224 x 224 images, its first layer's width at stride 1, and a depthwise one
_GPU_CONVOLUTIONS: list[tuple[Shape, Shape]] = [
    ((128, 56, 56, 64), (3, 3, 64, 64)),
    ((128, 28, 28, 128), (3, 3, 128, 128)),
    ((128, 14, 14, 256), (3, 3, 256, 256)),
    ((128, 7, 7, 512), (3, 3, 512, 512)),
    ((128, 64, 64, 3), (3, 3, 3, 64)),
    ((128, 56, 56, 128), (3, 3, 1, 128)),
]
_WHOLE, _IMAGES = (65536, 1024), (128, 56, 56, 256)  # 256 MiB and 392 MiB of float32: far more than a cache holds


def _gpu_cases(fit: Callable[[Shape], Shape]) -> Iterator[tuple[str, Case]]:
    """What a GPU is asked, named by the true shapes, of the shapes that `fit` makes of them; first what tells most."""

    def product(m: int, n: int, k: int, turned: str, precision: str) -> tuple[str, Case]:
        rows, columns, depth = fit((m, n, k))
        case = _product(rows, columns, depth, turned)
        mark = {"": "", "a": " a^T", "b": " b^T"}[turned]
        return f"matmul {m}x{n}x{k}{mark} {precision}", replace(case, precision=precision)

    def convolution(x: Shape, kernel: Shape, which: str, precision: str) -> tuple[str, Case]:
        channels = fit(x)[3]
        filters = channels if kernel[2] == 1 else fit(kernel)[3]
        case = _conv(fit(x), (3, 3, min(kernel[2], channels), filters), "same", which)
        kind = "depthwise" if kernel[2] == 1 else "conv"
        size = "x".join(map(str, x[1:]))
        return f"{kind} 3x3 {size}->{kernel[3]} {which} {precision}", replace(case, precision=precision)

    precisions = ("tf32", "bfloat16", "float32")
    for precision in precisions:
        yield product(4096, 4096, 4096, "", precision)
    for precision in precisions:
        for which in ("forward", "input", "kernel"):
            yield convolution(*_GPU_CONVOLUTIONS[0], which, precision)
    rows, images = fit(_WHOLE), fit(_IMAGES)
    images = (images[0], images[1] // 2 * 2, images[2] // 2 * 2, images[3])
    size, image_size = "x".join(map(str, _WHOLE)), "x".join(map(str, _IMAGES))
    memory: list[tuple[str, Case]] = [
        (f"add {size}", _binary("add", "add", rows, rows)),
        (f"relu {size}", _unary("relu", rows)),
        (f"exp {size}", _unary("exp", rows)),
        (f"add row {size}", _binary("add", "add", rows, rows[1:])),
        (f"softmax {size}", _softmax(rows)),
        (f"layer norm {size}", _layer_norm(rows)),
        (f"sum over columns {size}", _sum(rows, 1)),
        (f"sum over rows {size}", _sum(rows, 0)),
        (f"transpose {size}", _transpose(rows)),
        (f"batch norm {image_size}", _batch_norm(images)),
        (f"max pool {image_size}", _max_pool(images)),
    ]
    for name, case in memory:
        yield f"{name} float32", case
    for number in (0, 1, 4, 5, 9):
        yield f"{memory[number][0]} bfloat16", _in_bfloat16(memory[number][1])
    for precision in precisions:
        for side in (1024, 8192, 512, 2048):
            yield product(side, side, side, "", precision)
        for turned in ("b", "a"):
            yield product(4096, 4096, 4096, turned, precision)
    for precision in precisions:
        for x, kernel in _GPU_CONVOLUTIONS[1:]:
            for which in ("forward", "input", "kernel"):
                one_is_enough = kernel[2] == 1 and precision == "tf32"
                if (which != "input" or x[3] > 3) and not one_is_enough:
                    yield convolution(x, kernel, which, precision)
    for precision in ("tf32", "float32"):
        case = _lstm(*fit((64, 64, 32, 128)), "forward")
        yield f"lstm 64x64x32->128 forward {precision}", replace(case, precision=precision)
    for m, n, k, turned in ((128, 512, 784, ""), (1024, 512, 512, "b"), (128, 1000, 2048, ""), (784, 512, 128, "a")):
        for precision in precisions:
            yield product(m, n, k, turned, precision)


def _smallest(shape: Shape) -> Shape:
    return tuple(min(size, 8) for size in shape)


def cases(device: str, tiny: bool = False) -> dict[str, Case]:
    """The cases of a "cpu" or a "gpu"; `tiny` ones of a GPU try the programs themselves."""
    return dict(_cpu_cases() if device == "cpu" else _gpu_cases(_smallest if tiny else lambda shape: shape))
