"""The timed side of benchmarks/models.py: one library in one process, told over standard input what to run."""

from __future__ import annotations

import functools
import importlib
import json
import runpy
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch_worker import TorchWorker

# By its path: peers run where Pronghorn is not installed.
MODELS = runpy.run_path(str(Path(__file__).parents[1] / "python" / "pronghorn" / "cli" / "workloads.py"))


@dataclass(frozen=True)
class Size:
    """Input shape, samples per epoch, batch size, and epochs in one turn."""

    shape: tuple[int, ...]
    count: int
    batch: int
    epochs: int = 1


def _size(workload: str, count: int, epochs: int = 1) -> Size:
    name, _, batch = workload.partition("@")
    shape, usual = MODELS["WORKLOADS"][name]
    return Size(shape, count, int(batch or usual), epochs)


# For a CPU an epoch lasts about a second; a GPU is given more to do, and larger batches besides. What stands before
# the @ names the model, behind it the batch size where it is not the model's own: (samples per epoch, epochs in one
# turn).
_COUNTS: dict[str, dict[str, tuple[int, ...]]] = {
    "cpu": {"mlp-32": (32000,), "mlp-512": (12800,), "convnet": (2560,), "resnet-20": (512,), "lstm": (2560,)},
    "gpu": {
        "mlp-32": (96000, 2),
        "mlp-512": (96000, 4),
        "convnet": (102400, 2),
        "resnet-20": (25600, 2),
        "resnet-18": (6400, 2),
        "lstm": (25600, 2),
        "mlp-512@1024": (102400, 16),
        "convnet@512": (102400, 3),
        "resnet-20@512": (51200, 2),
    },
}
SIZES = {
    device: {workload: _size(workload, *counts) for workload, counts in of_device.items()}
    for device, of_device in _COUNTS.items()
}


def size_of(workload: str, device: str, tiny: bool) -> Size:
    """The size of a workload; `tiny` is two batches of two small samples, to try the programs themselves."""
    size = SIZES[device][workload]
    if not tiny:
        return size
    return Size((8, 8, 3) if workload.startswith("resnet") else size.shape, 4, 2)


@functools.lru_cache(maxsize=1)
def data(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Random images and labels that depend on them."""
    x = np.random.default_rng(0).standard_normal(size=(size.count, *size.shape), dtype=np.float32)
    y = (x.reshape(size.count, -1)[:, :10].argmax(axis=1)).astype("int64")
    return x, y


class KerasWorker:
    """Real Keras, or Pronghorn, which takes the same program.

    Args:
        module: "keras" or "pronghorn".
        device: "cpu" or "gpu".
    """

    def __init__(self, module: str, threads: int, device: str) -> None:
        self.keras = importlib.import_module(module)
        self.data: tuple[np.ndarray, np.ndarray] | None = None
        self.models: dict[str, Any] = {}
        self.backend, self.device = self.keras.backend.backend(), device
        if self.backend == "tensorflow":
            tensorflow = importlib.import_module("tensorflow")
            tensorflow.config.threading.set_intra_op_parallelism_threads(threads)

    def require_gpu(self) -> None:
        """Fail where JAX would silently use the CPU."""
        found = importlib.import_module("jax").default_backend()
        if found != "gpu":
            raise RuntimeError(f"JAX finds no GPU, only {found}")

    def device_name(self) -> str:
        """What it runs on."""
        if self.backend == "pronghorn":
            core = importlib.import_module("pronghorn._core")
            return core.device_description(core.default_device())
        if self.backend == "jax":
            return str(importlib.import_module("jax").devices()[0])
        return "cpu"

    def synchronize(self) -> None:
        """Nothing: fit and predict return what was computed."""

    def build(self, workload: str, precision: str, x: np.ndarray, y: np.ndarray, batch: int) -> None:
        """Build and compile the model of a workload, forgetting the one before.

        Args:
            precision: "float32", "tf32" or "bfloat16" (the dtype policy mixed_bfloat16).
        """
        self.models.clear()
        if self.device == "gpu":
            self._set_precision(precision)
        self.data = x, y
        self.models[workload] = MODELS["build"](self.keras, workload.split("@")[0], x.shape[1:])

    def train(self, workload: str, batch: int, epochs: int) -> None:
        """Some epochs."""
        assert self.data
        self.models[workload].fit(*self.data, batch_size=batch, epochs=epochs, verbose=0)

    def predict(self, workload: str, batch: int) -> np.ndarray:
        """One pass over the data."""
        assert self.data
        return self.models[workload].predict(self.data[0], batch_size=batch, verbose=0)

    def _set_precision(self, precision: str) -> None:
        exact = precision == "float32"
        if self.backend == "pronghorn":
            self.keras.config.set_matmul_precision("highest" if exact else "high")
        if self.backend == "jax":
            jax = importlib.import_module("jax")
            jax.config.update("jax_default_matmul_precision", "float32" if exact else "tensorfloat32")
        self.keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")


def answer(value: Any) -> None:
    """Send a result to the runner."""
    print("@" + json.dumps(value), flush=True)


def reason_of(error: Exception) -> str:
    """An error in one line: its type and the first line of what it says."""
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


def seconds(worker: Any, method: str, *arguments: Any) -> float:
    """How long a call takes, with all that it began."""
    worker.synchronize()
    start = time.perf_counter()
    getattr(worker, method)(*arguments)
    worker.synchronize()
    return time.perf_counter() - start


def peak_memory(start_anew: bool = False) -> float:
    """Megabytes of memory this process has held at most (since the last call that started anew), where Linux tells."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    found = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    if start_anew:
        Path("/proc/self/clear_refs").write_text("5")
    return int(found.split()[1]) * 1024 / 1e6


def serve(worker: Any, command: str, workload: str, precision: str, device: str, tiny: bool) -> dict[str, float]:
    """Carry out one command: "build" a workload in a precision, take a "round" of it, or tell its "memory"."""
    size = size_of(workload, device, tiny)
    if command == "memory":
        return {"peak_memory_megabytes": peak_memory()}
    if command == "build":
        peak_memory(start_anew=True)
        start = time.perf_counter()
        worker.build(workload, precision, *data(size), size.batch)
        worker.synchronize()
        built = time.perf_counter() - start
        first = seconds(worker, "train", workload, size.batch, 1)
        if not np.isfinite(worker.predict(workload, size.batch)).all():
            raise ValueError("the model predicts numbers that are not finite")
        return {"first_epoch_seconds": first, "build_seconds": built}
    train = seconds(worker, "train", workload, size.batch, size.epochs)
    predict = seconds(worker, "predict", workload, size.batch)
    samples = size.count * size.epochs
    return {"train": samples / train, "predict": size.count / predict, "epoch_seconds": train / size.epochs}


def main() -> None:
    """Serve commands until standard input ends; what fails is told, with the first line of why."""
    library, settings = sys.argv[1], json.loads(sys.argv[2])
    threads, device = settings["threads"], settings["device"]
    worker: Any
    on_gpu = device == "gpu" and settings["peer_device"] == "gpu"
    if library.startswith("torch"):
        mode = library.partition("-")[2] or "eager"
        worker = TorchWorker(mode, threads, "cuda" if on_gpu else "cpu")
    else:
        worker = KerasWorker("pronghorn" if library == "pronghorn" else "keras", threads, device)
        if on_gpu and library == "keras-jax":
            worker.require_gpu()
    answer({"ready": worker.device_name()})
    for line in sys.stdin:
        command, workload, precision = json.loads(line)
        try:
            answer(serve(worker, command, workload, precision, device, settings["tiny"]))
        except Exception as error:  # the other workloads may work
            answer({"failed": reason_of(error)})


if __name__ == "__main__":
    main()
