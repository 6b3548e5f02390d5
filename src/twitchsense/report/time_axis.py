"""The time axis shared by all rows of the overview, and sleep onset on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from twitchsense.report.night_intervals import recording_bounds
from twitchsense.report.palette import MUTED_COLOR, ONSET_COLOR
from twitchsense.report.protocols import NightLike
from twitchsense.report.time_labels import (
    WallClock,
    format_hours_minutes,
    is_onset_known,
    is_onset_left_censored,
    onset_label,
)

#: Distances between ticks (s).
_TICK_STEPS_S = (10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 14400)


def draw_sleep_onset(night: NightLike, ax: Axes) -> None:
    """Draw sleep onset as a dashed line, and its uncertainty interval as a band.

    The line is left out if sleep may have begun at any time since the start.

    Parameters
    ----------
    night : Night
    ax : Axes
        Axes whose x axis is in seconds of the recording.
    """
    onset = night.onset
    if onset.time_s is None or not is_onset_known(night):
        return
    low = onset.time_s if onset.low_s is None else onset.low_s
    high = onset.time_s if onset.high_s is None else onset.high_s
    ax.axvspan(low, high, color=ONSET_COLOR, alpha=0.09, lw=0, zorder=0.6)
    if not is_onset_left_censored(night):
        ax.axvline(onset.time_s, color=ONSET_COLOR, lw=1.1, ls=(0, (4, 2)), zorder=3)


def label_time_axis(night: NightLike, axes: Sequence[Axes]) -> None:
    """Label the shared time axis below the last axes, and sleep onset above the first.

    Labels are clock times if the capture states them, else hours from the start.

    Parameters
    ----------
    night : Night
    axes : sequence of Axes
        From top to bottom.
    """
    start, stop = recording_bounds(night)
    last = axes[-1]
    clock = WallClock.of(night.recording)
    step = _tick_step(stop - start, 10)
    if clock.is_known:
        first = clock.to_datetime(start)
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        since_midnight = (first - midnight) / timedelta(seconds=1)
        first_tick = math.ceil(since_midnight / step) * step - since_midnight
        ticks = start + np.arange(first_tick, stop - start + 1, step)
        labels = [clock.format_minute(t) if step >= 60 else clock.format_second(t) for t in ticks]
        last.set_xlabel(f"clock time ({clock.zone_name})", fontsize=8, color=MUTED_COLOR)
    else:
        since_start = np.arange(0, stop - start + 1, step)
        ticks = start + since_start
        labels = [
            format_hours_minutes(s) if step >= 60 else clock.format_second(t)
            for s, t in zip(since_start, ticks, strict=True)
        ]
        parts = "hours:minutes" if step >= 60 else "hours:minutes:seconds"
        last.set_xlabel(f"{parts} from the start", fontsize=8, color=MUTED_COLOR)
    for ax in axes:
        ax.set_xlim(start, stop)
        ax.xaxis.set_major_locator(FixedLocator(list(ticks)))
        ax.tick_params(axis="x", length=2 if ax is last else 0, labelbottom=ax is last)
    last.set_xticks(list(ticks), labels, fontsize=8, color=MUTED_COLOR)
    text, onset = onset_label(night), night.onset.time_s
    if text and onset is not None:
        in_right_part = (onset - start) > 0.6 * (stop - start)
        axes[0].annotate(
            text,
            (onset, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if in_right_part else 4, 3),
            textcoords="offset points",
            ha="right" if in_right_part else "left",
            va="bottom",
            fontsize=8,
            color=ONSET_COLOR,
        )


def _tick_step(span_s: float, max_ticks: int) -> float:
    """Return the smallest distance that gives at most `max_ticks` ticks."""
    return next((float(s) for s in _TICK_STEPS_S if span_s / s <= max_ticks), 14400.0)
