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

from ops.recurrent import SAMPLES
from pronghorn import _core
from sample import Sample

pytestmark = needs_device
# more states than a block has threads, and products that tensor cores take
RAGGED = [sample for sample in SAMPLES if sample.id.startswith("ragged")]
# variant: the dtype it takes, and what it may lose
VARIANTS = {
    "tf32": ("float32", 3e-3),
    "float32": ("float32", 2e-6),
    "halves_through_tf32": ("float16", 5e-3),
    "halves_through_float32": ("bfloat16", 1e-2),
}


def _inputs(sample: Sample, dtype: str) -> list[np.ndarray]:
    return [x if x.dtype == bool else stored(x, dtype) for x in sample.inputs]


@pytest.mark.parametrize("op", sorted({sample.op for sample in RAGGED}))
def test_every_variant_is_tried_here(op):
    assert variants(op) == list(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("sample", RAGGED, ids=lambda sample: f"{sample.op}-{sample.id}")
def test_a_variant_loses_no_more_than_its_products_do(sample, variant):
    dtype, tolerance = VARIANTS[variant]
    inputs = _inputs(sample, dtype)
    expected = sample.reference(*(x if x.dtype == bool else x.astype("float64") for x in inputs))
    results = run_all(sample.op, variant, *inputs, **sample.attrs)
    for got, wanted in zip(results, expected if isinstance(expected, tuple) else [expected]):
        assert_close(got, wanted, tolerance)


CHOICES = [
    ("float32", "high"),
    ("float32", "highest"),
    ("float64", "high"),
    ("float16", "high"),
    ("float16", "highest"),
]


def choose() -> None:
    sample = RAGGED[0]
    for dtype, asked in CHOICES:
        with precision(asked), _core.DeviceScope(DEVICE):
            getattr(_core.ops, sample.op)(*(_core.convert(x) for x in _inputs(sample, dtype)), **sample.attrs)


@needs_simulator
@pytest.mark.parametrize("capability", [75, 90])
def test_kernels_are_chosen_by_dtype_and_precision(capability):
    chosen = ["tf32", "float32", "float32", "halves_through_tf32", "halves_through_float32"]
    assert choices("test_gpu_recurrent", capability) == [f"{RAGGED[0].op}:{variant}" for variant in chosen]


def digests() -> Iterator[str]:
    """Of every kernel's results, in the samples' order."""
    for sample in RAGGED:
        for variant, (dtype, _) in VARIANTS.items():
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
