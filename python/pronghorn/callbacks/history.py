"""Record of the metrics of every epoch."""

from __future__ import annotations

from typing import Any

from pronghorn.callbacks.callback import Callback, Logs


class History(Callback):
    """Keeps the metrics of every epoch; `fit` adds one and returns it.

    Attributes:
        epoch: list of the epochs' indices.
        history: dict of metric name to the list of its values.

    Example:
        >>> from pronghorn.callbacks import History
        >>> history = History()
        >>> history.on_train_begin(); history.on_epoch_end(0, {"loss": 0.5})
        >>> history.history
        {'loss': [0.5]}
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self
