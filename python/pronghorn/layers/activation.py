"""Activations as layers."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, arguments, constraints, initializers, ops, regularizers
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


class Activation(Layer):
    """Apply an activation function.

    Args:
        activation: name or function.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Activation("relu")(ph.ops.convert_to_tensor([[-1.0, 2.0]])).numpy()
        array([[0., 2.]], dtype=float32)
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "activation")}


class ReLU(Layer):
    """Rectified linear unit: 0 below the threshold, or a small slope; at most `max_value`.

    Args:
        max_value: float or None.
        negative_slope: float, slope below the threshold.
        threshold: float.

    Raises:
        ValueError: if an argument is negative.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None and arguments.number_between(max_value, "ReLU: max_value") < 0:
            raise ValueError(f"ReLU: max_value must not be negative, got {max_value!r}")
        if negative_slope is None or arguments.number_between(negative_slope, "ReLU: negative_slope") < 0:
            raise ValueError(f"ReLU: negative_slope must not be negative, got {negative_slope!r}")
        if threshold is None or arguments.number_between(threshold, "ReLU: threshold") < 0:
            raise ValueError(f"ReLU: threshold must not be negative, got {threshold!r}")
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return activations.relu(
            inputs, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "max_value", "negative_slope", "threshold")}


class LeakyReLU(Layer):
    """`inputs` above 0, `negative_slope * inputs` below.

    Args:
        negative_slope: float.

    Raises:
        ValueError: if it is None or negative.
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        if negative_slope is None or arguments.number_between(negative_slope, "LeakyReLU: negative_slope") < 0:
            raise ValueError(f"LeakyReLU: negative_slope must not be negative, got {negative_slope!r}")
        self.negative_slope = negative_slope
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "negative_slope")}


class ELU(Layer):
    """`inputs` above 0, `alpha * (exp(inputs) - 1)` below.

    Args:
        alpha: float.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, alpha=self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "alpha")}


class PReLU(Layer):
    """`inputs` above 0, `alpha * inputs` below, with `alpha` learned.

    Args:
        alpha_initializer: name or initializer.
        alpha_regularizer: name, regularizer or None.
        alpha_constraint: name, constraint or None.
        shared_axes: int or ints, axes along which one `alpha` serves all; the batch axis is 0.
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = None if shared_axes is None else list(arguments.integers(shared_axes, "PReLU: shared_axes"))
        self.input_spec = InputSpec(min_ndim=1)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shared = list(self.shared_axes or [])
        shape = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        self.alpha = self.add_weight(
            name="alpha",
            shape=tuple(shape),
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        axes = {axis: input_shape[axis] for axis in range(1, len(input_shape)) if shared and axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs: Any) -> Any:
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)

    def get_config(self) -> dict[str, Any]:
        config = attribute_config(self, "alpha_initializer", "alpha_regularizer", "alpha_constraint", "shared_axes")
        return {**super().get_config(), **config}


class Softmax(Layer):
    """Softmax over an axis, or over several together.

    Args:
        axis: int or ints.

    `call` takes a `mask` of the inputs' shape; entries that are False get probability 0.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is not None:
            mask = ops.cast(mask, "bool")
            inputs = ops.where(mask, inputs, -3e4 if inputs.dtype == "float16" else -1e9)
        if isinstance(self.axis, (list, tuple)):
            axes = tuple(self.axis)
            outputs = ops.exp(inputs - ops.logsumexp(inputs, axis=axes, keepdims=True))
        else:
            outputs = ops.softmax(inputs, axis=self.axis)
        return outputs if mask is None else ops.where(mask, outputs, 0.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "axis")}
