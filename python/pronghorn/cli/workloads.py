"""The models that `pronghorn bench` and the programs in benchmarks/ time.

They are built with any module that speaks Keras's words. This file imports none, so that it can be run where Pronghorn
is not installed: the benchmarks of Keras itself do that.
"""

from __future__ import annotations

from typing import Any

# name -> shape of a sample, samples of a step; all tell ten classes apart
WORKLOADS: dict[str, tuple[tuple[int, ...], int]] = {
    "mlp-32": ((784,), 32),
    "mlp-512": ((784,), 128),
    "convnet": ((28, 28, 1), 128),
    "resnet-20": ((32, 32, 3), 128),
    "resnet-18": ((64, 64, 3), 128),
    "lstm": ((64, 32), 64),
}


def build(keras: Any, name: str, shape: tuple[int, ...] | None = None) -> Any:
    """Return the compiled model of a workload.

    Args:
        keras: Keras, or a module with its names.
        name: key of `WORKLOADS`.
        shape: shape of a sample, where it shall be another than the workload's.
    """
    shape = shape or WORKLOADS[name][0]
    if name == "mlp-32":
        model, optimizer = _mlp(keras, name, shape, [32]), "rmsprop"
    elif name == "mlp-512":
        model, optimizer = _mlp(keras, name, shape, [512, 512]), "adam"
    elif name == "convnet":
        model, optimizer = _convnet(keras, name, shape), "adam"
    elif name == "lstm":
        layers = keras.layers
        sequence = [layers.Input(shape), layers.LSTM(128), _classes(keras)]
        model, optimizer = keras.Sequential(sequence, name=name), "adam"
    else:
        sizes: dict[str, Any] = {"resnet-20": ((16, 32, 64), 3, 1), "resnet-18": ((64, 128, 256, 512), 2, 2)}
        model, optimizer = _resnet(keras, name, shape, *sizes[name]), keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _classes(keras: Any) -> Any:
    # probabilities are float32 whatever the policy, as Keras advises and as PyTorch's autocast does
    return keras.layers.Dense(10, activation="softmax", dtype="float32")


def _mlp(keras: Any, name: str, shape: tuple[int, ...], widths: list[int]) -> Any:
    layers = keras.layers
    hidden = [layers.Dense(width, activation="relu") for width in widths]
    return keras.Sequential([layers.Input(shape), *hidden, _classes(keras)], name=name)


def _convnet(keras: Any, name: str, shape: tuple[int, ...]) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            _classes(keras),
        ],
        name=name,
    )


def _resnet(keras: Any, name: str, shape: tuple[int, ...], widths: tuple[int, ...], depth: int, stem: int) -> Any:
    layers = keras.layers

    def conv(x: Any, filters: int, strides: int = 1, size: int = 3) -> Any:
        return layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)

    inputs = layers.Input(shape)
    x = layers.ReLU()(layers.BatchNormalization()(conv(inputs, widths[0], stem)))
    for stage, filters in enumerate(widths):
        for block in range(depth):
            strides = 2 if stage and not block else 1
            y = layers.ReLU()(layers.BatchNormalization()(conv(x, filters, strides)))
            y = layers.BatchNormalization()(conv(y, filters))
            if strides == 2:
                x = conv(x, filters, 2, 1)
            x = layers.ReLU()(layers.Add()([x, y]))
    return keras.Model(inputs, _classes(keras)(layers.GlobalAveragePooling2D()(x)), name=name)
