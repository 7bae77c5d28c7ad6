"""Random tensors by distribution. Equal seeds give equal bits, on every machine kind and for any number of threads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import _core, arguments, ops
from pronghorn.random.seed_generator import SeedGenerator, draw_seed
from pronghorn.tensor import Tensor

_raw = _core.ops

Seed = SeedGenerator | int | None

# Proposals per element of the rejection method in gamma(): at least 95 % are accepted, so all fail once in 10^10.
_GAMMA_PROPOSALS = 8


def _shape(shape: Any) -> tuple[int, ...]:
    return arguments.integers(shape, "shape")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number))


def _derived(seed: Tensor, index: int) -> Tensor:
    """One of several independent seeds made from one."""
    return _raw.bitwise_xor(seed, np.array([index * 0x9E3779B9 & 0xFFFFFFFF, 0], dtype="uint32"))


def _float_dtype(dtype: Any, name: str) -> str:
    dtype = ops.standardize_dtype(dtype)
    if not dtype.startswith(("float", "bfloat")):
        raise ValueError(f"{name}: dtype must be a floating type, got {dtype!r}")
    return dtype


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw from a normal distribution.

    Args:
        shape: shape of the result.
        mean: mean.
        stddev: standard deviation.
        dtype: floating dtype; None for the default float.
        seed: int (the same numbers each time), SeedGenerator (other numbers each time) or None (the global generator).

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: for a dtype that is not floating, or a negative `stddev`.

    Example:
        >>> from pronghorn import random
        >>> random.normal((2, 3), seed=1).shape
        (2, 3)
    """
    dtype = _float_dtype(dtype, "normal")
    if _is_number(mean) and _is_number(stddev):
        return _raw.random_normal(
            draw_seed(seed),
            shape=_shape(shape),
            mean=arguments.number(mean, "mean"),
            stddev=arguments.number(stddev, "stddev"),
            dtype=dtype,
        )
    unit = _raw.random_normal(draw_seed(seed), shape=_shape(shape), dtype=dtype)
    return unit * ops.cast(stddev, dtype) + ops.cast(mean, dtype)


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw from a normal distribution cut off at two standard deviations on either side of the mean.

    Args:
        shape: shape of the result.
        mean: mean.
        stddev: standard deviation of the distribution before it is cut.
        dtype: floating dtype; None for the default float.
        seed: int, SeedGenerator or None, as in `normal`.

    Returns:
        Tensor of `shape`.

    Example:
        >>> from pronghorn import ops, random
        >>> bool(ops.max(ops.abs(random.truncated_normal((1000,), seed=1))) <= 2)
        True
    """
    dtype = _float_dtype(dtype, "truncated_normal")
    if _is_number(mean) and _is_number(stddev):
        return _raw.random_truncated_normal(
            draw_seed(seed),
            shape=_shape(shape),
            mean=arguments.number(mean, "mean"),
            stddev=arguments.number(stddev, "stddev"),
            dtype=dtype,
        )
    unit = _raw.random_truncated_normal(draw_seed(seed), shape=_shape(shape), dtype=dtype)
    return unit * ops.cast(stddev, dtype) + ops.cast(mean, dtype)


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw uniformly from [minval, maxval).

    Args:
        shape: shape of the result.
        minval: lower bound, included.
        maxval: upper bound, not included.
        dtype: floating dtype; None for the default float.
        seed: int, SeedGenerator or None, as in `normal`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: for a dtype that is not floating, or if `minval` exceeds `maxval`.

    Example:
        >>> from pronghorn import random
        >>> random.uniform((4,), 1.0, 2.0, seed=3).dtype
        'float32'
    """
    dtype = _float_dtype(dtype, "uniform")
    if _is_number(minval) and _is_number(maxval):
        return _raw.random_uniform(
            draw_seed(seed),
            shape=_shape(shape),
            minval=arguments.number(minval, "minval"),
            maxval=arguments.number(maxval, "maxval"),
            dtype=dtype,
        )
    low, high = ops.cast(minval, dtype), ops.cast(maxval, dtype)
    return low + _raw.random_uniform(draw_seed(seed), shape=_shape(shape), dtype=dtype) * (high - low)


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Seed = None) -> Tensor:
    """Draw integers uniformly from [minval, maxval).

    Args:
        shape: shape of the result.
        minval: lower bound, included.
        maxval: upper bound, not included.
        dtype: integer dtype.
        seed: int, SeedGenerator or None, as in `normal`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: for a dtype that is no integer type, or if `minval` is not below `maxval`.

    Example:
        >>> from pronghorn import random
        >>> random.randint((3,), 0, 10, seed=1).dtype
        'int32'
    """
    dtype = ops.standardize_dtype(dtype)
    if not dtype.startswith(("int", "uint")):
        raise ValueError(f"randint: dtype must be an integer type, got {dtype!r}")
    low, high = arguments.integer(minval, "randint: minval"), arguments.integer(maxval, "randint: maxval")
    return _raw.random_randint(draw_seed(seed), shape=_shape(shape), minval=low, maxval=high, dtype=dtype)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Seed = None) -> Tensor:
    """Draw class numbers with probabilities softmax(logits).

    Args:
        logits: tensor (batch, classes).
        num_samples: draws per row.
        dtype: integer dtype of the result.
        seed: int, SeedGenerator or None, as in `normal`.

    Returns:
        Tensor (batch, num_samples).

    Raises:
        ValueError: if `logits` does not have two dimensions.

    Example:
        >>> from pronghorn import random
        >>> random.categorical([[0.0, -1e9], [-1e9, 0.0]], 2, seed=1).numpy()
        array([[0, 0],
               [1, 1]], dtype=int32)
    """
    logits = ops.convert_to_tensor(logits)
    if len(logits.shape) != 2:
        raise ValueError(f"categorical: logits must have shape (batch, classes), got {logits.shape}")
    rows, classes = logits.shape
    num_samples = arguments.integer(num_samples, "categorical: num_samples", least=0)
    drawn = _raw.random_uniform(
        draw_seed(seed), shape=(rows, num_samples, classes), minval=float(np.finfo("float32").tiny)
    )
    gumbel = -ops.log(-ops.log(drawn))  # the largest of logits + Gumbel noise is distributed as asked
    return ops.cast(ops.argmax(ops.expand_dims(ops.cast(logits, "float32"), 1) + gumbel, axis=-1), dtype)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Seed = None) -> Tensor:
    """Set elements to zero with probability `rate` and scale the others by 1 / (1 - rate).

    Args:
        inputs: floating tensor.
        rate: probability in [0, 1].
        noise_shape: shape of the mask, broadcast against `inputs`; None for one number per element.
        seed: int, SeedGenerator or None, as in `normal`.

    Returns:
        Tensor like `inputs`.

    Raises:
        ValueError: if `rate` is outside [0, 1].

    Example:
        >>> from pronghorn import ops, random
        >>> sorted(set(random.dropout(ops.ones((100,)), 0.5, seed=1).numpy().tolist()))
        [0.0, 2.0]
    """
    inputs, rate = ops.convert_to_tensor(inputs), arguments.number(rate, "dropout: rate")
    half = inputs.dtype in ("float16", "bfloat16")
    x = ops.cast(inputs, "float32") if half else inputs
    shape = None if noise_shape is None else _shape(noise_shape)
    if shape is None or shape == tuple(x.shape):
        y = _raw.dropout(x, draw_seed(seed), rate=rate)
    else:
        y = x * _raw.dropout(ops.ones(shape, x.dtype), draw_seed(seed), rate=rate)
    return ops.cast(y, inputs.dtype) if half else y


def shuffle(x: Any, axis: int = 0, seed: Seed = None) -> Tensor:
    """Return the slices of `x` along `axis` in random order.

    Args:
        x: tensor.
        axis: the axis to shuffle along.
        seed: int, SeedGenerator or None, as in `normal`.

    Returns:
        Tensor like `x`.

    Example:
        >>> from pronghorn import random
        >>> sorted(random.shuffle([1, 2, 3, 4], seed=1).numpy().tolist())
        [1, 2, 3, 4]
    """
    x = ops.convert_to_tensor(x)
    axis = arguments.normalize_axis(axis, len(x.shape), "shuffle")
    keys = _raw.random_randint(draw_seed(seed), shape=(x.shape[axis],), minval=-(2**62), maxval=2**62, dtype="int64")
    return ops.take(x, ops.argsort(keys), axis=axis)


def _gamma(shape: tuple[int, ...], alpha: Any, dtype: str, seed: Tensor) -> Tensor:
    """Marsaglia and Tsang, "A simple method for generating gamma variables", 2000."""
    work = "float64" if dtype == "float64" else "float32"
    alpha = ops.broadcast_to(ops.cast(alpha, work), shape)
    small = alpha < 1.0
    d = ops.where(small, alpha + 1.0, alpha) - 1.0 / 3.0
    c = ops.rsqrt(9.0 * d)
    proposals = (_GAMMA_PROPOSALS, *shape)
    x = _raw.random_normal(_derived(seed, 1), shape=proposals, dtype=work)
    u = _raw.random_uniform(_derived(seed, 2), shape=proposals, dtype=work, minval=1e-30)
    v = ops.power(1.0 + c * x, 3)
    positive = v > 0.0
    log_v = ops.log(ops.where(positive, v, ops.ones_like(v)))
    accepted = ops.logical_and(positive, ops.log(u) < 0.5 * x * x + d * (1.0 - v + log_v))
    first = ops.argmax(ops.cast(accepted, "int32"), axis=0)
    chosen = ops.squeeze(ops.take_along_axis(d * v, ops.expand_dims(first, 0), axis=0), 0)
    # alpha < 1: gamma(alpha + 1) * u^(1 / alpha)
    boost = _raw.random_uniform(_derived(seed, 3), shape=shape, dtype=work, minval=1e-30)
    return ops.cast(ops.where(small, chosen * ops.power(boost, 1.0 / alpha), chosen), dtype)


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw from a gamma distribution of scale 1.

    Args:
        shape: shape of the result.
        alpha: the distribution's parameter, a number or a tensor that broadcasts to `shape`.
        dtype: floating dtype; None for the default float.
        seed: int, SeedGenerator or None, as in `normal`.

    Returns:
        Tensor of `shape`.

    Example:
        >>> from pronghorn import random
        >>> random.gamma((2,), 0.5, seed=1).shape
        (2,)
    """
    return _gamma(_shape(shape), alpha, _float_dtype(dtype, "gamma"), draw_seed(seed))


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw from a beta distribution.

    Args:
        shape: shape of the result.
        alpha: first parameter, a number or a tensor that broadcasts to `shape`.
        beta: second parameter, likewise.
        dtype: floating dtype; None for the default float.
        seed: int, SeedGenerator or None, as in `normal`.

    Returns:
        Tensor of `shape`.

    Example:
        >>> from pronghorn import random
        >>> random.beta((2,), 1.0, 2.0, seed=1).shape
        (2,)
    """
    dtype, drawn = _float_dtype(dtype, "beta"), draw_seed(seed)
    a = _gamma(_shape(shape), alpha, dtype, _derived(drawn, 4))
    b = _gamma(_shape(shape), beta, dtype, _derived(drawn, 5))
    return a / (a + b)


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw the number of successes in `counts` trials.

    Args:
        shape: shape of the result.
        counts: number of trials, a number or an array that broadcasts to `shape`.
        probabilities: chance of each success, a number or a tensor that broadcasts to `shape`.
        dtype: floating dtype; None for the default float.
        seed: int, SeedGenerator or None, as in `normal`.

    Returns:
        Tensor of `shape`.

    Example:
        >>> from pronghorn import random
        >>> random.binomial((2,), 10, 1.0, seed=1).numpy()
        array([10., 10.], dtype=float32)
    """
    dtype, shape = _float_dtype(dtype, "binomial"), _shape(shape)
    most = float(np.max(ops.convert_to_numpy(counts), initial=0))
    if not math.isfinite(most):
        raise ValueError(f"binomial: counts must be finite, got {most}")
    trials = math.ceil(most)
    drawn = _raw.random_uniform(draw_seed(seed), shape=(trials, *shape))
    index = ops.reshape(ops.arange(trials, dtype="float32"), (trials, *(1,) * len(shape)))
    counted = ops.logical_and(drawn < ops.cast(probabilities, "float32"), index < ops.cast(counts, "float32"))
    return ops.cast(ops.sum(ops.cast(counted, "float32"), axis=0), dtype)
