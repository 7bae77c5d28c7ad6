"""What the compiled GPU kernels may take and must contain; tools/check_device_code.py holds the library against it.

Kernels are named as in the source, without the namespaces ph and ph::cuda.
"""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Of one kernel, all its instances on all architectures."""

    registers: int = 64  # a thread: 1024 threads fit on every multiprocessor
    shared: int = 16384  # bytes of a block's static arrays
    stack: int = 0  # bytes a thread: registers spilled, or arrays that did not fit in them
    reason: str = ""  # for a stack


# Those that take more than the defaults.
LIMITS = {
    "average_grad_kernel": Limits(registers=80),
    "chain_kernel": Limits(registers=96),
    "dropout_kernel": Limits(registers=112),
    "gather_product_kernel": Limits(registers=216, shared=45056),
    "kernel_grad_product_kernel": Limits(registers=216, shared=22528),
    "max_grad_kernel": Limits(registers=96),
    "product_kernel": Limits(registers=255, shared=18432),
    "rows_kernel": Limits(registers=128),
    "softmax_columns_kernel": Limits(registers=72),
    "update_kernel": Limits(registers=80),
    "wgmma_kernel": Limits(registers=168),
    "wide_kernel": Limits(registers=96),
}


class Wanted(NamedTuple):
    """At least `count` instructions in each instance whose name begins with a match of `kernel`."""

    kernel: str  # regular expressions
    instruction: str
    count: int
    architectures: tuple[str, ...] = ("sm_80", "sm_90a")


VECTORS_OF_FLOAT = (
    r"rows_kernel<\w+<float>, 4,",
    r"reduce_(rows|columns)_kernel<\w+<float, 4>",
    r"reduce_(rows|columns)_kernel<Fold<float, float, 4,",
    r"reduce_(rows|columns)_kernel<Fold<float, BFloat16, 8,",
    r"channels_\w+_kernel<\w+<float, 4>",
    r"update_kernel<\w+<float>",
    r"dropout_kernel<float,",
    r"(gather_rows|concatenate|place|take)_kernel<uint4",
)
LOAD_16_BYTES, STORE_16_BYTES = r"LDG\S*\.128", r"STG\S*\.128"

WANTED = [
    Wanted(r"product_kernel<Ffma<float,", "FFMA", 256),
    Wanted(r"product_kernel<TensorCores<", "HMMA", 16),
    Wanted(r"product_kernel<TensorCores<Tf32x3,", "HMMA", 48),
    Wanted(r"product_kernel<TensorCores<.*?MatrixOperand<\w+, \w+, [48]>", r"LDGSTS\S*\.128", 8),
    Wanted(r"wgmma_kernel<", "HGMMA", 4, ("sm_90a",)),
    Wanted(r"wgmma_kernel<", "UTMALDG", 2, ("sm_90a",)),
    *(Wanted(kernel, LOAD_16_BYTES, 1) for kernel in VECTORS_OF_FLOAT),
    *(Wanted(kernel, STORE_16_BYTES, 1) for kernel in VECTORS_OF_FLOAT[4:]),
    Wanted(r"(narrow|wide)_kernel<(float|double), ", STORE_16_BYTES, 1),
]
