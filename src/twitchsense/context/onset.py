"""When sleep began, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twitchsense.context.hypnogram import PERSISTENT_S, Hypnogram
from twitchsense.context.sleepwake import ASLEEP, BIN_S, Stillness, find_still
from twitchsense.settings import ContextSettings

Source = Literal["hypnogram", "accelerometer", "none"]

#: Actigraphy calls sleep 9-20 min too early (four algorithms against EEG, 2019;
#: Chase 2022: 19.7 min), because one can lie still awake: criteria.md, 3.3.
LATE_S: Final = 20 * 60.0
#: The stricter stillness asked for a second opinion, minutes (Chae 2009 tried 4-15).
STRICT_MIN: Final = 10.0


@dataclass(frozen=True, slots=True)
class SleepOnset:
    """When sleep began.

    Attributes
    ----------
    time_s : float or None
        Seconds from the start of the recording; None if no sleep was found.
    low_s, high_s : float or None
        Earliest and latest likely time; see `onset_of_stages` and
        `onset_of_stillness` for what they hold.
    source : {'hypnogram', 'accelerometer', 'none'}
    """

    time_s: float | None
    low_s: float | None
    high_s: float | None
    source: Source


NO_ONSET: Final = SleepOnset(None, None, None, "none")


def onset_of_stages(hypnogram: Hypnogram, definition: str) -> SleepOnset:
    """Return the sleep onset of a hypnogram, give or take half an epoch.

    Parameters
    ----------
    hypnogram : Hypnogram
    definition : {'first_epoch', 'persistent_10min'}
        The first epoch that is N1, N2, N3 or R (AASM), or the first that begins
        10 min of them without a break; an unscored epoch or a gap is a break.
    """
    asleep = np.flatnonzero(hypnogram.asleep)
    if definition == "persistent_10min" and len(asleep):
        start, stop = hypnogram.bounds_us
        # a run goes on where the next sleep epoch touches the last one
        fresh = np.concatenate([[True], start[asleep[1:]] != stop[asleep[:-1]]])
        last = np.concatenate([fresh[1:], [True]])
        run_us = stop[asleep[last]] - start[asleep[fresh]]
        asleep = asleep[fresh][run_us >= round(PERSISTENT_S * 1e6)]
    if len(asleep) == 0:
        return NO_ONSET
    time = float(hypnogram.onset_s[asleep[0]])
    half = float(hypnogram.duration_s[asleep[0]]) / 2
    return SleepOnset(time, time - half, time + half, "hypnogram")


def onset_of_stillness(still: Stillness, settings: ContextSettings) -> SleepOnset:
    """Return the start of the first sustained inactivity, with a generous range.

    The range spans four variants of the rule: as set; 10 min instead of 5; by
    the angle alone; by the activity alone. A variant that finds no sleep puts
    the late end at the end of the recording. Then the late end is put off by
    the 20 min by which actigraphy is known to be early at worst; the time itself
    is not shifted. If there is no signal just before the onset, sleep may have
    begun in that gap, and the early end moves to its start.

    Cole-Kripke is not among the variants: it works on counts of a proprietary
    filter at the wrist, and a re-scaled copy would look like evidence without
    being any.
    """
    first = _first_asleep(find_still(still, settings))
    if first is None:
        return NO_ONSET
    start = still.grid.bins_s
    end = float(start[_last_seen(still)] + BIN_S)
    variants = [
        _first_asleep(find_still(still, settings, minutes=max(STRICT_MIN, settings.still_min))),
        _first_asleep(find_still(still, settings, activity=False)),
        _first_asleep(find_still(still, settings, angle=False)),
    ]
    times = [end if v is None else float(start[v]) for v in (first, *variants)]
    low = float(start[_gap_start(still.seen, min(v for v in (first, *variants) if v is not None))])
    return SleepOnset(float(start[first]), low, min(max(times) + LATE_S, end), "accelerometer")


def _first_asleep(state: NDArray[np.int8]) -> int | None:
    found = np.flatnonzero(state == ASLEEP)
    return int(found[0]) if len(found) else None


def _last_seen(still: Stillness) -> int:
    return int(np.flatnonzero(still.seen)[-1])


def _gap_start(seen: NDArray[np.bool_], at: int) -> int:
    """Return the first bin of the gap that ends at a bin; the bin itself without a gap."""
    before = np.flatnonzero(seen[:at])
    return int(before[-1]) + 1 if len(before) else 0
