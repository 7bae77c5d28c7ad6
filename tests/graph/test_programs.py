"""Programs compute what eager calls compute, under every plan and set of passes, and spare other people's memory."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pronghorn import _core

ops = _core.ops


def _state():
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(37, 19)).astype("float32") for name in ("v", "w")}


def _step(x, v, w, count):
    hidden = ops.relu(ops.add(ops.multiply(x, v.read()), w.read()))
    decay = ops.exp(ops.negative(hidden))
    mixed = ops.select(ops.greater(decay, 0.5), ops.tanh(hidden), ops.multiply(decay, 2.0))
    old = w.read()
    v.write(ops.add(v.read(), ops.multiply(mixed, 0.1)))
    w.write(v.read())
    count.write(ops.add(count.read(), 1.0))
    return [mixed, ops.subtract(old, hidden), ops.reshape(mixed, (19, 37))]


def _variables():
    state = _state()
    return [_core.Variable(state["v"], name="v"), _core.Variable(state["w"], name="w"), _core.Variable(0.0, name="n")]


def _compiled(variables):
    graph = _core.Graph()
    with graph:
        graph.set_outputs(_step(graph.input((37, 19), "float32"), *variables))
    return _core.compile(graph)


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(37, 19)).astype("float32")


@pytest.mark.parametrize("plan", ["", "separate"])
@pytest.mark.parametrize(
    "passes", ["", "none", "dead_code", "common", "simplify", "fuse_elementwise", "group_optimizer"]
)
def test_a_program_gives_the_bits_of_eager_calls(plan, passes, x, monkeypatch):
    monkeypatch.setenv("PRONGHORN_PLAN", plan)
    monkeypatch.setenv("PRONGHORN_PASSES", passes)
    eager, traced = _variables(), _variables()
    program = _compiled(traced)
    for _ in range(3):
        expected = _step(_core.convert(x), *eager)
        results = program.run([x])
        for a, b in zip(expected, results):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(eager, traced):
        np.testing.assert_array_equal(a.stored.numpy(), b.stored.numpy())


def test_swapping_two_variables_keeps_both_values():
    a, b = _core.Variable(np.array([1.0], "float32"), name="a"), _core.Variable(np.array([2.0], "float32"), name="b")
    graph = _core.Graph()
    with graph:
        graph.input((1,), "float32")
        old = a.read()
        a.write(b.read())
        b.write(old)
        graph.set_outputs([old])
    (out,) = _core.compile(graph).run([np.zeros(1, "float32")])
    assert (float(a.stored.numpy()[0]), float(b.stored.numpy()[0]), float(out.numpy()[0])) == (2.0, 1.0, 1.0)


def test_a_value_read_before_a_run_does_not_change():
    v = _core.Variable(np.zeros(4, "float32"), name="v")
    graph = _core.Graph()
    with graph:
        v.write(ops.add(v.read(), graph.input((4,), "float32")))
        graph.set_outputs([])
    program = _core.compile(graph)
    before = v.read()
    program.run([np.ones(4, "float32")])
    np.testing.assert_array_equal(before.numpy(), np.zeros(4))
    np.testing.assert_array_equal(v.read().numpy(), np.ones(4))


def test_updates_are_done_in_place():
    v = _core.Variable(np.zeros(4, "float32"), name="v")
    graph = _core.Graph()
    with graph:
        v.write(ops.add(v.read(), graph.input((4,), "float32")))
        graph.set_outputs([])
    assert re.search(r"'v' float32\(4,\) = add:\w+\('v', input0\)", _core.compile(graph).text())


def test_run_steps_gathers_rows_by_index():
    seen = _core.Variable(np.zeros((2, 3), "int32"), name="seen")
    graph = _core.Graph()
    with graph:
        batch = graph.input((2, 3), "int32")
        seen.write(ops.add(seen.read(), batch))
        graph.set_outputs([ops.multiply(batch, 2)])
    rows = np.arange(30, dtype="int32").reshape(10, 3)
    index = np.array([9, 0, 3, 3, 1, 2])
    out = np.zeros((6, 3), "int32")
    _core.compile(graph).run_steps(_core.RowSource([rows]), index, 3, [out])
    np.testing.assert_array_equal(out, rows[index] * 2)
    np.testing.assert_array_equal(seen.stored.numpy(), rows[[9, 0]] + rows[[3, 3]] + rows[[1, 2]])


def _sums_with_weights_turned(fixed, moving):
    """Each batch's product with the fixed weights' exponentials, less what the moving variable has grown to."""
    graph = _core.Graph()
    with graph:
        batch = graph.input((2, 3), "float32")
        weights = ops.exp(ops.transpose(fixed.read(), axes=(1, 0)))
        grown = ops.add(moving.read(), ops.reduce_sum(batch, axes=(0,)))
        moving.write(grown)
        product = ops.matmul(batch, weights)
        graph.set_outputs([product, ops.exp(ops.negative(grown)), ops.relu(product)])
    return _core.compile(graph)


@pytest.mark.parametrize("plan", ["", "separate"])
def test_what_hangs_on_no_batch_is_computed_once_a_call_and_anew_in_the_next(plan, monkeypatch):
    monkeypatch.setenv("PRONGHORN_PLAN", plan)
    rng = np.random.default_rng(0)
    fixed = _core.Variable(rng.normal(size=(4, 3)).astype("float32"), name="fixed")
    moving = _core.Variable(np.zeros(3, "float32"), name="moving")
    program = _sums_with_weights_turned(fixed, moving)
    lines = program.text().splitlines()
    in_advance = [line for line in lines if line.startswith("in advance: ")]
    assert len(in_advance) == 2 and "'fixed'" in in_advance[0] and "exp" in in_advance[1]
    assert not any("'moving'" in line for line in in_advance)

    rows, index = rng.normal(size=(10, 3)).astype("float32"), np.arange(10)
    grown = np.zeros(3)
    for _ in range(3):  # on a GPU the list is recorded in the second step, replayed in the third
        outputs = [np.zeros((10, 4), "float32"), np.zeros(15, "float32"), np.zeros((10, 4), "float32")]
        program.run_steps(_core.RowSource([rows]), index, 5, outputs)
        expected = rows.astype("float64") @ np.exp(fixed.stored.numpy().T.astype("float64"))
        np.testing.assert_allclose(outputs[0], expected, rtol=1e-5)
        np.testing.assert_allclose(outputs[2], np.maximum(expected, 0), rtol=1e-5)
        for batch in range(5):
            grown += rows[2 * batch : 2 * batch + 2].sum(axis=0)
            np.testing.assert_allclose(outputs[1][3 * batch : 3 * batch + 3], np.exp(-grown), rtol=1e-4)
        fixed.write(_core.convert(rng.normal(size=(4, 3)).astype("float32")))
    single = program.run([rows[:2]])[0].numpy()
    np.testing.assert_allclose(single, rows[:2] @ np.exp(fixed.stored.numpy().T), rtol=1e-5)


def test_a_program_without_inputs_does_all_of_its_work_in_every_run():
    fixed = _core.Variable(np.ones((4, 3), "float32"), name="fixed")
    graph = _core.Graph()
    with graph:
        graph.set_outputs([ops.exp(fixed.read())])
    program = _core.compile(graph)
    assert "in advance" not in program.text() and len(program.steps()) == 2


@pytest.mark.parametrize(
    ("arrays", "index", "steps", "error", "message"),
    [
        ([np.zeros((4, 3), "float32")], [0, 4], 1, IndexError, r"index 4 is outside array 0 of 4 rows"),
        ([np.zeros((4, 3), "float32")], [0, -1], 1, IndexError, r"index -1 is outside"),
        ([np.zeros((4, 3), "float32")], [0], 1, ValueError, r"1 steps of 2 rows need 2 indices, got 1"),
        ([np.zeros((4, 3), "float64")], [0, 1], 1, ValueError, r"the program takes float32\(2, 3\)"),
        ([np.zeros((4, 2), "float32")], [0, 1], 1, ValueError, r"array 0 gives batches of float32\(2, 2\)"),
        ([np.zeros((3, 4), "float32").T], [0, 1], 1, ValueError, r"must be C-contiguous"),
        ([], [0, 1], 1, ValueError, r"takes 1 arrays, got 0"),
    ],
)
def test_run_steps_refuses_what_does_not_fit(arrays, index, steps, error, message):
    graph = _core.Graph()
    with graph:
        graph.set_outputs([ops.exp(graph.input((2, 3), "float32"))])
    with pytest.raises(error, match=message):
        _core.compile(graph).run_steps(_core.RowSource(arrays), np.array(index), steps)


def test_a_traced_tensor_says_why_it_has_no_value():
    graph = _core.Graph()
    with graph, pytest.raises(ValueError, match=r"cannot be traced: use ops"):
        graph.input((2,), "float32").numpy()


def test_a_tensor_kept_from_a_trace_is_refused():
    first, second = _core.Graph(), _core.Graph()
    with first:
        kept = first.input((2,), "float32")
    with second, pytest.raises(ValueError, match="must not be kept"):
        ops.add(second.input((2,), "float32"), kept)
    with pytest.raises(ValueError, match="after the trace that made it had ended"):
        ops.exp(kept)
