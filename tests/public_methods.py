"""One valid call of every method that users call on models, layers, optimizers, metrics, variables and tapes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import pronghorn as ph
from pronghorn import layers

X = np.linspace(0, 1, 12, dtype="float32").reshape(4, 3)
LABELS = np.array([0, 1, 1, 0], "int32")
WEIGHTS = "shared_model.weights.h5"  # the file that weights are loaded from


def model() -> ph.Sequential:
    """A compiled model of three inputs and two classes."""
    made = ph.Sequential([ph.Input((3,)), layers.Dense(2, activation="softmax", name="out")], name="m")
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made


_shared: list[ph.Sequential] = []


def shared_model() -> ph.Sequential:
    """One compiled model for all calls that do not change it."""
    if not _shared:
        _shared.append(model())
    return _shared[0]


def shared_profile() -> ph.profiling.Profile:
    """The profile of a step of the shared model."""
    return shared_model().profile(X, LABELS, repeats=1, verbose=0)


def built(layer: Any) -> Any:
    """A layer with weights."""
    layer.build((None, 3))
    return layer


def _for_x(optimizer: Any) -> Any:
    """An optimizer built for one variable."""
    optimizer.build([ph.Variable(X)])
    return optimizer


def compiled_and_used(**given: Any) -> Any:
    """Compile and see whether what was accepted works."""
    made = ph.Sequential([ph.Input((3,)), layers.Dense(2, activation="softmax", name="out")])
    made.compile(**given)
    return made.fit(X, LABELS, verbose=0)


def _functional(**given: Any) -> Any:
    return ph.Model(**given)(X)


def _gradient(**given: Any) -> Any:
    variable = ph.Variable(X)
    with ph.GradientTape() as tape:
        loss = ph.ops.sum(variable * variable)
    return tape.gradient(
        **{"target": loss, "sources": [variable], **{k: v for k, v in given.items() if not _is_own(v)}}
    )


def _stateless_loss(**given: Any) -> Any:
    made = shared_model()
    made.evaluate(X, LABELS, verbose=0)
    return made.stateless_compute_loss(**{k: getattr(made, k) if _is_own(v) else v for k, v in given.items()})


def _is_own(value: Any) -> bool:
    return isinstance(value, str) and value == "own"


def _tape() -> ph.GradientTape:
    tape = ph.GradientTape()
    tape.__enter__()
    return tape


def _sequence(**given: Any) -> Any:
    return ph.Sequential(**given)(X)


_INPUT = ph.Input((3,))
_BATCH = {"x": X, "y": LABELS, "y_pred": np.full((4, 2), 0.5, "float32")}
_FIT = {"x": X, "y": LABELS, "batch_size": 2, "verbose": 0}

# name -> how to get the instance, arguments that fit; the rest are the method's defaults
_METHODS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "Model.fit": (shared_model, {**_FIT, "validation_split": 0.5}),
    "Model.evaluate": (shared_model, _FIT),
    "Model.predict": (shared_model, {"x": X, "verbose": 0}),
    "Model.train_on_batch": (shared_model, {"x": X, "y": LABELS}),
    "Model.test_on_batch": (shared_model, {"x": X, "y": LABELS}),
    "Model.predict_on_batch": (shared_model, {"x": X}),
    "Model.compute_loss": (shared_model, _BATCH),
    "Model.get_layer": (shared_model, {"name": "out"}),
    "Model.save_weights": (shared_model, {"filepath": "saved.weights.h5"}),
    "Model.load_weights": (shared_model, {"filepath": WEIGHTS}),
    "Model.set_weights": (shared_model, {"weights": [np.zeros((3, 2)), np.zeros(2)]}),
    "Model.summary": (shared_model, {"line_length": 60, "print_fn": lambda text: None}),
    "Model.program": (shared_model, {}),
    "Model.profile": (shared_model, {"x": X, "y": LABELS, "batch_size": 2, "repeats": 1, "verbose": 0}),
    "Profile.table": (shared_profile, {"by": "layer", "limit": 3, "width": 80}),
    "Profile.save": (shared_profile, {"path": "profile.json"}),
    "Profile.from_json": (shared_profile, {"text": shared_profile().to_json()}),
    "Model.set_state_tree": (shared_model, {"state_tree": {"trainable_variables": {}}}),
    "Model.get_state_tree": (shared_model, {}),
    "Model.compile_from_config": (model, {"config": {"optimizer": "sgd", "loss": "mse"}}),
    "Model.from_config": (lambda: ph.Sequential, {"config": model().get_config()}),
    "Model.build": (lambda: ph.Sequential([layers.Dense(2)]), {"input_shape": (None, 3)}),
    "Sequential.add": (model, {"layer": layers.Identity(name="i")}),
    "Sequential.pop": (model, {}),
    "Layer.build": (lambda: layers.Dense(2), {"input_shape": (None, 3)}),
    "Layer.__call__": (lambda: layers.Dense(2), {"inputs": X}),
    "Layer.set_weights": (lambda: built(layers.Dense(2)), {"weights": [np.zeros((3, 2)), np.zeros(2)]}),
    "Layer.add_weight": (lambda: layers.Dense(2), {"shape": (3,), "initializer": "ones", "dtype": "float32"}),
    "Layer.add_variable": (lambda: layers.Dense(2), {"shape": (3,), "initializer": "ones"}),
    "Layer.add_loss": (lambda: built(layers.Dense(2)), {"loss": ph.ops.sum(X)}),
    "Layer.compute_output_shape": (lambda: layers.Conv2D(2, 3), {"input_shape": (None, 8, 8, 3)}),
    "Layer.stateless_call": (
        lambda: built(layers.Dense(2)),
        {"trainable_variables": [np.zeros((3, 2)), np.zeros(2)], "non_trainable_variables": [], "inputs": X},
    ),
    "Layer.build_from_config": (lambda: layers.Dense(2), {"config": {"input_shape": (None, 3)}}),
    "Layer.from_config": (lambda: layers.Dense, {"config": {"units": 2}}),
    "Normalization.adapt": (layers.Normalization, {"data": X}),
    "Optimizer.build": (ph.optimizers.SGD, {"variables": [ph.Variable(X)]}),
    "Optimizer.apply": (ph.optimizers.Adam, {"grads": [X], "trainable_variables": [ph.Variable(X)]}),
    "Optimizer.apply_gradients": (ph.optimizers.Adam, {"grads_and_vars": [(X, ph.Variable(X))]}),
    "Optimizer.exclude_from_weight_decay": (ph.optimizers.Adam, {"var_names": ["bias"]}),
    "Optimizer.from_config": (lambda: ph.optimizers.SGD, {"config": {"learning_rate": 0.1}}),
    "Optimizer.set_weights": (lambda: _for_x(ph.optimizers.SGD()), {"weights": [np.zeros((), "int32"), np.zeros(())]}),
    "Optimizer.stateless_apply": (
        lambda: _for_x(ph.optimizers.SGD()),
        {"optimizer_variables": [np.zeros((), "int32"), np.zeros(())], "grads": [X], "trainable_variables": [X]},
    ),
    "Optimizer.scale_loss": (ph.optimizers.Adam, {"loss": ph.ops.sum(X)}),
    "Optimizer.add_variable": (ph.optimizers.Adam, {"shape": (2,), "initializer": "zeros"}),
    "Metric.stateless_result": (ph.metrics.Mean, {"metric_variables": [np.zeros(()), np.zeros(())]}),
    "Metric.from_config": (lambda: ph.metrics.Mean, {"config": {"name": "m"}}),
    "Metric.add_weight": (ph.metrics.Mean, {"shape": (2,), "initializer": "zeros"}),
    "Metric.add_variable": (ph.metrics.Mean, {"shape": (2,)}),
    "Variable.assign": (lambda: ph.Variable(X), {"value": X}),
    "Variable.assign_add": (lambda: ph.Variable(X), {"value": X}),
    "Variable.assign_sub": (lambda: ph.Variable(X), {"value": X}),
    "GradientTape.watch": (_tape, {"tensor": ph.ops.ones(3)}),
    "SeedGenerator.from_config": (lambda: ph.random.SeedGenerator, {"config": {"seed": 1}}),
    "Progbar.update": (lambda: ph.utils.Progbar(3, verbose=0), {"current": 1, "values": [("loss", 1.0)]}),
    "Progbar.add": (lambda: ph.utils.Progbar(3, verbose=0), {"n": 1, "values": [("loss", 1.0)]}),
    "CallbackList.append": (ph.callbacks.CallbackList, {"callback": ph.callbacks.History()}),
}

# calls of several steps
_SCENES: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "Model.compile": (
        compiled_and_used,
        {
            "optimizer": "sgd",
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            "loss_weights": None,
            "weighted_metrics": None,
            "run_eagerly": False,
            "steps_per_execution": 1,
            "jit_compile": "auto",
            "auto_scale_loss": True,
        },
    ),
    "Model.__init__": (_functional, {"inputs": _INPUT, "outputs": layers.Dense(2)(_INPUT), "name": "f"}),
    "Sequential.__init__": (_sequence, {"layers": [layers.Dense(2)], "trainable": True, "name": "q"}),
    "Variable.__init__": (
        ph.Variable,
        {"initializer": X, "shape": None, "dtype": "float32", "trainable": True, "name": "v"},
    ),
    "Model.stateless_compute_loss": (
        _stateless_loss,
        {**dict.fromkeys(("trainable_variables", "non_trainable_variables", "metrics_variables"), "own"), **_BATCH},
    ),
    "GradientTape.gradient": (
        _gradient,
        {"target": "own", "sources": "own", "output_gradients": None, "unconnected_gradients": "none"},
    ),
}


def calls() -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """Name, function of keyword arguments and arguments that fit, of every method."""
    for name, (make, given) in _METHODS.items():
        method = name.split(".")[1]
        parameters = inspect.signature(getattr(make(), method)).parameters.values()
        defaults = {each.name: each.default for each in parameters if each.default is not each.empty}
        if method == "__call__":
            defaults = {}
        yield name, lambda _make=make, _method=method, **some: getattr(_make(), _method)(**some), {**defaults, **given}
    for name, (use, given) in _SCENES.items():
        yield name, use, given
