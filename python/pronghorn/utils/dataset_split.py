"""Split arrays in two parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import arguments, tree


def split_dataset(
    dataset: Any,
    left_size: float | int | None = None,
    right_size: float | int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """Split arrays into a left and a right part, for example for training and test.

    Args:
        dataset: an array, or a list, tuple or dict of arrays of the same length.
        left_size: fraction (float) or number (int) of samples of the left part.
        right_size: same for the right part.
        shuffle: whether to shuffle before splitting.
        seed: seed of the shuffling.

    Returns:
        (left, right), each in the form of `dataset`.

    Raises:
        ValueError: if no size is given, if the sizes do not fit, or if the arrays differ in length.

    Example:
        >>> import numpy as np
        >>> from pronghorn import utils
        >>> left, right = utils.split_dataset(np.arange(10), left_size=0.8)
        >>> right
        array([8, 9])
    """
    arrays = tree.map_structure(np.asarray, dataset)
    if not all(array.ndim for array in tree.flatten(arrays)):
        raise ValueError(
            f"split_dataset: dataset must be an array or arrays of samples, got {arguments.shown(dataset)}"
        )
    lengths = {len(array) for array in tree.flatten(arrays)}
    if len(lengths) != 1:
        raise ValueError(f"split_dataset: the arrays have different lengths {sorted(lengths)}")
    total = lengths.pop()
    if total < 2:
        raise ValueError(f"split_dataset: dataset must have at least 2 samples, got {total}")
    if left_size is None and right_size is None:
        raise ValueError("split_dataset: give left_size or right_size")
    left = _count("left_size", left_size, total)
    right = _count("right_size", right_size, total)
    if left is None and right is not None:
        left = total - right
    elif right is None and left is not None:
        right = total - left
    assert left is not None and right is not None
    if left + right > total or left == 0 or right == 0:
        raise ValueError(f"split_dataset: cannot take {left} and {right} of {total} samples")
    order = np.arange(total)
    if shuffle:
        order = np.random.default_rng(seed).permutation(total)
    return (
        tree.map_structure(lambda array: array[order[:left]], arrays),
        tree.map_structure(lambda array: array[order[left : left + right]], arrays),
    )


def _count(name: str, size: float | int | None, total: int) -> int | None:
    if size is None:
        return None
    if isinstance(size, float) and 0 < size < 1:
        return round(size * total)
    if isinstance(size, int) and not isinstance(size, bool) and 0 < size < total:
        return size
    raise ValueError(f"split_dataset: {name} must be a float in (0, 1) or an int in [1, {total - 1}], got {size!r}")
