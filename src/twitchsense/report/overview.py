"""Plot a whole night: events, sleep, signals and disturbed minutes on one time axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from twitchsense.model.channels import Channel
from twitchsense.model.intervals import runs_of
from twitchsense.model.per_second import PerSecond
from twitchsense.report.decimate import MinMaxEnvelope, min_max_envelope
from twitchsense.report.figures import new_axes, remove_frame
from twitchsense.report.hypnogram_strip import plot_hypnogram
from twitchsense.report.night_intervals import (
    artifact_minutes,
    context_intervals,
    recording_bounds,
)
from twitchsense.report.palette import (
    ACC_COLOR,
    ARTIFACT_COLOR,
    CONTEXT_COLORS,
    EMG_COLOR,
    GRID_COLOR,
    KIND_COLORS,
    MUTED_COLOR,
    NO_SIGNAL_COLOR,
    TEXT_COLOR,
    context_name,
    kind_color,
    kind_name,
)
from twitchsense.report.protocols import NightLike
from twitchsense.report.sleep_statistics import has_hypnogram
from twitchsense.report.time_axis import draw_sleep_onset, label_time_axis
from twitchsense.text import display_text

#: Smallest half-range of an EMG row (µV), so that a quiet night does not look busy.
_MIN_EMG_UV: Final = 50.0
#: Range of an accelerometer row (g), logarithmic.
_ACC_RANGE_G: Final = (0.003, 3.0)
#: Maximum number of channels that are drawn.
_MAX_CHANNELS: Final = 16
#: Number of marks above which they are drawn as pixels, to keep the file small.
_MAX_VECTOR_MARKERS: Final = 1500
#: Height of an event's mark by its grade, as a share of its row; else `_TICK_HEIGHT`.
_GRADE_HEIGHTS: Final = {"mild": 0.45, "moderate": 0.65, "violent": 0.9}
_TICK_HEIGHT: Final = 0.6


def plot_night(night: NightLike, ax: Axes | None = None) -> Axes:
    """Draw the whole night: events, sleep, signals and disturbed minutes on one time axis.

    Parameters
    ----------
    night : Night
    ax : Axes, optional
        Subplot whose place is used; by default that of a new pyplot figure.

    Returns
    -------
    Axes
        The subplot, without its frame: its place holds one axes for each row of the plot.

    Raises
    ------
    ValueError
        If `ax` is not a subplot of a grid.
    """
    shown = shown_channels(night)
    kinds = kinds_found(night)
    heights = _row_heights(night)
    if ax is None:
        ax = new_axes(10.4, overview_height(night))
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError("plot_night needs a subplot, such as plt.subplots() makes")
    ax.set_axis_off()
    grid = place.subgridspec(len(heights), 1, height_ratios=heights)
    axes: list[Axes] = []
    for row in range(len(heights)):
        axes.append(ax.figure.add_subplot(grid[row], sharex=axes[0] if axes else None))
    # events stand on top: they are what readers look for
    _draw_events(night, axes[0], kinds)
    plot_context(night, ax=axes[1])
    rest = axes[2:]
    if has_hypnogram(night):
        plot_hypnogram(night, ax=rest.pop(0))
    for channel_ax, channel in zip(rest, shown, strict=False):
        plot_channel(night, channel.name, ax=channel_ax)
    if len(shown) < len(night.seconds):
        rest[0].set_title(
            f"{len(shown)} of {len(night.seconds)} channels: those with the most events",
            fontsize=8,
            loc="left",
        )
    if artifact_minutes(night):
        plot_disturbed(night, ax=axes[-1])
    for row_ax in axes:
        draw_sleep_onset(night, row_ax)
    label_time_axis(night, axes)
    return ax


def _row_heights(night: NightLike) -> list[float]:
    """Return the relative heights of events, sleep, stages, channels and disturbed minutes."""
    events = 0.3 * max(1, len(kinds_found(night)))
    stages = [0.75] if has_hypnogram(night) else []
    disturbed = [0.2] if artifact_minutes(night) else []
    return [events, 0.26, *stages, *[0.7] * len(shown_channels(night)), *disturbed]


def overview_height(night: NightLike) -> float:
    """Return the height in inches that `plot_night` needs."""
    return 1.12 * sum(_row_heights(night)) + 0.9


def plot_channel(
    night: NightLike, channel: str, ax: Axes | None = None, columns: int = 2000
) -> Axes:
    """Draw the minimum and maximum of one channel along the night.

    Values outside the scale are clipped, and marked by small triangles at the edge.

    Parameters
    ----------
    night : Night
    channel : str
        Name of the channel.
    ax : Axes, optional
        Axes to draw on; by default those of a new pyplot figure.
    columns : int
        Maximum number of columns; no column is narrower than a second.

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(10, 1.4)
    info = night.recording.channel(channel)
    start, stop = recording_bounds(night)
    envelope = min_max_envelope(night.seconds[channel], start, stop, columns)
    ax.set_ylabel(
        _channel_label(info),
        rotation=0,
        ha="right",
        va="center",
        fontsize=8,
        color=TEXT_COLOR,
        multialignment="right",
        parse_math=False,
    )
    if info.kind == "emg":
        _draw_emg(ax, envelope, emg_full_scale(night.seconds[channel]))
    else:
        _draw_acc(ax, envelope)
    _shade_invalid(ax, envelope)
    remove_frame(ax)
    ax.grid(axis="y", color=GRID_COLOR, lw=0.6)
    ax.set_axisbelow(True)
    return ax


def plot_events(night: NightLike, ax: Axes | None = None, kinds: Sequence[str] = ()) -> Axes:
    """Draw every event as a mark in the row of its kind; stronger jerks are taller.

    Parameters
    ----------
    night : Night
    ax : Axes, optional
        Axes to draw on; by default those of a new pyplot figure.
    kinds : sequence of str, optional
        Values of ``trial_type``, from top to bottom; by default those found in the night.

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(10, 1.6)
    _draw_events(night, ax, kinds or kinds_found(night))
    label_time_axis(night, [ax])
    return ax


def _draw_events(night: NightLike, ax: Axes, kinds: Sequence[str]) -> None:
    """Draw the events without labels of the time axis."""
    table = night.events
    for row, kind in enumerate(kinds):
        of_kind = table[table["trial_type"] == kind]
        y = len(kinds) - 1 - row
        height = of_kind["grade"].map(_GRADE_HEIGHTS).fillna(_TICK_HEIGHT).to_numpy(dtype=float)
        x = of_kind["onset"].to_numpy(dtype=float)
        lines = ax.vlines(x, y - height / 2, y + height / 2, color=kind_color(kind), lw=0.9)
        lines.set_rasterized(len(x) > _MAX_VECTOR_MARKERS)
    ax.set_ylim(-0.6, max(len(kinds), 1) - 0.4)
    names = [
        f"{kind_name(k, 2)} · {int((table['trial_type'] == k).sum()):,}" for k in reversed(kinds)
    ]
    ax.set_yticks(range(len(kinds)), names, parse_math=False)
    remove_frame(ax)
    for y in range(len(kinds) - 1):
        ax.axhline(y + 0.5, color=GRID_COLOR, lw=0.6)
    if not kinds:
        ax.set_yticks([0], ["events"])
        ax.text(
            0.5,
            0.5,
            "no event in the valid signal",
            transform=ax.transAxes,
            ha="center",
            va="center",
            fontsize=8,
            color=MUTED_COLOR,
        )


def plot_context(night: NightLike, ax: Axes | None = None) -> Axes:
    """Draw wake and sleep contexts as a strip.

    Parameters
    ----------
    night : Night
    ax : Axes, optional
        Axes to draw on; by default those of a new pyplot figure.

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(10, 0.6)
    start, stop = recording_bounds(night)
    for context, first, last in context_intervals(night):
        color = CONTEXT_COLORS.get(context, CONTEXT_COLORS["unknown"])
        ax.broken_barh([(first, last - first)], (0, 1), facecolors=color, lw=0)
        if last - first > 0.07 * (stop - start):
            ax.text(
                (first + last) / 2,
                0.47,
                context_name(context),
                ha="center",
                va="center",
                fontsize=8,
                color="white" if context == "asleep" else TEXT_COLOR,
                clip_on=True,
            )
    ax.set_ylim(0, 1)
    ax.set_yticks([0.5], ["sleep"])
    remove_frame(ax)
    return ax


def plot_disturbed(night: NightLike, ax: Axes | None = None) -> Axes:
    """Draw the minutes with many artefacts.

    Parameters
    ----------
    night : Night
    ax : Axes, optional
        Axes to draw on; by default those of a new pyplot figure.

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(10, 0.4)
    ax.broken_barh(artifact_minutes(night), (-0.32, 0.64), facecolors=ARTIFACT_COLOR, lw=0)
    ax.set_ylim(-0.6, 0.6)
    ax.set_yticks([0], ["disturbed"])
    remove_frame(ax)
    return ax


def shown_channels(night: NightLike) -> list[Channel]:
    """Return the channels that are drawn, in the order of the recording.

    Parameters
    ----------
    night : Night

    Returns
    -------
    list of Channel
        All with statistics; of more than 16, those with the most events, because the time
        to draw a figure grows with the square of its rows.
    """
    channels = [c for c in night.recording.channels if c.name in night.seconds]
    counts = night.events["channel"].value_counts()
    most = sorted(channels, key=lambda c: -int(counts.get(c.name, 0)))[:_MAX_CHANNELS]
    return [c for c in channels if c in most]


def emg_full_scale(seconds: PerSecond) -> float:
    """Return the half-range (µV) of an EMG channel's row.

    It exceeds the peak of 99.5 % of the valid seconds by 30 %, is at least 50 µV, and is
    rounded up to a simple number.
    """
    peaks = np.maximum(np.abs(seconds.min), np.abs(seconds.max))[seconds.valid]
    scale = 1.3 * float(np.quantile(peaks, 0.995)) if len(peaks) else 0.0
    return _round_up(max(scale, _MIN_EMG_UV))


def kinds_found(night: NightLike) -> list[str]:
    """Return the kinds of a night's events, in the order of their rows."""
    found = set(night.events["trial_type"].astype(str))
    return [k for k in KIND_COLORS if k in found] + sorted(found - set(KIND_COLORS))


def _draw_emg(ax: Axes, envelope: MinMaxEnvelope, scale: float) -> None:
    ax.set_ylim(-scale, scale)
    low, high = np.clip(envelope.low, -scale, scale), np.clip(envelope.high, -scale, scale)
    ax.fill_between(envelope.time_s, low, high, step="mid", color=EMG_COLOR, lw=0, rasterized=True)
    ax.set_yticks([-scale, 0, scale], [f"−{scale:g}", "0", f"{scale:g}"])
    _mark_clipped(ax, envelope, envelope.high > scale, envelope.low < -scale)


def _draw_acc(ax: Axes, envelope: MinMaxEnvelope) -> None:
    low, high = _ACC_RANGE_G
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    top = np.clip(envelope.high, low, high)
    ax.fill_between(envelope.time_s, low, top, step="mid", color=ACC_COLOR, lw=0, rasterized=True)
    ax.set_yticks([0.01, 0.1, 1.0], ["0.01", "0.1", "1"])
    ax.minorticks_off()
    _mark_clipped(ax, envelope, envelope.high > high, None)


def _mark_clipped(
    ax: Axes, envelope: MinMaxEnvelope, above: np.ndarray, below: np.ndarray | None
) -> None:
    for mask, y, marker in ((above, 0.97, 7), (below, 0.03, 6)):
        if mask is not None and mask.any():
            ax.plot(
                envelope.time_s[mask],
                np.full(int(mask.sum()), y),
                ls="none",
                marker=marker,
                ms=2.5,
                color=TEXT_COLOR,
                mew=0,
                transform=ax.get_xaxis_transform(),
                rasterized=bool(mask.sum() > _MAX_VECTOR_MARKERS),
            )


def _shade_invalid(ax: Axes, envelope: MinMaxEnvelope) -> None:
    invalid = ~envelope.valid
    half, width = envelope.width_s / 2, envelope.width_s
    bars = [(envelope.time_s[a] - half, (b - a) * width) for a, b in runs_of(invalid)]
    transform = ax.get_xaxis_transform()
    ax.broken_barh(bars, (0, 1), transform=transform, facecolors=NO_SIGNAL_COLOR, lw=0, zorder=0.4)


def _channel_label(channel: Channel) -> str:
    return f"{display_text(channel.name, 24)}\n{'µV' if channel.unit == 'uV' else 'g'}"


def _round_up(value: float) -> float:
    """Round up to 1, 1.5, 2, 3, 5 or 7.5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(
        next(s * power for s in (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0) if s * power >= value)
    )
