"""The programs that measure on a GPU run here, at their smallest; every row of theirs has a prediction."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
PROGRAM = """
import json, sys
sys.path[:0] = [{benchmarks!r}, {gpu!r}]
import predict, op_cases, worker
print(json.dumps([predict.predictions(), list(op_cases.cases("gpu")), list(worker.SIZES["gpu"])]))
"""


@pytest.fixture(scope="module")
def known():
    """What predict.py computes, the ops and the models."""
    code = PROGRAM.format(benchmarks=str(BENCHMARKS), gpu=str(BENCHMARKS / "gpu"))
    return json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)


def test_the_predictions_are_those_that_predict_computes(known):
    assert json.loads((BENCHMARKS / "gpu" / "predictions.json").read_text()) == known[0]


def test_every_op_and_model_has_a_prediction(known):
    predictions, ops, models = known
    assert set(predictions["ops_microseconds"]) == set(ops)
    precisions = ("float32", "tf32", "bfloat16")
    assert set(predictions["models_samples_per_second"]) == {f"{m} {p}" for m in models for p in precisions}


def test_predictions_are_times_that_a_kernel_can_take(known):
    for times in known[0]["ops_microseconds"].values():
        assert all(1 < time < 1e6 and math.isfinite(time) for time in times.values())


def test_the_run_without_stages_writes_what_machine_it_was(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "gpu" / "run.py"), "--stages", "none", "--out", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [row["kind"] for row in rows] == ["machine", "machine"]
    assert "ours / PyTorch's speed" in run.stdout


def test_an_unknown_stage_is_refused(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "gpu" / "run.py"), "--stages", "nothing", "--out", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "known are conformance" in run.stderr
