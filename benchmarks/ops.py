"""Speed of single ops, beside PyTorch.

Each library runs in a process of its own; the processes take turns, case by case, so that both see the same machine.
Figures are the best of the rounds: GFLOP/s, or GB/s where moving memory is the work.

    python benchmarks/ops.py
    python benchmarks/ops.py --threads 1 --only matmul --peer-python ~/peers/bin/python --json results.json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from models import Worker
from op_worker import CASES
from rich.console import Console
from rich.table import Table

SCRIPT = Path(__file__).with_name("op_worker.py")
LIBRARIES = ("pronghorn", "torch")


def measure(workers: list[Worker], name: str, rounds: int) -> dict[str, float]:
    """Library -> best speed of one case."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for worker in workers:
            speed = worker.ask("run", name)
            if speed is not None:
                best[worker.library] = max(best.get(worker.library, 0.0), speed)
    return best


def show(results: dict[str, dict[str, float]]) -> None:
    """Print one table: speeds, and ours over PyTorch's."""
    table = Table(title="speed of single ops (best)")
    for column in ("op", *LIBRARIES, "", "ours / torch"):
        table.add_column(column, justify="left" if column in ("op", "") else "right")
    for name, row in results.items():
        speeds = [f"{row[library]:.1f}" if library in row else "-" for library in LIBRARIES]
        ratio = f"{row['pronghorn'] / row['torch']:.2f}" if len(row) == len(LIBRARIES) else ""
        table.add_row(name, *speeds, CASES[name].unit, ratio)
    Console(width=100).print(table)


def main() -> None:
    """Parse arguments, run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="how often each library takes its turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="run the ops whose names hold this text")
    parser.add_argument("--peer-python", default=sys.executable, help="the Python in which PyTorch is installed")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()

    workers = []
    for library in LIBRARIES:
        python = sys.executable if library == "pronghorn" else arguments.peer_python
        worker = Worker(library, python, arguments.threads, SCRIPT)
        if worker.ready:
            workers.append(worker)
        else:
            print(f"{library}: not installed, left out", file=sys.stderr)
    results = {name: measure(workers, name, arguments.rounds) for name in CASES if arguments.only in name}
    for worker in workers:
        worker.close()
    show(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
