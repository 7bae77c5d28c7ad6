"""Layers that add, cut off or repeat positions of sequences and images."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.layers.arguments import window
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


def _both_ends(value: Any, name: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return ((top, bottom), (left, right)) from an int, two ints or two pairs."""
    if isinstance(value, int):
        value = ((value, value), (value, value))
    if isinstance(value, (list, tuple)) and len(value) == 2:
        pairs = tuple((each, each) if isinstance(each, int) else each for each in value)
        return tuple(window(pair, 2, name, allow_zero=True) for pair in pairs)  # type: ignore[return-value]
    raise ValueError(f"{name} must be an int, two ints or two pairs of ints, got {value!r}")


class ZeroPadding1D(Layer):
    """Put zeros before and after a sequence.

    Args:
        padding: int, or two ints for both ends.
        data_format: "channels_last", "channels_first" or None.
    """

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = window(padding, 2, "ZeroPadding1D: padding", allow_zero=True)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        none = (0, 0)
        pads = [none, self.padding, none] if self.data_format == "channels_last" else [none, none, self.padding]
        return ops.pad(inputs, pads)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "padding", "data_format")}


class ZeroPadding2D(Layer):
    """Put zeros around images.

    Args:
        padding: int; two ints for rows and columns; or ((top, bottom), (left, right)).
        data_format: "channels_last", "channels_first" or None.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.ZeroPadding2D(((1, 0), (2, 2)))(ph.ops.ones((2, 8, 8, 3))).shape
        (2, 9, 12, 3)
    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = _both_ends(padding, "ZeroPadding2D: padding")
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        none = (0, 0)
        rows, columns = self.padding
        last = self.data_format == "channels_last"
        return ops.pad(inputs, [none, rows, columns, none] if last else [none, none, rows, columns])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "padding", "data_format")}


def _cut(size: int, ends: tuple[int, int], layer: str) -> slice:
    if sum(ends) >= size:
        raise ValueError(f"{layer}: cropping {ends} leaves nothing of size {size}")
    return slice(ends[0], size - ends[1])


class Cropping1D(Layer):
    """Cut steps off both ends of a sequence of shape (batch, steps, features).

    Args:
        cropping: int, or two ints for both ends.
    """

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        first, last = window(cropping, 2, "Cropping1D: cropping", allow_zero=True)
        self.cropping = (first, last)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return inputs[:, _cut(inputs.shape[1], self.cropping, "Cropping1D"), :]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "cropping")}


class Cropping2D(Layer):
    """Cut rows and columns off images.

    Args:
        cropping: int; two ints for rows and columns; or ((top, bottom), (left, right)).
        data_format: "channels_last", "channels_first" or None.
    """

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = _both_ends(cropping, "Cropping2D: cropping")
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        rows = _cut(inputs.shape[first], self.cropping[0], "Cropping2D")
        columns = _cut(inputs.shape[first + 1], self.cropping[1], "Cropping2D")
        return inputs[:, rows, columns, :] if first == 1 else inputs[:, :, rows, columns]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "cropping", "data_format")}


class UpSampling1D(Layer):
    """Repeat each step of a sequence of shape (batch, steps, features).

    Args:
        size: int, how often.
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = window(size, 1, "UpSampling1D: size")[0]
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return ops.repeat(inputs, self.size, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "size")}


_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class UpSampling2D(Layer):
    """Enlarge images by whole factors: repeat their rows and columns, or interpolate between them.

    Args:
        size: int or 2 ints, how often.
        data_format: "channels_last", "channels_first" or None.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".

    Raises:
        ValueError: for another interpolation.
    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = window(size, 2, "UpSampling2D: size")
        self.data_format = config.standardize_data_format(data_format)
        self.interpolation = interpolation.lower() if isinstance(interpolation, str) else interpolation
        if self.interpolation not in _INTERPOLATIONS:
            raise ValueError(f"UpSampling2D: interpolation must be one of {_INTERPOLATIONS}, got {interpolation!r}")
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        if self.interpolation != "nearest":
            height, width = (factor * size for factor, size in zip(self.size, inputs.shape[first:]))
            return ops.image.resize(
                inputs, (height, width), interpolation=self.interpolation, data_format=self.data_format
            )
        return ops.repeat(ops.repeat(inputs, self.size[0], axis=first), self.size[1], axis=first + 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "size", "data_format", "interpolation")}
