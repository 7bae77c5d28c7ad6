"""Random ops against Philox 4x32-10 written in NumPy, in the order of elements that core/philox.h fixes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sample import Sample, in_halves, normal

MASK = np.uint64(0xFFFFFFFF)


def philox_blocks(blocks: np.ndarray, key: np.ndarray) -> np.ndarray:
    """The four words of each block: uint64 array (blocks, 4)."""
    a, b = blocks & MASK, blocks >> np.uint64(32)
    c, d = np.zeros_like(a), np.zeros_like(a)
    key_a, key_b = (int(k) for k in key)
    for _ in range(10):
        left, right = np.uint64(0xD2511F53) * a, np.uint64(0xCD9E8D57) * c
        a, b = (right >> np.uint64(32)) ^ b ^ np.uint64(key_a), right & MASK
        c, d = (left >> np.uint64(32)) ^ d ^ np.uint64(key_b), left & MASK
        key_a, key_b = (key_a + 0x9E3779B9) & 0xFFFFFFFF, (key_b + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([a, b, c, d], axis=-1)


def words(count: int, key: np.ndarray) -> np.ndarray:
    """The first words of a key's sequence, groups of 64 in the order word 0 of 16 blocks, word 1 of them, ..."""
    groups = -(-count // 64)
    blocks = philox_blocks(np.arange(groups * 16, dtype="uint64"), key)
    return blocks.reshape(groups, 16, 4).transpose(0, 2, 1).reshape(-1)


def pairs(count: int, key: np.ndarray) -> np.ndarray:
    """64-bit numbers: in each group, word i with word i + 32 above it."""
    grouped = words(-(-count // 32) * 64, key).reshape(-1, 2, 32)
    return (grouped[:, 1] << np.uint64(32) | grouped[:, 0]).reshape(-1)[:count]


def _uniform(shape: tuple[int, ...], low: float = 0, high: float = 1, wide: bool = False) -> Callable:
    def reference(seed: np.ndarray) -> np.ndarray:
        n = math.prod(shape)
        unit = (pairs(n, seed) >> np.uint64(11)) * 2.0**-53 if wide else (words(n, seed)[:n] >> np.uint64(8)) * 2.0**-24
        return (low + unit * (high - low)).reshape(shape)

    return reference


def _quantile(p: np.ndarray) -> np.ndarray:
    """z with erf(z) = p, by bisection."""
    low, high = np.full_like(p, -7.0), np.full_like(p, 7.0)
    erf = np.vectorize(math.erf, otypes=[float])
    for _ in range(60):
        middle = (low + high) / 2
        below = erf(middle) < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def _normal(shape: tuple[int, ...], mean: float, stddev: float, share: float = 1.0, wide: bool = False) -> Callable:
    def reference(seed: np.ndarray) -> np.ndarray:
        n = math.prod(shape)
        if wide:
            odd = (pairs(n, seed) >> np.uint64(12)).astype("float64") * 2 + 1 - 2.0**52
            p = odd * 2.0**-52
        else:
            p = ((words(n, seed)[:n] >> np.uint64(8)).astype("float64") * 2 + 1 - 2.0**24) * 2.0**-24
        return (mean + stddev * math.sqrt(2) * _quantile(p * share)).reshape(shape)

    return reference


def _randint(shape: tuple[int, ...], low: int, high: int, dtype: str = "int32") -> Callable:
    def reference(seed: np.ndarray) -> np.ndarray:
        drawn = [low + (int(word) * (high - low) >> 64) for word in pairs(math.prod(shape), seed)]
        return np.array(drawn).astype(dtype).reshape(shape)

    return reference


def _dropout(rate: float) -> Callable:
    def reference(x: np.ndarray, seed: np.ndarray) -> np.ndarray:
        groups = -(-x.size // 128)
        drawn = words(groups * 64, seed).reshape(groups, 64)
        bits = np.stack([drawn & np.uint64(0xFFFF), drawn >> np.uint64(16)], axis=1).reshape(-1)[: x.size]
        kept = (bits >= math.floor(rate * 65536 + 0.5)).reshape(x.shape)
        return np.where(kept, x / (1 - rate) if rate < 1 else 0.0, 0.0)

    return reference


ZERO, SEED, OTHER = (np.array(seed, "uint32") for seed in ([0, 0], [1234567, 3], [0xFFFFFFFF, 0xFFFFFFFF]))
_SHARE = math.erf(math.sqrt(2))
# the second half of a group, ragged ends, several chunks, nothing
SHAPES = {"scalar": (), "ragged": (7, 13), "group": (64,), "chunks": (3, 9000), "empty": (0, 3)}

SAMPLES = [
    sample
    for name, shape in SHAPES.items()
    for sample in (
        Sample(name, "random_uniform", [SEED], {"shape": shape}, _uniform(shape)),
        Sample(
            f"{name}-float64",
            "random_uniform",
            [SEED],
            {"shape": shape, "dtype": "float64"},
            _uniform(shape, wide=True),
        ),
        Sample(
            name, "random_randint", [SEED], {"shape": shape, "minval": -3, "maxval": 1000}, _randint(shape, -3, 1000)
        ),
        Sample(name, "dropout", [normal(*shape), SEED], {"rate": 0.3}, _dropout(0.3)),
    )
] + [
    Sample("key-zero", "random_uniform", [ZERO], {"shape": (100,)}, _uniform((100,))),
    Sample("key-ones", "random_uniform", [OTHER], {"shape": (100,)}, _uniform((100,))),
    Sample(
        "range", "random_uniform", [SEED], {"shape": (100,), "minval": -2.0, "maxval": 5.0}, _uniform((100,), -2.0, 5.0)
    ),
    Sample("float64", "random_normal", [SEED], {"shape": (9, 5), "dtype": "float64"}, _normal((9, 5), 0, 1, wide=True)),
    Sample("plain", "random_normal", [SEED], {"shape": (9, 50)}, _normal((9, 50), 0, 1), atol=3e-6),
    Sample(
        "shifted", "random_normal", [SEED], {"shape": (300,), "mean": 3.0, "stddev": 0.5}, _normal((300,), 3.0, 0.5)
    ),
    Sample("plain", "random_truncated_normal", [SEED], {"shape": (9, 50)}, _normal((9, 50), 0, 1, _SHARE), atol=3e-6),
    Sample(
        "float64",
        "random_truncated_normal",
        [SEED],
        {"shape": (45,), "dtype": "float64"},
        _normal((45,), 0, 1, _SHARE, wide=True),
    ),
    Sample(
        "whole-range",
        "random_randint",
        [SEED],
        {"shape": (40,), "minval": -(2**63), "maxval": 2**63 - 1, "dtype": "int64"},
        lambda seed: np.array([-(2**63) + (int(w) * (2**64 - 1) >> 64) for w in pairs(40, seed)]),
    ),
    *[
        Sample(
            dtype,
            "random_randint",
            [SEED],
            {"shape": (3, 67), "minval": -3, "maxval": 1000, "dtype": dtype},
            _randint((3, 67), -3, 1000, dtype),
        )
        for dtype in ("int8", "int16", "uint32", "int64")
    ],
    Sample("keep-all", "dropout", [normal(200), SEED], {"rate": 0.0}, _dropout(0.0)),
    Sample("drop-all", "dropout", [normal(200), SEED], {"rate": 1.0}, _dropout(1.0)),
    Sample("rate", "dropout", [normal(3), SEED], {"rate": 1.5}, raises=(ValueError, r"rate must be in \[0, 1\]")),
    Sample("seed", "dropout", [normal(3), normal(2)], {"rate": 0.5}, raises=(ValueError, r"seed must be uint32\(2,\)")),
    Sample("dtype", "random_uniform", [SEED], {"shape": (2,), "dtype": "int32"}, raises=(TypeError, "floating")),
    Sample(
        "range-empty", "random_uniform", [SEED], {"shape": (2,), "minval": 2.0}, raises=(ValueError, "must not exceed")
    ),
    Sample("stddev", "random_normal", [SEED], {"shape": (2,), "stddev": -1.0}, raises=(ValueError, "stddev")),
    Sample("shape", "random_normal", [SEED], {"shape": (-2,)}, raises=(ValueError, "negative")),
    Sample("range-empty", "random_randint", [SEED], {"shape": (2,), "maxval": 0}, raises=(ValueError, "below maxval")),
]

SAMPLES = in_halves(SAMPLES)
