"""From sleep and wake to the five contexts: windows around falling asleep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twitchsense.model.intervals import in_intervals
from twitchsense.settings import ContextSettings
from twitchsense.sleep.hypnogram.hypnogram import Hypnogram, to_us
from twitchsense.sleep.inactivity import ASLEEP, BIN_S, BINS, UNKNOWN, WAKE, Stillness, judge_epochs

#: Wake of this length makes falling asleep again an onset of its own (docs/definitions.md) [E].
REENTRY_S: Final = 300.0

Times = NDArray[np.int64]
States = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """A night cut into stretches of one context each.

    Attributes
    ----------
    edge_us : ndarray of int64, shape (n + 1,)
        Stretch ``i`` is ``[edge[i], edge[i + 1])``, whole microseconds.
    context : ndarray of str, shape (n,)
    """

    edge_us: Times
    context: NDArray[np.str_]

    def at(self, times_s: ArrayLike) -> NDArray[np.str_]:
        """Return the context of each time; ``unknown`` outside."""
        times = to_us(times_s)
        index = np.searchsorted(self.edge_us, times, side="right") - 1
        inside = (index >= 0) & (index < len(self.context))
        if len(self.context) == 0:
            return np.full(times.shape, "unknown")
        return np.where(inside, self.context[np.clip(index, 0, len(self.context) - 1)], "unknown")

    def widen(self, start_us: int, stop_us: int) -> Spans:
        """Return spans that cover at least ``[start, stop)``; what is new is ``unknown``."""
        if len(self.context) == 0:
            return Spans(np.array([start_us, stop_us], np.int64), np.array(["unknown"]))
        edge, context = self.edge_us, self.context
        if start_us < edge[0]:
            edge, context = np.append(start_us, edge), np.append("unknown", context)
        if stop_us > edge[-1]:
            edge, context = np.append(edge, stop_us), np.append(context, "unknown")
        return Spans(edge, context)


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Sleep and wake as they were seen: states between edges, in microseconds."""

    edge_us: Times
    state: States


def timeline_of_stages(hypnogram: Hypnogram) -> Timeline:
    """Return the states of a hypnogram; unscored epochs and gaps are unknown."""
    start, stop = hypnogram.bounds_us
    edge = np.unique(np.concatenate([start, stop]))
    stage = hypnogram.stage_at(edge[:-1] / 1e6)
    state = np.select([stage == "", stage == "W"], [UNKNOWN, WAKE], ASLEEP)
    return Timeline(edge, state.astype(np.int8))


def timeline_of_stillness(still: Stillness, bins: States, onset_s: float | None) -> Timeline:
    """Return the states of the accelerometer, epoch by epoch.

    Most of an epoch decides for it, so that turning over in sleep is no bout of
    wake. Only the onset itself is placed to the bin.
    """
    state = np.repeat(judge_epochs(bins), BINS)
    if onset_s is not None:
        first = round((onset_s - still.grid.first * BINS * BIN_S) / BIN_S)
        epoch = slice(first // BINS * BINS, first)
        state[epoch] = bins[epoch]
        state[first : epoch.start + BINS] = ASLEEP
    edge = to_us(still.grid.first * BINS * BIN_S + np.arange(len(state) + 1) * float(BIN_S))
    return Timeline(edge, state)


def find_spans(timeline: Timeline, onset_s: float | None, settings: ContextSettings) -> Spans:
    """Cut a night into contexts.

    * No signal or no scoring is ``unknown``, always.
    * ``drowsy``: the last `drowsy_min` before sleep onset; also sleep that was
      too short to count as the onset (`persistent_10min`).
    * ``sleep_onset``: the first `onset_min` after it, with the short returns to
      wake that are part of falling asleep.
    * Wake of 5 min and more after sleep onset is ``wake`` in every case, its last
      `drowsy_min` before sleep goes on are ``drowsy``, and the first `onset_min`
      of that sleep are ``sleep_onset`` again (re-entry, docs/definitions.md).
    * The rest is ``wake`` or ``asleep``; what can't be decided is ``unknown``.
    """
    if len(timeline.state) == 0:
        return Spans(timeline.edge_us, np.empty(0, "U11"))
    drowsy, settle = round(settings.drowsy_min * 60e6), round(settings.onset_min * 60e6)
    onset = np.iinfo(np.int64).max // 2 if onset_s is None else int(to_us(onset_s))
    wake_from, wake_to, slept = _long_wake(timeline, onset)
    again = wake_to[slept]
    cuts = np.concatenate(
        [[onset - drowsy, onset, onset + settle], again - drowsy, again, again + settle]
    )
    outer = timeline.edge_us[[0, -1]]
    edge = np.unique(np.concatenate([timeline.edge_us, np.clip(cuts, *outer)]))
    time = edge[:-1]
    state = timeline.state[np.searchsorted(timeline.edge_us, time, side="right") - 1]
    long_wake = in_intervals(time, wake_from, wake_to, closed="left")
    entries = np.concatenate([[onset], again])
    before = in_intervals(time, again - drowsy, again, closed="left") & long_wake
    before |= (onset - drowsy <= time) & (time < onset)
    before |= (time < onset) & (state == ASLEEP)
    context = np.select(
        [
            state == UNKNOWN,
            before,
            long_wake,
            in_intervals(time, entries, entries + settle, closed="left"),
            state == ASLEEP,
            state == WAKE,
        ],
        ["unknown", "drowsy", "wake", "sleep_onset", "asleep", "wake"],
        "unknown",
    )
    return Spans(edge, context)


def _long_wake(timeline: Timeline, onset: int) -> tuple[Times, Times, NDArray[np.bool_]]:
    """Return starts and ends of long wake after sleep onset, and if sleep follows at once."""
    change = np.flatnonzero(np.diff(timeline.state)) + 1
    first = np.concatenate([[0], change])
    state = timeline.state[first]
    start = timeline.edge_us[first]
    stop = np.concatenate([timeline.edge_us[change], timeline.edge_us[-1:]])
    long = (state == WAKE) & (stop - start >= round(REENTRY_S * 1e6)) & (start >= onset)
    slept = np.concatenate([state[1:] == ASLEEP, [False]])
    return start[long], stop[long], slept[long]
