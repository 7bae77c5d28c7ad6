"""`pronghorn demo`: train a small convnet on real images and show what it learned."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pronghorn import datasets, layers, models, optimizers, random
from pronghorn.cli.drawing import draw_row

_SHOWN = 6


@dataclass
class _Task:
    title: str
    load: Callable[[], Any]
    brightest: float
    class_names: Sequence[str]
    batch_size: int
    epochs: int
    build: Callable[[], models.Sequential]


def _digits_model() -> models.Sequential:
    return models.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )


def _fashion_model() -> models.Sequential:
    return models.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="fashion_mnist",
    )


_TASKS = {
    "digits": _Task(
        "handwritten digits (UCI optdigits, 8x8)",
        datasets.digits.load_data,
        16.0,
        tuple("0123456789"),
        32,
        12,
        _digits_model,
    ),
    "fashion_mnist": _Task(
        "articles of clothing (Fashion-MNIST, 28x28)",
        datasets.fashion_mnist.load_data,
        255.0,
        datasets.fashion_mnist.CLASS_NAMES,
        64,
        5,
        _fashion_model,
    ),
}


def add_demo_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `pronghorn demo`."""
    parser.add_argument("--data", choices=sorted(_TASKS), default="digits", help="what to learn (default: digits)")
    parser.add_argument("--epochs", type=_positive, help="passes over the training images")
    parser.add_argument("--seed", type=int, default=0, help="seed of all random numbers (default: 0)")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def demo(data: str = "digits", epochs: int | None = None, seed: int = 0) -> int:
    """Train, test, and draw a few test images with the predictions.

    Args:
        data: "digits" or "fashion_mnist".
        epochs: passes over the training images; None takes what the task needs.
        seed: seed of all random numbers.

    Returns:
        Exit status, 0.
    """
    task = _TASKS[data]
    random.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test) = task.load()
    pixels_train, pixels_test = (x[..., None].astype("float32") / task.brightest for x in (x_train, x_test))
    print(f"Learning {task.title}: {len(x_train)} images to train on, {len(x_test)} to test on.\n")
    model = task.build()
    model.summary()
    epochs = epochs or task.epochs
    steps = epochs * -(-len(x_train) // task.batch_size)
    optimizer = optimizers.Adam(optimizers.schedules.CosineDecay(2e-3, steps))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    started = time.perf_counter()
    model.fit(pixels_train, y_train, batch_size=task.batch_size, epochs=epochs)
    seconds = time.perf_counter() - started
    _, accuracy = model.evaluate(pixels_test, y_test, batch_size=256, verbose=0)
    guesses = model.predict(pixels_test, batch_size=256, verbose=0).argmax(axis=-1)
    print(f"\nTrained in {seconds:.1f} s. Accuracy on {len(x_test)} images never seen before: {accuracy:.2%}\n")
    rng = np.random.default_rng(seed)
    right = rng.permutation(np.flatnonzero(guesses == y_test))[: _SHOWN - 1]
    wrong = rng.permutation(np.flatnonzero(guesses != y_test))[: _SHOWN - len(right)]
    shown = [*right, *wrong]
    captions = [_caption(task.class_names, int(guesses[i]), int(y_test[i])) for i in shown]
    print(draw_row(pixels_test[shown, ..., 0], captions))
    return 0


def _caption(names: Sequence[str], guess: int, truth: int) -> str:
    return f"✓ {names[guess]}" if guess == truth else f"✗ {names[guess]}, is {names[truth]}"
