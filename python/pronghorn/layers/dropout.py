"""Random noise during training: dropout and its relatives."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import config, ops, random
from pronghorn.layers.arguments import fraction
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config

# Slope and scale of SELU, whose mean and variance AlphaDropout keeps.
_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


class Dropout(Layer):
    """Set inputs to 0 at random during training, and scale the others up so that the mean stays.

    Args:
        rate: float from 0 to 1, share of the inputs to drop.
        noise_shape: tuple of the inputs' rank; where it has 1, the choice is shared along that axis; None entries mean
            the inputs' size. None chooses each input on its own.
        seed: int or None.

    Raises:
        ValueError: if `rate` lies outside 0 to 1.

    Example:
        >>> import pronghorn as ph
        >>> layer = ph.layers.Dropout(0.5, seed=1)
        >>> layer(ph.ops.ones((2, 3)), training=True).shape
        (2, 3)
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = fraction(rate, f"{type(self).__name__}: rate")
        self.seed = seed
        self.noise_shape = _checked_noise_shape(noise_shape)
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def _noise_shape(self, inputs: Any) -> tuple[int, ...] | None:
        if self.noise_shape is None:
            return None
        if len(self.noise_shape) != len(inputs.shape):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: noise_shape must have the inputs' rank, got {self.noise_shape} "
                f"for inputs of shape {inputs.shape}"
            )
        return tuple(size if noise is None else noise for noise, size in zip(self.noise_shape, inputs.shape))

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, noise_shape=self._noise_shape(inputs), seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "rate", "seed", "noise_shape")}


def _checked_noise_shape(noise_shape: Any) -> tuple[int | None, ...] | None:
    if noise_shape is None:
        return None
    if isinstance(noise_shape, str) or not hasattr(noise_shape, "__iter__"):
        raise ValueError(f"noise_shape must be a tuple of ints or None, got {noise_shape!r}")
    sizes = tuple(noise_shape)
    if any(size is not None and (not isinstance(size, int) or size <= 0) for size in sizes):
        raise ValueError(f"noise_shape must hold positive ints or None, got {noise_shape!r}")
    return sizes


class AlphaDropout(Dropout):
    """Dropout that keeps the mean and variance of inputs that come from SELU.

    Args:
        rate: float from 0 to 1, share of the inputs to set to SELU's lowest value.
        noise_shape: as in `Dropout`.
        seed: int or None.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        lowest = -_SELU_ALPHA * _SELU_SCALE
        scale = ((1 - self.rate) * (1 + self.rate * lowest**2)) ** -0.5
        noise_shape = self._noise_shape(inputs) or inputs.shape
        drawn = random.uniform(noise_shape, dtype=inputs.dtype, seed=self.seed_generator)
        kept = ops.where(ops.greater_equal(drawn, self.rate), inputs, ops.full_like(inputs, lowest))
        return scale * kept - scale * lowest * self.rate


class _SpatialDropout(Dropout):
    rank = 1

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _noise_shape(self, inputs: Any) -> tuple[int, ...]:
        ones = (1,) * self.rank
        if self.data_format == "channels_last":
            return (inputs.shape[0], *ones, inputs.shape[-1])
        return (inputs.shape[0], inputs.shape[1], *ones)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, **attribute_config(self, "rate", "seed")}


class SpatialDropout1D(_SpatialDropout):
    """Drop whole channels of inputs of shape (batch, steps, channels).

    Args:
        rate: float from 0 to 1, share of the channels to drop.
        seed: int or None.
        name: unique name.
        dtype: dtype of the computation.
    """

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(rate, "channels_last", seed, name, dtype)


class SpatialDropout2D(_SpatialDropout):
    """Drop whole channels of images.

    Args:
        rate: float from 0 to 1, share of the channels to drop.
        data_format: "channels_last", "channels_first" or None.
        seed: int or None.
        name: unique name.
        dtype: dtype of the computation.
    """

    rank = 2

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "data_format")}


class GaussianNoise(Layer):
    """Add normal noise during training.

    Args:
        stddev: float, its standard deviation.
        seed: int or None.

    Raises:
        ValueError: if `stddev` is negative.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(stddev, (int, float)) or stddev < 0:
            raise ValueError(f"GaussianNoise: stddev must be a non-negative number, got {stddev!r}")
        self.stddev = stddev
        self.seed = seed
        if stddev > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.stddev == 0:
            return inputs
        noise = random.normal(inputs.shape, 0.0, self.stddev, dtype=inputs.dtype, seed=self.seed_generator)
        return inputs + noise

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "stddev", "seed")}


class GaussianDropout(Layer):
    """Multiply by normal noise of mean 1 during training.

    Args:
        rate: float from 0 to 1; the noise has standard deviation sqrt(rate / (1 - rate)).
        seed: int or None.

    Raises:
        ValueError: if `rate` lies outside 0 to 1.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = fraction(rate, "GaussianDropout: rate")
        self.seed = seed
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return inputs * random.normal(inputs.shape, 1.0, stddev, dtype=inputs.dtype, seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **attribute_config(self, "rate", "seed")}
