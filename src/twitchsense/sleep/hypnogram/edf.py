"""Sleep stages from the annotations of an EDF+ file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io.edf_header import read_edf_header
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.model import Hypnogram, build_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import Codes, is_number, is_stage

if TYPE_CHECKING:
    from edfio import Bdf, Edf

_CURE: Final = "export the hypnogram again as EDF+ annotations"


def read_edf_stages(path: Path, source: str, clock: NightClock | None, codes: Codes) -> Hypnogram:
    """Read the sleep stages of an EDF+ or BDF+ file.

    The header gives the start in local time, which the wearer's time zone converts to
    UTC. Without a zone or a date, the file is assumed to begin with the recording.
    Annotations that are not stages are skipped and counted in the notes. A stage
    without a duration lasts until the next one, and 30 s if it is the last.

    Parameters
    ----------
    path : Path
        EDF+ or BDF+ file with annotations.
    source : str
        Name of the file in messages.
    clock : NightClock or None
        Of the recording.
    codes : mapping of str to str
        Meaning of numeric or unknown stage words.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If the file is damaged or none of its annotations is a stage.
    MissingExtraError
        If edfio is not installed.
    """
    edf = _open(path, source)
    rows = sorted(
        (a.onset, a.duration, a.text.strip()) for a in edf.annotations if np.isfinite(a.onset)
    )
    stages = [r for r in rows if is_stage(r[2], codes) and not (is_number(r[2]) and not codes)]
    if not stages:
        found = ", ".join(sorted({repr(r[2]) for r in rows})[:5]) or "none"
        raise InputError(source, f"has no sleep stages among its annotations ({found})", _CURE)
    onset = np.array([r[0] for r in stages])
    # a stage without a duration lasts until the next one
    until_next = np.append(np.diff(onset), 30.0)
    duration = np.array([r[1] if r[1] else u for r, u in zip(stages, until_next, strict=True)])
    notes = []
    if len(rows) > len(stages):
        notes.append(f"{len(rows) - len(stages)} annotations are no sleep stages and are left out")
    zero_s = 0.0
    if clock is not None and clock.zero_us is not None and clock.zone is not None:
        start_us = _start_us(path, clock, source)
        if start_us is None:
            notes.append("the hypnogram has no date: taken to begin with the recording")
            zero_s = clock.start_us / 1e6
        else:
            zero_s = (start_us - clock.zero_us) / 1e6
    elif clock is not None:
        notes.append("no time zone or clock time: hypnogram taken to begin with the recording")
        zero_s = clock.start_us / 1e6

    def place(row: int) -> str:
        return f"annotation at {stages[row][0]:g} s"

    made = build_hypnogram(onset + zero_s, duration, [r[2] for r in stages], source, place, codes)
    return Hypnogram(made.onset_s, made.duration_s, made.stage, source, tuple(notes))


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
        # edfio has no error type of its own; damaged files raise many different ones
        raise InputError(source, f"is not an EDF+ file, or is damaged ({error})", _CURE) from error
    return edf


def _start_us(path: Path, clock: NightClock, source: str) -> int | None:
    """Return the start of the file, UTC microseconds; None if the date was removed."""
    start = read_edf_header(path, source).start
    if start is None:
        return None
    found = read_clock_times([start.isoformat()], clock, source, lambda _: "header")
    return int(found[0])
