"""Recurrent layers within models: masks that travel, states that stay, both directions, configs and files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from harness import random_input

import pronghorn as ph
from pronghorn import layers, ops
from pronghorn.saving.serialization import (
    deserialize_keras_object,
    register_keras_serializable,
    serialize_keras_object,
)

WORDS = np.array([[3, 1, 0, 0], [2, 4, 1, 0], [0, 0, 0, 0], [1, 0, 2, 3]])


def filled(model, seed=1):
    generator = np.random.default_rng(seed)
    model.set_weights([generator.normal(size=w.shape) * 0.5 for w in model.weights])
    return model


# ---- masks


@pytest.mark.parametrize("cls", [layers.SimpleRNN, layers.LSTM, layers.GRU])
def test_a_mask_of_an_embedding_does_what_one_in_the_call_does(cls):
    words = ph.Input((4,), dtype="int32")
    embedding, recurrent = layers.Embedding(5, 3, mask_zero=True), cls(2)
    model = filled(ph.Model(words, recurrent(embedding(words))))
    expected = recurrent(ops.take(embedding.embeddings, WORDS, axis=0), mask=WORDS != 0)
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), expected.numpy(), rtol=1e-5, atol=1e-6)
    # padding at the end is as if it were not there
    short = recurrent(ops.take(embedding.embeddings, WORDS[:1, :2], axis=0))
    np.testing.assert_allclose(expected.numpy()[:1], short.numpy(), rtol=1e-5, atol=1e-6)


def test_masks_go_on_with_sequences_and_end_with_the_last_output():
    x = np.array([[[1.0], [0.0], [2.0]]])
    masked = layers.Masking()(x)
    for layer in (layers.LSTM(2, return_sequences=True), layers.Bidirectional(layers.GRU(2, return_sequences=True))):
        np.testing.assert_array_equal(layer(masked)._keras_mask.numpy(), [[True, False, True]])
    outputs, h, c = layers.LSTM(2, return_sequences=True, return_state=True)(masked)
    assert outputs._keras_mask is not None and not hasattr(h, "_keras_mask") and not hasattr(c, "_keras_mask")
    assert not hasattr(layers.LSTM(2)(masked), "_keras_mask")
    both = layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode=None)(masked)
    assert all(y._keras_mask is not None for y in both)
    assert not hasattr(layers.Bidirectional(layers.GRU(2))(masked), "_keras_mask")


def test_stacked_layers_see_the_mask():
    first, second = layers.GRU(3, return_sequences=True), layers.GRU(2)
    model = filled(ph.Sequential([ph.Input((4, 1)), layers.Masking(), first, second]))
    x = random_input((2, 4, 1))
    x[0, 2:] = 0
    np.testing.assert_allclose(model(x).numpy()[0], model(x[:1, :2]).numpy()[0], rtol=1e-5, atol=1e-6)


def test_a_mask_is_left_out_where_states_are_given_as_in_keras():
    layer, x = layers.SimpleRNN(2), layers.Masking()(np.array([[[1.0], [0.0]]]))
    state = [np.full((1, 2), 0.5, "float32")]
    ignored, heeded = layer(x, initial_state=state), layer(x, initial_state=state, mask=np.array([[True, False]]))
    assert (ignored.numpy() != heeded.numpy()).any()
    plain = np.array([[[1.0], [0.0]]])
    np.testing.assert_array_equal(ignored.numpy(), layer(plain, initial_state=state).numpy())


# ---- states that stay


def stateful(cls=layers.LSTM, **settings):
    layer = cls(3, stateful=True, **settings)
    return layer, filled(ph.Sequential([ph.Input(batch_shape=(2, 4, 3)), layer]))


@pytest.mark.parametrize("cls", [layers.SimpleRNN, layers.LSTM, layers.GRU])
def test_a_stateful_layer_goes_on_where_it_was(cls):
    layer, model = stateful(cls, return_sequences=True)
    assert [w.path for w in model.weights] == [w.path for w in layer.cell.weights]
    x = random_input((2, 12, 3))
    plain = cls(3, return_sequences=True)
    plain.build(x.shape)
    plain.set_weights(model.get_weights())
    expected = plain(x).numpy()
    parts = np.concatenate([x[:, :4], x[:, 4:8], x[:, 8:]])
    for _ in range(2):
        predicted = model.predict(parts, batch_size=2, verbose=0)
        np.testing.assert_allclose(np.concatenate(np.split(predicted, 3), axis=1), expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(layer.states[0].numpy(), expected[:, -1], rtol=1e-5, atol=1e-5)
        layer.reset_state()
        assert all((state.numpy() == 0).all() for state in layer.states)
    eager = np.concatenate([model(x[:, i : i + 4]).numpy() for i in (0, 4, 8)], axis=1)
    np.testing.assert_allclose(eager, expected, rtol=1e-5, atol=1e-5)
    layer.reset_states()
    assert (layer.states[-1].numpy() == 0).all()


def test_states_go_from_batch_to_batch_in_a_fit_and_from_epoch_to_epoch():
    layer, _ = stateful(layers.GRU)
    model = ph.Sequential([ph.Input(batch_shape=(2, 4, 3)), layer, layers.Dense(1)])
    filled(model).compile(ph.optimizers.SGD(0.1), "mse")
    x, y = random_input((6, 4, 3)), random_input((6, 1))
    start, losses = model.get_weights(), []
    for _ in range(2):
        for first in range(0, 6, 2):
            losses.append(model.train_on_batch(x[first : first + 2], y[first : first + 2]))
    expected = layer.states[0].numpy()
    model.set_weights(start)
    layer.reset_state()
    history = model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_array_equal(layer.states[0].numpy(), expected)
    np.testing.assert_allclose(history, np.mean(np.reshape(losses, (2, 3)), axis=1), rtol=1e-5)


def test_a_stateful_layer_begins_with_given_states_once():
    layer, _ = stateful(layers.SimpleRNN)
    x, state = random_input((2, 4, 3)), np.full((2, 3), 0.5, "float32")
    first = layer(x, initial_state=[state]).numpy()
    np.testing.assert_array_equal(layer.states[0].numpy(), first)
    second = layer(x).numpy()
    np.testing.assert_array_equal(second, layer(x, initial_state=[first]).numpy())


def test_stateful_cells_of_several_states():
    layer = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], stateful=True)
    x = random_input((2, 4, 3))
    first, second = layer(x).numpy(), layer(x).numpy()
    assert (first != second).any()
    assert [s.shape for s in layer.states[0]] == [(2, 3), (2, 3)] and layer.states[1][
        0
    ].path == f"{layer.name}/rnn_state"
    layer.reset_state()
    np.testing.assert_array_equal(layer(x).numpy(), first)


def test_the_batch_size_of_stateful_layers():
    layer, _ = stateful()
    with pytest.raises(ValueError, match=r"takes batches of one size, here 2, got 3 sequences"):
        layer(random_input((3, 4, 3)))
    with pytest.raises(ValueError, match=r"must know the batch size, as from Input\(batch_shape"):
        layers.GRU(2, stateful=True)(ph.Input((4, 3)))
    for model in (
        ph.Sequential([layers.GRU(2, stateful=True)]),
        ph.Sequential([layers.GRU(2, stateful=True, batch_input_shape=(2, 4, 3))]),
    ):
        assert model(random_input((2, 4, 3))).shape == (2, 2) == model.layers[0].states[0].shape
        with pytest.raises(ValueError, match="takes batches of one size"):
            model.predict(random_input((4, 4, 3)), batch_size=4, verbose=0)


# ---- both directions


def test_bidirectional_is_two_layers():
    x, mask = random_input((2, 4, 3)), np.array([[True, True, False, False], [True, False, True, True]])
    layer = layers.Bidirectional(layers.LSTM(2, return_sequences=True, return_state=True), merge_mode=None)
    forward, backward, *states = layer(x, mask=mask)
    assert [w.path for w in layer.weights][::3] == [
        f"{layer.name}/{layer.forward_layer.name}/lstm_cell/kernel",
        f"{layer.name}/{layer.backward_layer.name}/lstm_cell/kernel",
    ]
    for inner, outputs, own in (
        (layer.forward_layer, forward, states[:2]),
        (layer.backward_layer, backward, states[2:]),
    ):
        plain = layers.LSTM(2, return_sequences=True, return_state=True, go_backwards=inner.go_backwards)
        plain.build(x.shape)
        plain.set_weights(inner.get_weights())
        expected, *last = plain(x, mask=mask)
        expected = expected.numpy()[:, :: -1 if inner.go_backwards else 1] * mask[..., None]
        np.testing.assert_allclose(outputs.numpy(), expected, rtol=1e-5, atol=1e-6)
        for state, wanted in zip(own, last, strict=True):
            np.testing.assert_allclose(state.numpy(), wanted.numpy(), rtol=1e-5, atol=1e-6)


def test_bidirectional_is_stateful_and_takes_weights():
    layer = layers.Bidirectional(layers.GRU(2, stateful=True))
    x = random_input((2, 4, 3))
    first, second = layer(x).numpy(), layer(x).numpy()
    assert (first != second).any() and len(layer.states) == 2
    layer.reset_states()
    np.testing.assert_array_equal(layer(x).numpy(), first)
    again = layers.Bidirectional(layers.GRU(2), weights=layer.get_weights())
    np.testing.assert_array_equal(again(x).numpy(), first)
    assert again.states is None
    with pytest.raises(AttributeError, match="needs a layer that is stateful"):
        again.reset_state()


@register_keras_serializable("test_recurrent_models")
class Last(layers.Layer):
    """The last step, or the first one: a layer that takes no mask."""

    stateful = return_sequences = return_state = False

    def __init__(self, go_backwards=False, **kwargs):
        super().__init__(**kwargs)
        self.go_backwards = go_backwards

    def call(self, sequences, initial_state=None):
        return sequences[:, 0 if self.go_backwards else -1]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[2])

    def get_config(self):
        return {**super().get_config(), "go_backwards": self.go_backwards}


def test_bidirectional_takes_layers_of_ones_own():
    x = random_input((2, 4, 3))
    layer = layers.Bidirectional(Last())
    np.testing.assert_array_equal(layer(x).numpy(), np.concatenate([x[:, -1], x[:, 0]], axis=-1))
    assert layer.compute_output_shape((None, 4, 3)) == (None, 6) == layer(ph.Input((4, 3))).shape


def test_bidirectional_errors():
    lstm = layers.LSTM(2)
    with pytest.raises(ValueError, match="layer must be a recurrent layer, got"):
        layers.Bidirectional(layers.Dense(2))
    with pytest.raises(ValueError, match="backward_layer must be a recurrent layer, got 'lstm'"):
        layers.Bidirectional(lstm, backward_layer="lstm")
    with pytest.raises(ValueError, match="merge_mode must be one of"):
        layers.Bidirectional(lstm, merge_mode="max")
    with pytest.raises(ValueError, match="must differ in go_backwards"):
        layers.Bidirectional(lstm, backward_layer=layers.LSTM(2))
    with pytest.raises(ValueError, match="must have the same return_sequences"):
        layers.Bidirectional(lstm, backward_layer=layers.LSTM(2, go_backwards=True, return_sequences=True))
    with pytest.raises(ValueError, match=r"initial_state must hold tensors of the shapes"):
        layers.Bidirectional(lstm)(random_input((2, 4, 3)), initial_state=[np.zeros((2, 2))] * 2)


# ---- models, configs and files


def translator():
    source, target = ph.Input((None, 3), name="source"), ph.Input((None, 2), name="target")
    _, *states = layers.LSTM(4, return_state=True, name="encoder")(source)
    outputs = layers.LSTM(4, return_sequences=True, name="decoder")(target, initial_state=states)
    return filled(ph.Model([source, target], layers.Dense(2, name="words")(outputs), name="translator"))


def test_states_go_from_an_encoder_to_a_decoder():
    model = translator()
    source, target = random_input((2, 5, 3)), random_input((2, 4, 2))
    _, h, c = layers.LSTM.call(model.get_layer("encoder"), ops.convert_to_tensor(source))
    sequence = model.get_layer("decoder")(target, initial_state=[h, c])
    expected = model.get_layer("words")(sequence).numpy()
    np.testing.assert_allclose(model.predict([source, target], verbose=0), expected, rtol=1e-5, atol=1e-6)
    for other in (
        ph.Model.from_config(model.get_config()),
        ph.models.model_from_json(model.to_json()),
        ph.models.clone_model(model),
    ):
        other.set_weights(model.get_weights())
        np.testing.assert_allclose(other([source, target]).numpy(), expected, rtol=1e-5, atol=1e-6)
    model.compile("adam", "mse")
    losses = model.fit([source, target], np.ones((2, 4, 2)), epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]
    assert model.predict([source[:, :2], target[:, :1]], verbose=0).shape == (2, 1, 2)


@register_keras_serializable("test_recurrent_models")
class Leaky(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")

    def call(self, inputs, states):
        state = states[0] * 0.5 + ops.matmul(inputs, self.kernel)
        return state, [state]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.RNN(Leaky(3), return_sequences=True, zero_output_for_mask=True),
        lambda: layers.RNN([layers.LSTMCell(3, unit_forget_bias=False), Leaky(2)], go_backwards=True),
        lambda: layers.LSTM(3, "relu", "hard_sigmoid", use_bias=False, kernel_regularizer="l2", dropout=0.1, seed=4),
        lambda: layers.GRU(3, reset_after=False, recurrent_constraint="max_norm", recurrent_dropout=0.2, unroll=True),
        lambda: layers.SimpleRNN(3, None, recurrent_initializer="identity", activity_regularizer="l1"),
        lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="ave"),
        lambda: layers.Bidirectional(layers.RNN(Leaky(3)), backward_layer=layers.LSTM(3, go_backwards=True)),
        lambda: layers.TimeDistributed(layers.LSTM(3)),
        lambda: layers.StackedRNNCells([layers.GRUCell(3), Leaky(2)]),
    ],
)
def test_configs_come_round(make):
    layer = make()
    text = json.dumps(serialize_keras_object(layer))
    revived = deserialize_keras_object(json.loads(text))
    assert type(revived) is type(layer) and json.dumps(serialize_keras_object(revived)) == text
    if isinstance(layer, layers.StackedRNNCells):
        return
    x = random_input((2, 4, 5, 3) if isinstance(layer, layers.TimeDistributed) else (2, 4, 3))
    outputs = layer(x)
    built = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(layer))))
    built.set_weights(layer.get_weights())
    np.testing.assert_array_equal(built(x).numpy(), outputs.numpy())


def test_weights_files_have_keras_names(tmp_path):
    import h5py

    x = ph.Input((4,), dtype="int32")
    y = layers.Embedding(5, 3)(x)
    y = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(y)
    y = layers.RNN([layers.GRUCell(3), layers.SimpleRNNCell(2)], return_sequences=True)(y)
    model = filled(ph.Model(x, layers.GRU(2)(y)))
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    with h5py.File(path) as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if hasattr(item, "shape") else None)
    cells = (
        *("bidirectional/backward_layer/cell", "bidirectional/forward_layer/cell", "gru/cell"),
        *("rnn/cell/cells/gru_cell", "rnn/cell/cells/simple_rnn_cell"),
    )
    # as real Keras lists them
    assert sorted(names) == sorted(
        ["layers/embedding/vars/0", *(f"layers/{cell}/vars/{index}" for cell in cells for index in range(3))]
    )
    again = ph.models.clone_model(model)
    again.load_weights(path)
    np.testing.assert_array_equal(again(WORDS).numpy(), model(WORDS).numpy())


def test_shared_and_subclassed():
    shared = layers.GRU(3)

    class Twins(ph.Model):
        def __init__(self):
            super().__init__()
            self.reader = layers.Bidirectional(shared)
            self.head = layers.Dense(1)

        def call(self, inputs, training=False):
            a, b = inputs
            return self.head(ops.concatenate([self.reader(a), self.reader(b)], axis=-1))

    a, b, y = random_input((4, 5, 2)), random_input((4, 3, 2), seed=5), np.ones((4, 1))
    model = Twins()
    model.compile("adam", "mse")
    losses = model.fit([a, b], y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and len(model.weights) == 8
    x1, x2 = ph.Input((5, 2)), ph.Input((3, 2))
    functional = ph.Model([x1, x2], shared(x1) - shared(x2))
    assert len(functional.weights) == 3
    np.testing.assert_allclose(functional([a, b]).numpy(), (shared(a) - shared(b)).numpy(), rtol=1e-5, atol=1e-6)


def test_summary():
    lines = []
    x = ph.Input((6, 3))
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True, name="reader"), name="both")(x)
    y, _ = layers.GRU(2, return_state=True, name="last")(y)
    ph.Model(x, y).summary(print_fn=lambda text, line_break=False: lines.append(text), line_length=80)
    text = "\n".join(lines)
    assert "both (Bidirectional)" in text and "(None, 6, 8)" in text and "256" in text
    assert "last (GRU)" in text and "[(None, 2), (None, 2)]" in text and "72" in text
