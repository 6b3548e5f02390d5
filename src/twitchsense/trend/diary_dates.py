"""Dates of a diary in the orders that people and spreadsheets write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from twitchsense.errors import InputError

#: Three numbers: day and month in either order, then the year; 1.3.2026 begins with the day.
_NUMBERS: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")
#: Number of months; a larger number is a day.
_MONTHS: Final = 12


def read_dates(
    texts: Sequence[str], source: str, place: Callable[[int], str]
) -> tuple[list[str], tuple[str, ...]]:
    """Return dates in the order of ISO 8601, and notes on how they were read.

    Parameters
    ----------
    texts : sequence of str
        All dates of a diary. Those that are not three numbers are left as they are.
    source : str
        Name of the file in messages.
    place : callable of int
        Place of a row, for messages.

    Returns
    -------
    dates : list of str
    notes : tuple of str
        Empty for dates of ISO 8601.

    Raises
    ------
    InputError
        If the file does not show whether the day or the month comes first.
    """
    found = [_NUMBERS.fullmatch(text.strip()) for text in texts]
    rows = [row for row, match in enumerate(found) if match]
    if not rows:
        return list(texts), ()
    pairs = [(int(m[1]), int(m[3])) for m in found if m]
    day_first = all(m[2] == "." for m in found if m) or any(first > _MONTHS for first, _ in pairs)
    month_first = any(second > _MONTHS for _, second in pairs)
    text = texts[rows[0]].strip()
    if day_first == month_first:
        problem = f"has the date {text!r}: day or month first?"
        if day_first:
            problem = "has dates with the day first and dates with the month first"
        raise InputError(source, problem, "write dates as 2026-03-01", place(rows[0]))
    dates = list(texts)
    for row, (first, second) in zip(rows, pairs, strict=True):
        day, month = (first, second) if day_first else (second, first)
        match = found[row]
        dates[row] = f"{match[4] if match else ''}-{month:02d}-{day:02d}"
    order = "day, month, year" if day_first else "month, day, year"
    return dates, (f"dates of the diary are read as {order}: {text} is {dates[rows[0]]}",)
