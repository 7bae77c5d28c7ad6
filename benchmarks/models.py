"""Training and prediction speed of whole models, beside Keras on JAX, Keras on TensorFlow and PyTorch.

Each library runs in a process of its own; the processes take turns, so that all see the same machine, and sleep while
the others run. Figures are medians over the rounds, in samples per second; peak memory is the most that a library's
process held while it built, trained and used a model, the data included.

    python benchmarks/models.py                      # whatever is installed
    python benchmarks/models.py --peer-python ~/peers/bin/python --rounds 5 --json results.json
    python benchmarks/models.py --device gpu --precision tf32 --deadline 120 --rows rows.jsonl
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from picture import draw_ratios, with_ending
from rich.console import Console
from rich.table import Table
from worker import SIZES
from worker_process import OURS, PRECISIONS, START, Rows, Worker, add_worker_arguments, start_workers

WORKER = Path(__file__).with_name("worker.py")
LIBRARIES = {
    "cpu": (OURS, "keras-jax", "keras-tensorflow", "torch"),
    "gpu": (OURS, "torch-graph", "torch", "keras-jax", "torch-compile"),
}
FIGURES = ("train", "predict")


def measure(
    workers: list[Worker], workload: str, precision: str, rounds: int, rows: Rows
) -> dict[str, dict[str, float]]:
    """Time one workload with every worker, taking turns; returns library -> figure -> value."""
    samples: dict[str, dict[str, list[float]]] = {}
    built: dict[str, dict[str, float]] = {}
    failed: dict[str, str] = {}

    def ask(worker: Worker, command: str) -> Any:
        if worker.library in failed or rows.seconds_left() <= 0:
            return None
        answer = worker.ask(command, workload, precision, timeout=rows.seconds_left() + 5)
        if "failed" in answer:
            failed[worker.library] = answer["failed"]
            return None
        return answer

    for worker in workers:
        answer = ask(worker, "build")
        if answer is not None:
            built[worker.library] = answer
    for _ in range(rounds):
        for worker in workers:
            for figure, value in ((ask(worker, "round") if worker.library in built else None) or {}).items():
                samples.setdefault(worker.library, {}).setdefault(figure, []).append(value)

    results = {}
    for library, figures in samples.items():
        medians = {figure: statistics.median(values) for figure, values in figures.items()}
        medians["start_seconds"] = built[library]["first_epoch_seconds"] - medians["epoch_seconds"]
        results[library] = medians
    for worker in workers:
        library, row = worker.library, {"workload": workload, "precision": precision, "device": worker.device}
        if library in results:
            results[library] |= ask(worker, "memory") or {}
        if library in failed:
            rows.add(library=library, **row, status="failed", reason=failed[library])
        for figure in FIGURES if library in results else ():
            values = samples[library][figure]
            rows.add(
                library=library, **row, status="ok", figure=figure, samples_per_second=statistics.median(values),
                rounds=values, start_seconds=results[library]["start_seconds"], **built[library],
                peak_memory_megabytes=results[library].get("peak_memory_megabytes"),
            )  # fmt: skip
    return results


def show(results: dict[str, dict[str, dict[str, float]]], device: str, precision: str) -> None:
    """Print one table: samples per second, and ours over the best peer."""
    table = Table(title=f"samples per second (median), {device}, {precision}")
    libraries = [library for library in LIBRARIES[device] if any(library in row for row in results.values())]
    for column in ("workload", "", *libraries, "ours / best peer", "ours / slowest peer"):
        table.add_column(column, justify="left" if column in ("workload", "") else "right")
    for workload, row in results.items():
        for figure in FIGURES:
            values = {library: row[library][figure] for library in libraries if figure in row.get(library, {})}
            peers = [value for library, value in values.items() if library != OURS]
            ratios = ["", ""]
            if peers and OURS in values:
                ratios = [f"{values[OURS] / max(peers):.2f}", f"{values[OURS] / min(peers):.2f}"]
            cells = [f"{values[library]:,.0f}" if library in values else "-" for library in libraries]
            table.add_row(workload if figure == "train" else "", figure, *cells, *ratios)
        starts = [f"{row[x]['start_seconds']:.2f} s" if x in row else "-" for x in libraries]
        table.add_row("", "first epoch - later", *starts, "", "")
        peaks = [row.get(x, {}).get("peak_memory_megabytes") for x in libraries]
        table.add_row("", "peak memory, MB", *[f"{peak:,.0f}" if peak else "-" for peak in peaks], "", "")
    Console(width=140).print(table)


def ratios(results: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Our speed over that of each peer, for the picture."""
    return {
        f"{workload} {figure}": {
            library: row[OURS][figure] / values[figure] for library, values in row.items() if library != OURS
        }
        for workload, row in results.items()
        for figure in FIGURES
        if OURS in row
    }


def main() -> None:
    """Parse arguments, run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add_worker_arguments(parser)
    parser.add_argument("--rounds", type=int, default=5, help="how often each library takes its turn")
    parser.add_argument("--workloads", nargs="+", help="those of SIZES in worker.py; all of the device's by default")
    parser.add_argument("--libraries", nargs="+", help="by default all that are installed, on GPUs less torch-compile")
    parser.add_argument(
        "--precision", nargs="+", choices=PRECISIONS, default=["float32"], help="of every library alike; GPUs only"
    )
    arguments = parser.parse_args()
    device = arguments.device
    if arguments.precision != ["float32"] and device == "cpu":
        parser.error("--precision: a CPU computes in float32 here")
    workloads = arguments.workloads or list(SIZES[device])
    libraries = arguments.libraries or [name for name in LIBRARIES[device] if name != "torch-compile"]
    for given, known in ((workloads, SIZES[device]), (libraries, LIBRARIES[device])):
        unknown = [name for name in given if name not in known]
        if unknown:
            parser.error(f"{', '.join(unknown)}: known on a {device} are {', '.join(known)}")

    rows = Rows(arguments.rows, arguments.deadline, kind="model")
    workers = start_workers(libraries, WORKER, arguments, rows)
    results: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for precision in arguments.precision:
        results[precision] = {}
        for workload in workloads:
            if rows.seconds_left() > 0:
                alive = [worker for worker in workers if worker.revive(min(rows.seconds_left(), START))]
                results[precision][workload] = measure(alive, workload, precision, arguments.rounds, rows)
        show(results[precision], device, precision)
        if arguments.plot:
            path = arguments.plot if len(arguments.precision) == 1 else with_ending(arguments.plot, precision)
            draw_ratios(path, f"Pronghorn's speed over its peers', {device}, {precision}", ratios(results[precision]))
    for worker in workers:
        worker.close()
    if arguments.json:
        arguments.json.write_text(json.dumps(results if device == "gpu" else results["float32"], indent=1) + "\n")


if __name__ == "__main__":
    main()
