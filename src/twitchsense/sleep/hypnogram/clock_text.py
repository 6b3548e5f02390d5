"""Parse clock times as files write them: ISO 8601, times of day, forms of phones and labs."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.tables.date_forms import date_readings

_TIME_OF_DAY: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?\s*([AaPp][Mm])?")
#: ``1. p. m.`` of some phone languages; iOS writes a narrow space before it.
_HALF_OF_DAY: Final = re.compile(r"\b([AaPp])\.?\s?[Mm]\.?(?=\s|$)")
#: A date of the stages lies so near that of the recording.
_ONE_NIGHT: Final = timedelta(days=1)
_FORMS: Final = (
    "%Y-%m-%d %H:%M:%S %z",  # Apple Health
    "%Y-%m-%d %I:%M:%S %p %z",  # Apple Health on a phone with a 12-h clock
    "%Y-%m-%d %I:%M:%S%p",
    "%Y-%m-%d %I:%M %p",
    "%Y-%m-%d %I:%M%p",
    "%Y%m%d%H%M%S%z",  # Apple Health, imported from old devices
    "%Y/%m/%d %H:%M:%S",
)


def parse_clock_time(
    text: str, source: str, place: str, near: date | None = None
) -> datetime | timedelta:
    """Return a date with time, or the time since midnight.

    Parameters
    ----------
    text : str
        ``2026-03-28T22:30:00+01:00``, ``22:30:00``, ``10:30 PM``, ``28.03.2026 22:30:00``
        and other forms; a decimal comma is read as a point.
    source, place : str
        Name of the file and place in it, for the error message.
    near : date, optional
        Date of the recording, which decides on dates with two readings (03/01/2026).

    Returns
    -------
    datetime or timedelta
        A datetime is aware if the text has an offset from UTC.

    Raises
    ------
    InputError
        If the text is not a clock time, or has two readings.
    """
    clean = " ".join(text.split()).replace(",", ".")
    clean = _HALF_OF_DAY.sub(lambda m: m[1] + "M", clean)
    match = _TIME_OF_DAY.fullmatch(clean)
    if match:
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if match[5]:
            fine = 1 <= hour <= 12
            hour = hour % 12 + 12 * (match[5].lower() == "pm")
        else:
            fine = hour < 24
        if fine and minute < 60 and second < 60:
            fraction = float(match[4] or 0)
            return timedelta(hours=hour, minutes=minute, seconds=second + fraction)
    elif len(clean) >= 10:
        if clean[4:5] == "-":
            try:
                return datetime.fromisoformat(clean)
            except ValueError:
                pass
        for form in _FORMS:
            try:
                return datetime.strptime(clean, form)
            except ValueError:
                continue
        dates = date_readings(clean)
        if len(dates) > 1 and near is not None:
            dates = [d for d in dates if abs(d.date() - near) <= _ONE_NIGHT] or dates
        if len(dates) == 1:
            return dates[0]
        if dates:
            raise InputError(
                source,
                f"{text!r} has two readings: the day or the month may come first",
                "write dates like 2026-03-28 22:30:00",
                place,
            )
    cure = "write 2026-03-28T22:30:00+01:00, or 22:30:00"
    raise InputError(source, f"{text!r} is not a clock time", cure, place)


def is_clock_time(text: str) -> bool:
    """Return whether a text is a clock time and not a number.

    Parameters
    ----------
    text : str
        One cell of a table.

    Returns
    -------
    bool
    """
    if date_readings(text):
        return True
    try:
        parse_clock_time(text, "", "")
    except InputError:
        return False
    return True
