"""fit, evaluate and predict with arrays."""

from __future__ import annotations

import numpy as np

from training_cases import case, data, dense_model, fill, outcome, printed, warned

X, Y = data()
VAL_X, VAL_Y = data(6, seed=3)
CLASSES = np.arange(10) % 3
WEIGHTS = np.linspace(0.1, 2, 10).astype("float32")


def _model(keras, **options):
    model = dense_model(keras)
    model.compile(**{"optimizer": "sgd", "loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mse"], **options})
    return model


def _fit(keras, *args, **options):
    model = _model(keras)
    history = model.fit(*args, **{"shuffle": False, "verbose": 0, "batch_size": 4, **options})
    return [history.history, history.epoch, int(model.optimizer.iterations), model.get_weights()[-1]]


@case
def batch_sizes(keras, folder):
    """Left out: 0, which Keras takes for 32, and negative sizes, which end in a StopIteration there."""
    return {str(size): outcome(lambda size=size: _fit(keras, X, Y, batch_size=size, epochs=2))
            for size in (1, 3, 4, 10, 64, None)}  # fmt: skip


@case
def sample_weights(keras, folder):
    forms = {"flat": WEIGHTS, "column": WEIGHTS[:, None], "ints": np.arange(10), "wrong": WEIGHTS[:3],
             "list": [WEIGHTS], "bool": WEIGHTS > 1}  # fmt: skip
    return {name: outcome(lambda w=w: _fit(keras, X, Y, sample_weight=w)) for name, w in forms.items()}


@case
def class_weights(keras, folder):
    def run(y, loss, class_weight, **options):
        model = dense_model(keras, outputs=3, activation="softmax")
        model.compile("sgd", loss, metrics=["accuracy"], weighted_metrics=["accuracy"])
        return model.fit(X, y, batch_size=4, shuffle=False, verbose=0, class_weight=class_weight, **options).history

    sparse, one_hot = "sparse_categorical_crossentropy", "categorical_crossentropy"
    return [
        outcome(lambda: run(CLASSES, sparse, {0: 0.5, 1: 2.0, 2: 1.0})),
        outcome(lambda: run(CLASSES[:, None], sparse, {0: 0.5, 2: 3})),
        outcome(lambda: run(np.eye(3)[CLASSES], one_hot, {1: 2.5})),
        outcome(lambda: run(CLASSES, sparse, {1: 2.5}, sample_weight=WEIGHTS)),
        outcome(lambda: run(CLASSES, sparse, {1: 2.5}, validation_split=0.3)),
    ]


@case
def validation(keras, folder):
    """Left out: a negative split, which Keras ignores; several epochs with validation_steps, where Keras goes on with
    the next rows although it documents that every validation uses the same; several epochs with a generator, whose
    first batches Keras gives out a second time."""
    weights = np.linspace(0, 1, 6).astype("float32")

    def batches():
        for start in (0, 2, 4):
            yield VAL_X[start : start + 2], VAL_Y[start : start + 2]

    def endless():
        while True:
            yield from batches()

    forms = {
        "split": {"validation_split": 0.25},
        "split with weights": {"validation_split": 0.25, "sample_weight": WEIGHTS},
        "split 0.5 odd": {"validation_split": 0.55},
        "pair": {"validation_data": (VAL_X, VAL_Y)},
        "list": {"validation_data": [VAL_X, VAL_Y]},
        "triple": {"validation_data": (VAL_X, VAL_Y, weights)},
        "endless": {"validation_data": endless(), "validation_steps": 3, "epochs": 1},
        "steps": {"validation_data": (VAL_X, VAL_Y), "validation_steps": 1, "epochs": 1},
        "batch size": {"validation_data": (VAL_X, VAL_Y), "validation_batch_size": 5},
        "every 2": {"validation_data": (VAL_X, VAL_Y), "validation_freq": 2, "epochs": 5},
        "in some": {"validation_data": (VAL_X, VAL_Y), "validation_freq": [1, 3], "epochs": 4},
        "split 1": {"validation_split": 1.0},
        "both": {"validation_split": 0.25, "validation_data": (VAL_X, VAL_Y)},
    }
    return {name: outcome(lambda f=f: _fit(keras, X, Y, **{"epochs": 2, **f})) for name, f in forms.items()}


@case
def steps_and_epochs(keras, folder):
    """Left out: epochs that the data does not divide into, of which Keras cuts the last one short with a warning;
    Pronghorn starts with the data again."""
    forms = {
        "initial epoch": {"epochs": 4, "initial_epoch": 2},
        "nothing to do": {"epochs": 1, "initial_epoch": 3},
        "0 epochs": {"epochs": 0},
        "fewer steps": {"epochs": 1, "steps_per_epoch": 2},
        "one step": {"epochs": 3, "steps_per_epoch": 1},
        "all steps": {"epochs": 2, "steps_per_epoch": 3},
    }
    return {name: outcome(lambda f=f: _fit(keras, X, Y, **f)) for name, f in forms.items()}


@case
def fitting_twice_goes_on(keras, folder):
    model = _model(keras, optimizer=keras.optimizers.Adam(0.1))
    first = model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    second = model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    return [first.history, second.history, second.epoch, int(model.optimizer.iterations), first is second,
            model.history is second, sorted(second.params)]  # fmt: skip


@case
def evaluating(keras, folder):
    model = _model(keras)
    return {
        "list": model.evaluate(X, Y, batch_size=4, verbose=0),
        "dict": model.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True),
        "weights": model.evaluate(X, Y, batch_size=4, verbose=0, sample_weight=WEIGHTS),
        "steps": model.evaluate(X, Y, batch_size=4, verbose=0, steps=1),
        "before fit": model.metrics_names,
        "no y": outcome(lambda: model.evaluate(X, verbose=0)),
        "loss only": outcome(lambda: _loss_only(keras)),
    }


def _loss_only(keras):
    model = dense_model(keras)
    model.compile("sgd", "mse")
    result = model.evaluate(X, Y, verbose=0)
    return [isinstance(result, float), result]


@case
def predicting(keras, folder):
    """A model at which predict failed is used no more: with JAX its weights are gone."""
    model = _model(keras)

    def batches():
        yield (X[:4],)
        yield (X[4:8],)
        yield (X[8:],)

    return {
        "array": model.predict(X, batch_size=4, verbose=0),
        "generator": model.predict(batches(), verbose=0),
        "steps": model.predict(X, batch_size=4, steps=2, verbose=0),
        "list": outcome(lambda: model.predict([X], verbose=0)),
        "wrong width": outcome(lambda: _model(keras).predict(np.ones((2, 5)), verbose=0)),
        "one sample": outcome(lambda: _model(keras).predict(np.ones(3), verbose=0)),
        "on batch": model.predict_on_batch(X[:2]),
        "dtype": str(model.predict(X, verbose=0).dtype),
    }


@case
def kinds_of_numbers(keras, folder):
    """Left out: nested lists of numbers, which only Pronghorn takes; no rows at all, a StopIteration in Keras and a
    ValueError here."""
    ints = (X * 4).astype("int64")
    forms = {
        "float64": (X.astype("float64"), Y.astype("float64")),
        "int64": (ints, Y),
        "int targets": (X, (Y * 3).astype("int32")),
        "uint8": (ints.astype("uint8"), Y),
        "bool": (X > 0, Y),
        "flat targets": (X, Y[:, 0]),
        "float16": (X.astype("float16"), Y),
        "list of arrays": (list(X), Y),
        "strings": (X, np.array(["a"] * 10)),
        "tensors": (keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(Y)),
    }
    return {name: outcome(lambda f=f: _fit(keras, *f)) for name, f in forms.items()}


@case
def not_a_number(keras, folder):
    x = X.copy()
    x[7] = np.nan
    model = _model(keras)
    history = model.fit(x, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    return {name: [str(value) for value in values] for name, values in history.items() if np.isnan(values).all()}


@case
def inputs_by_list_and_dict(keras, folder):
    x, _ = data(10, 2, seed=8)
    a, b = keras.Input((3,), name="first"), keras.Input((2,), name="second")

    def run(inputs, given):
        model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()([a, b])))
        fill(model).compile("sgd", "mse")
        history = model.fit(given, Y, batch_size=4, epochs=2, shuffle=False, verbose=0, validation_split=0.2)
        return [history.history, model.predict(given, verbose=0), model.evaluate(given, Y, verbose=0)]

    forms = {
        "list": ([a, b], [X, x]),
        "tuple": ([a, b], (X, x)),
        "dict to list": ([a, b], {"first": X, "second": x}),
        "dict": ({"first": a, "second": b}, {"first": X, "second": x}),
        "other keys": ({"p": a, "q": b}, {"p": X, "q": x}),
        "dict of tensors by names": ({"p": a, "q": b}, {"first": X, "second": x}),
        "more keys": ([a, b], {"first": X, "second": x, "third": x}),
        "too few": ([a, b], [X]),
        "too many": ([a, b], [X, x, x]),
    }
    return {name: outcome(lambda f=f: warned(lambda: run(*f))["result"]) for name, f in forms.items()}


@case
def dict_to_a_single_input(keras, folder):
    x = keras.Input((3,), name="x")
    model = fill(keras.Model(x, keras.layers.Dense(1)(x)))
    return outcome(lambda: model.predict({"x": X}, verbose=0))


@case
def dropout_and_batch_normalization_tell_training_from_inference(keras, folder):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization(),
                              keras.layers.Dropout(0.0), keras.layers.Dense(1)])  # fmt: skip
    rng = np.random.default_rng(2)
    model.set_weights([np.abs(rng.normal(size=w.shape)).astype("float32") for w in model.get_weights()])
    model.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=5, epochs=3, shuffle=False, verbose=0, validation_data=(VAL_X, VAL_Y))
    return [history.history, model.get_weights(), model(X[:2], training=True), model(X[:2])]


@case
def printed_lines(keras, folder):
    model = _model(keras)
    model.fit(X, Y, verbose=0)
    fixed = {"shuffle": False, "batch_size": 4}
    runs = {
        "fit 0": lambda: model.fit(X, Y, verbose=0, **fixed),
        "fit 2": lambda: model.fit(X, Y, verbose=2, epochs=2, **fixed),
        "fit 2, one epoch": lambda: model.fit(X, Y, verbose=2, **fixed),
        "fit 2, validation": lambda: model.fit(X, Y, verbose=2, validation_data=(VAL_X, VAL_Y), **fixed),
        "evaluate 2": lambda: model.evaluate(X, Y, verbose=2, batch_size=4),
        "predict 2": lambda: model.predict(X, verbose=2, batch_size=4),
        "fit, many steps": lambda: model.fit(X, Y, verbose=2, batch_size=1, shuffle=False),
    }
    return {name: printed(run) for name, run in runs.items()}


@case
def last_printed_line_of_a_bar(keras, folder):
    model = _model(keras)
    model.fit(X, Y, verbose=0)
    fixed = {"shuffle": False, "batch_size": 4}
    runs = {
        "1": lambda: model.fit(X, Y, verbose=1, **fixed),
        "auto": lambda: model.fit(X, Y, verbose="auto", validation_split=0.2, **fixed),
        "epochs": lambda: model.fit(X, Y, epochs=2, **fixed),
        "evaluate": lambda: model.evaluate(X, Y),
        "predict": lambda: model.predict(X),
    }
    return {name: printed(run)[-1].strip() for name, run in runs.items()}
