"""Every kernel of matmul on the GPU, forced one by one on the simulator, against NumPy in float64."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pytest
from gpu_kernels import (
    DEVICE,
    MODES,
    assert_close,
    choices,
    digests_in,
    needs_device,
    needs_simulator,
    precision,
    run,
    stored,
    tolerance,
    variants,
)

from pronghorn import _core
from sample import normal

# variant: the dtypes it multiplies, each with what it may lose
EXACT, TF32 = {"float32": "exact"}, {"float32": "tf32"}
HALVES = {"float16": "float16", "bfloat16": "bfloat16"}
KINDS: dict[str, dict[str, str]] = {
    "tf32": TF32,
    "tf32_128": TF32,
    "tf32_64": TF32,
    "wgmma_tf32": TF32,
    "wgmma_tf32_256": TF32,
    "wgmma_tf32_128": TF32,
    "wgmma_tf32_64": TF32,
    "tf32x3": EXACT,
    "tf32x3_128": EXACT,
    "tf32x3_64": EXACT,
    "ffma": EXACT,
    "ffma_128": EXACT,
    "ffma_64": EXACT,
    "ffma_32": EXACT,
    "halves": HALVES,
    "halves_128": HALVES,
    "halves_64": HALVES,
    "wgmma": HALVES,
    "wgmma_256": HALVES,
    "wgmma_128": HALVES,
    "wgmma_64": HALVES,
    "double": {"float64": "float64"},
    "ffma_bfloat16": {"bfloat16": "bfloat16"},
    "reference": {**EXACT, **HALVES, "float64": "float64"},
}
EACH = [(variant, dtype) for variant, kinds in KINDS.items() for dtype in kinds]
OF_ANY_WIDTH = [(variant, dtype) for variant, dtype in EACH if variant not in ("wgmma", "wgmma_tf32")]
NARROWEST = 17  # TF32 leaves narrower products to multiply-adds where it is not forced to one tile

# m, n, k. Tiles are 32, 64 or 128 (the largest 128 x 256) a side and 8 to 64 deep.
SHAPES = [
    (17, 17, 1),  # less than any tile
    (24, 40, 8),  # rows of 16 bytes
    (32, 64, 16),  # whole tiles
    (33, 65, 17),  # one more than a tile: single elements
    (72, 136, 40),  # ragged, in rows of 16 bytes
    (128, 128, 64),
    (136, 264, 72),  # more than one tile of each kind
    (20, 24, 520),  # a depth that is split
    (19, 21, 1027),  # a split depth of single elements
    (24, 40, 2056),  # a depth that wgmma splits
    (20, 24, 5120),  # so many parts that threads share their addition
]
LAYOUTS = [(False, False), (True, False), (False, True), (True, True)]
BATCHES = [
    ((3,), (3,)),
    ((3,), ()),
    ((), (2,)),
    ((2, 1), (3,)),
    ((1, 3), (2, 1)),
]


def _matrices(m: int, n: int, k: int, layout: tuple[bool, bool], dtype: str, batches=((), ())) -> list[np.ndarray]:
    a = normal(*batches[0], *((k, m) if layout[0] else (m, k)), seed=1)
    b = normal(*batches[1], *((n, k) if layout[1] else (k, n)), seed=2)
    return [stored(a, dtype), stored(b, dtype)]


def _product(a: np.ndarray, b: np.ndarray, layout: tuple[bool, bool]) -> np.ndarray:
    a, b = a.astype("float64"), b.astype("float64")
    return (np.swapaxes(a, -1, -2) if layout[0] else a) @ (np.swapaxes(b, -1, -2) if layout[1] else b)


def _attrs(layout: tuple[bool, bool]) -> dict[str, bool]:
    return {"transpose_a": layout[0], "transpose_b": layout[1]}


def _why_refused(variant: str, m: int, n: int, k: int, layout: tuple[bool, bool], batches: int = 1) -> str | None:
    """wgmma leaves shapes to others, and where tiles are not forced, TF32 narrow ones."""
    if variant in ("tf32", "tf32x3") and min(m, n) < NARROWEST:
        return "too narrow for tensor cores"
    if not variant.startswith("wgmma"):
        return None
    if m * n * k * batches == 0:
        return "an operand without elements"
    if variant.startswith("wgmma_tf32_"):
        return None
    if variant == "wgmma_tf32":
        if layout == (False, True) and k % 4 == 0 and k >= 512:  # both lie along the depth
            return "too narrow for wgmma" if m <= 64 or n <= 32 else None
        small = min(m, n) < 256 or m * n < 400_000 or k < 512
        return "too small for copies of the operands" if small else None
    if (m if layout[0] else k) % 8 or (k if layout[1] else n) % 8:
        return "rows are not multiples of 16 bytes"
    if batches > 1 and k % 64:
        return "the depth of several matrices is not a multiple of 64"
    return "too narrow for wgmma" if variant == "wgmma" and (m <= 64 or n <= 32) else None


def _check(variant: str, dtype: str, m: int, n: int, k: int, layout=(False, False), batches=((), ())) -> None:
    a, b = _matrices(m, n, k, layout, dtype, batches)
    wanted = _product(a, b, layout)
    reason = _why_refused(variant, m, n, k, layout, wanted[..., :1, :1].size if m * n else 1)
    if reason:
        with pytest.raises(ValueError, match=f"{variant} refused: {reason}"):
            run("matmul", variant, a, b, **_attrs(layout))
        return
    got = run("matmul", variant, a, b, **_attrs(layout))
    assert_close(got, wanted, tolerance(KINDS[variant][dtype], k))


@needs_device
def test_the_table_here_names_every_variant_once():
    listed = variants("matmul")
    assert len(set(listed)) == len(listed)
    assert set(listed) == set(KINDS)


@needs_device
@pytest.mark.parametrize("layout", LAYOUTS, ids=["nn", "tn", "nt", "tt"])
@pytest.mark.parametrize(("variant", "dtype"), EACH)
def test_ragged_whole_and_split_products_in_every_layout(variant, dtype, layout):
    for shape in SHAPES:
        _check(variant, dtype, *shape, layout)


@needs_device
@pytest.mark.parametrize(("variant", "dtype"), EACH)
def test_batches_are_broadcast(variant, dtype):
    for batches in BATCHES:
        for shape in [(24, 20, 12), (40, 24, 64), (18, 19, 5)]:
            _check(variant, dtype, *shape, batches=batches)


@needs_device
@pytest.mark.parametrize(("variant", "dtype"), EACH)
def test_products_without_elements_or_without_depth(variant, dtype):
    for shape in [(0, 24, 8), (24, 0, 8), (24, 32, 0)]:
        _check(variant, dtype, *shape)
    _check(variant, dtype, 24, 32, 0, batches=((2,), ()))
    _check(variant, dtype, 24, 32, 8, batches=((0,), ()))


@needs_device
@pytest.mark.parametrize(("variant", "dtype"), EACH)
def test_narrow_products(variant, dtype):
    for shape in [(1, 1, 1), (1, 200, 24), (200, 1, 24), (16, 40, 33)]:
        _check(variant, dtype, *shape)


@needs_device
@pytest.mark.parametrize("activation", ["none", "relu"])
@pytest.mark.parametrize(("variant", "dtype"), OF_ANY_WIDTH)
def test_bias_and_activation_are_applied_once_split_or_not(variant, dtype, activation):
    for m, n, k in [(24, 40, 24), (20, 24, 1032), (33, 24, 520), (24, 40, 2056)]:
        a, b = _matrices(m, n, k, (False, False), dtype)
        bias = stored(30 * normal(n, seed=3), dtype)
        wanted = _product(a, b, (False, False)) + bias.astype("float64")
        if activation == "relu":
            wanted = np.maximum(wanted, 0)
        got = run("matmul", variant, a, b, bias, activation=activation)
        assert_close(got, wanted, tolerance(KINDS[variant][dtype], k))


@needs_device
@pytest.mark.parametrize(("variant", "dtype"), OF_ANY_WIDTH)
def test_infinities_and_nans_stay_in_their_rows(variant, dtype):
    a, b = np.ones((24, 16)), np.ones((16, 24))
    a[3, 5], a[4, 6], a[20, 15] = np.inf, -np.inf, np.nan
    wanted = a @ b
    got = run("matmul", variant, stored(a, dtype), stored(b, dtype)).astype("float64")
    np.testing.assert_array_equal(got, wanted)


@needs_device
def test_in_two_parts_of_tf32_large_and_small_numbers_are_as_exact_as_in_float32():
    rng = np.random.default_rng(7)
    a, b = (rng.normal(size=shape) * 2.0 ** rng.integers(-40, 40, size=shape) for shape in [(40, 96), (96, 48)])
    a, b = a.astype("float32"), b.astype("float32")
    wanted, scale = a.astype("float64") @ b, np.abs(a.astype("float64")) @ np.abs(b)
    for variant in ("tf32x3", "tf32x3_128", "tf32x3_64", "ffma"):
        assert (np.abs(run("matmul", variant, a, b) - wanted) <= 1e-6 * scale).all()


@needs_device
@pytest.mark.parametrize("depth", [8, 32, 520, 1027])
@pytest.mark.parametrize("numbers", ["normal", "positive"])
def test_in_two_parts_of_tf32_sums_are_as_exact_as_in_float32(numbers, depth):
    """Errors of a whole product against those of multiply-adds in float32 in the order of the depth."""
    rng = np.random.default_rng(9)
    draw = {"normal": rng.normal, "positive": rng.uniform}[numbers]
    a, b = (draw(size=shape).astype("float32") for shape in [(40, depth), (depth, 48)])
    wanted, by_float32 = a.astype("float64") @ b, np.zeros((40, 48), "float32")
    for k in range(depth):
        by_float32 = (by_float32 + np.outer(a[:, k].astype("float64"), b[k])).astype("float32")
    limit = 2 * np.linalg.norm(by_float32 - wanted)
    for variant in ("tf32x3", "tf32x3_128", "tf32x3_64", "ffma"):
        assert np.linalg.norm(run("matmul", variant, a, b) - wanted) <= limit, variant


@needs_device
@pytest.mark.parametrize("variant", ["tf32x3", "tf32x3_128", "tf32x3_64", "ffma"])
def test_the_largest_numbers_of_float32_are_multiplied_as_they_are(variant):
    largest = np.finfo("float32").max
    a, b = np.zeros((24, 16), "float32"), np.zeros((16, 24), "float32")
    for i, x in enumerate([largest, -largest, np.nextafter(largest, np.float32(0)), largest / 2, np.float32(2**120)]):
        a[i, i], b[i, i + 2] = x, 0.375
        a[i + 8, i + 8], b[i + 8, i + 10] = -0.625, x
    wanted = a.astype("float64") @ b
    np.testing.assert_allclose(run("matmul", variant, a, b), wanted, rtol=3e-7)


@needs_device
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integers_wrap_round(dtype):
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(8)
    a, b = (rng.integers(limits.min, limits.max, size=shape, dtype=dtype) for shape in [(9, 33), (33, 5)])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(run("matmul", "reference", a, b), a @ b)


@needs_device
@pytest.mark.parametrize(
    ("variant", "dtype", "asked", "reason"),
    [
        ("tf32", "float32", "highest", "the precision asked for is higher"),
        ("tf32", "float64", "high", "wants float32"),
        ("tf32x3_64", "float16", "high", "wants float32"),
        ("ffma", "float64", "high", "wants float32"),
        ("halves", "float32", "high", "wants float16 or bfloat16"),
        ("wgmma", "float32", "high", "wants float16 or bfloat16"),
        ("double", "float32", "high", "wants float64"),
        ("ffma_bfloat16", "float16", "high", "wants bfloat16"),
    ],
)
def test_a_kernel_says_why_it_refuses(variant, dtype, asked, reason, monkeypatch):
    monkeypatch.setenv("PRONGHORN_KERNEL", f"matmul:{variant}")
    with precision(asked), _core.DeviceScope(DEVICE), pytest.raises(ValueError, match=f"{variant} refused: {reason}"):
        _core.ops.matmul(*(_core.convert(x) for x in _matrices(24, 24, 16, (False, False), dtype)))


@needs_device
def test_rounded_copies_of_large_products():
    for shape, layout in [((632, 640, 516), (False, False)), ((1544, 264, 512), (True, False))]:
        _check("wgmma_tf32", "float32", *shape, layout)


SMALL, WIDE, LARGE = (24, 24, 16), (72, 72, 16), (632, 640, 516)
CHOICES = [
    ("float32", "high", SMALL),
    ("float32", "highest", SMALL),
    ("float64", "high", SMALL),
    ("float16", "high", SMALL),
    ("bfloat16", "high", SMALL),
    ("int32", "high", SMALL),
    ("float32", "high", WIDE),
    ("bfloat16", "high", WIDE),
    ("float32", "high", LARGE),
]


def choose() -> None:
    for dtype, asked, shape in CHOICES:
        with precision(asked), _core.DeviceScope(DEVICE):
            _core.ops.matmul(*(_core.convert(x) for x in _matrices(*shape, (False, False), dtype)))


@needs_simulator
@pytest.mark.parametrize(
    ("capability", "chosen"),
    [
        (75, ["ffma", "ffma", "double", "halves_64", "ffma_bfloat16", "reference", "ffma", "ffma_bfloat16", "ffma"]),
        (80, ["tf32", "tf32x3", "double", "halves", "halves", "reference", "tf32", "halves", "tf32"]),
        (86, ["tf32", "ffma", "double", "halves", "halves", "reference", "tf32", "halves", "tf32"]),
        (90, ["tf32", "tf32x3", "double", "halves", "halves", "reference", "tf32", "wgmma", "wgmma_tf32"]),
    ],
)
def test_kernels_are_chosen_by_dtype_precision_and_compute_capability(capability, chosen):
    assert choices("test_gpu_matmul", capability) == [f"matmul:{variant}" for variant in chosen]


def digests() -> Iterator[str]:
    """Of every kernel's results at a few shapes of several blocks, in the table's order."""
    for variant, dtype in OF_ANY_WIDTH:
        digest = hashlib.sha256()
        for m, n, k, batches in [
            (136, 264, 40, ((), ())),
            (24, 32, 520, ((), ())),
            (24, 32, 2056, ((), ())),
            (40, 72, 64, ((2,), ())),
        ]:
            digest.update(run("matmul", variant, *_matrices(m, n, k, (True, False), dtype, batches), transpose_a=True))
        yield digest.hexdigest()


@pytest.fixture(scope="module")
def digests_here() -> list[str]:
    return list(digests())


@needs_simulator
@pytest.mark.parametrize("mode", MODES)
def test_bits_do_not_hang_on_the_order_of_threads_blocks_and_copies(mode, digests_here):
    assert digests_in(mode, "test_gpu_matmul") == digests_here
