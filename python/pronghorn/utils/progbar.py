"""Progress bar in a terminal, one plain line elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

from pronghorn import arguments, config
from pronghorn.messages import show

_WIDTH = 20


class Progbar:
    """Shows how far a loop has come, how long a step takes and the latest values.

    In a terminal the line is drawn again and again; elsewhere (a file, a pipe) one line is written at the end.

    Args:
        target: number of steps, None where it is unknown.
        width: number of cells of the bar.
        verbose: 0 silent, 1 bar, 2 one line at the end.
        interval: least time between two drawings, in seconds.
        stateful_metrics: names of values to show as they are; all others are averaged over the steps.
        stateless_metrics: names of values to average; all others are then shown as they are.
        unit_name: name of a step.

    Example:
        >>> from pronghorn.utils import Progbar
        >>> bar = Progbar(10, verbose=0)
        >>> bar.update(10, [("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = _WIDTH,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Any = None,
        stateless_metrics: Any = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("Progbar: give stateful_metrics or stateless_metrics, not both")
        if target is not None:
            arguments.number(target, "Progbar: target")
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(arguments.list_of(stateful_metrics or (), "Progbar: stateful_metrics"))
        self.stateless_metrics: set[str] | None = None
        if stateless_metrics is not None:
            self.stateless_metrics = set(arguments.list_of(stateless_metrics, "Progbar: stateless_metrics"))
        self._sums: dict[str, tuple[float, int]] = {}
        self._seen = 0
        self._start = time.perf_counter()
        self._after_first_step: float | None = None
        self._first_steps = 0
        self._last_drawn = 0.0
        self._live: Any = None

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Move to step `current`.

        Args:
            current: number of steps done.
            values: list of (name, value).
            finalize: whether this is the last update; None means when `current` reaches the target.
        """
        arguments.number(current, "Progbar.update: current")
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for pair in arguments.list_of(values or (), "Progbar.update: values"):
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise ValueError(f"Progbar.update: values must be (name, value) pairs, got {arguments.shown(pair)}")
            name, value = pair
            self._note(name, arguments.number(value, f"Progbar.update: {name}"), current, finalize)
        self._seen = current
        now = time.perf_counter()
        if self._after_first_step is None and current > 0:
            # The first step compiles the program: it would spoil the estimate.
            self._after_first_step, self._first_steps = now, current
        if self.verbose == 1:
            self._draw(current, now, finalize)
        elif self.verbose == 2 and finalize:
            show(self._line(current, now, finalize, bar=False))

    def add(self, n: int, values: Any = None) -> None:
        """Move on by `n` steps."""
        arguments.number(n, "Progbar.add: n")
        self.update(self._seen + n, values)

    def close(self) -> None:
        """Leave the line as it is; needed only where the last update never came."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _note(self, name: str, value: float, current: int, finalize: bool) -> None:
        averaged = (
            name not in self.stateful_metrics if self.stateless_metrics is None else name in self.stateless_metrics
        )
        if not averaged or finalize:
            self._sums[name] = (value, 1)
            return
        steps = max(current - self._seen, 1)
        total, count = self._sums.get(name, (0.0, 0))
        self._sums[name] = (total + value * steps, count + steps)

    def _draw(self, current: int, now: float, finalize: bool) -> None:
        if not finalize and now - self._last_drawn < self.interval:
            return
        self._last_drawn = now
        if not sys.stdout.isatty() or not config.is_interactive_logging_enabled():
            if finalize:
                show(self._line(current, now, finalize))
            return
        try:
            from rich.live import Live
            from rich.text import Text
        except ImportError:
            show(f"\r{self._line(current, now, finalize)}", end="\n" if finalize else "")
            return
        if self._live is None:
            self._live = Live(auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
            self._live.start()
        self._live.update(
            Text.from_ansi(self._line(current, now, finalize, colour=True), overflow="fold"), refresh=True
        )
        if finalize:
            self.close()

    def _line(self, current: int, now: float, finalize: bool, bar: bool = True, colour: bool = False) -> str:
        bold, green, dim, plain = ("\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m") if colour else ("", "", "", "")
        if self.target:
            text = f"{bold}{current:{len(str(self.target))}d}/{self.target}{plain}"
            if bar:
                filled = min(self.width, self.width * current // self.target)
                text += f" {green}{'━' * filled}{plain}{dim}{'━' * (self.width - filled)}{plain}"
        else:
            text = f"{bold}{current:7d}/Unknown{plain}"
        text += " - " if not bar else " "
        per_step = self._seconds_per_step(current, now)
        if self.target and not finalize:
            text += f"{bold}{_duration(per_step * (self.target - current))}{plain}"
        else:
            text += f"{bold}{now - self._start:.0f}s{plain}"
        text += (" - " if not bar else " ") + f"{_step_time(per_step)}/{self.unit_name}"
        for name, (total, count) in self._sums.items():
            value = total / max(count, 1)
            text += f" - {name}: {value:.4f}" if abs(value) > 1e-3 else f" - {name}: {value:.4e}"
        return text

    def _seconds_per_step(self, current: int, now: float) -> float:
        if self._after_first_step is not None and current > self._first_steps:
            return (now - self._after_first_step) / (current - self._first_steps)
        return (now - self._start) / max(current, 1)


def _duration(seconds: float) -> str:
    whole = int(seconds)
    if whole > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole > 60 else f"{whole}s"


def _step_time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"
