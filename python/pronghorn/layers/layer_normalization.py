"""Normalizations that look at one sample at a time."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, constraints, initializers, ops, regularizers
from pronghorn.layers.arguments import positive_int
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config
from pronghorn.variable import Variable


class _ScaleAndCenter(Layer):
    """A layer with a learned factor, gamma, and a learned offset, beta."""

    def __init__(
        self,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Variable | None = None
        self.beta: Variable | None = None
        self.supports_masking = True
        # Inputs are normalized as they come; the outputs get the dtype of computation.
        self.autocast = False

    def _add_gamma_and_beta(self, shape: tuple[int, ...]) -> None:
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

    def get_config(self) -> dict[str, Any]:
        config = attribute_config(
            self,
            "center",
            "scale",
            "beta_initializer",
            "gamma_initializer",
            "beta_regularizer",
            "gamma_regularizer",
            "beta_constraint",
            "gamma_constraint",
        )
        return {**super().get_config(), **config}


def _normalized_shape(layer: Any, input_shape: Any) -> tuple[int, ...]:
    """Return the sizes of the axes that a layer normalizes over, in the order of the inputs' axes.

    Raises:
        ValueError: if the inputs do not have such an axis.
    """
    axes = [layer.axis] if isinstance(layer.axis, int) else layer.axis
    rank = len(input_shape)
    if any(not -rank <= axis < rank for axis in axes):
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r}: axis {layer.axis} is out of range for the shape {input_shape}"
        )
    return tuple(input_shape[axis] for axis in sorted(axis % rank for axis in axes))


class LayerNormalization(_ScaleAndCenter):
    """Normalize each sample over an axis, or several.

    Args:
        axis: int or ints, the axes over which mean and variance are taken.
        epsilon: float, added to the variance.
        center: bool, whether to add a learned offset, beta.
        scale: bool, whether to multiply by a learned factor, gamma.
        beta_initializer, gamma_initializer: name or initializer.
        beta_regularizer, gamma_regularizer: name, regularizer or None.
        beta_constraint, gamma_constraint: name, constraint or None.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.LayerNormalization()(ph.ops.ones((2, 5, 3))).shape
        (2, 5, 3)
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        if not isinstance(axis, int) and not (
            isinstance(axis, (list, tuple)) and all(isinstance(each, int) for each in axis)
        ):
            raise TypeError(f"LayerNormalization: axis must be an int or ints, got {axis!r}")
        self.axis = axis if isinstance(axis, int) else list(arguments.integers(axis, f"{type(self).__name__}: axis"))
        self.epsilon = arguments.number_between(epsilon, f"{type(self).__name__}: epsilon", 0)
        self.rms_scaling = rms_scaling

    def build(self, input_shape: Any) -> None:
        self._add_gamma_and_beta(_normalized_shape(self, input_shape))

    def call(self, inputs: Any) -> Any:
        outputs = ops.layer_normalization(
            inputs, self.gamma, self.beta, axis=self.axis, epsilon=self.epsilon, rms_scaling=self.rms_scaling
        )
        return ops.cast(outputs, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "axis", "epsilon", "rms_scaling")}


class GroupNormalization(_ScaleAndCenter):
    """Normalize each sample over all positions, one group of channels at a time.

    Args:
        groups: int, number of groups; -1 makes one of each channel.
        axis: int, the channel axis.
        epsilon: float, added to the variance.
        center: bool, whether to add a learned offset, beta.
        scale: bool, whether to multiply by a learned factor, gamma.
        beta_initializer, gamma_initializer: name or initializer.
        beta_regularizer, gamma_regularizer: name, regularizer or None.
        beta_constraint, gamma_constraint: name, constraint or None.

    Raises:
        ValueError: if the channels cannot be divided into the groups.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.groups = -1 if groups == -1 else positive_int(groups, "GroupNormalization: groups")
        self.axis = arguments.integer(axis, "GroupNormalization: axis")
        self.epsilon = arguments.number_between(epsilon, "GroupNormalization: epsilon", 0)

    def build(self, input_shape: Any) -> None:
        (channels,) = _normalized_shape(self, input_shape)
        if channels is None:
            raise ValueError(f"GroupNormalization {self.name!r}: axis {self.axis} must be known, got {input_shape}")
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f"GroupNormalization {self.name!r}: {channels} channels cannot be divided into {self.groups} groups"
            )
        self._add_gamma_and_beta((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        # float16 and bfloat16 overflow in moments: as in Keras, what lies between is float32
        inputs = ops.cast(inputs, "float64" if inputs.dtype == "float64" else "float32")
        shape = inputs.shape
        axis = self.axis % len(shape)
        split = (*shape[:axis], self.groups, shape[axis] // self.groups, *shape[axis + 1 :])
        grouped = ops.reshape(inputs, split)
        axes = [each for each in range(1, len(split)) if each != axis]
        mean, variance = ops.moments(grouped, axes=axes, keepdims=True)
        per_channel = tuple(size if each in (axis, axis + 1) else 1 for each, size in enumerate(split))
        factor = ops.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            factor = factor * ops.reshape(self.gamma, per_channel)
        outputs = (grouped - mean) * factor
        if self.beta is not None:
            outputs = outputs + ops.reshape(self.beta, per_channel)
        return ops.cast(ops.reshape(outputs, shape), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "groups", "axis", "epsilon")}


class UnitNormalization(Layer):
    """Scale each sample so that its sum of squares over an axis, or several, is 1.

    Args:
        axis: int or ints.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(arguments.integers(axis, "UnitNormalization: axis"))
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        total = ops.sum(ops.square(inputs), axis=self.axis, keepdims=True)
        return inputs * ops.rsqrt(ops.maximum(total, 1e-12))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "axis")}


class RMSNormalization(Layer):
    """Divide each sample by the root of its mean square over an axis, and multiply by a learned factor.

    As in Keras, a mask of the inputs is not handed on.

    Args:
        axis: int or ints.
        epsilon: float, added to the mean square.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(arguments.integers(axis, f"{type(self).__name__}: axis"))
        self.epsilon = arguments.number_between(epsilon, f"{type(self).__name__}: epsilon", 0)

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(name="scale", shape=_normalized_shape(self, input_shape), initializer="ones")

    def call(self, inputs: Any) -> Any:
        inputs = ops.cast(inputs, "float64" if inputs.dtype == "float64" else "float32")
        mean_square = ops.mean(ops.square(inputs), axis=self.axis, keepdims=True)
        axes = {i % len(inputs.shape) for i in ([self.axis] if isinstance(self.axis, int) else self.axis)}
        shape = tuple(size if i in axes else 1 for i, size in enumerate(inputs.shape))
        factor = ops.reshape(ops.cast(self.scale, inputs.dtype), shape)
        return ops.cast(inputs * ops.rsqrt(mean_square + self.epsilon) * factor, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "axis", "epsilon")}
