"""Lists of SOMNOmedics DOMINO: a header of ``Name: value`` lines, then rows with semicolons.

A sleep profile has one row per epoch (``22:30:00,000; N2``), an event list one row per event
(``01:04:24,411-01:04:41,671; 17;Hypopnea``).
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_text import parse_clock_time
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.stage_codes import is_number
from twitchsense.sleep.lab_files.lab_annotations import (
    AnnotationKind,
    LabAnnotation,
    LabFile,
    place_file_start,
)
from twitchsense.sleep.lab_files.lab_text import read_lab_text

_HEADER: Final = re.compile(r"([A-Za-z][A-Za-z ]*):\s*(.*)")
_TIME: Final = r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?"
_ROW: Final = re.compile(rf"({_TIME})\s*(?:-\s*({_TIME}))?\s*;\s*(.*)")
_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*s", re.IGNORECASE)
#: Words of sleep profiles that other programs do not use.
_STAGES: Final = {"a": "?", "artefakt": "?", "bewegung": "?"}
_CURE: Final = "export the list from DOMINO again"
_DAY_US: Final = 86_400_000_000


def is_domino(text: str) -> bool:
    """Return whether a text begins with DOMINO's header.

    Parameters
    ----------
    text : str
        Beginning of the file.

    Returns
    -------
    bool
    """
    names = [m[1].lower() for line in text.split("\n")[:12] if (m := _HEADER.match(line))]
    return "signal id" in names and "start time" in names


def read_domino(path: Path, source: str, clock: NightClock | None) -> LabFile:
    """Read a sleep profile or an event list of DOMINO.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    clock : NightClock or None
        Of the recording; without it seconds count from the start in the header.

    Returns
    -------
    LabFile

    Raises
    ------
    InputError
        If the header has no start, or a row is damaged.
    """
    lines = read_lab_text(path, source).split("\n")
    header = {m[1].lower(): (m[2].strip(), k) for k, line in enumerate(lines[:40], 1)
              if not _ROW.match(line) and (m := _HEADER.match(line))}  # fmt: skip
    text, line = header["start time"]
    near = None if clock is None else clock.local_date()
    start = parse_clock_time(text, source, f"line {line}", near)
    if not isinstance(start, datetime):
        raise InputError(source, "Start Time has no date", _CURE, f"line {line}")
    zero_us, notes = place_file_start(start, clock, source)
    rate = _RATE.match(header.get("rate", ("", 0))[0])
    epoch_us = round(float(rate[1]) * 1e6) if rate else None
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    before_us = round((start - midnight).total_seconds() * 1e6)
    begin_us = before_us
    made: list[LabAnnotation] = []
    for number, row in enumerate(lines, 1):
        match = _ROW.match(row)
        place = f"line {number}"
        if match is None:
            if row.strip() and made:
                raise InputError(source, "is not a row of times and a name", _CURE, place)
            continue
        # a profile whose header lacks the rate has the form of a list of changes
        kind: AnnotationKind = "stage" if rate else "event" if match[2] else "any"
        # times of day grow through the night; half a day back is the next day
        onset_us = _later(_time_us(match[1], source, place), before_us - _DAY_US // 2)
        length_us = epoch_us
        if match[2]:
            length_us = _later(_time_us(match[2], source, place), onset_us) - onset_us
        before_us = onset_us
        fields = [field.strip() for field in match[3].split(";")]
        name = next((field for field in fields if field and not is_number(field)), "")
        made.append(LabAnnotation(zero_us + onset_us - begin_us, length_us, name, place, kind))
    return LabFile("DOMINO", tuple(made), _STAGES, notes, start.isoformat(sep=" "))


def _time_us(text: str, source: str, place: str) -> int:
    """Return microseconds since midnight."""
    hour, minute, second = text.replace(",", ".").split(":")
    if int(hour) > 23 or int(minute) > 59 or float(second) >= 60:
        raise InputError(source, f"{text!r} is not a clock time", _CURE, place)
    return (int(hour) * 3600 + int(minute) * 60) * 1_000_000 + round(float(second) * 1e6)


def _later(time_us: int, least_us: int) -> int:
    """Return a time of day on the first day on which it is not before another time."""
    return time_us + max(0, -(-(least_us - time_us) // _DAY_US)) * _DAY_US
