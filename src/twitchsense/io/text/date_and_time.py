"""Tables with the date, the time of day and perhaps milliseconds in columns of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.tables.date_forms import DateForm, find_date_form
from twitchsense.io.tables.table_layout import TableLayout
from twitchsense.io.tables.time_of_day import TIME_OF_DAY, parse_time_of_day
from twitchsense.io.tables.time_reading import CLOCK_TIMES
from twitchsense.io.text.csv_dialect import CsvDialect
from twitchsense.model.map_pairs import typed_map
from twitchsense.model.notes import STATE_TIMES, Note

#: Headers of a column of dates, and of one of milliseconds.
_DATE_HEADERS: Final = frozenset(("date", "datum", "fecha", "data", "dato", "local date"))
_MS_HEADERS: Final = frozenset(
    ("ms", "msec", "millis", "millisecond", "milliseconds", "millisekunden", "millisecondes")
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d|\d{4}/\d\d/\d\d|\d{1,2}([./-])\d{1,2}\1\d{4}")

#: Returns the first cells of a column.
Cells = Callable[[str], Sequence[str]]


@dataclass(slots=True)
class DateAndTime:
    """Columns that are one time together.

    The first block decides whether the day or the month comes first.

    Attributes
    ----------
    time, date : str
        Names of the columns.
    ms : str or None
        Name of a column of milliseconds, which the time of day does not hold.
    """

    time: str
    date: str
    ms: str | None
    _form: DateForm | None = None

    @property
    def note(self) -> str:
        """How the columns are read."""
        names = ", ".join(n for n in (self.date, self.time, self.ms) if n)
        return Note("times", f"{names} are read as one time", STATE_TIMES)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns besides that of the time of day."""
        return (self.date,) if self.ms is None else (self.date, self.ms)

    def join(self, source: str, time: pd.Series, others: Sequence[pd.Series]) -> pd.Series:
        """Return local times.

        Parameters
        ----------
        source : str
            Name of the file in messages.
        time : Series
        others : sequence of Series
            Of `columns`.

        Returns
        -------
        Series of datetime64
            NaT where a cell cannot be read.

        Raises
        ------
        InputError
            If the day or the month of the dates may come first.
        """
        codes, dates = pd.factorize(others[0].astype("str").str.strip())
        texts = pd.Series(dates, dtype="str").str.replace("/", "-", regex=False) + " 00:00:00"
        form = self._form or find_date_form(texts)
        if form is not None and form.order == "two readings":
            raise InputError(
                source,
                f"{self.date} '{str(others[0].iloc[0])[:40]}' has two readings: the day or the "
                "month may come first",
                "write dates like 2026-03-31, or leave them out with "
                f"{typed_map(self.date, 'ignore')}",
                f"column {self.date}",
            )
        self._form = form
        days = pd.to_datetime(
            texts if form is None else form.to_iso(texts), format="ISO8601", errors="coerce"
        )
        joined = days.iloc[codes].reset_index(drop=True) + parse_time_of_day(time)
        if self.ms is not None:
            ms = pd.to_numeric(others[1], errors="coerce").reset_index(drop=True)
            joined = joined + pd.to_timedelta(ms, unit="ms")
        return joined.dt.as_unit("ns")


def find_dates(
    layout: TableLayout, dialect: CsvDialect, others: Sequence[str], cells: Cells
) -> dict[str, DateAndTime]:
    """Return the columns that complete the time columns of a table, by time column.

    Parameters
    ----------
    layout : TableLayout
    dialect : CsvDialect
    others : sequence of str
        Columns that are neither time nor signal, and that the user does not map.
    cells : callable
        Returns the first cells of a column.
    """
    found = {}
    for group in layout.groups:
        if group.name in CLOCK_TIMES and dialect.time_format is None:
            joined = _date_and_time(group.time, others, cells)
            if joined is not None:
                found[group.time] = joined
    return found


def _date_and_time(time: str, others: Sequence[str], cells: Cells) -> DateAndTime | None:
    times = [cell.strip() for cell in cells(time)]
    if not times or not all(TIME_OF_DAY.fullmatch(cell) for cell in times):
        return None
    for date in others:
        dates = cells(date) if date.casefold() in _DATE_HEADERS else ()
        if dates and all(_DATE.fullmatch(cell.strip()) for cell in dates):
            whole = not any("." in cell or "," in cell for cell in times)
            ms = (name for name in others if whole and name.casefold() in _MS_HEADERS)
            return DateAndTime(time, date, next(ms, None))
    return None
