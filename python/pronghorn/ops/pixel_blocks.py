"""Moving blocks of pixels into channels and back."""

from __future__ import annotations

from typing import Any

from pronghorn import _core
from pronghorn.ops.dispatch import op
from pronghorn.ops.manipulation import reshape, transpose

__all__ = ["depth_to_space", "space_to_depth"]


def _channels_last(x: Any, data_format: str, name: str) -> Any:
    x = _core.convert(x)
    if len(x.shape) != 4:
        raise ValueError(f"{name}: x must have four dimensions, got shape {x.shape}")
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"{name}: data_format must be 'channels_last' or 'channels_first', got {data_format!r}")
    return x if data_format == "channels_last" else transpose(x, (0, 2, 3, 1))


def _back(x: Any, data_format: str) -> Any:
    return x if data_format == "channels_last" else transpose(x, (0, 3, 1, 2))


@op
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Spread channels over blocks of `block_size` x `block_size` pixels.

    Args:
        x: tensor (batch, height, width, channels), or channels first.
        block_size: int.
        data_format: "channels_last" or "channels_first".

    Returns:
        Tensor with height and width times, channels divided by, `block_size` (squared).

    Raises:
        ValueError: if the channels cannot be divided so.

    Example:
        >>> from pronghorn import ops
        >>> ops.depth_to_space(ops.ones((1, 2, 2, 8)), 2).shape
        (1, 4, 4, 2)
    """
    x = _channels_last(x, data_format, "depth_to_space")
    n, height, width, channels = x.shape
    if channels % block_size**2:
        raise ValueError(f"depth_to_space: {channels} channels cannot be divided into blocks of {block_size**2}")
    blocks = reshape(x, (n, height, width, block_size, block_size, channels // block_size**2))
    y = reshape(transpose(blocks, (0, 1, 3, 2, 4, 5)), (n, height * block_size, width * block_size, -1))
    return _back(y, data_format)


@op
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Gather blocks of `block_size` x `block_size` pixels into channels, the inverse of `depth_to_space`.

    Args:
        x: tensor (batch, height, width, channels), or channels first.
        block_size: int.
        data_format: "channels_last" or "channels_first".

    Returns:
        Tensor with height and width divided by, channels times, `block_size` (squared).

    Raises:
        ValueError: if height or width cannot be divided so.

    Example:
        >>> from pronghorn import ops
        >>> ops.space_to_depth(ops.ones((1, 4, 4, 2)), 2).shape
        (1, 2, 2, 8)
    """
    x = _channels_last(x, data_format, "space_to_depth")
    n, height, width, channels = x.shape
    if height % block_size or width % block_size:
        raise ValueError(f"space_to_depth: {height} x {width} pixels cannot be divided into blocks of {block_size}")
    rows, columns = height // block_size, width // block_size
    blocks = reshape(x, (n, rows, block_size, columns, block_size, channels))
    y = reshape(transpose(blocks, (0, 1, 3, 2, 4, 5)), (n, rows, columns, channels * block_size**2))
    return _back(y, data_format)
