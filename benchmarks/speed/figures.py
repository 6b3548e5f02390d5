"""Figure of docs/speed.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from twitchsense.report.palette import GRID_COLOR, MUTED_COLOR, TEXT_COLOR


def draw_growth(measured: dict[str, Any], path: Path) -> None:
    """Plot time against length, channels and events, and memory against length.

    Grey lines: proportional growth, and the memory limit.
    """
    rows = {name: measured[name]["figures"] for name in ("length", "channels", "events")}
    figure = Figure(figsize=(11, 3), layout="constrained")
    time_axes, memory_axes, channel_axes, event_axes = figure.subplots(1, 4)
    _line(time_axes, rows["length"], "hours", "seconds", "length", "time in s")
    _line(memory_axes, rows["length"], "hours", "above_mb", "length", "memory in MB")
    memory_axes.set(yscale="linear", ylim=(0, 275))
    memory_axes.axhline(250, color=MUTED_COLOR, linewidth=1, linestyle=":")
    for axes in (time_axes, memory_axes):
        hours = [r["hours"] for r in rows["length"]]
        axes.set_xticks(hours, [_duration_text(h) for h in hours])
    _line(channel_axes, rows["channels"], "channels", "seconds", "EMG channels", "time in s")
    _line(event_axes, rows["events"], "put_in", "seconds", "movements in the signal", "time in s")
    for axes, name, key in (
        (channel_axes, "channels", "channels"),
        (event_axes, "events", "put_in"),
    ):
        counts = [r[key] for r in rows[name]]
        axes.set_xticks(counts, [f"{n:,}" for n in counts])
    event_axes.set_xlim(left=-10)
    figure.savefig(path, dpi=110)


def _line(axes: Any, rows: list[dict[str, Any]], x: str, y: str, xlabel: str, ylabel: str) -> None:
    xs, ys = [r[x] for r in rows], [r[y] for r in rows]
    if y == "seconds" and xs[0]:
        slope = ys[-1] / xs[-1]
        axes.plot(xs, [slope * x for x in xs], color=GRID_COLOR, linewidth=2)
    axes.plot(xs, ys, "o-", color=TEXT_COLOR, markersize=4, linewidth=1.2)
    axes.set(yscale="log", xlabel=xlabel, ylabel=ylabel)
    if xs[0]:
        axes.set_xscale("log")
    else:  # zero on a logarithmic axis
        axes.set_xscale("symlog", linthresh=min(x for x in xs if x))
    axes.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.spines[["top", "right"]].set_visible(False)


def _duration_text(hours: float) -> str:
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:g} h" if hours <= 24 else f"{hours / 24:g} d"
