"""Model.profile: one step of a model, timed call by call."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import _core, arguments, tree
from pronghorn.devices import device
from pronghorn.profiling.ceilings import FLOATS, Ceilings, measure_ceilings
from pronghorn.profiling.profile import Profile
from pronghorn.profiling.rows import ProfileRow, merge_rows
from pronghorn.profiling.table import print_table
from pronghorn.training.data import Piece, make_source
from pronghorn.training.program import dtype_of

_KINDS = ("train", "test", "predict")
_BUDGET = 0.5  # seconds that repeats take together, where nobody says how many
_SHOWN = 25
_OUTSIDE = "(step)"


def profile_model(
    model: Any, x: Any, y: Any, sample_weight: Any, batch_size: Any, kind: Any, repeats: Any, verbose: Any
) -> Profile:
    """Profile one step; `Model.profile` describes the arguments."""
    if kind is not None:
        arguments.one_of(kind, _KINDS, "profile: kind")
    if repeats is not None:
        repeats = arguments.integer(repeats, "profile: repeats", least=1)
    arguments.one_of(verbose, (0, 1, False, True), "profile: verbose")
    batch = make_source(x, y, sample_weight, batch_size).first_batch()
    kind = _kind_of(model, batch, kind)
    if model.run_eagerly:
        raise ValueError(
            "profile: a model compiled with run_eagerly=True has no program to profile; compile it without"
        )
    if kind == "predict":
        batch = (batch[0], None, None)
    arrays = [leaf for leaf in tree.flatten(batch) if leaf is not None]
    with device(model.weights[0].device if model.weights else _core.current_device()):
        model._prepare(kind, batch)
        find = model._step_finder(kind, kind == "predict" or model._is_overridden(kind))
        program = find(Piece(batch, None, 1, len(arrays[0]))).program
        seconds, whole = _times(program, arrays, repeats)
        steps = program.steps()
        # A dtype's own peak matters where more is computed than moved.
        busy = {step["dtype"] for step in steps if step["operations"] > step["bytes"]}
        ceilings = measure_ceilings(busy & FLOATS)
    rows = [_row(model.name, step, time, ceilings) for step, time in zip(steps, seconds) if step["bytes"]]
    profile = Profile(
        model=model.name,
        kind=kind,
        batch_size=len(arrays[0]),
        rows=merge_rows(rows, lambda row: (row.layer, row.phase, row.op)),
        step_seconds=whole,
        arena_bytes=program.arena_bytes,
        weight_bytes=_size(model.weights),
        optimizer_bytes=_size(model.optimizer.variables) if kind == "train" and model.optimizer else 0,
        ceilings=ceilings,
    )
    if verbose:
        print_table(profile, _SHOWN)
    return profile


def _kind_of(model: Any, batch: Any, kind: str | None) -> str:
    if kind is None:
        kind = "predict" if batch[1] is None else "train"
    if kind != "predict" and not model.compiled:
        raise ValueError(
            "profile: a step with targets needs a compiled model; call compile(), or leave y out to profile predict"
        )
    return kind


def _times(program: Any, arrays: list[np.ndarray], repeats: int | None) -> tuple[list[float], float]:
    """Median seconds of each entry of a program's list, and of the whole."""
    if repeats is None:
        steps, _ = program.profile(arrays, 1)
        repeats = int(np.clip(_BUDGET / (2 * steps.sum() + 1e-9), 3, 200))
    steps, whole = program.profile(arrays, repeats)
    return np.median(steps, axis=0).tolist(), float(np.median(whole))


def _row(model: str, step: dict[str, Any], seconds: float, ceilings: Ceilings) -> ProfileRow:
    (path, phase), *others = step["parts"]
    layer = _layer(path, model)
    fused = dict.fromkeys(_layer(other, model) for other, _ in others)
    work = step["dtype"], step["operations"], step["bytes"]
    return ProfileRow(
        layer=layer,
        phase=phase,
        op=step["op"],
        kernel=step["kernel"],
        results=step["results"],
        fused=tuple(name for name in fused if name != layer),
        calls=1,
        seconds=seconds,
        flops=step["operations"],
        bytes=step["bytes"],
        ceiling_seconds=ceilings.seconds(*work),
        bound=ceilings.bound(*work),
    )


def _layer(path: str, model: str) -> str:
    return path.removeprefix(f"{model}/") if path else _OUTSIDE


def _size(variables: Any) -> int:
    return sum(variable.size * dtype_of(variable.dtype).itemsize for variable in variables)
