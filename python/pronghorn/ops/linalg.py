"""Products of matrices and vectors, norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import _core, arguments
from pronghorn.arguments import normalize_axes
from pronghorn.ops import einsum_plan, reduction
from pronghorn.ops.dispatch import op
from pronghorn.ops.joining import stack
from pronghorn.ops.manipulation import diagonal, moveaxis
from pronghorn.ops.matrix_product import matrix_product

__all__ = [
    "cross",
    "dot",
    "einsum",
    "inner",
    "kron",
    "matmul",
    "norm",
    "outer",
    "tensordot",
    "trace",
    "vander",
    "vdot",
]

_raw = _core.ops


@op
def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product over the last two axes; leading axes broadcast, vectors are rows or columns as needed.

    Args:
        x1: tensor.
        x2: tensor.

    Returns:
        tensor of the common dtype.

    Raises:
        ValueError: if the inner sizes differ or an input has rank 0.

    Example:
        >>> from pronghorn import ops
        >>> ops.matmul([[1, 2], [3, 4]], [1, 1])
        ph.Tensor([3 7], shape=(2,), dtype=int32)
    """
    a, b = _core.convert(x1), _core.convert(x2)
    if not a.shape or not b.shape:
        raise ValueError(f"matmul: inputs must have rank 1 or more, got shapes {a.shape} and {b.shape}")
    if a.dtype == b.dtype == "bool":
        return _raw.cast(matmul(_raw.cast(a, dtype="int32"), _raw.cast(b, dtype="int32")), dtype="bool")
    if a.dtype == b.dtype == "int8":  # as in Keras, a product of int8 has room for its sum
        a, b = _raw.cast(a, dtype="int32"), _raw.cast(b, dtype="int32")
    row, column = len(a.shape) == 1, len(b.shape) == 1
    if row:
        a = _raw.reshape(a, (1, *a.shape))
    if column:
        b = _raw.reshape(b, (*b.shape, 1))
    if len(b.shape) == 2 and len(a.shape) > 2:  # one big product instead of many small ones
        flat = matrix_product(_raw.reshape(a, (math.prod(a.shape[:-1]), a.shape[-1])), b)
        result = _raw.reshape(flat, (*a.shape[:-1], b.shape[-1]))
    else:
        result = matrix_product(a, b)
    if not row and not column:
        return result
    shape = list(result.shape)
    if row:
        del shape[-2]
    if column:
        del shape[-1]
    return _raw.reshape(result, tuple(shape))


@op
def dot(x1: Any, x2: Any) -> Any:
    """NumPy's dot: the sum over the last axis of `x1` and the second last of `x2`."""
    a, b = _core.convert(x1), _core.convert(x2)
    if not a.shape or not b.shape:
        return _raw.multiply(a, b)
    return tensordot(a, b, axes=[[-1], [-2 if len(b.shape) > 1 else -1]])


@op
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Sum of products over pairs of axes: the last `axes` of x1 with the first of x2, or as two lists say.

    Args:
        x1: tensor.
        x2: tensor.
        axes: an int, or (axes of x1, axes of x2).

    Returns:
        tensor.

    Raises:
        ValueError: if the sizes of a pair differ.

    Example:
        >>> from pronghorn import ops
        >>> ops.tensordot([[1, 2], [3, 4]], [1, 1], axes=1)
        ph.Tensor([3 7], shape=(2,), dtype=int32)
    """
    a, b = _core.convert(x1), _core.convert(x2)
    if isinstance(axes, int):
        if not 0 <= axes <= min(len(a.shape), len(b.shape)):
            raise ValueError(
                f"tensordot: axes must be between 0 and the ranks of x1 {a.shape} and x2 {b.shape}, got {axes}"
            )
        from_a, from_b = list(range(len(a.shape) - axes, len(a.shape))), list(range(axes))
    else:
        if not isinstance(axes, (list, tuple)) or len(axes) != 2:
            raise ValueError(f"tensordot: axes must be an integer or two lists of axes, got {arguments.shown(axes)}")
        from_a, from_b = axes
    from_a = list(normalize_axes(from_a, len(a.shape), "tensordot"))
    from_b = list(normalize_axes(from_b, len(b.shape), "tensordot"))
    sizes_a, sizes_b = [a.shape[i] for i in from_a], [b.shape[i] for i in from_b]
    if sizes_a != sizes_b:
        raise ValueError(f"tensordot: axes of sizes {sizes_a} of x1 {a.shape} meet {sizes_b} of x2 {b.shape}")
    rest_a = [i for i in range(len(a.shape)) if i not in from_a]
    rest_b = [i for i in range(len(b.shape)) if i not in from_b]
    k = math.prod(sizes_a)
    left = _raw.reshape(_raw.transpose(a, rest_a + from_a), (math.prod(a.shape[i] for i in rest_a), k))
    right = _raw.reshape(_raw.transpose(b, from_b + rest_b), (k, math.prod(b.shape[i] for i in rest_b)))
    shape = tuple(a.shape[i] for i in rest_a) + tuple(b.shape[i] for i in rest_b)
    return _raw.reshape(matrix_product(left, right), shape)


@op
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Sum of products by Einstein's convention, as NumPy's einsum ("bij,bjk->bik"; with "..." for leading axes).

    Args:
        subscripts: letters of the axes of each operand, and of the result.
        *operands: tensors.
        **kwargs: accepted for Keras's sake, without effect.

    Raises:
        ValueError: if the subscripts do not fit the operands.
    """
    return einsum_plan.run(subscripts, [_core.convert(operand) for operand in operands])


@op
def outer(x1: Any, x2: Any) -> Any:
    """Products of all pairs of elements of two (flattened) tensors."""
    return _raw.multiply(_raw.reshape(x1, (-1, 1)), _raw.reshape(x2, (1, -1)))


@op
def inner(x1: Any, x2: Any) -> Any:
    """Sum of products over the last axes."""
    a, b = _core.convert(x1), _core.convert(x2)
    if not a.shape or not b.shape:
        return _raw.multiply(a, b)
    return tensordot(a, b, axes=[[-1], [-1]])


@op
def vdot(x1: Any, x2: Any) -> Any:
    """Sum of products of two flattened tensors."""
    return reduction.sum(_raw.multiply(_raw.reshape(x1, (-1,)), _raw.reshape(x2, (-1,))))


@op
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum of a diagonal."""
    return reduction.sum(diagonal(x, offset, axis1, axis2), axis=-1)


@op
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Vector norm over `axis` (of all elements for None), or of matrices for two axes.

    Args:
        x: floating tensor.
        ord: 2 by default; any number, inf, -inf; for two axes "fro", 1, -1, inf, -inf.

    Raises:
        ValueError: for another `ord`.
    """
    x = _core.convert(x)
    if not x.dtype.startswith(("float", "bfloat")):
        x = _raw.cast(x, dtype="float32")
    axes = normalize_axes(axis, len(x.shape), "norm")
    if ord is None or ord == "fro" or (ord == 2 and len(axes) == 1):
        return _raw.sqrt(reduction.sum(_raw.square(x), axes, keepdims))
    magnitude = _raw.abs(x)
    if len(axes) == 1:
        if ord == math.inf:
            return reduction.max(magnitude, axes, keepdims)
        if ord == -math.inf:
            return reduction.min(magnitude, axes, keepdims)
        if ord == 0:
            return reduction.sum(_raw.cast(_raw.not_equal(x, 0), dtype=x.dtype), axes, keepdims)
        if isinstance(ord, (int, float)):
            return _raw.power(reduction.sum(_raw.power(magnitude, ord), axes, keepdims), 1.0 / ord)
    if len(axes) == 2 and ord in (1, -1, math.inf, -math.inf):
        summed, other = axes if ord in (1, -1) else axes[::-1]
        total = reduction.sum(magnitude, summed, keepdims=True)
        extreme = reduction.max if ord in (1, math.inf) else reduction.min
        result = extreme(total, other, keepdims=True)
        return result if keepdims else _raw.reshape(result, reduction.sum(x, axes).shape)
    raise ValueError(f"norm: ord={ord!r} is not defined over {len(axes)} axes")


@op
def kron(x1: Any, x2: Any) -> Any:
    """Kronecker product: `x2` times each element of `x1`, in blocks."""
    a, b = _core.convert(x1), _core.convert(x2)
    rank = max(len(a.shape), len(b.shape))
    sizes_a = (1,) * (rank - len(a.shape)) + a.shape
    sizes_b = (1,) * (rank - len(b.shape)) + b.shape
    left = _raw.reshape(a, tuple(size for each in sizes_a for size in (each, 1)))
    right = _raw.reshape(b, tuple(size for each in sizes_b for size in (1, each)))
    return _raw.reshape(_raw.multiply(left, right), tuple(m * n for m, n in zip(sizes_a, sizes_b)))


@op
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Cross product of vectors of 3 elements (or of 2, whose third counts as 0)."""
    if axis is not None:
        axisa = axisb = axisc = axis
    axisc = arguments.integer(axisc, "cross: axisc")
    a, b = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    sizes = (a.shape[-1], b.shape[-1])
    if any(size not in (2, 3) for size in sizes):
        raise ValueError(f"cross: vectors must have 2 or 3 elements, got {sizes[0]} and {sizes[1]}")
    parts_a, parts_b = [a[..., i] for i in range(sizes[0])], [b[..., i] for i in range(sizes[1])]
    third = _raw.subtract(_raw.multiply(parts_a[0], parts_b[1]), _raw.multiply(parts_a[1], parts_b[0]))
    if sizes == (2, 2):
        return third
    parts_a, parts_b = (
        parts if len(parts) == 3 else [*parts, _raw.multiply(parts[0], 0)] for parts in (parts_a, parts_b)
    )
    first = _raw.subtract(_raw.multiply(parts_a[1], parts_b[2]), _raw.multiply(parts_a[2], parts_b[1]))
    second = _raw.subtract(_raw.multiply(parts_a[2], parts_b[0]), _raw.multiply(parts_a[0], parts_b[2]))
    return stack([first, second, third], axis=axisc)


@op
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Return the matrix of powers of a vector, the highest first unless `increasing`."""
    x = _core.convert(x)
    if len(x.shape) != 1:
        raise ValueError(f"vander: x must be a vector, got shape {x.shape}")
    count = x.shape[0] if N is None else arguments.integer(N, "vander: N", least=0)
    arguments.allocatable((x.shape[0], count), "vander")
    powers = np.arange(count, dtype="int32")[:: 1 if increasing else -1]
    return _raw.power(_raw.reshape(x, (-1, 1)), _raw.cast(_core.convert(np.ascontiguousarray(powers)), dtype=x.dtype))
