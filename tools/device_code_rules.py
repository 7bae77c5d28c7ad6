"""What the compiled GPU kernels may take and must contain; tools/check_device_code.py holds the library against it.

Kernels are named as in the source, without the namespaces ph and ph::cuda.
"""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Of one kernel, all its instances."""

    registers: int = 64  # a thread: 1024 threads fit on every multiprocessor
    shared: int = 16384  # bytes of a block's static arrays
    stack: int = 0  # bytes a thread: registers spilled, or arrays that did not fit in them
    reason: str = ""  # for a stack


# Those that take more than the defaults. Names are a kernel's, or the beginning of an instance's, which goes before.
LIMITS = {
    "average_grad_kernel": Limits(registers=80),
    "chain_kernel": Limits(
        registers=96,
        stack=40,
        reason="sin, cos and tan of large angles: nvcc's library has the bits of 2 / pi in an array",
    ),
    "channels_last_kernel": Limits(registers=80),
    "dropout_kernel": Limits(registers=112),
    "first_layer_grad_kernel": Limits(registers=168),
    "first_layer_kernel": Limits(registers=96),
    "gather_kernel": Limits(registers=144),
    "gather_product_kernel": Limits(registers=255, shared=45056),
    "gather_product_kernel<TensorCores<Tf32x3, 128, 128, 64, 32, 4>, 4, true": Limits(
        registers=255, stack=8, reason="two places in shared memory, of which one is read for each 16 of the depth"
    ),
    "kernel_grad_kernel": Limits(registers=192),
    "kernel_grad_product_kernel": Limits(registers=248, shared=22528),
    "max_grad_cells_kernel": Limits(registers=96),
    "max_grad_kernel": Limits(registers=128),
    "product_kernel": Limits(registers=255, shared=18432),
    "reduce_rows_kernel": Limits(registers=80),
    "resident_backward_kernel": Limits(registers=128),
    "resident_forward_kernel": Limits(registers=128),
    "rows_kernel": Limits(registers=128),
    "softmax_columns_kernel": Limits(registers=72),
    "update_kernel": Limits(registers=80),
    "wgmma_kernel": Limits(registers=168),
    "wide_kernel": Limits(registers=96),
}

# Architectures whose code has been timed or is looked at after every change. On the others the compiler takes somewhat
# more of the registers, and spills a few where a kernel is held to a number of them.
WATCHED = ("sm_80", "sm_90a")
_SPILLED = "a few registers"
LIMITS_ELSEWHERE = {
    "direct_kernel": Limits(stack=8, reason=_SPILLED),
    "first_layer_grad_kernel": Limits(registers=192, stack=8, reason=_SPILLED),
    "gather_kernel": Limits(registers=200),
    "gather_product_kernel": Limits(registers=255, shared=45056, stack=24, reason=_SPILLED),
    "kernel_grad_kernel": Limits(registers=200),
    "kernel_grad_product_kernel": Limits(registers=255, shared=22528, stack=64, reason=_SPILLED),
    "product_kernel": Limits(registers=255, shared=18432, stack=40, reason=_SPILLED),
    "reduce_columns_kernel": Limits(registers=80, stack=24, reason=_SPILLED),
    "reference::kernel_grad_kernel": Limits(registers=72),
    "resident_forward_kernel": Limits(registers=128, stack=8, reason=_SPILLED),
    "take_kernel": Limits(stack=8, reason=_SPILLED),
}


class Wanted(NamedTuple):
    """At least `count` instructions in each instance whose name begins with a match of `kernel`."""

    kernel: str  # regular expressions
    instruction: str
    count: int
    architectures: tuple[str, ...] = ("sm_80", "sm_90a")


LOADED_VECTORS = (
    r"rows_kernel<\w+<(true, |false, )?float>, 4,",
    r"reduce_(rows|columns)_kernel<\w+<float, 4>",
    r"reduce_(rows|columns)_kernel<Fold<float, float, 4,",
    r"reduce_(rows|columns)_kernel<Fold<float, BFloat16, 8,",
)
LOADED_AND_STORED_VECTORS = (
    r"rows_kernel<\w+<(true, |false, )?B?Float16>, 8,",
    r"channels_\w+_kernel<\w+<float, 4>",
    r"update_kernel<\w+<float>",
    r"dropout_kernel<float,",
    r"(gather_rows|concatenate|place|take)_kernel<uint4",
    r"direct_kernel<",
    r"gather_kernel<\w+, [48],",
)
LOAD_8_BYTES, LOAD_16_BYTES = r"LDG\S*\.64", r"LDG\S*\.128"
STORE_8_BYTES, STORE_16_BYTES = r"STG\S*\.64", r"STG\S*\.128"
LOAD_SHARED_16_BYTES = r"LDS\S*\.128"
COPY_16_BYTES = r"LDGSTS\S*\.128"
HOPPER = ("sm_90a",)

WANTED = [
    Wanted(r"(\w+_)?product_kernel<Ffma<float,", "FFMA", 256),
    Wanted(r"(\w+_)?product_kernel<TensorCores<", "HMMA", 16),
    Wanted(r"(\w+_)?product_kernel<TensorCores<Tf32x3,", "HMMA", 48),
    Wanted(r"product_kernel<TensorCores<.*?MatrixOperand<\w+, \w+, [48]>", COPY_16_BYTES, 8),
    Wanted(r"(gather|kernel_grad)_product_kernel<TensorCores<.*?>, [48],", COPY_16_BYTES, 8),
    Wanted(r"(gather|kernel_grad)_product_kernel<Ffma<.*?>, 4,", LOAD_16_BYTES, 2),
    Wanted(r"resident_(forward|backward)_kernel<(Lstm|Gru)(Grad)?<float>, 128,", "FFMA", 96),
    Wanted(r"resident_(forward|backward)_kernel<(Lstm|Gru)(Grad)?<float>, 128,", LOAD_SHARED_16_BYTES, 6),
    # one for each 32 bytes of depth that a tile takes at a time
    *(Wanted(rf"wgmma_kernel<Wgmma<.*?WgmmaTile<\d+, {32 * n}>", "HGMMA", n, HOPPER) for n in (4, 2, 1)),
    Wanted(r"wgmma_kernel<", "UTMALDG", 2, HOPPER),
    Wanted(r"first_layer_grad_kernel<", "FFMA", 72),
    Wanted(r"first_layer_grad_kernel<float,", LOAD_16_BYTES, 2),
    Wanted(r"first_layer_grad_kernel<B?Float16,", LOAD_8_BYTES, 2),
    Wanted(r"kernel_grad_kernel<\w+, [48],", LOAD_16_BYTES, 10),
    Wanted(r"channels_\w+_kernel<\w+<B?Float16, 4>", LOAD_8_BYTES, 4),
    Wanted(r"channels_\w+_kernel<\w+<B?Float16, 4>", STORE_8_BYTES, 4),
    *(Wanted(kernel, LOAD_16_BYTES, 1) for kernel in LOADED_VECTORS + LOADED_AND_STORED_VECTORS),
    *(Wanted(kernel, STORE_16_BYTES, 1) for kernel in LOADED_AND_STORED_VECTORS),
    Wanted(r"rows_kernel<(Layer\w+|Softmax|\w+Grad)<(true, |false, )?float>, 4,", STORE_16_BYTES, 1),
    Wanted(r"(narrow|wide)_kernel<(float|double), ", STORE_16_BYTES, 1),
]
