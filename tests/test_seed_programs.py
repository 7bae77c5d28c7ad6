"""Programs as beginners write them, from the notes that the library grew from."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as tf


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: tf.constant(1), "ph.Tensor(1, shape=(), dtype=int32)"),
        (lambda: tf.constant([2, 3]), "ph.Tensor([2 3], shape=(2,), dtype=int32)"),
        (lambda: tf.constant(2.5), "ph.Tensor(2.5, shape=(), dtype=float32)"),
        (lambda: tf.zeros([2, 3]), "ph.Tensor([[0. 0. 0.]\n [0. 0. 0.]], shape=(2, 3), dtype=float32)"),
        (lambda: tf.ones((2,), "int32"), "ph.Tensor([1 1], shape=(2,), dtype=int32)"),
        (lambda: tf.rank(tf.ones([2, 3])), "ph.Tensor(2, shape=(), dtype=int32)"),
        (lambda: tf.range(1, 6, 2), "ph.Tensor([1 3 5], shape=(3,), dtype=int32)"),
        (lambda: tf.linspace(0.0, 1.0, 3), "ph.Tensor([0.  0.5 1. ], shape=(3,), dtype=float32)"),
        (lambda: tf.constant([True, False]), "ph.Tensor([ True False], shape=(2,), dtype=bool)"),
    ],
)
def test_tensors_print_with_values_shape_and_dtype(make, text):
    assert str(make()) == repr(make()) == text


def test_what_a_tensor_knows_of_itself():
    c = tf.constant([[1, 2, 3], [4, 5, 6]])
    assert (c.dtype, c.shape, c.ndim, c.size, len(c)) == ("int32", (2, 3), 2, 6, 2)
    assert tf.constant([1.0, 2.0]).dtype == tf.float32
    assert tf.shape(c) == (2, 3)
    assert int(tf.size(c)) == 6


def test_arithmetic_and_reductions():
    a, b = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.ones([2, 2])
    np.testing.assert_array_equal((a + b * 2 - 1) / 2, (a.numpy() + 1) / 2)
    np.testing.assert_array_equal(tf.matmul(a, b, transpose_a=True), a.numpy().T @ b.numpy())
    np.testing.assert_array_equal(a @ b, a.numpy() @ b.numpy())
    assert float(tf.reduce_sum(a)) == float(tf.math.reduce_sum(a)) == 10.0
    np.testing.assert_array_equal(tf.reduce_mean(a, axis=0), [2.0, 3.0])
    assert (float(tf.reduce_max(a)), float(tf.reduce_min(a)), float(tf.reduce_prod(a))) == (4.0, 1.0, 24.0)
    np.testing.assert_array_equal(tf.argmax(a, axis=1), [1, 1])
    np.testing.assert_array_equal(tf.cast(a, tf.int32), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(tf.reshape(a, [-1]), [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(tf.transpose(a), a.numpy().T)
    np.testing.assert_array_equal(tf.concat([a, b], axis=1), np.concatenate([a, b], 1))
    np.testing.assert_array_equal(tf.split(tf.range(6), [1, 2, 3])[1], [1, 2])
    np.testing.assert_array_equal(tf.nn.relu(tf.constant([-1.0, 2.0])), [0.0, 2.0])
    np.testing.assert_allclose(tf.nn.softmax(tf.constant([[0.0, 0.0]])), [[0.5, 0.5]])
    np.testing.assert_array_equal(tf.fill([2], 7), [7, 7])
    np.testing.assert_array_equal(tf.gather(a, [1]), [[3.0, 4.0]])
    np.testing.assert_array_equal(tf.pad(tf.ones([1]), [[1, 1]], constant_values=5), [5, 1, 5])


def test_variables_and_gradients():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x + 2.0 * x
    assert float(tape.gradient(y, x)) == 8.0
    x.assign_sub(1.0)
    assert float(x) == 2.0


def test_a_line_fitted_by_hand():
    inputs = tf.linspace(-1.0, 1.0, 20)
    targets = 3.0 * inputs + 0.5
    w, b = tf.Variable(0.0), tf.Variable(0.0)
    for _ in range(200):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(w * inputs + b - targets))
        dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(0.3 * dw)
        b.assign_sub(0.3 * db)
    assert abs(float(w) - 3.0) < 1e-3
    assert abs(float(b) - 0.5) < 1e-3


def _data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 784)).astype("float32")
    labels = (x[:, :10] + 0.1).argmax(1)
    return x, np.eye(10, dtype="float32")[labels]


def _as_a_list(layers, models):
    return models.Sequential(
        [
            layers.Dense(32, input_shape=(784,)),
            layers.Activation("relu"),
            layers.Dense(10),
            layers.Activation("softmax"),
        ]
    )


def _with_add(layers, models):
    model = models.Sequential()
    model.add(layers.Dense(32, input_dim=784, kernel_initializer="he_normal"))
    model.add(layers.Activation("relu"))
    model.add(layers.Dense(10, input_dim=32))
    model.add(layers.Activation("softmax"))
    return model


@pytest.mark.parametrize("build", [_as_a_list, _with_add])
def test_the_same_network_written_two_ways(build):
    model = build(tf.keras.layers, tf.keras.models)
    assert model.count_params() == 784 * 32 + 32 + 32 * 10 + 10
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    x, y = _data()
    history = model.fit(x, y, epochs=5, batch_size=32, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    probabilities = model.predict(x, verbose=0)
    assert probabilities.shape == (64, 10)
    np.testing.assert_allclose(probabilities.sum(1), 1.0, rtol=1e-5)


def test_convolution_with_the_functional_api():
    layers = tf.keras.layers
    inputs = tf.keras.Input(shape=(8, 8, 1))
    x = layers.Conv2D(4, 3, activation="relu")(inputs)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.2)(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    model = tf.keras.Model(inputs, outputs)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    images = rng.normal(size=(32, 8, 8, 1)).astype("float32")
    labels = (images.mean((1, 2, 3)) > 0).astype("float32")
    history = model.fit(images, labels, epochs=3, verbose=0, validation_split=0.25)
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert np.isfinite(history.history["loss"]).all()


@pytest.mark.parametrize("optimizer", ["Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "RMSprop", "SGD"])
def test_every_optimizer_of_the_notes_trains(optimizer):
    x, y = _data()
    model = _as_a_list(tf.keras.layers, tf.keras.models)
    model.compile(optimizer=getattr(tf.keras.optimizers, optimizer)(), loss="categorical_crossentropy")
    first = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=2, verbose=0)
    assert model.evaluate(x, y, verbose=0) < first


def test_every_argument_of_compile():
    x, y = _data()
    model = _as_a_list(tf.keras.layers, tf.keras.models)
    model.compile(
        optimizer="rmsprop",
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        loss_weights=2.0,
        weighted_metrics=["accuracy"],
        run_eagerly=False,
        steps_per_execution=2,
    )
    history = model.fit(x, y, verbose=0, sample_weight=np.ones(64, "float32"))
    assert {"loss", "accuracy", "weighted_accuracy"} <= set(history.history)
