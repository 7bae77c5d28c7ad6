"""LearningRateSchedule: a learning rate that depends on the number of updates made."""

from __future__ import annotations

from typing import Any


class LearningRateSchedule:
    """Base class of schedules: define `__call__(step)` in ops, so that it becomes part of a traced train step.

    Example:
        >>> import pronghorn as ph
        >>> class Halving(ph.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 * 0.5 ** ph.ops.cast(step, "float32")
        >>> float(Halving()(ph.constant(1)))
        0.05000000074505806
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`, an integer scalar tensor."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step)")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        raise NotImplementedError(f"{type(self).__name__} must define get_config()")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """Make a schedule from `get_config`'s result."""
        return cls(**config)
