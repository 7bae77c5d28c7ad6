"""The timed side of benchmarks/models.py: one library in one process, told over standard input what to run."""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any

import numpy as np

# workload -> input shape, samples per epoch, batch size
SIZES: dict[str, tuple[tuple[int, ...], int, int]] = {
    "mlp-32": ((784,), 32000, 32),
    "mlp-512": ((784,), 12800, 128),
    "convnet": ((28, 28, 1), 2560, 128),
    "resnet-20": ((32, 32, 3), 512, 128),
}


def data(workload: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Random images and labels that depend on them, and the batch size."""
    shape, count, batch = SIZES[workload]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, *shape)).astype("float32")
    y = (x.reshape(count, -1)[:, :10].argmax(axis=1)).astype("int64")
    return x, y, batch


class KerasWorker:
    """Real Keras, or Pronghorn, which takes the same program."""

    def __init__(self, module: str, threads: int) -> None:
        self.keras = importlib.import_module(module)
        self.models: dict[str, Any] = {}
        if module == "keras" and self.keras.backend.backend() == "tensorflow":
            tensorflow = importlib.import_module("tensorflow")
            tensorflow.config.threading.set_intra_op_parallelism_threads(threads)

    def build(self, workload: str) -> None:
        """Build and compile the model of a workload."""
        shape = SIZES[workload][0]
        network, optimizer = {
            "mlp-32": lambda: (self._mlp([32]), "rmsprop"),
            "mlp-512": lambda: (self._mlp([512, 512]), "adam"),
            "convnet": lambda: (self._convnet(shape), "adam"),
            "resnet-20": lambda: (self._resnet(shape), self.keras.optimizers.SGD(0.1, momentum=0.9)),
        }[workload]()
        network.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        self.models[workload] = network

    def train(self, workload: str, x: np.ndarray, y: np.ndarray, batch: int) -> None:
        """One epoch."""
        self.models[workload].fit(x, y, batch_size=batch, epochs=1, verbose=0)

    def predict(self, workload: str, x: np.ndarray, batch: int) -> None:
        """One pass over the data."""
        self.models[workload].predict(x, batch_size=batch, verbose=0)

    def _mlp(self, widths: list[int]) -> Any:
        layers = self.keras.layers
        hidden = [layers.Dense(width, activation="relu") for width in widths]
        return self.keras.Sequential([layers.Input((784,)), *hidden, layers.Dense(10, activation="softmax")])

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
                layers.Dense(10, activation="softmax"),
            ]
        )

    def _resnet(self, shape: tuple[int, ...]) -> Any:
        layers = self.keras.layers

        def conv(x: Any, filters: int, strides: int = 1, size: int = 3) -> Any:
            return layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)

        inputs = layers.Input(shape)
        x = layers.ReLU()(layers.BatchNormalization()(conv(inputs, 16)))
        for stage, filters in enumerate((16, 32, 64)):
            for block in range(3):
                strides = 2 if stage and not block else 1
                y = layers.ReLU()(layers.BatchNormalization()(conv(x, filters, strides)))
                y = layers.BatchNormalization()(conv(y, filters))
                if strides == 2:
                    x = conv(x, filters, 2, 1)
                x = layers.ReLU()(layers.Add()([x, y]))
        outputs = layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x))
        return self.keras.Model(inputs, outputs)


class TorchWorker:
    """PyTorch: eager, channels_last, a plain training loop."""

    def __init__(self, threads: int) -> None:
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(threads)
        self.models: dict[str, tuple[Any, Any]] = {}

    def build(self, workload: str) -> None:
        """Build the model and optimizer of a workload."""
        nn, optim = self.torch.nn, self.torch.optim
        if workload.startswith("mlp"):
            width = int(workload.split("-")[1])
            layers = [nn.Linear(784, width), nn.ReLU()]
            if width == 512:
                layers += [nn.Linear(512, 512), nn.ReLU()]
            network = nn.Sequential(*layers, nn.Linear(width, 10))
        elif workload == "convnet":
            network = nn.Sequential(
                nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
            )  # fmt: skip
        else:
            network = self._resnet()
        network = network.to(memory_format=self.torch.channels_last)
        parameters = network.parameters()
        optimizer = {
            "mlp-32": lambda: optim.RMSprop(parameters, 1e-3),
            "mlp-512": lambda: optim.Adam(parameters, 1e-3),
            "convnet": lambda: optim.Adam(parameters, 1e-3),
            "resnet-20": lambda: optim.SGD(parameters, 0.1, momentum=0.9),
        }[workload]()
        self.models[workload] = (network, optimizer)

    def _tensor(self, x: np.ndarray) -> Any:
        if x.ndim == 2:
            return self.torch.from_numpy(x)
        return self.torch.from_numpy(x).permute(0, 3, 1, 2)  # NHWC memory is channels_last

    def train(self, workload: str, x: np.ndarray, y: np.ndarray, batch: int) -> None:
        """One epoch."""
        network, optimizer = self.models[workload]
        network.train()
        images, labels = self._tensor(x), self.torch.from_numpy(y)
        order = self.torch.randperm(len(x))
        for begin in range(0, len(x), batch):
            rows = order[begin : begin + batch]
            optimizer.zero_grad()
            self.torch.nn.functional.cross_entropy(network(images[rows]), labels[rows]).backward()
            optimizer.step()

    def predict(self, workload: str, x: np.ndarray, batch: int) -> None:
        """One pass over the data."""
        network, _ = self.models[workload]
        network.eval()
        images = self._tensor(x)
        with self.torch.no_grad():
            for begin in range(0, len(x), batch):
                self.torch.softmax(network(images[begin : begin + batch]), dim=-1)

    def _resnet(self) -> Any:
        nn = self.torch.nn

        class Block(nn.Module):
            def __init__(self, channels: int, filters: int, strides: int) -> None:
                super().__init__()
                self.first = nn.Sequential(
                    nn.Conv2d(channels, filters, 3, strides, 1, bias=False), nn.BatchNorm2d(filters), nn.ReLU()
                )
                self.second = nn.Sequential(nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters))
                same = strides == 1 and channels == filters
                self.skip = nn.Identity() if same else nn.Conv2d(channels, filters, 1, strides, bias=False)

            def forward(self, x: Any) -> Any:
                return nn.functional.relu(self.skip(x) + self.second(self.first(x)))

        blocks, channels = [], 16
        for stage, filters in enumerate((16, 32, 64)):
            for block in range(3):
                blocks.append(Block(channels, filters, 2 if stage and not block else 1))
                channels = filters
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
        return nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *blocks, *head)


def answer(value: Any) -> None:
    """Send a result to the runner."""
    print("@" + json.dumps(value), flush=True)


def seconds(function: Any, *arguments: Any) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def main() -> None:
    """Serve commands until standard input ends."""
    library, threads = sys.argv[1], int(sys.argv[2])
    worker: Any
    if library == "torch":
        worker = TorchWorker(threads)
    else:
        worker = KerasWorker("pronghorn" if library == "pronghorn" else "keras", threads)
    answer("ready")
    for line in sys.stdin:
        command, workload = json.loads(line)
        x, y, batch = data(workload)
        if command == "build":
            worker.build(workload)
            first = seconds(worker.train, workload, x, y, batch)
            worker.predict(workload, x, batch)
            answer({"first_epoch_seconds": first})
        else:
            train, predict = seconds(worker.train, workload, x, y, batch), seconds(worker.predict, workload, x, batch)
            answer({"train": len(x) / train, "predict": len(x) / predict, "epoch_seconds": train})


if __name__ == "__main__":
    main()
