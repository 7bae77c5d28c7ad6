"""Cross entropies, per sample."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, config
from pronghorn.ops.creation import cast
from pronghorn.ops.dispatch import op
from pronghorn.ops.elementwise import clip, log, negative, softplus
from pronghorn.ops.manipulation import moveaxis, squeeze
from pronghorn.ops.reduction import sum

__all__ = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"]

_raw = _core.ops


def _scores(output: Any) -> tuple[Any, str]:
    """`output` in float32 or wider, and the dtype that the result should have."""
    output = _core.convert(output)
    if not output.dtype.startswith(("float", "bfloat")):
        output = cast(output, config.floatx())
    dtype = output.dtype
    return (cast(output, "float32") if dtype in ("float16", "bfloat16") else output), dtype


def _check_equal_shapes(target: Any, output: Any, name: str) -> None:
    if tuple(target.shape) != tuple(output.shape):
        raise ValueError(f"{name}: target and output must have the same shape, got {target.shape} and {output.shape}")


@op
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Cross entropy of yes-or-no labels, element by element.

    Args:
        target: tensor of labels between 0 and 1.
        output: tensor of the same shape: probabilities, or their logits.
        from_logits: whether `output` holds logits.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> from pronghorn import ops
        >>> ops.binary_crossentropy([0.0, 1.0], [0.5, 0.5]).numpy().round(4)
        array([0.6931, 0.6931], dtype=float32)
    """
    output, dtype = _scores(output)
    target = cast(target, output.dtype)
    _check_equal_shapes(target, output, "binary_crossentropy")
    if from_logits:
        loss = target * softplus(negative(output)) + (1.0 - target) * softplus(output)
    else:
        epsilon = config.epsilon()
        p = clip(output, epsilon, 1.0 - epsilon)
        loss = negative(target * log(p) + (1.0 - target) * log(1.0 - p))
    return cast(loss, dtype)


@op
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Cross entropy of distributions over classes.

    Args:
        target: tensor of target probabilities, such as one-hot rows.
        output: tensor of the same shape: probabilities (brought to sum 1), or logits.
        from_logits: whether `output` holds logits.
        axis: the axis of classes.

    Returns:
        Tensor of the shape without `axis`.

    Raises:
        ValueError: if the shapes differ or there is no axis.

    Example:
        >>> from pronghorn import ops
        >>> ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4)
        array([0.6931], dtype=float32)
    """
    output, dtype = _scores(output)
    target = cast(target, output.dtype)
    _check_equal_shapes(target, output, "categorical_crossentropy")
    if len(output.shape) < 1:
        raise ValueError("categorical_crossentropy: output must have at least one dimension, got shape ()")
    if from_logits:
        loss = _raw.softmax_cross_entropy(moveaxis(output, axis, -1), moveaxis(target, axis, -1))[0]
    else:
        epsilon = config.epsilon()
        p = clip(output / sum(output, axis=axis, keepdims=True), epsilon, 1.0 - epsilon)
        loss = negative(sum(target * log(p), axis=axis))
    return cast(loss, dtype)


@op
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Cross entropy of classes given by number.

    Args:
        target: tensor of class numbers, of the shape of `output` without `axis` (a last dimension of 1 is dropped).
        output: tensor of probabilities (brought to sum 1), or logits.
        from_logits: whether `output` holds logits.
        axis: the axis of classes.

    Returns:
        Tensor of the shape of `output` without `axis`.

    Raises:
        ValueError: if the shapes do not fit.
        IndexError: if a class number is negative or not below the number of classes.

    Example:
        >>> from pronghorn import ops
        >>> ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).numpy().round(4)
        array([0.6931], dtype=float32)
    """
    output, dtype = _scores(output)
    target = _core.convert(target)
    if len(output.shape) < 1:
        raise ValueError("sparse_categorical_crossentropy: output must have at least one dimension, got shape ()")
    if len(target.shape) == len(output.shape) and target.shape[-1] == 1:
        target = squeeze(target, -1)
    output = moveaxis(output, axis, -1)
    if tuple(target.shape) != tuple(output.shape[:-1]):
        raise ValueError(
            f"sparse_categorical_crossentropy: target must have the shape of output without axis {axis}, "
            f"{tuple(output.shape[:-1])}, got {target.shape}"
        )
    labels = target if target.dtype in ("int32", "int64") else cast(target, "int32")
    if from_logits:
        loss = _raw.sparse_softmax_cross_entropy(output, labels)[0]
    else:
        loss = _raw.sparse_cross_entropy(output, labels, epsilon=config.epsilon())
    return cast(loss, dtype)
