"""Set the learning rate at the start of every epoch."""

from __future__ import annotations

from collections.abc import Callable

from pronghorn import ops
from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.messages import show


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of every epoch to what a function says.

    Args:
        schedule: function of (epoch, current learning rate) or of (epoch) that returns the new learning rate.
        verbose: 1 prints a line at every epoch.

    Example:
        >>> from pronghorn.callbacks import LearningRateScheduler
        >>> halve = LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler: schedule must be callable, got {schedule!r}")
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError("LearningRateScheduler: the optimizer has no attribute `learning_rate`")
        try:
            rate = self.schedule(epoch, float(ops.convert_to_numpy(optimizer.learning_rate)))
        except TypeError:
            # A schedule of the epoch alone.
            rate = self.schedule(epoch)
        try:
            rate = float(rate)
        except (TypeError, ValueError):
            raise ValueError(f"LearningRateScheduler: schedule must return a number, got {rate!r}") from None
        optimizer.learning_rate = rate
        if self.verbose > 0:
            show(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
