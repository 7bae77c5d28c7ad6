"""Base class of all callbacks."""

from __future__ import annotations

from typing import Any

Logs = dict[str, Any]

# The hooks that run for every batch, by kind of loop.
BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class Callback:
    """Actions taken at various points of training, evaluation and prediction.

    Derive from this class, override the hooks you need and pass an instance in `callbacks=` of `fit`, `evaluate` or
    `predict`. A callback that overrides no batch hook costs nothing per batch: the steps between two epochs then run
    natively, many in one call.

    Attributes:
        params: dict with "verbose", "epochs" and "steps".
        model: the model at work.

    Example:
        >>> from pronghorn import callbacks
        >>> class Note(callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, sorted(logs))
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model at work, None before `set_model`."""
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive "verbose", "epochs" and "steps" before the loop starts."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model before the loop starts."""
        self._model = model

    def wants_batches(self, kind: str) -> bool:
        """Tell whether this callback has to be called around every batch.

        Args:
            kind: "train", "test" or "predict".
        """
        return any(
            getattr(getattr(self, name), "__func__", None) is not getattr(Callback, name) for name in BATCH_HOOKS[kind]
        )

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Same as `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Same as `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called at the start of an epoch of `fit`; `epoch` counts from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called at the end of an epoch of `fit`; `logs` holds its metrics, those of validation as "val_..."."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training batch; every `steps_per_execution` batches."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training batch, with the metrics of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of `evaluate`, or of validation inside `fit`."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch of `evaluate`, or of validation inside `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch of `predict`, with its result as `logs["outputs"]`."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called when `fit` starts."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called when `fit` ends, with the logs of the last epoch."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called when evaluation or validation starts."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called when evaluation or validation ends, with its metrics."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called when `predict` starts."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called when `predict` ends."""
