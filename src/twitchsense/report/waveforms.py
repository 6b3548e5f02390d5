"""Plot the waveform of one event, the average of a kind, and a cluster of twitches."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twitchsense.errors import InputError
from twitchsense.model.channels import NS, Channel
from twitchsense.model.event_table import TRIAL_TYPES
from twitchsense.model.recording import Recording
from twitchsense.report.decimate import Floats, decimate_waveform
from twitchsense.report.event_windows import (
    MAX_WINDOW_S,
    average_span_s,
    channels_shown,
    duration_s,
    margin_s,
)
from twitchsense.report.figures import SMALL_TEXT, new_axes, new_figure, style_axes
from twitchsense.report.palette import (
    ACC_COLOR,
    EMG_COLOR,
    GRID_COLOR,
    MUTED_COLOR,
    TEXT_COLOR,
    kind_color,
    kind_name,
)
from twitchsense.report.protocols import NightLike
from twitchsense.report.waveform_clusters import WaveformCluster
from twitchsense.text import display_text

#: Colours of the x, y and z axes of an accelerometer.
_AXIS_COLORS: Final = ("#4A3612", "#8F6A2C", "#B98F4A")
#: Approximate number of points drawn per line.
_MAX_POINTS: Final = 700
#: Maximum number of events averaged, spread evenly over the night.
MAX_AVERAGED: Final = 500
#: Number of points of an average.
_N_AVERAGED: Final = 200
#: Maximum number of single waveforms drawn behind the average of a cluster.
_MAX_OVERLAID: Final = 40
#: Minimum share of the samples that an event must have to be averaged.
_MIN_COMPLETE: Final = 0.98
#: Smallest half-range of the vertical axis (µV, g), so that noise does not look like an event.
_MIN_RANGE: Final = {"emg": 25.0, "acc": 0.02}
#: Scales of an average: kind of sensor, name, colour, factor.
_AVERAGE_SCALES: Final = (
    ("emg", "|EMG|, µV", EMG_COLOR, 1.0),
    ("acc", "|acceleration|, mg", ACC_COLOR, 1000.0),
)
_CHANNEL_TITLES: Final = {"emg": "EMG", "acc": "acceleration"}


def plot_event(night: NightLike, event: int | pd.Series[Any], ax: Axes | None = None) -> Axes:
    """Draw one event with its surroundings: EMG above acceleration, on one time axis.

    Parameters
    ----------
    night : Night
    event : int or Series
        Row number in ``night.events``, or a row of it.
    ax : Axes, optional
        Subplot whose place is used; by default that of a new pyplot figure.

    Returns
    -------
    Axes
        The subplot, without its frame: its place holds one axes for each channel.

    Raises
    ------
    ValueError
        If `ax` is not a subplot of a grid.
    """
    row = event if isinstance(event, pd.Series) else night.events.iloc[event]
    n_channels = len(channels_shown(night.recording, row))
    ax = ax or new_axes(6, 0.8 + 1.4 * n_channels)
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError("plot_event needs a subplot, such as plt.subplots() makes")
    ax.set_axis_off()
    grid = place.subgridspec(max(1, n_channels), 1)
    axes: list[Axes] = []
    for k in range(n_channels):
        axes.append(ax.figure.add_subplot(grid[k], sharex=axes[0] if axes else None))
    _draw_event(night.recording, row, axes)
    return ax


def event_figure(recording: Recording, event: pd.Series[Any]) -> Figure:
    """Return the small figure of an event for the report.

    Its margins are fixed, which takes a fraction of the time of a computed layout.

    Parameters
    ----------
    recording : Recording
    event : Series
        A row of ``night.events``.

    Returns
    -------
    Figure
        Without a window.
    """
    n_channels = len(channels_shown(recording, event))
    height = 0.62 + 0.95 * max(1, n_channels)
    figure = new_figure(3.5, height, constrained=False)
    figure.subplots_adjust(0.16, 0.42 / height, 0.98, 1 - 0.2 / height, hspace=0.32)
    axes: list[Axes] = []
    for k in range(n_channels):
        axes.append(figure.add_subplot(n_channels, 1, k + 1, sharex=axes[0] if axes else None))
    _draw_event(recording, event, axes)
    return figure


def _draw_event(recording: Recording, event: pd.Series[Any], axes: list[Axes]) -> None:
    onset, duration = float(event["onset"]), duration_s(event)
    margin = margin_s(duration)
    last = min(duration + margin, MAX_WINDOW_S - margin)
    color = kind_color(str(event["trial_type"]))
    for ax, channel in zip(axes, channels_shown(recording, event), strict=True):
        ax.axvspan(0, duration, color=color, alpha=0.16, lw=0)
        ax.axvline(0, color=color, lw=0.8)
        ax.axvline(duration, color=color, lw=0.8)
        _draw_channel(ax, recording, channel, onset, -margin, last)
        style_axes(ax)
        ax.tick_params(labelbottom=ax is axes[-1])
    if axes:
        axes[0].set_xlim(-margin, last)
        axes[-1].set_xlabel("seconds from the onset", fontsize=SMALL_TEXT, color=MUTED_COLOR)


def plot_average(night: NightLike, kind: str, ax: Axes | None = None) -> Axes:
    """Draw the average waveform of one kind of event, aligned at the onset.

    EMG is the average of the rectified signal in µV (left scale), acceleration the average
    distance from the median of each event in mg (right scale, or the only one). At most 500
    events are averaged; a band holds the middle half of their EMG.

    Parameters
    ----------
    night : Night
    kind : str
        A ``trial_type``: ``twitch``, ``jerk``, ``movement``, …
    ax : Axes, optional
        Axes to draw on; by default those of a new pyplot figure.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If there is no such kind of event.
    """
    if kind not in TRIAL_TYPES:
        problem = f"'{kind}' is not a kind of event"
        raise InputError("kind", problem, f"use one of: {', '.join(TRIAL_TYPES)}")
    return draw_average(ax or new_axes(6, 3.2), night.events, night.recording, kind)


def draw_average(ax: Axes, events: pd.DataFrame, recording: Recording, kind: str) -> Axes:
    """Draw the average waveform of one kind of event, as `plot_average` does.

    Parameters
    ----------
    ax : Axes
    events : DataFrame
        The event table.
    recording : Recording
    kind : str
        A ``trial_type``.

    Returns
    -------
    Axes
    """
    rows = events[events["trial_type"] == kind]
    total = len(rows)
    span = average_span_s(rows)
    if total > MAX_AVERAGED:
        rows = rows.iloc[np.linspace(0, total - 1, MAX_AVERAGED).astype(int)]
    n_used = f"{total}" if total <= MAX_AVERAGED else f"{MAX_AVERAGED} of {total}"
    title = f"average {kind_name(kind)} (n = {n_used})"
    ax.set_title(title, fontsize=SMALL_TEXT, color=TEXT_COLOR, loc="left")
    ax.set_xlim(*span)
    ax.set_xlabel("seconds from the onset", fontsize=SMALL_TEXT, color=MUTED_COLOR)
    sensors = [s for s in _AVERAGE_SCALES if any(c.kind == s[0] for c in recording.channels)]
    for k, (sensor, name, color, scale) in enumerate(sensors):
        axes = ax.twinx() if k else ax
        _draw_average(axes, recording, rows, sensor, span, scale)
        axes.set_ylabel(name, fontsize=SMALL_TEXT, color=color)
        axes.tick_params(labelsize=SMALL_TEXT, length=2, color=GRID_COLOR, labelcolor=TEXT_COLOR)
        axes.spines["top"].set_visible(False)
        for side in ("left", "right", "bottom"):
            axes.spines[side].set_color(GRID_COLOR)
    if not total:
        ax.text(0.5, 0.5, "no such event", transform=ax.transAxes, ha="center", color=MUTED_COLOR)
    return ax


def plot_cluster(cluster: WaveformCluster, ax: Axes | None = None) -> Axes:
    """Draw the twitches of a cluster over each other, and their average.

    Parameters
    ----------
    cluster : WaveformCluster
    ax : Axes, optional
        Axes to draw on; by default those of a new pyplot figure.

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(3.5, 1.9)
    time, waveforms = cluster.time_ms, cluster.waveforms
    for waveform in waveforms[:: max(1, len(waveforms) // _MAX_OVERLAID)]:
        ax.plot(time, waveform, color=EMG_COLOR, lw=0.5, alpha=0.2, rasterized=True)
    ax.plot(time, waveforms.mean(axis=0), color=kind_color("twitch"), lw=1.6)
    ax.set_xlabel("ms from the largest peak", fontsize=SMALL_TEXT, color=MUTED_COLOR)
    ax.set_ylabel("µV", fontsize=SMALL_TEXT, color=TEXT_COLOR)
    style_axes(ax)
    return ax


def _draw_average(
    ax: Axes,
    recording: Recording,
    events: pd.DataFrame,
    kind: str,
    span: tuple[float, float],
    scale: float = 1.0,
) -> None:
    """Draw the average magnitude of one kind of sensor between two times from the onset (s).

    EMG is a solid line with the middle half of the events as a band, acceleration a dashed line.
    """
    grid = np.linspace(span[0], span[1], _N_AVERAGED)
    waveforms: list[Floats] = []
    for _, event in events.iterrows():
        channel = next((c for c in channels_shown(recording, event) if c.kind == kind), None)
        if channel is None:
            continue
        time, values = _read(recording, channel, float(event["onset"]), span[0], span[1])
        # an event next to a gap is left out: nothing is interpolated across it
        if len(time) < _MIN_COMPLETE * (span[1] - span[0]) * channel.fs:
            continue
        magnitude = np.abs(values[:, 0]) if kind == "emg" else np.linalg.norm(values, axis=1)
        waveforms.append(np.interp(grid, time, _smooth(magnitude)))
    if not waveforms:
        return
    stacked = scale * np.stack(waveforms)
    mean = stacked.mean(axis=0)
    top = float(mean.max())
    if kind == "emg":
        low, high = np.quantile(stacked, [0.25, 0.75], axis=0)
        ax.fill_between(grid, low, high, color=EMG_COLOR, alpha=0.18, lw=0)
        top = max(top, float(high.max()))
    color, style = (EMG_COLOR, "-") if kind == "emg" else (ACC_COLOR, (0, (4, 2)))
    ax.plot(grid, mean, color=color, lw=1.6, ls=style)
    ax.set_ylim(0, 1.15 * top or 1.0)


def _smooth(magnitude: Floats) -> Floats:
    """Return the moving average over one step of the grid of averages."""
    width = max(1, round(len(magnitude) / _N_AVERAGED))
    if width == 1:
        return magnitude
    kernel = np.ones(width)
    n_averaged = np.convolve(np.ones(len(magnitude)), kernel, mode="same")  # fewer at the ends
    smoothed: Floats = np.convolve(magnitude, kernel, mode="same") / n_averaged
    return smoothed


def _draw_channel(
    ax: Axes, recording: Recording, channel: Channel, onset: float, first: float, last: float
) -> None:
    time, values = _read(recording, channel, onset, first, last)
    colors = (EMG_COLOR,) if channel.kind == "emg" else _AXIS_COLORS
    for axis in range(values.shape[1]):
        for part in _without_gaps(time, channel.fs):
            x, y = decimate_waveform(time[part], values[part, axis], _MAX_POINTS)
            ax.plot(x, y, color=colors[axis % 3], lw=0.7)
    peak = float(np.abs(values).max()) if values.size else 0.0
    limit = max(peak * 1.1, _MIN_RANGE[channel.kind])
    ax.set_ylim(-limit, limit)
    tick = _round_down(0.8 * limit)
    ax.set_yticks([-tick, 0, tick], [f"−{tick:g}", "0", f"{tick:g}"])
    unit = "µV" if channel.unit == "uV" else "g"
    title = f"{_CHANNEL_TITLES[channel.kind]} · {display_text(channel.name, 24)} ({unit})"
    ax.set_title(title, fontsize=SMALL_TEXT, color=MUTED_COLOR, loc="left", pad=2, parse_math=False)
    if not values.size:
        ax.text(
            0.5,
            0.5,
            "no signal here",
            transform=ax.transAxes,
            ha="center",
            va="center",
            fontsize=SMALL_TEXT,
            color=MUTED_COLOR,
        )
    elif channel.kind == "acc" and channel.width > 1:
        for axis in range(channel.width):
            ax.text(
                1 - 0.06 * (channel.width - 1 - axis),
                1.03,
                _axis_name(channel, axis),
                fontsize=SMALL_TEXT,
                transform=ax.transAxes,
                color=colors[axis % 3],
                ha="right",
                fontweight="bold",
            )


def _axis_name(channel: Channel, axis: int) -> str:
    return next((p for p in channel.columns[axis].split("_") if p in ("x", "y", "z")), "")


def _round_down(value: float) -> float:
    """Round down to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(s * power for s in (1.0, 2.0, 5.0) if s * power <= value)


def _read(
    recording: Recording, channel: Channel, onset: float, low: float, high: float
) -> tuple[Floats, Floats]:
    """Return time from the onset (s) and samples less their median, between two such times."""
    times, samples = recording.window(
        channel.name, round((onset + low) * NS), round((onset + high) * NS)
    )
    values = samples.astype(np.float64)
    if len(values):
        values = values - np.median(values, axis=0)
    return (times - round(onset * NS)) / NS, values


def _without_gaps(time: Floats, fs: float) -> list[slice]:
    """Return slices of uniformly sampled times."""
    if not len(time):
        return []
    cuts = np.flatnonzero(np.diff(time) > 1.5 / fs) + 1
    edges = [0, *cuts.tolist(), len(time)]
    return [slice(a, b) for a, b in pairwise(edges)]
