"""Sleep of Fitbit: the JSON of its own export, and ``minuteSleep`` of Fitabase.

In the JSON, ``levels.data`` is overlaid by ``levels.shortData``, which holds wakes of up to
3 min. ``minuteSleep`` says of each minute whether it was asleep, restless or awake.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from twitchsense.errors import InputError
from twitchsense.io.text.text_table import read_text
from twitchsense.sleep.hypnogram.clock_change import Reading
from twitchsense.sleep.hypnogram.clock_times import ClockTimes, NightClock, read_clock_times
from twitchsense.sleep.hypnogram.json_logs import SleepLogs
from twitchsense.sleep.hypnogram.model import (
    Hypnogram,
    StageInterval,
    align_to_recording,
    overlay,
    select_night,
)
from twitchsense.sleep.hypnogram.stage_codes import parse_stage

_CURE: Final = "give the JSON of Fitbit's sleep log, as exported"
#: Columns of ``minuteSleep``.
FITABASE_COLUMNS: Final = frozenset({"id", "date", "value", "logid"})
_MINUTE_US: Final = 60_000_000
#: Around the start of the recording, whose date is in UTC.
_AROUND: Final = timedelta(hours=48)
_MINUTE_STAGES: Final = {"1": "S", "2": "W", "3": "W"}
_MINUTE_CURE: Final = "give minuteSleep or 30secondSleepStages as Fitabase exports it"


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


def read_minute_sleep(path: Path, source: str, clock: NightClock) -> Hypnogram:
    """Read minutes of sleep, with local times.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    clock : NightClock
        Of the recording; its zone is that of the times.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If a row is damaged, or the file is of several persons or of another night.
    """
    zero = datetime.fromtimestamp(clock.require_utc(source) / 1e6, UTC).replace(tzinfo=None)
    try:
        rows = list(csv.DictReader(read_text(path, source).lower().split("\n")))
    except csv.Error as error:
        raise InputError(source, f"is not a readable table ({error})", _MINUTE_CURE) from error
    lines, dates, stages, persons = [], [], [], set()
    for line, row in enumerate(rows, 2):
        try:
            date = datetime.strptime(row["date"], "%m/%d/%Y %I:%M:%S %p")
        except (TypeError, ValueError) as error:
            raise InputError(source, "date is not a time", _MINUTE_CURE, f"line {line}") from error
        if row["value"] not in _MINUTE_STAGES:
            raise InputError(
                source, f"unknown stage {row['value']!r}", _MINUTE_CURE, f"line {line}"
            )
        if not clock.has_date or abs(date - zero) < _AROUND:
            lines.append(line)
            dates.append(date.isoformat(" "))
            stages.append(_MINUTE_STAGES[row["value"]])
            persons.add(row["id"])
    if len(persons) > 1:
        cure = "keep the rows of one Id and the header"
        raise InputError(source, "has the sleep of several persons", cure, "column Id")
    lengths = np.full(len(lines), _MINUTE_US)
    times = read_clock_times(
        dates, clock, source, lambda k: f"line {lines[k]}", lengths, one_clock=True
    )
    found = [
        StageInterval(start, start + _MINUTE_US, stage)
        for start, stage in zip(times.utc_us.tolist(), stages, strict=True)
    ]
    night = overlay([select_night(found, clock, source)])
    if not night:
        problem = f"has {len(rows)} minutes, none within 12 h of the recording"
        raise InputError(source, problem, "check the dates, and the time zone (--zone)")
    note = "Fitabase: asleep is sleep without a stage, restless is taken as awake"
    return align_to_recording(night, clock, source, (note, *times.notes))
