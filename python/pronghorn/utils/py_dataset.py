"""A data set that gives batches by number."""

from __future__ import annotations

from typing import Any


class PyDataset:
    """Base class of data sets that give batch number `i` through `self[i]`.

    Derive from it, define `__len__` (number of batches) and `__getitem__` (one whole batch: `x`, `(x, y)` or
    `(x, y, sample_weight)`), and pass an instance as `x` to `fit`, `evaluate` or `predict`.

    Args:
        workers: number of threads or processes that prepare batches ahead; 1 prepares them one by one.
        use_multiprocessing: whether to use processes; the data set must then be picklable.
        max_queue_size: number of batches to prepare ahead.

    Example:
        >>> import numpy as np
        >>> from pronghorn import utils
        >>> class Ramp(utils.PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         return np.full((4, 2), index), np.zeros((4, 1))
        >>> Ramp()[2][0].shape
        (4, 2)
    """

    # Class attributes, so that a subclass that forgets super().__init__() works too.
    _workers = 1
    _use_multiprocessing = False
    _max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """Number of threads or processes that prepare batches."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether batches are prepared by processes instead of threads."""
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """Number of batches prepared ahead."""
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    @property
    def num_batches(self) -> int | None:
        """Number of batches, None for an endless data set."""
        try:
            return len(self)  # type: ignore[arg-type]
        except (TypeError, NotImplementedError):
            return None

    def __getitem__(self, index: int) -> Any:
        """Return batch number `index`."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def on_epoch_begin(self) -> None:
        """Called before every epoch."""

    def on_epoch_end(self) -> None:
        """Called after every epoch."""


Sequence = PyDataset
