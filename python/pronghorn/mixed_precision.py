"""Mixed precision: computing in float16 or bfloat16 while variables, losses and metrics stay float32.

    ph.mixed_precision.set_global_policy("mixed_bfloat16")

The names are Keras's; `config` and `dtype_policies` have the same functions under their newer names.
"""

from __future__ import annotations

from pronghorn.config import dtype_policy, set_dtype_policy
from pronghorn.dtype_policy import DTypePolicy
from pronghorn.optimizers.loss_scale_optimizer import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]
