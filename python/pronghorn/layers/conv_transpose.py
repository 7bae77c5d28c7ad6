"""Transposed convolutions, which enlarge their inputs."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import window
from pronghorn.layers.conv import BaseConv


class BaseConvTranspose(BaseConv):
    """What transposed convolutions of any rank share; see `Conv2DTranspose` for the arguments."""

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
            rank,
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        name = f"{type(self).__name__}: output_padding"
        self.output_padding = None if output_padding is None else window(output_padding, rank, name, allow_zero=True)
        if self.output_padding is not None:
            for stride, extra in zip(self.strides, self.output_padding):
                if extra >= stride:
                    raise ValueError(f"{name} must be smaller than strides, got {output_padding} and {strides}")

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, self.filters, channels)

    def convolution(self, inputs: Any) -> Any:
        return ops.conv_transpose(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["groups"]
        return {**config, "output_padding": self.output_padding}


class Conv1DTranspose(BaseConvTranspose):
    """Transposed convolution over one dimension; arguments as `Conv2DTranspose`.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Conv1DTranspose(4, 3, strides=2, padding="same")(ph.ops.ones((2, 5, 3))).shape
        (2, 10, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
            output_padding,
            data_format,
            dilation_rate,
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


class Conv2DTranspose(BaseConvTranspose):
    """Transposed convolution over two dimensions: the way back through a `Conv2D`.

    Args:
        filters: int, number of output channels.
        kernel_size: int or 2 ints, window.
        strides: int or 2 ints, factor of enlargement.
        padding: "valid" or "same" (the size becomes size * stride).
        output_padding: int or 2 ints, smaller than strides, rows and columns to add at the end; None works it out.
        data_format: "channels_last", "channels_first" or None.
        dilation_rate: int or 2 ints; not together with strides.
        activation: name or function; None means none.
        use_bias: bool.
        kernel_initializer, bias_initializer: name or initializer.
        kernel_regularizer, bias_regularizer, activity_regularizer: name, regularizer or None.
        kernel_constraint, bias_constraint: name, constraint or None.

    Raises:
        ValueError: if an argument does not fit.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Conv2DTranspose(4, 3, strides=2, padding="same")(ph.ops.ones((2, 5, 5, 3))).shape
        (2, 10, 10, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
            output_padding,
            data_format,
            dilation_rate,
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
