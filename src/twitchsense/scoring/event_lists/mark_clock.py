"""Place marks that have clock times on the time axis of a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.text.text_table import MISSING_VALUES, TextTable
from twitchsense.sleep.hypnogram import table_columns
from twitchsense.sleep.hypnogram.clock_text import is_clock_time, parse_clock_time
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.table_columns import find_column
from twitchsense.sleep.lab_files.lab_annotations import place_clock_times, place_file_start

#: A time of day is taken to lie within the day that begins so long before the recording.
_BEFORE_START: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
#: MNE writes seconds from this time if the start of its recording is unknown.
_NO_DATE: Final = "1970-01-01"
_CURE: Final = "give the clock time of second 0: --start 22:30:00 (or a date with time)"


def seconds_from_clock_times(
    table: TextTable, clock: NightClock | None, *, utc: bool = False
) -> tuple[TextTable, tuple[str, ...]]:
    """Return a table of marks whose onsets are seconds.

    Parameters
    ----------
    table : TextTable
        Rows in any order. A table whose onsets are numbers is returned as it is.
    clock : NightClock or None
        Of the recording; required for clock times. A time of day lies within the 24 h that
        begin 1 h before the recording.
    utc : bool
        Whether dates without an offset from UTC are UTC, as MNE writes them.

    Returns
    -------
    table : TextTable
        With ``onset`` and, if there are ends, ``duration``.
    notes : tuple of str

    Raises
    ------
    InputError
        For a malformed time, or if the clock of the recording is unknown.
    """
    name = find_column(table, table_columns.ONSET)
    texts = table.columns[name] if name else []
    if name is None or not texts or not is_clock_time(texts[0]):
        return table, ()
    columns = dict(table.columns)
    end = find_column(table, table_columns.END)
    if end is not None and find_column(table, table_columns.DURATION) is None:
        columns["duration"] = [
            _length(start, stop, table, row)
            for row, (start, stop) in enumerate(zip(texts, columns.pop(end), strict=True))
        ]
    del columns[name]
    if utc and all(text.startswith(_NO_DATE) for text in texts):
        found = [parse_clock_time(t, table.source, table.place(k)) for k, t in enumerate(texts)]
        at = [t - datetime(1970, 1, 1) for t in found if isinstance(t, datetime)]
        columns["onset"] = [f"{t.total_seconds():.6f}" for t in at]
        return TextTable(table.source, columns, table.lines), ()
    if clock is None:
        raise InputError(table.source, f"{name} holds clock times", _CURE, table.place(0))
    seconds, notes = _place(texts, clock, table.source, table.place, utc)
    columns["onset"] = [f"{s:.6f}" for s in seconds]
    return TextTable(table.source, columns, table.lines), notes


def _place(
    texts: Sequence[str],
    clock: NightClock,
    source: str,
    place: Callable[[int], str],
    utc: bool,
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return clock times in any order as seconds from the start."""
    near = clock.local_date()
    found = [parse_clock_time(text, source, place(k), near) for k, text in enumerate(texts)]
    notes: tuple[str, ...] = ()
    if (
        utc
        and not clock.is_local
        and any(isinstance(t, datetime) and t.tzinfo is None for t in found)
    ):
        found = [t.replace(tzinfo=t.tzinfo or UTC) if isinstance(t, datetime) else t
                 for t in found]  # fmt: skip
        notes = (f"{source}: clock times are taken as UTC, as MNE writes them",)
    if any(isinstance(t, timedelta) for t in found):
        first = clock.local_start(source) - _BEFORE_START
        midnight = datetime(first.year, first.month, first.day)
        found = [
            first + (midnight + t - first) % _DAY if isinstance(t, timedelta) else t for t in found
        ]
        clock = replace(clock, has_date=True)  # the times now have the day of the recording
    dated = [t for t in found if isinstance(t, datetime)]
    order = sorted(range(len(dated)), key=lambda k: dated[k].replace(tzinfo=None))
    placed, more = place_clock_times(
        [dated[k].isoformat() for k in order], clock, source, lambda k: place(order[k])
    )
    out = np.empty(len(dated))
    out[order] = np.array(placed, np.float64) / 1e6
    return out, (*notes, *more)


def _length(start: str, stop: str, table: TextTable, row: int) -> str:
    """Return the seconds between two clock times; empty if the end is missing."""
    if stop.lower() in MISSING_VALUES:
        return ""
    begin, end = (parse_clock_time(t, table.source, table.place(row)) for t in (start, stop))
    if isinstance(begin, timedelta) and isinstance(end, timedelta):
        return f"{((end - begin) % _DAY).total_seconds():.6f}"
    mixed = isinstance(begin, timedelta) or isinstance(end, timedelta)
    if mixed or (begin.tzinfo is None) != (end.tzinfo is None):  # type: ignore[union-attr]
        problem = f"begins at {start!r} and ends at {stop!r}"
        raise InputError(table.source, problem, "write both in one form", table.place(row))
    return f"{(end - begin).total_seconds():.6f}"  # type: ignore[operator, union-attr]


def place_second_zero(
    zero: str, clock: NightClock | None, source: str
) -> tuple[float, tuple[str, ...]]:
    """Return where second 0 of a file lies on the time axis of the recording.

    Parameters
    ----------
    zero : str
        Its date and time in UTC.
    clock : NightClock or None
        Of the recording; without it the file begins with the recording.
    source : str
        Name of the file in messages.

    Returns
    -------
    seconds : float
    notes : tuple of str
    """
    at = parse_clock_time(zero, source, "orig_time")
    if isinstance(at, timedelta):
        raise InputError(source, f"orig_time {zero!r} has no date", "save it again with MNE")
    if clock is None:
        return 0.0, (f"{source}: begins at {zero}, taken as second 0 of the marks",)
    zone = at.tzinfo or (None if clock.is_local else UTC)  # as --start, which has no offset either
    zero_us, notes = place_file_start(at.replace(tzinfo=zone), clock, source)
    return zero_us / 1e6, notes
