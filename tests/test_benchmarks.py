"""The programs that measure beside the peers run where there is none of them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
PLOTS = importlib.util.find_spec("matplotlib") is not None


def _run(script, tmp_path, *options):
    """The figures that a program writes, and what it prints; the picture too, where matplotlib is there."""
    plot = ["--plot", str(tmp_path / "picture.png")] if PLOTS else []
    command = [sys.executable, str(BENCHMARKS / script), "--threads", "1", "--json", str(tmp_path / "figures.json")]
    done = subprocess.run([*command, *plot, *options], capture_output=True, text=True, check=True)
    if PLOTS:
        assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    return json.loads((tmp_path / "figures.json").read_text()), done.stdout


def test_models_are_timed_and_their_memory_told(tmp_path):
    options = ["--tiny", "--rounds", "1", "--libraries", "pronghorn", "--workloads", "mlp-32", "resnet-20"]
    figures, text = _run("models.py", tmp_path, *options)
    assert set(figures) == {"mlp-32", "resnet-20"}
    for row in figures.values():
        ours = row["pronghorn"]
        assert ours["train"] > 0 and ours["predict"] > 0
        assert 1 < ours["peak_memory_megabytes"] < 10_000
    assert "peak memory, MB" in text


@pytest.mark.parametrize("name", ["softmax 128x10", "matmul 128x10x512 b^T"])
def test_ops_are_timed_and_set_beside_the_ceilings(tmp_path, name):
    figures, text = _run("ops.py", tmp_path, "--rounds", "1", "--only", name)
    assert figures[name]["pronghorn"] > 0 and figures[name]["ceiling"] > 0
    assert "of ceiling" in text and "%" in text
