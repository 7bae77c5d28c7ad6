"""TensorFlow's names at the top level, for programs that begin with `import tensorflow as tf`.

Each is a thin name over `pronghorn.ops`, with TensorFlow's argument names and defaults.
"""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

from pronghorn import arguments, ops

_NOT_OURS = {*globals(), "name"}

# ops of the same name and meaning
_SAME = (
    *("abs", "add", "cast", "convert_to_tensor", "cos", "divide", "einsum", "equal", "exp", "eye", "floor", "greater"),
    *("greater_equal", "is_tensor", "less", "less_equal", "linspace", "logical_and", "logical_not", "logical_or"),
    *("maximum", "minimum", "multiply", "negative", "not_equal", "ones", "ones_like", "round", "shape", "sigmoid"),
    *("sign", "sin", "sqrt", "square", "stop_gradient", "subtract", "tanh", "tensordot", "where", "zeros"),
    "zeros_like",
)
globals().update({name: getattr(ops, name) for name in _SAME})

bool = "bool"
int8, int16, int32, int64 = "int8", "int16", "int32", "int64"
uint8, uint16, uint32, uint64 = "uint8", "uint16", "uint32", "uint64"
float16, bfloat16, float32, float64 = "float16", "bfloat16", "float32", "float64"

pow = ops.power
clip_by_value = ops.clip
scatter_nd = ops.scatter


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """Return a tensor of the given values.

    Args:
        value: a number, nested lists of numbers or an array.
        dtype: dtype name; by default int32 for integers, float32 for floats, an array's own.
        shape: shape of the result; a single number fills it.
        name: accepted for TensorFlow's sake.

    Returns:
        a tensor.

    Raises:
        ValueError: if the values do not fill `shape`.

    Example:
        >>> import pronghorn as ph
        >>> ph.constant([2, 3])
        ph.Tensor([2 3], shape=(2,), dtype=int32)
    """
    tensor = ops.convert_to_tensor(value, dtype)
    if shape is None:
        return tensor
    return ops.broadcast_to(tensor, shape) if tensor.size == 1 else ops.reshape(tensor, shape)


def fill(dims: Any, value: Any, name: str | None = None) -> Any:
    """Return a tensor of shape `dims` filled with `value`."""
    return ops.broadcast_to(ops.convert_to_tensor(value), dims)


def rank(input: Any, name: str | None = None) -> Any:
    """Return the number of dimensions of `input`, as an int32 tensor.

    Example:
        >>> import pronghorn as ph
        >>> ph.rank(ph.zeros([2, 3]))
        ph.Tensor(2, shape=(), dtype=int32)
    """
    return ops.convert_to_tensor(ops.ndim(input), "int32")


def size(input: Any, name: str | None = None) -> Any:
    """Return the number of elements of `input`, as an int32 tensor."""
    return ops.convert_to_tensor(ops.size(input), "int32")


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Any:
    """Return the numbers from `start` up to but without `limit` in steps of `delta`; range(n) starts at 0.

    Raises:
        ValueError: if `delta` is zero.

    Example:
        >>> import pronghorn as ph
        >>> ph.range(3)
        ph.Tensor([0 1 2], shape=(3,), dtype=int32)
    """
    return ops.arange(start, limit, delta, dtype)


def identity(input: Any, name: str | None = None) -> Any:
    """Return a tensor with the values of `input`."""
    return ops.convert_to_tensor(input)


def matmul(a: Any, b: Any, transpose_a: Any = False, transpose_b: Any = False, name: str | None = None) -> Any:
    """Return the matrix product of `a` and `b`, either one transposed first if so wished."""
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    b = ops.swapaxes(b, -1, -2) if transpose_b else b
    return ops.matmul(a, b)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """Return `tensor` in another shape; one entry may be -1."""
    return ops.reshape(tensor, shape)


def transpose(a: Any, perm: Any = None, name: str | None = None) -> Any:
    """Return `a` with its axes permuted, reversed by default."""
    return ops.transpose(a, perm)


def expand_dims(input: Any, axis: Any, name: str | None = None) -> Any:
    """Return `input` with a new axis of size 1."""
    return ops.expand_dims(input, axis)


def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Any:
    """Return `input` without axes of size 1."""
    return ops.squeeze(input, axis)


def concat(values: Any, axis: int, name: str | None = None) -> Any:
    """Join tensors along an axis."""
    return ops.concatenate(values, axis)


def stack(values: Any, axis: int = 0, name: str | None = None) -> Any:
    """Join tensors along a new axis."""
    return ops.stack(values, axis)


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str | None = None) -> Any:
    """Cut a tensor into its slices along an axis."""
    return ops.unstack(value, num, axis)


def split(value: Any, num_or_size_splits: Any, axis: int = 0, name: str | None = None) -> Any:
    """Cut a tensor along an axis, into so many equal parts or into parts of the given sizes."""
    if isinstance(num_or_size_splits, int):
        return ops.split(value, num_or_size_splits, axis)
    sizes = arguments.integers(num_or_size_splits, "split: num_or_size_splits", least=0)
    return ops.split(value, list(itertools.accumulate(sizes[:-1])), axis)


def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """Return `input` repeated as a whole along each axis."""
    return ops.tile(input, multiples)


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None) -> Any:
    """Return `tensor` with elements added before and after each axis."""
    mode = mode.lower() if isinstance(mode, str) else mode
    return ops.pad(tensor, paddings, mode, constant_values if mode == "constant" else None)


def gather(params: Any, indices: Any, axis: int = 0, name: str | None = None) -> Any:
    """Return the slices of `params` along `axis` that `indices` name."""
    return ops.take(params, indices, axis)


def one_hot(indices: Any, depth: int, axis: int = -1, dtype: Any = None, name: str | None = None) -> Any:
    """Return vectors of length `depth` with a one where `indices` say."""
    return ops.one_hot(indices, depth, axis, dtype)


def argmax(input: Any, axis: int = 0, output_type: str = "int64", name: str | None = None) -> Any:
    """Return the index of the first largest value along `axis`."""
    return ops.cast(ops.argmax(input, axis), output_type)


def argmin(input: Any, axis: int = 0, output_type: str = "int64", name: str | None = None) -> Any:
    """Return the index of the first smallest value along `axis`."""
    return ops.cast(ops.argmin(input, axis), output_type)


def reduce_sum(input_tensor: Any, axis: Any = None, keepdims: Any = False, name: str | None = None) -> Any:
    """Sum over `axis`, over everything for None."""
    return ops.sum(input_tensor, axis, keepdims)


def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: Any = False, name: str | None = None) -> Any:
    """Mean over `axis`, over everything for None; integers give a float, as in Keras."""
    return ops.mean(input_tensor, axis, keepdims)


def reduce_max(input_tensor: Any, axis: Any = None, keepdims: Any = False, name: str | None = None) -> Any:
    """Largest value over `axis`."""
    return ops.max(input_tensor, axis, keepdims)


def reduce_min(input_tensor: Any, axis: Any = None, keepdims: Any = False, name: str | None = None) -> Any:
    """Smallest value over `axis`."""
    return ops.min(input_tensor, axis, keepdims)


def reduce_prod(input_tensor: Any, axis: Any = None, keepdims: Any = False, name: str | None = None) -> Any:
    """Product over `axis`."""
    return ops.prod(input_tensor, axis, keepdims)


def reduce_all(input_tensor: Any, axis: Any = None, keepdims: Any = False, name: str | None = None) -> Any:
    """Whether all values over `axis` are true."""
    return ops.all(input_tensor, axis, keepdims)


def reduce_any(input_tensor: Any, axis: Any = None, keepdims: Any = False, name: str | None = None) -> Any:
    """Whether any value over `axis` is true."""
    return ops.any(input_tensor, axis, keepdims)


_SHARED = {
    **{name: getattr(ops, name) for name in _SAME if name not in ("eye", "ones", "shape", "zeros")},
    "argmax": argmax,
    "argmin": argmin,
    "pow": pow,
    "reduce_all": reduce_all,
    "reduce_any": reduce_any,
    "reduce_max": reduce_max,
    "reduce_mean": reduce_mean,
    "reduce_min": reduce_min,
    "reduce_prod": reduce_prod,
    "reduce_sum": reduce_sum,
}

math = SimpleNamespace(
    **_SHARED,
    ceil=ops.ceil,
    cumsum=ops.cumsum,
    divide_no_nan=ops.divide_no_nan,
    erf=ops.erf,
    floordiv=ops.floor_divide,
    is_nan=ops.isnan,
    log=ops.log,
    log1p=ops.log1p,
    mod=ops.mod,
    reduce_logsumexp=ops.logsumexp,
    reduce_std=ops.std,
    reduce_variance=ops.var,
    rsqrt=ops.rsqrt,
    softplus=ops.softplus,
    top_k=ops.top_k,
)

nn = SimpleNamespace(
    **{name: getattr(ops, name) for name in ("elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu")},
    **{name: getattr(ops, name) for name in ("sigmoid", "silu", "softmax", "softplus", "softsign", "tanh", "top_k")},
    swish=ops.silu,
)

__all__ = [name for name in globals() if not name.startswith("_") and name not in _NOT_OURS]
