"""Layers by native ops over whole sequences give what they give step by step, in every respect."""

from __future__ import annotations

import numpy as np
import pytest
from harness import random_input, run_traced

import pronghorn as ph
from pronghorn import _core, layers, ops

MASK = np.array([[False, True, True, False, True, False], [True, True, False, True, False, False], [False] * 6])
X = random_input((3, 6, 5))


def tanh(x):
    """Not the function that native ops know."""
    return ops.tanh(x)


def relu(x):
    return ops.relu(x)


def linear(x):
    return x


CASES = [
    (layers.LSTM, {"activation": "tanh"}, {"activation": tanh}),
    (layers.LSTM, {"activation": "tanh", "use_bias": False, "dropout": 0.4, "seed": 1}, {"activation": tanh}),
    (layers.GRU, {"activation": "tanh"}, {"activation": tanh}),
    (layers.GRU, {"activation": "tanh", "use_bias": False, "dropout": 0.4, "seed": 1}, {"activation": tanh}),
    (layers.GRU, {"activation": "tanh", "reset_after": False}, {"activation": tanh}),
    (layers.GRU, {"activation": "tanh", "reset_after": False, "use_bias": False}, {"activation": tanh}),
    (layers.SimpleRNN, {"activation": "tanh", "dropout": 0.4, "seed": 1}, {"activation": tanh}),
    (layers.SimpleRNN, {"activation": "relu"}, {"activation": relu}),
    (layers.SimpleRNN, {"activation": None, "use_bias": False}, {"activation": linear}),
]
IDS = [f"{cls.__name__}-{'-'.join(f'{k}={v}' for k, v in settings.items())}" for cls, settings, _ in CASES]


def pair(cls, settings, changes, **more):
    """A layer that is one native op, and one that calls its cell step by step, with the same weights."""
    made = [cls(4, **{**settings, **more}), cls(4, **{**settings, **changes, **more})]
    for layer in made:
        layer.build(X.shape)
        generator = np.random.default_rng(3)
        layer.set_weights([generator.normal(size=w.shape) * 0.5 for w in layer.weights])
    return made


def native_ops(layer, **call):
    graph = _core.Graph()
    with graph:
        outputs = layer(graph.input(X.shape, layer.compute_dtype), **call)
        graph.set_outputs(list(outputs) if isinstance(outputs, tuple) else [outputs])
    return sum(graph.text().count(f" = {op}(") for op in ("lstm", "gru", "simple_rnn"))


def results(layer, **call):
    """Outputs, states and gradients of all that goes in."""
    x = ops.convert_to_tensor(X.astype("float64" if layer.compute_dtype == "float64" else "float32"))
    states = [ops.convert_to_tensor(random_input((3, 4), seed=k)) for k in range(len(layer.state_size))]
    with ph.GradientTape() as tape:
        tape.watch([x, *states])
        outputs = layer(x, initial_state=states, **call)
        outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
        total = sum(ops.sum(y * random_input(y.shape, seed=9 + k)) for k, y in enumerate(outputs))
    sources = [x, *states, *layer.trainable_variables]
    return [y.numpy() for y in [*outputs, *tape.gradient(total, sources)]]


@pytest.mark.parametrize(("cls", "settings", "changes"), CASES, ids=IDS)
@pytest.mark.parametrize("mask", [None, MASK], ids=["", "mask"])
@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"return_sequences": True, "return_state": True},
        {"return_sequences": True, "return_state": True, "go_backwards": True, "zero_output_for_mask": True},
        {"return_state": True, "go_backwards": True},
    ],
    ids=lambda shape: "-".join(shape),
)
def test_outputs_states_and_gradients_agree(cls, settings, changes, mask, shape):
    native, steps = pair(cls, settings, changes, **shape)
    assert native_ops(native) == 1 and native_ops(steps) == 0
    for training in (False, True):
        ours, expected = (results(layer, mask=mask, training=training) for layer in (native, steps))
        for a, b in zip(ours, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("cls", "settings", "changes"), CASES, ids=IDS)
def test_they_agree_in_float64_and_within_programs(cls, settings, changes):
    native, steps = pair(cls, settings, changes, return_sequences=True, dtype="float64")
    for a, b in zip(results(native, mask=MASK), results(steps, mask=MASK), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    traced = run_traced(lambda x: native(x, mask=MASK), X.astype("float64"))
    np.testing.assert_array_equal(traced, native(X, mask=MASK).numpy())


@pytest.mark.parametrize(("cls", "settings", "changes"), CASES[::2], ids=IDS[::2])
@pytest.mark.parametrize(("policy", "step"), [("mixed_bfloat16", 2**-8), ("mixed_float16", 2**-11)])
def test_they_agree_in_sixteen_bits(cls, settings, changes, policy, step):
    native, steps = pair(cls, settings, changes, return_sequences=True, dtype=policy)
    assert native_ops(native) == 1
    a, b = (layer(X, mask=MASK).numpy().astype("float32") for layer in (native, steps))
    np.testing.assert_allclose(a, b, rtol=20 * step, atol=20 * step)


def test_stateful_stacked_and_bidirectional_layers_use_them():
    cells = [layers.LSTMCell(4), layers.GRUCell(3), layers.SimpleRNNCell(2, "relu")]
    assert native_ops(layers.RNN(cells, return_sequences=True)) == 3
    assert native_ops(layers.RNN(layers.GRUCell(3))) == 1
    assert native_ops(layers.Bidirectional(layers.LSTM(3, stateful=True))) == 2
    native, steps = pair(layers.GRU, {}, {"activation": tanh}, stateful=True)
    for _ in range(3):
        np.testing.assert_allclose(native(X, mask=MASK).numpy(), steps(X, mask=MASK).numpy(), rtol=1e-5, atol=1e-6)


def test_what_they_cannot_do_is_done_step_by_step():
    assert native_ops(layers.LSTM(3, recurrent_activation="hard_sigmoid")) == 0
    assert native_ops(layers.GRU(3, activation="relu")) == 0
    dropping = layers.LSTM(3, recurrent_dropout=0.5)
    assert native_ops(dropping, training=True) == 0 and native_ops(dropping, training=False) == 1
    assert native_ops(layers.RNN(layers.LSTMCell(3, activity_regularizer="l2"))) == 0

    class Own(layers.GRUCell):
        def call(self, inputs, states, training=False):
            return super().call(inputs, states, training)

    assert native_ops(layers.RNN(Own(3))) == 0


@pytest.mark.parametrize("cls", [layers.SimpleRNN, layers.LSTM, layers.GRU])
def test_second_derivatives(cls):
    """Of a penalty on the gradient, as by finite differences."""
    layer = cls(4, dtype="float64")
    x = random_input((2, 3, 5), "float64")
    layer.build(x.shape)

    def penalty(values):
        inputs = ops.convert_to_tensor(values)
        with ph.GradientTape() as outer:
            outer.watch(inputs)
            with ph.GradientTape() as inner:
                inner.watch(inputs)
                total = ops.sum(layer(inputs))
            loss = ops.sum(ops.square(inner.gradient(total, inputs)))
        return float(loss), outer.gradient(loss, inputs).numpy()

    direction, step = random_input(x.shape, "float64", seed=4), 1e-6
    slope = (penalty(x + step * direction)[0] - penalty(x - step * direction)[0]) / (2 * step)
    np.testing.assert_allclose((penalty(x)[1] * direction).sum(), slope, rtol=1e-5, atol=1e-8)
