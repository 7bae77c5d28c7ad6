"""Scale the vectors of an array to length one."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import arguments


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Divide an array by its norm along an axis.

    Args:
        x: array, any shape.
        axis: axis of the vectors.
        order: order of the norm, 2 for the Euclidean.

    Returns:
        Array of the same shape; vectors of zeros stay as they are.

    Raises:
        ValueError: if `order` is not a positive integer.

    Example:
        >>> from pronghorn import utils
        >>> utils.normalize([[3.0, 4.0]])
        array([[0.6, 0.8]])
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize: order must be a positive integer, got {order!r}")
    array = arguments.numbers(x, "normalize: x")
    axis = arguments.normalize_axis(axis, array.ndim, "normalize")
    norms = np.atleast_1d(np.linalg.norm(array, arguments.number(order, "normalize: order"), axis))
    norms[norms == 0] = 1
    return array / np.expand_dims(norms, axis)
