"""Tensors made from values, shapes and ranges; dtypes."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from pronghorn import _core, arguments, config
from pronghorn.ops.dispatch import op

__all__ = [
    "array",
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "identity",
    "is_tensor",
    "meshgrid",
    "ndim",
    "ones",
    "ones_like",
    "result_type",
    "saturate_cast",
    "shape",
    "size",
    "standardize_dtype",
    "tri",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]

_raw = _core.ops


_DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "bfloat16", "float32", "float64"),
)
LARGEST = {
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float32": 3.4028234663852886e38,
    "float64": 1.7976931348623157e308,
}


def standardize_dtype(dtype: Any) -> str:
    """Return a dtype's name; the default float for None.

    Raises:
        ValueError: for what is no dtype.
    """
    if dtype is None:
        return config.floatx()
    if isinstance(dtype, str):
        name = {"float": "float32", "int": "int32", "double": "float64", "half": "float16"}.get(dtype, dtype)
    elif isinstance(dtype, type) and dtype in (float, int, bool):
        name = {float: config.floatx(), int: "int32", bool: "bool"}[dtype]
    else:
        try:
            name = np.dtype(dtype).name
        except (TypeError, ValueError):
            raise ValueError(f"dtype must be a dtype name, got {dtype!r}") from None
    if name not in _DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(_DTYPES)}, got {dtype!r}")
    return name


@op
def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """Return `x` as a tensor.

    Args:
        x: a tensor, variable, NumPy array, Python number or nested lists of them.
        dtype: dtype of the result; by default an array's own, float32 for Python floats, int32 for Python integers.
        sparse, ragged: accepted for Keras's sake; only False and None are possible.

    Raises:
        TypeError, ValueError: for what is no array.

    Example:
        >>> from pronghorn import ops
        >>> ops.convert_to_tensor([1, 2]).dtype
        'int32'
    """
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not supported")
    return _core.convert(x) if dtype is None else cast(x, dtype)


def array(x: Any, dtype: Any = None) -> Any:
    """Return `x` as a tensor; see `convert_to_tensor`."""
    return convert_to_tensor(x, dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """Return the values of `x` as a NumPy array (a copy)."""
    return np.array(_core.convert(x).numpy())


def is_tensor(x: Any) -> bool:
    """Tell whether `x` is a tensor."""
    return isinstance(x, _core.Tensor)


@op
def cast(x: Any, dtype: Any) -> Any:
    """Return `x` converted to `dtype`, as NumPy's astype does.

    Args:
        x: tensor.
        dtype: dtype name.

    Returns:
        tensor of the shape of `x`.

    Example:
        >>> from pronghorn import ops
        >>> ops.cast([1.7, -1.7], "int32")
        ph.Tensor([ 1 -1], shape=(2,), dtype=int32)
    """
    name = standardize_dtype(dtype)
    # 64-bit values of Python numbers would be lost on the way through the default types
    tensor = _core.convert(np.asarray(x) if name.endswith("64") and _is_of_numbers(x) else x)
    return tensor if tensor.dtype == name else _raw.cast(tensor, dtype=name)


def _is_of_numbers(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return all(_is_of_numbers(each) for each in x)
    return isinstance(x, (int, float))


@op
def saturate_cast(x: Any, dtype: Any) -> Any:
    """Return `x` converted to `dtype`, values beyond its range clipped to it."""
    name = standardize_dtype(dtype)
    tensor = _core.convert(x)
    if "bool" in (name, tensor.dtype):
        return cast(tensor, name)
    if tensor.dtype in ("float16", "bfloat16"):
        tensor = cast(tensor, "float32")
    (low, high), (least, most) = _range(name), _range(tensor.dtype)
    if "float" in tensor.dtype:
        own = np.dtype(tensor.dtype).type
        if "int" in name and int(own(high)) > high:
            high = np.nextafter(own(high), own(0))  # the next number towards zero that floats hold
        return cast(_raw.minimum(_raw.maximum(tensor, float(max(low, least))), float(min(high, most))), name)
    tensor = _raw.maximum(tensor, low) if low > least else tensor
    return cast(_raw.minimum(tensor, high) if high < most else tensor, name)


def _range(dtype: str) -> tuple[int, int]:
    """The smallest and the largest finite number of a dtype."""
    if "float" in dtype:
        return -int(LARGEST[dtype]), int(LARGEST[dtype])
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _shape_tuple(shape: Any) -> tuple[int, ...]:
    return arguments.integers(shape, "shape")


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return a tensor of `shape` filled with `fill_value`, in the default float unless `dtype` says otherwise.

    Args:
        shape: int or ints.
        fill_value: number.
        dtype: dtype name.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.full((2,), 7)
        ph.Tensor([7. 7.], shape=(2,), dtype=float32)
    """
    dtype = standardize_dtype(dtype)
    if isinstance(fill_value, (int, float)):
        return _raw.full(shape=_shape_tuple(shape), dtype=dtype, value=fill_value)
    value = cast(fill_value, dtype)
    return _raw.broadcast_to(value, shape=_shape_tuple(shape))


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Return a tensor of zeros.

    Args:
        shape: int or ints.
        dtype: dtype name, the default float for None.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.zeros((2,))
        ph.Tensor([0. 0.], shape=(2,), dtype=float32)
    """
    return _raw.full(shape=_shape_tuple(shape), dtype=standardize_dtype(dtype), value=0)


def ones(shape: Any, dtype: Any = None) -> Any:
    """Return a tensor of ones.

    Args:
        shape: int or ints.
        dtype: dtype name, the default float for None.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.ones((2,), "int32")
        ph.Tensor([1 1], shape=(2,), dtype=int32)
    """
    return _raw.full(shape=_shape_tuple(shape), dtype=standardize_dtype(dtype), value=1)


def empty(shape: Any, dtype: Any = None) -> Any:
    """Return a tensor of `shape` whose values do not matter (zeros)."""
    return zeros(shape, dtype)


@op
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Return zeros of the shape and, unless given, the dtype of `x`.

    Args:
        x: tensor.
        dtype: dtype name, that of `x` for None.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.zeros_like([3, 4])
        ph.Tensor([0 0], shape=(2,), dtype=int32)
    """
    x = _core.convert(x)
    return zeros(x.shape, dtype or x.dtype)


@op
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Return ones of the shape and, unless given, the dtype of `x`.

    Args:
        x: tensor.
        dtype: dtype name, that of `x` for None.

    Returns:
        tensor.

    Example:
        >>> from pronghorn import ops
        >>> ops.ones_like([3, 4])
        ph.Tensor([1 1], shape=(2,), dtype=int32)
    """
    x = _core.convert(x)
    return ones(x.shape, dtype or x.dtype)


@op
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return `fill_value` in the shape and, unless given, the dtype of `x`."""
    x = _core.convert(x)
    return full(x.shape, fill_value, dtype or x.dtype)


empty_like = zeros_like


def _diagonal(rows: int, columns: int | None, k: int, name: str) -> tuple[int, int, int]:
    """Checked sizes of a matrix, and a diagonal of it or next to it."""
    rows = arguments.integer(rows, f"{name}: N", least=0)
    columns = rows if columns is None else arguments.integer(columns, f"{name}: M", least=0)
    arguments.allocatable((rows, columns), name)
    return rows, columns, min(max(arguments.integer(k, f"{name}: k"), -rows - 1), columns + 1)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix with ones on the k-th diagonal and zeros elsewhere.

    Args:
        N: number of rows.
        M: number of columns, `N` for None.
        k: which diagonal; above the main one if positive.
        dtype: dtype name.

    Returns:
        tensor of shape (N, M).

    Example:
        >>> from pronghorn import ops
        >>> ops.eye(2)
        ph.Tensor([[1. 0.]
         [0. 1.]], shape=(2, 2), dtype=float32)
    """
    rows, columns, k = _diagonal(N, M, k, "eye")
    return _core.convert(np.eye(rows, columns, k, dtype="float64").astype(standardize_dtype(dtype)))


def identity(n: int, dtype: Any = None) -> Any:
    """Return the n x n identity matrix."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix with ones on and below the k-th diagonal."""
    rows, columns, k = _diagonal(N, M, k, "tri")
    return _core.convert(np.tri(rows, columns, k).astype(standardize_dtype(dtype)))


def _below_diagonal(x: Any, k: int, name: str) -> Any:
    """Where the matrices `x` lie on or below their k-th diagonal."""
    if len(x.shape) < 2:
        raise ValueError(f"{name}: x must have two or more dimensions, got shape {x.shape}")
    rows, columns = x.shape[-2:]
    k = arguments.integer(k, f"{name}: k") - (name == "triu")
    return _core.convert(np.tri(rows, columns, min(max(k, -rows - 1), columns + 1), dtype=bool))


def _zero_like(x: Any) -> Any:
    return _raw.full(shape=(), dtype=x.dtype, value=0)


@op
def tril(x: Any, k: int = 0) -> Any:
    """Return `x` with everything above the k-th diagonal set to zero.

    Args:
        x: tensor (..., rows, columns).
        k: which diagonal.

    Returns:
        tensor like `x`.

    Example:
        >>> from pronghorn import ops
        >>> ops.tril([[1, 2], [3, 4]])
        ph.Tensor([[1 0]
         [3 4]], shape=(2, 2), dtype=int32)
    """
    x = _core.convert(x)
    return _raw.select(_below_diagonal(x, k, "tril"), x, _zero_like(x))


@op
def triu(x: Any, k: int = 0) -> Any:
    """Return `x` with everything below the k-th diagonal set to zero.

    Args:
        x: tensor (..., rows, columns).
        k: which diagonal.

    Returns:
        tensor like `x`.

    Example:
        >>> from pronghorn import ops
        >>> ops.triu([[1, 2], [3, 4]])
        ph.Tensor([[1 2]
         [0 4]], shape=(2, 2), dtype=int32)
    """
    x = _core.convert(x)
    return _raw.select(_below_diagonal(x, k, "triu"), _zero_like(x), x)


def meshgrid(*x: Any, indexing: Literal["xy", "ij"] = "xy") -> list[Any]:
    """Return coordinate grids from coordinate vectors."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}")
    vectors = [convert_to_numpy(each) for each in x]
    grids = np.meshgrid(*vectors, indexing="ij" if indexing == "ij" else "xy")
    return [_core.convert(np.ascontiguousarray(grid)) for grid in grids]


def shape(x: Any) -> tuple[int, ...]:
    """Return the shape of `x` as a tuple.

    Args:
        x: tensor, concrete, traced or symbolic.

    Returns:
        tuple of int; None stands for unknown sizes of symbolic tensors.

    Example:
        >>> from pronghorn import ops
        >>> ops.shape(ops.zeros((2, 3)))
        (2, 3)
    """
    return x.shape if isinstance(getattr(x, "shape", None), tuple) else _core.convert(x).shape


def size(x: Any) -> int | None:
    """Return the number of elements of `x`; None where a symbolic tensor has unknown dimensions."""
    sizes = shape(x)
    return None if None in sizes else math.prod(sizes)


def ndim(x: Any) -> int:
    """Return the number of dimensions of `x`."""
    return len(x.shape) if hasattr(x, "shape") else len(_core.convert(x).shape)


def dtype(x: Any) -> str:
    """Return the name of the dtype of `x`."""
    return x.dtype if isinstance(getattr(x, "dtype", None), str) else _core.convert(x).dtype


def result_type(*dtypes: Any) -> str:
    """Return the dtype that values of these dtypes are brought to before arithmetic."""
    if not dtypes:
        raise ValueError("result_type: give at least one dtype")
    total = _raw.full(shape=(1,), dtype=standardize_dtype(getattr(dtypes[0], "dtype", dtypes[0])))
    for each in dtypes[1:]:
        total = _raw.concatenate([total, _raw.full(shape=(1,), dtype=standardize_dtype(getattr(each, "dtype", each)))])
    return total.dtype
