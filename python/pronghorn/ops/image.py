"""Ops on images: (height, width, channels) or (batch, height, width, channels), channels first on demand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pronghorn import _core, arguments, config
from pronghorn.ops.dispatch import op
from pronghorn.ops.matrix_product import matrix_product

__all__ = ["crop_images", "extract_patches", "pad_images", "resize", "rgb_to_grayscale"]

_raw = _core.ops


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - np.abs(x))


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel, a = -0.5."""
    x = np.abs(x)
    inner, outer = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, inner, np.where(x < 2, outer, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0)


_KERNELS = {"bilinear": _triangle, "bicubic": _cubic, "lanczos3": _lanczos(3), "lanczos5": _lanczos(5)}


def _weights(old: int, new: int, interpolation: str, antialias: bool) -> np.ndarray:
    """The matrix (new, old) that interpolates a row; pixels are squares, so that centres lie at half numbers."""
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    width = max(old / new, 1.0) if antialias else 1.0
    weights = _KERNELS[interpolation]((centres[:, None] - np.arange(old)) / width)
    return weights / weights.sum(1, keepdims=True)


def _axes(images: Any, data_format: str | None, name: str) -> tuple[Any, int, int]:
    """The images as a tensor, and which axes are height and width."""
    images = _core.convert(images)
    rank = len(images.shape)
    if rank not in (3, 4):
        raise ValueError(f"{name}: images must have rank 3 (one image) or 4 (a batch), got shape {images.shape}")
    if config.standardize_data_format(data_format) == "channels_last":
        return images, rank - 3, rank - 2
    return images, rank - 2, rank - 1


def _along(images: Any, axis: int, old: int, new: int, interpolation: str, antialias: bool) -> Any:
    if old == new:
        return images
    if interpolation == "nearest":
        index = np.floor((np.arange(new) + 0.5) * old / new).astype("int32")
        return _raw.take(images, _core.convert(index), axis=axis)
    weights = _core.convert(_weights(old, new, interpolation, antialias).astype(images.dtype))
    shape = images.shape
    rows = _raw.reshape(images, (math.prod(shape[:axis]), old, math.prod(shape[axis + 1 :])))
    return _raw.reshape(matrix_product(weights, rows), (*shape[:axis], new, *shape[axis + 1 :]))


@op
def resize(
    images: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Return images scaled to `size`.

    Args:
        images: (height, width, channels), or a batch of them.
        size: height and width of the result.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: whether the kernel grows when images shrink.
        crop_to_aspect_ratio: whether to cut off what keeps images from the shape of the result.
        pad_to_aspect_ratio: whether to fill up images to the shape of the result.
        fill_mode: only "constant".
        fill_value: what they are filled up with.
        data_format: "channels_last" or "channels_first"; None for the default.

    Returns:
        Images of the same dtype; integers are rounded.

    Raises:
        ValueError: for another rank, an unknown interpolation, or both crop and pad.

    Example:
        >>> from pronghorn import ops
        >>> ops.image.resize(ops.ones((4, 4, 3)), (2, 2)).shape
        (2, 2, 3)
    """
    if interpolation not in (*_KERNELS, "nearest"):
        raise ValueError(f"resize: interpolation must be one of {('nearest', *_KERNELS)}, got {interpolation!r}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: crop_to_aspect_ratio and pad_to_aspect_ratio cannot both be true")
    if fill_mode != "constant":
        raise ValueError(f"resize: fill_mode must be 'constant', got {fill_mode!r}")
    images, row_axis, column_axis = _axes(images, data_format, "resize")
    height, width = _pair(size, "resize: size")
    dtype = images.dtype
    old_height, old_width = images.shape[row_axis], images.shape[column_axis]
    if 0 in (old_height, old_width):
        raise ValueError(f"resize: images of shape {images.shape} have no pixels")
    fitting_height = max(1, int(old_width * height / width))
    fitting_width = max(1, int(old_height * width / height))
    if crop_to_aspect_ratio:
        rows, columns = min(old_height, fitting_height), min(old_width, fitting_width)
        images = _window(images, row_axis, (old_height - rows) // 2, rows)
        images = _window(images, column_axis, (old_width - columns) // 2, columns)
    elif pad_to_aspect_ratio:
        rows, columns = max(old_height, fitting_height), max(old_width, fitting_width)
        low, high = [0] * len(images.shape), [0] * len(images.shape)
        for axis, extra in ((row_axis, rows - old_height), (column_axis, columns - old_width)):
            low[axis] = high[axis] = extra // 2  # as in Keras: an odd pixel is left out
        images = _raw.pad(images, low, high, arguments.number(fill_value, "resize: fill_value"))
    is_float = dtype.startswith(("float", "bfloat"))
    if interpolation != "nearest" and dtype not in ("float32", "float64"):
        images = _raw.cast(images, dtype="float32")
    images = _along(images, row_axis, images.shape[row_axis], height, interpolation, antialias)
    images = _along(images, column_axis, images.shape[column_axis], width, interpolation, antialias)
    if images.dtype == dtype:
        return images
    if not is_float and dtype != "bool":
        limits = np.iinfo(dtype)
        images = _raw.round(_raw.minimum(_raw.maximum(images, float(limits.min)), float(limits.max)))
    return _raw.cast(images, dtype=dtype)


def _pair(value: Any, name: str) -> tuple[int, int]:
    """A positive number for rows and one for columns."""
    values = arguments.integers(value, name, least=1)
    if isinstance(value, int):
        values *= 2
    if len(values) != 2:
        raise ValueError(f"{name} must be a positive integer or two of them, got {value!r}")
    return values[0], values[1]


def _window(x: Any, axis: int, begin: int, count: int) -> Any:
    start, sizes = [0] * len(x.shape), list(x.shape)
    start[axis], sizes[axis] = begin, count
    return _raw.slice(x, start, sizes, (1,) * len(sizes))


def _complete(
    before: int | None, after: int | None, total: int | None, old: int, sign: int, what: str
) -> tuple[int, int]:
    """The margin before and after an axis, from any two of: before, after, the size of the result."""
    before, after, total = (
        None if each is None else arguments.integer(each, f"{what}: margins and sizes", least=0)
        for each in (before, after, total)
    )
    if (before is None) + (after is None) + (total is None) != 1:
        raise ValueError(f"{what}: exactly two of the margins before and after and the target size must be given")
    if total is not None:
        margin = sign * (total - old)
        before, after = (margin - (after or 0), after) if before is None else (before, margin - before)
    if before is None or after is None or before < 0 or after < 0:
        raise ValueError(f"{what}: margins must not be negative, got {before} and {after} for an axis of size {old}")
    return before, after


@op
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Return images with zeros around them; give two of top, bottom and height, and two of left, right and width.

    Raises:
        ValueError: for another number of them, or a negative margin.
    """
    images, row_axis, column_axis = _axes(images, data_format, "pad_images")
    low, high = [0] * len(images.shape), [0] * len(images.shape)
    rows, columns = images.shape[row_axis], images.shape[column_axis]
    low[row_axis], high[row_axis] = _complete(top_padding, bottom_padding, target_height, rows, 1, "pad_images")
    low[column_axis], high[column_axis] = _complete(left_padding, right_padding, target_width, columns, 1, "pad_images")
    return _raw.pad(images, low, high, 0.0)


@op
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Return a part of images; give two of top, bottom and height, and two of left, right and width.

    Raises:
        ValueError: for another number of them, or a negative margin.
    """
    images, row_axis, column_axis = _axes(images, data_format, "crop_images")
    rows, columns = images.shape[row_axis], images.shape[column_axis]
    top, bottom = _complete(top_cropping, bottom_cropping, target_height, rows, -1, "crop_images")
    left, right = _complete(left_cropping, right_cropping, target_width, columns, -1, "crop_images")
    images = _window(images, row_axis, top, rows - top - bottom)
    return _window(images, column_axis, left, columns - left - right)


@op
def extract_patches(
    images: Any,
    size: int | tuple[int, int],
    strides: int | tuple[int, int] | None = None,
    dilation_rate: int | tuple[int, int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Return the patches of images, each flattened into the channels of one pixel.

    Args:
        images: (height, width, channels), or a batch of them.
        size: height and width of a patch.
        strides: distance between patches; by default `size`.
        dilation_rate: distance between the pixels of a patch.
        padding: "valid" or "same" (zeros around the images).
        data_format: "channels_last" or "channels_first"; None for the default.

    Returns:
        (batch, rows of patches, columns of patches, patch height * patch width * channels).

    Raises:
        ValueError: for an unknown padding.
    """
    if padding not in ("valid", "same"):
        raise ValueError(f"extract_patches: padding must be 'valid' or 'same', got {padding!r}")
    images, row_axis, column_axis = _axes(images, data_format, "extract_patches")
    sizes = _pair(size, "extract_patches: size")
    steps = sizes if strides is None else _pair(strides, "extract_patches: strides")
    gaps = _pair(dilation_rate, "extract_patches: dilation_rate")
    arguments.allocatable(
        (sizes[0] * sizes[1] << 20, *images.shape), "extract_patches"
    )  # a patch's pixels are looped over
    spans = [gap * (each - 1) + 1 for each, gap in zip(sizes, gaps)]
    axes = (row_axis, column_axis)
    if padding == "same":
        low, high = [0] * len(images.shape), [0] * len(images.shape)
        for axis, span, step in zip(axes, spans, steps):
            extra = max((math.ceil(images.shape[axis] / step) - 1) * step + span - images.shape[axis], 0)
            low[axis], high[axis] = extra // 2, extra - extra // 2
        images = _raw.pad(images, low, high, 0.0)
    counts = [max((images.shape[axis] - span) // step + 1, 0) for axis, span, step in zip(axes, spans, steps)]
    begin, count, stride = [0] * len(images.shape), list(images.shape), [1] * len(images.shape)
    for axis, each, step in zip(axes, counts, steps):
        count[axis], stride[axis] = each, step
    pieces = []
    for row in range(sizes[0]):
        for column in range(sizes[1]):
            begin[row_axis], begin[column_axis] = row * gaps[0], column * gaps[1]
            pieces.append(_raw.slice(images, begin, count, stride))
    channel_axis = len(images.shape) - 1 if column_axis == len(images.shape) - 2 else len(images.shape) - 3
    return _raw.concatenate(pieces, axis=channel_axis)


@op
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """Return the brightness of images (0.2989 red + 0.5870 green + 0.1140 blue) as their only channel."""
    images, _, column_axis = _axes(images, data_format, "rgb_to_grayscale")
    channel_axis = len(images.shape) - 1 if column_axis == len(images.shape) - 2 else len(images.shape) - 3
    if images.shape[channel_axis] != 3:
        raise ValueError(f"rgb_to_grayscale: images must have 3 channels, got shape {images.shape}")
    dtype = images.dtype
    values = images if dtype.startswith(("float", "bfloat")) else _raw.cast(images, dtype="float32")
    weights = [1] * len(images.shape)
    weights[channel_axis] = 3
    shares = _core.convert(np.array([0.2989, 0.5870, 0.1140], "float32").reshape(weights))
    gray = _raw.reduce_sum(
        _raw.multiply(values, _raw.cast(shares, dtype=values.dtype)), axes=(channel_axis,), keepdims=True
    )
    return _raw.cast(gray, dtype=dtype)
