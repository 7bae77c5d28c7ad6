"""Recurrent networks: series, words with padding, translation, tagging, cells of one's own, states that stay."""

from __future__ import annotations

import numpy as np

from training_cases import case, fill, outcome


def _series(rows=10, steps=6, features=3, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, steps, features)).astype("float32")


def _words(rows=10, steps=6, seed=0):
    """Sentences of different lengths, 0 behind their end; one is empty."""
    rng = np.random.default_rng(seed)
    words = rng.integers(1, 12, (rows, steps))
    words[np.arange(steps) >= rng.integers(1, steps + 1, (rows, 1))] = 0
    words[3] = 0
    return words.astype("int32")


def _targets(rows=10, outputs=1, seed=4):
    return np.random.default_rng(seed).normal(size=(rows, outputs)).astype("float32")


def _fitted(keras, model, x, y, **options):
    fill(model)
    history = model.fit(x, y, shuffle=False, verbose=0, **{"batch_size": 4, "epochs": 2, **options}).history
    return [history, model.evaluate(x, y, batch_size=4, verbose=0), model.predict(x, batch_size=4, verbose=0)]


@case
def stacked_lstm(keras, folder):
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((6, 3)), layers.LSTM(4, return_sequences=True), layers.LSTM(3, go_backwards=True), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return [*_fitted(keras, model, _series(), _targets(), validation_split=0.2), [w.path for w in model.weights]]


@case
def words_with_padding(keras, folder):
    layers = keras.layers
    x = keras.Input((None,), dtype="int32")
    y = layers.Embedding(12, 4, mask_zero=True)(x)
    y = layers.Bidirectional(layers.GRU(3, return_sequences=True, reset_after=False), merge_mode="sum")(y)
    y = layers.Bidirectional(layers.LSTM(3))(y)
    model = keras.Model(x, layers.Dense(1, activation="sigmoid")(y))
    model.compile(keras.optimizers.RMSprop(0.01), "binary_crossentropy", metrics=["accuracy"])
    return _fitted(keras, model, _words(), np.arange(10).reshape(10, 1) % 2)


@case
def masked_steps_do_not_count_in_the_loss(keras, folder):
    layers = keras.layers
    x = _series()
    x[0, 3:], x[1, 1:3], x[4] = 0, 0, 0
    model = keras.Sequential(
        [
            keras.Input((6, 3)),
            layers.Masking(),
            layers.GRU(4, return_sequences=True),
            layers.TimeDistributed(layers.Dense(3, activation="softmax")),
        ]
    )
    # no metrics: on JAX, those of Keras's fit() do not see the mask, while those of evaluate() do
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return _fitted(keras, model, x, np.arange(60).reshape(10, 6) % 3)


@case
def translation(keras, folder):
    layers = keras.layers
    source, target = keras.Input((None, 3)), keras.Input((None, 2))
    _, h, c = layers.LSTM(4, return_state=True)(source)
    y = layers.LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    model = keras.Model([source, target], layers.Dense(2)(y))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return _fitted(keras, model, [_series(), _series(10, 4, 2)], _series(10, 4, 2, seed=7))


@case
def regularized_simple_rnn(keras, folder):
    layers = keras.layers
    names = ("kernel", "recurrent", "bias")
    settings = {f"{name}_regularizer": keras.regularizers.L2(0.1) for name in names}
    constraints = {f"{name}_constraint": keras.constraints.MaxNorm(0.8) for name in names}
    model = keras.Sequential(
        [keras.Input((6, 3)), layers.SimpleRNN(4, activation="relu", **settings, **constraints), layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    return [*_fitted(keras, model, _series(), _targets()), model.get_weights()]


@case
def cell_of_ones_own(keras, folder):
    class Leaky(keras.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = self.state_size = units

        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
            self.leak = self.add_weight(shape=(self.units,), name="leak")

        def call(self, inputs, states):
            leak = keras.ops.sigmoid(self.leak)
            state = leak * states[0] + (1 - leak) * keras.ops.tanh(keras.ops.matmul(inputs, self.kernel))
            return state, [state]

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 3)),
            layers.RNN([Leaky(4), layers.LSTMCell(3), Leaky(2)], return_sequences=True),
            layers.RNN(Leaky(3)),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse")
    padded = keras.Sequential([keras.Input((6, 3)), layers.Masking(), layers.RNN(Leaky(4)), layers.Dense(1)])
    padded.compile(keras.optimizers.Adam(0.02), "mse")
    x = _series()
    x[:, 4:] = 0
    return [_fitted(keras, each, x, _targets()) for each in (model, padded)] + [[w.path for w in model.weights]]


@case
def images_in_time(keras, folder):
    layers = keras.layers
    x = keras.Input((4, 6, 6, 1))
    y = layers.TimeDistributed(layers.Conv2D(2, 3, activation="relu"))(x)
    y = layers.TimeDistributed(layers.BatchNormalization())(y)
    y = layers.TimeDistributed(layers.GlobalAveragePooling2D())(y)
    model = keras.Model(x, layers.Dense(1)(layers.GRU(3)(y)))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    fill(model)
    model.set_weights(
        [np.abs(w) if v.path.endswith("variance") else w for v, w in zip(model.weights, model.get_weights())]
    )
    data = np.random.default_rng(2).normal(size=(8, 4, 6, 6, 1)).astype("float32")
    return [model.fit(data, _targets(8), batch_size=4, shuffle=False, verbose=0).history, model.get_weights()]


@case
def recurrent_layers_refuse(keras, folder):
    layers, x = keras.layers, _series(2, 4, 3)
    calls = {
        "rank": lambda: layers.LSTM(2)(x[0]),
        "units": lambda: layers.GRU(0),
        "cell": lambda: layers.RNN("cell"),
        "no state_size": lambda: layers.RNN(layers.Dense(2)),
        "use_cudnn": lambda: layers.LSTM(2, use_cudnn="perhaps"),
        "merge_mode": lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="max"),
        "same direction": lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2)),
        "no layer": lambda: layers.Bidirectional("lstm"),
        "batch size": lambda: layers.LSTM(2, stateful=True)(keras.Input((4, 3))),
        "steps of one row": lambda: layers.TimeDistributed(layers.Dense(2))(x[0]),
        "mask of other steps": lambda: layers.TimeDistributed(layers.Dense(2))(x, mask=np.ones((2, 3), "bool")),
    }
    return {name: outcome(lambda call=call: call().shape) for name, call in calls.items()}


@case
def stateful_fits(keras, folder):
    """Recorded on TensorFlow: on JAX, Keras forgets the states between the batches of fit() and predict()."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(4, 5, 3)),
            layers.LSTM(4, stateful=True, return_sequences=True),
            layers.GRU(3, stateful=True),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    fill(model)
    x, y = _series(12, 5, 3), _targets(12)

    def states():
        return [np.array(keras.ops.convert_to_numpy(s)).sum() for layer in model.layers[:2] for s in layer.states]

    found = [model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history, states()]
    found += [model.predict(x, batch_size=4, verbose=0), model.predict(x[:4], batch_size=4, verbose=0), states()]
    for layer in model.layers[:2]:
        layer.reset_state()
    found += [states(), model.evaluate(x, y, batch_size=4, verbose=0), states()]
    return [*found, len(model.weights), model.get_weights()]
