"""Rows of a profile: calls of one op for one layer, and sums of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ProfileRow:
    """The calls of one op for one layer in one step.

    Args:
        layer: path of the layer below the model, as in "block/conv2d"; "loss/...", "metrics/...", "optimizer"; the
            model's own name for ops in its `call`; "(step)" for what is outside all of these.
        phase: "forward", "backward" for gradients, "update" for new values of variables.
        op: name of the op; "" in a row of all ops of a layer.
        kernel: name of the kernel that ran, of the call that took longest.
        results: dtype and shape of what it made.
        fused: other layers whose work the calls do too.
        calls: number of calls.
        seconds: what they took.
        flops: arithmetic operations: exactly those of the formula for products and convolutions, however the kernel
            computes them; one for each element and operation elsewhere, functions such as exp counted as one.
        bytes: the inputs, read once, and the outputs, written once.
        ceiling_seconds: the least time that the machine could take, by its measured `Ceilings`.
        bound: what sets that time: "compute", "memory", "cache", or "overhead" for calls that do next to nothing.

    Example:
        >>> from pronghorn.profiling import ProfileRow
        >>> row = ProfileRow("dense", "forward", "matmul", "gemm", "", (), 1, 2e-3, 4e8, 8e6, 1e-3, "compute")
        >>> row.gflops_per_second, row.gbytes_per_second, row.percent_of_ceiling
        (200.0, 4.0, 50.0)
    """

    layer: str
    phase: str
    op: str
    kernel: str
    results: str
    fused: tuple[str, ...]
    calls: int
    seconds: float
    flops: float
    bytes: float
    ceiling_seconds: float
    bound: str

    @property
    def gflops_per_second(self) -> float:
        """1e9 operations a second."""
        return ratio(self.flops, self.seconds) * 1e-9

    @property
    def gbytes_per_second(self) -> float:
        """1e9 bytes a second."""
        return ratio(self.bytes, self.seconds) * 1e-9

    @property
    def percent_of_ceiling(self) -> float:
        """100 where the calls are as fast as the ceilings allow; Winograd's convolutions, which need fewer operations
        than the formula, can pass that."""
        return 100 * ratio(self.ceiling_seconds, self.seconds)

    @property
    def lost_seconds(self) -> float:
        """What the calls take longer than the ceilings allow; 0 where they are faster."""
        return max(0.0, self.seconds - self.ceiling_seconds)


def merge_rows(rows: Iterable[ProfileRow], key: Callable[[ProfileRow], Any], **replaced: str) -> tuple[ProfileRow, ...]:
    """Return one row for those of the same key, slowest first.

    Args:
        rows: rows to merge.
        key: function of a row.
        **replaced: fields that the merged rows have in common.
    """
    groups: dict[Any, list[ProfileRow]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    merged = []
    for group in groups.values():
        slowest = max(group, key=lambda row: row.seconds)
        sums = {name: sum(getattr(row, name) for row in group) for name in _SUMMED}
        fused = {name: None for row in group for name in row.fused}
        merged.append(ProfileRow(**{**vars(slowest), **sums, "fused": tuple(fused), **replaced}))
    return tuple(sorted(merged, key=lambda row: -row.seconds))


_SUMMED = ("calls", "seconds", "flops", "bytes", "ceiling_seconds")


def sum_rows(rows: Iterable[ProfileRow]) -> ProfileRow:
    """Return one row for all."""
    merged = merge_rows(rows, lambda row: (), layer="", phase="", op="")
    return merged[0] if merged else ProfileRow("", "", "", "", "", (), 0, 0.0, 0.0, 0.0, 0.0, "overhead")


def ratio(amount: float, seconds: float) -> float:
    """Return amount / seconds, 0 where no time passed."""
    return amount / seconds if seconds else 0.0
