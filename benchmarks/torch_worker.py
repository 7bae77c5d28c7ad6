"""PyTorch's side of benchmarks/models.py: eager, with the step as a CUDA graph, or with torch.compile."""

from __future__ import annotations

import contextlib
import gc
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

WARM_UP = 3  # steps on a side stream before a capture, as PyTorch asks for


@dataclass
class Model:
    """A network with its data on the device, and one step of training and of prediction over given rows."""

    network: Any
    images: Any  # NHWC, or sequences or rows of features
    labels: Any
    train_step: Callable[[Any], Any]
    predict_step: Callable[[Any], Any]


class TorchWorker:
    """PyTorch with channels_last images, a plain training loop, and the data set resident on the device.

    Args:
        mode: "eager"; "graph", the whole step (gathering of the batch to optimizer) one CUDA graph, on a CPU the same
            step uncaptured; "compile", forward and backward by torch.compile in the mode "reduce-overhead".
        device: "cpu" or "cuda".
    """

    def __init__(self, mode: str, threads: int, device: str) -> None:
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(threads)
        self.mode, self.device, self.precision = mode, device, "float32"
        self.models: dict[str, Model] = {}
        if device == "cuda":
            self.torch.backends.cudnn.benchmark = True
            self.torch.zeros(1, device=device)

    def device_name(self) -> str:
        """What it runs on."""
        return self.torch.cuda.get_device_name() if self.device == "cuda" else "cpu"

    def synchronize(self) -> None:
        """Wait for all that was begun."""
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def build(self, workload: str, precision: str, x: np.ndarray, y: np.ndarray, batch: int) -> None:
        """Make the model of a workload, forgetting the one before, and put its data on the device.

        Args:
            precision: "float32", "tf32" or "bfloat16" (autocast).
        """
        torch = self.torch
        self.models.clear()
        gc.collect()  # networks of classes made in a function are in cycles
        self.precision = precision
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        if self.device == "cuda":
            torch.cuda.empty_cache()
        name = workload.split("@")[0]
        network = self._network(name).to(device=self.device, memory_format=torch.channels_last)
        optimizer = self._optimizer(name, network.parameters())
        images = torch.from_numpy(x).to(self.device)
        labels = torch.from_numpy(y).to(self.device)

        def loss_of(batch_x: Any, batch_y: Any) -> Any:
            return torch.nn.functional.cross_entropy(network(self._channels_first(batch_x)), batch_y)

        def outputs_of(batch_x: Any) -> Any:
            return torch.softmax(network(self._channels_first(batch_x)), dim=-1)

        if self.mode == "compile":
            loss_of = torch.compile(loss_of, mode="reduce-overhead")
            outputs_of = torch.compile(outputs_of, mode="reduce-overhead")

        def train_step(rows: Any) -> Any:
            batch_x, batch_y = images.index_select(0, rows), labels.index_select(0, rows)
            if self.mode == "compile":
                torch.compiler.cudagraph_mark_step_begin()
            optimizer.zero_grad(set_to_none=True)
            with self._autocast():
                loss = loss_of(batch_x, batch_y)
            loss.backward()
            optimizer.step()

        def predict_step(rows: Any) -> Any:
            if self.mode == "compile":
                torch.compiler.cudagraph_mark_step_begin()
            with torch.no_grad(), self._autocast():
                return outputs_of(images[rows] if isinstance(rows, slice) else images.index_select(0, rows)).float()

        if self.mode == "graph" and self.device == "cuda":
            network.train()
            train = self._captured(train_step, batch, lambda: optimizer.zero_grad(set_to_none=True))
            network.eval()
            predict = self._captured(predict_step, batch, lambda: None)
            self.models[workload] = Model(network, images, labels, train, predict)
        else:
            self.models[workload] = Model(network, images, labels, train_step, predict_step)

    def train(self, workload: str, batch: int, epochs: int) -> None:
        """Some epochs, each in an order of its own; begun but not waited for."""
        model = self.models[workload]
        model.network.train()
        for _ in range(epochs):
            order = self.torch.randperm(len(model.images), device=self.device)
            for begin in range(0, len(order), batch):
                model.train_step(order[begin : begin + batch])

    def predict(self, workload: str, batch: int) -> np.ndarray:
        """One pass over the data; the results on the host."""
        model = self.models[workload]
        model.network.eval()
        count = len(model.images)
        outputs = self.torch.empty((count, 10), device=self.device)
        rows = self.torch.arange(count, device=self.device)
        for begin in range(0, count, batch):
            chosen = rows[begin : begin + batch] if self.mode == "graph" else slice(begin, begin + batch)
            outputs[begin : begin + batch] = model.predict_step(chosen)
        return outputs.cpu().numpy()

    def _autocast(self) -> Any:
        if self.precision != "bfloat16":
            return contextlib.nullcontext()
        # a cache of casts made during a capture would outlive it
        return self.torch.autocast(self.device, dtype=self.torch.bfloat16, cache_enabled=self.mode != "graph")

    def _captured(self, step: Callable[[Any], Any], batch: int, forget: Callable[[], None]) -> Callable[[Any], Any]:
        """The step as one CUDA graph that reads its rows from a tensor of its own."""
        torch = self.torch
        static_rows = torch.arange(batch, device=self.device)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                step(static_rows)
            forget()  # gradients are made anew inside the capture, in the graph's own memory
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = step(static_rows)

        def replay(rows: Any) -> Any:
            static_rows.copy_(rows)
            graph.replay()
            return result

        return replay

    def _channels_first(self, x: Any) -> Any:
        return x.permute(0, 3, 1, 2) if x.ndim == 4 else x  # NHWC memory is channels_last

    def _optimizer(self, name: str, parameters: Any) -> Any:
        optim, on_gpu = self.torch.optim, self.device == "cuda"
        capturable = on_gpu and self.mode == "graph"
        if name == "mlp-32":
            return optim.RMSprop(parameters, 1e-3, **({"capturable": True} if capturable else {}))
        if name.startswith("resnet"):
            return optim.SGD(parameters, 0.1, momentum=0.9, fused=on_gpu)
        return optim.Adam(parameters, 1e-3, fused=on_gpu, capturable=capturable)

    def _network(self, name: str) -> Any:
        nn = self.torch.nn
        if name.startswith("mlp"):
            width = int(name.split("-")[1])
            layers = [nn.Linear(784, width), nn.ReLU()]
            if width == 512:
                layers += [nn.Linear(512, 512), nn.ReLU()]
            return nn.Sequential(*layers, nn.Linear(width, 10))
        if name == "convnet":
            return nn.Sequential(
                nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
            )  # fmt: skip
        if name == "lstm":
            return self._lstm()
        if name == "resnet-18":
            return self._resnet((64, 128, 256, 512), 2, 2)
        return self._resnet((16, 32, 64), 3, 1)

    def _lstm(self) -> Any:
        nn: Any = self.torch.nn

        class Last(nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.lstm = nn.LSTM(32, 128, batch_first=True)

            def forward(self, x: Any) -> Any:
                return self.lstm(x)[0][:, -1]

        return nn.Sequential(Last(), nn.Linear(128, 10))

    def _resnet(self, widths: tuple[int, ...], depth: int, stem: int) -> Any:
        nn: Any = self.torch.nn

        class Block(nn.Module):  # type: ignore[misc]
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

        blocks, channels = [], widths[0]
        for stage, filters in enumerate(widths):
            for block in range(depth):
                blocks.append(Block(channels, filters, 2 if stage and not block else 1))
                channels = filters
        first = [nn.Conv2d(3, widths[0], 3, stem, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)]
        return nn.Sequential(*first, *blocks, *head)
