"""Sleep stages of the health stores of phones: Health Auto Export, Google Fit, Health Connect."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.json_logs import HEALTH_STORE_KEYS, SleepLogs
from twitchsense.sleep.hypnogram.model import StageInterval, select_night

_STAGES: Final = {
    "awake": "W", "wake": "W", "awake_in_bed": "W", "out_of_bed": "W", "sleeping": "S",
    "sleep": "S", "asleep": "S", "unspecified": "S", "light": "N2", "core": "N2",
    "deep": "N3", "rem": "R", "unknown": "",
}  # fmt: skip
#: Numbers of Health Connect and Google Fit.
_NUMBERS: Final = ("unknown", "awake", "sleeping", "out_of_bed", "light", "deep", "rem", "awake")
#: Words before the stage.
_PREFIXES: Final = ("hkcategoryvaluesleepanalysis", "sleep_", "stage_", "type_", "asleep_")
_CURE: Final = "export the stages of this night again, or give a table: start,end,stage"
_NOTE: Final = "light and core sleep are taken as N2, deep sleep as N3"


def read_health_store(
    logs: list[tuple[str, dict[str, Any]]], source: str, clock: NightClock
) -> SleepLogs:
    """Read intervals of sleep stages, whose times carry their offset from UTC.

    Time in bed says nothing about sleep. Of several apps or devices, the one with most stages
    in the night counts.

    Parameters
    ----------
    logs : list of (str, dict)
        Objects with one of `HEALTH_STORE_KEYS`, with their places.
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
        If a time or a stage is invalid.
    """
    clock.require_offset(source)
    no_zone = NightClock(0, 0)  # the times carry their offset
    by_app: dict[str, list[StageInterval]] = defaultdict(list)
    for place, log in logs:
        start, stop, name = next(k for k in HEALTH_STORE_KEYS if log.keys() >= set(k))
        other = name == "fitnessActivity" and not str(log[name]).lower().startswith("sleep")
        if other or "segment" in log:  # a session, whose stages are objects of their own
            continue
        stage = _stage(log[name], source, place)
        if stage is None:
            continue
        if not isinstance(log[start], str) or not isinstance(log[stop], str):
            raise InputError(source, f"{start} or {stop} is not a time", _CURE, place)
        times = [log[start], log[stop]]
        utc = read_clock_times(times, no_zone, source, lambda _: place).utc_us  # noqa: B023
        interval = StageInterval(int(utc[0]), int(utc[1]), stage)
        by_app[str(log.get("source", ""))].append(interval)
    nights = {app: select_night(found, clock, source) for app, found in by_app.items()}
    nights = {app: found for app, found in nights.items() if found}
    if not nights:
        return SleepLogs([], ())
    app = max(nights, key=lambda app: _staged_us(nights[app]))
    notes = [_NOTE]
    if len(nights) > 1:
        others = ", ".join(sorted(set(nights) - {app}))
        notes.append(f"stages of '{app}' are used, not those of {others}")
    return SleepLogs(nights[app], tuple(notes))


def _staged_us(found: list[StageInterval]) -> int:
    return sum(s.stop_us - s.start_us for s in found if s.stage in ("N2", "N3", "R"))


def _stage(value: object, source: str, place: str) -> str | None:
    """Return the stage; None for time in bed."""
    word = ""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(_NUMBERS):
        word = _NUMBERS[value]
    elif isinstance(value, str):
        word = value.lower().replace(" ", "_").replace(".", "_").replace("-", "_")
        for prefix in _PREFIXES:
            word = word.removeprefix(prefix) or word
        word = word.removeprefix("asleep") or word
    if word in ("in_bed", "inbed", "sleep_in_bed"):
        return None
    if word not in _STAGES:
        raise InputError(source, f"unknown stage {value!r}", _CURE, place)
    return _STAGES[word]
