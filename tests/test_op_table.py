"""No op without a gradient or a reason, a kernel or a decomposition, and a sample."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pronghorn import _core
from test_ops import SAMPLES, VALUES

TABLE = _core.op_table()
# ops that only graph passes make, tested with them
MADE_BY_PASSES = {"tiles"}
# ops that bring elements to other places, or to another dtype, and compute nothing
COPIES = {
    *("broadcast_to", "cast", "concatenate", "full", "one_hot", "pad", "slice", "slice_grad", "split", "take"),
    "transpose",
}  # fmt: skip


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


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry["name"])
def test_every_op_says_how_much_work_it_is(entry, monkeypatch):
    """The profile's figures: inputs and outputs are moved, of copies as much as is needed; others compute something."""
    monkeypatch.setenv("PRONGHORN_PASSES", "dead_code")
    name = entry["name"]
    for sample in (sample for sample in VALUES if sample.op == name):
        arrays = [np.asarray(x) for x in sample.inputs]
        arrays = [x.astype("float32") if x.dtype == "float64" else x for x in arrays]
        graph = _core.Graph()
        with graph:
            inputs = [graph.input(x.shape, x.dtype.name) for x in arrays]
            call = getattr(_core.ops, name)
            results = call(inputs, **sample.attrs) if entry["variadic"] else call(*inputs, **sample.attrs)
            results = list(results) if isinstance(results, tuple) else [results]
            graph.set_outputs(results)
        (*steps, _) = _core.compile(graph).steps()
        if [step["op"] for step in steps] != [name]:
            continue  # a view, a decomposition, or inputs brought to another dtype first
        (step,) = steps
        written = sum(_bytes(result) for result in results)
        moved = sum(x.nbytes for x in arrays) + written
        if name in COPIES:
            assert step["operations"] == 0 and written <= step["bytes"] <= moved
        else:
            assert step["bytes"] == moved
            assert step["operations"] > 0 or not written or not all(x.size for x in arrays)


def _bytes(tensor):
    return math.prod(tensor.shape) * np.dtype(tensor.dtype if tensor.dtype != "bfloat16" else "uint16").itemsize
