"""`pronghorn bench`: how fast models train and predict here, and where the time goes."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pronghorn
from pronghorn import _core
from pronghorn.cli.workloads import WORKLOADS, build
from pronghorn.profiling import Profile
from pronghorn.utils.atomic_file import replacing

_USUAL = ("mlp-32", "mlp-512", "convnet", "resnet-20")
_SECONDS = 1.0  # that fit and predict shall each take while they are timed
_MOST_STEPS = 1000
_MOST_NUMBERS = 1 << 24  # in the data
_SHOWN = 12


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `pronghorn bench`."""
    parser.add_argument(
        "--workload",
        nargs="+",
        choices=list(WORKLOADS),
        default=list(_USUAL),
        metavar="NAME",
        help=f"models to time: {', '.join(WORKLOADS)} (default: {', '.join(_USUAL)})",
    )
    parser.add_argument("--batch-size", type=_positive, metavar="N", help="samples a step (default: the model's own)")
    parser.add_argument("--device", metavar="NAME", help="cpu, gpu, gpu:1, ... (default: the default device)")
    parser.add_argument("--threads", type=_positive, metavar="N", help="threads of the CPU (default: all)")
    parser.add_argument("--json", metavar="FILE", help="write all figures to this file")
    parser.add_argument("--plot", metavar="FILE", help="draw rooflines of the train steps; one file for each model")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def bench(
    workloads: Sequence[str] = _USUAL,
    batch_size: int | None = None,
    device: str | None = None,
    threads: int | None = None,
    json_path: str | None = None,
    plot_path: str | None = None,
) -> int:
    """Time training and prediction of models and show their profiles.

    Args:
        workloads: keys of `WORKLOADS`.
        batch_size: samples of a step; None takes each model's own.
        device: name of the device; None takes the default.
        threads: number of threads of the CPU; None leaves it.
        json_path: file for all figures.
        plot_path: file for the picture of the train step; several workloads have their names put before the ending.

    Returns:
        Exit status, 0.

    Raises:
        ValueError: for a device that does not exist, a folder that does not exist, or a picture without matplotlib.
    """
    _check_outputs(json_path, plot_path)
    before = _core.num_threads()
    _core.set_num_threads(threads or before)
    results: dict[str, Any] = {}
    try:
        with pronghorn.device(device or _core.default_device()):
            for name in workloads:
                results[name] = _measure(name, batch_size or WORKLOADS[name][1])
                if plot_path is not None:
                    stem, ending = os.path.splitext(plot_path)
                    path = plot_path if len(workloads) == 1 else f"{stem}-{name}{ending}"
                    results[name]["profiles"]["train"].plot(path)
                    print(f"wrote {path}\n")
    finally:
        _core.set_num_threads(before)
    _print_summary(results)
    if json_path is not None:
        _write(json_path, results)
    return 0


def _check_outputs(json_path: str | None, plot_path: str | None) -> None:
    for path in (json_path, plot_path):
        if path is not None and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            raise ValueError(f"there is no folder for {path!r}")
    if plot_path is not None and importlib.util.find_spec("matplotlib") is None:
        raise ValueError("--plot needs matplotlib: pip install 'pronghorn[plot]'")


def _measure(name: str, batch_size: int) -> dict[str, Any]:
    """Train and predict speed of one model, and the profiles of both steps, which are printed."""
    from rich.console import Console

    model = build(pronghorn, name)
    shape = WORKLOADS[name][0]
    x, y = _data(shape, batch_size)
    profiles: dict[str, Profile] = {
        "train": model.profile(x, y, batch_size=batch_size, verbose=0),
        "predict": model.profile(x, batch_size=batch_size, verbose=0),
    }
    console = Console(highlight=False)
    for profile in profiles.values():
        console.print(profile.table(limit=_SHOWN, width=console.width))
        console.print()
    speeds = {kind: _speed(model, kind, profile, shape) for kind, profile in profiles.items()}
    return {"batch_size": batch_size, "samples_per_second": speeds, "profiles": profiles}


def _speed(model: Any, kind: str, profile: Profile, shape: tuple[int, ...]) -> float:
    """Samples a second of fit or predict, on as many as take a while."""
    size = profile.batch_size
    steps = int(np.clip(_SECONDS / profile.step_seconds, 2, _MOST_STEPS))
    steps = max(2, min(steps, _MOST_NUMBERS // (size * int(np.prod(shape)))))
    x, y = _data(shape, steps * size)

    def run() -> None:
        if kind == "train":
            model.fit(x, y, batch_size=size, verbose=0)
        else:
            model.predict(x, batch_size=size, verbose=0)

    return steps * size / _seconds(run)


def _data(shape: tuple[int, ...], samples: int) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(0).standard_normal((samples, *shape), dtype=np.float32)
    return numbers, numbers.reshape(samples, -1)[:, :10].argmax(axis=1)


def _seconds(run: Callable[[], Any]) -> float:
    """The shorter of two runs, after one that is not timed."""
    run()
    times = []
    for _ in range(2):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def _print_summary(results: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="samples a second of fit and predict")
    for column in ("model", "batch", "train", "of ceiling", "predict", "of ceiling"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for name, result in results.items():
        cells = []
        for kind, speed in result["samples_per_second"].items():
            cells += [f"{speed:,.0f}", f"{result['profiles'][kind].total.percent_of_ceiling:.0f}%"]
        table.add_row(name, str(result["batch_size"]), *cells)
    Console(highlight=False).print(table)


def _write(path: str, results: dict[str, Any]) -> None:
    data = {
        name: {**result, "profiles": {kind: json.loads(each.to_json()) for kind, each in result["profiles"].items()}}
        for name, result in results.items()
    }
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        json.dump({"pronghorn": pronghorn.__version__, "workloads": data}, file, indent=1)
    print(f"wrote {path}")
