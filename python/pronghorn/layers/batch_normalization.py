"""Batch normalization."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, constraints, initializers, ops, regularizers
from pronghorn.config import epsilon
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config
from pronghorn.variable import Variable


class BatchNormalization(Layer):
    """Normalize each channel: by the batch's mean and variance in training, by their moving averages otherwise.

    A frozen layer (`trainable=False`) uses the moving averages in training too.

    Args:
        axis: int, the channel axis.
        momentum: float, share of the old moving average that each batch leaves.
        epsilon: float, added to the variance.
        center: bool, whether to add a learned offset, beta.
        scale: bool, whether to multiply by a learned factor, gamma.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: name or initializer.
        beta_regularizer, gamma_regularizer: name, regularizer or None.
        beta_constraint, gamma_constraint: name, constraint or None.
        renorm: bool, batch renormalization: training also uses moving averages, within bounds.
        renorm_clipping: dict with bounds "rmin", "rmax" and "dmax" of its corrections, or None.
        renorm_momentum: float, momentum of the averages that it uses.
        synchronized: bool, accepted for Keras's sake; it concerns several devices.

    Example:
        >>> import pronghorn as ph
        >>> layer = ph.layers.BatchNormalization()
        >>> layer(ph.ops.ones((4, 3)), training=True).shape
        (4, 3)
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if renorm_clipping is not None and not isinstance(renorm_clipping, dict):
            raise TypeError(f"BatchNormalization: renorm_clipping must be a dict, got {renorm_clipping!r}")
        unknown = sorted(set(renorm_clipping or ()) - {"rmin", "rmax", "dmax"})
        if unknown:
            raise ValueError(f"BatchNormalization: renorm_clipping knows 'rmin', 'rmax' and 'dmax', got {unknown}")
        self.axis = arguments.integer(axis, "BatchNormalization: axis")
        self.momentum = arguments.number_between(momentum, "BatchNormalization: momentum")
        self.epsilon = arguments.number_between(epsilon, "BatchNormalization: epsilon", 0)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.renorm = renorm
        self.renorm_clipping = renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized
        self.gamma: Variable | None = None
        self.beta: Variable | None = None
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(f"BatchNormalization {self.name!r}: axis {self.axis} is out of range for {input_shape}")
        channels = input_shape[self.axis]
        shape = (channels,)
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )
        self.moving_mean = self._statistic("moving_mean", shape, self.moving_mean_initializer)
        self.moving_variance = self._statistic("moving_variance", shape, self.moving_variance_initializer)
        if self.renorm:

            def stddev(shape: Any, dtype: Any = None) -> Any:
                return ops.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

            self.moving_stddev = self._statistic("moving_stddev", shape, stddev)
            self.renorm_mean = self._statistic("renorm_mean", shape, self.moving_mean_initializer)
            self.renorm_stddev = self._statistic("renorm_stddev", shape, stddev)
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})

    def _statistic(self, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
        return self.add_weight(name=name, shape=shape, initializer=initializer, trainable=False, autocast=False)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                f"BatchNormalization {self.name!r}: mask must have one dimension less than the inputs, got shapes "
                f"{mask.shape} and {inputs.shape}"
            )
        # float16 and bfloat16 overflow in moments: as in Keras, what lies between is float32
        wide = "float64" if inputs.dtype == "float64" else "float32"
        return ops.cast(self._normalize(ops.cast(inputs, wide), training, mask), self.compute_dtype)

    def _normalize(self, inputs: Any, training: bool | None, mask: Any) -> Any:
        gamma, beta = self.gamma, self.beta
        mean, variance = self.moving_mean, self.moving_variance
        if training and self.trainable:
            if mask is None and not self.renorm:
                outputs, mean, variance = ops.batch_normalization_train(
                    inputs, beta, gamma, axis=self.axis, epsilon=self.epsilon
                )
                _move(self.moving_mean, mean, self.momentum)
                _move(self.moving_variance, variance, self.momentum)
                return outputs
            mean, variance = self._moments(inputs, mask)
            if self.renorm:
                gamma, beta = self._renormalize(mean, variance)
            else:
                _move(self.moving_mean, mean, self.momentum)
                _move(self.moving_variance, variance, self.momentum)
        return ops.batch_normalization(
            inputs, mean, variance, axis=self.axis, offset=beta, scale=gamma, epsilon=self.epsilon
        )

    def _moments(self, inputs: Any, mask: Any) -> tuple[Any, Any]:
        axes = [axis for axis in range(len(inputs.shape)) if axis != self.axis % len(inputs.shape)]
        if mask is None:
            return ops.moments(inputs, axes=axes)
        counted = ops.broadcast_to(ops.expand_dims(ops.cast(mask, "bool"), -1), inputs.shape)
        zeros = ops.zeros_like(inputs)
        total = ops.sum(ops.cast(counted, inputs.dtype), axis=axes, keepdims=True) + epsilon()
        mean = ops.sum(ops.where(counted, inputs, zeros), axis=axes, keepdims=True) / total
        distance = ops.where(counted, inputs - mean, zeros)
        variance = ops.sum(ops.square(distance), axis=axes, keepdims=True) / total
        return ops.reshape(mean, (-1,)), ops.reshape(variance, (-1,))

    def _renormalize(self, mean: Any, variance: Any) -> tuple[Any, Any]:
        """Return factor and offset that pull the batch's moments towards the moving averages, and move those."""
        stddev = ops.sqrt(variance + self.epsilon)
        clipping = self.renorm_clipping or {}
        # never below its least possible value, so that the first batches do not divide by 0
        average = ops.maximum(self.renorm_stddev, self.epsilon**0.5)
        factor = stddev / average
        factor = ops.minimum(factor, clipping["rmax"]) if "rmax" in clipping else factor
        factor = ops.maximum(factor, clipping["rmin"]) if "rmin" in clipping else factor
        offset = (mean - self.renorm_mean) / average
        offset = ops.clip(offset, -clipping["dmax"], clipping["dmax"]) if "dmax" in clipping else offset
        factor, offset = ops.stop_gradient(factor), ops.stop_gradient(offset)
        _move(self.renorm_mean, mean, self.renorm_momentum)
        _move(self.renorm_stddev, stddev, self.renorm_momentum)
        _move(self.moving_mean, mean, self.momentum)
        _move(self.moving_stddev, stddev, self.momentum)
        self.moving_variance.assign(ops.maximum(ops.square(self.moving_stddev) - self.epsilon, 0.0))
        gamma = factor if self.gamma is None else factor * self.gamma
        beta = offset if self.gamma is None else offset * self.gamma
        return gamma, beta if self.beta is None else beta + self.beta

    def get_config(self) -> dict[str, Any]:
        config = attribute_config(
            self,
            "axis",
            "momentum",
            "epsilon",
            "center",
            "scale",
            "beta_initializer",
            "gamma_initializer",
            "moving_mean_initializer",
            "moving_variance_initializer",
            "beta_regularizer",
            "gamma_regularizer",
            "beta_constraint",
            "gamma_constraint",
            "synchronized",
            "renorm",
            "renorm_clipping",
            "renorm_momentum",
        )
        return {**super().get_config(), **config}


def _move(average: Any, value: Any, momentum: float) -> None:
    average.assign(average * momentum + ops.stop_gradient(value) * (1.0 - momentum))
