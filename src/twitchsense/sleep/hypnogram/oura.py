"""Sleep stages of Oura: a string with one digit for each 5 min or 30 s from ``bedtime_start``."""

from __future__ import annotations

import csv
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

#: Names of the strings, the finest first, with the length of one digit in microseconds.
PHASES: Final = {
    "sleep_phase_30_sec": 30_000_000,
    "sleep_phase_5_min": 300_000_000,
    "hypnogram_5min": 300_000_000,
}
_STAGES: Final = {"1": "N3", "2": "N2", "3": "R", "4": "W"}
_CURE: Final = "give Oura's sleep data as exported"
_NOTE: Final = "Oura: light sleep is taken as N2, deep sleep as N3"


def read_oura(logs: list[tuple[str, dict[str, Any]]], source: str, clock: NightClock) -> SleepLogs:
    """Read periods of sleep of Oura's API or data export.

    Parameters
    ----------
    logs : list of (str, dict)
        Objects with ``bedtime_start`` and a string of phases, with their places.
    source : str
        Name of the file in messages.
    clock : NightClock
        Of the recording; the times carry their offset.

    Returns
    -------
    SleepLogs

    Raises
    ------
    InputError
        If a time or a digit is invalid, or no period has phases.
    """
    intervals: list[StageInterval] = []
    phased = 0
    for place, log in logs:
        key = next((key for key in PHASES if log.get(key)), None)
        if key is None or log.get("type") == "deleted":
            continue
        phased += 1
        start, phases = log["bedtime_start"], log[key]
        if not isinstance(start, str) or not isinstance(phases, str):
            raise InputError(source, "bedtime_start or phases are not text", _CURE, place)
        begin = int(read_clock_times([start], clock, source, lambda _: place).utc_us[0])  # noqa: B023
        found = []
        for k, digit in enumerate(phases):
            if digit not in _STAGES:
                raise InputError(source, f"unknown stage {digit!r} in {key}", _CURE, place)
            onset = begin + k * PHASES[key]
            found.append(StageInterval(onset, onset + PHASES[key], _STAGES[digit]))
        intervals += select_night(found, clock, source)
    if not phased:
        names = ", ".join(PHASES)
        raise InputError(source, f"has periods of sleep without stages ({names})", _CURE)
    return SleepLogs(intervals, (_NOTE,))


def read_oura_csv(path: Path, source: str, clock: NightClock) -> Hypnogram:
    """Read a CSV file of Oura's data export, with commas or semicolons.

    Parameters
    ----------
    path : Path
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
        As for `read_oura`, and if the file covers another night.
    """
    lines = read_text(path, source).split("\n")
    delimiter = ";" if lines[0].count(";") > lines[0].count(",") else ","
    try:
        rows = list(csv.DictReader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise InputError(source, f"is not a readable table ({error})", _CURE) from error
    logs = [(f"row {k}", dict(row)) for k, row in enumerate(rows, 1) if row.get("bedtime_start")]
    read = read_oura(logs, source, clock)
    if not read.intervals:
        problem = f"has {len(logs)} periods of sleep, none within 12 h of the recording"
        raise InputError(source, problem, "check the dates")
    return align_to_recording(overlay([read.intervals]), clock, source, read.notes)
