"""Speed of single ops, beside PyTorch.

Each library runs in a process of its own; the processes take turns, case by case, so that both see the same machine.
Figures are the best of the rounds: GFLOP/s, or GB/s where moving memory is the work. Results are compared: a wrong one
is marked WRONG and has no ratio. "of ceiling" is our share of what Pronghorn's best product, or adding arrays of that
size, reaches on the machine.

    python benchmarks/ops.py
    python benchmarks/ops.py --threads 1 --only matmul --peer-python ~/peers/bin/python --json results.json
    python benchmarks/ops.py --device gpu --deadline 150 --rows rows.jsonl
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from op_cases import Case, cases
from picture import draw_ratios
from rich.console import Console
from rich.table import Table
from worker_process import OURS, START, Rows, Worker, add_worker_arguments, start_workers

SCRIPT = Path(__file__).with_name("op_worker.py")
LIBRARIES = (OURS, "torch")
# of the result's usual size; float32 sums of 400,000 products among them, in two orders
TOLERANCES = {"float32": 3e-4, "tf32": 4e-3, "bfloat16": 1.2e-2}

Row = dict[str, Any]


def agree(a: list[float], b: list[float], precision: str) -> bool:
    """Whether two fingerprints are those of the same result."""
    usual = b[-1]
    return len(a) == len(b) and all(
        math.isfinite(x) and abs(x - y) <= TOLERANCES[precision] * (abs(y) + usual) for x, y in zip(a, b)
    )


def measure(workers: list[Worker], name: str, case: Case, rounds: int, rows: Rows) -> Row:
    """Time one case with every worker; returns library -> best speed, and "wrong" where the results differ."""
    best: dict[str, Row] = {}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for worker in workers:
            if worker.library in failed or rows.seconds_left() <= 0:
                continue
            answer = worker.ask("run", name, timeout=rows.seconds_left() + 5)
            if "failed" in answer:
                failed[worker.library] = answer["failed"]
            elif worker.library not in best or answer["seconds"] < best[worker.library]["seconds"]:
                best[worker.library] = answer
    wrong = all(library in best for library in LIBRARIES) and not agree(
        best[OURS]["check"], best["torch"]["check"], case.precision
    )
    row: Row = {"wrong": wrong, "failed": failed}
    for worker in workers:
        library = worker.library
        about = {"library": library, "name": name, "precision": case.precision, "device": worker.device}
        if library in failed:
            rows.add(**about, status="failed", reason=failed[library])
        if library in best:
            row[library] = case.work / best[library]["seconds"] * 1e-9
            if "ceiling" in best[library]:
                row["ceiling"] = best[library]["ceiling"]
            status = "wrong" if wrong and library == OURS else "ok"
            rows.add(**about, status=status, speed=row[library], unit=case.unit, work=case.work, **best[library])
    return row


def show(results: dict[str, Row], known: dict[str, Case]) -> None:
    """Print one table: speeds, ours over PyTorch's, and over what the machine can do."""
    table = Table(title="speed of single ops (best)")
    for column in ("op", *LIBRARIES, "", "ours / torch", "of ceiling"):
        table.add_column(column, justify="left" if column in ("op", "") else "right")
    for name, row in results.items():
        speeds = [f"{row[x]:.1f}" if x in row else "failed" if x in row["failed"] else "-" for x in LIBRARIES]
        both = all(library in row for library in LIBRARIES)
        ratio = "WRONG" if row["wrong"] else f"{row[OURS] / row['torch']:.2f}" if both else ""
        share = f"{row[OURS] / row['ceiling']:.0%}" if "ceiling" in row and not row["wrong"] else ""
        table.add_row(name, *speeds, known[name].unit, ratio, share)
    Console(width=100).print(table)


def main() -> None:
    """Parse arguments, run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add_worker_arguments(parser)
    parser.add_argument("--rounds", type=int, help="how often each library takes its turn; 3, on a GPU 1")
    parser.add_argument("--only", default="", help="run the ops whose names hold this text")
    arguments = parser.parse_args()

    known = {name: case for name, case in cases(arguments.device, arguments.tiny).items() if arguments.only in name}
    rounds = arguments.rounds or (1 if arguments.device == "gpu" else 3)
    rows = Rows(arguments.rows, arguments.deadline, kind="op")
    workers = start_workers(list(LIBRARIES), SCRIPT, arguments, rows)
    results: dict[str, Row] = {}
    for name, case in known.items():
        if rows.seconds_left() > 0:
            alive = [worker for worker in workers if worker.revive(min(rows.seconds_left(), START))]
            results[name] = measure(alive, name, case, rounds, rows)
    for worker in workers:
        worker.close()
    show(results, known)
    if arguments.plot:
        right = {name: row for name, row in results.items() if all(x in row for x in LIBRARIES) and not row["wrong"]}
        over = {name: {"torch": row[OURS] / row["torch"]} for name, row in right.items()}
        draw_ratios(arguments.plot, f"Pronghorn's speed over PyTorch's, {arguments.device}", over)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
