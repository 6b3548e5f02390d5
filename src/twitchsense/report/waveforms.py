"""Pictures of single events, and of the average of many."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twitchsense.model.channels import NS, Channel
from twitchsense.model.recording import Recording
from twitchsense.report.decimate import Floats, thin
from twitchsense.report.event_windows import channels_of, lead, length
from twitchsense.report.palette import ACC_INK, EMG_INK, GRID, INK, MUTED, kind_color, kind_name
from twitchsense.report.plain import plain
from twitchsense.report.protocols import NightLike
from twitchsense.report.svg import new_figure, own_axes, tidy
from twitchsense.report.waveform_clusters import Shape

_AXIS_COLORS = ("#7A5C2E", "#0072B2", "#009E73")
_POINTS = 700
_MOST = 500  # events averaged at most: spread evenly over the night
_OVERLAID = 40


def plot_event(night: NightLike, event: pd.Series[Any], figure: Figure | None = None) -> Figure:
    """Draw one event: EMG above acceleration, on one clock.

    Parameters
    ----------
    night : Night
    event : Series
        A row of ``night.events``.
    figure : Figure, optional
        Where to draw; a new figure (without a window) unless given.

    Returns
    -------
    Figure
    """
    channels = channels_of(night.recording, event)
    if figure is None:
        height = 0.62 + 0.95 * max(1, len(channels))
        figure = new_figure(3.5, height, fitted=False)
        figure.subplots_adjust(0.16, 0.42 / height, 0.98, 1 - 0.2 / height, hspace=0.32)
    onset, duration = float(event["onset"]), length(event)
    margin = lead(duration)
    color = kind_color(str(event["trial_type"]))
    first: Axes | None = None
    for i, channel in enumerate(channels):
        ax = figure.add_subplot(len(channels), 1, i + 1, sharex=first)
        first = first or ax
        ax.axvspan(0, duration, color=color, alpha=0.16, lw=0)
        ax.axvline(0, color=color, lw=0.8)
        ax.axvline(duration, color=color, lw=0.8)
        _draw_channel(ax, night.recording, channel, onset, margin, duration)
        tidy(ax)
        ax.tick_params(labelbottom=i == len(channels) - 1)
    if first is not None:
        first.set_xlim(-margin, duration + margin)
        figure.axes[-1].set_xlabel("seconds from the onset", fontsize=8, color=MUTED)
    return figure


def plot_average(night: NightLike, kind: str, ax: Axes | None = None) -> Axes:
    """Draw the average waveform of one kind of event, aligned at the onset.

    EMG is the rectified average in µV (left scale); acceleration is the average
    distance from its median, in mg (right scale). At most 500 events are read;
    up to 40 of their EMG stand behind it as thin lines.

    Parameters
    ----------
    night : Night
    kind : str
        A `trial_type`: ``twitch``, ``jerk``, ``movement``, …
    ax : Axes, optional
        Where to draw; a new pyplot figure unless given.

    Returns
    -------
    Axes
    """
    ax = ax or own_axes(6, 3.2)
    table = night.events
    rows = table[table["trial_type"] == kind]
    total = len(rows)
    if total > _MOST:
        rows = rows.iloc[np.linspace(0, total - 1, _MOST).astype(int)]
    longest = float(rows["duration"].median()) if total else 0.1
    margin = lead(longest)
    span = (-margin / 2, (longest if math.isfinite(longest) else 0.0) + margin)
    used = f"{total}" if total <= _MOST else f"{_MOST} of {total}"
    ax.set_title(f"average {kind_name(kind)} (n = {used})", fontsize=9, color=INK, loc="left")
    ax.set_xlim(*span)
    ax.set_xlabel("seconds from the onset", fontsize=8, color=MUTED)
    twin = ax.twinx()
    _average(ax, night.recording, rows, "emg", span, EMG_INK)
    _average(twin, night.recording, rows, "acc", span, ACC_INK, 1000.0)
    ax.set_ylabel("|EMG|, µV", fontsize=8, color=EMG_INK)
    twin.set_ylabel("|acceleration|, mg", fontsize=8, color=ACC_INK)
    for axes in (ax, twin):
        axes.tick_params(labelsize=8, length=2, color=GRID, labelcolor=INK)
        axes.spines["top"].set_visible(False)
        for side in ("left", "right", "bottom"):
            axes.spines[side].set_color(GRID)
    if not total:
        ax.text(0.5, 0.5, "no such event", transform=ax.transAxes, ha="center", color=MUTED)
    return ax


def plot_shape(shape: Shape, ax: Axes | None = None) -> Axes:
    """Draw the twitches of one shape over each other, and their average.

    Parameters
    ----------
    shape : Shape
    ax : Axes, optional
        Where to draw; a new pyplot figure unless given.

    Returns
    -------
    Axes
    """
    ax = ax or own_axes(3.5, 1.9)
    for wave in shape.waves[:: max(1, len(shape.waves) // _OVERLAID)]:
        ax.plot(shape.time_ms, wave, color=EMG_INK, lw=0.5, alpha=0.2, rasterized=True)
    ax.plot(shape.time_ms, shape.waves.mean(axis=0), color=kind_color("twitch"), lw=1.6)
    ax.set_xlabel("ms from the largest peak", fontsize=8, color=MUTED)
    ax.set_ylabel("µV", fontsize=8, color=INK)
    tidy(ax)
    return ax


def _average(
    ax: Axes,
    recording: Recording,
    rows: pd.DataFrame,
    kind: str,
    span: tuple[float, float],
    color: str,
    scale: float = 1.0,
) -> None:
    sums: Floats | None = None
    count, every = 0, max(1, len(rows) // _OVERLAID)
    grid = np.linspace(span[0], span[1], 400)
    for _, event in rows.iterrows():
        channel = next((c for c in channels_of(recording, event) if c.kind == kind), None)
        if channel is None:
            continue
        time, values = _read(recording, channel, float(event["onset"]), span[0], span[1])
        # an event next to a gap is left out: nothing is filled in
        if len(time) < 0.98 * (span[1] - span[0]) * channel.fs:
            continue
        size = np.abs(values[:, 0]) if kind == "emg" else np.linalg.norm(values, axis=1)
        wave = np.interp(grid, time, size)
        sums = wave if sums is None else sums + wave
        count += 1
        if kind == "emg" and count % every == 0:
            ax.plot(grid, wave, color=color, lw=0.5, alpha=0.15, rasterized=True)
    if sums is not None and count:
        mean = scale * sums / count
        ax.plot(grid, mean, color=color, lw=1.4)
        # a single strong event must not press the average flat
        ax.set_ylim(0, 2.2 * float(mean.max()) or 1.0)


def _draw_channel(
    ax: Axes, recording: Recording, channel: Channel, onset: float, margin: float, duration: float
) -> None:
    time, values = _read(recording, channel, onset, -margin, duration + margin)
    colors = (EMG_INK,) if channel.kind == "emg" else _AXIS_COLORS
    for axis in range(values.shape[1]):
        for part in _unbroken(time, channel.fs):
            x, y = thin(time[part], values[part, axis], _POINTS)
            ax.plot(x, y, color=colors[axis % 3], lw=0.7)
    low, name = (25.0, "EMG") if channel.kind == "emg" else (0.02, "acceleration")
    reach = float(np.abs(values).max()) if values.size else 0.0
    reach = max(reach * 1.1, float(low))
    ax.set_ylim(-reach, reach)
    tick = _nice(0.8 * reach)
    ax.set_yticks([-tick, 0, tick], [f"−{tick:g}", "0", f"{tick:g}"])
    unit = "µV" if channel.unit == "uV" else "g"
    title = f"{name} · {plain(channel.name, 24)} ({unit})"
    ax.set_title(title, fontsize=8, color=MUTED, loc="left", pad=2, parse_math=False)
    if not values.size:
        ax.text(
            0.5,
            0.5,
            "no signal here",
            transform=ax.transAxes,
            ha="center",
            va="center",
            fontsize=8,
            color=MUTED,
        )
    elif channel.kind == "acc" and channel.width > 1:
        for axis in range(channel.width):
            ax.text(
                1 - 0.06 * (channel.width - 1 - axis),
                1.03,
                _axis_name(channel, axis),
                fontsize=8,
                transform=ax.transAxes,
                color=colors[axis % 3],
                ha="right",
                fontweight="bold",
            )


def _axis_name(channel: Channel, axis: int) -> str:
    return next((p for p in channel.columns[axis].split("_") if p in ("x", "y", "z")), "")


def _nice(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return max(s * power for s in (1.0, 2.0, 5.0) if s * power <= value)


def _read(
    recording: Recording, channel: Channel, onset: float, low: float, high: float
) -> tuple[Floats, Floats]:
    times, samples = recording.window(
        channel.name, round((onset + low) * NS), round((onset + high) * NS)
    )
    values = samples.astype(np.float64)
    if len(values):
        values = values - np.median(values, axis=0)
    return (times - round(onset * NS)) / NS, values


def _unbroken(time: Floats, fs: float) -> list[slice]:
    if not len(time):
        return []
    cuts = np.flatnonzero(np.diff(time) > 1.5 / fs) + 1
    edges = [0, *cuts.tolist(), len(time)]
    return [slice(a, b) for a, b in pairwise(edges)]
