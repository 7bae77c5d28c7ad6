"""Pooling: the largest or the mean value of each window."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.layers.arguments import padding_mode, window
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


class BasePooling(Layer):
    """What pooling layers of any rank share; see `MaxPooling2D` for the arguments."""

    def __init__(
        self,
        rank: int,
        pool_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        name: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        kind = type(self).__name__
        self.pool_size = window(pool_size, rank, f"{kind}: pool_size")
        self.strides = self.pool_size if strides is None else window(strides, rank, f"{kind}: strides")
        self.padding = padding_mode(padding)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "pool_size", "padding", "strides", "data_format")}


class _MaxPooling(BasePooling):
    def call(self, inputs: Any) -> Any:
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class _AveragePooling(BasePooling):
    def call(self, inputs: Any) -> Any:
        return ops.average_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(_MaxPooling):
    """The largest value of each window over one dimension; arguments as `MaxPooling2D`.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.MaxPooling1D(2)(ph.ops.ones((2, 10, 3))).shape
        (2, 5, 3)
    """

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(1, pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling2D(_MaxPooling):
    """The largest value of each window over two dimensions.

    Args:
        pool_size: int or 2 ints, window.
        strides: int or 2 ints, steps of the window; None means `pool_size`.
        padding: "valid" or "same"; what is padded never counts.
        data_format: "channels_last", "channels_first" or None for `config.image_data_format()`.
        name: unique name.

    Raises:
        ValueError: if an argument does not fit.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.MaxPooling2D((2, 2))(ph.ops.ones((2, 8, 8, 3))).shape
        (2, 4, 4, 3)
    """

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(2, pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling1D(_AveragePooling):
    """The mean of each window over one dimension; arguments as `MaxPooling2D`.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.AveragePooling1D(2)(ph.ops.ones((2, 10, 3))).shape
        (2, 5, 3)
    """

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(1, pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling2D(_AveragePooling):
    """The mean of each window over two dimensions; arguments as `MaxPooling2D`.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.AveragePooling2D(2, padding="same")(ph.ops.ones((2, 7, 7, 3))).shape
        (2, 4, 4, 3)
    """

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(2, pool_size, strides, padding, data_format, name, **kwargs)


class _GlobalPooling(Layer):
    """The largest or mean value over all positions.

    Args:
        data_format: "channels_last", "channels_first" or None for `config.image_data_format()`.
        keepdims: bool, whether the pooled dimensions stay, with size 1.
    """

    rank = 2

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "data_format", "keepdims")}


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest value of each channel over height and width.

    Args:
        data_format: "channels_last", "channels_first" or None.
        keepdims: bool, whether height and width stay, with size 1.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.GlobalMaxPooling2D()(ph.ops.ones((2, 8, 8, 3))).shape
        (2, 3)
    """

    def call(self, inputs: Any) -> Any:
        return ops.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(GlobalMaxPooling2D):
    """The largest value of each channel over the steps; arguments as `GlobalMaxPooling2D`."""

    rank = 1


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each channel over height and width.

    Args:
        data_format: "channels_last", "channels_first" or None.
        keepdims: bool, whether height and width stay, with size 1.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.GlobalAveragePooling2D(keepdims=True)(ph.ops.ones((2, 8, 8, 3))).shape
        (2, 1, 1, 3)
    """

    def call(self, inputs: Any) -> Any:
        return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean of each channel over the steps that are not masked; arguments as `GlobalAveragePooling2D`."""

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), 2 if self.data_format == "channels_last" else 1)
        total = ops.sum(inputs * weights, axis=self._axes, keepdims=self.keepdims)
        return total / ops.sum(weights, axis=self._axes, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None
