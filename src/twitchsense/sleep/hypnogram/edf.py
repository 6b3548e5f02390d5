"""Sleep stages from the annotations of an EDF+ file."""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.hypnogram import Hypnogram, build
from twitchsense.sleep.hypnogram.stage_codes import Codes, is_number, knows

if TYPE_CHECKING:
    from edfio import Bdf, Edf

_CURE: Final = "export the hypnogram again as EDF+ annotations"


def read_edf_stages(path: Path, source: str, clock: NightClock | None, codes: Codes) -> Hypnogram:
    """Read the stages; other annotations are left out and counted in the notes.

    The file begins at a local time. With the wearer's zone it is put on UTC;
    without, or without a date, it is taken to begin with the recording.

    Raises
    ------
    InputError
        If the file is damaged or has no stage among its annotations.
    MissingExtraError
        If edfio is not installed.
    """
    edf = _open(path, source)
    rows = sorted(
        (a.onset, a.duration, a.text.strip()) for a in edf.annotations if _usable(a.onset)
    )
    stages = [r for r in rows if knows(r[2], codes) and not (is_number(r[2]) and not codes)]
    if not stages:
        found = ", ".join(sorted({repr(r[2]) for r in rows})[:5]) or "none"
        raise InputError(source, f"has no sleep stages among its annotations ({found})", _CURE)
    onset = np.array([r[0] for r in stages])
    # the next stage ends one whose length is not told
    until_next = np.append(np.diff(onset), 30.0)
    duration = np.array([r[1] if r[1] else u for r, u in zip(stages, until_next, strict=True)])
    notes = []
    if len(rows) > len(stages):
        notes.append(f"{len(rows) - len(stages)} annotations are no sleep stages and are left out")
    zero_s = 0.0
    if clock is not None and clock.zero_us is not None and clock.zone is not None:
        began = _start_us(edf, clock, source)
        if began is None:
            notes.append("the hypnogram has no date: taken to begin with the recording")
            zero_s = clock.start_us / 1e6
        else:
            zero_s = (began - clock.zero_us) / 1e6
    elif clock is not None:
        notes.append("no time zone or clock time: hypnogram taken to begin with the recording")
        zero_s = clock.start_us / 1e6

    def place(row: int) -> str:
        return f"annotation at {stages[row][0]:g} s"

    made = build(onset + zero_s, duration, [r[2] for r in stages], source, place, codes)
    return Hypnogram(made.onset_s, made.duration_s, made.stage, source, tuple(notes))


def _usable(onset: float) -> bool:
    return bool(np.isfinite(onset))


def _open(path: Path, source: str) -> Edf | Bdf:
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
            edf = reader(path, header_encoding="latin-1")
            _ = edf.annotations
    except Exception as error:
        # edfio has no error type of its own: any of many may come from garbage
        raise InputError(source, f"is no EDF+ file, or damaged ({error})", _CURE) from error
    return edf


def _start_us(edf: Edf | Bdf, clock: NightClock, source: str) -> int | None:
    """Return the UTC of the file's start; None if the date was taken out."""
    try:
        start = datetime.combine(edf.startdate, edf.starttime)
    except Exception:  # as above: a date that was made anonymous is an error of many types
        return None
    found = read_clock_times([start.isoformat()], clock, source, lambda _: "header")
    return int(found[0])
