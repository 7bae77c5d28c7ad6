"""train_on_batch and its kin; steps, losses and metrics that users override."""

from __future__ import annotations

import numpy as np

from training_cases import case, data, dense_model, fill, outcome, two_outputs, two_targets

X, Y = data()
W = np.linspace(0.1, 2, 10).astype("float32")


@case
def single_batches(keras, folder):
    """Left out: inputs and targets of different lengths, at which Keras raises what its backend raises."""
    model = dense_model(keras)
    model.compile("sgd", "mse")
    found = [model.train_on_batch(X, Y), model.test_on_batch(X, Y), model.train_on_batch(X, Y, return_dict=True)]
    found.append([isinstance(model.train_on_batch(X, Y), list), isinstance(model.test_on_batch(X, Y), list)])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    for _ in range(2):
        found.append(model.train_on_batch(X, Y))
        found.append(model.train_on_batch(X[:4], Y[:4], sample_weight=W[:4]))
        found.append(model.test_on_batch(X[:4], Y[:4], return_dict=True))
        found.append(model.get_metrics_result())
    model.reset_metrics()
    found.append(model.get_metrics_result())
    found.append(model.test_on_batch(X, Y, W))
    found.append(outcome(lambda: model.train_on_batch(X, (Y > 0) * 1.0, class_weight={0: 1.0, 1: 3.0})))
    found.append(outcome(lambda: model.train_on_batch(X)))
    return found


@case
def single_batches_cumulate(keras, folder):
    model = dense_model(keras)
    model.compile("sgd", "mse", metrics=["mae"])
    found = [model.test_on_batch(X[:4], Y[:4]), model.test_on_batch(X[4:], Y[4:])]
    model.reset_metrics()
    return [*found, model.test_on_batch(X[4:], Y[4:])]


@case
def single_batches_of_two_outputs(keras, folder):
    x, a, b = two_targets()
    model = two_outputs(keras)
    model.compile("sgd", ["mse", "sparse_categorical_crossentropy"], metrics=[["mae"], ["accuracy"]])
    return [model.train_on_batch(x, [a, b]), model.test_on_batch(x, [a, b], return_dict=True), model.metrics_names]


@case
def own_compute_loss_and_metrics(keras, folder):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)
            self.tracker = keras.metrics.Mean(name="own")

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = keras.ops.mean(keras.ops.abs(y - y_pred)) + keras.ops.mean(x)
            self.tracker.update_state(loss)
            return loss

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**results, "twice": self.tracker.result() * 2}

    model = Own()
    model(X)
    fill(model).compile("sgd", metrics=["mse"])
    return [
        model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history,
        model.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True),
        model.evaluate(X, Y, batch_size=4, verbose=0),
        model.metrics_names,
    ]


@case
def own_test_step_and_predict_step(keras, folder):
    class Own(keras.Sequential):
        def predict_step(self, *args):
            return self(X[:2]) * 2 if keras.__name__ == "never" else super().predict_step(*args)

    model = Own([keras.Input((3,)), keras.layers.Dense(1)])
    return fill(model).predict(X, verbose=0)


@case
def own_metric_and_loss_classes(keras, folder):
    class Largest(keras.metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.value = self.add_weight(shape=(), initializer="zeros", name="value")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(keras.ops.maximum(self.value, keras.ops.max(keras.ops.abs(y_true - y_pred))))

        def result(self):
            return self.value + 0.0

    class Both(keras.metrics.Metric):
        def __init__(self, name="both", **kwargs):
            super().__init__(name=name, **kwargs)
            self.total = self.add_variable(shape=(), initializer="zeros", name="total")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(keras.ops.sum(y_pred))

        def result(self):
            return {"total": self.total + 0.0, "negative": -self.total}

    class Cubic(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)

    model = dense_model(keras)
    model.compile("sgd", Cubic(), metrics=[Largest(), Both(), "mae"])
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return [
        history.history,
        model.evaluate(X, Y, verbose=0, return_dict=True),
        outcome(lambda: model.evaluate(X, Y, verbose=0)),
    ]


@case
def stateless_metrics(keras, folder):
    metric = keras.metrics.MeanSquaredError()
    state = metric.stateless_reset_state()
    state = metric.stateless_update_state(state, Y[:3], Y[3:6])
    return [[v.shape == () for v in state], metric.stateless_result(state), metric.result()]
