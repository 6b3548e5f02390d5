"""Sleep stages from the JSON of watches, rings and mats, recognized by its keys.

A new device is one more module with a function that reads its objects, one line in
`_PROGRAMS`, one line in ``docs/sleep-context.md`` and a test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

from twitchsense.errors import InputError
from twitchsense.regular_file import read_limited
from twitchsense.sleep.hypnogram.clock_times import UNDATED, NightClock
from twitchsense.sleep.hypnogram.model import (
    Hypnogram,
    StageInterval,
    align_to_recording,
    overlay,
)
from twitchsense.sleep.hypnogram.stage_codes import Codes
from twitchsense.sleep.hypnogram.yasa import JSON_KEYS, read_yasa_json

#: Largest file accepted; a month of sleep logs has less than one megabyte.
_MAX_BYTES: Final = 64_000_000
#: Keys of start, end and stage in Health Auto Export, Google Fit and Health Connect.
HEALTH_STORE_KEYS: Final = (
    ("startDate", "endDate", "value"),
    ("startTime", "endTime", "fitnessActivity"),
    ("startTime", "endTime", "stage"),
)
#: Depth to which objects are searched.
_MAX_DEPTH: Final = 6
_CURE: Final = (
    "give the sleep data of Fitbit, Oura, Garmin, Withings, Health Auto Export, Google Fit or "
    "Health Connect, as exported"
)


@dataclass(frozen=True, slots=True)
class SleepLogs:
    """Result of the reader of one program: intervals of the night, UTC, and notes."""

    intervals: list[StageInterval]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JsonProgram:
    """A program, the keys that its objects have, and where its reader is.

    Attributes
    ----------
    keys : tuple of tuples of str
        An object belongs to the program if it has all keys of one of the tuples.
    module, reader : str
        The function receives objects with their places, the name of the file and the clock,
        and returns `SleepLogs`.
    """

    keys: tuple[tuple[str, ...], ...]
    module: str
    reader: str


LogReader = Callable[[list[tuple[str, dict[str, Any]]], str, NightClock], SleepLogs]

_PROGRAMS: Final = (
    JsonProgram((("levels",),), "fitbit", "read_fitbit"),
    JsonProgram((("bedtime_start",),), "oura", "read_oura"),
    JsonProgram((("sleepLevels",), ("sleepLevelsMap",)), "garmin", "read_garmin"),
    JsonProgram((("startdate", "enddate", "state"),), "withings", "read_withings_json"),
    JsonProgram(HEALTH_STORE_KEYS, "health_stores", "read_health_store"),
)


def read_json_stages(path: Path, source: str, clock: NightClock | None, codes: Codes) -> Hypnogram:
    """Read the sleep stages of the recording's night.

    Parameters
    ----------
    path : Path
        JSON of Fitbit, Oura, Garmin, Withings or YASA.
    source : str
        Name of the file in messages.
    clock : NightClock or None
        Of the recording; required for all but YASA.
    codes : mapping of str to str
        Additional stage words of YASA, in lower case.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If the file is damaged or of no known program; if a time, length or stage in it is
        invalid; or if it covers another night.
    """
    data = _load(path, source)
    if isinstance(data, dict) and data.keys() >= JSON_KEYS:
        return read_yasa_json(data, clock, codes, source)
    clock = clock or UNDATED
    clock.require_utc(source)
    for program in _PROGRAMS:
        found = [o for o in _objects(data) if any(o.keys() >= set(k) for k in program.keys)]
        if found:
            logs = [(f"log {k}", log) for k, log in enumerate(found, 1)]
            module = import_module(f"twitchsense.sleep.hypnogram.{program.module}")
            read = cast(LogReader, getattr(module, program.reader))(logs, source, clock)
            if not read.intervals:
                problem = f"has {len(logs)} sleep logs, none within 12 h of the recording"
                raise InputError(source, problem, "check the dates, and the time zone (--zone)")
            return align_to_recording(overlay([read.intervals]), clock, source, read.notes)
    if next(_with(data, "inBedStart", "totalSleep"), None) is not None:
        problem = "has only totals of each night, no stages"
        cure = "export it again without aggregation (Health Auto Export: summarize data off)"
        raise InputError(source, problem, cure)
    if next(_with(data, "dailySleepDTO", "deepSleepSeconds"), None) is not None:
        problem = "has only Garmin's totals of each night, no stages"
        raise InputError(source, problem, "give the JSON of Garmin Connect with sleepLevels")
    raise InputError(source, "is JSON without sleep stages of a known device", _CURE)


def _load(path: Path, source: str) -> Any:
    data = read_limited(path, source, _MAX_BYTES)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(source, f"is damaged JSON ({error})", _CURE) from error


def _objects(data: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON value, outermost first."""
    if isinstance(data, dict):
        yield data
    if depth < _MAX_DEPTH and isinstance(data, (dict, list)):
        for value in data.values() if isinstance(data, dict) else data:
            yield from _objects(value, depth + 1)


def _with(data: Any, *keys: str) -> Iterator[dict[str, Any]]:
    return (o for o in _objects(data) if any(key in o for key in keys))
