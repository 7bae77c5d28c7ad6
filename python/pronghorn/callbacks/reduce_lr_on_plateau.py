"""Lower the learning rate when a metric stops improving."""

from __future__ import annotations

import numpy as np

from pronghorn import arguments, ops
from pronghorn.callbacks.callback import Logs
from pronghorn.callbacks.monitor_callback import MonitorCallback
from pronghorn.messages import show


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when a metric has stopped improving.

    Args:
        monitor: name of the metric, as in the logs.
        factor: number below 1 that the learning rate is multiplied by.
        patience: epochs without improvement after which the rate is lowered.
        verbose: 1 prints a line when it acts.
        mode: "min", "max", or "auto" to tell from the metric.
        min_delta: smallest change that counts as an improvement.
        cooldown: epochs to wait after a change before watching again.
        min_lr: lower bound of the learning rate.

    Raises:
        ValueError: if `factor` is 1 or more.

    Example:
        >>> from pronghorn.callbacks import ReduceLROnPlateau
        >>> slower = ReduceLROnPlateau(monitor="loss", factor=0.5, patience=2)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        arguments.number_between(min_lr, "ReduceLROnPlateau: min_lr")
        if arguments.number_between(factor, "ReduceLROnPlateau: factor") >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, got {factor}")
        arguments.number_between(patience, "ReduceLROnPlateau: patience")
        arguments.number_between(cooldown, "ReduceLROnPlateau: cooldown")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def in_cooldown(self) -> bool:
        """Tell whether the last change is too recent to act again."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = {} if logs is None else logs
        optimizer = self.model.optimizer
        rate = float(ops.convert_to_numpy(optimizer.learning_rate))
        logs["learning_rate"] = rate
        value = self._monitored(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and rate > np.float32(self.min_lr):
                new_rate = max(rate * self.factor, self.min_lr)
                optimizer.learning_rate = new_rate
                if self.verbose > 0:
                    show(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new_rate}.")
                self.cooldown_counter = self.cooldown
                self.wait = 0
