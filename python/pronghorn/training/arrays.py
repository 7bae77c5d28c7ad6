"""Arrays as users give them, to the NumPy arrays that programs read."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import arguments, config, tree

# Types by name, so that neither package has to be imported.
_PANDAS_TYPES = ("DataFrame", "Series")


def is_array_like(value: Any) -> bool:
    """Tell whether `value` is one array (as opposed to an iterable of batches)."""
    return isinstance(value, np.ndarray) or (hasattr(value, "shape") and hasattr(value, "dtype")) or _is_pandas(value)


def _is_pandas(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "pandas" and type(value).__name__ in _PANDAS_TYPES


def to_arrays(data: Any, name: str) -> Any:
    """Convert every leaf of a structure; None stays.

    A list of numbers, or of lists of them, is one array; a list of arrays is a list of inputs.

    Args:
        data: array or structure of arrays.
        name: what it is called in error messages.

    Raises:
        ValueError: for data without a first dimension, empty data, or data that is not numeric.
    """
    if data is None:
        return None
    if isinstance(data, dict):
        return {key: to_arrays(value, f"{name}[{key!r}]") for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        if not data:
            raise ValueError(f"{name} is empty")
        if all(entry is None or tree.is_nested(entry) or is_array_like(entry) for entry in data) and _has_array(data):
            return type(data)(to_arrays(entry, f"{name}[{i}]") for i, entry in enumerate(data))
    return to_array(data, name)


def _has_array(data: Any) -> bool:
    return any(is_array_like(leaf) and getattr(leaf, "shape", ()) != () for leaf in tree.flatten(data))


def to_array(value: Any, name: str) -> np.ndarray:
    """Convert one array-like to a C-contiguous NumPy array; floating values get the default float dtype.

    Args:
        value: NumPy array, tensor, pandas object, SciPy sparse matrix, list, or anything with `__array__`.
        name: what it is called in error messages.

    Raises:
        ValueError: for data without a first dimension, empty data, or data that is not numeric.
    """
    if _is_pandas(value):
        # A Series is one column.
        value = value.to_numpy()[:, None] if type(value).__name__ == "Series" else value.to_numpy()
    elif hasattr(value, "toarray"):
        value = value.toarray()
    elif hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name}: cannot make one array of it ({error})") from None
    if array.dtype == object:
        try:
            array = array.astype(config.floatx())
        except (TypeError, ValueError):
            raise ValueError(f"{name} must be numeric, got an array of objects such as {array.flat[0]!r}") from None
    # "V" is how NumPy sees bfloat16.
    if array.dtype.kind not in "biufV":
        raise ValueError(f"{name} must be numeric, got dtype {array.dtype}")
    if array.ndim == 0:
        raise ValueError(f"{name} must have at least one dimension (the batch), got the scalar {array!r}")
    if array.size == 0:
        raise ValueError(f"{name} is empty, it has shape {array.shape}")
    if array.dtype.kind == "f" and array.dtype != config.floatx() and config.floatx() != "bfloat16":
        array = array.astype(config.floatx())
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return np.ascontiguousarray(array)


def check_lengths(data: Any) -> None:
    """Check that all arrays of (x, y, sample_weight) hold the same number of samples.

    Raises:
        ValueError: naming the sizes if they differ.
    """
    sizes = {
        name: [len(leaf) for leaf in tree.flatten(part) if leaf is not None]
        for name, part in zip(("x", "y", "sample_weight"), data)
    }
    if not sizes["x"]:
        raise ValueError("x is missing")
    if len({size for part in sizes.values() for size in part}) > 1:
        listing = "; ".join(f"{name}: {', '.join(map(str, part))}" for name, part in sizes.items() if part)
        raise ValueError(f"all arrays must hold the same number of samples, got {listing}")


def class_weight_to_sample_weight(y: np.ndarray, class_weight: dict[int, float]) -> np.ndarray:
    """Return the weight of each sample's class, 1 where the dict has none.

    Args:
        y: class numbers (n,) or (n, 1), or one-hot rows (n, classes).
        class_weight: dict of class to weight.

    Raises:
        TypeError: if it is no dict of numbers.
    """
    if not isinstance(class_weight, dict):
        raise TypeError(f"class_weight must be a dict of class to weight, got {arguments.shown(class_weight)}")
    classes = y
    if y.ndim > 1:
        classes = y.argmax(axis=-1) if y.shape[-1] != 1 else y[..., 0]
    classes = np.round(classes).astype(np.int64)
    weights = np.ones(classes.shape, config.floatx())
    for label, weight in class_weight.items():
        arguments.number(label, "class_weight: a class")
        weights[classes == label] = arguments.number(weight, f"class_weight[{label!r}]")
    return weights


def split_validation(
    arrays: tuple[Any, Any, Any], fraction: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """Split off the last part of the arrays, before any shuffling.

    Args:
        arrays: (x, y, sample_weight).
        fraction: share of the samples to split off.

    Returns:
        (training part, validation part).

    Raises:
        ValueError: if the fraction is not in (0, 1), a part would be empty, or the data is not arrays.
    """
    if not 0 < arguments.number(fraction, "validation_split") < 1:
        raise ValueError(f"validation_split must lie between 0 and 1, got {fraction!r}")
    x = arrays[0]
    if not (tree.is_nested(x) or is_array_like(x)):
        raise ValueError(f"validation_split works for arrays only, x is a {type(x).__name__}; give validation_data")
    whole = tuple(to_arrays(part, name) for part, name in zip(arrays, ("x", "y", "sample_weight")))
    check_lengths(whole)
    length = next(len(leaf) for leaf in tree.flatten(whole) if leaf is not None)
    cut = int(np.floor(length * (1 - fraction)))
    if cut == 0 or cut == length:
        raise ValueError(f"validation_split={fraction} leaves an empty part of {length} samples")

    def part(rows: slice) -> tuple[Any, Any, Any]:
        x, y, weight = (tree.map_structure(lambda leaf: None if leaf is None else leaf[rows], one) for one in whole)
        return x, y, weight

    return part(slice(0, cut)), part(slice(cut, length))
