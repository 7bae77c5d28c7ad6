"""Class numbers to rows of zeros and a one."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import arguments


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Turn class numbers into one-hot rows.

    Args:
        x: integer class numbers, any shape; a last dimension of 1 is dropped.
        num_classes: number of classes; None takes the largest number plus one.

    Returns:
        float64 array of shape `x.shape + (num_classes,)`.

    Raises:
        ValueError: if a number is negative or not below `num_classes`.

    Example:
        >>> from pronghorn import utils
        >>> utils.to_categorical([0, 2], num_classes=3)
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    classes = arguments.numbers(x, "to_categorical: x").astype("int64")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes.reshape(classes.shape[:-1])
    if num_classes is None:
        if classes.size == 0:
            raise ValueError("to_categorical: x is empty, give num_classes")
        num_classes = int(classes.max()) + 1
    num_classes = arguments.integer(num_classes, "to_categorical: num_classes", least=0)
    if classes.size and (classes.min() < 0 or classes.max() >= num_classes):
        raise ValueError(
            f"to_categorical: x must hold numbers from 0 to {num_classes - 1}, got {classes.min()} to {classes.max()}"
        )
    arguments.allocatable((classes.size, num_classes), "to_categorical")
    result = np.zeros((classes.size, num_classes))
    result[np.arange(classes.size), classes.reshape(-1)] = 1
    return result.reshape((*classes.shape, num_classes))
