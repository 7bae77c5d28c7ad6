"""Loss: the base class; reduction of values to one number with weights and masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import _core, arguments, config, naming, ops, tree
from pronghorn.saving import serialization

_REDUCTIONS = ("sum", "sum_over_batch_size", "mean", "mean_with_sample_weight", "none", None)


class Loss:
    """Base class of losses: define `call(y_true, y_pred)`, which returns a value per sample.

    Args:
        name: name; None makes one from the class name.
        reduction: how values become one: "sum_over_batch_size" or "mean" (sum over their number), "sum",
            "mean_with_sample_weight" (sum over the sum of the weights), "none".
        dtype: dtype of the computation; the default float if None.

    Raises:
        ValueError: for an unknown reduction.

    Example:
        >>> import pronghorn as ph
        >>> class Cubic(ph.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ph.ops.mean(ph.ops.abs(y_true - y_pred) ** 3, axis=-1)
        >>> float(Cubic()(ph.constant([[0.0, 0.0]]), ph.constant([[1.0, 2.0]])))
        4.5
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        if reduction not in _REDUCTIONS:
            raise ValueError(f"reduction must be one of {_REDUCTIONS}, got {reduction!r}")
        self.name = name if name is not None else naming.auto_name(type(self).__name__)
        self.reduction = reduction
        self._dtype = dtype

    @property
    def dtype(self) -> str:
        """The dtype of the computation."""
        return self._dtype if isinstance(self._dtype, str) else config.floatx()

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each sample."""
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss.

        Args:
            y_true, y_pred: targets and predictions.
            sample_weight: weight of each sample, broadcast to the values of `call`.
        """
        with _core.Part(self.name):
            in_mask = getattr(y_pred, "_keras_mask", None)
            y_true, y_pred = self._as_float(y_true), self._as_float(y_pred)
            values = self.call(y_true, y_pred)
            out_mask = getattr(values, "_keras_mask", None)
            both = in_mask is not None and out_mask is not None
            mask = ops.logical_and(in_mask, out_mask) if both else out_mask if in_mask is None else in_mask
            return reduce_weighted_values(values, sample_weight, mask, self.reduction, self.dtype)

    def _as_float(self, x: Any) -> Any:
        holds_arrays = isinstance(x, dict) or any(hasattr(leaf, "shape") for leaf in tree.flatten(x))
        if tree.is_nested(x) and holds_arrays:
            return tree.map_structure(self._as_float, x)
        return ops.convert_to_tensor(x, self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Make a loss from `get_config`'s result."""
        return cls(**config)


class LossFunctionWrapper(Loss):
    """A loss made of a function of targets and predictions.

    Args:
        fn: function (y_true, y_pred, **kwargs) -> a value per sample.
        reduction, name, dtype: see `Loss`.
        **kwargs: passed on to the function.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = arguments.function(fn, f"{type(self).__name__}: fn")
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each sample."""
        for name, value in (("y_true", y_true), ("y_pred", y_pred)):
            if not hasattr(value, "shape"):
                raise TypeError(f"{self.name}: {name} must be a tensor, got {arguments.shown(value)}")
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"fn": serialization.serialize_keras_object(self.fn)} if type(self) is LossFunctionWrapper else {}
        return {**super().get_config(), **own, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Make a loss from `get_config`'s result."""
        config = dict(config)
        if "fn" in config:
            config["fn"] = serialization.deserialize_keras_object(config["fn"])
        return cls(**config)


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Give two tensors whose ranks differ by a last axis of size 1 the same rank."""
    rank_1, rank_2 = len(x1.shape), len(x2.shape)
    if rank_1 == rank_2 + 1 and x1.shape[-1] == 1:
        if rank_2 == 1 and expand_rank_1:
            return x1, ops.expand_dims(x2, -1)
        return ops.squeeze(x1, -1), x2
    if rank_2 == rank_1 + 1 and x2.shape[-1] == 1:
        if rank_1 == 1 and expand_rank_1:
            return ops.expand_dims(x1, -1), x2
        return x1, ops.squeeze(x2, -1)
    return x1, x2


def apply_mask(sample_weight: Any, mask: Any, dtype: str, reduction: str | None) -> Any:
    """Weights with masked values at zero; the others scaled up so that a mean is one over what is left."""
    if mask is None:
        return sample_weight
    mask = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        valid = ops.maximum(ops.sum(mask), config.epsilon())
        mask = mask * (float(mask.size) / valid)
    if sample_weight is None:
        return mask
    sample_weight, mask = squeeze_or_expand_to_same_rank(ops.cast(sample_weight, dtype), mask)
    return sample_weight * mask


def reduce_weighted_values(
    values: Any, sample_weight: Any, mask: Any, reduction: str | None, dtype: str | None = None
) -> Any:
    """Weight values and reduce them to one as `reduction` says; see `Loss`."""
    dtype = dtype or config.floatx()
    values = ops.convert_to_tensor(values, dtype)
    sample_weight = apply_mask(sample_weight, mask, dtype, reduction)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype)
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        sample_weight = _match_rank(sample_weight, values)
        arguments.broadcastable(sample_weight.shape, values.shape, "loss: sample_weight", "the samples' values")
        values = values * sample_weight
    if reduction in (None, "none") or (not values.shape and sample_weight is None):
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        total = ops.sum(ops.broadcast_to(sample_weight, values.shape))
        return ops.divide_no_nan(ops.sum(values), total)
    return ops.mean(values)


def _match_rank(weight: Any, values: Any) -> Any:
    """Weights of leading axes only: give them last axes of size 1."""
    missing = len(values.shape) - len(weight.shape)
    return ops.reshape(weight, (*weight.shape, *(1,) * missing)) if missing > 0 and weight.shape else weight
