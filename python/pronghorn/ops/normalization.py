"""Moments, and normalization by them."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import _core, arguments, config
from pronghorn.ops.creation import LARGEST, cast, full, ones, zeros
from pronghorn.ops.dispatch import op
from pronghorn.ops.elementwise import maximum, minimum, rsqrt, square
from pronghorn.ops.linalg import norm
from pronghorn.ops.manipulation import expand_dims, reshape
from pronghorn.ops.reduction import mean, sum, var

__all__ = [
    "batch_normalization",
    "batch_normalization_train",
    "layer_normalization",
    "moments",
    "normalize",
    "rms_normalization",
]

_raw = _core.ops


def _is_half(x: Any) -> bool:
    return x.dtype in ("float16", "bfloat16")


def _floating(x: Any) -> Any:
    x = _core.convert(x)
    return x if x.dtype.startswith(("float", "bfloat")) else cast(x, config.floatx())


def _widened(x: Any) -> Any:
    return cast(x, "float32") if _is_half(x) else x


@op
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Mean and variance over `axes`; those of half-precision tensors are computed in float32.

    Args:
        x: floating tensor.
        axes: int, ints, or None for all.
        keepdims: whether the axes stay with size 1.
        synchronized: must be False; there is one replica.

    Returns:
        Tuple of two tensors, mean and variance.

    Raises:
        ValueError: if `synchronized` is True.

    Example:
        >>> from pronghorn import ops
        >>> [m.numpy().tolist() for m in ops.moments([[1.0, 3.0], [2.0, 2.0]], axes=1)]
        [[2.0, 2.0], [1.0, 0.0]]
    """
    if synchronized:
        raise ValueError("moments: synchronized=True is not supported; there is one replica")
    x = _floating(x)
    wide = _widened(x)
    centre, spread = mean(wide, axes, keepdims=keepdims), var(wide, axes, keepdims=keepdims)
    if not _is_half(x):
        return centre, spread
    largest = LARGEST["float16"]
    return tuple(cast(maximum(minimum(moment, largest), -largest), x.dtype) for moment in (centre, spread))


def _along(vector: Any, x: Any, axis: int) -> Any:
    sizes = [1] * len(x.shape)
    sizes[arguments.normalize_axis(axis, len(x.shape), "batch_normalization")] = -1
    return reshape(cast(vector, x.dtype), tuple(sizes))


@op
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    """Normalize by a mean and a variance given per channel.

    Args:
        x: floating tensor.
        mean: tensor (channels,).
        variance: tensor (channels,).
        axis: the axis of channels.
        offset: tensor (channels,) added at the end, or None.
        scale: tensor (channels,) multiplied before that, or None.
        epsilon: added to the variance.

    Returns:
        Tensor like `x`.

    Example:
        >>> from pronghorn import ops
        >>> ops.batch_normalization([[3.0, 5.0]], [1.0, 5.0], [4.0, 1.0], axis=-1, epsilon=0.0).numpy()
        array([[1., 0.]], dtype=float32)
    """
    x = _floating(x)
    factor = rsqrt(cast(variance, x.dtype) + arguments.number(epsilon, "batch_normalization: epsilon"))
    if scale is not None:
        factor = factor * cast(scale, x.dtype)
    y = (x - _along(mean, x, axis)) * _along(factor, x, axis)
    return y if offset is None else y + _along(offset, x, axis)


@op
def batch_normalization_train(x: Any, offset: Any, scale: Any, axis: int, epsilon: float = 1e-3) -> Any:
    """Normalize by the mean and variance that `x` itself has over all axes but `axis`, in one op.

    Args:
        x: floating tensor.
        offset: tensor (channels,) added at the end, or None.
        scale: tensor (channels,) multiplied before that, or None.
        axis: the axis of channels.
        epsilon: added to the variance.

    Returns:
        Tuple of the normalized tensor and, for moving averages, the mean and variance (channels,).

    Example:
        >>> from pronghorn import ops
        >>> y, mean, variance = ops.batch_normalization_train([[1.0], [3.0]], None, None, axis=-1, epsilon=0.0)
        >>> y.numpy().tolist(), mean.numpy().tolist(), variance.numpy().tolist()
        ([[-1.0], [1.0]], [2.0], [1.0])
    """
    x = _floating(x)
    wide = _widened(x)
    axis = arguments.normalize_axis(axis, len(wide.shape), "batch_normalization_train")
    epsilon = arguments.number(epsilon, "batch_normalization_train: epsilon")
    channels = (wide.shape[axis],)
    gamma = ones(channels, wide.dtype) if scale is None else cast(scale, wide.dtype)
    beta = zeros(channels, wide.dtype) if offset is None else cast(offset, wide.dtype)
    results = _raw.batch_norm_train(wide, gamma, beta, axis=axis, epsilon=epsilon)
    return tuple(cast(result, x.dtype) for result in results) if _is_half(x) else results


def _epsilon(epsilon: float | None) -> float:
    return config.epsilon() if epsilon is None else arguments.number(epsilon, "epsilon")


def _sorted_axes(axis: Any, rank: int, name: str) -> list[int]:
    return sorted(arguments.normalize_axis(each, rank, name) for each in arguments.integers(axis, f"{name}: axis"))


@op
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, **kwargs: Any
) -> Any:
    """Normalize each sample by the mean and variance over `axis` (Ba et al., 2016).

    Args:
        x: floating tensor.
        gamma: scale, of the shape of the axes, or None.
        beta: offset, of the shape of the axes, or None.
        axis: int or ints.
        epsilon: added to the variance; None for `config.epsilon()`.

    Returns:
        Tensor like `x`.

    Raises:
        ValueError: if `axis` is out of range.

    Example:
        >>> from pronghorn import ops
        >>> ops.layer_normalization([[1.0, 3.0]], epsilon=0.0).numpy()
        array([[-1.,  1.]], dtype=float32)
    """
    rms_scaling = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise TypeError(f"layer_normalization: unknown arguments {sorted(kwargs)}")
    epsilon = _epsilon(epsilon)
    given = _floating(x)
    x = _widened(given)
    rank = len(x.shape)
    axes = _sorted_axes(axis, rank, "layer_normalization")
    scale, offset = (None if v is None else cast(v, x.dtype) for v in (gamma, beta))
    if axes == list(range(rank - len(axes), rank)) and not rms_scaling:
        shape = tuple(x.shape[i] for i in axes)
        scale = full(shape, 1.0, x.dtype) if scale is None else reshape(scale, shape)
        offset = full(shape, 0.0, x.dtype) if offset is None else reshape(offset, shape)
        return cast(_raw.layer_norm(x, scale, offset, epsilon=epsilon)[0], given.dtype)
    sizes = tuple(x.shape[i] if i in axes else 1 for i in range(rank))
    centre, spread = moments(x, axes, keepdims=True)
    y = (x if rms_scaling else x - centre) * rsqrt(spread + epsilon)
    if scale is not None:
        y = y * reshape(scale, sizes)
    if offset is not None and not rms_scaling:
        y = y + reshape(offset, sizes)
    return cast(y, given.dtype)


@op
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """Divide by the root of the mean square over `axis` (Zhang and Sennrich, 2019).

    Args:
        x: floating tensor.
        scale: factor that broadcasts against `x`, or None.
        axis: int or ints.
        epsilon: added to the mean square; None for `config.epsilon()`.

    Returns:
        Tensor like `x`.

    Example:
        >>> from pronghorn import ops
        >>> ops.rms_normalization([[3.0, -3.0]], epsilon=0.0).numpy()
        array([[ 1., -1.]], dtype=float32)
    """
    epsilon = _epsilon(epsilon)
    given = _floating(x)
    x = _widened(given)
    y = x * rsqrt(mean(square(x), axis, keepdims=True) + epsilon)
    return cast(y if scale is None else y * cast(scale, x.dtype), given.dtype)


@op
def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """Divide by the norm over `axis`.

    Args:
        x: floating tensor.
        axis: int or ints.
        order: the norm's exponent, at least 1.
        epsilon: the least the norm is taken for; None for `config.epsilon()`.

    Returns:
        Tensor like `x`.

    Raises:
        ValueError: if `order` is not an integer of at least 1.

    Example:
        >>> from pronghorn import ops
        >>> ops.normalize([[3.0, 4.0]]).numpy().round(4)
        array([[0.6, 0.8]], dtype=float32)
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize: order must be an integer of at least 1, got {order!r}")
    x = _floating(x)
    if len(x.shape) == 0:
        x = expand_dims(x, 0)
    epsilon = _epsilon(epsilon)
    if order == 2:
        inverse = rsqrt(sum(square(x), axis=axis, keepdims=True))
        return x * minimum(inverse, 1.0 / epsilon if epsilon else math.inf)
    return x / maximum(norm(x, ord=order, axis=axis, keepdims=True), epsilon)
