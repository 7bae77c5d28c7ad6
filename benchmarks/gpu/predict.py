"""Writes predictions.json: what every row of the benchmarks should take, computed before it is measured.

A roofline: the larger of operations over their rate and bytes over bandwidth, each at the share of the peak that the
kernels aim at, plus what a kernel of a graph costs to start. A row far from its prediction names either a wrong picture
of the kernel or a wrong kernel.

    python benchmarks/gpu/predict.py
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from op_cases import Case, cases
from worker import SIZES

PREDICTIONS = Path(__file__).with_name("predictions.json")
# bytes a second that a copy reaches, about nine tenths of the data sheets' 3.35e12 and 4.8e12
BANDWIDTH = {"H100": 3.0e12, "H200": 4.3e12}
PROCESSORS = 132
LAUNCH = 2e-6  # seconds from one kernel of a graph to the next, its first loads and last stores included

# Operations a second we aim at, for products that fill the GPU. float32: three TF32 products with sums carried over,
# half again the vendor library's 46e12; tf32: 0.55 of its 410e12; bfloat16: warpgroup instructions, 0.8 of its 700e12.
PRODUCT_RATE = {"float32": 69e12, "tf32": 225e12, "bfloat16": 560e12}
# Convolutions: 0.6 of the vendor library forward, half of it backward; bfloat16 by the older tensor core instructions.
CONVOLUTION_RATE = {
    "forward": {"float32": 50e12, "tf32": 150e12, "bfloat16": 280e12},
    "input": {"float32": 42e12, "tf32": 125e12, "bfloat16": 230e12},
    "kernel": {"float32": 42e12, "tf32": 125e12, "bfloat16": 230e12},
}
STEP_KERNELS = 2  # of a recurrent network: each step's product, and what makes the state of it
TILE = 128  # of products, rows and columns a block computes
# share of a copy's bandwidth
MEMORY_SHARE = {
    "add": 0.92, "relu": 0.92, "exp": 0.9, "softmax": 0.9, "layer norm": 0.9, "sum": 0.92, "transpose": 0.85,
    "batch norm": 0.57,  # x is read twice, once for its statistics: three passes of two counted
    "max pool": 0.85, "depthwise": 0.8, "conv": 0.8, "matmul": 0.8, "lstm": 0.8,
}  # fmt: skip


@dataclass(frozen=True)
class Work:
    """Of a model: operations and floats written forward, for one sample; kernels in a step; parameters."""

    operations: float
    floats: float
    kernels: int
    parameters: float


MODELS = {
    "mlp-32": Work(5.1e4, 826, 18, 2.5e4),
    "mlp-512": Work(1.34e6, 1818, 22, 6.7e5),
    "convnet": Work(4.9e6, 3.8e4, 30, 3.5e4),
    "resnet-20": Work(8.2e7, 1.9e5, 200, 2.7e5),
    "resnet-18": Work(1.11e9, 6.2e5, 190, 1.1e7),
}
PASSES_TRAINING, PASSES_PREDICTING = (
    16,
    5,
)  # over each layer's result: normalization, activation and sum are kernels too
OPTIMIZER_BYTES = 28  # a parameter
UPLOAD = 8e9  # bytes a second from the host: the data set is put on the GPU at each fit and predict


def work_bytes(case: Case, name: str) -> float:
    """The bytes that must at least move."""
    size = 2 if case.precision == "bfloat16" else 4
    if case.unit == "GB/s":
        return case.work
    inputs = [math.prod(shape) for shape in case.inputs]
    if name.startswith("matmul"):
        m, n, _ = map(int, name.split()[1].split("x"))
        return float(size * (sum(inputs) + m * n))
    if name.startswith("lstm"):
        x, kernel, recurrent, hidden = inputs
        projected = 4 * hidden  # written, read, and the gates written; the products of the steps alike
        return float(size * (x + kernel + recurrent + 5 * projected + 3 * hidden))
    # input, kernel and output, whichever two are given
    images, kernel = (inputs[0], inputs[1]) if " kernel " not in name else (inputs[0], 0)
    before, after = name.split()[2].split("->")
    channels, filters = int(before.split("x")[2]), int(after)
    given = channels if " input " not in name else filters
    return float(size * (images / given * (channels + filters) + kernel))


def filled(name: str) -> float:
    """The share of the GPU's processors that the tiles of a product keep busy."""
    m, n, _ = map(int, name.split()[1].split("x"))
    tiles = math.ceil(m / TILE) * math.ceil(n / TILE)
    if tiles < PROCESSORS:  # smaller tiles, or the depth divided: at most half is lost
        return max(0.25, tiles / PROCESSORS)
    return tiles / (math.ceil(tiles / PROCESSORS) * PROCESSORS)


def op_seconds(name: str, case: Case, bandwidth: float) -> float:
    """What one call should take."""
    kind = next(kind for kind in MEMORY_SHARE if name.startswith(kind))
    memory = work_bytes(case, name) / (bandwidth * MEMORY_SHARE[kind])
    arithmetic = 0.0
    if kind == "matmul":
        arithmetic = case.work / (PRODUCT_RATE[case.precision] * filled(name))
    elif kind == "lstm":  # one step after the other
        arithmetic = case.inputs[0][1] * STEP_KERNELS * LAUNCH
    elif kind == "conv":
        which = next(which for which in CONVOLUTION_RATE if which in name)
        arithmetic = case.work / CONVOLUTION_RATE[which][case.precision]
    return max(memory, arithmetic) + LAUNCH


def model_speeds(workload: str, precision: str, bandwidth: float) -> dict[str, float]:
    """Samples a second of training and prediction."""
    sizes = SIZES["gpu"][workload]
    work, batch = MODELS[workload.split("@")[0]], sizes.batch
    rate = CONVOLUTION_RATE["input"][precision] if "net" in workload else 0.3 * PRODUCT_RATE[precision]
    size = 2 if precision == "bfloat16" else 4
    sample_bytes = 4.0 * math.prod(sizes.shape)
    input_bytes = sample_bytes * 3  # gathered, then read
    train = (
        batch * (3 * work.operations / rate + (PASSES_TRAINING * size * work.floats + input_bytes) / bandwidth)
        + OPTIMIZER_BYTES * work.parameters / bandwidth
        + work.kernels * LAUNCH
        + batch * sample_bytes / UPLOAD / sizes.epochs
    )
    predict = (
        batch * (work.operations / rate + (PASSES_PREDICTING * size * work.floats + input_bytes) / bandwidth)
        + work.kernels / 4 * LAUNCH
        + batch * sample_bytes / UPLOAD
    )
    return {"train": float(f"{batch / train:.4g}"), "predict": float(f"{batch / predict:.4g}")}


def predictions() -> dict[str, Any]:
    """Everything, for each GPU."""
    ops = {
        name: {gpu: float(f"{1e6 * op_seconds(name, case, rate):.4g}") for gpu, rate in BANDWIDTH.items()}
        for name, case in cases("gpu").items()
    }
    models = {
        f"{workload} {precision}": {gpu: model_speeds(workload, precision, rate) for gpu, rate in BANDWIDTH.items()}
        for workload in SIZES["gpu"]
        for precision in PRODUCT_RATE
    }
    return {"ops_microseconds": ops, "models_samples_per_second": models}


if __name__ == "__main__":
    PREDICTIONS.write_text(json.dumps(predictions(), indent=1) + "\n")
