"""One command for a GPU: are its instructions what we take them for, are results right, how fast is it all.

Stages run one after the other, each with its share of the deadline, and each whole in itself: what is finished is on
the disk (OUT/rows.jsonl, and what a stage printed in OUT/STAGE.txt), whatever comes after. README.md says more.

    python benchmarks/gpu/run.py --deadline 500 --out results --ours-python python3.11
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
PREDICTIONS = Path(__file__).with_name("predictions.json")
SHARES = {"conformance": 40, "correctness": 110, "ceilings": 25, "ops": 140, "models": 170, "sanitizer": 60}
# the small kernels' samples: at most so many elements each, the largest of each op
SANITIZED = 3000
SANITIZERS = ("memcheck", "racecheck", "synccheck", "initcheck")
# share of the stage, options of benchmarks/models.py: what says most first, what compiles for long last
MODELS: list[tuple[float, list[str]]] = [
    (0.65, ["--precision", "tf32", "bfloat16", "float32", "--libraries", "pronghorn", "torch-graph", "torch"]),
    (0.2, ["--precision", "tf32", "--libraries", "pronghorn", "keras-jax", "--workloads", "mlp-512", "convnet"]),
    (0.15, ["--precision", "tf32", "--libraries", "pronghorn", "torch-compile", "--workloads", "mlp-512", "resnet-20"]),
]


def commands(stage: str, arguments: argparse.Namespace, seconds: float) -> list[list[str]]:
    """What a stage runs, in this order."""
    ours = arguments.ours_python
    pytest = [ours, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no", "--tb=short"]
    if stage == "conformance":
        return [[*pytest, "tests/cuda/test_right_kernels.py", "tests/cuda/test_product_rounding.py", "-k", "device"]]
    if stage == "correctness":
        tests = [f"tests/cuda/test_gpu_{name}.py" for name in ("support", "matmul", "conv", "random", "fit")]
        return [[*pytest, "--maxfail=30", *tests], [*pytest, "--maxfail=60", "tests/test_ops.py", "tests/test_fit.py"]]
    if stage == "ceilings":
        return [[arguments.ceilings or str(BENCHMARKS / "gpu" / "ceilings")]]
    if stage == "sanitizer":
        tools = ["compute-sanitizer", "--print-limit", "20", "--tool"]
        samples = ["tests/cuda/run_samples.py", "--one", "--device", arguments.ours_device, str(SANITIZED)]
        return [[*tools, tool, ours, *samples] for tool in SANITIZERS]
    common = ["--device", "gpu", "--rows", str(arguments.out / "rows.jsonl"), "--ours-python", ours]
    for name in ("ours_path", "ours_device", "peer_python", "peer_path", "peer_device"):
        common += ["--" + name.replace("_", "-"), getattr(arguments, name)]
    common += ["--tiny"] if arguments.tiny else []
    if stage == "ops":
        return [[sys.executable, str(BENCHMARKS / "ops.py"), *common, "--deadline", f"{seconds:.0f}"]]
    script = [sys.executable, str(BENCHMARKS / "models.py"), *common, "--rounds", "3"]
    return [[*script, "--deadline", f"{seconds * part:.0f}", *options] for part, options in MODELS]


def run(command: list[str], environment: dict[str, str], seconds: float, log: Path) -> tuple[str, str]:
    """Run a command, its output appended to a file; returns "ok" or what went wrong, and the last line it printed."""
    with log.open("a") as file:
        file.write("$ " + " ".join(command) + "\n")
        file.flush()
        try:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
        except OSError as error:
            return "missing", str(error)
        try:
            code = process.wait(timeout=max(seconds, 1.0))
            status = "ok" if code == 0 else f"exit {code}"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = f"ended after {seconds:.0f} s"
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if any(map(str.isalnum, line))]
    return status, lines[-1]


def machine(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the figures were measured on."""
    query = "name,driver_version,clocks.sm,clocks.mem,temperature.gpu,power.draw,clocks_throttle_reasons.active"
    found: dict[str, Any] = {"kind": "machine", "time": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())}
    for name, command in (
        ("gpu", ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"]),
        ("commit", ["git", "rev-parse", "HEAD"]),
        ("torch", [arguments.peer_python, "-c", "import torch; print(torch.__version__)"]),
    ):
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
            found[name] = done.stdout.strip()
        except (OSError, subprocess.TimeoutExpired) as error:
            found[name] = str(error)
    return found


def add_row(out: Path, row: dict[str, Any]) -> None:
    """Append a row to OUT/rows.jsonl."""
    with (out / "rows.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


def take_ceilings(out: Path) -> None:
    """The lines of JSON that the ceilings' program printed become rows."""
    for line in (out / "ceilings.txt").read_text(errors="replace").splitlines():
        if line.startswith("{"):
            add_row(out, {"kind": "ceiling", **json.loads(line)})


def summary(rows: list[dict[str, Any]], predictions: dict[str, Any]) -> list[str]:
    """A short table: one line a stage, an op, a model; predictions are those for an H100 but on an H200."""
    gpu = "H200" if any("H200" in str(row.get("gpu")) for row in rows) else "H100"
    lines = [f"{r['stage']:12} {r['seconds']:6.1f} s  {r['status']:16} {r['last'][:90]}" for r in rows if "stage" in r]
    ops: dict[str, dict[str, Any]] = {}
    models: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        if row.get("kind") == "op" and "name" in row:
            ops.setdefault(row["name"], {})[row["library"]] = row
        if row.get("kind") == "model" and "figure" in row:
            key = row["workload"], row["precision"], row["figure"]
            models.setdefault(key, {})[row["library"]] = row["samples_per_second"]
    lines.append("op: ours us, PyTorch us, ours / PyTorch's speed, predicted us")
    for name, libraries in ops.items():
        ours, theirs = libraries.get("pronghorn", {}), libraries.get("torch", {})
        times = [
            f"{1e6 * x['seconds']:9.1f}" if "seconds" in x else f"{x.get('status', '-'):>9}" for x in (ours, theirs)
        ]
        both = "seconds" in ours and "seconds" in theirs
        ratio = f"{theirs['seconds'] / ours['seconds']:5.2f}" if both else "     "
        ratio = "WRONG" if ours.get("status") == "wrong" else ratio
        predicted = predictions["ops_microseconds"].get(name, {}).get(gpu, 0.0)
        lines.append(f"{name:48} {times[0]} {times[1]} {ratio} {predicted:9.1f}")
    lines.append("model, samples a second: ours, predicted, ours / each peer")
    for key, libraries in models.items():
        ours_speed = libraries.pop("pronghorn", None)
        peers = " ".join(f"{k} {(ours_speed or 0) / v:.2f}" for k, v in sorted(libraries.items()))
        predicted = predictions["models_samples_per_second"].get(f"{key[0]} {key[1]}", {}).get(gpu, {}).get(key[2], 0)
        lines.append(f"{' '.join(key):34} {ours_speed or 0:11,.0f} {predicted:11,.0f}  {peers}")
    return lines


def parse(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stages", default=",".join(SHARES), help='of the stages, in order; "none" for the table only')
    parser.add_argument("--deadline", type=float, default=540.0, help="seconds for all stages together")
    parser.add_argument("--out", type=Path, default=Path("results"), help="the folder for rows and logs")
    parser.add_argument("--ours-python", default=sys.executable)
    parser.add_argument("--ours-path", default="", help="PYTHONPATH of Pronghorn, and of its tests' pytest")
    parser.add_argument("--ours-device", default="gpu:0")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--peer-path", default="", help="PYTHONPATH of the peers")
    parser.add_argument("--peer-device", choices=("cpu", "gpu"), default="gpu", help="cpu: to try without a GPU")
    parser.add_argument("--cases", default="", help="the program that tests/cuda/simulator.py builds for a device")
    parser.add_argument("--ceilings", default="", help="the program that ceilings.cu says how to build")
    parser.add_argument("--tiny", action="store_true", help="smallest sizes, to try this program itself")
    arguments = parser.parse_args(given)
    stages = [] if arguments.stages == "none" else arguments.stages.split(",")
    if any(stage not in SHARES for stage in stages):
        parser.error(f"--stages: known are {', '.join(SHARES)}")
    arguments.stages = stages
    arguments.out = arguments.out.resolve()
    return arguments


def main() -> None:
    """Run the stages and print the table."""
    arguments = parse()
    out, end = arguments.out, time.monotonic() + arguments.deadline
    out.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ)
    if arguments.cases:
        environment["PRONGHORN_CUDA_CASES"] = str(Path(arguments.cases).resolve())
    ours = environment | {"PRONGHORN_DEVICE": arguments.ours_device}
    if arguments.ours_path:
        ours["PYTHONPATH"] = arguments.ours_path
    add_row(out, machine(arguments))
    for number, stage in enumerate(arguments.stages):
        waiting = sum(SHARES[name] for name in arguments.stages[number:])
        share = (end - time.monotonic()) * SHARES[stage] / waiting
        stage_end = time.monotonic() + share
        todo = commands(stage, arguments, share)
        for position, command in enumerate(todo):
            begin = time.monotonic()
            if stage_end - begin < 1:
                break
            own = stage in ("ops", "models")  # these start both sides themselves, and end by themselves
            allowed = stage_end - begin + (15 if own else 0)
            if stage == "sanitizer":
                allowed /= len(todo) - position
            status, last = run(command, environment if own else ours, allowed, out / f"{stage}.txt")
            add_row(out, {
                "kind": "stage", "stage": stage, "command": command, "status": status, "last": last,
                "seconds": time.monotonic() - begin,
            })  # fmt: skip
            print(f"{stage}: {status}: {last}", flush=True)
        if stage == "ceilings":
            take_ceilings(out)
    add_row(out, machine(arguments))
    rows = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    print("\n".join(summary(rows, json.loads(PREDICTIONS.read_text()))))


if __name__ == "__main__":
    main()
