"""Kernels of recurrent ops: each variant, which one is chosen, the same bits in every order of threads and copies."""

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
    run_all,
    stored,
    variants,
)

from ops.recurrent import SAMPLES, samples_of
from pronghorn import _core
from sample import Sample

pytestmark = needs_device
# more states than a block has threads, and products that tensor cores take
RAGGED = [sample for sample in SAMPLES if sample.id.startswith("ragged")]
# variant: the dtype it takes, and what it may lose
STEPWISE = {
    "tf32": ("float32", 3e-3),
    "float32": ("float32", 2e-6),
    "halves_through_tf32": ("float16", 5e-3),
    "halves_through_float32": ("bfloat16", 1e-2),
}
RESIDENT = {"resident": ("float32", 2e-6), "halves_through_resident": ("float16", 2e-3)}
VARIANTS = RESIDENT | STEPWISE
OPS = sorted({sample.op for sample in RAGGED})
# (batch, steps, units, masked): widths of 32, 64 and 128, whole and ragged, with one, two and four samples a block
BLOCKS = {
    "one-of-128": (3, 3, 128, False),
    "one-of-65": (2, 4, 65, True),
    "two-of-128": (133, 2, 128, True),
    "four-of-70": (267, 2, 70, True),
    "four-of-128": (266, 1, 128, False),
    "one-of-64": (2, 3, 64, True),
    "two-of-64": (265, 2, 64, False),
    "four-of-42": (530, 2, 42, True),
    "two-of-9": (529, 3, 9, True),
    "four-of-32": (1057, 2, 32, False),
}
BLOCK_SAMPLES = [
    sample
    for name, size in BLOCKS.items()
    for sample in samples_of(name, *size)
    if sample.attrs.get("reset_after", True)
]


def _inputs(sample: Sample, dtype: str) -> list[np.ndarray]:
    return [x if x.dtype == bool else stored(x, dtype) for x in sample.inputs]


def _takes(sample: Sample, variant: str) -> bool:
    """Without reset_after a step of the GRU is two products, which a resident layer does not have."""
    return variant not in RESIDENT or sample.attrs.get("reset_after", True)


@pytest.mark.parametrize("op", OPS)
def test_every_variant_is_tried_here(op):
    assert variants(op) == list(VARIANTS)


def _assert_loses_no_more(sample: Sample, variant: str) -> None:
    dtype, tolerance = VARIANTS[variant]
    inputs = _inputs(sample, dtype)
    expected = sample.reference(*(x if x.dtype == bool else x.astype("float64") for x in inputs))
    results = run_all(sample.op, variant, *inputs, **sample.attrs)
    for got, wanted in zip(results, expected if isinstance(expected, tuple) else [expected]):
        assert_close(got, wanted, tolerance)


@pytest.mark.parametrize(
    ("sample", "variant"),
    [
        pytest.param(sample, variant, id=f"{sample.op}-{sample.id}-{variant}")
        for sample in RAGGED
        for variant in VARIANTS
        if _takes(sample, variant)
    ],
)
def test_a_variant_loses_no_more_than_its_products_do(sample, variant):
    _assert_loses_no_more(sample, variant)


@pytest.mark.parametrize("sample", BLOCK_SAMPLES, ids=lambda sample: f"{sample.op}-{sample.id}")
def test_a_resident_layer_is_exact_for_each_width_and_number_of_samples_a_block(sample):
    try:
        _assert_loses_no_more(sample, "resident")
    except ValueError as error:
        if "wants more shared memory than this compute capability has" not in str(error):
            raise
        assert sample.inputs[1 if sample.op in ("lstm", "gru", "simple_rnn") else 0].shape[0] > 64
        pytest.skip("compute capability 7.5 has not the shared memory for more than 64 units")


@pytest.mark.parametrize("op", OPS)
def test_a_sample_has_the_same_bits_in_a_block_of_its_own_and_of_four(op):
    for name in ("four-of-42", "four-of-32"):
        for sample in (sample for sample in BLOCK_SAMPLES if sample.op == op and sample.id.startswith(name)):
            many = _inputs(sample, "float32")
            batch = BLOCKS[name][0]
            few = [x[-3:] if len(x) == batch else x for x in many]
            for of_many, of_few in zip(
                run_all(op, "resident", *many, **sample.attrs), run_all(op, "resident", *few, **sample.attrs)
            ):
                assert of_many[-3:].tobytes() == of_few.tobytes()


CHOICES = [
    ("float32", "high"),
    ("float32", "highest"),
    ("float64", "high"),
    ("float16", "high"),
    ("float16", "highest"),
]
# (batch, steps, units): the widest that needs no shared memory for the kernel, the next, the widest, too wide, too many
CHOICE_SIZES = [(2, 2, 64), (2, 2, 65), (2, 2, 128), (2, 2, 129), (300, 1, 65), (2113, 1, 65), (2113, 1, 64)]


def choose() -> None:
    for dtype, asked in CHOICES:
        sample = RAGGED[0]
        with precision(asked), _core.DeviceScope(DEVICE):
            getattr(_core.ops, sample.op)(*(_core.convert(x) for x in _inputs(sample, dtype)), **sample.attrs)
    for size in CHOICE_SIZES:
        sample = next(iter(samples_of("size", *size, False)))
        with _core.DeviceScope(DEVICE):
            getattr(_core.ops, sample.op)(*(_core.convert(x) for x in _inputs(sample, "float32")))
    for sample in (sample for sample in RAGGED if sample.op == "gru"):
        with _core.DeviceScope(DEVICE):
            _core.ops.gru(*(_core.convert(x) for x in _inputs(sample, "float32")), **sample.attrs)


@needs_simulator
@pytest.mark.parametrize("capability", [75, 86, 90])
def test_kernels_are_chosen_by_dtype_precision_and_size(capability):
    chosen = choices("test_gpu_recurrent", capability)
    assert RAGGED[0].op == "lstm"
    of_grus = ["resident" if sample.attrs["reset_after"] else "tf32" for sample in RAGGED if sample.op == "gru"]
    assert [entry for entry in chosen if entry.startswith("gru:")] == [f"gru:{variant}" for variant in of_grus]
    wide = "resident" if capability >= 80 else "tf32"
    of_sizes = ["resident", wide, wide, "tf32", wide, "tf32", "resident"]
    of_dtypes = ["resident", "resident", "float32", "halves_through_resident", "halves_through_resident"]
    assert [entry for entry in chosen if entry.startswith("lstm:")] == [
        f"lstm:{variant}" for variant in of_dtypes + of_sizes
    ]


def digests() -> Iterator[str]:
    """Of every kernel's results, in the samples' order."""
    for sample in RAGGED + BLOCK_SAMPLES[:8]:
        for variant, (dtype, _) in VARIANTS.items():
            if not _takes(sample, variant):
                continue
            digest = hashlib.sha256()
            for result in run_all(sample.op, variant, *_inputs(sample, dtype), **sample.attrs):
                digest.update(result)
            yield digest.hexdigest()


@pytest.fixture(scope="module")
def digests_here() -> list[str]:
    return list(digests())


@needs_simulator
@pytest.mark.parametrize("mode", MODES)
def test_bits_do_not_hang_on_the_order_of_threads_blocks_and_copies(mode, digests_here):
    assert digests_in(mode, "test_gpu_recurrent") == digests_here
