"""Steps made ready to run: traced into native programs, or run eagerly."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np

from pronghorn import _core, ops, tree
from pronghorn.training.data import Piece

CACHE_SIZE = 64

Step = Callable[[Any], Any]


class ProgramStep:
    """A step traced into a native program for one set of batch shapes.

    Args:
        step: function of a batch, written with ops; returns a structure of tensors.
        data: structure of arrays that batches are taken from; None where something is missing.
        batch_size: samples per batch.
        keep_outputs: whether the results are wanted, or only the changes of variables.

    Attributes:
        program: the native program.
        output_specs: (shape, dtype) of each result.
    """

    def __init__(self, step: Step, data: Any, batch_size: int, keep_outputs: bool) -> None:
        graph = _core.Graph()
        with graph:
            batch = tree.map_structure(
                lambda leaf: None if leaf is None else graph.input((batch_size, *leaf.shape[1:]), leaf.dtype.name),
                data,
            )
            result = step(batch) if keep_outputs else _drop(step(batch))
            leaves = [None if leaf is None else ops.convert_to_tensor(leaf) for leaf in tree.flatten(result)]
            graph.set_outputs([leaf for leaf in leaves if leaf is not None])
        self._missing = [leaf is None for leaf in leaves]
        self._structure = tree.map_structure(lambda _: None, result)
        self.output_specs = [(tuple(leaf.shape), leaf.dtype) for leaf in leaves if leaf is not None]
        self.program = _core.compile(graph)

    def run(self, piece: Piece, out: list[np.ndarray] | None = None) -> Any:
        """Run all steps of a piece and return the results of the last one.

        Args:
            piece: the data.
            out: arrays that receive the results of all steps, one after the other along the first axis.

        Returns:
            The structure that the step returned, with NumPy arrays in the place of tensors.
        """
        if piece.indices is None:
            arrays = [leaf for leaf in tree.flatten(piece.data) if leaf is not None]
            results = [result.numpy() for result in self.program.run(arrays)]
            for array, result in zip(out or (), results):
                array[...] = result
        else:
            # The native loop keeps the results of every step: rows of `out`, or one entry per step here.
            kept = [] if out else [np.empty((piece.steps, *s), dtype_of(d)) for s, d in self.output_specs]
            self.program.run_steps(piece.rows, piece.indices, piece.steps, out or kept)
            last = slice(-piece.batch_size, None)
            results = [array[last] for array in out] if out else [array[-1] for array in kept]
        remaining = iter(results)
        leaves = [None if missing else next(remaining) for missing in self._missing]
        return tree.pack_sequence_as(self._structure, leaves)


class EagerStep:
    """A step run op by op, for `run_eagerly=True`; same interface as `ProgramStep`."""

    program = None
    output_specs = None

    def __init__(self, step: Step) -> None:
        self._step = step

    def run(self, piece: Piece, out: list[np.ndarray] | None = None) -> Any:
        """Run all steps of a piece and return the results of the last one."""
        result = None
        for number in range(piece.steps):
            batch = tree.map_structure(
                lambda leaf: None if leaf is None else ops.convert_to_tensor(leaf), piece.batch(number)
            )
            result = self._step(batch)
            for array, leaf in zip(out or (), tree.flatten(result)):
                array[number * piece.batch_size : (number + 1) * piece.batch_size] = ops.convert_to_numpy(leaf)
        return result


class TraceState:
    """What a trace depends on besides shapes: which variables training changes, which layers are frozen.

    Args:
        variables: the trainable variables; held, so that their identity stays theirs.
        frozen: for each layer, whether it is frozen.
    """

    def __init__(self, variables: Iterable[Any], frozen: Iterable[bool]) -> None:
        self._variables = list(variables)
        self._key = (tuple(id(variable) for variable in self._variables), tuple(frozen))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TraceState) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


class ProgramCache:
    """The steps of one model that are ready to run; the least recently used go first."""

    def __init__(self) -> None:
        self._steps: OrderedDict[Hashable, ProgramStep] = OrderedDict()
        self._warned = False
        self._latest: dict[str, ProgramStep] = {}

    def get(self, kind: str, state: TraceState, step: Step, piece: Piece, keep_outputs: bool) -> ProgramStep:
        """Return the step for the shapes of a piece, tracing it if it is new.

        Args:
            kind: "train", "test" or "predict".
            state: what the trace depends on besides shapes.
            step: the function to trace.
            piece: data of the shapes at hand.
            keep_outputs: whether the results are wanted.
        """
        key = (kind, state, keep_outputs, piece.batch_size, _signature(piece.data))
        found = self._steps.get(key)
        if found is None:
            found = ProgramStep(step, piece.data, piece.batch_size, keep_outputs)
            if len(self._steps) >= CACHE_SIZE:
                self._drop_oldest(piece)
            self._steps[key] = found
        else:
            self._steps.move_to_end(key)
        self._latest[kind] = found
        return found

    def latest(self, kind: str) -> Any:
        """Return the native program used last for a kind of step.

        Raises:
            ValueError: if none has been compiled.
        """
        if not isinstance(kind, str) or kind not in self._latest:
            raise ValueError(f"program: no {kind!r} program has been compiled yet; compiled are {sorted(self._latest)}")
        return self._latest[kind].program

    def _drop_oldest(self, piece: Piece) -> None:
        self._steps.popitem(last=False)
        if not self._warned:
            self._warned = True
            shapes = [(piece.batch_size, *leaf.shape[1:]) for leaf in tree.flatten(piece.data) if leaf is not None]
            warnings.warn(
                f"more than {CACHE_SIZE} different batch shapes, the latest being {shapes}: every new shape is "
                "compiled, and the program used least recently is dropped; pad the data to fewer shapes",
                stacklevel=2,
            )


def dtype_of(name: str) -> np.dtype[Any]:
    """Return the NumPy dtype of a dtype name."""
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def _drop(result: Any) -> tuple[()]:
    return ()


def _signature(data: Any) -> Hashable:
    if isinstance(data, dict):
        return ("dict", *((key, _signature(data[key])) for key in sorted(data)))
    if isinstance(data, (list, tuple)):
        return (type(data).__name__, *(_signature(entry) for entry in data))
    return None if data is None else (data.shape[1:], data.dtype)
