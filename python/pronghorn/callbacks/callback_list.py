"""The callbacks of one loop, called together."""

from __future__ import annotations

from typing import Any

from pronghorn import tree
from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.callbacks.history import History
from pronghorn.callbacks.progbar_logger import ProgbarLogger


class CallbackList(Callback):
    """A callback that passes every call on to a list of callbacks.

    Args:
        callbacks: a callback, a list of them, or None.
        add_history: whether to add a `History` where the list has none.
        add_progbar: whether to add a `ProgbarLogger` where the list has none.
        model: the model at work.
        **params: given to every callback through `set_params`.

    Raises:
        TypeError: if an entry is not a `Callback`.

    Example:
        >>> from pronghorn import callbacks
        >>> both = callbacks.CallbackList([callbacks.History()], epochs=2, steps=3, verbose=0)
        >>> both.on_train_begin()
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Callback] = [] if callbacks is None else tree.flatten(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks: expected Callback instances, got {callback!r} of type {type(callback)}")
        self._history = next((c for c in self.callbacks if isinstance(c, History)), None)
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Add a callback at the end."""
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def wants_batches(self, kind: str) -> bool:
        return any(callback.wants_batches(kind) for callback in self.callbacks)

    @property
    def has_progbar(self) -> bool:
        """Whether a progress bar counts batches, drawn while they run or only at the end."""
        return any(isinstance(c, ProgbarLogger) and c.verbose for c in self.callbacks)

    @property
    def shows_progress(self) -> bool:
        """Whether a progress bar is drawn while batches run."""
        return any(isinstance(c, ProgbarLogger) and c.verbose == 1 for c in self.callbacks)

    def _call(self, hook: str, logs: Logs | None, *position: int) -> None:
        # Hooks may write into the logs; those after them see it.
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, hook)(*position, logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._call("on_epoch_begin", logs, epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._call("on_epoch_end", logs, epoch)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_batch_begin", logs, batch)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_batch_end", logs, batch)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_train_batch_begin", logs, batch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_train_batch_end", logs, batch)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_test_batch_begin", logs, batch)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_test_batch_end", logs, batch)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_predict_batch_begin", logs, batch)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_predict_batch_end", logs, batch)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._call("on_train_end", logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._call("on_test_end", logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._call("on_predict_end", logs)
