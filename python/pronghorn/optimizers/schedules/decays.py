"""Learning rates that fall by a formula."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import arguments, ops
from pronghorn.optimizers.schedules.schedule import LearningRateSchedule


def _positive(name: str, value: float, schedule: str) -> None:
    if not arguments.number(value, f"{schedule}: {name}") > 0:
        raise ValueError(f"{schedule}: {name} must be positive, got {value!r}")


def _numbers(schedule: str, **values: Any) -> None:
    for name, value in values.items():
        arguments.number_between(value, f"{schedule}: {name}")


def _float(step: Any) -> Any:
    return ops.cast(step, "float32")


class ExponentialDecay(LearningRateSchedule):
    """initial * rate ^ (step / steps); with `staircase` the exponent is cut to whole numbers.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: steps over which it falls by `decay_rate`; positive.
        decay_rate: factor.
        staircase: whether it falls in steps.
        name: shown in configs.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _positive("decay_steps", decay_steps, "ExponentialDecay")
        _numbers("ExponentialDecay", initial_learning_rate=initial_learning_rate, decay_rate=decay_rate)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        exponent = _float(step) / self.decay_steps
        if self.staircase:
            exponent = ops.floor(exponent)
        return ops.power(self.decay_rate, exponent) * self.initial_learning_rate

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(LearningRateSchedule):
    """initial / (1 + rate * step / steps); with `staircase` the quotient is cut to whole numbers.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: positive.
        decay_rate: how fast it falls.
        staircase: whether it falls in steps.
        name: shown in configs.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        _positive("decay_steps", decay_steps, "InverseTimeDecay")
        _numbers("InverseTimeDecay", initial_learning_rate=initial_learning_rate, decay_rate=decay_rate)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        periods = _float(step) / self.decay_steps
        if self.staircase:
            periods = ops.floor(periods)
        return self.initial_learning_rate / (periods * self.decay_rate + 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class PolynomialDecay(LearningRateSchedule):
    """From initial to end as (1 - step / decay_steps) ^ power; with `cycle` it starts again, longer each time.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: positive.
        end_learning_rate: at the end.
        power: of the polynomial.
        cycle: whether to go on past decay_steps.
        name: shown in configs.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        _positive("decay_steps", decay_steps, "PolynomialDecay")
        _numbers(
            "PolynomialDecay",
            initial_learning_rate=initial_learning_rate,
            end_learning_rate=end_learning_rate,
            power=power,
        )
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        step = _float(step)
        length: Any = float(self.decay_steps)
        if self.cycle:
            length = ops.maximum(ops.ceil(step / length), 1.0) * length
        else:
            step = ops.minimum(step, length)
        left = 1.0 - step / length
        return (
            ops.power(left, self.power) * (self.initial_learning_rate - self.end_learning_rate) + self.end_learning_rate
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and including boundaries[0], values[1] up to boundaries[1], and so on.

    Args:
        boundaries: increasing steps.
        values: one more than boundaries.
        name: shown in configs.

    Raises:
        ValueError: if the lengths do not fit.
    """

    def __init__(self, boundaries: list[float], values: list[float], name: str = "PiecewiseConstant") -> None:
        for argument, steps in (("boundaries", boundaries), ("values", values)):
            if not isinstance(steps, (list, tuple)):
                raise TypeError(
                    f"PiecewiseConstantDecay: {argument} must be a list of numbers, got {arguments.shown(steps)}"
                )
            for each in steps:
                arguments.number_between(each, f"PiecewiseConstantDecay: {argument}")
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"PiecewiseConstantDecay: values must have one more entry than boundaries, got {len(values)} and "
                f"{len(boundaries)}"
            )
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        step = _float(step)
        rate: Any = ops.convert_to_tensor(float(self.values[-1]))
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1])):
            rate = ops.where(ops.less_equal(step, float(boundary)), float(value), rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


class CosineDecay(LearningRateSchedule):
    """Down a half cosine, after an optional linear warm-up (Loshchilov and Hutter, 2016).

    Args:
        initial_learning_rate: at the start (of the warm-up, if there is one).
        decay_steps: length of the decay; positive.
        alpha: the end, as a share of the start.
        name: shown in configs.
        warmup_target: where the warm-up ends; None for no warm-up.
        warmup_steps: length of the warm-up.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        _positive("decay_steps", decay_steps, "CosineDecay")
        _numbers("CosineDecay", initial_learning_rate=initial_learning_rate, alpha=alpha, warmup_steps=warmup_steps)
        if warmup_target is not None:
            _numbers("CosineDecay", warmup_target=warmup_target)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        step = _float(step)
        if self.warmup_target is None:
            return self._decayed(step, self.initial_learning_rate)
        rise = self.warmup_target - self.initial_learning_rate
        warming = step * (rise / max(self.warmup_steps, 1)) + self.initial_learning_rate
        decayed = self._decayed(ops.maximum(step - float(self.warmup_steps), 0.0), self.warmup_target)
        return ops.where(ops.less(step, float(self.warmup_steps)), warming, decayed)

    def _decayed(self, step: Any, start: float) -> Any:
        share = ops.minimum(step, float(self.decay_steps)) / float(self.decay_steps)
        cosine = (ops.cos(share * math.pi) + 1.0) * 0.5
        return (cosine * (1 - self.alpha) + self.alpha) * start

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines, each `t_mul` times as long and `m_mul` times as high as the last (Loshchilov and Hutter, 2016).

    Args:
        initial_learning_rate: at step 0.
        first_decay_steps: length of the first; positive.
        t_mul: growth of the lengths.
        m_mul: factor of the heights.
        alpha: the end of each, as a share of the start.
        name: shown in configs.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        _positive("first_decay_steps", first_decay_steps, "CosineDecayRestarts")
        _positive("t_mul", t_mul, "CosineDecayRestarts")
        _numbers("CosineDecayRestarts", initial_learning_rate=initial_learning_rate, m_mul=m_mul, alpha=alpha)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        done = _float(step) / float(self.first_decay_steps)
        if self.t_mul == 1.0:
            restarts = ops.floor(done)
            share = done - restarts
        else:
            restarts = ops.floor(ops.log(1.0 - done * (1.0 - self.t_mul)) / math.log(self.t_mul))
            before = (1.0 - ops.power(self.t_mul, restarts)) / (1.0 - self.t_mul)
            share = (done - before) / ops.power(self.t_mul, restarts)
        height = ops.power(self.m_mul, restarts) * 0.5
        cosine = (ops.cos(share * math.pi) + 1.0) * height
        return (cosine * (1 - self.alpha) + self.alpha) * self.initial_learning_rate

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }
