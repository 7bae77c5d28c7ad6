"""Normalization of inputs by mean and variance of a data set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pronghorn import arguments, ops
from pronghorn.config import epsilon
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config
from pronghorn.tensor import Tensor


class Normalization(Layer):
    """`(inputs - mean) / sqrt(variance)`, with moments given or taken from data with `adapt`.

    Args:
        axis: int, ints or None: axes that have a mean and variance for each position; None takes one of everything.
        mean, variance: floats or arrays, both or neither.
        invert: bool, whether to undo the normalization instead.

    Raises:
        ValueError: if only one of `mean` and `variance` is given.

    Example:
        >>> import numpy as np
        >>> import pronghorn as ph
        >>> layer = ph.layers.Normalization()
        >>> layer.adapt(np.array([[1.0], [2.0], [3.0]]))
        >>> layer.mean.numpy()
        array([[2.]], dtype=float32)
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else arguments.integers(axis, "Normalization: axis")
        if (mean is None) != (variance is None):
            raise ValueError(f"Normalization: give both mean and variance, got mean={mean}, variance={variance}")
        if mean is not None:
            arguments.numbers(mean, "Normalization: mean")
            arguments.numbers(variance, "Normalization: variance")
        if mean is not None and np.shape(mean) != np.shape(variance):
            raise ValueError(
                f"Normalization: mean and variance differ in shape, {np.shape(mean)} and {np.shape(variance)}"
            )
        self.input_mean = mean
        self.input_variance = variance
        self.invert = invert
        self.mean: Tensor | None = None
        self.variance: Tensor | None = None
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ValueError(f"Normalization {self.name!r}: axis {self.axis} is out of range for shape {input_shape}")
        self._kept = tuple(sorted(axis % rank for axis in self.axis))
        if any(input_shape[axis] is None for axis in self._kept):
            raise ValueError(f"Normalization {self.name!r}: axes {self.axis} must be known in shape {input_shape}")
        self._reduced = tuple(axis for axis in range(rank) if axis not in self._kept)
        shape = tuple(input_shape[axis] for axis in self._kept)
        self._broadcast_shape = tuple(input_shape[axis] if axis in self._kept else 1 for axis in range(rank))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)
            self.adapt_variance = self.add_weight(name="variance", shape=shape, initializer="ones", trainable=False)
            self.count = self.add_weight(name="count", shape=(), dtype="int32", initializer="zeros", trainable=False)
            self._set_moments(np.zeros(shape), np.ones(shape))
        else:
            self._set_moments(self.input_mean, self.input_variance)

    def _set_moments(self, mean: Any, variance: Any) -> None:
        shape = self._broadcast_shape
        values = []
        for value in (mean, variance):
            array = np.asarray(value, dtype=np.float64)
            if array.ndim:
                kept = [shape[axis] for axis in self._kept][-array.ndim :]
                array = np.broadcast_to(array, kept)
                array = array.reshape(_aligned(array.shape, self._kept, len(shape)))
            values.append(ops.convert_to_tensor(np.broadcast_to(array, shape).copy(), dtype=self.compute_dtype))
        self.mean, self.variance = values

    def adapt(self, data: Any) -> None:
        """Take the moments of a data set.

        Args:
            data: array or tensor with a batch axis, or an iterable of batches.

        Raises:
            ValueError: if the data is empty or its batches differ in shape.
        """
        if self.input_mean is not None:
            raise ValueError("Normalization.adapt: mean and variance were given, there is nothing to adapt")
        whole = isinstance(data, (np.ndarray, Tensor)) or not isinstance(data, Iterable)
        batches = [data] if whole else data
        total: Any = None
        square: Any = None
        count = 0
        for batch in batches:
            values = arguments.numbers(
                batch[0] if isinstance(batch, (list, tuple)) and batch else batch, "Normalization.adapt: data"
            )
            values = values.astype(np.float64)
            if not self.built:
                self.build(values.shape)
            kept = [values.shape[axis] for axis in self._kept if axis < values.ndim]
            if values.ndim != len(self._broadcast_shape) or kept != [self._broadcast_shape[a] for a in self._kept]:
                raise ValueError(
                    f"Normalization.adapt: data of shape {values.shape} does not fit axes of {self._broadcast_shape}"
                )
            here = values.size // max(int(np.prod(kept)), 1)
            mean, deviation = values.mean(axis=self._reduced), values.var(axis=self._reduced) * here
            if total is None:
                total, square, count = mean, deviation, here
                continue
            # moments of two parts together
            shift = mean - total
            square = square + deviation + shift**2 * count * here / (count + here)
            total = total + shift * here / (count + here)
            count += here
        if total is None or count == 0:
            raise ValueError("Normalization.adapt: data is empty")
        self.adapt_mean.assign(total)
        self.adapt_variance.assign(square / count)
        self.finalize_state()

    def finalize_state(self) -> None:
        """Use the moments now in the weights."""
        if self.input_mean is None and self.built:
            self._set_moments(self.adapt_mean.numpy(), self.adapt_variance.numpy())

    def load_own_variables(self, store: Any) -> None:
        super().load_own_variables(store)
        self.finalize_state()

    def set_weights(self, weights: list[Any]) -> None:
        super().set_weights(weights)
        self.finalize_state()

    def call(self, inputs: Any) -> Any:
        inputs = ops.cast(inputs, self.compute_dtype)
        deviation = ops.maximum(ops.sqrt(self.variance), epsilon())
        if self.invert:
            return inputs * deviation + self.mean
        return (inputs - self.mean) / deviation

    def get_config(self) -> dict[str, Any]:
        config = attribute_config(self, "axis", "invert")
        config["mean"] = None if self.input_mean is None else np.asarray(self.input_mean).tolist()
        config["variance"] = None if self.input_variance is None else np.asarray(self.input_variance).tolist()
        return {**super().get_config(), **config}


def _aligned(shape: tuple[int, ...], kept: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Return a shape of the given rank with the sizes at the last of the kept axes, 1 elsewhere."""
    aligned = [1] * rank
    for axis, size in zip(kept[len(kept) - len(shape) :], shape):
        aligned[axis] = size
    return tuple(aligned)
