"""Recurrent ops beyond single calls: inside programs, batches and masks; what has no gradient."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import _core

ops = _core.ops

BATCH, STEPS, UNITS, FEATURES = 26, 7, 24, 5
# op -> blocks of its gates, and whether it has a recurrent bias
BLOCKS = {"lstm": (4, False), "gru": (3, True), "simple_rnn": (1, False)}


def _array(*shape: int, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=shape) / shape[-1] ** 0.25).astype("float32")


def _network(op: str, x, kernel, recurrent_kernel, bias, mask=None, **attributes) -> tuple:
    """A layer of inputs (batch, steps, features) that begins with zeros; the op's results."""
    blocks, has_bias = BLOCKS[op]
    batch, steps, features = x.shape
    projected = ops.matmul(ops.reshape(x, shape=(batch * steps, features)), kernel)
    projected = ops.reshape(ops.add(projected, bias), shape=(batch, steps, blocks * UNITS))
    start = _core.convert(np.zeros((batch, UNITS), "float32"))
    states = [start, start] if op == "lstm" else [start]
    inputs = [
        projected,
        recurrent_kernel,
        *([bias] if has_bias else []),
        *states,
        *([mask] if mask is not None else []),
    ]
    results = getattr(ops, op)(*inputs, **attributes)
    return results if isinstance(results, tuple) else (results,)


def _weights(op: str) -> list[np.ndarray]:
    width = BLOCKS[op][0] * UNITS
    return [_array(FEATURES, width, seed=1), _array(UNITS, width, seed=2), _array(width, seed=3)]


def _step(op: str, x, *weights, **attributes) -> list:
    """Hidden states and the gradients of a sum of their squares."""
    with ph.GradientTape() as tape:
        tape.watch([x, *weights])
        hidden = _network(op, x, *weights, **attributes)[0]
        total = ops.reduce_sum(ops.square(hidden))
    return [hidden, *tape.gradient(total, [x, *weights])]


CALLS = [("lstm", {}), ("gru", {}), ("gru", {"reset_after": False}), ("simple_rnn", {"activation": "tanh"})]


@pytest.mark.parametrize(("op", "attributes"), CALLS)
def test_a_program_that_writes_over_what_it_no_longer_needs_gives_what_eager_calls_give(op, attributes):
    arrays = [_array(BATCH, STEPS, FEATURES, seed=0), *_weights(op)]
    graph = _core.Graph()
    with graph:
        graph.set_outputs(_step(op, *[graph.input(array.shape, "float32") for array in arrays], **attributes))
    program = _core.compile(graph)
    eager = _step(op, *[_core.convert(array) for array in arrays], **attributes)
    for _ in range(2):
        for result, wanted in zip(program.run(arrays), eager):
            assert result.numpy().tobytes() == wanted.numpy().tobytes()
    lines = [line for line in program.text().splitlines() if f"= {op}:" in line]
    assert len(lines) == 1
    outputs, inputs = lines[0].split(" = ")
    assert inputs.split("(")[1].split(",")[0] in outputs  # where `projected` was


@pytest.mark.parametrize(("op", "attributes"), CALLS)
def test_a_sample_does_not_depend_on_its_batch(op, attributes):
    x, weights = _array(BATCH, STEPS, FEATURES, seed=0), [_core.convert(array) for array in _weights(op)]
    whole = _network(op, _core.convert(x), *weights, **attributes)[0].numpy()
    for begin, end in ((0, 1), (3, 10), (12, 26)):
        part = _network(op, _core.convert(x[begin:end]), *weights, **attributes)[0].numpy()
        if _core.default_device().startswith("cpu"):
            np.testing.assert_array_equal(part, whole[begin:end])
        else:  # a GPU's products are cut by their shape
            np.testing.assert_allclose(part, whole[begin:end], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("op", "attributes"), CALLS)
def test_what_lies_in_masked_steps_reaches_neither_states_nor_gradients(op, attributes):
    lengths = np.random.default_rng(5).integers(0, STEPS + 1, size=BATCH)
    mask = np.arange(STEPS) < lengths[:, None]
    x = _array(BATCH, STEPS, FEATURES, seed=0)
    found = []
    for padding in (0.0, 1e30, np.nan):
        x[~mask] = padding
        found.append(
            _step(op, _core.convert(x), *[_core.convert(array) for array in _weights(op)], mask=mask, **attributes)
        )
    of_kernel = 2  # a product of x itself
    for position, (clean, *others) in enumerate(zip(*found)):
        for other in others:
            if position != of_kernel:
                np.testing.assert_array_equal(other.numpy(), clean.numpy())
    hidden, dx = found[0][0].numpy(), found[0][1].numpy()
    assert (dx[~mask] == 0).all()
    for sample, length in enumerate(lengths):
        last = hidden[sample, length - 1] if length else np.zeros(UNITS)
        assert (hidden[sample, length:] == last).all()


@pytest.mark.parametrize(("op", "kept"), [("lstm", {2: "gates"}), ("gru", {1: "gates", 2: "inner"})])
def test_what_is_kept_for_the_gradient_says_that_it_has_none(op, kept):
    x, weights = _core.convert(_array(3, 2, FEATURES, seed=0)), [_core.convert(array) for array in _weights(op)]
    for position, name in kept.items():
        with ph.GradientTape() as tape:
            tape.watch(weights)
            result = _network(op, x, *weights)[position]
        with pytest.raises(ValueError, match=f"{op}: the output {name} is kept for the gradient and has none itself"):
            tape.gradient(result, weights)


def test_an_lstm_of_which_only_the_last_cell_state_counts_has_a_gradient():
    x, weights = _core.convert(_array(4, 3, FEATURES, seed=0)), [_core.convert(array) for array in _weights("lstm")]
    with ph.GradientTape() as tape:
        tape.watch(weights)
        cells = _network("lstm", x, *weights)[1]
        last = ops.slice(cells, begin=(0, 2, 0), size=(4, 1, UNITS), strides=(1, 1, 1))
    gradients = tape.gradient(last, weights)
    shifted = [weight.numpy().copy() for weight in weights]
    shifted[1][2, 7] += 1e-2

    def total(arrays: list[np.ndarray]) -> float:
        return float(_network("lstm", x, *[_core.convert(array) for array in arrays])[1].numpy()[:, 2].sum())

    measured = (total(shifted) - total([weight.numpy() for weight in weights])) / 1e-2
    np.testing.assert_allclose(gradients[1].numpy()[2, 7], measured, rtol=2e-2, atol=1e-3)
