"""The table of a profile."""

from __future__ import annotations

import shutil
from typing import Any

from pronghorn.profiling.rows import ProfileRow, sum_rows

# Characters that all columns need, and those with rates but without amounts.
_WIDE, _MEDIUM = 140, 100
_PHASES = {"forward": "fwd", "backward": "bwd", "update": "upd"}
# A row that takes at least this share of the time, in per cent, has its share of the ceiling coloured.
_NOTABLE = 2.0


def make_table(profile: Any, by: str, limit: int | None, width: int | None) -> Any:
    """Return a rich table; `Profile.table` describes the arguments."""
    from rich.table import Table
    from rich.text import Text

    wide, medium = (width is None or width >= least for least in (_WIDE, _MEDIUM))
    of_ops = by == "op"
    rows = profile.rows if of_ops else profile.layers
    total = sum_rows(rows)
    table = Table(title=Text(_title(profile)), caption=Text(_caption(profile)), caption_justify="left")
    table.add_column("layer", overflow="fold", min_width=10)
    table.add_column("pass")
    if of_ops:
        table.add_column("op (kernel)" if wide else "op", overflow="fold")
    amounts = ["calls", "MFLOP", "MB"] if wide else []
    rates = ["GFLOP/s", "GB/s"] if medium else []
    for name in (*amounts, "ms", "time", *rates, "of ceiling"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("bound by", no_wrap=True)

    def add(row: ProfileRow, name: str, **options: Any) -> None:
        share = 100 * row.seconds / total.seconds if total.seconds else 0.0
        cells: list[Any] = [Text(name), _PHASES.get(row.phase, "")]
        if of_ops:
            named = wide and row.kernel not in ("", row.op)
            cells.append(f"{row.op} ({row.kernel})" if named and row.op else row.op)
        if wide:
            cells += [f"{row.calls}", _figure(row.flops * 1e-6), _figure(row.bytes * 1e-6)]
        cells += [f"{row.seconds * 1e3:.3f}", f"{share:.1f}%"]
        if medium:
            cells += [_figure(row.gflops_per_second), _figure(row.gbytes_per_second)]
        cells.append(Text(f"{row.percent_of_ceiling:.0f}%", style=_style(row.percent_of_ceiling, share)))
        table.add_row(*cells, row.bound if row.phase else "", **options)

    shown = rows[:limit]
    for row in shown:
        add(row, " + ".join([row.layer, *row.fused]), end_section=row is rows[-1])
    if len(shown) < len(rows):
        add(sum_rows(rows[len(shown) :]), f"... {len(rows) - len(shown)} more", end_section=True)
    add(total, "all", style="bold")
    return table


def print_table(profile: Any, limit: int | None) -> None:
    """Print the table by op to standard output."""
    from rich.console import Console

    console = Console(width=_terminal_width(), highlight=False)
    console.print(make_table(profile, "op", limit, console.width))


def table_text(profile: Any) -> str:
    """Return the whole table by op as text, as wide as the terminal."""
    from rich.console import Console

    console = Console(width=_terminal_width(), color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(make_table(profile, "op", None, console.width))
    return capture.get()


def _terminal_width() -> int:
    return max(shutil.get_terminal_size((_WIDE, 24)).columns, 80)


def _title(profile: Any) -> str:
    milliseconds = profile.step_seconds * 1e3
    return (
        f"{profile.model}: {profile.kind} step of {profile.batch_size} samples, {milliseconds:.3f} ms, "
        f"{profile.samples_per_second:,.0f} samples/s"
    )


def _caption(profile: Any) -> str:
    ceilings = profile.ceilings
    peaks = ", ".join(f"{rate * 1e-9:.0f} GFLOP/s in {dtype}" for dtype, rate in sorted(ceilings.flops.items()))
    cache, memory = (rate * 1e-9 for rate in (ceilings.bandwidth(0), ceilings.bandwidths[-1][1]))
    losses = ", ".join(
        f"{row.layer} {_PHASES.get(row.phase, '')} {row.op} {row.lost_seconds * 1e3:.3f} ms"
        for row in profile.largest_losses()
    )
    where = f"{ceilings.device}, {ceilings.threads} threads" if ceilings.device.startswith("cpu") else ceilings.device
    return (
        f"largest losses to the ceilings: {losses or 'none'}\n"
        f"memory: arena {_memory(profile.arena_bytes)}, weights {_memory(profile.weight_bytes)}, "
        f"optimizer {_memory(profile.optimizer_bytes)}\n"
        f"ceilings of {where}: {peaks}; {cache:.0f} GB/s in cache, {memory:.0f} GB/s in memory; "
        f"{ceilings.call_seconds * 1e6:.1f} us a call"
    )


def _figure(value: float) -> str:
    if value == 0:
        return "-"
    if value < 0.01:
        return "<0.01"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _memory(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"


def _style(percent: float, share: float) -> str:
    if share < _NOTABLE:
        return ""
    return "red" if percent < 25 else "yellow" if percent < 60 else "green"
