"""Stop training when a metric stops improving."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments
from pronghorn.callbacks.callback import Logs
from pronghorn.callbacks.monitor_callback import MonitorCallback
from pronghorn.messages import show


class EarlyStopping(MonitorCallback):
    """Stops training when the monitored metric has stopped improving.

    Args:
        monitor: name of the metric, as in the logs.
        min_delta: smallest change that counts as an improvement.
        patience: epochs without improvement after which training stops.
        verbose: 1 prints a line when it acts.
        mode: "min", "max", or "auto" to tell from the metric.
        baseline: value the metric has to reach within `patience` epochs.
        restore_best_weights: whether to put the weights of the best epoch back at the end.
        start_from_epoch: epochs to wait before watching.

    Example:
        >>> from pronghorn.callbacks import EarlyStopping
        >>> stop = EarlyStopping(monitor="loss", patience=3)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        arguments.number_between(patience, "EarlyStopping: patience")
        arguments.number_between(start_from_epoch, "EarlyStopping: start_from_epoch")
        if baseline is not None:
            arguments.number_between(baseline, "EarlyStopping: baseline")
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights = None
        self.best_epoch = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self._is_improvement(value, self.best):
            self.best = value
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            show(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                show(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Logs | None) -> Any:
        """Return the monitored value of the epoch, or None with a warning where the logs lack it."""
        return self._monitored(logs)
