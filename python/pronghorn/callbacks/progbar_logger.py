"""Progress bar of fit, evaluate and predict."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import arguments
from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.messages import show
from pronghorn.utils.progbar import Progbar


class ProgbarLogger(Callback):
    """Draws a progress bar with the metrics; `fit`, `evaluate` and `predict` add one unless `verbose=0`.

    Example:
        >>> from pronghorn.callbacks import ProgbarLogger
        >>> bar = ProgbarLogger()
    """

    def __init__(self) -> None:
        super().__init__()
        self.verbose = 1
        self.epochs = 1
        self.target: int | None = None
        self.seen = 0
        self.progbar: Progbar | None = None
        self._in_fit = False

    def wants_batches(self, kind: str) -> bool:
        # It is content to be called every few steps.
        return False

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        verbose = params.get("verbose", 1)
        if not (verbose is None or verbose == "auto" or isinstance(verbose, (int, np.integer))):
            raise TypeError(f"verbose must be 'auto', 0, 1 or 2, got {arguments.shown(verbose)}")
        self.verbose = 1 if verbose == "auto" else int(verbose or 0)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        # Validation inside fit draws no bar of its own.
        self._in_fit = True

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.verbose and self.epochs > 1:
            show(f"Epoch {epoch + 1}/{self.epochs}")
        self._start()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._start()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._start()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._update(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._update(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._update(batch, None)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._finish(logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._finish(logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._finish(None)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.progbar is not None:
            self.progbar.close()

    def _start(self) -> None:
        self.seen = 0
        if self.progbar is not None:
            self.progbar.close()
        self.progbar = Progbar(self.target, verbose=self.verbose, unit_name="step", stateless_metrics=set())

    def _update(self, batch: int, logs: Logs | None) -> None:
        self.seen = batch + 1
        if self.verbose == 1 and self.progbar is not None:
            self.progbar.update(self.seen, list((logs or {}).items()), finalize=False)

    def _finish(self, logs: Logs | None) -> None:
        if self.progbar is None:
            return
        if self.target is None:
            # A source of unknown length is known after the first epoch.
            self.target = self.seen
            self.progbar.target = self.target
        self.progbar.update(self.target, list((logs or {}).items()), finalize=True)
        self.progbar = None
