"""Activation functions that are made of elementwise ops; pronghorn.activations offers them all."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import _core
from pronghorn.arguments import normalize_axis
from pronghorn.ops.dispatch import op
from pronghorn.ops.elementwise import clip, where

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "relu6",
    "selu",
    "silu",
    "soft_shrink",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]

_raw = _core.ops


def relu6(x: Any) -> Any:
    """relu, at most 6."""
    return _raw.minimum(_raw.relu(x), 6.0)


def silu(x: Any) -> Any:
    """x * sigmoid(x)."""
    return _raw.multiply(x, _raw.sigmoid(x))


swish = silu


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)), without overflow."""
    return _raw.negative(_raw.softplus(_raw.negative(x)))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x where positive, negative_slope * x elsewhere."""
    return where(_raw.greater(x, 0), x, _raw.multiply(x, negative_slope))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where positive, alpha * (e^x - 1) elsewhere."""
    # expm1 sees no large positive values, whose infinite gradient would turn to NaN
    return where(_raw.greater(x, 0), x, _raw.multiply(_raw.expm1(_raw.minimum(x, 0.0)), alpha))


def selu(x: Any) -> Any:
    """Scaled elu (Klambauer et al., 2017)."""
    return _raw.multiply(elu(x, 1.6732632423543772), 1.0507009873554805)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """max(0, x) + min(0, alpha (e^(x / alpha) - 1))."""
    return _raw.add(_raw.relu(x), _raw.multiply(_raw.expm1(_raw.divide(_raw.minimum(x, 0.0), alpha)), alpha))


def gelu(x: Any, approximate: bool = True) -> Any:
    """x times the normal distribution function of x, by tanh if `approximate` (Hendrycks, Gimpel, 2016)."""
    if approximate:
        inner = _raw.multiply(_raw.add(x, _raw.multiply(_raw.power(x, 3), 0.044715)), math.sqrt(2 / math.pi))
        return _raw.multiply(_raw.multiply(x, 0.5), _raw.add(_raw.tanh(inner), 1.0))
    return _raw.multiply(_raw.multiply(x, 0.5), _raw.add(_raw.erf(_raw.multiply(x, 1 / math.sqrt(2))), 1.0))


def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    return _raw.divide(x, _raw.add(_raw.abs(x), 1.0))


def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6."""
    return _raw.divide(relu6(_raw.add(x, 3.0)), 6.0)


def hard_silu(x: Any) -> Any:
    """x * hard_sigmoid(x)."""
    return _raw.multiply(x, hard_sigmoid(x))


hard_swish = hard_silu


def hard_tanh(x: Any) -> Any:
    """x clipped to [-1, 1]."""
    return clip(x, -1.0, 1.0)


def tanh_shrink(x: Any) -> Any:
    """x - tanh(x)."""
    return _raw.subtract(x, _raw.tanh(x))


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x where |x| > threshold, zero elsewhere."""
    return where(_raw.greater(_raw.abs(x), threshold), x, 0.0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards zero by `threshold`, zero within it."""
    return _raw.multiply(_raw.sign(x), _raw.relu(_raw.subtract(_raw.abs(x), threshold)))


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where x > threshold, default_value elsewhere."""
    return where(_raw.greater(x, threshold), x, default_value)


def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x^2 + b)) / 2."""
    return _raw.multiply(_raw.add(x, _raw.sqrt(_raw.add(_raw.square(x), b))), 0.5)


def sparse_plus(x: Any) -> Any:
    """0 below -1, ((x + 1) / 2)^2 up to 1, x above."""
    middle = _raw.square(_raw.multiply(_raw.add(x, 1.0), 0.5))
    return where(_raw.less_equal(x, -1.0), 0.0, where(_raw.less(x, 1.0), middle, x))


def sparse_sigmoid(x: Any) -> Any:
    """0 below -1, (x + 1) / 2 up to 1, 1 above."""
    return clip(_raw.multiply(_raw.add(x, 1.0), 0.5), 0.0, 1.0)


@op
def glu(x: Any, axis: int = -1) -> Any:
    """First half of `x` along `axis` times the sigmoid of the second half.

    Raises:
        ValueError: if the axis has an odd size.
    """
    x = _core.convert(x)
    axis = normalize_axis(axis, len(x.shape), "glu")
    size = x.shape[axis]
    if size % 2:
        raise ValueError(f"glu: axis {axis} of x {x.shape} must have an even size")
    key = [slice(None)] * len(x.shape)
    key[axis] = slice(None, size // 2)
    value = x[tuple(key)]
    key[axis] = slice(size // 2, None)
    return _raw.multiply(value, _raw.sigmoid(x[tuple(key)]))
