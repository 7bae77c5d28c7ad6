"""Initializers: the numbers they draw, the axes they count as inputs and outputs, their configs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import initializers

SHAPE = (200, 100)
SCALED = {  # variance for 200 inputs and 100 outputs
    "GlorotUniform": 2 / 300,
    "GlorotNormal": 2 / 300,
    "HeUniform": 2 / 200,
    "HeNormal": 2 / 200,
    "LecunUniform": 1 / 200,
    "LecunNormal": 1 / 200,
}


def _drawn(initializer, shape=SHAPE):
    return initializer(shape).numpy()


@pytest.mark.parametrize("name", SCALED)
def test_variance_follows_the_number_of_inputs_and_outputs(name):
    values = _drawn(getattr(initializers, name)(seed=1))
    expected = SCALED[name] ** 0.5
    # 20000 numbers: the standard deviation of their standard deviation is about 0.5 %
    np.testing.assert_allclose(values.std(), expected, rtol=0.02)
    assert abs(values.mean()) < 0.03 * expected
    # a uniform distribution ends at sqrt(3) deviations; cut at 2, the normal one of stddev 1 has 0.8796
    limit = expected * (3**0.5 if name.endswith("Uniform") else 2 / 0.87962566103423978)
    assert 0.99 * limit < np.abs(values).max() <= limit * (1 + 1e-6)


@pytest.mark.parametrize(
    ("settings", "fan"),
    [
        # a convolution's kernel: the window counts for inputs and outputs
        ({"mode": "fan_in"}, 3 * 10 * 20),
        ({"mode": "fan_out"}, 3 * 10 * 120),
        ({"mode": "fan_avg"}, 3 * 10 * 70),
        ({"input_axes": (0,)}, 3 * 10 * 20),
        ({"input_axes": [0, 1], "output_axes": [2, 3]}, 3 * 10),
        ({"input_axes": (0,), "output_axes": (-1,), "mode": "fan_out"}, 120),
        ({"input_axes": (0, 3), "output_axes": (1,), "mode": "fan_avg"}, (3 * 120 + 10) / 2),
    ],
    ids=str,
)
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
def test_axes_say_which_sizes_count(settings, fan, distribution):
    initializer = initializers.VarianceScaling(2.0, distribution=distribution, seed=3, **settings)
    np.testing.assert_allclose(_drawn(initializer, (3, 10, 20, 120)).var(), 2.0 / fan, rtol=0.03)


def test_the_named_initializers_take_axes_too():
    values = _drawn(initializers.HeNormal(seed=1, input_axes=[1], output_axes=[0]))
    np.testing.assert_allclose(values.std(), (2 / 100) ** 0.5, rtol=0.02)
    with pytest.raises(IndexError, match=r"output_axes must be axes of the shape \(200, 100\), got \[2\]"):
        initializers.HeNormal(input_axes=[1], output_axes=[2])(SHAPE)


@pytest.mark.parametrize(
    ("initializer", "config"),
    [
        (initializers.HeNormal(5, [0], [1]), {"seed": 5, "input_axes": [0], "output_axes": [1]}),
        (initializers.GlorotUniform(), {"seed": None, "input_axes": None, "output_axes": None}),
        (
            initializers.VarianceScaling(2.0, "fan_out", "uniform", 1),
            {
                "seed": 1,
                "scale": 2.0,
                "mode": "fan_out",
                "distribution": "uniform",
                "input_axes": None,
                "output_axes": None,
            },
        ),
        (initializers.RandomNormal(1.0, 2.0, 3), {"seed": 3, "mean": 1.0, "stddev": 2.0}),
        (initializers.TruncatedNormal(1.0, 2.0, 3), {"seed": 3, "mean": 1.0, "stddev": 2.0}),
        (initializers.RandomUniform(1.0, 2.0, 3), {"seed": 3, "minval": 1.0, "maxval": 2.0}),
        (initializers.Orthogonal(2.0, 3), {"seed": 3, "gain": 2.0}),
        (initializers.Identity(2.0), {"gain": 2.0}),
        (initializers.Constant(2.0), {"value": 2.0}),
        (initializers.Zeros(), {}),
        (initializers.Ones(), {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_configs_are_those_of_keras_and_come_round(initializer, config):
    assert initializer.get_config() == config
    again = initializers.get(json.loads(json.dumps(initializers.serialize(initializer))))
    assert type(again) is type(initializer) and again.get_config() == config
    if config.get("seed", 0) is not None:
        np.testing.assert_array_equal(_drawn(again, (4, 4)), _drawn(initializer, (4, 4)))


def test_plain_distributions():
    normal = _drawn(initializers.RandomNormal(1.0, 0.5, seed=1))
    np.testing.assert_allclose([normal.mean(), normal.std()], [1.0, 0.5], rtol=0.02)
    cut = _drawn(initializers.TruncatedNormal(1.0, 0.5, seed=1))
    assert 1.98 * 0.5 < np.abs(cut - 1.0).max() <= 2 * 0.5 + 1e-6
    uniform = _drawn(initializers.RandomUniform(-1.0, 3.0, seed=1))
    assert -1.0 <= uniform.min() < -0.99 and 2.99 < uniform.max() < 3.0
    np.testing.assert_allclose(uniform.mean(), 1.0, atol=0.03)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 2, 4)])
def test_orthogonal_matrices(shape):
    matrix = _drawn(initializers.Orthogonal(2.0, seed=1), shape).reshape(-1, shape[-1]).astype("float64")
    small = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)


def test_constants():
    np.testing.assert_array_equal(_drawn(initializers.Identity(2.0), (2, 3)), [[2, 0, 0], [0, 2, 0]])
    np.testing.assert_array_equal(_drawn(initializers.Constant([1.0, 2.0]), (2, 2)), [[1, 2], [1, 2]])
    assert initializers.Ones()((2,), dtype="int32").dtype == "int32"
    layer = ph.layers.Dense(2, kernel_initializer="ones", bias_initializer=initializers.Constant(3.0))
    np.testing.assert_array_equal(layer(np.ones((1, 2), "float32")).numpy(), [[5, 5]])


def test_an_integer_seed_repeats_and_a_generator_moves_on():
    repeated = initializers.HeNormal(seed=1)
    np.testing.assert_array_equal(_drawn(repeated), _drawn(repeated))
    moving = initializers.HeNormal(seed=ph.random.SeedGenerator(1))
    assert not np.array_equal(_drawn(moving), _drawn(moving))
