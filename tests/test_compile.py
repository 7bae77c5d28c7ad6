"""compile(): every argument by name, object, function, list and dict."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import losses, metrics, ops, optimizers

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
CLASSES = np.arange(12) % 3
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
BINARY = (np.arange(12) % 2).astype("float32")[:, None]


def classifier(units=3, activation="softmax"):
    ph.utils.set_random_seed(0)
    return ph.Sequential([ph.Input((4,)), ph.layers.Dense(units, activation=activation)])


def two_outputs():
    ph.utils.set_random_seed(0)
    inputs = ph.Input((4,))
    a = ph.layers.Dense(1, name="a")(inputs)
    b = ph.layers.Dense(3, activation="softmax", name="b")(inputs)
    return ph.Model(inputs, [a, b])


def evaluate(model, y, x=X, **options):
    return model.evaluate(x, y, verbose=0, return_dict=True, **options)


@pytest.mark.parametrize("optimizer", ["sgd", "SGD", optimizers.SGD(0.01), optimizers.SGD])
def test_optimizer_by_name_object_and_class(optimizer):
    model = classifier()
    try:
        model.compile(optimizer, "sparse_categorical_crossentropy")
    except ValueError:
        assert isinstance(optimizer, type)
        return
    assert isinstance(model.optimizer, optimizers.SGD)


def test_defaults():
    model = classifier()
    model.compile()
    assert isinstance(model.optimizer, optimizers.RMSprop) and model.loss is None
    with pytest.raises(ValueError, match="no loss"):
        model.fit(X, CLASSES, verbose=0)


@pytest.mark.parametrize(
    "loss",
    [
        "sparse_categorical_crossentropy",
        losses.SparseCategoricalCrossentropy(),
        losses.sparse_categorical_crossentropy,
        ["sparse_categorical_crossentropy"],
        "crossentropy",
        lambda y_true, y_pred: losses.sparse_categorical_crossentropy(y_true, y_pred),
    ],
)
def test_loss_forms(loss):
    model = classifier()
    model.compile("sgd", loss)
    predicted = model.predict(X, verbose=0)
    expected = -np.log(predicted[np.arange(12), CLASSES]).mean()
    assert evaluate(model, CLASSES)["loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["accuracy", "acc"])
@pytest.mark.parametrize(
    "y, units, activation, loss",
    [
        (CLASSES, 3, "softmax", "sparse_categorical_crossentropy"),
        (CLASSES[:, None], 3, "softmax", "sparse_categorical_crossentropy"),
        (ONE_HOT, 3, "softmax", "categorical_crossentropy"),
        (BINARY, 1, "sigmoid", "binary_crossentropy"),
    ],
)
def test_accuracy_is_chosen_by_shape(name, y, units, activation, loss):
    model = classifier(units, activation)
    model.compile("sgd", loss, metrics=[name])
    predicted = model.predict(X, verbose=0)
    if units == 1:
        expected = ((predicted > 0.5) == y).mean()
    else:
        expected = (predicted.argmax(-1) == CLASSES).mean()
    logs = evaluate(model, y)
    assert set(logs) == {"loss", name} and logs[name] == pytest.approx(expected)


def test_metric_forms_and_names():
    def largest(y_true, y_pred):
        return ops.max(y_pred, axis=-1)

    ph.backend.clear_session()  # so that the metric is called "recall"
    model = classifier()
    given = ["mae", metrics.MeanSquaredError(name="squares"), largest, "CategoricalAccuracy", metrics.Recall()]
    model.compile("sgd", "mse", metrics=given)
    logs = evaluate(model, ONE_HOT)
    assert set(logs) == {"loss", "mae", "squares", "largest", "CategoricalAccuracy", "recall"}
    predicted = model.predict(X, verbose=0)
    assert logs["mae"] == pytest.approx(np.abs(predicted - ONE_HOT).mean(), rel=1e-5)
    assert logs["squares"] == pytest.approx(logs["loss"], rel=1e-5)
    assert logs["largest"] == pytest.approx(predicted.max(-1).mean(), rel=1e-5)


def test_same_metric_twice_gets_numbers():
    model = classifier()
    model.compile("sgd", "mse", metrics=["mae", "mae"], weighted_metrics=["mae"])
    assert set(evaluate(model, ONE_HOT)) == {"loss", "mae", "mae_1", "weighted_mae"}


def test_weighted_metrics_use_the_weights():
    model = classifier()
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    weights = np.linspace(0, 1, 12).astype("float32")
    logs = evaluate(model, ONE_HOT, sample_weight=weights)
    predicted = model.predict(X, verbose=0)
    rows = ((predicted - ONE_HOT) ** 2).mean(axis=-1)
    assert logs["mse"] == pytest.approx((rows * weights).sum() / weights.sum(), rel=1e-5)
    assert logs["loss"] == pytest.approx((rows * weights).mean(), rel=1e-5)
    assert logs["mae"] == pytest.approx(np.abs(predicted - ONE_HOT).mean(), rel=1e-5)


TWO = {
    "list": (["mse", "sparse_categorical_crossentropy"], [0.5, 2.0]),
    "dict": ({"a": "mse", "b": "sparse_categorical_crossentropy"}, {"a": 0.5, "b": 2.0}),
}


@pytest.mark.parametrize("form", TWO)
@pytest.mark.parametrize("y_form", ["list", "dict"])
def test_two_outputs(form, y_form):
    model = two_outputs()
    loss, weights = TWO[form]
    model.compile("sgd", loss, loss_weights=weights, metrics={"a": "mae", "b": ["accuracy"]})
    y = [BINARY, CLASSES] if y_form == "list" else {"b": CLASSES, "a": BINARY}
    logs = evaluate(model, y)
    assert set(logs) == {"loss", "a_loss", "b_loss", "a_mae", "b_accuracy"}
    a, b = model.predict(X, verbose=0)
    assert logs["a_loss"] == pytest.approx(((a - BINARY) ** 2).mean(), rel=1e-5)
    assert logs["b_loss"] == pytest.approx(-np.log(b[np.arange(12), CLASSES]).mean(), rel=1e-4)
    assert logs["loss"] == pytest.approx(0.5 * logs["a_loss"] + 2 * logs["b_loss"], rel=1e-5)
    assert logs["a_mae"] == pytest.approx(np.abs(a - BINARY).mean(), rel=1e-5)
    history = model.fit(X, y, verbose=0).history
    assert set(history) == set(logs)


def test_two_outputs_metrics_list_and_one_loss_for_both():
    model = two_outputs()
    model.compile("sgd", "mse", metrics=[["mae"], ["mse"]])
    assert set(evaluate(model, [BINARY, ONE_HOT])) == {"loss", "a_loss", "b_loss", "a_mae", "b_mse"}
    assert len(model.evaluate(X, [BINARY, ONE_HOT], verbose=0)) == 5


def test_output_without_loss():
    model = two_outputs()
    model.compile("sgd", {"b": "sparse_categorical_crossentropy"})
    assert set(evaluate(model, {"b": CLASSES})) == {"loss"}
    model.compile("sgd", [None, "sparse_categorical_crossentropy"])
    model.fit(X, [BINARY, CLASSES], verbose=0)


def test_dict_outputs():
    inputs = ph.Input((4,))
    model = ph.Model(inputs, {"y1": ph.layers.Dense(1)(inputs), "y2": ph.layers.Dense(3)(inputs)})
    model.compile("sgd", {"y1": "mse", "y2": "mae"}, metrics={"y2": ["mse"]})
    logs = evaluate(model, {"y1": BINARY, "y2": ONE_HOT})
    assert set(logs) == {"loss", "y1_loss", "y2_loss", "y2_mse"}
    assert set(model.predict(X, verbose=0)) == {"y1", "y2"}


def compile_two(**options):
    model = two_outputs()
    model.compile("sgd", **{"loss": "mse", **options})
    model.fit(X, [BINARY, ONE_HOT], verbose=0)


ERRORS = [
    ({"loss": ["mse", "mse", "mse"]}, "one entry per output"),
    ({"loss": {"a": "mse", "c": "mse"}}, "'c'"),
    ({"loss": "no such loss"}, "no such loss"),
    ({"loss_weights": [1.0, 2.0, 3.0]}, "2 outputs"),
    ({"loss_weights": "heavy"}, "loss_weights must be numbers"),
    ({"loss_weights": {"c": 1.0}}, "'c'"),
    ({"metrics": "mae"}, "metrics must be a list"),
    ({"metrics": ["mae"]}, "one entry per output"),
    ({"metrics": {"c": ["mae"]}}, "'c'"),
    ({"metrics": [["no such metric"], None]}, "no such metric"),
    ({"steps_per_execution": 0}, "steps_per_execution"),
]


@pytest.mark.parametrize("options, message", ERRORS)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        compile_two(**options)


def test_missing_or_wrong_targets():
    model = two_outputs()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="y is missing"):
        model.fit(X, verbose=0)
    with pytest.raises(ValueError, match="y has 3 parts"):
        model.fit(X, [BINARY, BINARY, BINARY], verbose=0)
    with pytest.raises(ValueError, match="keys"):
        model.fit(X, {"a": BINARY, "z": BINARY}, verbose=0)
    with pytest.raises(ValueError, match="optimizer"):
        model.compile("no such optimizer")


def test_compile_config_round_trip():
    model = classifier()
    model.compile(optimizers.SGD(0.125), "categorical_crossentropy", metrics=["accuracy"], loss_weights=0.5)
    other = classifier()
    other.compile_from_config(model.get_compile_config())
    assert float(other.optimizer.learning_rate) == 0.125
    assert evaluate(other, ONE_HOT) == evaluate(model, ONE_HOT)
    assert classifier().get_compile_config() == {}


def test_metrics_property_and_names():
    model = classifier()
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.metrics_names == ["loss", "compile_metrics"]
    evaluate(model, ONE_HOT)
    assert model.evaluate(X, ONE_HOT, verbose=0) == list(evaluate(model, ONE_HOT).values())
    model.reset_metrics()
    assert float(model.metrics[0].result()) == 0.0
    assert [v.path for v in model.weights] == [v.path for v in classifier().weights] or len(model.weights) == 2


def test_functions_are_metrics_under_their_names_in_snake_case():
    def meanOfAll(y_true, y_pred):
        return ops.mean(y_pred)

    model = classifier()
    model.compile("sgd", "mse", metrics=[meanOfAll, lambda y_true, y_pred: ops.max(y_pred)])
    history = model.fit(X, ONE_HOT, verbose=0).history
    assert sorted(history) == ["lambda", "loss", "mean_of_all"]
