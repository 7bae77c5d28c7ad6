"""Builds the cases of this folder for the CUDA simulator, plain or watched by a sanitizer, and runs them."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SIMULATOR = ROOT / "cuda" / "sim"
COMPILER = shutil.which("g++")
WATCHED = SIMULATOR / "memory.cpp"  # what instructions do to a kernel's memory; all other sources are the engine
CASES = sorted((ROOT / "tests" / "cuda").glob("*.cu"))

# not optimised: building takes most of the time
FLAGS = {
    "plain": [],
    "address": ["-g1", "-fsanitize=address,bounds,alignment", "-fno-sanitize-recover=all"],
    "race": ["-g1", "-fsanitize=thread"],
}
MODES = {
    "forward": {},
    "reverse": {"PRONGHORN_SIM_ORDER": "reverse"},
    "random": {"PRONGHORN_SIM_ORDER": "random:3"},
    "host threads": {"PRONGHORN_SIM_THREADS": "3"},
    "late": {"PRONGHORN_SIM_ASYNC": "late", "PRONGHORN_SIM_STREAM": "late"},
    "late reverse": {"PRONGHORN_SIM_ORDER": "reverse", "PRONGHORN_SIM_ASYNC": "late", "PRONGHORN_SIM_STREAM": "late"},
    "late random": {"PRONGHORN_SIM_ORDER": "random:4", "PRONGHORN_SIM_ASYNC": "late", "PRONGHORN_SIM_STREAM": "late"},
}


@functools.cache
def folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="pronghorn-simulator-")


def _compile(jobs: list[tuple[Path, list[str], Path]]) -> None:
    def one(job: tuple[Path, list[str], Path]) -> None:
        source, flags, to = job
        common = [COMPILER, "-std=c++20", f"-I{ROOT}", f"-I{ROOT / 'src'}", "-fPIC", "-Wall", "-Wextra", "-Werror"]
        subprocess.run([*common, *flags, "-x", "c++", "-c", str(source), "-o", str(to)], check=True)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(one, jobs))


@functools.cache
def engine() -> Path:
    """A library of its own, so that its templates are not mixed up with those that a sanitizer watches."""
    built = Path(folder().name) / "engine"
    built.mkdir()
    sources = [source for source in SIMULATOR.rglob("*.cpp") if source != WATCHED]
    objects = [built / f"{source.parent.name}_{source.stem}.o" for source in sources]
    _compile([(source, [], to) for source, to in zip(sources, objects)])
    library = built / "libsimulator.so"
    options = ["-shared", "-pthread", "-Wl,-Bsymbolic", "-o", str(library)]
    subprocess.run([COMPILER, *map(str, objects), *options], check=True)
    return library


@functools.cache
def program(flavour: str) -> Path:
    """All cases, in one program."""
    library = engine()
    built = Path(folder().name) / flavour
    built.mkdir()
    sources = [*CASES, WATCHED]
    objects = [built / f"{source.stem}.o" for source in sources]
    _compile([(source, FLAGS[flavour], to) for source, to in zip(sources, objects)])
    to = built / "cases"
    options = [str(library), f"-Wl,-rpath,{library.parent}", "-pthread", "-o", str(to)]
    subprocess.run([COMPILER, *FLAGS[flavour], *map(str, objects), *options], check=True)
    return to


@functools.cache
def _fixed_addresses() -> list[str]:
    """The thread sanitizer does not start where the system lays memory out at random in too many ways."""
    fixed = ["setarch", "-R"]
    works = shutil.which(fixed[0]) and subprocess.run([*fixed, "true"], capture_output=True).returncode == 0
    return fixed if works else []


def run(flavour: str, names: list[str], mode: str = "forward") -> subprocess.CompletedProcess[str]:
    before = _fixed_addresses() if flavour == "race" else []
    environment = os.environ | MODES[mode] | {"ASAN_OPTIONS": "detect_leaks=0"}
    command = [*before, str(program(flavour)), *names]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def cases_in(path: Path) -> list[str]:
    return re.findall(r"^CASE\((\w+)\)", path.read_text(), re.MULTILINE)


def values(printed: str) -> dict[str, list[np.ndarray]]:
    """What each case printed, line by line."""
    found: dict[str, list[np.ndarray]] = {}
    for line in printed.splitlines():
        if line.startswith("case "):
            lines = found[line.removeprefix("case ")] = []
        else:
            lines.append(np.array(line.split(), "float32"))
    return found
