"""Annotations of an EDF+ or BDF+ file, which many programs write."""

from __future__ import annotations

import re
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io.edf.edf_header import read_edf_header
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.lab_files.lab_annotations import LabAnnotation, LabFile, place_file_start

_CURE: Final = "export the annotations again as EDF+"
_CLOCK: Final = re.compile(rb"(\d{2})\D(\d{2})\D(\d{2})")


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
        bdf = file.read(8) == b"\xffBIOSEMI"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = edfio.read_bdf if bdf else edfio.read_edf
            found = reader(path, header_encoding="latin-1").annotations
    except Exception as error:
        # edfio has no error type of its own; damaged files raise many different ones
        raise InputError(source, f"is not an EDF+ file, or is damaged ({error})", _CURE) from error
    start = _start(path, source)
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


def _start(path: Path, source: str) -> datetime | timedelta | None:
    """Return the start in the header, as a time since midnight if the date was removed."""
    header = read_edf_header(path, source)
    if header.start is not None:
        return header.start.replace(tzinfo=header.utc_offset)
    with path.open("rb") as file:
        match = _CLOCK.fullmatch(file.read(184)[176:])
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3])
    if hour > 23 or minute > 59 or second > 59:
        return None
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _shown(start: datetime | timedelta | None) -> str:
    if isinstance(start, timedelta):
        return (datetime(1970, 1, 1) + start).time().isoformat()
    return "" if start is None else start.isoformat(sep=" ")
