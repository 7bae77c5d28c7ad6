"""Programs of mixed precision, run with real Keras by record_keras_mixed_precision.py and here by the tests.

Each takes the library, Keras or Pronghorn, and returns plain values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from keras_layer_case import Case, leaves, weight_values
from keras_layer_cases import CASES

POLICIES = ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16")
STEPS = 20


@contextmanager
def policy_of(library: Any, name: str) -> Iterator[None]:
    """Let layers made inside have a dtype policy."""
    library.config.set_dtype_policy(name)
    try:
        yield
    finally:
        library.config.set_dtype_policy("float32")


# Their kernels begin as orthogonal matrices, which Keras on JAX cannot make in 16 bits.
_RECURRENT = {"RNN", "Bidirectional", "StackedRNNCells"}
_RECURRENT |= {f"{name}{part}" for name in ("SimpleRNN", "LSTM", "GRU") for part in ("", "Cell")}


def layer_calls() -> list[tuple[str, Case]]:
    """Policies and a case of each layer, those with an activation or another mode of training included."""
    first: dict[Any, Case] = {}
    for case in CASES:
        first.setdefault((case.layer, case.settings.get("activation"), case.call.get("training")), case)
    return [
        (policy, case)
        for policy in POLICIES
        for case in first.values()
        if policy.startswith("mixed") or case.layer not in _RECURRENT
    ]


def call_layer(library: Any, case: Case, policy: str) -> dict[str, Any]:
    """What a layer made under a policy gives for float32 inputs."""
    with policy_of(library, policy):
        layer = case.make(library)
    layer.build(case.shapes)
    layer.set_weights(weight_values(layer))
    inputs = [library.ops.convert_to_tensor(array) for array in case.inputs]
    outputs = leaves(layer(case.joined(inputs), **case.arguments(library)))
    return {
        "dtype": str(outputs[0].dtype),
        "weights": [str(v.dtype) for v in layer.weights],
        "config": layer.get_config()["dtype"],
        "outputs": [number for x in outputs for number in _numbers(library.ops.cast(x, "float32"))],
    }


def _numbers(array: Any) -> list[float]:
    return [float(f"{x:.6g}") for x in np.asarray(array, "float64").ravel()]


# ---- training


def _dense(library: Any) -> Any:
    layers = library.layers
    return library.Sequential(
        [
            library.Input((8,)),
            layers.Dense(16, activation="relu", kernel_regularizer="l2"),
            layers.Dense(16, activation="tanh"),
            layers.Dense(3, activation="softmax", dtype="float32"),
        ]
    )


def _logits(library: Any) -> Any:
    layers = library.layers
    return library.Sequential([library.Input((8,)), layers.Dense(16, activation="gelu"), layers.Dense(3)])


def _images(library: Any) -> Any:
    layers = library.layers
    inputs = library.Input((8,))
    x = layers.Reshape((4, 2, 1))(inputs)
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    y = layers.SeparableConv2D(4, 2, padding="same")(x)
    x = layers.MaxPooling2D((2, 1))(layers.Add()([x, y]))
    x = layers.Conv2DTranspose(3, 2)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return library.Model(inputs, layers.Dense(3, activation="softmax", dtype="float32")(x))


def _tokens(library: Any) -> Any:
    layers = library.layers
    inputs = library.Input((8,), dtype="int32")
    x = layers.Embedding(11, 6)(inputs)
    x = layers.LayerNormalization()(x)
    x = layers.Dense(6, activation="swish")(x)
    x = layers.GroupNormalization(2)(x)
    x = layers.AveragePooling1D(2)(x)
    x = layers.Flatten()(x)
    return library.Model(inputs, layers.Dense(3, activation="softmax", dtype="float32")(x))


def _words(library: Any) -> Any:
    layers = library.layers
    inputs = library.Input((8,), dtype="int32")
    x = layers.Embedding(11, 6, mask_zero=True)(inputs)
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True))(x)
    x = layers.LSTM(6)(x)
    return library.Model(inputs, layers.Dense(3, activation="softmax", dtype="float32")(x))


_SPARSE = "sparse_categorical_crossentropy"
# name: (model, optimizer, its arguments, loss)
TRAININGS: dict[str, tuple[Callable[[Any], Any], str, dict[str, Any], Any]] = {
    "dense, SGD": (_dense, "SGD", {"learning_rate": 0.1, "momentum": 0.9}, _SPARSE),
    "dense, Adam, clipnorm": (_dense, "Adam", {"learning_rate": 0.01, "clipnorm": 0.5}, _SPARSE),
    "logits, RMSprop, averages": (_logits, "RMSprop", {"learning_rate": 0.003, "use_ema": True}, "mse"),
    "images, SGD": (_images, "SGD", {"learning_rate": 0.05}, _SPARSE),
    "tokens, AdamW": (_tokens, "AdamW", {"learning_rate": 0.01}, _SPARSE),
    "tokens, recurrent, Adam": (_words, "Adam", {"learning_rate": 0.02}, _SPARSE),
}


def train(library: Any, name: str, policy: str) -> dict[str, Any]:
    """Dtypes and the losses of twenty steps of a small model, and what evaluate() and predict() give after them."""
    make, optimizer, settings, loss = TRAININGS[name]
    with policy_of(library, policy):
        model = make(library)
    # Small enough that a step moves weights by more than what bfloat16 rounds away.
    model.set_weights([value if "variance" in v.path else value * 0.6 for v, value in _with_values(model)])
    model.compile(getattr(library.optimizers, optimizer)(**settings), loss, metrics=["mae" if loss == "mse" else "acc"])
    generator = np.random.default_rng(7)
    integers = name.startswith("tokens")
    x = generator.integers(0, 11, (16, 8)) if integers else generator.normal(size=(16, 8)).astype("float32")
    labels = generator.integers(0, 3, 16)
    y = np.eye(3, dtype="float32")[labels] if loss == "mse" else labels.astype("int32")
    losses = [float(model.train_on_batch(x, y)[0]) for _ in range(STEPS)]
    evaluated = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
    predicted = model.predict(x, verbose=0)
    return {
        "compute": [layer.compute_dtype for layer in model.layers],
        "weights": [str(v.dtype) for v in model.weights],
        "optimizer": [type(model.optimizer).__name__, *(str(v.dtype) for v in model.optimizer.variables)],
        "predicted": str(predicted.dtype),
        "losses": _numbers(losses),
        "evaluated": _numbers([evaluated["loss"]]),
    }


def _with_values(model: Any) -> list[tuple[Any, np.ndarray]]:
    return list(zip(model.weights, weight_values(model)))


# ---- the scale of the loss

# name: (optimizer, its arguments, arguments of LossScaleOptimizer)
SCALINGS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "SGD": ("SGD", {"learning_rate": 0.1, "momentum": 0.5}, {"initial_scale": 8.0, "dynamic_growth_steps": 3}),
    "Adam, clipnorm": ("Adam", {"learning_rate": 0.1, "clipnorm": 0.5}, {"dynamic_growth_steps": 4}),
    # Not Nadam: a stateless step of Keras's forgets its product of momentum weights, which is none of its variables.
    "Adamax, averages": ("Adamax", {"use_ema": True, "ema_momentum": 0.7}, {"dynamic_growth_steps": 1}),
    "RMSprop, averages put in": (
        "RMSprop",
        {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
        {"initial_scale": 2.0},
    ),
}


def scale(library: Any, name: str) -> list[dict[str, Any]]:
    """All variables after each of twelve updates; gradients are not finite in three of them."""
    optimizer_name, settings, options = SCALINGS[name]
    variables = [library.Variable([1.0, -2.0, 0.5], name="w"), library.Variable([[0.25]], name="b")]
    optimizer = library.optimizers.LossScaleOptimizer(
        getattr(library.optimizers, optimizer_name)(**settings), name="scaled", **options
    )
    optimizer.build(variables)
    generator = np.random.default_rng(3)
    states = []
    for step in range(12):
        factor = float(optimizer.scale_loss(1.0))
        grads = [generator.normal(size=shape).astype("float32") * np.float32(factor) for shape in ((3,), (1, 1))]
        if step in (4, 5):
            grads[0][1] = np.inf
        if step == 9:
            grads[1][0, 0] = np.nan
        # On JAX, Keras's other way to apply gradients does not work outside of a traced step.
        moved, kept = optimizer.stateless_apply(
            [v.value for v in optimizer.variables],
            [library.ops.convert_to_tensor(grad) for grad in grads],
            [v.value for v in variables],
        )
        for variable, value in zip([*variables, *optimizer.variables], [*moved, *kept]):
            variable.assign(value)
        states.append(
            {
                "scale": float(np.asarray(optimizer.dynamic_scale)),
                "counter": int(np.asarray(optimizer.step_counter)),
                "iterations": int(np.asarray(optimizer.iterations)),
                "variables": [_numbers(v) for v in variables],
                "state": [_numbers(v) for v in optimizer.variables],
            }
        )
    return states


def overflow(library: Any) -> dict[str, Any]:
    """A float16 model trained on batches of which two make gradients overflow."""
    layers = library.layers
    with policy_of(library, "mixed_float16"):
        model = library.Sequential(
            [library.Input((2,)), layers.Dense(3, activation="relu"), layers.Dense(1, dtype="float32")]
        )
    model.set_weights([value for _, value in _with_values(model)])
    model.compile(library.optimizers.SGD(0.01), "mse")
    generator = np.random.default_rng(5)
    x = generator.normal(size=(24, 2)).astype("float32")
    x[9], x[17] = 30000.0, -40000.0
    y = generator.normal(size=(24, 1)).astype("float32")
    states: list[dict[str, Any]] = []

    for first in [*range(0, 24, 4)] * 2:
        model.train_on_batch(x[first : first + 4], y[first : first + 4])
        states.append(
            {
                "scale": float(np.asarray(model.optimizer.dynamic_scale)),
                "counter": int(np.asarray(model.optimizer.step_counter)),
                "iterations": int(np.asarray(model.optimizer.iterations)),
            }
        )
    return {"states": states, "weights": [_numbers(v) for v in model.weights]}


def configs(library: Any) -> dict[str, Any]:
    """What is written into files."""
    with policy_of(library, "mixed_bfloat16"):
        layer = library.layers.Dense(2, name="layer")
    inner = library.optimizers.SGD(0.5, name="inner")
    optimizer = library.optimizers.LossScaleOptimizer(inner, 4.0, 5, name="scaled")
    return {
        "layer": layer.get_config()["dtype"],
        "policy": library.dtype_policies.serialize(library.DTypePolicy("mixed_float16")),
        "optimizer": library.optimizers.serialize(optimizer),
    }
