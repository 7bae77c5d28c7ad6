"""Losses of classes against probabilities or logits, as functions."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import arguments, config, ops
from pronghorn.losses.loss import squeeze_or_expand_to_same_rank


def _floats(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    return ops.convert_to_tensor(y_true, y_pred.dtype), y_pred


def _smooth(y_true: Any, label_smoothing: float, classes: int) -> Any:
    """Labels drawn towards the uniform distribution."""
    share = arguments.number_between(label_smoothing, "label_smoothing", 0, 1)
    return y_true * (1.0 - share) + share / classes if share else y_true


def _same_axis(y_pred: Any, axis: int, name: str) -> None:
    if not y_pred.shape:
        raise ValueError(f"{name}: y_pred must have an axis of classes, got shape {y_pred.shape}")
    arguments.normalize_axis(axis, len(y_pred.shape), name)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Mean over `axis` of the cross entropy between labels in [0, 1] and probabilities.

    Args:
        y_true: labels.
        y_pred: probabilities, or logits with `from_logits`.
        label_smoothing: labels are drawn this much towards one half.
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(*_floats(y_true, y_pred))
    y_true = _smooth(y_true, label_smoothing, 2)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Cross entropy along `axis` between one-hot (or any) distributions and probabilities.

    Args:
        y_true: distributions, shaped like y_pred.
        y_pred: probabilities, or logits with `from_logits`.
        label_smoothing: distributions are drawn this much towards the uniform one.

    Raises:
        ValueError: if the shapes differ.
    """
    y_true, y_pred = _floats(y_true, y_pred)
    _same_axis(y_pred, axis, "categorical_crossentropy")
    if y_pred.shape[-1] == 1 and axis in (-1, len(y_pred.shape) - 1) and y_true.shape[-1:] == (1,):
        raise ValueError(
            f"categorical_crossentropy: y_true {y_true.shape} and y_pred {y_pred.shape} have one class only; use "
            "binary_crossentropy"
        )
    y_true = _smooth(y_true, label_smoothing, y_pred.shape[axis])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """Cross entropy along `axis` between class numbers and probabilities.

    Args:
        y_true: class numbers, shaped like y_pred without the axis (or with size 1 there).
        y_pred: probabilities, or logits with `from_logits`.
        ignore_class: a class number whose samples have no loss.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    _same_axis(y_pred, axis, "sparse_categorical_crossentropy")
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    valid = ops.not_equal(y_true, ops.cast(ignore_class, y_true.dtype))
    safe = ops.where(valid, y_true, ops.zeros_like(y_true))
    loss = ops.sparse_categorical_crossentropy(safe, y_pred, from_logits=from_logits, axis=axis)
    loss = ops.where(valid, loss, 0.0)
    loss._keras_mask = valid
    return loss


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross entropy with easy samples counting less (Lin et al., 2018).

    Args:
        apply_class_balancing: weight ones with `alpha` and zeros with 1 - alpha.
        gamma: how much less; 0 for the plain cross entropy.
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(*_floats(y_true, y_pred))
    y_true = _smooth(y_true, label_smoothing, 2)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    gamma = arguments.number_between(gamma, "binary_focal_crossentropy: gamma")
    alpha = arguments.number_between(alpha, "binary_focal_crossentropy: alpha")
    right = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    loss = ops.power(1.0 - right, gamma) * ops.binary_crossentropy(y_true, y_pred)
    if apply_class_balancing:
        loss = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * loss
    return ops.mean(loss, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Categorical cross entropy with easy samples counting less (Lin et al., 2018)."""
    y_true, y_pred = _floats(y_true, y_pred)
    _same_axis(y_pred, axis, "categorical_focal_crossentropy")
    y_true = _smooth(y_true, label_smoothing, y_pred.shape[axis])
    gamma = arguments.number_between(gamma, "categorical_focal_crossentropy: gamma")
    if not isinstance(alpha, (list, tuple)) and not hasattr(alpha, "shape"):
        alpha = arguments.number_between(alpha, "categorical_focal_crossentropy: alpha")
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    shares = ops.clip(y_pred / ops.sum(y_pred, axis=axis, keepdims=True), config.epsilon(), 1.0 - config.epsilon())
    entropy = ops.negative(y_true * ops.log(shares))
    return ops.sum(ops.power(1.0 - shares, gamma) * alpha * entropy, axis=axis)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """(1 - p^q) / q for the share p of the right class: from cross entropy to absolute error (Zhang, Sabuncu, 2018).

    Args:
        y_true: class numbers.
        y_pred: probabilities.
        q: in (0, 1).

    Raises:
        ValueError: if q is outside (0, 1).
    """
    if not 0 < arguments.number(q, "q") < 1:
        raise ValueError(f"q must be in (0, 1), got {q!r}")
    y_pred = ops.convert_to_tensor(y_pred)
    _same_axis(y_pred, -1, "categorical_generalized_cross_entropy")
    classes = ops.cast(y_true, "int32")
    if len(classes.shape) == len(y_pred.shape) and classes.shape[-1] == 1:
        classes = ops.squeeze(classes, -1)
    share = ops.sum(y_pred * ops.one_hot(classes, y_pred.shape[-1], dtype=y_pred.dtype), axis=-1)
    return (1.0 - ops.power(share, q)) / q


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """1 - 2 |intersection| / (|y_true| + |y_pred|), over `axis` (all for None)."""
    y_true, y_pred = _floats(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    total = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1.0 - ops.divide(both * 2.0, total + config.epsilon())


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """1 - both / (both + alpha * only y_true + beta * only y_pred), over `axis` (Salehi et al., 2017, as Keras).

    Args:
        alpha: weight of what only y_true has.
        beta: weight of what only y_pred has.
        axis: axes of the sums; all for None.
    """
    y_true, y_pred = _floats(y_true, y_pred)
    alpha, beta = arguments.number_between(alpha, "tversky: alpha"), arguments.number_between(beta, "tversky: beta")
    both = ops.sum(y_true * y_pred, axis=axis)
    only_true = ops.sum(y_true * (1.0 - y_pred), axis=axis)
    only_pred = ops.sum((1.0 - y_true) * y_pred, axis=axis)
    return 1.0 - both / (both + only_true * alpha + only_pred * beta + config.epsilon())


def circle(y_true: Any, y_pred: Any, ref_labels: Any = None, ref_embeddings: Any = None,
           remove_diagonal: bool = True, gamma: float = 80, margin: float = 0.4) -> Any:  # fmt: skip
    """Circle loss of embeddings by their labels (Sun et al., 2020).

    Args:
        y_true: labels (batch,).
        y_pred: embeddings (batch, size) of length 1.
        ref_labels, ref_embeddings: others to compare with; the batch itself by default.
        remove_diagonal: whether samples are left out of their own comparison.
        gamma: scale.
        margin: how far apart classes should be.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    gamma, margin = arguments.number_between(gamma, "circle: gamma"), arguments.number_between(margin, "circle: margin")
    labels = ops.cast(y_true, "int32")
    others = y_pred if ref_embeddings is None else ops.convert_to_tensor(ref_embeddings, y_pred.dtype)
    other_labels = labels if ref_labels is None else ops.cast(ref_labels, "int32")
    distances = ops.maximum(1.0 - ops.matmul(y_pred, ops.transpose(others)), 0.0)
    same = ops.equal(ops.reshape(labels, (-1, 1)), ops.reshape(other_labels, (1, -1)))
    positive, negative = same, ops.logical_not(same)
    if remove_diagonal and same.shape[0] == same.shape[1]:
        positive = ops.logical_and(positive, ops.logical_not(ops.eye(same.shape[0], dtype="bool")))
    pull = (distances + margin) * (distances - margin) * gamma
    push = ops.relu(1.0 + margin - distances) * (1.0 - margin - distances) * gamma
    near = ops.logsumexp(ops.where(positive, pull, -math.inf), axis=1)
    far = ops.logsumexp(ops.where(negative, push, -math.inf), axis=1)
    # samples without a partner of their class have no loss: marked so that a mean leaves them out
    loss = ops.softplus(near + far)
    loss._keras_mask = ops.greater(loss, 0)
    return loss
