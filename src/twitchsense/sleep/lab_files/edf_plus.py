"""Annotations of an EDF+ or BDF+ file, which many programs write."""

from __future__ import annotations

import re
import warnings
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.lab_files.lab_annotations import LabAnnotation, LabFile, place_file_start

_CURE: Final = "export the annotations again as EDF+"
_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_STARTDATE: Final = re.compile(r"Startdate (\d{1,2})-([A-Za-z]{3})-(\d{4})")
_PAIRS: Final = re.compile(r"(\d{2})\D(\d{2})\D(\d{2})")


def read_edf_annotations(path: Path, source: str, clock: NightClock | None) -> LabFile:
    """Read the annotations of an EDF+ or BDF+ file.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    clock : NightClock or None
        Of the recording. The start in the header is local time; without a date the time
        of day is placed on the night of the recording.

    Returns
    -------
    LabFile

    Raises
    ------
    InputError
        If the file is damaged.
    MissingExtraError
        If edfio is not installed.
    """
    try:
        import edfio
    except ImportError as error:
        raise MissingExtraError("edf", "reading EDF+ annotations") from error
    with path.open("rb") as file:
        head = file.read(256)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = edfio.read_bdf if head.startswith(b"\xffBIOSEMI") else edfio.read_edf
            found = reader(path, header_encoding="latin-1").annotations
    except Exception as error:
        # edfio has no error type of its own; damaged files raise many different ones
        raise InputError(source, f"is not an EDF+ file, or is damaged ({error})", _CURE) from error
    start = _start(head.decode("latin-1"))
    zero_us, notes = place_file_start(start, clock, source)
    made = tuple(
        LabAnnotation(
            zero_us + round(a.onset * 1e6),
            round(a.duration * 1e6) if a.duration else None,
            a.text.strip(),
            f"annotation at {a.onset:g} s",
        )
        for a in found
        if np.isfinite(a.onset) and abs(a.onset) < 1e10 and (a.duration or 0) < 1e10
    )
    return LabFile("EDF+", made, {}, notes, _shown(start))


def _start(head: str) -> datetime | timedelta | None:
    """Return the start in the header, as a time since midnight if the date was removed."""
    clock, day = _PAIRS.fullmatch(head[176:184]), _PAIRS.fullmatch(head[168:176])
    named = _STARTDATE.search(head[88:168])
    if clock is None:
        return None
    try:
        at = time(int(clock[1]), int(clock[2]), int(clock[3]))
        if named and named[2].lower() in _MONTHS:
            month = _MONTHS.index(named[2].lower()) + 1
            return datetime.combine(date(int(named[3]), month, int(named[1])), at)
        if day and (day[1], day[2], day[3]) != ("01", "01", "85"):
            year = int(day[3])
            century = 1900 if year >= 85 else 2000
            return datetime.combine(date(century + year, int(day[2]), int(day[1])), at)
    except ValueError:
        return None
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _shown(start: datetime | timedelta | None) -> str:
    if isinstance(start, timedelta):
        return (datetime(1970, 1, 1) + start).time().isoformat()
    return "" if start is None else start.isoformat(sep=" ")
