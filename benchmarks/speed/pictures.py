"""Pictures of docs/speed.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from twitchsense.view.palette import INK


def draw_growth(told: dict[str, Any], path: Path) -> None:
    """Draw time over length, channels and events, each with the line of equal cost per unit."""
    rows = {name: told[name]["figures"] for name in ("length", "channels", "events")}
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    time_axes, memory_axes, channel_axes, event_axes = figure.subplots(1, 4)
    _line(time_axes, rows["length"], "hours", "seconds", "length in h", "time in s")
    _line(memory_axes, rows["length"], "hours", "above_mb", "length in h", "memory in MB")
    memory_axes.set(yscale="linear", ylim=(0, None))
    memory_axes.axhline(250, color="0.6", linewidth=1, linestyle=":")
    _line(channel_axes, rows["channels"], "channels", "seconds", "EMG channels", "time in s")
    _line(event_axes, rows["events"], "put_in", "seconds", "movements put in", "time in s")
    event_axes.set(yscale="log")
    event_axes.set_xscale("symlog", linthresh=100)
    figure.savefig(path, dpi=110)


def _line(axes: Any, rows: list[dict[str, Any]], x: str, y: str, xlabel: str, ylabel: str) -> None:
    across, up = [r[x] for r in rows], [r[y] for r in rows]
    if y == "seconds" and across[0]:
        slope = up[-1] / across[-1]
        axes.plot(across, [slope * a for a in across], color="0.75", linewidth=1)
    axes.plot(across, up, "o-", color=INK, markersize=4, linewidth=1.2)
    axes.set(xscale="log" if across[0] else "linear", yscale="log", xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)
