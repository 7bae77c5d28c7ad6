"""No op without a gradient or a reason, a kernel or a decomposition, and a sample."""

from __future__ import annotations

import pytest

from pronghorn import _core
from test_ops import SAMPLES, VALUES

TABLE = _core.op_table()
# ops that only graph passes make, tested with them
MADE_BY_PASSES = {"tiles"}


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry["name"])
def test_every_op_is_complete(entry):
    name = entry["name"]
    assert entry["has_gradient"] or entry["no_gradient_reason"], f"{name}: neither a gradient nor a reason why not"
    assert entry["is_view"] or entry["kernels"] or entry["decomposes"], f"{name}: neither a kernel nor a decomposition"
    assert name in MADE_BY_PASSES or any(sample.op == name for sample in VALUES), f"{name}: no sample"


@pytest.mark.parametrize("entry", [e for e in TABLE if e["has_gradient"]], ids=lambda entry: entry["name"])
def test_every_gradient_is_sampled(entry):
    name = entry["name"]
    assert name in MADE_BY_PASSES or any(sample.op == name and sample.grad for sample in VALUES)


def test_samples_name_ops_that_exist():
    assert {sample.op for sample in SAMPLES} <= {entry["name"] for entry in TABLE}


def test_sample_ids_are_unique():
    names = [(sample.op, sample.id) for sample in SAMPLES]
    assert len(set(names)) == len(names)
