"""Base class of callbacks that watch one metric."""

from __future__ import annotations

import warnings
from typing import Any

from pronghorn import arguments
from pronghorn.callbacks.callback import Callback, Logs


class MonitorCallback(Callback):
    """Watches a metric and knows what an improvement of it is.

    Args:
        monitor: name of the metric, as in the logs.
        mode: "min", "max", or "auto" to tell from the metric.
        baseline: value to improve on at first; None takes any.
        min_delta: smallest change that counts as an improvement.

    Example:
        >>> from pronghorn.callbacks import MonitorCallback
        >>> MonitorCallback("val_loss").monitor
        'val_loss'
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        if not isinstance(monitor, str):
            raise TypeError(f"{kind}: monitor must be the name of a metric, got {arguments.shown(monitor)}")
        if baseline is not None:
            arguments.number_between(baseline, f"{kind}: baseline")
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{kind}: mode {mode!r} is unknown, using 'auto'", stacklevel=2)
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(arguments.number_between(min_delta, f"{kind}: min_delta"))
        self._direction: int | None = None

    def _monitored(self, logs: Logs | None) -> Any:
        """Return the monitored value of an epoch, or None with a warning where the logs lack it."""
        self._resolve_direction()
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__}: metric {self.monitor!r} is not available; available: {', '.join(logs or ())}",
                stacklevel=3,
            )
        return value

    def _resolve_direction(self) -> int:
        """Return 1 where more is better and -1 where less is."""
        if self._direction is None:
            if self.mode != "auto":
                self._direction = 1 if self.mode == "max" else -1
            else:
                self._direction = self._direction_of_metric()
        return self._direction

    def _direction_of_metric(self) -> int:
        name = self.monitor.removeprefix("val_")
        for metric in getattr(self.model, "metrics", []):
            for part in getattr(metric, "metrics", [metric]):
                direction = getattr(part, "_direction", None)
                # Models with several outputs put the output's name before the metric's.
                if direction is not None and (part.name == name or name.endswith(f"_{part.name}")):
                    return 1 if direction == "up" else -1
        if name == "loss" or name.endswith("_loss"):
            return -1
        raise ValueError(
            f"{type(self).__name__}: cannot tell whether monitor={self.monitor!r} should grow or shrink; "
            "pass mode='max' or mode='min'"
        )

    def _is_improvement(self, value: Any, reference: float | None) -> bool:
        if reference is None:
            return True
        direction = self._resolve_direction()
        return bool(direction * (float(value) - float(reference)) > self.min_delta)
