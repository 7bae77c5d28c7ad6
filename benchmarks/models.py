"""Training and prediction speed of whole models, beside Keras on JAX, Keras on TensorFlow and PyTorch.

Each library runs in a process of its own; the processes take turns, so that all see the same machine, and sleep while
the others run. Figures are medians over the rounds, in samples per second.

    python benchmarks/models.py                      # whatever is installed
    python benchmarks/models.py --peer-python ~/peers/bin/python --rounds 5 --json results.json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

WORKER = Path(__file__).with_name("worker.py")
LIBRARIES = ("pronghorn", "keras-jax", "keras-tensorflow", "torch")
WORKLOADS = ("mlp-32", "mlp-512", "convnet", "resnet-20")


class Worker:
    """One library in a process of its own, told what to time over its standard input."""

    def __init__(self, library: str, python: str, threads: int, script: Path = WORKER) -> None:
        self.library = library
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="")
        if library.startswith("keras-"):
            environment["KERAS_BACKEND"] = library.removeprefix("keras-")
        self.process = subprocess.Popen(
            [python, str(script), library, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.ready = self._answer() == "ready"

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("@"):  # libraries print things of their own
                return json.loads(line[1:])
        return None

    def ask(self, *command: str) -> Any:
        """Send a command and return the answer, None if the worker died."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            print(f"{self.library}: its process has died", file=sys.stderr)
        self.process.wait()


def measure(workers: list[Worker], workload: str, rounds: int) -> dict[str, dict[str, float]]:
    """Time one workload with every worker, taking turns; returns library -> figure -> value."""
    samples: dict[str, dict[str, list[float]]] = {}
    first_epochs: dict[str, float] = {}
    for worker in workers:
        answer = worker.ask("build", workload)
        if answer is not None:
            first_epochs[worker.library] = answer["first_epoch_seconds"]
            samples[worker.library] = {"train": [], "predict": []}
    for _ in range(rounds):
        for worker in workers:
            if worker.library not in samples:
                continue
            answer = worker.ask("round", workload)
            for figure, value in (answer or {}).items():
                samples[worker.library].setdefault(figure, []).append(value)
    results = {}
    for library, figures in samples.items():
        medians = {figure: statistics.median(values) for figure, values in figures.items() if values}
        if "epoch_seconds" in medians:
            medians["start_seconds"] = first_epochs[library] - medians["epoch_seconds"]
        results[library] = medians
    return results


def show(results: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print one table: samples per second, and ours over the best peer."""
    table = Table(title="samples per second (median)")
    libraries = [library for library in LIBRARIES if any(library in row for row in results.values())]
    for column in ("workload", "", *libraries, "ours / best peer", "ours / slowest peer"):
        table.add_column(column, justify="left" if column in ("workload", "") else "right")
    for workload, row in results.items():
        for figure in ("train", "predict"):
            values = {library: row[library][figure] for library in libraries if figure in row.get(library, {})}
            peers = [value for library, value in values.items() if library != "pronghorn"]
            ratios = ["", ""]
            if peers and "pronghorn" in values:
                ratios = [f"{values['pronghorn'] / max(peers):.2f}", f"{values['pronghorn'] / min(peers):.2f}"]
            cells = [f"{values[library]:,.0f}" if library in values else "-" for library in libraries]
            table.add_row(workload if figure == "train" else "", figure, *cells, *ratios)
        starts = [f"{row[x]['start_seconds']:.2f} s" if "start_seconds" in row.get(x, {}) else "-" for x in libraries]
        table.add_row("", "first epoch - later", *starts, "", "")
    Console(width=140).print(table)


def main() -> None:
    """Parse arguments, run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5, help="how often each library takes its turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--libraries", nargs="+", choices=LIBRARIES, default=list(LIBRARIES))
    parser.add_argument("--peer-python", default=sys.executable, help="the Python in which the peers are installed")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()

    results: dict[str, dict[str, dict[str, float]]] = {}
    workers = []
    for library in arguments.libraries:
        python = sys.executable if library == "pronghorn" else arguments.peer_python
        worker = Worker(library, python, arguments.threads)
        if worker.ready:
            workers.append(worker)
        else:
            print(f"{library}: not installed, left out", file=sys.stderr)
    for workload in arguments.workloads:
        results[workload] = measure(workers, workload, arguments.rounds)
    for worker in workers:
        worker.close()
    show(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
