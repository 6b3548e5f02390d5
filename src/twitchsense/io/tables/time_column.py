"""The time column of a table: numbers, UTC times or local times become whole nanoseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.tables.date_forms import DateForm, find_date_form, to_datetimes
from twitchsense.io.tables.local_clock import LocalAxis, LocalClock, TimeOptions
from twitchsense.io.tables.number_cells import NumberColumn
from twitchsense.io.tables.number_times import NumberTimes
from twitchsense.io.tables.time_of_day import TIME_OF_DAY, is_time_of_day, parse_time_of_day
from twitchsense.io.tables.time_reading import (
    ANY_TIME,
    CLOCK_TIMES,
    DAY_NS,
    TIME_UNITS,
    TimeReading,
    check_epoch,
    read_number_times,
    refuse_numbers,
)
from twitchsense.io.tables.time_wraps import WrapCounter
from twitchsense.model.map_pairs import typed_map
from twitchsense.model.notes import GIVE_ZONE, STATE_TIMES, Note, with_source

_EXPECTED: Final = {
    "elapsed": "a number of seconds",
    "since_first": "a time of the sensor's clock",
    "unix": "a Unix time",
    "serial": "a serial time of a spreadsheet",
    "of_day": "a time of day",
    "date": "an ISO 8601 time with a zone",
}
#: First and last year that times in ns since 1970 hold, in every time zone.
_YEARS: Final = (1678, 2261)
#: Rows around a step backwards that show whether rows are only out of order.
_ROWS_AROUND: Final = 16

Times = NDArray[np.int64]


class TimeColumn:
    """Parses the time column of a table, block by block, once from start to end.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    header : str
        Name of the column in the file.
    name : str
        Name of the column in this package: one of `TIME_COLUMNS` or `ANY_TIME`.
    locate_row : callable
        Returns the place of a row for messages.
    options : TimeOptions
    decimal : {'.', ','}
        Decimal sign of the column, as its first cells show it.
    """

    def __init__(
        self,
        source: str,
        header: str,
        name: str,
        locate_row: Callable[[int], str],
        options: TimeOptions,
        decimal: str = ".",
    ) -> None:
        self._decimal = decimal
        self._source = source
        self._header = header
        self._name = name
        self._locate_row = locate_row
        self._options = options
        self._reading: TimeReading | None = None
        self._form: DateForm | None = None
        self._form_known = False
        self._midnight_ns: int | None = None  # before the first row, if its date is known
        self._wraps = WrapCounter(source, header, locate_row)
        self._clock = LocalClock(options)
        self._number_times = NumberTimes(
            source, header, name, locate_row, options, self._new_numbers(), self._wraps, self._clock
        )

    @property
    def reading(self) -> TimeReading:
        """How the column is read; known after the first block."""
        return self._reading or TimeReading("elapsed", "time_s")

    @property
    def notes(self) -> list[str]:
        """What the user should know about the times so far."""
        notes = [with_source(self._source, n) for n in (self.reading.note, *self._clock.notes) if n]
        return notes + self._number_times.notes + self._wraps.notes

    @property
    def single_step_ns(self) -> float:
        """Distance (ns) of single-precision times near the latest; zero for other times."""
        return self._number_times.single_step_ns

    def numbers_column(self) -> NumberColumn | None:
        """Return the parser of the numbers; None if the column holds no numbers."""
        return None if self.reading.kind in ("date", "of_day") else self._number_times.cells

    def parse(
        self, time: pd.Series, first_row: int, signals: Iterable[NDArray[np.float64]]
    ) -> tuple[Times, NDArray[np.int64] | None]:
        """Parse the times of a block.

        A row without a time is skipped if it has no sample either.

        Parameters
        ----------
        time : Series
            Time column of the block.
        first_row : int
            Number of the first row of the block in the table.
        signals : iterable of ndarray, shape (rows,)
            Signal columns of the block.

        Returns
        -------
        times_ns : ndarray of int64, shape (n,)
        rows : ndarray of int64, shape (n,), or None
            Rows of the block that the times belong to; None if all rows have a time.

        Raises
        ------
        InputError
            If the time of a row with a sample cannot be parsed.
        """
        if self._reading is None:
            self._reading = self._choose_reading(time, first_row)
        if self._reading.kind == "date":
            times_ns, invalid = self._parse_dates(time, first_row)
        elif self._reading.kind == "of_day":
            times_ns, invalid = self._parse_times_of_day(time, first_row)
        else:
            times_ns, invalid = self._number_times.parse(time, first_row, self._reading)
        if not invalid.any():
            return times_ns, None
        blank = time.isna().to_numpy(copy=True)
        for column in signals:
            blank &= np.isnan(column)
        wrong = np.flatnonzero(invalid & ~blank)
        if len(wrong):
            row = int(wrong[0])
            value = time.iloc[row]
            if isinstance(value, pd.Timestamp):
                value = value.to_datetime64()  # pandas shows no year beyond 9999
            if pd.isna(value):
                problem = "is empty"
            else:
                problem = f"'{str(value)[:40]}' is not {_EXPECTED[self._reading.kind]}"
            raise InputError(
                self._source,
                f"{self._header} {problem}",
                self._cure(str(value)),
                self._locate_row(first_row + row),
            )
        rows = np.flatnonzero(~invalid)
        return times_ns[rows], rows

    def check_order(
        self,
        time: pd.Series,
        first_row: int,
        times_ns: Times,
        rows: NDArray[np.int64] | None,
        previous_ns: int | None,
        *,
        may_repeat: bool = False,
    ) -> None:
        """Check that times increase.

        Parameters
        ----------
        time, first_row
            As given to `parse`.
        times_ns, rows
            As returned by `parse`; at least one time.
        previous_ns : int or None
            Last time of the block before, if there is one.
        may_repeat : bool
            Whether several rows may have one time.

        Raises
        ------
        InputError
            At the first time that is not later than the one before.
        """
        least = 0 if may_repeat else 1
        if previous_ns is not None and times_ns[0] - previous_ns < least:
            i, before = 0, previous_ns
        else:
            not_later = np.diff(times_ns) < least
            if not not_later.any():
                return
            i = int(np.argmax(not_later)) + 1
            before = int(times_ns[i - 1])
        row = i if rows is None else int(rows[i])
        place = self._locate_row(first_row + row)
        if times_ns[i] == before:
            raise InputError(
                self._source,
                f"time repeats ({time.iloc[row]})",
                "sort the rows by time; write times with enough decimals that none repeats",
                place,
            )
        raise InputError(
            self._source,
            f"time runs backwards ({time.iloc[row]})",
            self._backwards_cure(times_ns, i, before),
            place,
        )

    def _backwards_cure(self, times_ns: Times, i: int, before: int) -> str:
        """Return what to do about a step backwards: sort the rows, or correct the clock."""
        after = times_ns[i : i + _ROWS_AROUND]
        steps = np.diff(times_ns[max(0, i - _ROWS_AROUND) : i])
        step = int(np.median(steps)) if len(steps) else 0
        shift_ns = before + step - int(times_ns[i])
        # a few rows out of order return to the times before; a clock that was set does not
        if (after > before).any() or shift_ns < 4 * step or not step:
            return "sort the rows by time; write times with enough decimals that none repeats"
        if self.reading.kind == "date":
            if shift_ns // 10**9 in (3599, 3600, 3601) and not self._options.zone:
                return "if summer time ended here, name the zone (--zone Europe/Berlin)"
            return (
                f"if the clock was set back here, write all later times {shift_ns / 1e9:g} s later"
            )
        unit = self.reading.unit_ns if self.reading.kind in ("elapsed", "unix") else 1e9
        word = {length: unit for unit, length in TIME_UNITS.items()}.get(unit, "s")
        return (
            f"if the clock was set back here, sort no rows but add {shift_ns / unit:.10g} {word} "
            "to the time of this row and of all rows after it"
        )

    def _cure(self, value: str) -> str:
        """Return what the user can do about a time that cannot be parsed."""
        if '"' in value:
            return "close or remove the quotation mark; a row must stand on one line"
        if self.reading.kind == "date":
            return "write times like 2026-03-01T22:15:00.000Z"
        if value[:4].isdecimal() and value[4:5] == "-":
            return "name the column time_utc if these are clock times"
        if self.reading.kind == "elapsed" and TIME_OF_DAY.fullmatch(value):
            return f"map times of day to time_local ({typed_map(self._header, 'time_local')})"
        return "correct or delete the row (a recording cut short may end in half a row)"

    def _choose_reading(self, time: pd.Series, first_row: int) -> TimeReading:
        """Decide by the first block how the column is read."""
        local = self._options.local_axis
        first_ns = self._options.first_time_ns
        if first_ns and not pd.api.types.is_numeric_dtype(time) and is_time_of_day(time):
            return TimeReading("of_day", local)
        if first_ns is not None:
            unit_ns = TIME_UNITS.get(self._name[5:], 1e9)
            return TimeReading("since_first", local if first_ns else "time_s", unit_ns)
        if pd.api.types.is_datetime64_any_dtype(time):
            return self._date_reading(time, time, local)
        text = None if pd.api.types.is_numeric_dtype(time) else time.dropna().astype("str")
        if text is not None and self._options.date_format is not None:
            return TimeReading("date", local)
        dated = self._name in CLOCK_TIMES
        if text is not None and len(text) and dated:
            self._form = self._find_form(text, first_row)
            dates = to_datetimes(self._date_text(text))
            if is_time_of_day(text):
                if self._name == "time_utc":
                    raise InputError(
                        self._source,
                        f"{self._header} holds times of day without a date "
                        f"('{str(text.iloc[0])[:40]}'), so they are not UTC",
                        f"call it time_local ({typed_map(self._header, 'time_local')})",
                        self._locate_row(first_row + int(text.index[0])),
                    )
                note = Note("times", f"{self._header} is read as the time of day", STATE_TIMES)
                return TimeReading("of_day", "time_of_day", note=note)
            numbers = self._new_numbers().parse(time, 0)
            if dates.notna().mean() >= np.isfinite(numbers).mean():
                return self._date_reading(dates, time, local, first_row)
        numbers, unit = self._new_numbers().parse(time, 0), self._options.unit
        reading = read_number_times(
            self._name, self._header, numbers, time_unit=unit, local_axis=local
        )
        if reading is None:
            row = int(np.flatnonzero(time.notna().to_numpy())[0])
            raise refuse_numbers(self._source, self._header, self._locate_row(first_row + row))
        if reading.kind == "unix" and unit is None:
            check_epoch(self._source, self._header, numbers, reading, self._locate_row(first_row))
        return reading

    def _date_text(self, time: pd.Series) -> pd.Series:
        """Return dates as text, without the name of a zone after their offset."""
        text = time.astype("str")
        if self._options.zone_in_brackets:
            text = text.str.replace(r"\s*\[[^\]]*\]$", "", regex=True)
        return text if self._form is None else self._form.to_iso(text)

    def _find_form(self, text: pd.Series, first_row: int) -> DateForm | None:
        """Return how dates are written; refuse those of which day and month could be swapped."""
        self._form_known = True
        form = find_date_form(text)
        if form is not None and form.order == "two readings":
            raise InputError(
                self._source,
                f"{self._header} '{str(text.iloc[0])[:40]}' has two readings: the day or the month "
                "may come first",
                "write dates like 2026-03-31 22:15:00",
                self._locate_row(first_row + int(text.index[0])),
            )
        return form

    def _new_numbers(self) -> NumberColumn:
        return NumberColumn(
            self._source, self._header, self._decimal, self._options.decimal, self._locate_row
        )

    def _date_reading(
        self,
        dates: pd.Series,
        time: pd.Series,
        local: LocalAxis,
        first_row: int = 0,
    ) -> TimeReading:
        """Return how dates are read: with their zone, or in the zone of the wearer."""
        if dates.dt.tz is not None or not dates.notna().any():
            return TimeReading("date", "time_utc")
        if local == "time_utc" or self._name in ("time_local", ANY_TIME):
            note = ""
            if local == "time_local":
                note = Note(
                    "times",
                    f"{self._header} is local time without a zone",
                    GIVE_ZONE,
                )
            elif self._name == "time_utc":
                note = Note(
                    "times",
                    f"{self._header} has no zone and is read as local time of --zone",
                    "end each time with Z if it is UTC",
                )
            return TimeReading("date", local, note=note)
        row = int(np.flatnonzero(time.index == dates.first_valid_index())[0])
        raise InputError(
            self._source,
            f"{self._header} {time.iloc[row]} has no time zone",
            "end each time with Z or with an offset like +02:00, or give --zone",
            self._locate_row(first_row + row),
        )

    def _parse_times_of_day(
        self, time: pd.Series, first_row: int
    ) -> tuple[Times, NDArray[np.bool_]]:
        """Return times in ns, and the invalid ones.

        They count from the midnight before the first row if no date is known.
        """
        deltas = parse_time_of_day(time)
        invalid = deltas.isna().to_numpy(copy=True)
        seconds = np.where(invalid, 0, deltas.to_numpy(copy=True).astype(np.int64)) / 1e9
        seconds = self._wraps.unwrap(seconds, ~invalid, first_row, 1e9)
        times_ns = np.rint(seconds * 1e9).astype(np.int64)
        if self._options.first_time_ns:
            if self._midnight_ns is None:
                first_ns = int(times_ns[int(np.argmin(invalid))])
                days = round((self._options.first_time_ns - first_ns) / DAY_NS)
                self._midnight_ns = days * int(DAY_NS)
            times_ns = self._clock.to_utc(times_ns + self._midnight_ns, ~invalid)
        return times_ns, invalid

    def _parse_dates(self, time: pd.Series, first_row: int) -> tuple[Times, NDArray[np.bool_]]:
        """Return UTC or local times in ns, and a mask of the times that are invalid."""
        if pd.api.types.is_datetime64_any_dtype(time):
            parsed = time  # Parquet stores datetimes
        elif self._options.date_format is not None:
            parsed = pd.to_datetime(
                time.astype("str").str.strip(), format=self._options.date_format, errors="coerce"
            )
        else:
            if not self._form_known:  # the blocks before were read as bytes
                self._form = self._find_form(time.dropna().astype("str"), first_row)
            parsed = to_datetimes(self._date_text(time))
        if parsed.dt.tz is None and parsed.notna().any() and self._name == "time_utc":
            self._date_reading(parsed, time, self._options.local_axis, first_row)
        zoned = parsed.dt.tz is not None
        utc = parsed.dt.tz_convert(None) if zoned else parsed
        invalid = ~utc.dt.year.between(*_YEARS).to_numpy()
        naive = utc.where(~invalid).dt.as_unit("ns").to_numpy(copy=True)
        naive[invalid] = np.datetime64(0, "ns")
        times_ns = naive.astype(np.int64)
        return (times_ns if zoned else self._clock.to_utc(times_ns, ~invalid)), invalid
