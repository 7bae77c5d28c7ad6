"""The data of fit, evaluate and predict, given out in pieces that programs run."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from pronghorn import _core, arguments, tree
from pronghorn.training.arrays import check_lengths, class_weight_to_sample_weight, is_array_like, to_array, to_arrays
from pronghorn.utils.batch_form import unpack_x_y_sample_weight
from pronghorn.utils.py_dataset import PyDataset

DEFAULT_BATCH_SIZE = 32


@dataclass
class Piece:
    """Some steps of one batch size.

    Attributes:
        data: structure of NumPy arrays (None where something is missing), of which batches are taken.
        indices: int64, (steps * batch_size,): which samples; None where `data` is itself one batch.
        steps: number of steps.
        batch_size: samples per step.
        rows: the arrays of `data` as programs gather from them; None where `data` is itself one batch.
    """

    data: Any
    indices: np.ndarray | None
    steps: int
    batch_size: int
    rows: _core.RowSource | None = None

    def batch(self, step: int) -> Any:
        """Return the data of one step, in the same structure."""
        if self.indices is None:
            return self.data
        rows = self.indices[step * self.batch_size : (step + 1) * self.batch_size]
        return tree.map_structure(lambda array: None if array is None else array[rows], self.data)


class ArraySource:
    """Whole arrays, from which batches are gathered by index.

    Args:
        data: tuple of structures of arrays of the same length; None where something is missing.
        batch_size: samples per step.
        shuffle: True, False, or "batch" to shuffle only the order of batches.
        steps_per_epoch: steps after which an epoch ends; the next one goes on where it stopped.
    """

    def __init__(self, data: Any, batch_size: int, shuffle: bool | str, steps_per_epoch: int | None) -> None:
        self.data = data
        self.batch_size = batch_size
        self.steps_per_epoch = steps_per_epoch
        self._shuffle = shuffle
        self._length = next(len(leaf) for leaf in tree.flatten(data) if leaf is not None)
        self._batches = math.ceil(self._length / batch_size)
        # Seeded from NumPy's global state, which set_random_seed sets.
        self._generator = np.random.default_rng(np.random.randint(2**31)) if shuffle else None
        self._order: np.ndarray | None = None
        self._position = 0
        self._steps_left = 0
        self._rows = _core.RowSource([leaf for leaf in tree.flatten(data) if leaf is not None])

    @property
    def num_batches(self) -> int:
        """Steps of an epoch."""
        return self.steps_per_epoch or self._batches

    @property
    def num_samples(self) -> int:
        """Samples of an epoch."""
        return min(self.num_batches * self.batch_size, self._length)

    def begin_epoch(self) -> None:
        """Start an epoch: draw a new order unless the last epoch stopped midway."""
        self._steps_left = self.num_batches
        if self.steps_per_epoch is None or self._order is None or self._position >= self._length:
            self._draw_order()

    def end_epoch(self) -> None:
        """End an epoch."""

    def first_batch(self) -> Any:
        """Return a batch to build the model with."""
        rows = slice(0, self.batch_size)
        return tree.map_structure(lambda array: None if array is None else array[rows], self.data)

    def take(self, max_steps: int) -> Piece | None:
        """Return up to `max_steps` steps of one batch size, or None at the end of the epoch."""
        if self._steps_left == 0:
            return None
        if self._position >= self._length:
            # More steps per epoch than the arrays hold.
            self._draw_order()
        assert self._order is not None
        left = self._length - self._position
        size = min(self.batch_size, left)
        steps = min(max_steps, self._steps_left, left // size)
        indices = self._order[self._position : self._position + steps * size]
        self._position += steps * size
        self._steps_left -= steps
        return Piece(self.data, indices, steps, size, self._rows)

    def _draw_order(self) -> None:
        self._position = 0
        if self._generator is None:
            if self._order is None:
                self._order = np.arange(self._length, dtype=np.int64)
        elif self._shuffle == "batch":
            full = self._length // self.batch_size
            starts = self._generator.permutation(full) * self.batch_size
            head = (starts[:, None] + np.arange(self.batch_size)).reshape(-1)
            self._order = np.concatenate([head, np.arange(full * self.batch_size, self._length)]).astype(np.int64)
        else:
            self._order = self._generator.permutation(self._length).astype(np.int64, copy=False)


class BatchSource:
    """Batches that come one by one: a generator, a PyDataset or another iterable.

    Args:
        open_epoch: function that returns an iterator over the batches of an epoch.
        num_batches: number of batches of an epoch, None where it is unknown.
        steps_per_epoch: steps after which an epoch ends; the next one goes on where it stopped.
        class_weight: dict of class to weight, or None.
        hooks: functions to call at the beginning and the end of an epoch, or None.
    """

    def __init__(
        self,
        open_epoch: Callable[[], Iterator[Any]],
        num_batches: int | None,
        steps_per_epoch: int | None,
        class_weight: dict[int, float] | None = None,
        hooks: tuple[Callable[[], None], Callable[[], None]] | None = None,
    ) -> None:
        self._open_epoch = open_epoch
        self._known_batches = num_batches
        self.steps_per_epoch = steps_per_epoch
        self._class_weight = class_weight
        self._hooks = hooks
        self._iterator: Iterator[Any] | None = None
        self._ahead: list[Any] = []
        self._steps_left = 0
        self._steps_taken = 0
        self._fresh = False

    @property
    def num_batches(self) -> int | None:
        """Steps of an epoch, None where unknown."""
        return self.steps_per_epoch or self._known_batches

    num_samples = None

    def begin_epoch(self) -> None:
        """Start an epoch."""
        if self._hooks is not None:
            self._hooks[0]()
        self._steps_left = self.num_batches or -1
        self._steps_taken = 0
        if self._iterator is None or (self.steps_per_epoch is None and not self._fresh):
            self._open()

    def end_epoch(self) -> None:
        """End an epoch."""
        self._fresh = False
        if self.steps_per_epoch is None:
            self._iterator = None
        if self._hooks is not None:
            self._hooks[1]()

    def first_batch(self) -> Any:
        """Return the first batch, to build the model with; it is given out again by `take`."""
        if self._iterator is None:
            self._open()
        if not self._ahead:
            batch = next(self._iterator, None)  # type: ignore[arg-type]
            if batch is None:
                raise ValueError(
                    "x: the generator or data set gave no batch; a generator that has ended gives none again"
                )
            self._ahead.append(self._standardize(batch))
        return self._ahead[0]

    def take(self, max_steps: int) -> Piece | None:
        """Return the next batch as a piece of one step, or None at the end of the epoch."""
        if self._steps_left == 0:
            return None
        if self._ahead:
            data = self._ahead.pop()
        else:
            assert self._iterator is not None
            try:
                data = self._standardize(next(self._iterator))
            except StopIteration:
                self._ran_out()
                return None
        self._fresh = False
        self._steps_left -= 1
        self._steps_taken += 1
        return Piece(data, None, 1, next(len(leaf) for leaf in tree.flatten(data) if leaf is not None))

    def _open(self) -> None:
        self._iterator = self._open_epoch()
        self._fresh = True

    def _ran_out(self) -> None:
        self._iterator = None
        if self._steps_left > 0:
            warnings.warn(
                f"the data ended after {self._steps_taken} steps of an epoch, {self.num_batches} were expected; "
                "a generator must give steps_per_epoch * epochs batches",
                stacklevel=2,
            )
        elif self._known_batches is None:
            self._known_batches = self._steps_taken

    def _standardize(self, batch: Any) -> Any:
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        if self._class_weight is not None:
            if sample_weight is not None:
                raise ValueError("class_weight and sample_weight cannot be given at the same time")
            sample_weight = class_weight_to_sample_weight(to_array(y, "y"), self._class_weight)
        data = (to_arrays(x, "x"), to_arrays(y, "y"), to_arrays(sample_weight, "sample_weight"))
        check_lengths(data)
        return data


def holds_arrays(x: Any) -> bool:
    """Tell whether data are whole arrays, not something that gives batches."""
    return not isinstance(x, PyDataset) and (tree.is_nested(x) or is_array_like(x))


def make_source(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: dict[int, float] | None = None,
    steps_per_epoch: int | None = None,
) -> ArraySource | BatchSource:
    """Wrap the data a user gave.

    Args:
        x: array or structure of arrays, PyDataset, generator, or iterable of batches.
        y: targets, in the same way; None where `x` gives batches.
        sample_weight: one weight per sample, or one set per output.
        batch_size: samples per step; 32 by default.
        shuffle: True, False or "batch".
        class_weight: dict of class to weight.
        steps_per_epoch: steps after which an epoch ends.

    Raises:
        ValueError: if the arrays differ in length, are empty, or the arguments do not go together.
        TypeError: for data of a kind that cannot be used.
    """
    if steps_per_epoch is not None:
        steps_per_epoch = arguments.integer(steps_per_epoch, "steps_per_epoch", least=1)
    if not holds_arrays(x):
        return _batch_source(x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch)
    if batch_size is None:
        batch_size = DEFAULT_BATCH_SIZE
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}")
    arrays = [to_arrays(x, "x"), to_arrays(y, "y"), to_arrays(sample_weight, "sample_weight")]
    check_lengths(tuple(arrays))
    if class_weight is not None:
        if sample_weight is not None:
            raise ValueError("class_weight and sample_weight cannot be given at the same time")
        if y is None:
            raise ValueError("class_weight needs y")
        if tree.is_nested(arrays[1]):
            raise ValueError("class_weight works for models with a single output only")
        arrays[2] = class_weight_to_sample_weight(arrays[1], class_weight)
    return ArraySource(tuple(arrays), int(batch_size), shuffle, steps_per_epoch)


def _batch_source(
    x: Any, y: Any, sample_weight: Any, batch_size: Any, shuffle: Any, class_weight: Any, steps_per_epoch: int | None
) -> BatchSource:
    if x is None:
        raise ValueError("x is missing")
    if not isinstance(x, PyDataset) and (not hasattr(x, "__iter__") or isinstance(x, (str, bytes))):
        raise TypeError(
            f"x must be arrays, a PyDataset, a generator or an iterable of batches, got {arguments.shown(x)}"
        )
    kind = type(x).__name__
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(f"{name} must be None when x is a {kind}: its batches hold {name}")
    if batch_size is not None:
        raise ValueError(f"batch_size must be None when x is a {kind}: it makes its batches itself")
    if isinstance(x, PyDataset):
        generator = np.random.default_rng(np.random.randint(2**31)) if shuffle else None
        return BatchSource(
            lambda: _py_dataset_batches(x, generator),
            x.num_batches,
            steps_per_epoch,
            class_weight,
            (x.on_epoch_begin, x.on_epoch_end),
        )
    if hasattr(x, "__next__"):
        return BatchSource(lambda: x, None, steps_per_epoch, class_weight)
    # For example a torch DataLoader: it can be gone through once per epoch.
    length = len(x) if hasattr(x, "__len__") else None
    return BatchSource(lambda: iter(x), length, steps_per_epoch, class_weight)


def _py_dataset_batches(dataset: PyDataset, generator: np.random.Generator | None) -> Iterator[Any]:
    count = dataset.num_batches
    if count is None:
        order: Iterator[int] = itertools.count()
    elif generator is None:
        order = iter(range(count))
    else:
        order = iter(generator.permutation(count).tolist())
    if dataset.workers <= 1 and not dataset.use_multiprocessing:
        for index in order:
            yield dataset[index]
        return
    pool: Executor
    if dataset.use_multiprocessing:
        pool = ProcessPoolExecutor(dataset.workers, initializer=_set_worker_dataset, initargs=(dataset,))
    else:
        pool = ThreadPoolExecutor(dataset.workers)
    fetch = _worker_batch if dataset.use_multiprocessing else dataset.__getitem__
    with pool:
        waiting: list[Future[Any]] = []
        for index in order:
            waiting.append(pool.submit(fetch, index))
            if len(waiting) > dataset.max_queue_size:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


_worker_dataset: Any = None


def _set_worker_dataset(dataset: PyDataset) -> None:
    global _worker_dataset
    _worker_dataset = dataset


def _worker_batch(index: int) -> Any:
    return _worker_dataset[index]
