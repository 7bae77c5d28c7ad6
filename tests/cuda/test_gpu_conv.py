"""Every kernel of the convolutions on the GPU, forced one by one on the simulator, against NumPy in float64."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from typing import Any

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

from ops.conv import convolve
from pronghorn import _core
from sample import normal

# variant: the dtypes it takes, each with what it may lose
EXACT, TF32 = {"float32": "exact"}, {"float32": "tf32"}
HALVES = {"float16": "float16", "bfloat16": "bfloat16"}
PRODUCTS: dict[str, dict[str, str]] = {
    "tf32": TF32,
    "tf32_128": TF32,
    "tf32_64": TF32,
    "tf32_narrow": TF32,
    "tf32x3": EXACT,
    "tf32x3_128": EXACT,
    "tf32x3_64": EXACT,
    "tf32x3_narrow": EXACT,
    "ffma": EXACT,
    "ffma_128": EXACT,
    "ffma_64": EXACT,
    "ffma_narrow": EXACT,
    "ffma_32": EXACT,
    "halves": HALVES,
    "halves_128": HALVES,
    "halves_64": HALVES,
    "boxed": HALVES | TF32,
    "boxed_256": HALVES | TF32,
    "boxed_128": HALVES | TF32,
    "boxed_64": HALVES | TF32,
}
NARROW = {"boxed_narrow_64": HALVES | TF32, "boxed_narrow_32": HALVES | TF32}
ALL = {**EXACT, **HALVES, "float64": "float64"}
OTHERS = {"depthwise": {**EXACT, **HALVES}, "reference": ALL}
KINDS: dict[str, dict[str, dict[str, str]]] = {
    "conv2d": {**PRODUCTS, **NARROW, **OTHERS, "first_layer": {**EXACT, **HALVES}},
    "conv2d_input_grad": {**PRODUCTS, **NARROW, **OTHERS},
    "conv2d_kernel_grad": {**PRODUCTS, **OTHERS, "first_layer": {**EXACT, **HALVES}},
}
EACH = [(op, variant, dtype) for op, table in KINDS.items() for variant, kinds in table.items() for dtype in kinds]

# x, kernel, attributes
Case = tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]
CASES: dict[str, Case] = {
    "16-byte channels": ((2, 9, 7, 8), (3, 3, 8, 16), {"padding": "same"}),
    "single channels": ((2, 7, 6, 5), (3, 2, 5, 19), {}),
    "more than one tile": ((1, 13, 11, 16), (1, 3, 16, 136), {"padding": "same"}),
    "strides": ((2, 11, 10, 8), (3, 3, 8, 24), {"strides": (2, 3), "padding": "same"}),
    "strides, single channels": ((1, 8, 9, 3), (2, 3, 3, 18), {"strides": (2, 2)}),
    "dilation": ((1, 10, 12, 16), (3, 2, 16, 16), {"dilation": (2, 3)}),
    "strides and dilation": ((1, 11, 13, 8), (3, 3, 8, 16), {"strides": (2, 2), "dilation": (2, 3), "padding": "same"}),
    "pads": ((1, 6, 5, 8), (3, 3, 8, 16), {"padding": "explicit", "pads": (2, 0, 1, 3)}),
    "stride beyond the kernel": ((1, 9, 9, 8), (1, 1, 8, 16), {"strides": (3, 3)}),
    "groups": ((2, 6, 6, 24), (3, 3, 8, 48), {"groups": 3, "padding": "same"}),
    "pointwise": ((2, 5, 6, 32), (1, 1, 32, 24), {}),
    "many channels": ((1, 4, 5, 72), (3, 3, 72, 24), {"padding": "same"}),
    "many pixels": ((2, 20, 15, 8), (1, 2, 8, 16), {}),
    "small images": ((7, 5, 3, 16), (3, 3, 16, 40), {"padding": "same"}),
    "many small images": ((37, 3, 2, 16), (2, 2, 16, 24), {"padding": "same"}),
    "wide tiles": ((3, 14, 12, 72), (2, 3, 72, 144), {"strides": (2, 1), "padding": "same"}),
    "one channel": ((2, 10, 9, 1), (3, 3, 1, 8), {}),
    "three channels": ((2, 11, 12, 3), (3, 3, 3, 24), {"strides": (2, 2), "padding": "same"}),
    "three channels, parts of the rows": ((3, 9, 10, 3), (3, 3, 3, 64), {"padding": "same"}),
    "three channels, 5 x 5": ((1, 9, 9, 3), (5, 5, 3, 16), {"padding": "same"}),
    "four channels": ((1, 7, 9, 4), (2, 3, 4, 32), {"dilation": (2, 1)}),
    "depthwise": ((2, 7, 9, 8), (3, 3, 1, 8), {"groups": 8, "padding": "same"}),
    "depthwise, strides": ((1, 8, 11, 16), (3, 3, 1, 16), {"groups": 16, "padding": "same", "strides": (2, 2)}),
    "depthwise, 5 x 5": ((1, 9, 8, 8), (5, 5, 1, 8), {"groups": 8, "padding": "same"}),
    "depthwise, dilation": ((1, 9, 8, 8), (3, 2, 1, 8), {"groups": 8, "dilation": (2, 3)}),
    "depthwise, single channels": ((2, 6, 7, 5), (3, 3, 1, 5), {"groups": 5}),
    "depthwise, multiplier": ((1, 7, 6, 8), (3, 3, 1, 16), {"groups": 8, "strides": (1, 2), "padding": "same"}),
    "depthwise, many rows": ((5, 40, 3, 32), (3, 1, 1, 32), {"groups": 32}),
}
EMPTY: dict[str, Case] = {
    "no images": ((0, 6, 5, 8), (3, 3, 8, 16), {}),
    "no rows": ((2, 0, 5, 8), (3, 3, 8, 16), {"padding": "same"}),
    "no columns": ((2, 5, 0, 8), (3, 3, 8, 16), {"padding": "same"}),
    "no channels": ((1, 5, 5, 0), (3, 3, 0, 16), {}),
    "no filters": ((1, 5, 5, 8), (3, 3, 8, 0), {}),
    "depthwise, no images": ((0, 6, 5, 8), (3, 3, 1, 8), {"groups": 8}),
    "depthwise, no columns": ((2, 6, 0, 8), (3, 3, 1, 8), {"groups": 8, "padding": "same"}),
}


# Depths of more than 512 are split where there are few tiles.
DEEP: dict[str, Case] = {
    "deep forward": ((1, 5, 4, 136), (2, 2, 136, 24), {"padding": "same"}),
    "deep gradient of x": ((1, 6, 5, 24), (3, 3, 24, 264), {"padding": "same", "strides": (2, 2)}),
    "deep gradient of the kernel": ((2, 18, 17, 8), (2, 2, 8, 16), {}),
}
LARGE_STRIDES: dict[str, Case] = {"large strides": ((1, 20, 11, 8), (3, 3, 8, 16), {"strides": (9, 2)})}
ALL_CASES = CASES | EMPTY | DEEP | LARGE_STRIDES
DEEP_OF = dict(zip(KINDS, DEEP))


def _gradients(x: np.ndarray, kernel: np.ndarray, dy: np.ndarray, attrs: dict) -> tuple[np.ndarray, np.ndarray]:
    """Of sum(convolve(x, kernel) * dy), tap by tap."""
    dx, dk = np.zeros(x.shape), np.zeros(kernel.shape)
    groups, (images, height, width, _) = attrs.get("groups", 1), x.shape
    rows, columns, in_group, filters = kernel.shape
    flat_x, flat_dx, flat_dy = (
        array.reshape(images, array.shape[1] * array.shape[2], array.shape[3]) for array in (x, dx, dy)
    )
    # the pixels' numbers, carried through the convolution of one channel: what each output pixel reads by a tap
    numbers = np.arange(1.0, height * width + 1).reshape(1, height, width, 1)
    plain = {key: value for key, value in attrs.items() if key != "groups"}
    for r, s in np.ndindex(rows, columns):
        tap = np.zeros((rows, columns, 1, 1))
        tap[r, s] = 1
        at = convolve(numbers, tap, **plain).round().astype(int).ravel() - 1  # -1: in the padding
        inside = at >= 0
        for g in range(groups):
            c = slice(g * in_group, (g + 1) * in_group)
            f = slice(g * (filters // groups), (g + 1) * (filters // groups))
            slopes = flat_dy[:, inside, f]
            dk[r, s, :, f] += np.einsum("npf,npc->cf", slopes, flat_x[:, at[inside], c])
            flat_dx[:, at[inside], c] += slopes @ kernel[r, s, :, f].T
    return dx, dk


@functools.cache
def _inputs(op: str, name: str, dtype: str) -> tuple[tuple[np.ndarray, np.ndarray], dict[str, Any]]:
    x_shape, kernel_shape, attrs = ALL_CASES[name]
    x, kernel = stored(normal(*x_shape), dtype), stored(normal(*kernel_shape, seed=1), dtype)
    if op == "conv2d":
        return (x, kernel), attrs
    dy = stored(normal(*_output_shape(name), seed=2), dtype)
    if op == "conv2d_input_grad":
        return (dy, kernel), {**attrs, "size": x_shape[1:3]}
    return (x, dy), {**attrs, "size": kernel_shape[:2]}


@functools.cache
def _output_shape(name: str) -> tuple[int, ...]:
    x_shape, kernel_shape, attrs = ALL_CASES[name]
    return convolve(np.zeros(x_shape), np.zeros(kernel_shape), **attrs).shape


@functools.cache
def _wanted(op: str, name: str, dtype: str) -> np.ndarray:
    (x, kernel), attrs = _inputs("conv2d", name, dtype)
    x, kernel = x.astype("float64"), kernel.astype("float64")
    if op == "conv2d":
        return convolve(x, kernel, **attrs)
    dy = _inputs("conv2d_kernel_grad", name, dtype)[0][1].astype("float64")
    return _gradients(x, kernel, dy, attrs)[op == "conv2d_kernel_grad"]


def _products(op: str, name: str) -> tuple[int, int, int]:
    """m, n and k of the matrix product that a pass is ."""
    (batch, height, width, _), (rows, columns, in_group, filters), attrs = ALL_CASES[name]
    groups, strides, pixels = attrs.get("groups", 1), attrs.get("strides", (1, 1)), np.prod(_output_shape(name)[:3])
    taps = rows * columns
    if op == "conv2d":
        return pixels, filters // groups, taps * in_group
    if op == "conv2d_kernel_grad":
        return taps * in_group, filters // groups, pixels
    return batch * -(-height // strides[0]) * -(-width // strides[1]), in_group, taps * filters // groups


def _why_refused(op: str, variant: str, name: str, dtype: str) -> str | None:
    (*_, channels), (*taps, in_group, filters), attrs = ALL_CASES[name]
    groups, (m, n, k) = attrs.get("groups", 1), _products(op, name)
    if variant == "depthwise":
        return None if groups > 1 and in_group == 1 else "wants groups of one channel"
    if variant == "first_layer" and op == "conv2d_kernel_grad":
        if groups != 1 or channels not in (1, 3):
            return "wants one or three channels in one group"
        if filters == 0 or filters % 4:
            return "filters are not a multiple of 4"
        if taps != [3, 3] or attrs.get("dilation", (1, 1)) != (1, 1):
            return "wants 3 x 3 taps one pixel apart"
        return "columns' stride is above 2" if attrs.get("strides", (1, 1))[1] > 2 else None
    if variant == "first_layer":
        if groups != 1 or not 1 <= channels <= 4:
            return "wants one to four channels in one group"
        if filters % 8:
            return "filters are not a multiple of 8"
        return "tensor cores are faster" if k > 64 else None
    if variant.startswith("boxed"):
        if groups > 1:
            return "wants one group"
        if 0 in (*ALL_CASES[name][0], *ALL_CASES[name][1], *_output_shape(name)):
            return "there is nothing to multiply"
        piece = 16 // np.dtype(dtype if dtype == "float32" else "float16").itemsize
        if channels % piece or filters % piece:
            return "channels are not multiples of 16 bytes"
        if variant != "boxed":
            return None
        turned = op == "conv2d_kernel_grad" and dtype == "float32"
        few_images = "too few images" if turned and ALL_CASES[name][0][0] < 16 else None
        return "too narrow for wgmma" if m <= 64 or n <= 16 else few_images
    if variant in ("tf32", "tf32x3"):
        return "too narrow for tensor cores" if m <= 16 or n <= 8 else None
    return None


def _takes(dtype: str) -> None:
    """Skips where the ops refuse a dtype before any kernel sees it."""
    if dtype in HALVES:
        try:
            _core.ops.conv2d(
                _core.convert(stored(np.ones((1, 1, 1, 1)), dtype)),
                *[_core.convert(stored(np.ones((1, 1, 1, 1)), dtype))],
            )
        except TypeError as error:
            pytest.skip(f"the rule of convolutions: {error}")


def _check(op: str, variant: str, dtype: str, name: str) -> None:
    inputs, attrs = _inputs(op, name, dtype)
    reason = _why_refused(op, variant, name, dtype)
    if reason:
        with pytest.raises(ValueError, match=f"{variant} refused: {reason}"):
            run(op, variant, *inputs, **attrs)
        return
    bound = tolerance(KINDS[op][variant][dtype], _products(op, name)[2])
    assert_close(run(op, variant, *inputs, **attrs), _wanted(op, name, dtype), bound)


@needs_device
@pytest.mark.parametrize("op", KINDS)
def test_the_table_here_names_every_variant_once(op):
    listed = variants(op)
    assert len(set(listed)) == len(listed)
    assert set(listed) == set(KINDS[op])


@needs_device
@pytest.mark.parametrize(("op", "variant", "dtype"), EACH)
def test_each_kernel_in_all_geometries(op, variant, dtype):
    _takes(dtype)
    for name in CASES:
        _check(op, variant, dtype, name)


@needs_device
@pytest.mark.parametrize(("op", "variant", "dtype"), EACH)
def test_no_elements(op, variant, dtype):
    _takes(dtype)
    for name in EMPTY:
        if _why_refused(op, variant, name, dtype) is None:
            _check(op, variant, dtype, name)


@needs_device
@pytest.mark.parametrize(("op", "variant", "dtype"), [each for each in EACH if each[1] in PRODUCTS])
def test_a_split_depth_is_added_up(op, variant, dtype):
    _takes(dtype)
    _check(op, variant, dtype, DEEP_OF[op])


@needs_device
@pytest.mark.parametrize("activation", ["none", "relu"])
@pytest.mark.parametrize(("variant", "dtype"), [each[1:] for each in EACH if each[0] == "conv2d"])
def test_bias_and_activation_are_applied_once_split_or_not(variant, dtype, activation):
    _takes(dtype)
    names = {"depthwise": ["depthwise", "depthwise, single channels"], "first_layer": ["three channels"]}
    for name in names.get(variant, ["16-byte channels", "single channels", "deep forward"]):
        if _why_refused("conv2d", variant, name, dtype):
            continue
        inputs, attrs = _inputs("conv2d", name, dtype)
        bias = stored(10 * normal(ALL_CASES[name][1][3], seed=3), dtype)
        wanted = _wanted("conv2d", name, dtype) + bias.astype("float64")
        got = run("conv2d", variant, *inputs, bias, **attrs, activation=activation)
        wanted = np.maximum(wanted, 0) if activation == "relu" else wanted
        assert_close(got, wanted, tolerance(KINDS["conv2d"][variant][dtype], _products("conv2d", name)[2]))


@needs_device
@pytest.mark.parametrize(
    ("op", "variant", "dtype", "asked", "case", "reason"),
    [
        ("conv2d", "tf32", "float32", "highest", "16-byte channels", "the precision asked for is higher"),
        ("conv2d", "tf32x3", "float64", "high", "16-byte channels", "wants float32"),
        ("conv2d", "ffma", "float64", "high", "16-byte channels", "wants float32"),
        ("conv2d", "halves", "float32", "high", "16-byte channels", "wants float16 or bfloat16"),
        ("conv2d", "depthwise", "float64", "high", "depthwise", "wants float32 or narrower"),
        ("conv2d", "first_layer", "float64", "high", "three channels", "wants float32 or narrower"),
        ("conv2d", "first_layer", "float32", "high", "three channels, 5 x 5", "tensor cores are faster"),
    ],
)
def test_a_kernel_says_why_it_refuses(op, variant, dtype, asked, case, reason, monkeypatch):
    monkeypatch.setenv("PRONGHORN_KERNEL", f"{op}:{variant}")
    inputs, attrs = _inputs(op, case, dtype)
    with precision(asked), _core.DeviceScope(DEVICE), pytest.raises(ValueError, match=f"{variant} refused: {reason}"):
        getattr(_core.ops, op)(*(_core.convert(array) for array in inputs), **attrs)


@needs_device
def test_strides_beyond_the_table_of_classes_go_to_the_reference():
    inputs, attrs = _inputs("conv2d_input_grad", "large strides", "float32")
    for variant in ("tf32", "ffma"):
        with pytest.raises(ValueError, match=f"{variant} refused: strides beyond 8"):
            run("conv2d_input_grad", variant, *inputs, **attrs)
    wanted = _wanted("conv2d_input_grad", "large strides", "float32")
    assert_close(run("conv2d_input_grad", "reference", *inputs, **attrs), wanted, tolerance("exact", 9 * 16))


@needs_device
def test_a_first_layer_with_a_deep_kernel_is_direct_where_products_must_be_exact(monkeypatch):
    inputs, attrs = _inputs("conv2d", "three channels, 5 x 5", "float32")
    monkeypatch.setenv("PRONGHORN_KERNEL", "conv2d:first_layer")
    with precision("highest"), _core.DeviceScope(DEVICE):
        got = _core.ops.conv2d(*(_core.convert(array) for array in inputs), **attrs).numpy()
    assert_close(got, _wanted("conv2d", "three channels, 5 x 5", "float32"), tolerance("exact", 75))


CHOSEN = [("16-byte channels", "float32", "high"), ("16-byte channels", "float32", "highest")]
CHOSEN += [("16-byte channels", "float64", "high"), ("depthwise", "float32", "high"), ("depthwise", "float64", "high")]
CHOSEN += [("three channels", "float32", "high"), ("three channels, 5 x 5", "float32", "high")]
CHOSEN += [("16-byte channels", "float16", "high"), ("wide tiles", "float16", "high")]


def choose() -> None:
    for name, dtype, asked in CHOSEN:
        inputs, attrs = _inputs("conv2d", name, dtype)
        with precision(asked), _core.DeviceScope(DEVICE):
            _core.ops.conv2d(*(_core.convert(array) for array in inputs), **attrs)


@needs_simulator
@pytest.mark.parametrize(
    ("capability", "products"),
    [
        (75, ["ffma", "ffma", "first_layer", "halves_64", "halves_64"]),
        (80, ["tf32", "tf32x3", "tf32", "halves", "halves"]),
        (86, ["tf32", "ffma", "tf32", "halves", "halves"]),
        (90, ["tf32", "tf32x3", "tf32", "halves", "boxed"]),
    ],
)
def test_kernels_are_chosen_by_shape_dtype_precision_and_compute_capability(capability, products):
    high, highest, *others = products
    chosen = [high, highest, "reference", "depthwise", "reference", "first_layer", *others]
    assert choices("test_gpu_conv", capability) == [f"conv2d:{variant}" for variant in chosen]


def digests() -> Iterator[str]:
    """Of every float32 and float64 kernel's results at shapes of several blocks, in the table's order."""
    for op, variant, dtype in EACH:
        if dtype not in ("float32", "float64"):
            continue
        digest = hashlib.sha256()
        for name in ("strides", "three channels", "depthwise, many rows", DEEP_OF[op]):
            if _why_refused(op, variant, name, dtype) is None:
                inputs, attrs = _inputs(op, name, dtype)
                digest.update(run(op, variant, *inputs, **attrs))
        yield digest.hexdigest()


@pytest.fixture(scope="module")
def digests_here() -> list[str]:
    return list(digests())


@needs_simulator
@pytest.mark.parametrize("mode", MODES)
def test_bits_do_not_hang_on_the_order_of_threads_blocks_and_copies(mode, digests_here):
    assert digests_in(mode, "test_gpu_conv") == digests_here
