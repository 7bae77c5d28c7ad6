"""Convolution and pooling with Keras's arguments, in one or two dimensions and either data format."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, arguments
from pronghorn.config import standardize_data_format
from pronghorn.ops.dispatch import op
from pronghorn.ops.manipulation import expand_dims, squeeze

_raw = _core.ops


def _per_axis(value: Any, count: int, name: str) -> tuple[int, ...]:
    values = arguments.integers(value, name)
    if isinstance(value, int):
        values *= count
    if len(values) != count:
        raise ValueError(f"{name} must be an integer or {count} of them, got {value!r}")
    return values


def _check_padding(padding: str) -> str:
    if padding not in ("valid", "same"):
        raise ValueError(f"padding must be 'valid' or 'same', got {padding!r}")
    return padding


def _spatial_rank(x: Any, name: str) -> int:
    rank = len(x.shape) - 2
    if rank not in (1, 2):
        raise ValueError(f"{name}: inputs must have rank 3 or 4 (1 or 2 spatial dimensions), got shape {x.shape}")
    return rank


class _Images:
    """Inputs brought to (batch, height, width, channels), and outputs brought back."""

    def __init__(self, x: Any, data_format: str | None, name: str) -> None:
        self.rank = _spatial_rank(x, name)
        self.channels_first = standardize_data_format(data_format) == "channels_first"
        if self.channels_first:
            x = _raw.transpose(x, (0, 2, 1) if self.rank == 1 else (0, 2, 3, 1))
        self.x = expand_dims(x, 1) if self.rank == 1 else x

    def per_axis(self, value: Any, name: str) -> tuple[int, ...]:
        values = _per_axis(value, self.rank, name)
        return (1, *values) if self.rank == 1 else values

    def back(self, y: Any) -> Any:
        if self.rank == 1:
            y = squeeze(y, 1)
        if self.channels_first:
            y = _raw.transpose(y, (0, 2, 1) if self.rank == 1 else (0, 3, 1, 2))
        return y


def _as_images_kernel(kernel: Any, rank: int, name: str) -> Any:
    kernel = _core.convert(kernel)
    if len(kernel.shape) != rank + 2:
        raise ValueError(f"{name}: kernel must have rank {rank + 2}, got shape {kernel.shape}")
    return expand_dims(kernel, 0) if rank == 1 else kernel


@op
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolve images or sequences with a kernel.

    Args:
        inputs: (batch, *spatial, channels), or channels after batch with data_format="channels_first".
        kernel: (*size, channels / groups, filters); how many groups there are follows from the shapes.
        strides, dilation_rate: integer or one for each spatial dimension.
        padding: "valid" or "same".

    Returns:
        (batch, *new spatial, filters).

    Raises:
        ValueError: if the shapes do not fit together.
    """
    images = _Images(_core.convert(inputs), data_format, "conv")
    kernel = _as_images_kernel(kernel, images.rank, "conv")
    channels, in_group = images.x.shape[-1], kernel.shape[2]
    if in_group == 0 or channels % in_group:
        raise ValueError(f"conv: the {channels} channels of inputs are no multiple of the kernel's {in_group}")
    result = _raw.conv2d(
        images.x,
        kernel,
        strides=images.per_axis(strides, "strides"),
        padding=_check_padding(padding),
        dilation=images.per_axis(dilation_rate, "dilation_rate"),
        groups=channels // in_group,
    )
    return images.back(result)


@op
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolve each channel with kernels of its own.

    Args:
        inputs: (batch, *spatial, channels).
        kernel: (*size, channels, multiplier).

    Returns:
        (batch, *new spatial, channels * multiplier).
    """
    images = _Images(_core.convert(inputs), data_format, "depthwise_conv")
    kernel = _as_images_kernel(kernel, images.rank, "depthwise_conv")
    height, width, channels, multiplier = kernel.shape
    if images.x.shape[-1] != channels:
        raise ValueError(f"depthwise_conv: kernel {kernel.shape} needs {channels} channels, got {images.x.shape[-1]}")
    result = _raw.conv2d(
        images.x,
        _raw.reshape(kernel, (height, width, 1, channels * multiplier)),
        strides=images.per_axis(strides, "strides"),
        padding=_check_padding(padding),
        dilation=images.per_axis(dilation_rate, "dilation_rate"),
        groups=channels,
    )
    return images.back(result)


def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """A depthwise convolution, then one of size 1 that mixes the channels."""
    hidden = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(hidden, pointwise_kernel, 1, "valid", data_format, 1)


def _transposed_axis(
    size: int, kernel: int, stride: int, dilation: int, padding: str, extra: int | None
) -> tuple[int, tuple[int, int]]:
    """Output size and the padding of the convolution whose gradient a transposed one is."""
    extent = (kernel - 1) * dilation + 1
    full = (size - 1) * stride + extent
    if padding == "same":
        out = size * stride if extra is None else (size - 1) * stride + extent % 2 + extra
        total = max(full - out, 0)
        return out, (total // 2, total - total // 2)
    return max(full, size * stride) if extra is None else full + extra, (0, 0)


@op
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Transposed convolution: the gradient of a convolution as a layer, growing images by the strides.

    Args:
        inputs: (batch, *spatial, channels).
        kernel: (*size, filters, channels).
        output_padding: added to the output's size; None for the size that the strides give.

    Returns:
        (batch, *new spatial, filters).
    """
    images = _Images(_core.convert(inputs), data_format, "conv_transpose")
    kernel = _as_images_kernel(kernel, images.rank, "conv_transpose")
    strides = images.per_axis(strides, "strides")
    dilation = images.per_axis(dilation_rate, "dilation_rate")
    extras = (
        (None,) * images.rank if output_padding is None else _per_axis(output_padding, images.rank, "output_padding")
    )
    extras = (None, *extras) if images.rank == 1 else extras
    _check_padding(padding)
    sizes: list[int] = []
    pads: list[int] = []
    for axis in range(2):
        out, around = _transposed_axis(
            images.x.shape[1 + axis], kernel.shape[axis], strides[axis], dilation[axis], padding, extras[axis]
        )
        sizes.append(out)
        pads.extend(around)
    result = _raw.conv2d_input_grad(
        images.x, kernel, strides=strides, padding="explicit", pads=pads, dilation=dilation, size=sizes
    )
    return images.back(result)


def _pool(native: Any, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None) -> Any:
    images = _Images(_core.convert(inputs), data_format, "pooling")
    result = native(
        images.x,
        pool_size=images.per_axis(pool_size, "pool_size"),
        strides=images.per_axis(pool_size if strides is None else strides, "strides"),
        padding=_check_padding(padding),
    )
    return images.back(result)


@op
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """Largest value of each window; strides are the pool size unless given."""
    return _pool(_raw.max_pool2d, inputs, pool_size, strides, padding, data_format)


@op
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """Mean of each window, padding left out; strides are the pool size unless given."""
    return _pool(_raw.average_pool2d, inputs, pool_size, strides, padding, data_format)
