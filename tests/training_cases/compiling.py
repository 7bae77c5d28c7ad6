"""compile(): forms of its arguments for models with one output."""

from __future__ import annotations

import numpy as np

from training_cases import case, data, dense_model, fill, outcome

X, Y = data()
BITS = (Y > 0).astype("float32")
CLASSES = np.arange(10) % 3
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]


def _trained(keras, y, outputs=1, activation=None, fit=None, **options):
    model = dense_model(keras, outputs=outputs, activation=activation)
    model.compile(**{"optimizer": "sgd", "loss": "mse", **options})
    history = model.fit(X, y, batch_size=4, epochs=2, shuffle=False, verbose=0, **(fit or {}))
    return {
        "history": history.history,
        "evaluate": model.evaluate(X, y, batch_size=4, verbose=0),
        "dict": model.evaluate(X, y, batch_size=4, verbose=0, return_dict=True),
        "names": model.metrics_names,
        "metrics": [metric.name for metric in model.metrics],
    }


@case
def loss_by_every_form(keras, folder):
    forms = {
        "name": "mean_squared_error",
        "object": keras.losses.MeanSquaredError(),
        "function": keras.losses.mean_squared_error,
        "users function": lambda y, p: keras.ops.mean(keras.ops.abs(y - p), axis=-1),
        "list": ["mse"],
        "Huber": keras.losses.Huber(delta=0.3),
        "reduction sum": keras.losses.MeanSquaredError(reduction="sum"),
        "scalar function": lambda y, p: keras.ops.mean(keras.ops.square(y - p)),
    }
    return {name: outcome(lambda loss=loss: _trained(keras, Y, loss=loss)) for name, loss in forms.items()}


@case
def optimizer_by_every_form(keras, folder):
    forms = {
        "name": "rmsprop",
        "upper": "Adam",
        "object": keras.optimizers.SGD(0.3, momentum=0.9),
        "config": {"class_name": "SGD", "config": {"learning_rate": 0.3}},
        "unknown": "nothing",
        "number": 3,
    }
    return {name: outcome(lambda o=o: _trained(keras, Y, optimizer=o)) for name, o in forms.items()}


@case
def metrics_by_every_form(keras, folder):
    def own(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

    forms = {
        "names": ["mae", "mse"],
        "long names": ["mean_absolute_error", "MeanSquaredError", "RootMeanSquaredError"],
        "object": [keras.metrics.MeanAbsoluteError(name="distance")],
        "function": [own, keras.losses.mean_absolute_error],
        "nested": [["mae", "mse"]],
        "twice": ["mae", "mae"],
        "string": "mae",
        "tuple": ("mae",),
        "dict": {"dense": ["mae"]},
        "empty": [],
        "unknown": ["nothing"],
        "number": [3],
        "loss object": [keras.losses.MeanAbsoluteError()],
        "class": [keras.metrics.MeanAbsoluteError],
    }
    return {name: outcome(lambda m=m: _trained(keras, Y, metrics=m)) for name, m in forms.items()}


@case
def weighted_metrics(keras, folder):
    weights = np.linspace(0.1, 2, 10).astype("float32")
    return [
        _trained(keras, Y, metrics=["mae"], weighted_metrics=["mae", "mse"]),
        _trained(keras, Y, metrics=["mae"], weighted_metrics=["mae", "mse"], fit={"sample_weight": weights}),
        _trained(keras, Y, weighted_metrics=[], fit={"sample_weight": weights}),
        _trained(keras, BITS, loss="binary_crossentropy", activation="sigmoid", weighted_metrics=["acc"],
                 fit={"class_weight": {0: 1.0, 1: 3.0}}),
    ]  # fmt: skip


@case
def accuracy_and_crossentropy_fit_the_shapes(keras, folder):
    found = {}
    for name in ("accuracy", "acc", "crossentropy", "ce"):
        found[f"binary {name}"] = outcome(
            lambda name=name: _trained(keras, BITS, 1, "sigmoid", loss="binary_crossentropy", metrics=[name])
        )
        for kind, y in (("one hot", ONE_HOT), ("sparse", CLASSES), ("column", CLASSES[:, None])):
            loss = "categorical_crossentropy" if kind == "one hot" else "sparse_categorical_crossentropy"
            found[f"{kind} {name}"] = outcome(
                lambda y=y, loss=loss, name=name: _trained(keras, y, 3, "softmax", loss=loss, metrics=[name])
            )
    found["flat bits"] = _trained(keras, BITS[:, 0], activation="sigmoid", loss="binary_crossentropy", metrics=["acc"])
    found["many bits"] = _trained(keras, ONE_HOT, 3, "sigmoid", loss="binary_crossentropy", metrics=["accuracy"])
    for name in ("crossentropy", "ce"):
        found[f"loss {name}"] = outcome(lambda name=name: _trained(keras, ONE_HOT, 3, "softmax", loss=name))
        found[f"sparse loss {name}"] = outcome(lambda name=name: _trained(keras, CLASSES, 3, "softmax", loss=name))
        found[f"binary loss {name}"] = outcome(lambda name=name: _trained(keras, BITS, 1, "sigmoid", loss=name))
    return found


@case
def loss_weights_of_one_output(keras, folder):
    return {
        str(weights): outcome(lambda weights=weights: _trained(keras, Y, loss_weights=weights))
        for weights in (0.5, [0.5], {"dense": 0.5}, {"dense_1": 0.5}, "half", [1.0, 2.0])
    }


@case
def other_compile_options(keras, folder):
    return {
        "eager": _trained(keras, Y, run_eagerly=True, metrics=["mae"]),
        "steps": _trained(keras, Y, steps_per_execution=2, metrics=["mae"]),
        "scale": _trained(keras, Y, auto_scale_loss=False),
        "jit": _trained(keras, Y, jit_compile=True),
        "both": outcome(lambda: _trained(keras, Y, jit_compile=True, run_eagerly=True)),
        "unknown": outcome(lambda: _trained(keras, Y, anything=True)),
        "0 steps": outcome(lambda: _trained(keras, Y, steps_per_execution=0)),
    }


@case
def add_loss_alone_and_besides(keras, folder):
    class Pull(keras.layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * keras.ops.sum(keras.ops.square(x)))
            self.add_loss(keras.ops.mean(x))
            return x

    def run(loss):
        x = keras.Input((3,))
        model = fill(keras.Model(x, keras.layers.Dense(1, kernel_regularizer="l2")(Pull()(keras.layers.Dense(2)(x)))))
        model.compile("sgd", loss, metrics=None if loss is None else ["mae"])
        y = None if loss is None else Y
        history = model.fit(X, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        return [history.history, model.evaluate(X, y, verbose=0), len(model.losses)]

    return [run(None), run("mse")]


@case
def not_compiled(keras, folder):
    return [
        outcome(lambda: dense_model(keras).fit(X, Y, verbose=0)),
        outcome(lambda: dense_model(keras).evaluate(X, Y, verbose=0)),
    ]


@case
def recompiling_after_freezing(keras, folder):
    model = dense_model(keras)
    model.compile("sgd", "mse")
    found = [model.fit(X, Y, shuffle=False, verbose=0).history]
    model.layers[0].trainable = False
    found.append([len(model.trainable_weights), len(model.non_trainable_weights)])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    found.append(model.fit(X, Y, shuffle=False, epochs=2, verbose=0).history)
    found.append(model.get_weights())
    model.trainable = False
    model.compile("sgd", "mse", metrics=["mae"])
    found.append(len(model.trainable_weights))
    found.append(model.evaluate(X, Y, verbose=0))
    return found


@case
def regularizers_and_constraints_in_training(keras, folder):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02), activity_regularizer="l2"),
            keras.layers.Dense(1, kernel_constraint="non_neg", bias_regularizer="l1"),
        ]
    )
    fill(model).compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    return [history, model.get_weights(), model.evaluate(X, Y, batch_size=4, verbose=0)]
