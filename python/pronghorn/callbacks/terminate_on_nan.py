"""Stop training when the loss is not finite."""

from __future__ import annotations

import math

from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.messages import show


class TerminateOnNaN(Callback):
    """Stops training as soon as the loss is NaN or infinite.

    Args:
        raise_error: whether to raise instead of stopping after the batch.

    Raises:
        RuntimeError: when the loss is not finite and `raise_error` is True.

    Example:
        >>> from pronghorn.callbacks import TerminateOnNaN
        >>> guard = TerminateOnNaN()
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"TerminateOnNaN: loss is {loss} at batch {batch}")
        show(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
