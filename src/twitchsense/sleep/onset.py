"""When sleep began, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twitchsense.settings import ContextSettings
from twitchsense.sleep.hypnogram.hypnogram import PERSISTENT_S, Hypnogram
from twitchsense.sleep.inactivity import ASLEEP, BIN_S, Stillness, find_still

Source = Literal["hypnogram", "accelerometer", "none"]

#: Actigraphy calls sleep 9-20 min too early (four algorithms against EEG, 2019;
#: Chase 2022: 19.7 min), because one can lie still awake: docs/definitions.md.
LATE_S: Final = 20 * 60.0
#: The stricter stillness asked for a second opinion, minutes (Chae 2009 tried 4-15).
STRICT_MIN: Final = 10.0
#: Chae et al. 2009: of 4 to 15 min without movement, 5 gave the best sleep latency.
IMMOBILE_MIN: Final = 5.0


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
    definition : str
        ``first_epoch``, ``persistent_10min`` or ``immobile_5min``.
    opinions : mapping of str to float or None
        What other methods and definitions say; None if they found no sleep.
    """

    time_s: float | None
    low_s: float | None
    high_s: float | None
    source: Source
    definition: str = "first_epoch"
    opinions: Mapping[str, float | None] = field(default_factory=dict)


NO_ONSET: Final = SleepOnset(None, None, None, "none")


def onset_of_stages(hypnogram: Hypnogram, definition: str) -> SleepOnset:
    """Return the sleep onset of a hypnogram, give or take half an epoch.

    Parameters
    ----------
    hypnogram : Hypnogram
    definition : {'first_epoch', 'persistent_10min', 'immobile_5min'}
        The first epoch of sleep (AASM), or the first that begins 10 min of it
        without a break; an unscored epoch or a gap is a break. `immobile_5min`
        asks for an accelerometer; a hypnogram answers with its first epoch.
    """
    found = {name: _first_of(hypnogram, name) for name in ("first_epoch", "persistent_10min")}
    name = "persistent_10min" if definition == "persistent_10min" else "first_epoch"
    opinions = {k: None if v is None else float(hypnogram.onset_s[v]) for k, v in found.items()}
    at = found[name]
    if at is None:
        return SleepOnset(None, None, None, "none", name, opinions)
    time, half = float(hypnogram.onset_s[at]), float(hypnogram.duration_s[at]) / 2
    return SleepOnset(time, time - half, time + half, "hypnogram", name, opinions)


def _first_of(hypnogram: Hypnogram, definition: str) -> int | None:
    asleep = np.flatnonzero(hypnogram.asleep)
    if definition == "persistent_10min" and len(asleep):
        start, stop = hypnogram.bounds_us
        # a run goes on where the next sleep epoch touches the last one
        fresh = np.concatenate([[True], start[asleep[1:]] != stop[asleep[:-1]]])
        last = np.concatenate([fresh[1:], [True]])
        run_us = stop[asleep[last]] - start[asleep[fresh]]
        asleep = asleep[fresh][run_us >= round(PERSISTENT_S * 1e6)]
    return int(asleep[0]) if len(asleep) else None


def still_bins(still: Stillness, settings: ContextSettings) -> NDArray[np.int8]:
    """Judge each bin by the definition of sleep onset that is set."""
    if settings.definition == "immobile_5min":
        return find_still(
            still, settings, minutes=IMMOBILE_MIN, angle=True, activity=False, immobile=True
        )
    least = STRICT_MIN if settings.definition == "persistent_10min" else 0.0
    return find_still(still, settings, minutes=max(least, settings.still_min))


def onset_of_stillness(
    still: Stillness,
    settings: ContextSettings,
    others: Mapping[str, float | None] | None = None,
) -> SleepOnset:
    """Return the start of the first sustained inactivity, with a generous range.

    The range spans the methods: the rule as set; 10 min of stillness instead of
    5; the angle alone; the activity alone; 5 min without any movement; and
    `others` (Cole-Kripke, Sadeh, muscle tone), as far as they found sleep. HDCZA is
    told but not asked: its sleep period is the time in bed with rest in it.
    If 10 min of stillness, the angle or the activity never come, the late end is
    that of the recording. Then the late end is put off by the 20 min by which
    actigraphy is known to be early at worst; the time itself is not shifted. If
    there is no signal just before the onset, sleep may have begun in that gap, and
    the early end moves to its start.
    """
    first = _first_asleep(still_bins(still, settings))
    if first is None:
        return SleepOnset(None, None, None, "none", settings.definition, dict(others or {}))
    start = still.grid.bins_s
    end = float(start[_last_seen(still)] + BIN_S)
    strict = max(STRICT_MIN, settings.still_min)
    states = {
        "first_epoch": find_still(still, settings),
        "persistent_10min": find_still(still, settings, minutes=strict),
        "angle_alone": find_still(still, settings, activity=False),
        "activity_alone": find_still(still, settings, angle=False),
        "immobile_5min": find_still(
            still, settings, minutes=IMMOBILE_MIN, activity=False, immobile=True
        ),
    }
    bins = {name: _first_asleep(state) for name, state in states.items()}
    opinions = {k: None if v is None else float(start[v]) for k, v in bins.items()}
    must = ("persistent_10min", "angle_alone", "activity_alone")
    times = [end if opinions[name] is None else opinions[name] for name in must]
    asked = {k: v for k, v in (others or {}).items() if k != "hdcza"}
    times += [*opinions.values(), *asked.values(), float(start[first])]
    told = [t for t in times if t is not None]
    earliest = round((min(told) - float(start[0])) / BIN_S)
    low = float(start[_gap_start(still.seen, earliest)])
    return SleepOnset(
        float(start[first]),
        low,
        min(max(told) + LATE_S, end),
        "accelerometer",
        settings.definition,
        {**opinions, **(others or {})},
    )


def _first_asleep(state: NDArray[np.int8]) -> int | None:
    found = np.flatnonzero(state == ASLEEP)
    return int(found[0]) if len(found) else None


def _last_seen(still: Stillness) -> int:
    return int(np.flatnonzero(still.seen)[-1])


def _gap_start(seen: NDArray[np.bool_], at: int) -> int:
    """Return the first bin of the gap that ends at a bin; the bin itself without a gap."""
    before = np.flatnonzero(seen[:at])
    return int(before[-1]) + 1 if len(before) else 0
