"""Helpers of the tests of profiles."""

from __future__ import annotations

import numpy as np

import pronghorn as ph
from pronghorn import layers

RNG = np.random.default_rng(3)


def array(*shape):
    """Normal random numbers in float32."""
    return RNG.standard_normal(shape).astype("float32")


def convnet():
    """A compiled model of images (9, 9, 3) and five classes: a model within a model, normalization, dropout."""
    block = ph.Sequential(
        [
            layers.Conv2D(8, 3, strides=2, use_bias=False, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
        ],
        name="block",
    )
    inputs = ph.Input((9, 9, 3))
    x = layers.AveragePooling2D(2, name="pool")(block(inputs))
    x = layers.Dropout(0.5, name="drop")(layers.Flatten(name="flat")(x))
    model = ph.Model(inputs, layers.Dense(5, activation="softmax", name="out")(x), name="net")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def profile_of(model, *data, **options):
    """The profile of one run of a step, printing nothing."""
    return model.profile(*data, **{"repeats": 1, "verbose": 0, **options})


def find(profile, layer, phase, op):
    """The only row of a layer, phase and op."""
    rows = [row for row in profile.rows if (row.layer, row.phase, row.op) == (layer, phase, op)]
    assert len(rows) == 1, f"{layer} {phase} {op}: {[(row.layer, row.phase, row.op) for row in profile.rows]}"
    return rows[0]
