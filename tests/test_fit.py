"""fit, evaluate, predict and their per-batch forms."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import callbacks, ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(21, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5], [0.0]])).astype("float32")


def linear(run_eagerly=False, optimizer=None, **options):
    ph.utils.set_random_seed(0)
    model = ph.Sequential([ph.Input((4,)), ph.layers.Dense(1)])
    model.compile(optimizer or ph.optimizers.SGD(0.1), "mse", run_eagerly=run_eagerly, **options)
    return model


def sgd_by_hand(weights, x, y, rate=0.1, batch_size=8, epochs=1, weight=None):
    """The same training in NumPy."""
    kernel, bias = (w.astype("float64") for w in weights)
    weight = np.ones(len(x)) if weight is None else weight
    losses = []
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(x), batch_size):
            rows = slice(start, start + batch_size)
            error = x[rows] @ kernel + bias - y[rows]
            n = len(error)
            total += (weight[rows, None] * error**2).sum()
            slope = 2 * weight[rows, None] * error / n
            kernel = kernel - rate * x[rows].T @ slope
            bias = bias - rate * slope.sum(axis=0)
        losses.append(total / len(x))
    return kernel, bias, losses


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_fit_is_gradient_descent(run_eagerly):
    model = linear(run_eagerly)
    kernel, bias, losses = sgd_by_hand(model.get_weights(), X, Y, epochs=3)
    history = model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-4)
    assert history.epoch == [0, 1, 2] and model.history is history


def test_sample_weight_and_class_weight():
    weight = np.linspace(0, 2, 21).astype("float32")
    model = linear()
    kernel, _, losses = sgd_by_hand(model.get_weights(), X, Y, weight=weight)
    history = model.fit(X, Y, batch_size=8, sample_weight=weight, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-4)
    classes = (np.arange(21) % 2).astype("float32")[:, None]
    weighted, by_class = linear(), linear()
    weighted.fit(X, classes, sample_weight=np.where(classes[:, 0] == 1, 3.0, 1.0), shuffle=False, verbose=0)
    by_class.fit(X, classes, class_weight={1: 3.0}, shuffle=False, verbose=0)
    np.testing.assert_array_equal(weighted.get_weights()[0], by_class.get_weights()[0])


def test_eager_and_program_agree_on_a_convnet_with_dropout():
    def trained(run_eagerly):
        ph.utils.set_random_seed(3)
        layers = ph.layers
        model = ph.Sequential(
            [
                ph.Input((6, 6, 1)),
                layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2"),
                layers.BatchNormalization(),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dropout(0.5),
                layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=run_eagerly)
        x = np.random.default_rng(1).normal(size=(20, 6, 6, 1)).astype("float32")
        history = model.fit(x, np.arange(20) % 3, batch_size=8, epochs=2, verbose=0)
        return model, history.history, model.predict(x, verbose=0)

    native, native_logs, native_out = trained(False)
    eager, eager_logs, eager_out = trained(True)
    for a, b in zip(native.get_weights(), eager.get_weights()):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(native_out, eager_out, rtol=2e-3, atol=2e-4)
    for name, values in native_logs.items():
        np.testing.assert_allclose(values, eager_logs[name], rtol=1e-3)
    assert "conv2d" in native.program().text()


def test_same_seed_same_bits_whatever_the_chunks():
    def weights(**options):
        model = linear(steps_per_execution=options.pop("steps_per_execution", 1))
        model.fit(X, Y, epochs=3, batch_size=4, verbose=0, **options)
        return model.get_weights()[0]

    each = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    first = weights()
    for other in (weights(), weights(steps_per_execution=3), weights(callbacks=[each])):
        np.testing.assert_array_equal(first, other)


def test_validation_split_and_data():
    model = linear()
    history = model.fit(X, Y, epochs=2, batch_size=8, validation_split=0.25, shuffle=True, verbose=0)
    assert set(history.history) == {"loss", "val_loss"}
    expected = model.evaluate(X[15:], Y[15:], verbose=0)
    assert history.history["val_loss"][-1] == pytest.approx(expected, rel=1e-5)
    data = (X[:5], Y[:5], np.full(5, 2.0))
    history = model.fit(X, Y, epochs=3, validation_data=data, validation_freq=2, verbose=0)
    assert len(history.history["val_loss"]) == 1
    weighted = model.evaluate(X[:5], Y[:5], sample_weight=np.full(5, 2.0), verbose=0)
    assert weighted == pytest.approx(2 * model.evaluate(X[:5], Y[:5], verbose=0), rel=1e-5)
    history = model.fit(X, Y, epochs=4, validation_data=data, validation_freq=[1, 4], verbose=0)
    assert len(history.history["val_loss"]) == 2


def test_steps_epochs_and_stop():
    model = linear()
    history = model.fit(X, Y, batch_size=4, epochs=5, initial_epoch=3, steps_per_epoch=2, verbose=0)
    assert history.epoch == [3, 4] and int(model.optimizer.iterations.numpy()) == 4

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = linear()
    history = model.fit(X, Y, batch_size=4, epochs=5, verbose=0, callbacks=[Stop()])
    assert history.epoch == [0] and int(model.optimizer.iterations.numpy()) == 2


class Batches(ph.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(index * 8, index * 8 + 8)
        return X[rows], Y[rows]


def batches():
    while True:
        for index in range(3):
            yield Batches()[index]


@pytest.mark.parametrize(
    "data", [lambda: Batches(), lambda: batches(), lambda: [Batches()[i] for i in range(3)].__iter__()]
)
def test_sources_of_batches_train_as_arrays_do(data):
    model, other = linear(), linear()
    other.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    history = model.fit(data(), steps_per_epoch=3, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])
    assert len(history.history["loss"]) == 1
    assert model.evaluate(Batches(), verbose=0) == pytest.approx(model.evaluate(X, Y, batch_size=8, verbose=0))
    np.testing.assert_array_equal(model.predict(Batches(), verbose=0), model.predict(X, batch_size=8, verbose=0))


def test_several_inputs_by_list_dict_and_name():
    a, b = ph.Input((2,), name="a"), ph.Input((3,), name="b")
    model = ph.Model([a, b], ph.layers.Dense(1)(ph.layers.Concatenate()([a, b])))
    model.compile("sgd", "mse")
    xa, xb, y = np.ones((9, 2)), np.ones((9, 3)), np.ones((9, 1))
    model.fit([xa, xb], y, verbose=0)
    model.fit({"a": xa, "b": xb}, y, verbose=0)
    by_list, by_dict = model.predict([xa, xb], verbose=0), model.predict({"b": xb, "a": xa}, verbose=0)
    np.testing.assert_array_equal(by_list, by_dict)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_predict_keeps_order_and_shape(run_eagerly):
    model = linear(run_eagerly)
    kernel, bias = model.get_weights()
    out = model.predict(X, batch_size=8, verbose=0)
    assert out.shape == (21, 1) and out.dtype == np.float32
    np.testing.assert_allclose(out, X @ kernel + bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.predict_on_batch(X[:3]), model.predict(X[:3], verbose=0))
    assert model.predict(X, batch_size=8, steps=1, verbose=0).shape == (8, 1)


def test_predict_without_compile_and_with_unbuilt_model():
    model = ph.Sequential([ph.layers.Dense(2), ph.layers.Dense(3)])
    assert model.predict(X, verbose=0).shape == (21, 3)
    assert model.built
    with pytest.raises(ValueError, match="compile"):
        model.fit(X, Y)


def test_on_batch_methods():
    model = linear(metrics=["mae"])
    loss, mae = model.test_on_batch(X[:8], Y[:8])
    error = model.predict(X[:8], verbose=0) - Y[:8]
    assert loss == pytest.approx((error**2).mean(), rel=1e-4) and mae == pytest.approx(np.abs(error).mean(), rel=1e-4)
    logs = model.train_on_batch(X[:8], Y[:8], return_dict=True)
    assert logs["loss"] == pytest.approx(loss) and set(logs) == {"loss", "mae"}
    assert model.test_on_batch(X[:8], Y[:8])[0] < loss
    assert model.train_on_batch(X[:8], Y[:8], sample_weight=np.zeros(8))[0] == 0
    with pytest.raises(ValueError, match="same time"):
        model.train_on_batch(X[:8], Y[:8], sample_weight=np.zeros(8), class_weight={0: 1.0})


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_overridden_train_and_test_step(run_eagerly):
    class Own(ph.Model):
        def __init__(self):
            super().__init__()
            self.dense = ph.layers.Dense(1)
            self.tracker = ph.metrics.Mean(name="own")

        @property
        def metrics(self):
            return [self.tracker]

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with ph.GradientTape() as tape:
                loss = ops.mean(ops.square(self(x) - y))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            self.tracker.update_state(loss)
            return {"own": self.tracker.result()}

        def test_step(self, data):
            x, y = data
            return {"last": ops.max(ops.abs(self(x) - y))}

    ph.utils.set_random_seed(0)
    model = Own()
    model.compile(ph.optimizers.SGD(0.1), run_eagerly=run_eagerly)
    history = model.fit(X[:20], Y[:20], batch_size=5, epochs=3, shuffle=False, verbose=0)
    losses = history.history["own"]
    assert len(losses) == 3 and losses[-1] < losses[0]
    error = np.abs(model.predict(X[:20], verbose=0) - Y[:20])
    assert model.evaluate(X[:20], Y[:20], batch_size=10, verbose=0) == pytest.approx(error[10:].max(), rel=1e-4)


def test_add_loss_regularizers_and_compute_loss():
    class Penalty(ph.layers.Layer):
        def call(self, x):
            self.add_loss(0.5 * ops.mean(ops.abs(x)))
            return x

    inputs = ph.Input((4,))
    outputs = ph.layers.Dense(1, kernel_regularizer=ph.regularizers.L2(0.1))(Penalty()(inputs))
    model = ph.Model(inputs, outputs)
    model.compile("sgd", "mse")
    kernel = model.get_weights()[0]
    error = model.predict(X, batch_size=21, verbose=0) - Y
    expected = (error**2).mean() + 0.5 * np.abs(X).mean() + 0.1 * (kernel**2).sum()
    assert model.evaluate(X, Y, batch_size=21, verbose=0) == pytest.approx(expected, rel=1e-4)

    class Own(ph.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return ops.mean(ops.abs(y_pred - y))

    own = Own([ph.Input((4,)), ph.layers.Dense(1)])
    own.compile("sgd")
    own.fit(X, Y, verbose=0)
    expected = np.abs(own.predict(X, verbose=0) - Y).mean()
    assert own.evaluate(X, Y, batch_size=21, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_frozen_layers_make_a_new_program():
    model = ph.Sequential([ph.Input((4,)), ph.layers.Dense(3), ph.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = False
    before = [w.copy() for w in model.get_weights()]
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert (before[2] != after[2]).any()


def test_programs_are_cached_and_the_cache_is_bounded(monkeypatch):
    from pronghorn.training import program

    model = linear()
    model.fit(X, Y, batch_size=8, epochs=3, verbose=0)
    assert len(model._program_cache._steps) == 2
    monkeypatch.setattr(program, "CACHE_SIZE", 3)
    with pytest.warns(UserWarning, match=r"different batch shapes.*\(5, 4\)") as caught:
        for size in range(4, 10):
            model.predict_on_batch(X[:size])
    assert len(caught) == 1 and len(model._program_cache._steps) == 3
    assert "dense" in model.program("predict").text() or model.program("predict").text()
    with pytest.raises(ValueError, match="'test'"):
        linear().program("test")


def test_float64_lists_and_tensors_as_data():
    model = linear()
    model.fit(X.astype("float64"), Y.astype("float64"), verbose=0, shuffle=False)
    other = linear()
    other.fit(ops.convert_to_tensor(X), Y.tolist(), verbose=0, shuffle=False)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])


ERRORS = [
    (lambda m: m.fit(X, Y[:5]), "x: 21; y: 5"),
    (lambda m: m.fit(X[:0], Y[:0]), "empty"),
    (lambda m: m.fit(X[:, :3], Y, verbose=0), "3"),
    (lambda m: m.fit(None), "x is missing"),
    (lambda m: m.fit(X, Y, batch_size=-1), "batch_size"),
    (lambda m: m.fit(X, Y, validation_split=2.0), "validation_split"),
    (lambda m: m.fit(X, Y, validation_data=(X, Y), validation_freq="often", verbose=0), "validation_freq"),
    (lambda m: m.predict(X[None], verbose=0), "4"),
    (lambda m: m.evaluate(X, verbose=0), "y is missing"),
    (lambda m: m.predict(np.array(["a"])), "numeric"),
]


@pytest.mark.parametrize("call, message", ERRORS)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call(linear())
