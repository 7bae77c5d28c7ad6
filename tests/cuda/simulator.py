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


def _build(sources: list[Path], options: list[str], to: Path) -> None:
    """One compilation of all sources, as most of the time goes into headers."""
    text = "".join(f'#include "{source}"\n' for source in sources)
    common = [COMPILER, "-std=c++20", f"-I{ROOT}", f"-I{ROOT / 'src'}", "-pthread", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*common, *options, "-o", str(to), "-x", "c++", "-"], input=text, text=True, check=True)


@functools.cache
def _built() -> tempfile.TemporaryDirectory[str]:
    """The folder of the engine's library and the programs, one for each flavour, that run all cases.

    The engine is a library of its own, so that its templates are not mixed up with those that a sanitizer watches.
    """
    folder = tempfile.TemporaryDirectory(prefix="pronghorn-simulator-")
    place = Path(folder.name)
    engine = [source for source in sorted(SIMULATOR.rglob("*.cpp")) if source != WATCHED]
    library = ["-shared", "-fPIC", "-Wl,-Bsymbolic"]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        objects = {flavour: place / f"{flavour}.o" for flavour in FLAGS}
        jobs = [pool.submit(_build, engine, library, place / "libsimulator.so")]
        for flavour, to in objects.items():
            jobs.append(pool.submit(_build, [*CASES, WATCHED], [*FLAGS[flavour], "-c"], to))
        for job in jobs:
            job.result()
    for flavour, to in objects.items():
        linked = [str(place / "libsimulator.so"), f"-Wl,-rpath,{place}", "-pthread", "-o", str(place / flavour)]
        subprocess.run([COMPILER, *FLAGS[flavour], str(to), *linked], check=True)
    return folder


@functools.cache
def _fixed_addresses() -> list[str]:
    """The thread sanitizer does not start where the system lays memory out at random in too many ways."""
    fixed = ["setarch", "-R"]
    works = shutil.which(fixed[0]) and subprocess.run([*fixed, "true"], capture_output=True).returncode == 0
    return fixed if works else []


def run(flavour: str, names: list[str], mode: str = "forward") -> subprocess.CompletedProcess[str]:
    before = _fixed_addresses() if flavour == "race" else []
    environment = os.environ | MODES[mode] | {"ASAN_OPTIONS": "detect_leaks=0"}
    command = [*before, str(Path(_built().name) / flavour), *names]
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
