"""A library in a process of its own, and where results go: what benchmarks/models.py and benchmarks/ops.py share."""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

PRECISIONS = ("float32", "tf32", "bfloat16")
OURS = "pronghorn"
START = 120.0  # seconds a library has to be loaded


class Worker:
    """One library in a process of its own, told what to time over its standard input.

    Args:
        library: "pronghorn" or a peer.
        script: what the process runs.
        arguments: those of `add_worker_arguments`.

    Attributes:
        device: what the library says it runs on; empty where it could not be started.
        reason: the last line the process wrote before it died.
    """

    def __init__(self, library: str, script: Path, arguments: argparse.Namespace) -> None:
        self.library = library
        self.reason = ""
        self.device = ""
        ours = library == OURS
        environment = dict(
            os.environ,
            OMP_NUM_THREADS=str(arguments.threads),
            TF_CPP_MIN_LOG_LEVEL="3",
            KERAS_BACKEND=library.removeprefix("keras-") if library.startswith("keras-") else "",
            XLA_PYTHON_CLIENT_PREALLOCATE="false",  # the others use the same GPU
        )
        path = arguments.ours_path if ours else arguments.peer_path
        if path:
            environment["PYTHONPATH"] = path
        if ours and arguments.device == "gpu":
            environment["PRONGHORN_DEVICE"] = arguments.ours_device
        self._environment = environment
        self._command = [
            arguments.ours_python if ours else arguments.peer_python, str(script), library, _settings(arguments)
        ]  # fmt: skip
        self._open()

    def _open(self) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  as long-lived as the process
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=self._environment,
        )
        self._answers: queue.Queue[Any] = queue.Queue()
        threading.Thread(target=self._read, args=(self.process, self._answers), daemon=True).start()

    def start(self, timeout: float) -> bool:
        """Wait until the library is there; False where it is not."""
        self.device = (self._answer(timeout) or {}).get("ready", "")
        return bool(self.device)

    def ask(self, *command: str, timeout: float = 3600.0) -> Any:
        """Send a command and return the answer; {"failed": why} if the worker died, or was ended for being late."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return {"failed": self.reason or "its process has died"}
        answer = self._answer(timeout)
        if answer is None:
            return {"failed": self.reason}
        self.reason = answer.get("failed", "")
        return answer

    def revive(self, timeout: float) -> bool:
        """Start the process anew if it died, or if CUDA failed, after which nothing works; whether it can be asked."""
        if self.process.poll() is None and "CUDA" not in self.reason:
            return True
        self.close()
        self.reason = ""
        self._open()
        return self.start(timeout)

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            print(f"{self.library}: its process has died", file=sys.stderr)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @staticmethod
    def _read(process: subprocess.Popen[str], answers: queue.Queue[Any]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("@"):  # libraries print things of their own
                answers.put(json.loads(line[1:]))
        answers.put(None)

    def _answer(self, timeout: float) -> Any:
        try:
            answer = self._answers.get(timeout=max(timeout, 0.0))
        except queue.Empty:
            self.process.kill()
            self.reason = f"no answer within {timeout:.0f} s"
            return None
        if answer is None:
            self._errors.seek(0)
            lines = [line.strip() for line in self._errors if line.strip()]
            self.reason = lines[-1] if lines else f"its process ended with {self.process.wait()}"
        return answer


def _settings(arguments: argparse.Namespace) -> str:
    names = ("threads", "device", "peer_device", "tiny")
    return json.dumps({name: getattr(arguments, name, None) for name in names})


def start_workers(libraries: list[str], script: Path, arguments: argparse.Namespace, rows: Rows) -> list[Worker]:
    """Start a process for each library; those that cannot start are left out, and that is written down."""
    workers = [Worker(library, script, arguments) for library in libraries]
    for worker in workers:
        if not worker.start(min(rows.seconds_left(), START)):
            print(f"{worker.library}: left out: {worker.reason}", file=sys.stderr)
            rows.add(library=worker.library, status="failed", reason=worker.reason)
    return [worker for worker in workers if worker.device]


class Rows:
    """Results as lines of JSON, written to the disk one by one, and the time there is left.

    Args:
        path: the file they are appended to, if any.
        deadline: how many seconds from now there are.
        common: what every row says.
    """

    def __init__(self, path: Path | None, deadline: float, **common: Any) -> None:
        self._path, self._common = path, common
        self._end = time.monotonic() + deadline

    def seconds_left(self) -> float:
        """How long until the deadline."""
        return self._end - time.monotonic()

    def add(self, **row: Any) -> None:
        """Write a row."""
        if self._path is None:
            return
        with self._path.open("a") as file:
            file.write(json.dumps({**self._common, **row}) + "\n")
            file.flush()
            os.fsync(file.fileno())


def add_worker_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of both programs."""
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--peer-python", default=sys.executable, help="the Python in which the peers are installed")
    parser.add_argument("--peer-path", default="", help="PYTHONPATH of the peers")
    parser.add_argument("--peer-device", choices=("cpu", "gpu"), default="gpu", help="cpu: to try without a GPU")
    parser.add_argument("--ours-python", default=sys.executable, help="the Python in which Pronghorn is installed")
    parser.add_argument("--ours-path", default="", help="PYTHONPATH of Pronghorn")
    parser.add_argument("--ours-device", default="gpu:0", help="PRONGHORN_DEVICE with --device gpu")
    parser.add_argument("--tiny", action="store_true", help="smallest sizes, to try the programs themselves")
    parser.add_argument("--deadline", type=float, default=1e9, help="seconds after which no further row is begun")
    parser.add_argument("--rows", type=Path, help="append each row, once finished, to this file of JSON lines")
    parser.add_argument("--json", type=Path, help="write all figures to this file at the end")
    parser.add_argument("--plot", type=Path, help="draw the ratios as bars into this file; needs matplotlib")
