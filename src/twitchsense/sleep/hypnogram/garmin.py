"""Sleep stages of Garmin Connect: ``sleepLevels`` (API of the app) or ``sleepLevelsMap``."""

from __future__ import annotations

from typing import Any, Final

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.json_logs import SleepLogs
from twitchsense.sleep.hypnogram.model import StageInterval, select_night

_LEVELS: Final = {0: "N3", 1: "N2", 2: "R", 3: "W", -1: ""}
_NAMES: Final = {"deep": "N3", "light": "N2", "rem": "R", "awake": "W", "unmeasurable": ""}
_CURE: Final = "give the sleep data of Garmin Connect as exported"
_NOTE: Final = "Garmin: light sleep is taken as N2, deep sleep as N3"


def read_garmin(
    logs: list[tuple[str, dict[str, Any]]], source: str, clock: NightClock
) -> SleepLogs:
    """Read nights of Garmin Connect; their times are UTC.

    Parameters
    ----------
    logs : list of (str, dict)
        Objects with ``sleepLevels`` or ``sleepLevelsMap``, with their places.
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
        If a time or a level is invalid.
    """
    intervals: list[StageInterval] = []
    for place, log in logs:
        levels = log.get("sleepLevels") or []
        by_name = log.get("sleepLevelsMap") or {}
        if not isinstance(levels, list) or not isinstance(by_name, dict):
            raise InputError(source, "sleepLevels is not a list", _CURE, place)
        found = [_level(row, source, f"{place}, level {k}") for k, row in enumerate(levels, 1)]
        for name, rows in by_name.items():
            if name.lower() not in _NAMES:
                raise InputError(source, f"unknown stage {name!r}", _CURE, place)
            for row in rows if isinstance(rows, list) else [rows]:
                found.append(_seconds(row, _NAMES[name.lower()], source, f"{place}, {name}"))
        clock.require_offset(source, place)
        intervals += select_night(found, clock, source)
    return SleepLogs(intervals, (_NOTE,))


def _level(row: Any, source: str, place: str) -> StageInterval:
    """Return the interval of one level, whose times are GMT without an offset."""
    if not isinstance(row, dict):
        raise InputError(source, "is not a level", _CURE, place)
    level, times = row.get("activityLevel"), [row.get("startGMT"), row.get("endGMT")]
    if not isinstance(level, (int, float)) or isinstance(level, bool) or level not in _LEVELS:
        raise InputError(source, f"unknown stage {level!r} (activityLevel)", _CURE, place)
    if not all(isinstance(time, str) for time in times):
        raise InputError(source, "lacks startGMT or endGMT", _CURE, place)
    utc = [f"{str(time).removesuffix('Z')}+00:00" for time in times]
    found = read_clock_times(utc, NightClock(0, 0), source, lambda _: place).utc_us
    return StageInterval(int(found[0]), int(found[1]), _LEVELS[int(level)])


def _seconds(row: Any, stage: str, source: str, place: str) -> StageInterval:
    """Return the interval of one row of ``sleepLevelsMap``, in seconds since 1970."""
    keys = ("startTimeInSeconds", "endTimeInSeconds")
    times = [row.get(key) if isinstance(row, dict) else None for key in keys]
    out = []
    for time in times:
        if not isinstance(time, (int, float)) or isinstance(time, bool) or not 0 < time < 1e11:
            raise InputError(source, f"lacks {' or '.join(keys)}", _CURE, place)
        out.append(round(time * 1_000_000))
    return StageInterval(out[0], out[1], stage)
