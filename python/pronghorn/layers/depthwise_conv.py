"""Depthwise convolutions: each channel is convolved on its own."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, config, constraints, initializers, ops, regularizers
from pronghorn.layers.arguments import padding_mode, positive_int, window
from pronghorn.layers.conv import add_bias, known_channels, with_bias
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


class BaseDepthwiseConv(Layer):
    """What depthwise convolutions of any rank share; see `DepthwiseConv2D` for the arguments."""

    def __init__(
        self,
        rank: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        self.rank = rank
        self.depth_multiplier = positive_int(depth_multiplier, f"{kind}: depth_multiplier")
        self.kernel_size = window(kernel_size, rank, f"{kind}: kernel_size")
        self.strides = window(strides, rank, f"{kind}: strides")
        self.dilation_rate = window(dilation_rate, rank, f"{kind}: dilation_rate")
        self.padding = padding_mode(padding)
        self.data_format = config.standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=rank + 2)

    def build(self, input_shape: Any) -> None:
        channels = known_channels(self, input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.bias = add_bias(self, channels * self.depth_multiplier) if self.use_bias else None

    def call(self, inputs: Any) -> Any:
        outputs = ops.depthwise_conv(
            ops.cast(inputs, self.compute_dtype),
            self.kernel,
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
            "kernel_size",
            "strides",
            "padding",
            "data_format",
            "dilation_rate",
            "activation",
            "use_bias",
            "depthwise_initializer",
            "bias_initializer",
            "depthwise_regularizer",
            "bias_regularizer",
            "activity_regularizer",
            "depthwise_constraint",
            "bias_constraint",
        )
        return {**super().get_config(), **config}


class DepthwiseConv1D(BaseDepthwiseConv):
    """Depthwise convolution over one dimension; arguments as `DepthwiseConv2D`.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.DepthwiseConv1D(3)(ph.ops.ones((2, 10, 3))).shape
        (2, 8, 3)
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            1,
            kernel_size,
            strides,
            padding,
            depth_multiplier,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            depthwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            bias_constraint,
            **kwargs,
        )


class DepthwiseConv2D(BaseDepthwiseConv):
    """Depthwise convolution over two dimensions.

    Args:
        kernel_size: int or 2 ints, window.
        strides: int or 2 ints, steps of the window.
        padding: "valid" or "same".
        depth_multiplier: int, number of outputs per input channel.
        data_format: "channels_last", "channels_first" or None.
        dilation_rate: int or 2 ints, distance of the window's taps.
        activation: name or function; None means none.
        use_bias: bool.
        depthwise_initializer, bias_initializer: name or initializer.
        depthwise_regularizer, bias_regularizer, activity_regularizer: name, regularizer or None.
        depthwise_constraint, bias_constraint: name, constraint or None.

    Raises:
        ValueError: if an argument does not fit.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.DepthwiseConv2D(3, depth_multiplier=2)(ph.ops.ones((2, 8, 8, 3))).shape
        (2, 6, 6, 6)
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            2,
            kernel_size,
            strides,
            padding,
            depth_multiplier,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            depthwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            bias_constraint,
            **kwargs,
        )
