"""One pass over the data, for training, evaluation and prediction alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pronghorn import ops, tree
from pronghorn.callbacks import CallbackList
from pronghorn.training.data import ArraySource, BatchSource, Piece
from pronghorn.training.program import dtype_of

# How long native code may run before Python is back: short where a bar is drawn, otherwise so that Ctrl-C is heard.
_SECONDS_WITH_BAR = 0.05
_SECONDS_WITHOUT = 0.2


class _Pace:
    """How many steps to run at once so that a call takes a given time."""

    def __init__(self, seconds: float, least: int) -> None:
        self._seconds = seconds
        self._least = least
        self.steps = least

    def note(self, steps: int, elapsed: float) -> None:
        wanted = int(self._seconds * steps / max(elapsed, 1e-7))
        # At most eightfold at once: the first steps are not typical.
        self.steps = max(self._least, min(wanted, self.steps * 8))


def run_pass(
    kind: str,
    source: ArraySource | BatchSource,
    run: Callable[[Piece], Any],
    callbacks: CallbackList,
    steps_per_execution: int,
    read_logs: Callable[[Any], dict[str, Any]],
    stopped: Callable[[], bool],
) -> Any:
    """Go once over the data.

    Args:
        kind: "train", "test" or "predict": which batch hooks to call.
        source: the data.
        run: runs a piece and returns the results of its last step.
        callbacks: called around batches; where none of them wants every batch, only often enough for a progress bar.
        steps_per_execution: steps between two calls of the batch hooks.
        read_logs: makes the logs of the batch hooks from the results of a step.
        stopped: tells whether to stop.

    Returns:
        The results of the last step, None if there was none.
    """
    begin = getattr(callbacks, f"on_{kind}_batch_begin")
    end = getattr(callbacks, f"on_{kind}_batch_end")
    every_batch = callbacks.wants_batches(kind)
    draws = callbacks.shows_progress
    pace = _Pace(_SECONDS_WITH_BAR if draws else _SECONDS_WITHOUT, steps_per_execution)
    results, done, last_drawn = None, 0, 0.0
    source.begin_epoch()
    while True:
        wanted = steps_per_execution if every_batch else pace.steps
        piece = source.take(wanted)
        if piece is None:
            break
        if every_batch:
            begin(done)
        started = time.perf_counter()
        steps = 0
        while piece is not None:
            results = run(piece)
            steps += piece.steps
            piece = source.take(wanted - steps) if steps < wanted and every_batch else None
        done += steps
        now = time.perf_counter()
        if every_batch:
            end(done - 1, read_logs(results))
        else:
            pace.note(steps, now - started)
            if draws and now - last_drawn >= _SECONDS_WITH_BAR:
                end(done - 1, read_logs(results))
                last_drawn = now
        if stopped():
            break
    if done and callbacks.has_progbar and not every_batch:
        # A bar that did not know the number of steps learns it here.
        end(done - 1, read_logs(results))
    source.end_epoch()
    return results


class Collector:
    """Puts the results of all steps of a pass together along the first axis.

    Args:
        num_samples: number of samples where it is known; the results then go straight into one array.
    """

    def __init__(self, num_samples: int | None) -> None:
        self._num_samples = num_samples
        self._whole: list[np.ndarray] | None = None
        self._filled = 0
        self._parts: list[list[np.ndarray]] = []
        self._structure: Any = None

    def run(self, step: Any, piece: Piece) -> Any:
        """Run a piece with a `ProgramStep` or `EagerStep` and keep its results."""
        if self._can_fill(step, piece):
            assert self._whole is not None
            rows = slice(self._filled, self._filled + piece.steps * piece.batch_size)
            results = step.run(piece, [array[rows] for array in self._whole])
            self._filled = rows.stop
            self._structure = results
            return results
        for number in range(piece.steps):
            indices = piece.indices
            if indices is not None:
                indices = indices[number * piece.batch_size : (number + 1) * piece.batch_size]
            results = step.run(replace(piece, indices=indices, steps=1))
            self._parts.append([ops.convert_to_numpy(leaf) for leaf in tree.flatten(results)])
        self._structure = results
        return results

    def _can_fill(self, step: Any, piece: Piece) -> bool:
        specs = step.output_specs
        if self._num_samples is None or piece.indices is None or not specs or self._parts:
            return False
        if any(not shape or shape[0] != piece.batch_size for shape, _ in specs):
            return False
        rows = [(shape[1:], dtype_of(dtype)) for shape, dtype in specs]
        if self._whole is None:
            self._whole = [np.empty((self._num_samples, *shape), dtype) for shape, dtype in rows]
        return [(array.shape[1:], array.dtype) for array in self._whole] == rows

    def result(self) -> Any:
        """Return the results in the structure of one step's.

        Raises:
            ValueError: if there was no step.
        """
        if self._structure is None:
            raise ValueError("predict: there was no data")
        parts = list(self._parts)
        if self._whole is not None:
            parts.insert(0, [array[: self._filled] for array in self._whole])
        leaves = [pieces[0] if len(pieces) == 1 else np.concatenate(pieces) for pieces in zip(*parts)]
        return tree.pack_sequence_as(self._structure, leaves)
