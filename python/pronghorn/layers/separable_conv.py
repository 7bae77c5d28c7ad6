"""Separable convolutions: a depthwise one, then one of window 1 that mixes the channels."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, config, constraints, initializers, ops, regularizers
from pronghorn.layers.arguments import padding_mode, positive_int, window
from pronghorn.layers.conv import add_bias, known_channels, with_bias
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


class BaseSeparableConv(Layer):
    """What separable convolutions of any rank share; see `SeparableConv2D` for the arguments."""

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        self.rank = rank
        self.filters = positive_int(filters, f"{kind}: filters")
        self.depth_multiplier = positive_int(depth_multiplier, f"{kind}: depth_multiplier")
        self.kernel_size = window(kernel_size, rank, f"{kind}: kernel_size")
        self.strides = window(strides, rank, f"{kind}: strides")
        self.dilation_rate = window(dilation_rate, rank, f"{kind}: dilation_rate")
        self.padding = padding_mode(padding)
        self.data_format = config.standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=rank + 2)

    def build(self, input_shape: Any) -> None:
        channels = known_channels(self, input_shape)
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self.bias = add_bias(self, self.filters) if self.use_bias else None

    def call(self, inputs: Any) -> Any:
        outputs = ops.separable_conv(
            ops.cast(inputs, self.compute_dtype),
            self.depthwise_kernel,
            self.pointwise_kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self.activation(with_bias(self, outputs))

    def get_config(self) -> dict[str, Any]:
        config = attribute_config(
            self,
            "depth_multiplier",
            "filters",
            "kernel_size",
            "strides",
            "padding",
            "data_format",
            "dilation_rate",
            "activation",
            "use_bias",
            "depthwise_initializer",
            "pointwise_initializer",
            "bias_initializer",
            "depthwise_regularizer",
            "pointwise_regularizer",
            "bias_regularizer",
            "activity_regularizer",
            "depthwise_constraint",
            "pointwise_constraint",
            "bias_constraint",
        )
        return {**super().get_config(), **config}


class SeparableConv1D(BaseSeparableConv):
    """Separable convolution over one dimension; arguments as `SeparableConv2D`.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.SeparableConv1D(4, 3)(ph.ops.ones((2, 10, 3))).shape
        (2, 8, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            1,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            depth_multiplier,
            activation,
            use_bias,
            depthwise_initializer,
            pointwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            bias_constraint,
            **kwargs,
        )


class SeparableConv2D(BaseSeparableConv):
    """Separable convolution over two dimensions.

    Args:
        filters: int, number of output channels.
        kernel_size: int or 2 ints, window of the depthwise part.
        strides: int or 2 ints, steps of the window.
        padding: "valid" or "same".
        data_format: "channels_last", "channels_first" or None.
        dilation_rate: int or 2 ints, distance of the window's taps.
        depth_multiplier: int, number of depthwise outputs per input channel.
        activation: name or function; None means none.
        use_bias: bool.
        depthwise_initializer, pointwise_initializer, bias_initializer: name or initializer.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer: name, regularizer or None.
        depthwise_constraint, pointwise_constraint, bias_constraint: name, constraint or None.

    Raises:
        ValueError: if an argument does not fit.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.SeparableConv2D(8, 3)(ph.ops.ones((2, 8, 8, 3))).shape
        (2, 6, 6, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            2,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            depth_multiplier,
            activation,
            use_bias,
            depthwise_initializer,
            pointwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            bias_constraint,
            **kwargs,
        )
