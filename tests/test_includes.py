"""The include rule: bindings -> graph -> ops -> core; kernels include core and the ops' headers, nothing above."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"

MAY_INCLUDE = {
    "core": {"core"},
    "ops": {"core", "ops"},
    "cpu": {"core", "ops", "cpu"},
    "graph": {"core", "ops", "graph"},
    "bindings": {"core", "ops", "cpu", "graph", "bindings"},
}


def _sources():
    return sorted(path for path in SOURCE.rglob("*") if path.suffix in {".h", ".cpp", ".def", ".inc"})


def test_there_are_sources_to_check():
    assert len(_sources()) > 30


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_includes_run_downwards(path):
    room = path.relative_to(SOURCE).parts[0]
    included = re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE)
    rooms = {name.split("/")[0] for name in included if "/" in name}
    assert rooms <= MAY_INCLUDE[room], f"{path.name} includes from {sorted(rooms - MAY_INCLUDE[room])}"
    assert all("/" in name for name in included), 'includes are written from src/, as in "core/shape.h"'


def test_cuda_includes_core_and_attributes_and_the_simulator_only_where_it_is_meant():
    """The product's headers name the simulator only for its own build (PH_SIM), through gpu.h and the instructions."""
    for path in sorted((ROOT / "cuda").rglob("*")):
        if path.suffix not in {".h", ".cpp", ".cu"}:
            continue
        included = re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE)
        allowed = ("core/", "cuda/") if {"sim", "ptx"} & set(path.parts) else ("core/", "ops/", "cuda/")
        assert all(name.startswith(allowed) for name in included), path
        if "sim" in path.relative_to(ROOT / "cuda").parts or not any(name.startswith("cuda/sim/") for name in included):
            continue
        assert re.search(r"defined\((PH_SIM|__CUDACC__)\)", path.read_text()), path


def test_kernels_use_no_standard_containers():
    """A template emitted from a file built for one instruction-set level could be picked by the linker for all."""
    host_side = {"backend.cpp", "level.cpp", "level.h"}
    forbidden = re.compile(r"#include <(vector|string|map|algorithm|functional|memory|unordered_map|numeric)>")
    for path in sorted((SOURCE / "cpu").rglob("*")):
        if path.suffix in {".h", ".cpp"} and path.name not in host_side:
            assert not forbidden.search(path.read_text()), path


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [(folder, kind) for folder in ("src", "cuda", "tests/cuda") for kind in ("*.cpp", "*.h", "*.cu")]
    + [("python", "*.py"), ("tests", "*.py")],
)
def test_files_stay_short(folder, pattern):
    for path in (ROOT / folder).rglob(pattern):
        most = 800 if "cpu" in path.parts else 500
        lines = len(path.read_text().splitlines())
        assert lines <= most, f"{path.relative_to(ROOT)} has {lines} lines, the limit is {most}"


PACKAGE = ROOT / "python" / "pronghorn"


def test_python_modules_import_at_the_top():
    """Imports inside functions hide cycles; only optional heavy packages and lazily loaded ones may do so."""
    lazy = {"h5py", "rich", "ml_dtypes", "pandas", "sklearn", "scipy", "matplotlib", "PIL"}
    for path in PACKAGE.rglob("*.py"):
        for line in path.read_text().splitlines():
            match = re.match(r"^\s+(?:from|import) ([\w.]+)", line)
            if match and not line.lstrip().startswith(("from the", "import of")):
                package = match.group(1).split(".")[0]
                assert package in lazy, f"{path.relative_to(ROOT)}: {line.strip()}"
