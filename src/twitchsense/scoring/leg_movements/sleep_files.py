"""Sleep stages and respiratory events of a list of leg movements, on its time axis.

The movements count seconds; the clock of their second 0 places files that have clock times.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.regular_file import read_limited
from twitchsense.scoring.event_lists.mark_files import first_clock_time
from twitchsense.scoring.leg_movements.input import check_hypnogram_covers, read_leg_hypnogram
from twitchsense.sleep.hypnogram.clock_change import to_utc_us
from twitchsense.sleep.hypnogram.clock_text import parse_clock_time
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.hypnogram.stage_codes import Codes
from twitchsense.sleep.lab_files.recognize import read_lab_file
from twitchsense.sleep.lab_files.respiratory_events import read_respiratory_events

#: Day of a night of which no file gives the date; it has no clock change.
_ANY_DAY: Final = datetime(2026, 1, 15, 12)
#: Starts of two files may differ by this much.
_TOLERANCE: Final = timedelta(seconds=1)


def movements_clock(
    start: str | None,
    zone: str | None,
    paths: Sequence[Path | None],
    events: Path | None = None,
) -> tuple[NightClock | None, tuple[str, ...]]:
    """Return the clock by which files are placed on the time axis of the marks.

    Parameters
    ----------
    start : str or None
        Clock time of second 0 of the marks: a time of day, or a date with time.
    zone : str or None
        IANA time zone. Without one, all local times are one clock without changes, and a file
        with offsets from UTC is refused if `start` has none.
    paths : sequence of Path or None
        Files of stages, respiratory events and marks.
    events : Path, optional
        A list of events; if `analyze` wrote it, the start of its recording, from the
        ``summary.json`` beside it, is taken without `start`.

    Returns
    -------
    clock : NightClock or None
        None if the start is unknown: files that know their own start then begin with the marks.
    notes : tuple of str
        The starts of the files, if they are taken to be second 0 of the marks.

    Raises
    ------
    InputError
        If `start` is no clock time, or, without it, two files begin at different times.
    """
    starts = {path: own for path in paths if path is not None and (own := _own_start(path))}
    if start is None and events is not None:
        clock = _recording_clock(events, zone)
        if clock is not None:
            if clock.zone is None:  # the starts of files are not placed, but taken as second 0
                _check_same_start(starts)
            return clock, ()
    if start is None:
        _check_same_start(starts)
        return None, tuple(
            f"{path}: begins at {own}, taken as second 0 of the marks"
            for path, own in starts.items()
        )
    found = parse_clock_time(start, "--start", "")
    has_date = True
    if isinstance(found, timedelta):
        texts = [*starts.values(), *(first_clock_time(path) for path in paths if path is not None)]
        dated = [at for text in texts if text and isinstance(at := _parse(text), datetime)]
        has_date = bool(dated)
        near = dated[0] if dated else _ANY_DAY
        days = [datetime(near.year, near.month, near.day) + timedelta(days=k) for k in (-1, 0, 1)]
        found = min((day + found for day in days), key=lambda at: abs(at - near))
    if found.tzinfo is None:
        used = found.replace(tzinfo=UTC if zone is None else ZoneInfo(zone))
        clock = NightClock(0, 0, to_utc_us(used), zone or "UTC", has_date, is_local=zone is None)
        return clock, ()
    clock = NightClock(0, 0, to_utc_us(found), zone)
    for path in starts:
        clock.require_zone(str(path))
    return clock, ()


def _recording_clock(events: Path, zone: str | None) -> NightClock | None:
    """Return the clock of the recording of an ``events.csv``; None if it is unknown."""
    summary = events.parent / "summary.json"
    if events.name not in ("events.csv", "rejected.csv") or not summary.is_file():
        return None
    try:
        found = json.loads(read_limited(summary, str(summary)))["clock"]
        zero, own = found["start_utc_ns"], found["zone"]
    except (InputError, ValueError, KeyError, TypeError, RecursionError):
        return None  # not of this program
    if not isinstance(zero, int):
        return None
    # files that count from their own start begin at second 0 of the events
    return NightClock(0, 0, round(zero / 1000), zone or own)


def _own_start(path: Path) -> str:
    """Return the clock time at which a laboratory's file begins, or an empty text."""
    try:
        file = None if path.is_dir() else read_lab_file(path, str(path), None)
    except InputError:  # reported with its cure when the file is read
        return ""
    return "" if file is None else file.starts_at


def _check_same_start(starts: dict[Path, str]) -> None:
    """Refuse files that begin at different times, of which one does not begin with the marks."""
    times = {path: _parse(own) for path, own in starts.items()}
    for path, at in times.items():
        first, other = next(iter(times.items()))
        if isinstance(at, datetime) and isinstance(other, datetime):
            apart = abs(at - other)
        else:
            apart = abs(_since_midnight(at) - _since_midnight(other))
        if apart > _TOLERANCE:
            raise InputError(
                str(path), f"begins at {starts[path]}, but {first.name} at {starts[first]}",
                f"give the clock time of second 0 of the movements: --start '{starts[first]}'",
            )  # fmt: skip


def _parse(text: str) -> datetime | timedelta:
    """Return the start of a file; its offset from UTC does not matter among files of a night."""
    found = parse_clock_time(text, "", "")
    return found if isinstance(found, timedelta) else found.replace(tzinfo=None)


def _since_midnight(at: datetime | timedelta) -> timedelta:
    if isinstance(at, timedelta):
        return at
    return at - datetime(at.year, at.month, at.day)


@dataclass(frozen=True, slots=True, eq=False)
class SleepFiles:
    """Stages and respiratory events on the time axis of the movements.

    Attributes
    ----------
    hypnogram : Hypnogram or None
        With its own notes.
    respiratory : DataFrame or None
        ``onset`` and ``duration`` in seconds.
    notes : tuple of str
        Notes on the respiratory events.
    """

    hypnogram: Hypnogram | None
    respiratory: pd.DataFrame | None
    notes: tuple[str, ...]


def read_sleep_files(
    movements: pd.DataFrame,
    hypnogram: Path | None,
    respiratory: Path | None,
    codes: Codes | None = None,
    clock: NightClock | None = None,
) -> SleepFiles:
    """Read the files of a night.

    Parameters
    ----------
    movements : DataFrame
        From `twitchsense.scoring.leg_movements.input.read_movements`.
    hypnogram, respiratory : Path or None
        Files of stages and of respiratory events.
    codes : mapping of str to str, optional
        Meaning of numeric or unknown stage words.
    clock : NightClock, optional
        From `twitchsense.scoring.leg_movements.sleep_files.movements_clock`.

    Returns
    -------
    SleepFiles

    Raises
    ------
    InputError
        Naming the file, the place and the cure; also for a hypnogram that shares no time
        with the movements.
    """
    stages = None if hypnogram is None else read_leg_hypnogram(hypnogram, codes, clock)
    if stages is not None:
        check_hypnogram_covers(movements, stages)
    if respiratory is None:
        return SleepFiles(stages, None, ())
    read = read_respiratory_events(respiratory, clock)
    return SleepFiles(stages, read.events, read.notes)
