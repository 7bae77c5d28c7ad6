"""Sample: one call of a native op and what NumPy says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

HALVES = ("float16", "bfloat16")


@dataclass(frozen=True)
class Sample:
    """One call of an op.

    Args:
        id: what is special about it; the test is called "<op>-<id>".
        op: name of the op in `pronghorn._core.ops`.
        inputs: arrays. Floating ones are written in float64 and run in float32 and float64; others keep their dtype.
            The inputs of a variadic op are listed here one by one.
        attrs: attributes of the call.
        reference: takes the inputs, floating ones as float64, and returns the expected result (a tuple for several).
        grad: whether finite differences are taken, or the positions of the inputs for which they are.
        targets: positions of the results that have a gradient; left out, all floating ones.
        rtol: relative tolerance in float32.
        atol: absolute tolerance in float32.
        dtypes: further dtypes that the floating inputs are brought to (float16, bfloat16, integers ...).
        wide: positions of inputs that stay float32 where the others have 16 bits.
        raises: for a call that must fail, the exception and a regular expression its message matches.
    """

    id: str
    op: str
    inputs: Sequence[np.ndarray]
    attrs: dict[str, Any] = field(default_factory=dict)
    reference: Callable[..., Any] | None = None
    grad: bool | tuple[int, ...] = True
    targets: tuple[int, ...] | None = None
    rtol: float | None = None
    atol: float | None = None
    dtypes: tuple[str, ...] = ()
    wide: tuple[int, ...] = ()
    raises: tuple[type[Exception], str] | None = None


def normal(*shape: int, seed: int = 0, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    """Normal random numbers that float32 holds exactly."""
    values = np.random.default_rng([seed, *shape]).normal(size=shape) * scale + shift
    return values.astype("float32").astype("float64")


def integers(low: int, high: int, *shape: int, dtype: str = "int32", seed: int = 0) -> np.ndarray:
    """Random integers in [low, high)."""
    return np.random.default_rng([seed, *shape]).integers(low, high, size=shape).astype(dtype)


def distinct(*shape: int, seed: int = 0) -> np.ndarray:
    """Distinct numbers, at least 0.1 apart, none near 0: for ops with a kink where values meet."""
    count = int(np.prod(shape, dtype=np.int64))
    values = (np.random.default_rng([seed, *shape]).permutation(count) - count // 2 + 0.5) * 0.125
    return values.reshape(shape)


def in_halves(samples: Sequence[Sample], but: Sequence[str] = ()) -> list[Sample]:
    """Samples that are run in float16 and bfloat16 too.

    Args:
        samples: samples; those without floating inputs and those of calls that fail stay as they are.
        but: ids of samples that hold what 16 bits cannot, such as infinities that are numbers in float32.
    """

    def fits(sample: Sample) -> bool:
        floating = any(np.asarray(x).dtype.name in ("float32", "float64") for x in sample.inputs)
        return floating and sample.raises is None and sample.id not in but

    return [
        replace(sample, dtypes=tuple(dict.fromkeys((*HALVES, *sample.dtypes)))) if fits(sample) else sample
        for sample in samples
    ]
