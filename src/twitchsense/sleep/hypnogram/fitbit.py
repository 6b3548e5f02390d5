"""Sleep stages from Fitbit's JSON: ``levels.data``, overlaid by ``levels.shortData``.

``shortData`` holds wakes of up to 3 min that ``data`` leaves out.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_change import Reading
from twitchsense.sleep.hypnogram.clock_times import ClockTimes, NightClock, read_clock_times
from twitchsense.sleep.hypnogram.json_logs import SleepLogs
from twitchsense.sleep.hypnogram.model import StageInterval, overlay, select_night
from twitchsense.sleep.hypnogram.stage_codes import parse_stage

_CURE: Final = "give the JSON of Fitbit's sleep log, as exported"


def read_fitbit(
    logs: list[tuple[str, dict[str, Any]]], source: str, clock: NightClock
) -> SleepLogs:
    """Read sleep logs of Fitbit.

    Fitbit writes local times without a zone, which are read in the wearer's zone. Within
    one log it does not follow a clock change.

    Parameters
    ----------
    logs : list of (str, dict)
        Objects with ``levels``, with their places.
    source : str
        Name of the file in messages.
    clock : NightClock
        Of the recording.

    Returns
    -------
    SleepLogs

    Raises
    ------
    InputError
        If a time, length or level is invalid, or no time zone is known.
    """
    intervals: list[StageInterval] = []
    notes = ["Fitbit: light sleep is taken as N2, restless as awake"]
    for place, log in logs:
        levels = log["levels"]
        if not isinstance(levels, dict) or "data" not in levels:
            raise InputError(source, "has levels without data", _CURE, place)
        reading: Reading = "unknown"
        layers = []
        for name in ("data", "shortData"):
            rows = levels.get(name) or []
            found, times = _read(rows, source, f"{place}, {name}", clock, reading)
            # the short wakes lie within the stages, and have their clock
            reading = times.reading if found else reading
            layers.append(select_night(found, clock, source))
            notes += times.notes if layers[-1] and name == "data" else ()
        intervals += overlay(layers)
    return SleepLogs(intervals, tuple(notes))


def _read(
    rows: Any, source: str, place: str, clock: NightClock, reading: Reading
) -> tuple[list[StageInterval], ClockTimes]:
    if not isinstance(rows, list):
        raise InputError(source, "is not a list of levels", _CURE, place)
    places = [f"{place} {k}" for k in range(1, len(rows) + 1)]
    times, lengths, stages = [], [], []
    for row, where in zip(rows, places, strict=True):
        if not isinstance(row, dict):
            raise InputError(source, "is not a level", _CURE, where)
        time, length, level = row.get("dateTime"), row.get("seconds"), row.get("level")
        if not isinstance(time, str) or not isinstance(level, str):
            raise InputError(source, "lacks dateTime or level", _CURE, where)
        if isinstance(length, bool) or not isinstance(length, (int, float)):
            raise InputError(source, f"seconds is {length!r}", _CURE, where)
        if not 0 <= length <= 7 * 86400:
            raise InputError(source, f"seconds is {length!r}", _CURE, where)
        times.append(time)
        lengths.append(round(length * 1_000_000))
        stages.append(parse_stage(level, source, where))
    length_us = np.array(lengths, np.int64)
    found = read_clock_times(
        times, clock, source, lambda k: places[k], length_us, one_clock=True, reading=reading
    )
    starts = found.utc_us.tolist()
    made = [StageInterval(a, a + b, s) for a, b, s in zip(starts, lengths, stages, strict=True)]
    return made, found
