"""The timed side of benchmarks/models.py: one library in one process, told over standard input what to run."""

from __future__ import annotations

import functools
import importlib
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch_worker import TorchWorker


@dataclass(frozen=True)
class Size:
    """Input shape, samples per epoch, batch size, and epochs in one turn."""

    shape: tuple[int, ...]
    count: int
    batch: int
    epochs: int = 1


# For a CPU an epoch lasts about a second; a GPU is given more to do, and larger batches besides. What stands before
# the @ names the model, behind it the batch size.
SIZES: dict[str, dict[str, Size]] = {
    "cpu": {
        "mlp-32": Size((784,), 32000, 32),
        "mlp-512": Size((784,), 12800, 128),
        "convnet": Size((28, 28, 1), 2560, 128),
        "resnet-20": Size((32, 32, 3), 512, 128),
    },
    "gpu": {
        "mlp-32": Size((784,), 96000, 32, 2),
        "mlp-512": Size((784,), 96000, 128, 4),
        "convnet": Size((28, 28, 1), 102400, 128, 2),
        "resnet-20": Size((32, 32, 3), 25600, 128, 2),
        "resnet-18": Size((64, 64, 3), 6400, 128, 2),
        "mlp-512@1024": Size((784,), 102400, 1024, 16),
        "convnet@512": Size((28, 28, 1), 102400, 512, 3),
        "resnet-20@512": Size((32, 32, 3), 51200, 512, 2),
    },
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
        shape = x.shape[1:]
        network, optimizer = {
            "mlp-32": lambda: (self._mlp([32]), "rmsprop"),
            "mlp-512": lambda: (self._mlp([512, 512]), "adam"),
            "convnet": lambda: (self._convnet(shape), "adam"),
            "resnet-20": lambda: (self._resnet(shape, (16, 32, 64), 3, 1), self._momentum()),
            "resnet-18": lambda: (self._resnet(shape, (64, 128, 256, 512), 2, 2), self._momentum()),
        }[workload.split("@")[0]]()
        network.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        self.models[workload] = network

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

    def _momentum(self) -> Any:
        return self.keras.optimizers.SGD(0.1, momentum=0.9)

    def _mlp(self, widths: list[int]) -> Any:
        layers = self.keras.layers
        hidden = [layers.Dense(width, activation="relu") for width in widths]
        return self.keras.Sequential([layers.Input((784,)), *hidden, self._classes()])

    def _classes(self) -> Any:
        # probabilities are float32 whatever the policy, as Keras advises and as PyTorch's autocast does
        return self.keras.layers.Dense(10, activation="softmax", dtype="float32")

    def _convnet(self, shape: tuple[int, ...]) -> Any:
        layers = self.keras.layers
        return self.keras.Sequential(
            [
                layers.Input(shape),
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(2),
                layers.Conv2D(64, 3, activation="relu"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dropout(0.5),
                self._classes(),
            ]
        )

    def _resnet(self, shape: tuple[int, ...], widths: tuple[int, ...], depth: int, stem: int) -> Any:
        layers = self.keras.layers

        def conv(x: Any, filters: int, strides: int = 1, size: int = 3) -> Any:
            return layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)

        inputs = layers.Input(shape)
        x = layers.ReLU()(layers.BatchNormalization()(conv(inputs, widths[0], stem)))
        for stage, filters in enumerate(widths):
            for block in range(depth):
                strides = 2 if stage and not block else 1
                y = layers.ReLU()(layers.BatchNormalization()(conv(x, filters, strides)))
                y = layers.BatchNormalization()(conv(y, filters))
                if strides == 2:
                    x = conv(x, filters, 2, 1)
                x = layers.ReLU()(layers.Add()([x, y]))
        outputs = self._classes()(layers.GlobalAveragePooling2D()(x))
        return self.keras.Model(inputs, outputs)


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


def serve(worker: Any, command: str, workload: str, precision: str, device: str, tiny: bool) -> dict[str, float]:
    """Carry out one command: "build" a workload in a precision, or take a "round" of it."""
    size = size_of(workload, device, tiny)
    if command == "build":
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
