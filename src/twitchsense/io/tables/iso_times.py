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
#: Bytes that are compared at once; widths are multiples.
_WORD_BYTES: Final = 8
_ISO_TIME: Final = re.compile(
    rb"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?P<zone>Z|[+-]\d\d:\d\d)?"
)
#: First two digits of years whose times in ns are far from the limits of 64 bits.
_CENTURIES: Final = (17, 21)
_ZERO: Final = ord("0")
#: The bytes of digits, and of no others, have these upper four bits, also with six added.
_UPPER_BITS: Final = 0xF0
_SIX: Final = 6
#: Number of columns of the date, and column of the sign before the fraction.
_DATE: Final = 10
_FRACTION: Final = 19
#: Columns of hours, minutes and seconds, and the largest number of each.
_CLOCK: Final = ((11, 23), (14, 59), (17, 59))
_MINUTE_NS: Final = 60_000_000_000
_DAY_NS: Final = 86_400_000_000_000
_EPOCH: Final = date(1970, 1, 1).toordinal()


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
    return _width_for(cells) if form.fullmatch(first) else 0


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
    return _width_for(cells)


def _width_for(cells: Sequence[str]) -> int:
    """Return in how many bytes cells are read."""
    return -(-(max(map(len, cells)) + _SPARE_BYTES) // _WORD_BYTES) * _WORD_BYTES


class IsoTimes:
    """Parses a column of ISO times, block by block.

    Parameters
    ----------
    width : int
        Number of bytes that are kept of each cell, a multiple of 8.
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
        text = np.ascontiguousarray(cells.to_numpy(), f"S{self._width}")
        characters = text.view(np.uint8).reshape(-1, self._width)
        if self._order is not None:
            characters = _as_iso(characters, self._order)
        lengths = np.char.str_len(text)
        times = np.full(len(text), np.datetime64("NaT"), "datetime64[ns]")
        for length in np.flatnonzero(np.bincount(lengths)).tolist():
            if not length:
                continue
            rows = lengths == length
            whole = length < self._width  # a longer cell may have been cut
            group = characters if rows.all() else characters[rows]
            parsed = _parse_equal_length(group, length) if whole else None
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
    characters: NDArray[np.uint8], length: int
) -> tuple[NDArray[np.datetime64], bool] | None:
    """Return UTC or local times and whether they have a zone; None if a row has another form."""
    form = _ISO_TIME.fullmatch(characters[0, :length].tobytes())
    if form is None or not _have_form_of_first(characters):
        return None
    days_ns = _days(characters)
    clock = [_two_digits(characters, at) for at, _ in _CLOCK]
    in_range = (n.max() <= most for n, (_, most) in zip(clock, _CLOCK, strict=True))
    if days_ns is None or not all(in_range):
        return None
    times_ns = np.zeros(len(characters), np.int64)
    for number, factor in zip(clock, (1, 60, 60), strict=True):
        times_ns *= factor
        times_ns += number
    stop = form.end("time")
    for column in range(_FRACTION + 1, stop):
        times_ns *= 10
        times_ns += characters[:, column] - _ZERO
    times_ns *= 10 ** (9 - max(0, stop - _FRACTION - 1))
    times_ns += days_ns
    zone = form["zone"]
    if zone is not None and zone != b"Z":
        hours, minutes = _two_digits(characters, stop + 1), _two_digits(characters, stop + 4)
        if hours.max() > 23 or minutes.max() > 59:
            return None
        offset_ns = (60 * hours.astype(np.int64) + minutes) * _MINUTE_NS
        times_ns -= offset_ns if zone.startswith(b"+") else -offset_ns
    return times_ns.view("datetime64[ns]"), zone is not None


def _have_form_of_first(characters: NDArray[np.uint8]) -> bool:
    """Whether each row has digits where the first has, and the same characters elsewhere."""
    first = characters[0]
    digit = (first >= _ZERO) & (first < _ZERO + 10)
    # whole words at once: the sums of digits and six do not reach the next byte
    mask = np.where(digit, _UPPER_BITS, 0xFF).astype(np.uint8).view(np.uint64)
    six = np.where(digit, _SIX, 0).astype(np.uint8).view(np.uint64)
    words = characters.view(np.uint64)
    form = words[0] & mask
    for k in range(words.shape[1]):
        word = words[:, k]
        if (word & mask[k] != form[k]).any() or (word + six[k] & mask[k] != form[k]).any():
            return False
    return True


def _days(characters: NDArray[np.uint8]) -> NDArray[np.int64] | None:
    """Return midnight of each row in ns; None if a day does not exist or is beyond 64 bits."""
    days = np.ascontiguousarray(characters[:, :_DATE]).view(f"S{_DATE}")[:, 0]
    first = np.flatnonzero(np.append(True, days[1:] != days[:-1]))
    found: list[int] = []
    try:
        for day in days[first].tolist():
            found.append(date.fromisoformat(day.decode()).toordinal() - _EPOCH)
    except ValueError:
        return None
    centuries = _two_digits(characters[first], 0)
    if centuries.min() < _CENTURIES[0] or centuries.max() > _CENTURIES[1]:
        return None
    return np.repeat(np.array(found, np.int64) * _DAY_NS, np.diff(np.append(first, len(days))))


def _two_digits(characters: NDArray[np.uint8], at: int) -> NDArray[np.uint8]:
    """Return the numbers that stand in two columns."""
    number: NDArray[np.uint8] = (characters[:, at] - _ZERO) * 10
    number += characters[:, at + 1] - _ZERO
    return number
