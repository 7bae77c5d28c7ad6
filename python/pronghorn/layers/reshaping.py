"""Layers that put their inputs into another shape."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import arguments, config, ops
from pronghorn.layers.arguments import positive_int
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


class Flatten(Layer):
    """Put everything but the batch axis into one axis.

    Args:
        data_format: "channels_first" moves the channels to the end first, so that the result does not depend on the
            layout; None means `config.image_data_format()`.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Flatten()(ph.ops.ones((2, 4, 4, 3))).shape
        (2, 48)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 2:
            inputs = ops.transpose(inputs, (0, *range(2, rank), 1))
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "data_format")}


class Reshape(Layer):
    """Give each sample another shape.

    Args:
        target_shape: tuple of ints without the batch size; one may be -1, to be worked out.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Reshape((4, -1))(ph.ops.ones((2, 12))).shape
        (2, 4, 3)
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = arguments.integers(target_shape, "Reshape: target_shape")
        self.input_spec = InputSpec(min_ndim=1)
        if any(not isinstance(size, int) or size < -1 for size in self.target_shape) or (
            self.target_shape.count(-1) > 1
        ):
            raise ValueError(f"Reshape: target_shape must hold sizes and at most one -1, got {target_shape!r}")

    def call(self, inputs: Any) -> Any:
        size = math.prod(inputs.shape[1:])
        known = math.prod(each for each in self.target_shape if each != -1)
        if size % max(known, 1) or (-1 not in self.target_shape and size != known):
            raise ValueError(f"Reshape: samples of shape {inputs.shape[1:]} cannot become {self.target_shape}")
        target = (size // max(known, 1) if each == -1 else each for each in self.target_shape)
        return ops.reshape(inputs, (inputs.shape[0], *target))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "target_shape")}


class Permute(Layer):
    """Reorder the axes of each sample.

    Args:
        dims: tuple of ints, a permutation of 1 to the number of axes; the batch axis stays.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Permute((2, 1))(ph.ops.ones((2, 10, 64))).shape
        (2, 64, 10)
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = arguments.integers(dims, "Permute: dims")
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Permute: dims must be a permutation of 1 to {len(self.dims)}, got {dims!r}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "dims")}


class RepeatVector(Layer):
    """Repeat each sample's vector.

    Args:
        n: int, how often.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.RepeatVector(3)(ph.ops.ones((2, 32))).shape
        (2, 3, 32)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"RepeatVector: n must be an int, got {n!r}")
        self.n = positive_int(n, "RepeatVector: n")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return ops.broadcast_to(ops.expand_dims(inputs, 1), (inputs.shape[0], self.n, inputs.shape[1]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "n")}
