"""The picture of a whole night: signals, events, sleep and valid time on one clock."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from twitchsense.model.channels import Channel
from twitchsense.model.intervals import runs_of
from twitchsense.model.per_second import PerSecond
from twitchsense.report.artifact_minutes import disturbed
from twitchsense.report.decimate import Envelope, envelope, spans
from twitchsense.report.palette import (
    ACC_INK,
    CONTEXT_COLORS,
    DISTURBED,
    EMG_INK,
    GRID,
    INK,
    KIND_COLORS,
    MUTED,
    NO_SIGNAL,
    context_name,
    kind_color,
    kind_name,
)
from twitchsense.report.plain import plain
from twitchsense.report.protocols import NightLike
from twitchsense.report.svg import own_axes
from twitchsense.report.time_axis import bounds, label_time, mark_onset

_MIN_EMG_UV = 50.0  # a quiet night must not be blown up to look busy
_ACC_RANGE_G = (0.003, 3.0)
_MANY = 1500  # more marks than this are drawn as pixels


def plot_night(night: NightLike, ax: Axes | None = None) -> Axes:
    """Draw the whole night: signals, events, sleep and valid time on one clock.

    Parameters
    ----------
    night : Night
    ax : Axes, optional
        A subplot, the place of which is taken; a new pyplot figure unless given.

    Returns
    -------
    Axes
        The subplot, emptied: its place holds one axes for each row of the picture.
    """
    shown = [c for c in night.recording.channels if c.name in night.seconds]
    kinds = kinds_of(night)
    heights = _heights(night)
    if ax is None:
        ax = own_axes(10.4, night_height(night))
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError("plot_night needs a subplot, such as plt.subplots() makes")
    ax.set_axis_off()
    grid = place.subgridspec(len(heights), 1, height_ratios=heights)
    axes: list[Axes] = []
    for row in range(len(heights)):
        axes.append(ax.figure.add_subplot(grid[row], sharex=axes[0] if axes else None))
    # what happened stands on top: it is what people look for
    plot_events(night, ax=axes[0], kinds=kinds)
    plot_context(night, ax=axes[1])
    for lane, channel in zip(axes[2:], shown, strict=False):
        plot_lane(night, channel.name, ax=lane)
    plot_valid(night, ax=axes[-1])
    for one in axes:
        mark_onset(night, one)
    label_time(night, axes)
    return ax


def _heights(night: NightLike) -> list[float]:
    shown = sum(c.name in night.seconds for c in night.recording.channels)
    last = max(1, shown) + bool(disturbed(night))
    return [0.34 * max(1, len(kinds_of(night))), 0.26, *[1.0] * shown, 0.2 * last]


def night_height(night: NightLike) -> float:
    """Return how many inches `plot_night` needs."""
    return 1.12 * sum(_heights(night)) + 0.9


def plot_lane(night: NightLike, channel: str, ax: Axes | None = None, columns: int = 2000) -> Axes:
    """Draw the least and greatest value of one channel along the night.

    What leaves the scale is cut, and marked by a small triangle on the edge.
    """
    ax = ax or own_axes(10, 1.4)
    info = night.recording.channel(channel)
    start, stop = bounds(night)
    env = envelope(night.seconds[channel], start, stop, columns)
    ax.set_ylabel(
        _lane_label(info),
        rotation=0,
        ha="right",
        va="center",
        fontsize=8,
        color=INK,
        multialignment="right",
        parse_math=False,
    )
    if info.kind == "emg":
        _draw_emg(ax, env, night.seconds[channel])
    else:
        low, high = _ACC_RANGE_G
        ax.set_yscale("log")
        ax.set_ylim(low, high)
        top = np.clip(env.high, low, high)
        ax.fill_between(env.time_s, low, top, step="mid", color=ACC_INK, lw=0, rasterized=True)
        ax.set_yticks([0.01, 0.1, 1.0], ["0.01", "0.1", "1"])
        ax.minorticks_off()
        _mark_cut(ax, env, env.high > high, None)
    _grey_out(ax, env)
    _plain(ax)
    ax.grid(axis="y", color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    return ax


def plot_events(night: NightLike, ax: Axes | None = None, kinds: Sequence[str] = ()) -> Axes:
    """Draw every event as a mark in the lane of its kind."""
    ax = ax or own_axes(10, 1.4)
    kinds = kinds or kinds_of(night)
    table = night.events
    tall = {"mild": 0.45, "moderate": 0.65, "violent": 0.9}
    for lane, kind in enumerate(kinds):
        rows = table[table["trial_type"] == kind]
        y = len(kinds) - 1 - lane
        half = rows["grade"].map(tall).fillna(0.6).to_numpy(dtype=float) / 2
        x = rows["onset"].to_numpy(dtype=float)
        marks = ax.vlines(x, y - half, y + half, color=kind_color(kind), lw=0.9)
        marks.set_rasterized(len(x) > _MANY)
    ax.set_ylim(-0.6, max(len(kinds), 1) - 0.4)
    names = [
        f"{kind_name(k, 2)} · {int((table['trial_type'] == k).sum()):,}" for k in reversed(kinds)
    ]
    ax.set_yticks(range(len(kinds)), names, parse_math=False)
    _plain(ax)
    ax.hlines(
        np.arange(len(kinds) - 1) + 0.5,
        0,
        1,
        transform=ax.get_yaxis_transform(),
        color=GRID,
        lw=0.6,
    )
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
            color=MUTED,
        )
    return ax


def plot_context(night: NightLike, ax: Axes | None = None) -> Axes:
    """Draw wake and sleep as a strip."""
    ax = ax or own_axes(10, 0.6)
    start, stop = bounds(night)
    for context, first, last in stretches(night):
        color = CONTEXT_COLORS.get(context, CONTEXT_COLORS["unknown"])
        ax.broken_barh([(first, last - first)], (0, 1), facecolors=color, lw=0)
        if last - first > 0.07 * (stop - start):
            light = context == "asleep"
            ax.text(
                (first + last) / 2,
                0.47,
                context_name(context),
                ha="center",
                va="center",
                fontsize=8,
                color="white" if light else INK,
                clip_on=True,
            )
    ax.set_ylim(0, 1)
    ax.set_yticks([0.5], ["sleep"])
    _plain(ax)
    return ax


def plot_valid(night: NightLike, ax: Axes | None = None) -> Axes:
    """Draw where each channel has signal that can be judged, and where disturbances are many."""
    ax = ax or own_axes(10, 0.6)
    names = [c.name for c in night.recording.channels if c.name in night.seconds]
    labels = [f"valid {plain(n, 24)}" for n in reversed(names)]
    rough = disturbed(night)
    if rough:
        ax.broken_barh(rough, (len(names) - 0.32, 0.64), facecolors=DISTURBED, lw=0)
        labels.append("disturbed")
    for lane, name in enumerate(reversed(names)):
        valid, invalid = spans(night.seconds[name])
        ax.broken_barh(valid, (lane - 0.32, 0.64), facecolors="#7C9A86", lw=0)
        ax.broken_barh(
            invalid,
            (lane - 0.32, 0.64),
            facecolors="white",
            edgecolor="#9A6A3A",
            hatch="////",
            lw=0.3,
        )
    ax.set_ylim(-0.6, max(len(labels), 1) - 0.4)
    ax.set_yticks(range(len(labels)), labels, parse_math=False)
    _plain(ax)
    return ax


def emg_scale(seconds: PerSecond) -> float:
    """Return the µV at the edge of a channel's lane: most of the night fits in."""
    peaks = np.maximum(np.abs(seconds.min), np.abs(seconds.max))[seconds.valid]
    scale = 1.3 * float(np.quantile(peaks, 0.995)) if len(peaks) else 0.0
    return _round_up(max(scale, _MIN_EMG_UV))


def _draw_emg(ax: Axes, env: Envelope, seconds: PerSecond) -> None:
    scale = emg_scale(seconds)
    ax.set_ylim(-scale, scale)
    low, high = np.clip(env.low, -scale, scale), np.clip(env.high, -scale, scale)
    ax.fill_between(env.time_s, low, high, step="mid", color=EMG_INK, lw=0, rasterized=True)
    ax.set_yticks([-scale, 0, scale], [f"−{scale:g}", "0", f"{scale:g}"])
    _mark_cut(ax, env, env.high > scale, env.low < -scale)


def _mark_cut(ax: Axes, env: Envelope, above: np.ndarray, below: np.ndarray | None) -> None:
    for mask, y, marker in ((above, 0.97, 7), (below, 0.03, 6)):
        if mask is not None and mask.any():
            ax.plot(
                env.time_s[mask],
                np.full(int(mask.sum()), y),
                ls="none",
                marker=marker,
                ms=2.5,
                color="#B0413E",
                mew=0,
                transform=ax.get_xaxis_transform(),
                rasterized=bool(mask.sum() > _MANY),
            )


def _grey_out(ax: Axes, env: Envelope) -> None:
    missing = ~env.valid
    half = env.width_s / 2
    bars = [(env.time_s[a] - half, (b - a) * env.width_s) for a, b in runs_of(missing)]
    ax.broken_barh(
        bars, (0, 1), transform=ax.get_xaxis_transform(), facecolors=NO_SIGNAL, lw=0, zorder=0.4
    )


def stretches(night: NightLike) -> list[tuple[str, float, float]]:
    """Return stretches of one context as (context, start, end) in seconds."""
    out: list[tuple[str, float, float]] = []
    table = night.epochs
    for context, onset, duration in zip(
        table["context"].astype(str), table["onset"], table["duration"], strict=True
    ):
        if out and out[-1][0] == context and abs(out[-1][2] - onset) < 1e-3:
            out[-1] = (context, out[-1][1], float(onset + duration))
        else:
            out.append((context, float(onset), float(onset + duration)))
    return out


def kinds_of(night: NightLike) -> list[str]:
    """Return the kinds that were found, in the order of their lanes."""
    found = set(night.events["trial_type"].astype(str))
    return [k for k in KIND_COLORS if k in found] + sorted(found - set(KIND_COLORS))


def _lane_label(channel: Channel) -> str:
    return f"{plain(channel.name, 24)}\n{'µV' if channel.unit == 'uV' else 'g'}"


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return float(
        next(s * power for s in (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0) if s * power >= value)
    )


def _plain(ax: Axes) -> None:
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(axis="y", length=0, labelsize=8, labelcolor=INK)
