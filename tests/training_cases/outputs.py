"""compile() and fit() with several outputs."""

from __future__ import annotations

import numpy as np

from training_cases import case, fill, outcome, two_outputs, two_targets

X, A, B = two_targets()
SCCE = "sparse_categorical_crossentropy"


def _trained(keras, y, as_dict=False, sample_weight=None, optimizer="sgd", **options):
    model = two_outputs(keras, as_dict)
    model.compile(optimizer, **options)
    fitted = model.fit(X, y, batch_size=4, epochs=2, shuffle=False, verbose=0, sample_weight=sample_weight)
    return {
        "history": fitted.history,
        "evaluate": model.evaluate(X, y, batch_size=4, verbose=0, sample_weight=sample_weight),
        "dict": model.evaluate(X, y, batch_size=4, verbose=0, return_dict=True, sample_weight=sample_weight),
        "names": model.metrics_names,
    }


@case
def losses_of_two_outputs(keras, folder):
    """Left out: too short a list of losses, which Keras takes and Pronghorn refuses; a dict with the losses of some
    of the outputs for a model that returns a list, the other way round."""
    as_list, as_dict = [A, B], {"a": A, "b": B}
    forms = {
        "list": (as_list, False, ["mse", SCCE]),
        "dict": (as_dict, False, {"a": "mse", "b": SCCE}),
        "dict of losses, list of y": (as_list, False, {"a": "mse", "b": SCCE}),
        "list of losses, dict of y": (as_dict, False, ["mse", SCCE]),
        "dict outputs": (as_dict, True, {"a": "mse", "b": SCCE}),
        "dict outputs in another order": ({"b": B, "a": A}, True, {"b": SCCE, "a": "mse"}),
        "partial dict outputs": (as_dict, True, {"b": SCCE}),
        "None in list": (as_list, False, ["mse", None]),
        "None in dict": (as_dict, False, {"a": None, "b": SCCE}),
        "tuple": ((A, B), False, ("mse", SCCE)),
        "objects": (as_list, False, [keras.losses.MeanSquaredError(), keras.losses.SparseCategoricalCrossentropy()]),
        "named": (as_list, False, [keras.losses.MeanSquaredError(name="mine"), SCCE]),
        "unknown key": (as_dict, False, {"a": "mse", "c": SCCE}),
        "one for both": ([A, A], False, "mse"),
    }
    return {name: outcome(lambda f=form: _trained(keras, f[0], f[1], loss=f[2])) for name, form in forms.items()}


@case
def metrics_of_two_outputs(keras, folder):
    y, loss = {"a": A, "b": B}, {"a": "mse", "b": SCCE}
    forms = {
        "dict": {"a": ["mae", "mse"], "b": ["accuracy"]},
        "dict of names": {"a": "mae", "b": "acc"},
        "partial": {"b": ["accuracy"]},
        "list of lists": [["mae"], ["accuracy"]],
        "list with None": [None, ["accuracy"]],
        "list of names": ["mae", "accuracy"],
        "same name": {"a": [keras.metrics.MeanMetricWrapper(keras.losses.mean_absolute_error, name="m")],
                      "b": [keras.metrics.SparseCategoricalAccuracy(name="m")]},
        "unknown key": {"c": ["mae"]},
        "flat": ["mae"],
    }  # fmt: skip
    found = {name: outcome(lambda m=m: _trained(keras, y, loss=loss, metrics=m)) for name, m in forms.items()}
    found["weighted"] = _trained(keras, y, loss=loss, metrics={"a": ["mae"]}, weighted_metrics={"a": ["mae"],
                                 "b": ["accuracy"]})  # fmt: skip
    found["dict outputs"] = _trained(keras, y, True, loss=loss, metrics={"a": ["mae"], "b": ["accuracy"]})
    return found


@case
def loss_weights_of_two_outputs(keras, folder):
    """Left out: one number for all outputs and a dict of some, which only Pronghorn takes."""
    y, loss = {"a": A, "b": B}, {"a": "mse", "b": SCCE}
    forms = {"dict": {"a": 0.3, "b": 2.0}, "list": [0.3, 2.0], "short": [1.0]}
    found = {name: outcome(lambda w=w: _trained(keras, y, loss=loss, loss_weights=w)) for name, w in forms.items()}
    found["lists"] = _trained(keras, [A, B], loss=["mse", SCCE], loss_weights=[0.3, 2.0])
    found["list and dict"] = outcome(
        lambda: _trained(keras, [A, B], loss=["mse", SCCE], loss_weights={"a": 0.3, "b": 2})
    )
    return found


@case
def sample_weights_of_two_outputs(keras, folder):
    """Left out: one set of weights for all outputs, and dicts for a model that returns a list; only Pronghorn takes
    them."""
    w, v = np.linspace(0, 1, 10).astype("float32"), np.linspace(2, 1, 10).astype("float32")
    loss, metrics = {"a": "mse", "b": SCCE}, {"a": ["mae"], "b": ["accuracy"]}
    options = {"loss": loss, "weighted_metrics": metrics}
    return {
        "dict": outcome(lambda: _trained(keras, {"a": A, "b": B}, True, {"a": w, "b": v}, **options)),
        "list": outcome(lambda: _trained(keras, [A, B], False, [w, v], **options)),
        "partial": outcome(lambda: _trained(keras, {"a": A, "b": B}, True, {"a": w}, **options)),
    }


@case
def predictions_of_two_outputs(keras, folder):
    nested = keras.Input((3,))
    heads = [keras.layers.Dense(1)(nested), [keras.layers.Dense(2)(nested)]]
    return [
        two_outputs(keras).predict(X, batch_size=4, verbose=0),
        two_outputs(keras, True).predict(X, batch_size=4, verbose=0),
        fill(keras.Model(nested, heads)).predict(X, batch_size=4, verbose=0),
        two_outputs(keras).predict_on_batch(X[:2]),
    ]


@case
def class_weight_with_two_outputs(keras, folder):
    model = two_outputs(keras)
    model.compile("sgd", ["mse", SCCE])
    return outcome(lambda: model.fit(X, [A, B], class_weight={0: 2.0}, verbose=0).history)


@case
def wrong_targets(keras, folder):
    model = two_outputs(keras)
    model.compile("sgd", {"a": "mse", "b": SCCE})
    return {
        "missing": outcome(lambda: model.fit(X, verbose=0).history),
        "one of two": outcome(lambda: model.fit(X, [A], verbose=0).history),
        "wrong key": outcome(lambda: model.fit(X, {"a": A, "c": B}, verbose=0).history),
        "lengths": outcome(lambda: model.fit(X, {"a": A, "b": B[:3]}, verbose=0).history),
    }
