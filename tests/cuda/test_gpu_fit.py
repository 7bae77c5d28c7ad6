"""Whole models train on a GPU, here the simulator's device, as they do on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gpu_kernels import DEVICE, needs_device, needs_simulator

import pronghorn as ph
from pronghorn import layers

pytestmark = needs_device


@pytest.fixture(autouse=True)
def exact_products():
    before = ph.config.matmul_precision()
    ph.config.set_matmul_precision("highest")
    yield
    ph.config.set_matmul_precision(before)


def _mlp():
    model = ph.Sequential([layers.Input((20,)), layers.Dense(32, "relu"), layers.Dropout(0.25), layers.Dense(4)])
    return model, np.random.default_rng(0).normal(size=(200, 20)).astype("float32")


def _convnet():
    model = ph.Sequential(
        [
            layers.Input((10, 10, 3)),
            # Without a bias: before a batch normalization its gradient is rounding alone, which Adam makes large.
            layers.Conv2D(8, 3, padding="same", use_bias=False, kernel_initializer="he_normal"),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(6, 3, activation="tanh"),
            layers.AveragePooling2D(2, 1),
            layers.Flatten(),
            layers.LayerNormalization(),
            layers.Dense(4),
        ]
    )
    return model, np.random.default_rng(1).normal(size=(72, 10, 10, 3)).astype("float32")


def _text():
    inputs = layers.Input((7,), dtype="int32")
    x = layers.Embedding(30, 8)(inputs)
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    model = ph.Model(inputs, layers.Dense(4)(x))
    return model, np.random.default_rng(2).integers(0, 30, size=(100, 7)).astype("int32")


def _fitted(device: str, make, optimizer) -> tuple[list[float], list[np.ndarray], np.ndarray]:
    ph.utils.set_random_seed(3)
    with ph.device(device):
        model, x = make()
        y = np.random.default_rng(5).integers(0, 4, size=len(x)).astype("int32")
        loss = ph.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=optimizer(), loss=loss, metrics=["accuracy"])
    # the model's device, not the block's, is where fit runs
    history = model.fit(x, y, batch_size=32, epochs=4, verbose=0, validation_split=0.2)
    assert all(weight.value.device == ph.ops.convert_to_tensor(model.weights[0]).device for weight in model.weights)
    assert model.weights[0].value.device.startswith(device)
    curve = [value for name in ("loss", "val_loss", "accuracy", "val_accuracy") for value in history.history[name]]
    return curve, [weight.numpy() for weight in model.weights], model.predict(x, batch_size=30, verbose=0)


OPTIMIZERS = {
    "sgd": lambda: ph.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: ph.optimizers.Adam(0.01),
    "rmsprop-clipped": lambda: ph.optimizers.RMSprop(0.01, global_clipnorm=1.0),
    "adamw-averaged": lambda: ph.optimizers.AdamW(0.01, use_ema=True, ema_overwrite_frequency=3),
}


@pytest.mark.parametrize("make", [_mlp, _convnet, _text], ids=["mlp", "convnet", "text"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_fit_gives_the_cpu_s_numbers(make, optimizer):
    cpu, gpu = (_fitted(device, make, optimizer) for device in ("cpu:0", DEVICE))
    np.testing.assert_allclose(gpu[0], cpu[0], rtol=2e-4)
    for mine, wanted in zip(gpu[1], cpu[1]):
        np.testing.assert_allclose(mine, wanted, rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(gpu[2], cpu[2], rtol=2e-3, atol=2e-3)


def test_fit_twice_gives_the_same_bits():
    first, second = (_fitted(DEVICE, _convnet, OPTIMIZERS["adam"]) for _ in range(2))
    assert first[0] == second[0]
    for a, b in zip(first[1], second[1]):
        assert a.tobytes() == b.tobytes()


PROGRAM = """
import sys, hashlib
import numpy as np
sys.path.insert(0, sys.argv[1])
import test_gpu_fit as tests
curve, weights, predicted = tests._fitted(tests.DEVICE, tests._mlp, tests.OPTIMIZERS["adam"])
print(hashlib.sha256(b"".join(w.tobytes() for w in weights) + predicted.tobytes()).hexdigest(), curve)
"""


def _printed(**variables: str) -> str:
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent)]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ | variables, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize(
    "variables",
    [
        {"PRONGHORN_GPU_DEBUG": "1"},  # kernel by kernel instead of one recorded step
        {"PRONGHORN_SIM_STREAM": "late", "PRONGHORN_SIM_ASYNC": "late"},
        {"PRONGHORN_SIM_ORDER": "random:7"},  # also of the recorded steps that need not wait for each other
        {"PRONGHORN_SIM_ORDER": "reverse"},
        {"PRONGHORN_PLAN": "separate"},
        {"PRONGHORN_STEPS": "serial"},
        {"PRONGHORN_SIM_MEMORY": "1"},  # MiB: the data stay in host memory, batches are sent one by one
    ],
    ids=lambda variables: "-".join(f"{name.removeprefix('PRONGHORN_')}={value}" for name, value in variables.items()),
)
def test_a_step_gives_the_same_bits_however_it_is_run(variables):
    assert _printed(**variables) == _printed()


def test_large_arrays_come_to_the_device_in_several_pieces():
    x = np.random.default_rng(7).integers(0, 255, 2**25 + 5, dtype=np.uint8)  # and part of a piece
    with ph.device(DEVICE):
        np.testing.assert_array_equal(ph.ops.convert_to_numpy(ph.ops.convert_to_tensor(x)), x)


def test_results_of_many_steps_come_over_in_several_pieces():
    # 3 MiB a step: 10 steps' results wait on the device before they are copied, here 14 and a smaller last batch
    x = np.random.default_rng(6).normal(size=(43, 2**18)).astype("float32")
    with ph.device(DEVICE):
        model = ph.Sequential([layers.Input((2**18,)), layers.Rescaling(2.0)])
    np.testing.assert_array_equal(model.predict(x, batch_size=3, verbose=0), 2 * x)


def test_a_label_out_of_range_is_an_error_of_fit():
    with ph.device(DEVICE):
        model, x = _mlp()
        model.compile("sgd", ph.losses.SparseCategoricalCrossentropy(from_logits=True))
        y = np.zeros(len(x), "int32")
        y[150] = 4
        with pytest.raises(IndexError, match=r"labels holds 4, but must lie in \[0, 4\)"):
            model.fit(x, y, verbose=0)


@needs_simulator
def test_what_takes_most_memory_is_named_where_a_program_does_not_fit():
    program = """
import numpy as np
import pronghorn as ph
x = np.zeros((64, 4), "float32")
model = ph.Sequential([ph.layers.Input((4,)), ph.layers.Dense(9000), ph.layers.Dense(3)])
model.compile("sgd", "mse")
model.fit(x, np.zeros((64, 3), "float32"), batch_size=64, verbose=0)
"""
    variables = {"PRONGHORN_DEVICE": "gpu:sim", "PRONGHORN_SIM_MEMORY": "2"}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ | variables, check=False
    )
    assert run.returncode == 1
    assert "MemoryError: out of memory: could not allocate" in run.stderr
    assert "bytes: matmul float32(64, 9000)" in run.stderr
