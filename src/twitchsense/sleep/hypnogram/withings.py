"""Sleep states of Withings: ``raw_..._sleep-state.csv`` of its export, or its API's series."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, Final

from twitchsense.errors import InputError
from twitchsense.io.text.text_table import read_text
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.json_logs import SleepLogs
from twitchsense.sleep.hypnogram.model import (
    Hypnogram,
    StageInterval,
    align_to_recording,
    overlay,
    select_night,
)

_STATES: Final = {0: "W", 1: "N2", 2: "N3", 3: "R", 4: "", 5: ""}
_CURE: Final = "give raw_tracker_sleep-state.csv or raw_bed_sleep-state.csv as exported"
_NOTE: Final = "Withings: light sleep is taken as N2, deep sleep as N3"
_NOTE_ASLEEP: Final = "Withings: the file has only the states 0 and 1: asleep, without stages"


def read_withings_json(
    logs: list[tuple[str, dict[str, Any]]], source: str, clock: NightClock
) -> SleepLogs:
    """Read a series of states of Withings' API.

    Parameters
    ----------
    logs : list of (str, dict)
        Objects with ``startdate``, ``enddate`` (s since 1970) and ``state``, and places.
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
        If a time or a state is invalid.
    """
    found = []
    for place, log in logs:
        start, stop, state = (log[key] for key in ("startdate", "enddate", "state"))
        if not all(_is_number(value) for value in (start, stop, state)):
            raise InputError(source, "startdate, enddate or state is not a number", _CURE, place)
        found.append(
            StageInterval(
                round(start * 1e6), round(stop * 1e6), _stage(state, _STATES, source, place)
            )
        )
    clock.require_offset(source)
    return SleepLogs(select_night(found, clock, source), (_NOTE,))


def read_withings_csv(path: Path, source: str, clock: NightClock) -> Hypnogram:
    """Read a file of states: each row has a start, a list of durations (s) and one of states.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    clock : NightClock
        Of the recording; the starts carry their offset.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If a row is damaged, or the file covers another night.
    """
    rows: list[tuple[str, str, list[float], list[float]]] = []
    try:
        reader = csv.reader(read_text(path, source).split("\n"))
        next(reader)
        for cells in reader:
            if cells:
                place = f"line {reader.line_num}"
                rows.append((place, cells[0], *_lists(cells, source, place)))
    except csv.Error as error:
        raise InputError(source, f"is not a readable table ({error})", _CURE) from error
    states, note = _STATES, _NOTE
    if {state for row in rows for state in row[3]} <= {0, 1}:
        # the sleep monitor writes 1 for sleep, the others for light sleep
        states, note = {0: "W", 1: "S"}, _NOTE_ASLEEP
    found = []
    for place, start, lengths, values in rows:
        time = int(read_clock_times([start], clock, source, lambda _: place).utc_us[0])  # noqa: B023
        for length, value in zip(lengths, values, strict=True):
            stop = time + round(length * 1e6)
            found.append(StageInterval(time, stop, _stage(value, states, source, place)))
            time = stop
    night = overlay([select_night(found, clock, source)])
    if not night:
        problem = f"has {len(rows)} rows of states, none within 12 h of the recording"
        raise InputError(source, problem, "check the dates")
    return align_to_recording(night, clock, source, (note,))


def _lists(cells: list[str], source: str, place: str) -> tuple[list[float], list[float]]:
    """Return durations and states of a row."""
    out = []
    for cell in cells[1:3]:
        try:
            values = json.loads(cell)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, list) or not all(_is_number(v) and v >= 0 for v in values):
            raise InputError(source, f"{cell[:40]!r} is not a list of numbers", _CURE, place)
        out.append([float(value) for value in values])
    if len(out) != 2 or len(out[0]) != len(out[1]):
        problem = "has not as many durations as states"
        raise InputError(source, problem, _CURE, place)
    return out[0], out[1]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e11


def _stage(state: float, states: dict[int, str], source: str, place: str) -> str:
    if state not in states:
        raise InputError(source, f"unknown stage {state!r} (state)", _CURE, place)
    return states[int(state)]
