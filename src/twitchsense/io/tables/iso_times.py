"""ISO 8601 times of a text column as arrays: whole blocks of bytes instead of one text per row.

Only the form that programs write is parsed here: a date, a time with up to nine decimals, and
the same kind of zone, or none, in every row. Whatever else a block holds is left to the parser
of any text (`time_column`), which also words the messages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Bytes kept of a cell beyond the longest that was seen; a longer cell is not parsed here.
_SPARE_BYTES: Final = 8
_ISO_TIME: Final = re.compile(
    rb"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?P<zone>Z|[+-]\d\d:\d\d)?"
)
#: First two digits of years whose times in ns are far from the limits of 64 bits.
_CENTURIES: Final = (17, 21)
_ZERO: Final = ord("0")
_NINE: Final = ord("9")
#: Column of the sign before the fraction.
_FRACTION: Final = 19
_MINUTE_NS: Final = 60_000_000_000


#: Columns of the year, month and day of dates with the day or the month first.
_REORDERED: Final = {
    "day first": [6, 7, 8, 9, 2, 3, 4, 5, 0, 1],
    "month first": [6, 7, 8, 9, 2, 0, 1, 5, 3, 4],
}
_OTHER_TIME: Final = re.compile(rb"\d\d[./-]\d\d[./-]\d{4}[T ]\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?")
_OTHER_FRACTION: Final = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[,:]\d{1,9}")


def other_width(cells: Sequence[str], order: str) -> int:
    """Return in how many bytes times are read of which `order` is not that of ISO 8601.

    Parameters
    ----------
    cells : sequence of str
        The first cells of the column.
    order : {'', 'day first', 'month first'}
        As of `twitchsense.io.tables.date_forms.DateForm`.

    Returns
    -------
    int
        0 if the first of them that is not empty has another form.
    """
    form = _OTHER_TIME if order else _OTHER_FRACTION
    first = next((cell for cell in cells if cell), "").encode()
    return max(map(len, cells)) + _SPARE_BYTES if form.fullmatch(first) else 0


def fixed_width(cells: Sequence[str], name: str) -> int:
    """Return in how many bytes the cells of a time column are read for `IsoTimes`.

    Parameters
    ----------
    cells : sequence of str
        The first cells of the column.
    name : str
        Name of the column in this package: one of `CLOCK_TIMES`.

    Returns
    -------
    int
        0 if the first of them that is not empty is no ISO time, or lacks the zone of UTC times.
    """
    form = _ISO_TIME.fullmatch(next((cell for cell in cells if cell), "").encode())
    if form is None or (form["zone"] is None and name == "time_utc"):
        return 0
    return max(map(len, cells)) + _SPARE_BYTES


class IsoTimes:
    """Parses a column of ISO times, block by block.

    Parameters
    ----------
    width : int
        Number of bytes that are kept of each cell.
    order : {'', 'day first', 'month first'} or None
        Order of the parts of the date; None if the times are ISO 8601.
    """

    def __init__(self, width: int, order: str | None = None) -> None:
        self._width = width
        self._order = order
        self._last: np.datetime64 | None = None
        self._zones: set[bool] = set()

    def parse(self, cells: pd.Series) -> pd.Series | None:
        """Parse the next block.

        Parameters
        ----------
        cells : Series of bytes

        Returns
        -------
        Series of datetime64[ns] or None
            With time zone UTC if the times have a zone, and missing where a cell is empty. None
            if a cell has another form, the times do not increase, or there is none.
        """
        text = np.asarray(cells.to_numpy(), f"S{self._width}")
        characters = np.ascontiguousarray(text).view(np.uint8).reshape(-1, self._width)
        if self._order is not None:
            characters = _as_iso(characters, self._order)
        lengths = np.count_nonzero(characters, axis=1)
        times = np.full(len(text), np.datetime64("NaT"), "datetime64[ns]")
        for length in np.unique(lengths[lengths > 0]).tolist():
            rows = np.flatnonzero(lengths == length)
            whole = length < self._width  # a longer cell may have been cut
            parsed = _parse_equal_length(characters[rows, :length]) if whole else None
            if parsed is None:
                return None
            times[rows], zoned = parsed
            self._zones.add(zoned)
        known = times[lengths > 0]
        if self._last is not None:
            known = np.concatenate([[self._last], known])
        if len(self._zones) != 1 or (np.diff(known) <= np.timedelta64(0)).any():
            return None
        self._last = known[-1]
        series = pd.Series(times, index=cells.index)
        return series.dt.tz_localize("UTC") if self._zones == {True} else series


def _as_iso(characters: NDArray[np.uint8], order: str) -> NDArray[np.uint8]:
    """Return times with the year first, dashes between, and a point before the fraction."""
    made = characters.copy()
    filled = characters[:, 0] > 0
    if order:
        made[:, :10] = characters[:, _REORDERED[order]]
        made[filled, 4] = made[filled, 7] = ord("-")
    if made.shape[1] > _FRACTION:
        mark = made[:, _FRACTION]
        mark[(mark == ord(",")) | (mark == ord(":"))] = ord(".")
    return made


def _parse_equal_length(
    characters: NDArray[np.uint8],
) -> tuple[NDArray[np.datetime64], bool] | None:
    """Return UTC or local times and whether they have a zone; None if a row has another form."""
    form = _ISO_TIME.fullmatch(characters[0].tobytes())
    if form is None:
        return None
    is_digit = (characters >= _ZERO) & (characters <= _NINE)
    fixed = ~is_digit[0]
    if (is_digit != is_digit[0]).any() or (characters[:, fixed] != characters[0, fixed]).any():
        return None
    stop = form.end("time")
    text = np.ascontiguousarray(characters[:, :stop]).view(f"S{stop}")[:, 0]
    if not (_have_days(characters) and _have_times_of_day(characters)):
        return None
    times = text.astype("datetime64[ns]")  # numpy ends the process at a time that does not exist
    zone = form["zone"]
    if zone is not None and zone != b"Z":
        hours, minutes = _two_digits(characters, stop + 1), _two_digits(characters, stop + 4)
        if hours.max() > 23 or minutes.max() > 59:
            return None
        offset_ns = (60 * hours + minutes) * _MINUTE_NS
        times -= (offset_ns if zone.startswith(b"+") else -offset_ns).astype("timedelta64[ns]")
    return times, zone is not None


def _have_days(characters: NDArray[np.uint8]) -> bool:
    """Whether each row begins with a day that exists, and whose times fit into 64 bits."""
    centuries, days = _two_digits(characters, 0), characters[:, :10]
    if centuries.min() < _CENTURIES[0] or centuries.max() > _CENTURIES[1]:
        return False
    changed = np.flatnonzero((days[1:] != days[:-1]).any(axis=1)) + 1
    try:
        for row in (0, *changed.tolist()):
            date.fromisoformat(days[row].tobytes().decode())
    except ValueError:
        return False
    return True


def _have_times_of_day(characters: NDArray[np.uint8]) -> bool:
    """Whether each row has hours, minutes and seconds that exist."""
    limits = ((11, 23), (14, 59), (17, 59))
    return all(bool(_two_digits(characters, at).max() <= limit) for at, limit in limits)


def _two_digits(characters: NDArray[np.uint8], at: int) -> NDArray[np.int64]:
    """Return the numbers that stand in two columns."""
    return 10 * characters[:, at].astype(np.int64) + characters[:, at + 1] - 11 * _ZERO
