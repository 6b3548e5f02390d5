"""The time axis that all lanes of the night share, and sleep onset on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from twitchsense.report.onset_text import is_known, lay_still_from_start, mark_words
from twitchsense.report.palette import MUTED, ONSET_INK
from twitchsense.report.protocols import NightLike
from twitchsense.report.time_labels import Clock, hours_minutes


def mark_onset(night: NightLike, ax: Axes) -> None:
    """Draw sleep onset and the band of its uncertainty; no line where all of it is as likely."""
    onset = night.onset
    if onset.time_s is None or not is_known(night):
        return
    low = onset.time_s if onset.low_s is None else onset.low_s
    high = onset.time_s if onset.high_s is None else onset.high_s
    ax.axvspan(low, high, color=ONSET_INK, alpha=0.09, lw=0, zorder=0.6)
    if not lay_still_from_start(night):
        ax.axvline(onset.time_s, color=ONSET_INK, lw=1.1, ls=(0, (4, 2)), zorder=3)


def label_time(night: NightLike, axes: Sequence[Axes]) -> None:
    """Label the time axis: clock time where it is known, else hours from the start."""
    start, stop = bounds(night)
    last = axes[-1]
    clock = Clock.of(night.recording)
    step = _step(stop - start, 10)
    if clock.known:
        first = clock.at(start)
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        into = (first - midnight) / timedelta(seconds=1)
        ticks = start + np.arange(math.ceil(into / step) * step - into, stop - start + 1, step)
        labels = [clock.short(t) if step >= 60 else clock.exact(t) for t in ticks]
        last.set_xlabel(f"clock time ({clock.name})", fontsize=8, color=MUTED)
    else:
        ticks = np.arange(math.ceil(start / step) * step, stop + 1, step)
        labels = [hours_minutes(t) if step >= 60 else clock.exact(t) for t in ticks]
        parts = "hours:minutes" if step >= 60 else "hours:minutes:seconds"
        last.set_xlabel(f"{parts} from the start", fontsize=8, color=MUTED)
    for ax in axes:
        ax.set_xlim(start, stop)
        ax.xaxis.set_major_locator(FixedLocator(list(ticks)))
        ax.tick_params(axis="x", length=2 if ax is last else 0, labelbottom=ax is last)
    last.set_xticks(list(ticks), labels, fontsize=8, color=MUTED)
    words, at = mark_words(night), night.onset.time_s
    if words and at is not None:
        late = (at - start) > 0.6 * (stop - start)
        axes[0].annotate(
            words,
            (at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if late else 4, 3),
            textcoords="offset points",
            ha="right" if late else "left",
            va="bottom",
            fontsize=8,
            color=ONSET_INK,
        )


def bounds(night: NightLike) -> tuple[float, float]:
    """Return the start and the end of the recording in seconds."""
    start, stop = night.recording.start_ns / 1e9, night.recording.end_ns / 1e9
    return start, max(stop, start + 1.0)


def _step(span: float, wanted: int) -> float:
    steps = (10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 14400)
    return next((float(s) for s in steps if span / s <= wanted), 14400.0)
