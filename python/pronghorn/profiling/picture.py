"""The picture of a profile: a roofline, and bars of the slowest rows."""

from __future__ import annotations

from typing import Any

import numpy as np

_NAMED = 6  # dots that get a name
_COLORS = {"forward": "tab:blue", "backward": "tab:orange", "update": "tab:green"}


def draw(profile: Any, path: str, limit: int) -> None:
    """Write the picture to a file; `Profile.plot` describes the arguments."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ModuleNotFoundError("plot needs matplotlib: pip install 'pronghorn[plot]'") from None

    slowest = profile.rows[:limit]
    figure = Figure(figsize=(15, max(5.5, 0.28 * len(slowest) + 2)), layout="constrained")
    roofline, bars = figure.subplots(1, 2, width_ratios=(1, 1))
    figure.suptitle(
        f"{profile.model}: {profile.kind} step of {profile.batch_size} samples, {profile.step_seconds * 1e3:.3f} ms, "
        f"{profile.samples_per_second:,.0f} samples/s on {profile.ceilings.device}"
    )
    _draw_roofline(roofline, profile)
    _draw_bars(bars, profile, slowest)
    figure.savefig(path, dpi=120)


def _draw_roofline(axes: Any, profile: Any) -> None:
    # what does next to nothing says nothing about the machine
    rows = [row for row in profile.rows if row.flops and row.seconds and row.bound != "overhead"]
    intensities = np.array([row.flops / row.bytes for row in rows] or [1.0])
    ceilings = profile.ceilings
    x = np.geomspace(min(intensities.min() / 2, 0.05), max(intensities.max() * 2, 100.0), 200)
    rates = {"cache": ceilings.bandwidth(0), "memory": ceilings.bandwidths[-1][1]}
    for dtype, peak in sorted(ceilings.flops.items()):
        for where, style in (("cache", "--"), ("memory", "-")):
            label = f"{dtype}: {peak * 1e-9:.0f} GFLOP/s, {where}: {rates[where] * 1e-9:.0f} GB/s"
            axes.plot(x, np.minimum(peak, rates[where] * x) * 1e-9, style, color="0.4", linewidth=1, label=label)
    total = sum(row.seconds for row in rows) or 1.0
    for phase, color in _COLORS.items():
        ours = [row for row in rows if row.phase == phase]
        places = [row.flops / row.bytes for row in ours], [row.gflops_per_second for row in ours]
        axes.scatter(*places, s=[20 + 1500 * row.seconds / total for row in ours], color=color, alpha=0.6)
        axes.scatter([], [], s=40, color=color, alpha=0.6, label=f"{phase}; area: time")
    for row in rows[:_NAMED]:
        place = row.flops / row.bytes, row.gflops_per_second
        axes.annotate(f"{row.layer} {row.op}  ", place, fontsize=7, ha="right", va="center")
    axes.set(xscale="log", yscale="log", xlabel="operations per byte", ylabel="GFLOP/s", title="roofline")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(fontsize=7, loc="lower right")


def _draw_bars(axes: Any, profile: Any, rows: Any) -> None:
    names = [f"{' + '.join([row.layer, *row.fused])}: {row.op}" for row in rows]
    names = [name if len(name) <= 60 else f"{name[:57]}..." for name in names]
    places = np.arange(len(rows))
    milliseconds = [row.seconds * 1e3 for row in rows]
    axes.barh(places, milliseconds, color=[_COLORS[row.phase] for row in rows], alpha=0.6)
    axes.barh(places, [min(row.ceiling_seconds, row.seconds) * 1e3 for row in rows], color="0.3", height=0.3)
    for place, row in zip(places, rows):
        axes.text(row.seconds * 1e3, place, f" {row.percent_of_ceiling:.0f}%, {row.bound}", va="center", fontsize=7)
    axes.set_yticks(places, names, fontsize=7)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set(xlabel="ms a step; dark: what the ceilings allow", title="slowest")
