"""Builds the cases of this folder for the CUDA simulator, plain or watched by a sanitizer, and runs them.

For hardware nvcc builds the same cases but the planted bugs: `python tests/cuda/simulator.py FILE` does, for the
architecture that PRONGHORN_CUDA_ARCHITECTURE names (90a if it names none). Where the environment variable
PRONGHORN_CUDA_CASES names that file, tests run it too, as the flavour "device".
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SIMULATOR = ROOT / "cuda" / "sim"
COMPILER = shutil.which("g++")
WATCHED = SIMULATOR / "memory.cpp"  # what instructions do to a kernel's memory; all other sources are the engine
CASES = sorted((ROOT / "tests" / "cuda").glob("*.cu"))
DEVICE_PROGRAM = os.environ.get("PRONGHORN_CUDA_CASES")

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


def build_for_device(to: Path) -> None:
    """With the CUDA runtime inside, so that only a driver is needed where it runs."""
    architecture = os.environ.get("PRONGHORN_CUDA_ARCHITECTURE", "90a")
    sources = [source for source in CASES if source.name != "planted.cu"] + [ROOT / "src" / "core" / "error.cpp"]
    options = [
        "-std=c++20",
        "--expt-relaxed-constexpr",
        "-Werror=all-warnings",
        "-Xcompiler=-Wall,-Wextra,-static-libstdc++,-static-libgcc",
    ]
    target = f"-gencode=arch=compute_{architecture},code=sm_{architecture}"
    places = [f"-I{ROOT}", f"-I{ROOT / 'src'}", "-cudart", "static", "-o", str(to)]
    subprocess.run(["nvcc", *options, target, *places, *map(str, sources)], check=True)


def _run_on_device(names: list[str]) -> subprocess.CompletedProcess[str]:
    command = [str(DEVICE_PROGRAM), *names]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    except subprocess.TimeoutExpired as late:
        printed = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        return subprocess.CompletedProcess(command, 1, printed, "ran for too long")


def run_on_device(names: list[str]) -> tuple[dict[str, list[np.ndarray]], dict[str, str]]:
    """What each case printed, and what the cases that failed said.

    After an error a process has no device any more: the cases behind it run in another.
    """
    printed: dict[str, list[np.ndarray]] = {}
    failed: dict[str, str] = {}
    rest = list(names)
    while rest:
        result = _run_on_device(rest)
        if result.returncode == 0:
            return printed | values(result.stdout), failed
        begun = re.findall(r"^case (\w+)$", result.stdout, re.MULTILINE)
        case = begun[-1] if begun else rest[0]
        before, _, said = result.stdout.partition(f"case {case}\n")
        printed |= values(before)
        failed[case] = said[-1000:] + result.stderr or f"ended with {result.returncode}"
        rest = rest[rest.index(case) + 1 :]
    return printed, failed


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


if __name__ == "__main__":
    build_for_device(Path(sys.argv[1]))
