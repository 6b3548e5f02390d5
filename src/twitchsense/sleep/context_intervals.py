"""Context intervals: divide a night into wake, drowsy, sleep_onset, asleep and unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twitchsense.model.intervals import in_intervals
from twitchsense.settings import ContextSettings
from twitchsense.sleep.hypnogram.model import Hypnogram, to_us
from twitchsense.sleep.inactivity import (
    ASLEEP,
    BIN_S,
    BINS_PER_EPOCH,
    UNKNOWN,
    WAKE,
    LegMotion,
    majority_per_epoch,
)

Times = NDArray[np.int64]
States = NDArray[np.int8]
Bools = NDArray[np.bool_]

#: Contexts in which a person is awake.
WAKE_CONTEXTS: Final = ("wake", "drowsy")
#: Contexts around sleep onset.
SLEEP_ONSET_CONTEXTS: Final = ("drowsy", "sleep_onset")
#: Contexts in which a person is asleep.
SLEEP_CONTEXTS: Final = ("sleep_onset", "asleep")
#: Wake of at least this length (s) after sleep onset makes the next sleep a new onset
#: (docs/definitions.md, Hypnic jerks and sleep onset) [E].
REENTRY_S: Final = 300.0


@dataclass(frozen=True, slots=True, eq=False)
class ContextIntervals:
    """Consecutive intervals of one context each.

    Attributes
    ----------
    edge_us : ndarray of int64, shape (n + 1,)
        Interval ``i`` is ``[edge[i], edge[i + 1])``, microseconds.
    context : ndarray of str, shape (n,)
        Context of each interval.
    """

    edge_us: Times
    context: NDArray[np.str_]

    def at(self, times_s: ArrayLike) -> NDArray[np.str_]:
        """Return the context at each time.

        Parameters
        ----------
        times_s : array_like of float
            Seconds from the start of the recording.

        Returns
        -------
        ndarray of str
            ``unknown`` outside the intervals.
        """
        times = to_us(times_s)
        index = np.searchsorted(self.edge_us, times, side="right") - 1
        inside = (index >= 0) & (index < len(self.context))
        if len(self.context) == 0:
            return np.full(times.shape, "unknown")
        return np.where(inside, self.context[np.clip(index, 0, len(self.context) - 1)], "unknown")

    def extend(self, start_us: int, stop_us: int) -> ContextIntervals:
        """Extend the intervals to cover a time span; added intervals are ``unknown``.

        Parameters
        ----------
        start_us, stop_us : int
            Span that must be covered, microseconds.

        Returns
        -------
        ContextIntervals
        """
        if len(self.context) == 0:
            return ContextIntervals(np.array([start_us, stop_us], np.int64), np.array(["unknown"]))
        edge, context = self.edge_us, self.context
        if start_us < edge[0]:
            edge, context = np.append(start_us, edge), np.append("unknown", context)
        if stop_us > edge[-1]:
            edge, context = np.append(edge, stop_us), np.append(context, "unknown")
        return ContextIntervals(edge, context)


@dataclass(frozen=True, slots=True, eq=False)
class SleepWakeTimeline:
    """States of sleep and wake between edges.

    Attributes
    ----------
    edge_us : ndarray of int64, shape (n + 1,)
        Microseconds.
    state : ndarray of int8, shape (n,)
        States of `twitchsense.sleep.inactivity`.
    """

    edge_us: Times
    state: States


def timeline_from_hypnogram(hypnogram: Hypnogram) -> SleepWakeTimeline:
    """Return the states of a hypnogram.

    Parameters
    ----------
    hypnogram : Hypnogram
        Scored epochs.

    Returns
    -------
    SleepWakeTimeline
        Unscored epochs and gaps are `UNKNOWN`.
    """
    start, stop = hypnogram.bounds_us
    edge = np.unique(np.concatenate([start, stop]))
    stage = hypnogram.stage_at(edge[:-1] / 1e6)
    state = np.select([stage == "", stage == "W"], [UNKNOWN, WAKE], ASLEEP)
    return SleepWakeTimeline(edge, state.astype(np.int8))


def timeline_from_motion(
    motion: LegMotion, bins: States, onset_s: float | None
) -> SleepWakeTimeline:
    """Return the states estimated from the accelerometer.

    The majority of its bins decides for a 30-s epoch, so that turning over in sleep is
    not a period of wake. Only sleep onset itself has the resolution of a bin.

    Parameters
    ----------
    motion : LegMotion
        Motion of the leg.
    bins : ndarray of int8, shape (bins,)
        State of each bin.
    onset_s : float or None
        Sleep onset, s.

    Returns
    -------
    SleepWakeTimeline
    """
    grid = motion.grid
    state = np.repeat(majority_per_epoch(bins), BINS_PER_EPOCH)
    if onset_s is not None:
        first = round((onset_s - grid.first_bin * BIN_S) / BIN_S)
        epoch = slice(first // BINS_PER_EPOCH * BINS_PER_EPOCH, first)
        state[epoch] = bins[epoch]
        state[first : epoch.start + BINS_PER_EPOCH] = ASLEEP
    edge = to_us(grid.first_bin * BIN_S + np.arange(len(state) + 1) * float(BIN_S))
    return SleepWakeTimeline(edge, state)


def find_context_intervals(
    timeline: SleepWakeTimeline, onset_s: float | None, settings: ContextSettings
) -> ContextIntervals:
    """Divide a night into contexts.

    * ``unknown``: no signal or no scoring, without exception.
    * ``drowsy``: the last ``drowsy_min`` before sleep onset, and sleep before it that
      is too short to be the onset (``persistent_10min``).
    * ``sleep_onset``: the first ``onset_min`` after it, including short returns to
      wake, which are part of falling asleep.
    * Wake of at least 5 min after sleep onset is ``wake`` even within that window; its
      last ``drowsy_min`` before further sleep are ``drowsy``, and the first
      ``onset_min`` of that sleep are ``sleep_onset`` again.
    * The rest is ``wake`` or ``asleep``; undecided states are ``unknown``.

    Parameters
    ----------
    timeline : SleepWakeTimeline
        States of the night.
    onset_s : float or None
        Sleep onset, s; None if there is none.
    settings : ContextSettings
        ``drowsy_min`` and ``onset_min``.

    Returns
    -------
    ContextIntervals
    """
    if len(timeline.state) == 0:
        return ContextIntervals(timeline.edge_us, np.empty(0, "U11"))
    drowsy = round(settings.drowsy_min * 60e6)
    window = round(settings.onset_min * 60e6)
    onset = np.iinfo(np.int64).max // 2 if onset_s is None else int(to_us(onset_s))
    wake_start, wake_stop, then_sleep = _long_wake(timeline, onset)
    reentry = wake_stop[then_sleep]
    cuts = np.concatenate(
        [[onset - drowsy, onset, onset + window], reentry - drowsy, reentry, reentry + window]
    )
    outer = timeline.edge_us[[0, -1]]
    edge = np.unique(np.concatenate([timeline.edge_us, np.clip(cuts, *outer)]))
    time = edge[:-1]
    state = timeline.state[np.searchsorted(timeline.edge_us, time, side="right") - 1]
    long_wake = in_intervals(time, wake_start, wake_stop, closed="left")
    onsets = np.concatenate([[onset], reentry])
    is_drowsy = in_intervals(time, reentry - drowsy, reentry, closed="left") & long_wake
    is_drowsy |= (onset - drowsy <= time) & (time < onset)
    is_drowsy |= (time < onset) & (state == ASLEEP)
    context = np.select(
        [
            state == UNKNOWN,
            is_drowsy,
            long_wake,
            in_intervals(time, onsets, onsets + window, closed="left"),
            state == ASLEEP,
            state == WAKE,
        ],
        ["unknown", "drowsy", "wake", "sleep_onset", "asleep", "wake"],
        "unknown",
    )
    return ContextIntervals(edge, context)


def _long_wake(timeline: SleepWakeTimeline, onset: int) -> tuple[Times, Times, Bools]:
    """Return starts and ends of long wake after sleep onset, and whether sleep follows."""
    change = np.flatnonzero(np.diff(timeline.state)) + 1
    first = np.concatenate([[0], change])
    state = timeline.state[first]
    start = timeline.edge_us[first]
    stop = np.concatenate([timeline.edge_us[change], timeline.edge_us[-1:]])
    long = (state == WAKE) & (stop - start >= round(REENTRY_S * 1e6)) & (start >= onset)
    then_sleep = np.concatenate([state[1:] == ASLEEP, [False]])
    return start[long], stop[long], then_sleep[long]
