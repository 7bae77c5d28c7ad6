"""SimpleRNN, LSTM, GRU, RNN over any cell, and their cells: sequences, states, dropout, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from harness import random_input, run_layer_test, run_traced

import pronghorn as ph
from pronghorn import layers, ops
from pronghorn.saving.serialization import register_keras_serializable

LAYERS = {"SimpleRNN": layers.SimpleRNN, "LSTM": layers.LSTM, "GRU": layers.GRU}
CELLS = {"SimpleRNN": layers.SimpleRNNCell, "LSTM": layers.LSTMCell, "GRU": layers.GRUCell}
MASK = np.array([[True, False, True, True, False], [False, True, True, False, True]])


@register_keras_serializable("test_recurrent")
class Counter(layers.Layer):
    """Counts what it sees: its output is twice its state."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def call(self, inputs, states):
        total = states[0] + inputs
        return total * 2, [total]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def filled(layer, x, seed=1):
    layer.build(x.shape)
    generator = np.random.default_rng(seed)
    layer.set_weights([generator.normal(size=w.shape) * 0.5 for w in layer.weights])
    return layer


@pytest.mark.parametrize("name", LAYERS)
def test_layer_basics(name):
    cls, kinds = LAYERS[name], ("kernel", "recurrent", "bias", "activity")
    run_layer_test(cls, {"units": 3}, (2, 4, 5), (2, 3), trainable_weights=3, supports_masking=True)
    run_layer_test(cls, {"units": 3, "return_sequences": True}, (2, 4, 5), (2, 4, 3), trainable_weights=3)
    run_layer_test(cls, {"units": 2, "go_backwards": True, "use_bias": False}, (3, 2, 1), (3, 2), trainable_weights=2)
    run_layer_test(cls, {"units": 2, "dropout": 0.3, "recurrent_dropout": 0.3}, (3, 5, 4), (3, 2), trainable_weights=3)
    regularized = {"units": 2, **{f"{kind}_regularizer": "l2" for kind in kinds}}
    run_layer_test(cls, regularized, (2, 3, 4), (2, 2), trainable_weights=3, losses=4)
    constrained = {"units": 2, **{f"{kind}_constraint": "max_norm" for kind in kinds[:3]}, "unroll": True}
    run_layer_test(cls, constrained, (2, 3, 4), (2, 2), trainable_weights=3)


def test_wrappers_and_own_cells_pass_the_same_checks():
    run_layer_test(layers.RNN, {"cell": Counter()}, (2, 4, 3), (2, 3), supports_masking=True)
    several = {"cell": [Counter(), Counter()], "return_sequences": True}
    run_layer_test(layers.RNN, several, (2, 4, 3), (2, 4, 3))
    for mode, units in (("concat", 6), ("sum", 3), ("mul", 3), ("ave", 3)):
        arguments = {"layer": layers.GRU(3, name="inner"), "merge_mode": mode}
        run_layer_test(layers.Bidirectional, arguments, (2, 4, 5), (2, units), trainable_weights=6)


VARIANTS = [(name, {}) for name in LAYERS]
VARIANTS += [("GRU", {"reset_after": False}), ("GRU", {"implementation": 1}), ("LSTM", {"implementation": 1})]


@pytest.mark.parametrize(("name", "variant"), VARIANTS, ids=str)
def test_a_layer_does_what_its_cell_does_step_by_step(name, variant):
    x = random_input((2, 5, 3))
    layer = filled(LAYERS[name](4, return_sequences=True, return_state=True, **variant), x)
    cell = layer.cell
    states, outputs = cell.get_initial_state(batch_size=2), []
    for step in range(5):
        output, states = cell(x[:, step], states)
        outputs.append(output.numpy())
    whole, *last = layer(x)
    np.testing.assert_allclose(whole.numpy(), np.stack(outputs, 1), rtol=1e-5, atol=1e-6)
    for state, expected in zip(last, states, strict=True):
        np.testing.assert_allclose(state.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_a_subclass_of_a_cell_is_called_as_it_is(name):
    class Doubled(CELLS[name]):
        def call(self, inputs, states, training=False):
            output, states = super().call(inputs, states, training=training)
            return output * 2, states

    x = random_input((2, 5, 3))
    plain = filled(layers.RNN(CELLS[name](4), return_sequences=True, return_state=True), x)
    doubled = filled(layers.RNN(Doubled(4), return_sequences=True, return_state=True), x)
    (a, *states), (b, *others) = plain(x), doubled(x)
    np.testing.assert_allclose(b.numpy(), 2 * a.numpy(), rtol=1e-5, atol=1e-6)
    for state, other in zip(states, others, strict=True):
        np.testing.assert_allclose(other.numpy(), state.numpy(), rtol=1e-5, atol=1e-6)


# ---- cells of one's own


def test_states_are_carried_and_outputs_repeated_over_masked_steps():
    x = np.ones((2, 5, 3), "float32")
    layer = layers.RNN(Counter(), return_sequences=True, return_state=True)
    outputs, state = layer(x, mask=MASK)
    np.testing.assert_array_equal(outputs.numpy()[..., 0], [[2, 2, 4, 6, 6], [0, 2, 4, 4, 6]])
    np.testing.assert_array_equal(state.numpy()[:, 0], [3, 3])
    outputs, state = layer(x, mask=MASK, initial_state=[np.full((2, 3), 10, "float32")])
    np.testing.assert_array_equal(outputs.numpy()[..., 0], [[22, 22, 24, 26, 26], [10, 22, 24, 24, 26]])
    zeros = layers.RNN(Counter(), return_sequences=True, zero_output_for_mask=True)
    np.testing.assert_array_equal(zeros(x, mask=MASK).numpy()[..., 0], [[2, 0, 4, 6, 0], [0, 2, 4, 0, 6]])
    last = layers.RNN(Counter(), zero_output_for_mask=True)
    np.testing.assert_array_equal(last(x, mask=MASK).numpy()[..., 0], [0, 6])
    backwards = layers.RNN(Counter(), return_sequences=True, go_backwards=True)
    np.testing.assert_array_equal(backwards(x, mask=MASK).numpy()[..., 0], [[0, 2, 4, 4, 6], [2, 2, 4, 6, 6]])


def test_a_mask_may_be_given_per_feature():
    x = np.ones((2, 5, 3), "float32")
    wide = np.repeat(MASK[..., None], 3, axis=-1)
    wide[..., 0] = False
    np.testing.assert_array_equal(layers.RNN(Counter())(x, mask=wide), layers.RNN(Counter())(x, mask=MASK))


def test_a_cell_needs_no_base_class_and_states_may_have_any_rank():
    class Images:
        state_size = 1

        def get_initial_state(self, batch_size=None):
            return [ops.zeros((batch_size, 2, 2))]

        def call(self, inputs, states):
            return states[0] + inputs, [states[0] + inputs]

    x = np.ones((2, 5, 2, 2), "float32")
    outputs = layers.RNN(Images(), return_sequences=True)(x, mask=MASK).numpy()
    np.testing.assert_array_equal(outputs[0, :, 0, 1], [1, 1, 2, 3, 3])


def test_a_cell_may_return_its_state_bare_and_make_its_weights_when_called():
    class Lazy(layers.Layer):
        state_size = 4

        def __init__(self):
            super().__init__(name="lazy")
            self.dense = layers.Dense(4, name="dense")

        def call(self, inputs, states, training=False):
            state = self.dense(ops.concatenate([inputs, states[0]], axis=-1))
            return state, state

    x = ph.Input((None, 3))
    model = ph.Model(x, layers.RNN(Lazy(), name="rnn")(x))
    assert [w.path for w in model.weights] == ["rnn/lazy/dense/kernel", "rnn/lazy/dense/bias"]
    assert model(np.ones((2, 6, 3), "float32")).shape == model(np.ones((2, 3, 3), "float32")).shape == (2, 4)


def test_the_training_argument_reaches_cells():
    class Switch(layers.Layer):
        state_size = 1

        def call(self, inputs, states, training=None):
            return inputs * (2.0 if training else 1.0), states

    layer, x = layers.RNN([Switch(), Switch()]), np.ones((1, 2, 1), "float32")
    assert float(layer(x, training=True)[0, 0]) == 4 and float(layer(x)[0, 0]) == 1


def test_cells_are_steps_of_functional_models():
    x, h, c = ph.Input((3,)), ph.Input((4,)), ph.Input((4,))
    outputs, states = layers.LSTMCell(4, dropout=0.5)(x, [h, c])
    model = ph.Model([x, h, c], [outputs, *states])
    arrays = [random_input((2, 3)), random_input((2, 4)), random_input((2, 4), seed=7)]
    expected, (_, cell) = model.layers[-1](arrays[0], arrays[1:])
    results = model.predict(arrays, verbose=0)
    np.testing.assert_allclose(results[0], expected.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(results[2], cell.numpy(), rtol=1e-5, atol=1e-6)


def test_stacked_cells_of_one_and_nested_states():
    x = random_input((2, 5, 3))
    one = filled(layers.RNN([layers.LSTMCell(4)], return_state=True), x)
    plain = filled(layers.RNN(layers.LSTMCell(4), return_state=True), x)
    output, states = one(x)
    for a, b in zip((output, *states), plain(x), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    symbolic = layers.RNN([layers.LSTMCell(4), layers.GRUCell(2)], return_state=True)(ph.Input((5, 3)))
    assert symbolic[1][1].shape == (None, 4) and symbolic[2][0].shape == (None, 2)


# ---- dropout


def passing(cls, **settings):
    """A SimpleRNN that gives its inputs, or with `recurrent=True` its first state, as they are."""
    recurrent = settings.pop("recurrent", False)
    one, none = ("zeros", "identity") if recurrent else ("identity", "zeros")
    return cls(8, None, kernel_initializer=one, recurrent_initializer=none, return_sequences=True, **settings)


@pytest.mark.parametrize("name", ["inputs", "state"])
def test_dropout_has_one_mask_for_all_steps_and_another_one_in_each_call(name):
    rate = {"dropout" if name == "inputs" else "recurrent_dropout": 0.5}
    layer = passing(layers.SimpleRNN, recurrent=name == "state", seed=3, **rate)
    x, first = np.ones((4, 5, 8), "float32"), np.ones((4, 8), "float32")

    def kept(**call):
        outputs = layer(x, initial_state=[first], **call).numpy()
        factors = np.arange(5)[None, :, None] + 1 if name == "state" else 1
        np.testing.assert_array_equal(outputs, np.where(outputs[:, :1] > 0, 2.0**factors, 0) + np.zeros((4, 5, 8)))
        return outputs[:, 0] > 0

    a, b = kept(training=True), kept(training=True)
    assert 4 < a.sum() < 28 and (a != b).any()
    np.testing.assert_array_equal(layer(x, initial_state=[first]).numpy(), np.ones((4, 5, 8)))
    again = passing(layers.SimpleRNN, recurrent=name == "state", seed=3, **rate)
    again.build(x.shape)
    np.testing.assert_array_equal(again(x, initial_state=[first], training=True).numpy()[:, 0] > 0, a)


def test_a_program_draws_other_masks_in_each_step_and_the_ones_that_eager_calls_draw():
    x = np.ones((4, 3, 8), "float32")
    layer = passing(layers.SimpleRNN, dropout=0.5, seed=3)
    model = ph.Sequential([ph.Input((3, 8)), layer])
    eager = [layer(x, training=True).numpy() for _ in range(3)]
    layer.cell.seed_generator.state.assign(np.array([3, 0], "uint32"))

    class Trained(ph.Model):
        def predict_step(self, data):
            return self(ph.utils.unpack_x_y_sample_weight(data)[0], training=True)

    wrapped = Trained(model.input, model.output)
    wrapped.compile()
    traced = [wrapped.predict(x, batch_size=4, verbose=0) for _ in range(3)]
    np.testing.assert_array_equal(traced, eager)
    assert (eager[0] != eager[1]).any() and (eager[1] != eager[2]).any()


@pytest.mark.parametrize(("name", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_gates_have_masks_of_their_own_with_implementation_1_and_for_the_state(name, gates):
    x, state = ops.ones((2, 40)), ops.ones((2, 8))
    cell = CELLS[name](8, dropout=0.5, recurrent_dropout=0.5, seed=1)
    for masks in (cell.get_dropout_mask(x), cell.get_recurrent_dropout_mask(state)):
        drawn = [mask.numpy() for mask in masks]
        assert len(drawn) == gates and len({mask.tobytes() for mask in drawn}) == gates
        assert {float(number) for mask in drawn for number in mask.ravel()} == {0.0, 2.0}
    assert CELLS[name](8, dropout=0.5, implementation=1).get_dropout_mask(x)[gates - 1].shape == (2, 40)
    assert CELLS[name](8, dropout=0.5).get_dropout_mask(x).shape == (2, 40)
    assert CELLS[name](8).get_dropout_mask(x) is None


def test_a_cell_called_by_itself_keeps_its_masks_until_they_are_reset():
    cell = layers.SimpleRNNCell(8, None, kernel_initializer="identity", dropout=0.5, seed=1)
    x, states = ops.ones((16, 8)), [ops.zeros((16, 8))]
    a, b = (cell(x, states, training=True)[0].numpy() for _ in range(2))
    np.testing.assert_array_equal(a, b)
    cell.reset_dropout_mask()
    assert (cell(x, states, training=True)[0].numpy() != a).any()
    assert cell(x[:3], [ops.zeros((3, 8))], training=True)[0].shape == (3, 8)
    # masks of a trace are not kept beyond it, nor do those of eager calls get into one
    cell(x, states, training=True)
    traced = [run_traced(lambda x: cell(x, states, training=True)[0], x.numpy()) for _ in range(2)]
    assert (traced[0] != traced[1]).any() and set(np.unique(traced)) == {0.0, 2.0}
    assert (cell(x, states, training=True)[0].numpy() != traced[1]).any()


def test_rates_of_zero_and_one():
    x = np.ones((2, 3, 8), "float32")
    assert (passing(layers.SimpleRNN, dropout=1.0)(x, training=True).numpy() == 0).all()
    for name in ("LSTM", "GRU"):  # in Keras they drop nothing then
        layer = filled(LAYERS[name](2, dropout=1.0, recurrent_dropout=1.0), x)
        np.testing.assert_array_equal(layer(x, training=True).numpy(), layer(x).numpy())


# ---- what is refused


def test_bad_arguments():
    for cls in (*LAYERS.values(), *CELLS.values()):
        with pytest.raises(ValueError, match="units must be a positive integer, got 0"):
            cls(0)
        with pytest.raises(ValueError, match=r"dropout must be a number between 0 and 1, got 1\.5"):
            cls(2, dropout=1.5)
        with pytest.raises(ValueError, match="unrecognized keyword arguments"):
            cls(2, no_such_argument=1)
    for cls in (layers.LSTM, layers.GRU):
        with pytest.raises(ValueError, match="use_cudnn must be 'auto', True or False, got 'yes'"):
            cls(2, use_cudnn="yes")
        with pytest.raises(ValueError, match="implementation must be 1 or 2, got 3"):
            cls(2, implementation=3)
        assert cls(2, use_cudnn=True)(np.ones((1, 2, 3), "float32")).shape == (1, 2)
    with pytest.raises(ValueError, match=r"RNN: cell must be a cell, with a method call"):
        layers.RNN("cell")
    with pytest.raises(ValueError, match="attribute state_size"):
        layers.RNN(layers.Dense(3))
    with pytest.raises(ValueError, match="each of cells must be a cell"):
        layers.StackedRNNCells([layers.LSTMCell(2), 3])
    with pytest.raises(ValueError, match="must not be empty"):
        layers.RNN([])


def test_bad_inputs():
    x = np.ones((2, 4, 3), "float32")
    layer = layers.LSTM(2, name="lstm")
    with pytest.raises(ValueError, match=r"input 0 of layer 'lstm' is incompatible .* expected ndim=3, found ndim=2"):
        layer(np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match="at least one time step"):
        layer(np.ones((2, 0, 3), "float32"))
    with pytest.raises(ValueError, match="last axis of the inputs must be known"):
        layers.GRU(2)(ph.Input((4, None)))
    with pytest.raises(ValueError, match=r"mask must have shape \(batch, steps\) = \(2, 4\), got \(2, 3\)"):
        layer(x, mask=np.ones((2, 3), "bool"))
    for states in ([np.zeros((2, 2))], [np.zeros((2, 2)), np.zeros((2, 3))], [np.zeros((3, 2))] * 2):
        with pytest.raises(ValueError, match=r"initial_state must hold tensors of the shapes \[\(2, 2\), \(2, 2\)\]"):
            layer(x, initial_state=states)
    with pytest.raises(ValueError, match=r"sequences must have shape \(batch, steps, \.\.\.\), got \(2, 3\)"):
        layers.RNN(Counter())(np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match=r"sequences must have shape \(batch, steps, \.\.\.\), got \(2, 3\)"):
        layers.LSTM(2).compute_output_shape((2, 3))
    with pytest.raises(ValueError, match=r"states must have the shapes \[\(2, 3\), \(2, 3\)\], got \[\(2, 3\)\]"):
        layers.LSTMCell(3)(np.ones((2, 3), "float32"), [np.zeros((2, 3), "float32")])
    with pytest.raises(ValueError, match="states must be a list of 2, one for each cell"):
        layers.StackedRNNCells([Counter(), Counter()])(np.ones((2, 3), "float32"), [[np.zeros((2, 3), "float32")]])


def test_bad_cells():
    class Forgetful(Counter):
        def call(self, inputs, states):
            return inputs

    class Growing(Counter):
        def call(self, inputs, states):
            return inputs, [ops.concatenate([states[0], inputs], axis=-1)]

    x = np.ones((2, 4, 3), "float32")
    with pytest.raises(ValueError, match="a cell must return outputs and next states"):
        layers.RNN(Forgetful())(x)
    with pytest.raises(ValueError, match=r"next states must have the shapes of its states, \[\(2, 3\)\]"):
        layers.RNN(Growing())(x)


# ---- how it is computed


def test_the_gradient_of_unstacking_is_one_op():
    def program(steps):
        x = ph.Input((steps, 3))
        model = ph.Model(x, layers.RNN(Counter(), return_sequences=True)(layers.Dense(3)(x)))
        model.compile("sgd", "mse")
        model.train_on_batch(np.ones((2, steps, 3)), np.ones((2, steps, 3)))
        return model.program().text()

    text = program(10)
    assert "= slice" not in text and text.count("= split") == 2 and text.count("= concatenate") == 2
    lines = [len(program(steps).splitlines()) for steps in (10, 20, 30)]
    assert lines[2] - lines[1] == lines[1] - lines[0]


def test_symbolic_calls_trace_one_step():
    calls = []

    class Seen(Counter):
        def call(self, inputs, states):
            calls.append(inputs.shape)
            return super().call(inputs, states)

    x = ph.Input((1000, 3))
    assert layers.RNN(Seen(), return_sequences=True)(x).shape == (None, 1000, 3)
    assert layers.Bidirectional(layers.GRU(2, return_sequences=True))(ph.Input((None, 3))).shape == (None, None, 4)
    assert len(calls) == 2  # with two sizes of batches


def test_mixed_precision_keeps_weights_and_states_of_stateful_layers_wide():
    x = random_input((2, 4, 3))
    for cls in LAYERS.values():
        layer = cls(2, dtype="mixed_bfloat16", stateful=True, return_state=True, dropout=0.5, recurrent_dropout=0.5)
        outputs = [*layer(x), *layer(x, training=True, mask=np.ones((2, 4), "bool"))]
        assert {y.dtype for y in outputs} == {"bfloat16"}
        assert {w.dtype for w in layer.weights} == {"float32"} == {state.dtype for state in layer.states}
        assert layer.cell.dtype_policy.name == "mixed_bfloat16"
