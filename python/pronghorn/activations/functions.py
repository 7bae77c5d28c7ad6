"""Activation functions under Keras's names. Those that `pronghorn.ops` has are the same functions."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, ops

celu, elu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh = (
    ops.celu, ops.elu, ops.glu, ops.hard_shrink, ops.hard_sigmoid, ops.hard_silu, ops.hard_tanh,
)  # fmt: skip
leaky_relu, log_sigmoid, log_softmax, relu6, selu, sigmoid, silu = (
    ops.leaky_relu, ops.log_sigmoid, ops.log_softmax, ops.relu6, ops.selu, ops.sigmoid, ops.silu,
)  # fmt: skip
soft_shrink, softmax, softplus, softsign, sparse_plus, sparse_sigmoid = (
    ops.soft_shrink, ops.softmax, ops.softplus, ops.softsign, ops.sparse_plus, ops.sparse_sigmoid,
)  # fmt: skip
squareplus, tanh, tanh_shrink, threshold = ops.squareplus, ops.tanh, ops.tanh_shrink, ops.threshold
hard_swish, swish, exponential = ops.hard_silu, ops.silu, ops.exp


def linear(x: Any) -> Any:
    """x itself."""
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """x where x > threshold, at most `max_value`; negative_slope * (x - threshold) below.

    Args:
        x: tensor.
        negative_slope: slope below the threshold.
        max_value: largest value; None for none.
        threshold: below it values are damped.

    Raises:
        ValueError: for a negative slope, max_value or threshold.

    Example:
        >>> import pronghorn as ph
        >>> ph.activations.relu(ph.constant([-2.0, 0.5, 7.0]), max_value=6.0).numpy().tolist()
        [0.0, 0.5, 6.0]
    """
    for name, value in (("negative_slope", negative_slope), ("max_value", max_value), ("threshold", threshold)):
        if value is not None and arguments.number_between(value, f"relu: {name}") < 0:
            raise ValueError(f"relu: {name} must not be negative, got {value!r}")
    if not threshold and not negative_slope:
        return ops.relu(x) if max_value is None else ops.minimum(ops.relu(x), max_value)
    kept = ops.where(ops.greater(x, threshold), x, 0.0)
    if max_value is not None:
        kept = ops.minimum(kept, max_value)
    if not negative_slope:
        return kept
    return kept - ops.relu(threshold - x) * negative_slope


def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the standard normal distribution function of x (Hendrycks and Gimpel, 2016).

    Args:
        x: tensor.
        approximate: whether to compute it with tanh; unlike `ops.gelu`, which does so by default.

    Example:
        >>> import pronghorn as ph
        >>> round(float(ph.activations.gelu(ph.constant(1.0))), 4)
        0.8413
    """
    return ops.gelu(x, approximate)


def mish(x: Any) -> Any:
    """x * tanh(softplus(x)) (Misra, 2019)."""
    return x * ops.tanh(ops.softplus(x))


def sparsemax(x: Any, axis: int = -1) -> Any:
    """The point of the probability simplex nearest to x: sparse where softmax is not (Martins and Astudillo, 2016)."""
    logits = ops.moveaxis(x, axis, -1)
    ordered = ops.flip(ops.sort(logits, axis=-1), axis=-1)
    total = ops.cumsum(ordered, axis=-1)
    ranks = ops.arange(1, logits.shape[-1] + 1, dtype=logits.dtype)
    is_in_support = ops.greater(ordered * ranks + 1.0, total)
    count = ops.sum(ops.cast(is_in_support, logits.dtype), axis=-1, keepdims=True)
    last = ops.take_along_axis(total, ops.cast(count, "int32") - 1, axis=-1)
    return ops.moveaxis(ops.relu(logits - (last - 1.0) / count), -1, axis)
