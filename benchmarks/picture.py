"""Bars of speed ratios: what --plot of benchmarks/models.py and benchmarks/ops.py draws."""

from __future__ import annotations

from pathlib import Path


def with_ending(path: Path, ending: str) -> Path:
    """The path with something put before its suffix."""
    return path.with_name(f"{path.stem}-{ending}{path.suffix}")


def draw_ratios(path: Path, title: str, ratios: dict[str, dict[str, float]]) -> None:
    """Write a picture with a group of bars for each name.

    Args:
        path: file; its suffix says in which format.
        title: title.
        ratios: name -> peer -> our speed over the peer's.
    """
    from matplotlib.figure import Figure

    peers = list(dict.fromkeys(peer for row in ratios.values() for peer in row))
    figure = Figure(figsize=(9, 1.5 + 0.16 * len(ratios) * (len(peers) + 1)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / max(len(peers), 1)
    for number, peer in enumerate(peers):
        places = [i + (number - (len(peers) - 1) / 2) * height for i, row in enumerate(ratios.values()) if peer in row]
        values = [row[peer] for row in ratios.values() if peer in row]
        bars = axes.barh(places, [value - 1 for value in values], height, left=1, label=peer)
        axes.bar_label(bars, [f" {value:.2f} " for value in values], fontsize=7)
    axes.axvline(1, color="0.3", linewidth=1)
    axes.set(xscale="log", xlabel="times as fast", title=title)
    axes.set_yticks(range(len(ratios)), list(ratios), fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    if peers:
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
