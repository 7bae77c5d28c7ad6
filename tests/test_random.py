"""Random tensors: moments and ranges, seeds and generators, the same bits at any number of threads."""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import _core, ops, random

N = 200_000


def _generator(seed=11):
    return random.SeedGenerator(seed)


# name: (draw, mean, variance)
MOMENTS = {
    "uniform": (lambda s: random.uniform((N,), -1.0, 3.0, seed=s), 1.0, 16 / 12),
    "uniform-float64": (lambda s: random.uniform((N,), dtype="float64", seed=s), 0.5, 1 / 12),
    "uniform-float16": (lambda s: random.uniform((N,), dtype="float16", seed=s), 0.5, 1 / 12),
    "normal": (lambda s: random.normal((N,), 2.0, 3.0, seed=s), 2.0, 9.0),
    "normal-float64": (lambda s: random.normal((20_000,), dtype="float64", seed=s), 0.0, 1.0),
    "truncated_normal": (lambda s: random.truncated_normal((N,), 1.0, 2.0, seed=s), 1.0, 4 * 0.7737),
    "randint": (lambda s: random.randint((N,), -5, 5, seed=s), -0.5, 99 / 12),
    "gamma": (lambda s: random.gamma((20_000,), 2.5, seed=s), 2.5, 2.5),
    "gamma-below-one": (lambda s: random.gamma((20_000,), 0.3, seed=s), 0.3, 0.3),
    "beta": (lambda s: random.beta((20_000,), 2.0, 3.0, seed=s), 0.4, 0.04),
    "binomial": (lambda s: random.binomial((20_000,), 10, 0.3, seed=s), 3.0, 2.1),
    "tensors": (lambda s: random.normal((N,), ops.ones((N,)), ops.full((N,), 2.0), seed=s), 1.0, 4.0),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_mean_and_variance(name):
    draw, mean, variance = MOMENTS[name]
    x = np.asarray(draw(_generator()).numpy(), "float64")
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / x.size) + 3e-4
    assert abs(x.var() - variance) < 0.05 * variance


def test_uniform_fills_its_range_evenly():
    x = random.uniform((N,), seed=3).numpy()
    counts = np.bincount((x * 50).astype(int), minlength=50)
    assert x.min() >= 0
    assert x.max() < 1
    # chi squared of 49 degrees of freedom: beyond 100 once in 10^5
    assert ((counts - N / 50) ** 2 / (N / 50)).sum() < 100


def test_normal_has_the_right_tails_and_no_correlation_between_neighbours():
    x = random.normal((N,), seed=5).numpy().astype("float64")
    for z, share in ((1, 0.31731), (2, 0.0455), (3, 0.0027)):
        assert abs((np.abs(x) > z).mean() - share) < 5 * np.sqrt(share / N)
    for lag in (1, 16, 64):
        assert abs((x[lag:] * x[:-lag]).mean()) < 5 / np.sqrt(N)


def test_truncated_normal_stays_within_two_standard_deviations():
    x = random.truncated_normal((N,), 1.0, 0.5, seed=6).numpy()
    assert x.min() >= 0
    assert x.max() <= 2


def test_randint_takes_every_value():
    x = random.randint((10_000,), 3, 10, seed=1).numpy()
    assert sorted(set(x.tolist())) == list(range(3, 10))
    assert random.randint((2,), 0, 5, dtype="uint8").dtype == "uint8"


def test_categorical_follows_the_logits():
    logits = np.log([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]])
    drawn = random.categorical(logits, 50_000, seed=2).numpy()
    assert drawn.shape == (2, 50_000)
    for row, p in zip(drawn, np.exp(logits)):
        np.testing.assert_allclose(np.bincount(row, minlength=3) / 50_000, p, atol=0.012)


def test_shuffle_permutes_slices():
    x = np.arange(60).reshape(20, 3)
    y = random.shuffle(x, seed=4).numpy()
    assert (y != x).any()
    np.testing.assert_array_equal(np.sort(y[:, 0]), x[:, 0])
    np.testing.assert_array_equal(y - y[:, :1], x - x[:, :1])
    across = random.shuffle(x, axis=1, seed=4).numpy()
    np.testing.assert_array_equal(np.sort(across, axis=1), x)


def test_dropout_drops_its_share_and_keeps_the_mean():
    x = ops.ones((400, 500))
    y = random.dropout(x, 0.3, seed=7).numpy()
    assert abs((y == 0).mean() - 0.3) < 0.006
    np.testing.assert_allclose(y[y != 0], 1 / 0.7, rtol=1e-6)
    shared = random.dropout(x, 0.3, noise_shape=(400, 1), seed=7).numpy()
    assert (shared == shared[:, :1]).all()
    assert random.dropout(ops.cast(x, "float16"), 0.3, seed=7).dtype == "float16"


def test_gradient_of_dropout_uses_the_same_mask():
    x = ops.convert_to_tensor(np.full((1000,), 3.0, "float32"))
    generator = _generator()
    with ph.GradientTape() as tape:
        tape.watch(x)
        y = random.dropout(x, 0.4, seed=generator)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), (y.numpy() != 0) * np.float32(1 / 0.6))


def test_an_int_seed_repeats_and_a_generator_advances():
    a, b = (random.normal((5,), seed=1).numpy() for _ in range(2))
    np.testing.assert_array_equal(a, b)
    generator = random.SeedGenerator(1)
    first, second = (random.normal((5,), seed=generator).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, a)
    assert (first != second).all()
    np.testing.assert_array_equal(generator.state.numpy(), [1, 2])
    assert (random.normal((5,), seed=2).numpy() != a).all()
    assert (random.normal((5,), seed=-1).numpy() != a).all()


def test_generators_are_made_again_from_their_config():
    generator = random.SeedGenerator(9, name="mine")
    again = random.SeedGenerator.from_config(generator.get_config())
    assert (again.name, again.get_config()) == ("mine", {"seed": 9, "name": "mine"})
    np.testing.assert_array_equal(generator.next().numpy(), again.next().numpy())
    np.testing.assert_array_equal(generator.next(ordered=False).numpy(), [9, 1])
    assert (generator.state.numpy() != [9, 2]).any()


def test_set_random_seed_seeds_everything():
    def draw():
        random.set_random_seed(5)
        return [
            random.uniform((3,)).numpy(),
            random.uniform((3,)).numpy(),
            np.random.rand(3),
            random.make_default_seed(),
        ]

    first, second = draw(), draw()
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)
    assert (first[0] != first[1]).all()


def test_a_generator_advances_inside_a_program():
    generator = random.SeedGenerator(3)
    graph = _core.Graph()
    with graph:
        x = graph.input((1000,), "float32")
        graph.set_outputs([random.dropout(x, 0.5, seed=generator), random.normal((4,), seed=generator)])
    program = _core.compile(graph)
    ones = np.ones(1000, "float32")
    runs = [[t.numpy() for t in program.run([ones])] for _ in range(2)]
    eager = random.SeedGenerator(3)
    for dropped, drawn in runs:
        np.testing.assert_array_equal(dropped, random.dropout(ones, 0.5, seed=eager).numpy())
        np.testing.assert_array_equal(drawn, random.normal((4,), seed=eager).numpy())
    np.testing.assert_array_equal(generator.state.numpy(), eager.state.numpy())


_DRAW_ALL = """
import hashlib
from pronghorn import ops, random
random.set_random_seed(17)
drawn = [random.uniform((70001,)), random.normal((70001,)), random.truncated_normal((70001,)),
         random.randint((70001,), 0, 1000), random.dropout(ops.ones((70001,)), 0.3), random.shuffle(ops.arange(1000))]
print(hashlib.sha256(b"".join(x.numpy().tobytes() for x in drawn)).hexdigest())
"""


def test_same_bits_in_new_processes_at_any_number_of_threads():
    digests = set()
    for threads in ("1", "2", "3"):
        environment = {**os.environ, "PRONGHORN_NUM_THREADS": threads}
        out = subprocess.run([sys.executable, "-c", _DRAW_ALL], env=environment, check=True, capture_output=True)
        digests.add(out.stdout)
    assert len(digests) == 1


def test_bits_are_those_of_every_machine():
    bits = random.normal((1000,), seed=2024).numpy().tobytes() + random.uniform((1000,), seed=2024).numpy().tobytes()
    assert hashlib.sha256(bits).hexdigest() == "06ff457397152f77b6f5475f75dfe57bc074ec751469f4124c30ee0212f6d583"
    normal, truncated = (
        draw((1000,), dtype="float64", seed=2024).numpy() for draw in (random.normal, random.truncated_normal)
    )
    bits = normal.tobytes() + truncated.tobytes()
    assert hashlib.sha256(bits).hexdigest() == "0d5272261401aa29d0601db795303f8a7adc9d2bdb888a3ae180dff8979be1fc"


def test_float64_normals_are_the_quantiles_of_uniform_numbers():
    """Against Python's own, a quantile at a time: the words of uniform numbers and normals of a seed are the same."""
    uniform = random.uniform((4000,), dtype="float64", seed=8).numpy()
    drawn = random.normal((4000,), dtype="float64", seed=8).numpy()
    # uniform numbers are multiples of 2^-53, normals are made of the middles of steps of 2^-52
    middles = (np.floor(uniform * 2.0**52) * 2 + 1) / 2.0**53
    wanted = [statistics.NormalDist().inv_cdf(p) for p in middles]
    np.testing.assert_allclose(drawn, wanted, rtol=2e-15)


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda: random.SeedGenerator("a"), ValueError, "seed must be an integer"),
        (lambda: random.normal((2,), seed="a"), ValueError, "seed must be an integer"),
        (lambda: random.normal((2,), seed=True), ValueError, "seed must be an integer"),
        (lambda: random.normal((2,), dtype="int32"), ValueError, "floating"),
        (lambda: random.normal((2,), stddev=-1.0), ValueError, "stddev"),
        (lambda: random.normal((-2,)), ValueError, "negative"),
        (lambda: random.uniform((2,), 1.0, 0.0), ValueError, "minval"),
        (lambda: random.randint((2,), 3, 3), ValueError, "minval"),
        (lambda: random.randint((2,), 0, 3, dtype="float32"), ValueError, "integer type"),
        (lambda: random.dropout([1.0], 1.1), ValueError, "rate"),
        (lambda: random.dropout([1], 0.5), TypeError, "floating"),
        (lambda: random.categorical([1.0], 2), ValueError, "batch, classes"),
        (lambda: random.set_random_seed(-1), ValueError, "set_random_seed"),
        (lambda: random.set_random_seed("x"), ValueError, "set_random_seed"),
    ],
)
def test_errors_say_what_is_wrong(call, exception, message):
    with pytest.raises(exception, match=message):
        call()
