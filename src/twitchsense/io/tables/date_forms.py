"""Dates of a time column that are not ISO 8601: other orders, AM and PM, decimal commas, UTC."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import pandas as pd

#: Day, month and year in any order, a time of day, a fraction, the half of the day, a zone.
_DATE: Final = re.compile(
    r"(\d{1,2})([./-])(\d{1,2})[./-](\d{4}),?[ T]+(\d{1,2}:\d\d(?::\d\d)?)([.,:]\d+)?"
    r"\s*([AaPp]\.?[Mm]\.?)?\s*((?:UTC|GMT|Z|[+-]\d\d:?\d\d)?)"
)
#: The same with two digits everywhere, by the 24 hours, without a zone.
_FIXED_WIDTH: Final = re.compile(r"\d\d[./-]\d\d[./-]\d{4}[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?")
#: ISO 8601 with a fraction after a comma, or the word UTC for its zone.
_ISO: Final = re.compile(
    r"(\d{4}-?\d\d-?\d\d[ T]\d\d:?\d\d:?\d\d)([.,:]\d+)?\s*((?:UTC|GMT|Z|[+-]\d\d:?\d\d)?)"
)
#: A date with the name of its month, as MATLAB writes it.
_NAMED_MONTH: Final = re.compile(r"^\s*(\d{1,2})[- ]([A-Za-z]{3})[- ](\d{4})")
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
#: End of a date with a zone, as pandas reads it: one digit of the hours is enough.
_ZONE: Final = r"(?:[zZ]|\d[ T]\d[\d:.,]*\s*[+-]\d{1,2}(?::?\d{1,2})?)\s*$"
#: Whether pandas takes dates without a zone for UTC where others have one.
_MIXES_ZONES: Final = int(pd.__version__.split(".")[0]) < 3


@dataclass(frozen=True, slots=True)
class DateForm:
    """How dates are written that pandas does not read as ISO 8601.

    Attributes
    ----------
    order : {'', 'day first', 'month first', 'two readings'}
        Empty if the year comes first.
    """

    order: Literal["", "day first", "month first", "two readings"]

    def to_iso(self, text: pd.Series) -> pd.Series:
        """Return dates as ISO 8601; other texts unchanged.

        Parameters
        ----------
        text : Series of str
        """
        if self.order and len(text) and bool((text.str.len() == len(text.iloc[0])).all()):
            match = _FIXED_WIDTH.fullmatch(text.iloc[0])
            if match:  # every cell has this width: slices are ten times as fast
                day, month = (text.str[:2], text.str[3:5])
                if self.order == "month first":
                    day, month = month, day
                clock = text.str[11:].str.replace(",", ".", regex=False)
                return text.str[6:10] + "-" + month + "-" + day + "T" + clock
        return text.map(self.iso_cell, na_action="ignore")

    def iso_cell(self, cell: str) -> str:
        """Return a date as ISO 8601, or another text unchanged.

        Parameters
        ----------
        cell : str
        """
        if not self.order:
            match = _ISO.fullmatch(cell.strip())
            return cell if match is None else match[1] + _fraction(match[2]) + _zone(match[3])
        match = _DATE.fullmatch(_with_number(cell.strip()))
        if match is None:
            return cell
        day, month = (match[1], match[3]) if self.order == "day first" else (match[3], match[1])
        hour, _, rest = match[5].partition(":")
        if match[7]:
            if not 1 <= int(hour) <= 12:
                return cell
            hour = str(int(hour) % 12 + 12 * (match[7][0] in "pP"))
        date = f"{match[4]}-{month:0>2}-{day:0>2}"
        return f"{date}T{hour:0>2}:{rest}{_fraction(match[6])}{_zone(match[8])}"


def find_date_form(text: pd.Series) -> DateForm | None:
    """Return how dates are written, or None if they are ISO 8601 or no dates.

    Parameters
    ----------
    text : Series of str
        First cells of the column.

    Returns
    -------
    DateForm or None
    """
    if not len(text):
        return None
    first = str(text.iloc[0]).strip()
    iso = _ISO.fullmatch(first)
    if iso and ((iso[2] or ".")[0] != "." or iso[3] in ("UTC", "GMT")):
        return DateForm("")
    match = _DATE.fullmatch(_with_number(first))
    if match is None:
        return None
    if match[2] == ".":
        return DateForm("day first")
    dates = (
        text.str.extract(r"^\s*(\d{1,2})[/-](\d{1,2})[/-]", expand=True).dropna().drop_duplicates()
    )
    numbers = dates.astype(int)
    if (numbers[0] > 12).any():
        return DateForm("day first")
    if (numbers[1] > 12).any():
        return DateForm("month first")
    return DateForm("day first" if (numbers[0] == numbers[1]).all() else "two readings")


def find_order(cells: Sequence[str], time_format: str | None) -> str | None:
    """Return the order of the dates in a column, or None if it is not known.

    Parameters
    ----------
    cells : sequence of str
        The first cells of the column.
    time_format : str or None
        Format (`strptime`) that the dialect states.

    Returns
    -------
    {'', 'day first', 'month first'} or None
        Empty if the year comes first, with a comma or colon before the fraction.
    """
    if time_format is not None:
        orders = {"%d": "day first", "%m": "month first", "%Y": ""}
        return None if "%I" in time_format else orders.get(time_format[:2])
    form = find_date_form(pd.Series([cell for cell in cells if cell], dtype="str"))
    return None if form is None or form.order == "two readings" else form.order


def date_readings(cell: str) -> list[datetime]:
    """Return the dates that a text may mean, of those without the year first.

    Parameters
    ----------
    cell : str
        Such as ``03/01/2026 10:30:00 PM``, which may be January or March.

    Returns
    -------
    list of datetime
        Different dates, at most two.
    """
    match = _DATE.fullmatch(cell.strip())
    found: list[datetime] = []
    if match is None:
        return found
    for form in (DateForm("day first"), DateForm("month first")):
        if form.order == "day first" or match[2] != ".":
            try:
                when = datetime.fromisoformat(form.iso_cell(cell))
            except ValueError:
                continue
            found += [when] if when not in found else []
    return found


def _with_number(text: str) -> str:
    """Return a date with the number of its month instead of the name."""
    match = _NAMED_MONTH.match(text)
    if match is None or match[2].casefold() not in _MONTHS:
        return text
    number = _MONTHS.index(match[2].casefold()) + 1
    return f"{match[1]}.{number:02d}.{match[3]}{text[match.end() :]}"


def _fraction(text: str | None) -> str:
    return f".{text[1:]}" if text else ""


def _zone(text: str) -> str:
    return "Z" if text in ("UTC", "GMT") else text


def to_datetimes(text: pd.Series) -> pd.Series:
    """Parse ISO 8601 times; the result is time zone aware unless a time has no zone.

    Parameters
    ----------
    text : Series of str

    Returns
    -------
    Series of datetime64
        NaT where a text is no such time.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # pandas 2 warns where 3 raises
            dates = pd.to_datetime(text, format="ISO8601", errors="coerce")
        if dates.dt.tz is None or not _MIXES_ZONES:
            return dates
    except (ValueError, FutureWarning):
        pass  # several offsets (a change to summer time), or some times without a zone
    zoned = text.str.contains(_ZONE, na=True) | ~text.str.contains(r"\d", na=False)
    if not zoned.all():
        return pd.to_datetime(text.where(~zoned), format="ISO8601", errors="coerce")
    return pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
