"""Save the model or its weights during training."""

from __future__ import annotations

import os

from pronghorn import arguments
from pronghorn.callbacks.callback import Logs
from pronghorn.callbacks.monitor_callback import MonitorCallback
from pronghorn.messages import show
from pronghorn.utils.atomic_file import replacing


class ModelCheckpoint(MonitorCallback):
    """Saves the model or its weights at some frequency.

    A file appears whole or not at all: it is written beside its place, flushed to the disk, then moved there.

    Args:
        filepath: where to save; may hold format fields such as "{epoch:02d}-{val_loss:.2f}.weights.h5". Ends with
            ".weights.h5" for weights only, with ".keras" or ".h5" otherwise.
        monitor: name of the metric that says which model is best.
        verbose: 1 prints a line when it acts.
        save_best_only: whether to save only when the metric improves.
        save_weights_only: whether to save the weights instead of the whole model.
        mode: "min", "max", or "auto" to tell from the metric.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: value the metric has to improve on at first.

    Raises:
        ValueError: for an unknown `save_freq` or file ending.

    Example:
        >>> from pronghorn.callbacks import ModelCheckpoint
        >>> keep = ModelCheckpoint("best.weights.h5", monitor="loss", save_best_only=True, save_weights_only=True)
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = arguments.path(filepath, "ModelCheckpoint: filepath")
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._current_epoch = 0
        self._last_batch_seen: int | None = None
        self._batches_since_saving = 0
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f"ModelCheckpoint: save_freq must be 'epoch' or a positive integer, got {save_freq!r}")
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"ModelCheckpoint: with save_weights_only={save_weights_only} filepath must end with "
                f"{' or '.join(endings)}, got {self.filepath!r}"
            )

    def wants_batches(self, kind: str) -> bool:
        return kind == "train" and self.save_freq != "epoch"

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._current_epoch = epoch
        self._last_batch_seen = None

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if isinstance(self.save_freq, str):
            return
        # With steps_per_execution this hook runs once for several batches.
        self._batches_since_saving += batch - (-1 if self._last_batch_seen is None else self._last_batch_seen)
        self._last_batch_seen = batch
        if self._batches_since_saving >= self.save_freq:
            self._batches_since_saving = 0
            self._save(self._current_epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        path = self._path(epoch, batch, logs)
        if not self._should_save(epoch, logs, path):
            return
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if os.path.isdir(path):
            raise IsADirectoryError(f"ModelCheckpoint: filepath {path!r} is a folder")
        with replacing(path) as temporary:
            if self.save_weights_only:
                self.model.save_weights(temporary, overwrite=True)
            else:
                self.model.save(temporary, overwrite=True)
        if self.verbose > 0:
            show(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        fields = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} names {error}, available: {', '.join(fields)}"
            ) from None

    def _should_save(self, epoch: int, logs: Logs, path: str) -> bool:
        if not self.save_best_only:
            if self.verbose > 0:
                show(f"\nEpoch {epoch + 1}: saving model to {path}")
            return True
        value = self._monitored(logs)
        if value is None:
            return True
        before = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(value, self.best):
            if self.verbose > 0:
                show(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {before}")
            return False
        if self.verbose > 0:
            show(f"\nEpoch {epoch + 1}: {self.monitor} improved from {before} to {value:.5f}, saving model to {path}")
        self.best = value
        return True
