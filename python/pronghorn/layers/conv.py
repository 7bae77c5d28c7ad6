"""Convolutions."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, config, constraints, initializers, ops, regularizers
from pronghorn.layers.arguments import padding_mode, positive_int, window
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


class BaseConv(Layer):
    """What convolutions of any rank share; see `Conv2D` for the arguments.

    Args:
        rank: int, number of spatial dimensions.
        allow_causal: bool, whether padding may be "causal".
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        allow_causal: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        self.rank = rank
        self.filters = positive_int(filters, f"{kind}: filters")
        self.kernel_size = window(kernel_size, rank, f"{kind}: kernel_size")
        self.strides = window(strides, rank, f"{kind}: strides")
        self.dilation_rate = window(dilation_rate, rank, f"{kind}: dilation_rate")
        self.padding = padding_mode(padding, allow_causal)
        self.data_format = config.standardize_data_format(data_format)
        self.groups = positive_int(groups, f"{kind}: groups")
        if self.filters % self.groups:
            raise ValueError(f"{kind}: filters must be divisible by groups, got filters={filters}, groups={groups}")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{kind}: strides and dilation_rate must not both exceed 1, got strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=rank + 2)

    def build(self, input_shape: Any) -> None:
        channels = known_channels(self, input_shape)
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: input channels must be divisible by groups, got "
                f"{channels} channels in shape {input_shape}, groups={self.groups}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=self.kernel_shape(channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = add_bias(self, self.filters) if self.use_bias else None

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        """Return the kernel's shape for inputs with so many channels."""
        return (*self.kernel_size, channels // self.groups, self.filters)

    def convolution(self, inputs: Any) -> Any:
        """Return the convolution alone, without bias and activation."""
        return ops.conv(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def call(self, inputs: Any) -> Any:
        outputs = self.convolution(ops.cast(inputs, self.compute_dtype))
        return self.activation(with_bias(self, outputs))

    def get_config(self) -> dict[str, Any]:
        config = attribute_config(
            self,
            "filters",
            "kernel_size",
            "strides",
            "padding",
            "data_format",
            "dilation_rate",
            "groups",
            "activation",
            "use_bias",
            "kernel_initializer",
            "bias_initializer",
            "kernel_regularizer",
            "bias_regularizer",
            "activity_regularizer",
            "kernel_constraint",
            "bias_constraint",
        )
        return {**super().get_config(), **config}


def known_channels(layer: Any, input_shape: Any) -> int:
    """Return the inputs' number of channels and make the layer insist on it.

    Raises:
        ValueError: if it is not known.
    """
    axis = -1 if layer.data_format == "channels_last" else 1
    channels = input_shape[axis]
    if channels is None:
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r}: the channel axis of the inputs must be known, got shape "
            f"{input_shape}"
        )
    layer.input_spec = InputSpec(ndim=layer.rank + 2, axes={axis: channels})
    return channels


def add_bias(layer: Any, filters: int) -> Any:
    """Make the bias of a convolution."""
    return layer.add_weight(
        name="bias",
        shape=(filters,),
        initializer=layer.bias_initializer,
        regularizer=layer.bias_regularizer,
        constraint=layer.bias_constraint,
    )


def with_bias(layer: Any, outputs: Any) -> Any:
    """Add the layer's bias, if it has one, along the channel axis."""
    if layer.bias is None:
        return outputs
    if layer.data_format == "channels_last":
        return ops.add(outputs, layer.bias)
    return ops.add(outputs, ops.reshape(layer.bias, (1, -1, *(1,) * layer.rank)))


class Conv1D(BaseConv):
    """Convolution over one dimension, such as time.

    Args: as `Conv2D`, with one size where it takes two; `padding` may also be "causal", so that no output sees later
    inputs. Inputs have shape (batch, steps, channels), or (batch, channels, steps) with "channels_first".

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Conv1D(4, 3, padding="causal")(ph.ops.ones((2, 10, 3))).shape
        (2, 10, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
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
            groups,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            allow_causal=True,
            **kwargs,
        )

    def convolution(self, inputs: Any) -> Any:
        if self.padding != "causal":
            return super().convolution(inputs)
        before = (self.dilation_rate[0] * (self.kernel_size[0] - 1), 0)
        pads = [(0, 0), before, (0, 0)] if self.data_format == "channels_last" else [(0, 0), (0, 0), before]
        return ops.conv(
            ops.pad(inputs, pads),
            self.kernel,
            strides=self.strides,
            padding="valid",
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )


class Conv2D(BaseConv):
    """Convolution over two dimensions, such as images.

    Args:
        filters: int, number of output channels.
        kernel_size: int or 2 ints, window.
        strides: int or 2 ints, steps of the window.
        padding: "valid" (none) or "same" (zeros evenly around, so that stride 1 keeps the size).
        data_format: "channels_last": (batch, height, width, channels), or "channels_first": (batch, channels, height,
            width); None means `config.image_data_format()`.
        dilation_rate: int or 2 ints, distance of the window's taps; not together with strides.
        groups: int, number of groups that input and output channels are divided into.
        activation: name or function; None means none.
        use_bias: bool.
        kernel_initializer, bias_initializer: name or initializer.
        kernel_regularizer, bias_regularizer, activity_regularizer: name, regularizer or None.
        kernel_constraint, bias_constraint: name, constraint or None.

    Raises:
        ValueError: if an argument does not fit.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Conv2D(8, 3, padding="same", strides=2)(ph.ops.ones((2, 28, 28, 1))).shape
        (2, 14, 14, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
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
            groups,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
