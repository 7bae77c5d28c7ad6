"""Products on AMX's tiles and by AVX-512's dot products, at the portable level that computes what they do."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from pronghorn import _core

pytestmark = pytest.mark.skipif("avx512_sim" not in _core.cpu_levels(), reason="level avx512_sim was not built")

PROGRAM = """
import sys
import numpy as np
from pronghorn import _core

data = np.load(sys.argv[1])
_core.set_matmul_precision(str(data["precision"]))
inputs = [_core.convert(data[name]) for name in ("a", "b", "bias") if name in data]
if "dtype" in data:
    inputs = [_core.ops.cast(x, dtype=str(data["dtype"])) for x in inputs]
settings = {name: bool(data[name]) for name in ("transpose_a", "transpose_b") if name in data}
np.save(sys.argv[2], _core.ops.cast(_core.ops.matmul(*inputs, **settings), dtype="float64").numpy())
"""


def product(folder, a, b, variant="amx", precision="high", **more) -> np.ndarray:
    """op(a) op(b) by one variant of the kernel, in a process of its own; the choice of the variant is checked."""
    given, result = folder / "given.npz", folder / "result.npy"
    np.savez(given, a=a, b=b, precision=precision, **more)
    environment = dict(os.environ, PRONGHORN_CPU="avx512:sim", PRONGHORN_VERBOSE="kernels")
    if variant in ("gemm", "dots_bfloat16"):
        environment["PRONGHORN_KERNEL"] = f"matmul:{variant}"
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(given), str(result)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert re.search(rf"pronghorn: matmul:{variant}[;\n]", run.stderr)
    return np.load(result)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def spread(*shape: int, seed: int = 0, powers: int = 20) -> np.ndarray:
    """Numbers whose magnitudes go from 2^-powers to 2^powers."""
    exponents = np.random.default_rng(seed + 100).integers(-powers, powers + 1, shape)
    return np.ldexp(normal(*shape, seed=seed), exponents).astype("float32")


KINDS = {
    "normal": (normal(70, 300), normal(300, 45, seed=1)),
    "positive": (np.abs(normal(70, 300)), np.abs(normal(300, 45, seed=1))),
    "wide range": (spread(70, 300), spread(300, 45, seed=1)),
    "wide rows": (normal(70, 300) * spread(70, 1, powers=60), normal(300, 45, seed=1)),
    "near the largest": (normal(70, 300) * np.float32(1e37), normal(300, 45, seed=1) * np.float32(0.01)),
    "small": (normal(70, 300) * np.float32(1e-12), normal(300, 45, seed=1) * np.float32(1e-12)),
    "cancelling": (normal(70, 300) + np.tile(np.float32([1e4, -1e4]), (70, 150)), normal(300, 45)),
    "mostly zeros": (normal(70, 300) * (normal(70, 300, seed=3) > 1.5), normal(300, 45, seed=1)),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_three_parts_are_as_exact_as_float32(kind, tmp_path):
    a, b = KINDS[kind]
    exact = a.astype("float64") @ b.astype("float64")
    scale = np.abs(a).astype("float64") @ np.abs(b).astype("float64")
    error = {v: np.abs(product(tmp_path, a, b, v) - exact) for v in ("amx", "gemm")}
    # each element within a few roundings of its terms
    assert (error["amx"] <= 1e-6 * scale).all()
    # on the whole no worse than adding up in float32; of few terms that adds fewer roundings than parts leave out
    allowed = 2 if kind == "mostly zeros" else 1
    assert np.linalg.norm(error["amx"] / scale) <= allowed * np.linalg.norm(error["gemm"] / scale)


def test_two_parts_are_within_1e_5_of_the_largest_result(tmp_path):
    a, b = KINDS["normal"]
    exact = a.astype("float64") @ b.astype("float64")
    error = np.abs(product(tmp_path, a, b, "amx_medium", "medium") - exact).max()
    assert 1e-7 * np.abs(exact).max() < error <= 3e-5 * np.abs(exact).max()


@pytest.mark.parametrize("turned", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("size", [(16, 16, 32), (17, 33, 47), (129, 31, 65), (32, 200, 31 + 32)])
def test_ragged_sizes_with_bias_either_way_round(size, turned, tmp_path):
    m, n, k = size
    a, b, bias = normal(m, k), normal(k, n, seed=1), normal(n, seed=2)
    given = [x.T if turn else x for x, turn in zip((a, b), turned)]
    result = product(tmp_path, *given, bias=bias, transpose_a=turned[0], transpose_b=turned[1])
    np.testing.assert_allclose(result, a.astype("float64") @ b + bias, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, 1e-38, 1e-42, 3e-31])
@pytest.mark.parametrize("where", ["a", "b"])
def test_blocks_that_bfloat16_cannot_hold_are_computed_in_float32(odd, where, tmp_path):
    a, b = normal(70, 64), normal(64, 70, seed=1)
    (a if where == "a" else b)[40, 40] = odd
    mixed, plain = product(tmp_path, a, b), product(tmp_path, a, b, "gemm")
    block = np.s_[32:64] if where == "a" else np.s_[:, 32:64]
    np.testing.assert_array_equal(mixed[block], plain[block])
    np.testing.assert_allclose(mixed, plain, rtol=1e-4, atol=1e-5)


def test_an_overflow_is_an_infinity_as_in_float32(tmp_path):
    a, b = normal(32, 64), normal(64, 32, seed=1)
    a[:, 0], b[0] = 3e38, 10.0
    result = product(tmp_path, a, b)
    assert np.isposinf(result).all()


@pytest.mark.parametrize("variant", ["amx_bfloat16", "dots_bfloat16"])
@pytest.mark.parametrize("size", [(40, 50, 70), (16, 16, 32), (129, 31, 65)])
@pytest.mark.parametrize("turned", [(False, False), (False, True), (True, False), (True, True)])
def test_bfloat16_products_round_once(variant, size, turned, tmp_path):
    m, n, k = size
    a, b = (np.round(normal(*shape, seed=s) * 32) / 32 for s, shape in enumerate(((m, k), (k, n))))
    bias = np.round(normal(n, seed=2) * 32) / 32
    given = [x.T if turn else x for x, turn in zip((a, b), turned)]
    settings = {"bias": bias, "transpose_a": turned[0], "transpose_b": turned[1], "dtype": "bfloat16"}
    result = product(tmp_path, *given, variant, **settings)
    exact = a.astype("float64") @ b.astype("float64") + bias
    np.testing.assert_allclose(result, exact, rtol=2**-8, atol=1e-5)
