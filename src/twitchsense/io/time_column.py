"""The time column of a table: seconds or UTC times become whole nanoseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.channels import NS

#: Maximum first value (s) of a ``time_s`` column. Larger values are Unix time or another unit.
_MAX_START_S: Final = 7 * 86400
#: Maximum absolute value (s) of a ``time_s`` column.
_MAX_TIME_S: Final = 1e9
_EXPECTED: Final = {"time_s": "a number of seconds", "time_utc": "an ISO 8601 time with a zone"}


def to_floats(column: pd.Series) -> NDArray[np.float64]:
    """Return the numbers of a column, with NaN for cells that are not numbers.

    Parameters
    ----------
    column : Series
        Of any type. Booleans are not numbers.

    Returns
    -------
    ndarray of float64, shape (rows,)
    """
    if pd.api.types.is_bool_dtype(column):
        return np.full(len(column), np.nan)
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column.astype(str), errors="coerce")
    return column.to_numpy(np.float64, na_value=np.nan)


class TimeColumn:
    """Parses the time column of a table, block by block.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    name : str
        Name of the column in the file.
    time_axis : {'time_s', 'time_utc'}
    locate_row : callable
        Returns the place of a row for messages.
    """

    def __init__(
        self, source: str, name: str, time_axis: str, locate_row: Callable[[int], str]
    ) -> None:
        self._source = source
        self._name = name
        self._time_axis = time_axis
        self._locate_row = locate_row

    def parse(
        self, time: pd.Series, first_row: int, signals: Iterable[NDArray[np.float64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
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
        if self._time_axis == "time_s":
            times_ns, invalid = self._parse_seconds(time, first_row)
        else:
            times_ns, invalid = self._parse_utc(time, first_row)
        if not invalid.any():
            return times_ns, None
        blank = time.isna().to_numpy(copy=True)
        for column in signals:
            blank &= np.isnan(column)
        wrong = np.flatnonzero(invalid & ~blank)
        if len(wrong):
            row = int(wrong[0])
            value = time.iloc[row]
            if pd.isna(value):
                problem = "is empty"
            else:
                problem = f"'{str(value)[:40]}' is not {_EXPECTED[self._time_axis]}"
            raise InputError(
                self._source,
                f"{self._name} {problem}",
                _cure(self._time_axis, str(value)),
                self._locate_row(first_row + row),
            )
        rows = np.flatnonzero(~invalid)
        return times_ns[rows], rows

    def check_order(
        self,
        time: pd.Series,
        first_row: int,
        times_ns: NDArray[np.int64],
        rows: NDArray[np.int64] | None,
        previous_ns: int | None,
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

        Raises
        ------
        InputError
            At the first time that is not later than the one before.
        """
        if previous_ns is not None and times_ns[0] <= previous_ns:
            i, before = 0, previous_ns
        else:
            not_later = times_ns[1:] <= times_ns[:-1]
            if not not_later.any():
                return
            i = int(np.argmax(not_later)) + 1
            before = int(times_ns[i - 1])
        row = i if rows is None else int(rows[i])
        problem = "repeats" if times_ns[i] == before else "runs backwards"
        raise InputError(
            self._source,
            f"time {problem} ({time.iloc[row]})",
            "sort the rows by time; write times with enough decimals that none repeats",
            self._locate_row(first_row + row),
        )

    def _parse_seconds(
        self, time: pd.Series, first_row: int
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return times in ns, and a mask of those that are invalid."""
        seconds = to_floats(time)
        invalid = ~np.isfinite(seconds)
        if first_row == 0 and len(seconds) and abs(seconds[0]) > _MAX_START_S:
            raise InputError(
                self._source,
                f"the first time_s is {seconds[0]:.10g}: Unix time, or not in seconds?",
                "give seconds from the start of the recording, or name it time_utc with "
                "ISO 8601 times",
                self._locate_row(0),
            )
        invalid |= np.abs(seconds) > _MAX_TIME_S
        times_ns = np.rint(np.where(invalid, 0.0, seconds) * NS).astype(np.int64)
        return times_ns, invalid

    def _parse_utc(
        self, time: pd.Series, first_row: int
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return UTC in ns, and a mask of the times that are invalid."""
        if pd.api.types.is_datetime64_any_dtype(time):
            parsed = time  # Parquet stores datetimes
        elif pd.api.types.is_numeric_dtype(time) and not time.isna().all():
            row = int(np.flatnonzero(time.notna().to_numpy())[0])
            raise InputError(
                self._source,
                f"{self._name} is a number, not an ISO 8601 time",
                "write times like 2026-03-01T22:15:00.000Z, or name seconds from the start time_s",
                self._locate_row(first_row + row),
            )
        else:
            parsed = _to_datetimes(time.astype("str"))
        if parsed.dt.tz is None and parsed.notna().any():
            row = int(np.flatnonzero(parsed.notna().to_numpy())[0])
            raise InputError(
                self._source,
                f"{self._name} {time.iloc[row]} has no time zone",
                "end each time with Z or with an offset like +02:00",
                self._locate_row(first_row + row),
            )
        invalid = parsed.isna().to_numpy(copy=True)
        utc = parsed.dt.tz_convert("UTC") if parsed.dt.tz is not None else parsed
        naive = utc.dt.tz_localize(None).dt.as_unit("ns").to_numpy(copy=True)
        naive[invalid] = np.datetime64(0, "ns")
        return naive.astype(np.int64), invalid


def _cure(time_axis: str, value: str) -> str:
    """Return what the user can do about a time that cannot be parsed."""
    if '"' in value:
        return "close or remove the quotation mark; a row must stand on one line"
    if time_axis == "time_utc":
        return "write times like 2026-03-01T22:15:00.000Z"
    if value[:4].isdecimal() and value[4:5] == "-":
        return "name the column time_utc if these are clock times"
    return "correct or delete the row (a recording cut short may end in half a row)"


def _to_datetimes(text: pd.Series) -> pd.Series:
    """Parse ISO 8601 times; the result is time zone aware unless a time has no zone."""
    try:
        return pd.to_datetime(text, format="ISO8601", errors="coerce")
    except ValueError:
        pass  # several offsets (a change to summer time), or some times without a zone
    zoned = text.str.contains(r"(?:[zZ]|[+-]\d\d(?::?\d\d)?)$", na=True)
    if not zoned.all():
        return pd.to_datetime(text.where(~zoned), format="ISO8601", errors="coerce")
    return pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
