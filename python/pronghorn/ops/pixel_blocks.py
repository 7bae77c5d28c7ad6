"""Moving blocks of pixels into channels and back."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, arguments
from pronghorn.ops.dispatch import op
from pronghorn.ops.manipulation import reshape, transpose

__all__ = ["depth_to_space", "space_to_depth"]


def _image(x: Any, data_format: str, name: str) -> tuple[Any, bool]:
    """`x` as a tensor, and whether its channels come first."""
    x = _core.convert(x)
    if len(x.shape) != 4:
        raise ValueError(f"{name}: x must have four dimensions, got shape {x.shape}")
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"{name}: data_format must be 'channels_last' or 'channels_first', got {data_format!r}")
    return x, data_format == "channels_first"


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
    x, channels_first = _image(x, data_format, "depth_to_space")
    block_size = arguments.integer(block_size, "depth_to_space: block_size", least=1)
    n, height, width, channels = (x.shape[i] for i in ((0, 2, 3, 1) if channels_first else (0, 1, 2, 3)))
    if channels % block_size**2:
        raise ValueError(f"depth_to_space: {channels} channels cannot be divided into blocks of {block_size**2}")
    left = channels // block_size**2
    if channels_first:
        blocks = transpose(reshape(x, (n, left, block_size, block_size, height, width)), (0, 1, 4, 2, 5, 3))
        return reshape(blocks, (n, left, height * block_size, width * block_size))
    blocks = transpose(reshape(x, (n, height, width, block_size, block_size, left)), (0, 1, 3, 2, 4, 5))
    return reshape(blocks, (n, height * block_size, width * block_size, left))


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
    x, channels_first = _image(x, data_format, "space_to_depth")
    block_size = arguments.integer(block_size, "space_to_depth: block_size", least=1)
    n, height, width, channels = (x.shape[i] for i in ((0, 2, 3, 1) if channels_first else (0, 1, 2, 3)))
    if height % block_size or width % block_size:
        raise ValueError(f"space_to_depth: {height} x {width} pixels cannot be divided into blocks of {block_size}")
    rows, columns = height // block_size, width // block_size
    if channels_first:
        blocks = transpose(reshape(x, (n, channels, rows, block_size, columns, block_size)), (0, 1, 3, 5, 2, 4))
        return reshape(blocks, (n, channels * block_size**2, rows, columns))
    blocks = transpose(reshape(x, (n, rows, block_size, columns, block_size, channels)), (0, 1, 3, 2, 4, 5))
    return reshape(blocks, (n, rows, columns, channels * block_size**2))
