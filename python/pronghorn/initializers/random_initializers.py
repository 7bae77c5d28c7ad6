"""Initializers by chance. An integer seed gives the same values at every call, as in Keras."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import arguments, ops, random
from pronghorn.initializers.initializer import Initializer, compute_fans
from pronghorn.ops.creation import standardize_dtype
from pronghorn.saving import serialization


def make_default_seed() -> int:
    """Return a seed from the generator that `set_random_seed` sets."""
    return int(np.random.randint(0, 2**31 - 1))


class RandomInitializer(Initializer):
    """Base class of initializers by chance.

    Args:
        seed: integer, `random.SeedGenerator`, or None for a seed of its own.

    Raises:
        ValueError: for any other seed.
    """

    def __init__(self, seed: Any = None) -> None:
        self._init_seed = seed
        if seed is None:
            seed = make_default_seed()
        elif isinstance(seed, dict):
            seed = serialization.deserialize_keras_object(seed)
        elif isinstance(seed, bool) or not isinstance(seed, (int, np.integer, random.SeedGenerator)):
            raise ValueError(f"seed must be an integer, a SeedGenerator or None, got {seed!r}")
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"seed": serialization.serialize_keras_object(self._init_seed)}


class RandomNormal(RandomInitializer):
    """Normal distribution.

    Args:
        mean, stddev: of the distribution.
        seed: see `RandomInitializer`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return random numbers of `shape`."""
        return random.normal(shape, self.mean, self.stddev, dtype=standardize_dtype(dtype), seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Normal distribution without what lies more than two standard deviations from the mean.

    Args:
        mean, stddev: of the distribution before it is cut.
        seed: see `RandomInitializer`.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return random numbers of `shape`."""
        return random.truncated_normal(shape, self.mean, self.stddev, dtype=standardize_dtype(dtype), seed=self.seed)


class RandomUniform(RandomInitializer):
    """Uniform distribution over [minval, maxval).

    Args:
        minval, maxval: bounds.
        seed: see `RandomInitializer`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return random numbers of `shape`."""
        return random.uniform(shape, self.minval, self.maxval, dtype=standardize_dtype(dtype), seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


# standard deviation of a standard normal distribution cut at two
_TRUNCATED_STDDEV = 0.87962566103423978


class VarianceScaling(RandomInitializer):
    """A distribution whose variance is `scale` over the number of inputs, of outputs, or their mean.

    Args:
        scale: positive.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: see `RandomInitializer`.
        input_axes, output_axes: ints, the axes of the inputs and of the outputs; None for both takes the last two,
            axes before them counting for each.

    Raises:
        ValueError: for a scale that is not positive or an unknown mode or distribution.

    Example:
        >>> import pronghorn as ph
        >>> kernel = ph.initializers.VarianceScaling(scale=2.0, mode="fan_in", seed=1)((200, 100))
        >>> abs(float(ph.ops.std(kernel)) - 0.1) < 0.005
        True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        if not arguments.number(scale, "scale") > 0:
            raise ValueError(f"scale must be positive, got {scale!r}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"mode must be 'fan_in', 'fan_out' or 'fan_avg', got {mode!r}")
        if isinstance(distribution, str):
            distribution = distribution.lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                f"distribution must be 'truncated_normal', 'untruncated_normal' or 'uniform', got {distribution!r}"
            )
        super().__init__(seed)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return random numbers of `shape`."""
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, count)
        dtype = standardize_dtype(dtype)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return random.uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(variance), dtype=dtype, seed=self.seed)
        return random.truncated_normal(shape, 0.0, math.sqrt(variance) / _TRUNCATED_STDDEV, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"scale": self.scale, "mode": self.mode, "distribution": self.distribution}
        return {**super().get_config(), **own, "input_axes": self.input_axes, "output_axes": self.output_axes}


class _Scaled(VarianceScaling):
    _settings: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(*self._settings, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Scaled):
    """Uniform within sqrt(6 / (fan_in + fan_out)) of 0 (Glorot and Bengio, 2010)."""

    _settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal, stddev sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""

    _settings = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform within sqrt(6 / fan_in) of 0 (He et al., 2015)."""

    _settings = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal, stddev sqrt(2 / fan_in) (He et al., 2015)."""

    _settings = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform within sqrt(3 / fan_in) of 0 (LeCun et al., 1998)."""

    _settings = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal, stddev sqrt(1 / fan_in) (LeCun et al., 1998)."""

    _settings = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A random orthogonal matrix (Saxe et al., 2013); axes before the last are taken together.

    Args:
        gain: factor.
        seed: see `RandomInitializer`.

    Raises:
        ValueError: when called for a shape of fewer than two dimensions.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = arguments.number_between(gain, "Orthogonal: gain")

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return an orthogonal tensor of `shape`."""
        shape = arguments.integers(shape, "Orthogonal: shape", least=0)
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: shape must have two or more dimensions, got {tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        # made once, on the host: QR has no kernel of its own
        q, r = np.linalg.qr(random.normal(tall, dtype="float32", seed=self.seed).numpy().astype("float64"))
        q = q * np.sign(np.diag(r))
        if rows < columns:
            q = q.T
        return ops.convert_to_tensor(self.gain * q.reshape(shape), dtype=standardize_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "gain": self.gain}
