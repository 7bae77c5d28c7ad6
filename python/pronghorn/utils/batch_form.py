"""The (x, y, sample_weight) form of a batch."""

from __future__ import annotations

from typing import Any


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Split a batch into inputs, targets and weights; for use in your own `train_step`.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Returns:
        `(x, y, sample_weight)`, with None for what is missing.

    Raises:
        ValueError: if `data` has more than three entries.

    Example:
        >>> from pronghorn import utils
        >>> utils.unpack_x_y_sample_weight(("x", "y"))
        ('x', 'y', None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(f"data: a batch must be x, (x,), (x, y) or (x, y, sample_weight), got a tuple of {len(data)}")
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Join inputs, targets and weights into the form that `fit` takes.

    Args:
        x: inputs.
        y: targets or None.
        sample_weight: weights or None.

    Returns:
        `x`, `(x,)` (for a list of inputs), `(x, y)` or `(x, y, sample_weight)`.

    Example:
        >>> from pronghorn import utils
        >>> utils.pack_x_y_sample_weight("x", "y")
        ('x', 'y')
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
