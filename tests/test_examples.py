"""The programs in examples/ run."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, capsys):
    runpy.run_path(str(path), run_name="__main__")
    out = capsys.readouterr().out
    if path.stem == "digits_mlp":
        assert float(out.split("held-out digits: ")[1].split("%")[0]) > 94
    elif "loss: " in out:
        first, last = out.split("loss: ")[-1].split()[0], out.split("loss: ")[-1].split()[2]
        assert float(last) < float(first)
