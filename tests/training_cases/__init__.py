"""Small programs that real Keras and Pronghorn both run; what they return is compared.

A case is a function of the library (`keras` or `pronghorn`) and a folder for files; it returns plain values: numbers,
texts, lists and dicts. tests/record_keras_training.py runs all of them on real Keras.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Case = Callable[[Any, str], Any]
CASES: dict[str, Case] = {}
_MODULES = (
    "compiling",
    "outputs",
    "fitting",
    "sources",
    "batches",
    "callback_programs",
    "model_programs",
    "optimizer_programs",
    "guides",
    "recurrent_programs",
)


def case(function: Case) -> Case:
    """Register a case under the name of its function."""
    CASES[function.__name__] = function
    return function


def data(rows: int = 10, inputs: int = 3, outputs: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return random float32 inputs and targets."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, inputs)).astype("float32"), rng.normal(size=(rows, outputs)).astype("float32")


def fill(model: Any, seed: int = 1) -> Any:
    """Set all weights of a built model or layer to the same random values in either library; returns the model."""
    rng = np.random.default_rng(seed)
    model.set_weights([(rng.normal(size=w.shape) * 0.5).astype("float32") for w in model.get_weights()])
    return model


def dense_model(keras: Any, inputs: int = 3, outputs: int = 1, activation: Any = None) -> Any:
    """Return a Sequential of two Dense layers with known weights."""
    layers = [keras.Input((inputs,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(outputs, activation)]
    return fill(keras.Sequential(layers))


def two_outputs(keras: Any, as_dict: bool = False) -> Any:
    """Return a functional model with the outputs "a" (1 value) and "b" (3 classes), and known weights."""
    x = keras.Input((3,), name="x")
    hidden = keras.layers.Dense(4, "tanh", name="hidden")(x)
    a = keras.layers.Dense(1, name="a")(hidden)
    b = keras.layers.Dense(3, "softmax", name="b")(hidden)
    return fill(keras.Model(x, {"a": a, "b": b} if as_dict else [a, b]))


def two_targets(rows: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return inputs and targets for `two_outputs`."""
    rng = np.random.default_rng(5)
    return (
        rng.normal(size=(rows, 3)).astype("float32"),
        rng.normal(size=(rows, 1)).astype("float32"),
        rng.integers(0, 3, (rows,)),
    )


def printed(function: Callable[[], Any]) -> list[str]:
    """Return the lines that a function prints, without colours and times."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        function()
    text = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    text = re.sub(r"\d+(s|ms|us)\b", "T", text)
    return [line.rstrip() for line in text.splitlines()]


def outcome(function: Callable[[], Any]) -> Any:
    """Return what a function returns, or the name of the exception it raises."""
    try:
        return plain(function())
    except Exception as error:
        return f"raises {type(error).__name__}"


def warned(function: Callable[[], Any]) -> Any:
    """Return what a function returns, and whether it warned."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    return {"result": result, "warned": bool(caught)}


def plain(value: Any) -> Any:
    """Return a value in a form that JSON can hold; arrays become lists."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, (bool, str, int)):
        return value
    array = np.asarray(value, "float64")
    if not np.isfinite(array).all():
        return str(array.tolist())
    digits = np.vectorize(lambda number: float(f"{number:.7g}"))(array) if array.size else array
    return digits.tolist()


for _name in _MODULES:
    importlib.import_module(f"training_cases.{_name}")
