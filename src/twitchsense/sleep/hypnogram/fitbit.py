"""Sleep stages from Fitbit's JSON: ``levels.data``, overlaid by ``levels.shortData``.

``shortData`` holds wakes of up to 3 min that ``data`` leaves out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.model import (
    Hypnogram,
    StageInterval,
    align_to_recording,
    overlay,
    select_night,
)
from twitchsense.sleep.hypnogram.stage_codes import parse_stage

_CURE: Final = "give the JSON of Fitbit's sleep log, as exported"
#: Largest file accepted; a month of sleep logs has less than one megabyte.
_MAX_BYTES: Final = 200_000_000


def read_fitbit(path: Path, source: str, clock: NightClock) -> Hypnogram:
    """Read the sleep stages of the recording's night.

    Fitbit writes local times without a zone; they are read in the wearer's zone.

    Parameters
    ----------
    path : Path
        One sleep log, a list of logs, or an object with a list under ``sleep``.
    source : str
        Name of the file in messages.
    clock : NightClock
        Of the recording.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If the file is not a Fitbit sleep log or is damaged; if a time, length or
        level in it is invalid; if no time zone is known; or if it covers another
        night.
    """
    clock.require_utc(source)
    intervals: list[StageInterval] = []
    logs = _logs(_load(path, source), source)
    for place, log in logs:
        levels = log["levels"]
        if not isinstance(levels, dict) or "data" not in levels:
            raise InputError(source, "has levels without data", _CURE, place)
        layers = [
            select_night(
                _read(levels.get(name) or [], source, f"{place}, {name}", clock), clock, source
            )
            for name in ("data", "shortData")
        ]
        intervals += overlay(layers)
    if not intervals:
        problem = f"has {len(logs)} sleep logs, none within 12 h of the recording"
        raise InputError(source, problem, "check the dates, and the time zone (--zone)")
    notes = ("Fitbit: light sleep stands as N2, restless as awake",)
    return align_to_recording(overlay([intervals]), clock, source, notes)


def _load(path: Path, source: str) -> Any:
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(source, "is too large for a sleep log", _CURE)
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(source, f"is damaged JSON ({error})", _CURE) from error


def _logs(data: Any, source: str) -> list[tuple[str, dict[str, Any]]]:
    """Return each sleep log with its place; accepts one log, a list, or ``sleep``."""
    if isinstance(data, dict) and isinstance(data.get("sleep"), list):
        data = data["sleep"]
    found = data if isinstance(data, list) else [data]
    logs = [
        (f"log {k}", x) for k, x in enumerate(found, 1) if isinstance(x, dict) and "levels" in x
    ]
    if not logs:
        raise InputError(source, "is JSON without Fitbit's sleep levels", _CURE)
    return logs


def _read(rows: Any, source: str, place: str, clock: NightClock) -> list[StageInterval]:
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
    starts = read_clock_times(times, clock, source, lambda k: places[k], length_us).tolist()
    return [StageInterval(a, a + b, s) for a, b, s in zip(starts, lengths, stages, strict=True)]
