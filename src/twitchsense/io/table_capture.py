"""Captures that are tables: a header, a time column and signal columns.

A table format (CSV, Parquet) implements `Table`, which yields blocks of rows; `TableCapture`
makes a `Capture` of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.capture import ColumnMapping, ignored_columns_note
from twitchsense.io.channel_builder import ChannelBuilder
from twitchsense.io.time_column import TimeColumn
from twitchsense.model.column_names import ChannelPlan, is_signal_name, plan_channels

#: Names of the time column; one of them is required.
TIME_COLUMNS: Final = ("time_s", "time_utc")
#: Rows of a block. It bounds the memory and does not affect the result.
CHUNK_ROWS: Final = 1 << 17
#: Rows read to find the first time.
_PREVIEW_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class TableLayout:
    """Columns of a table that a capture uses.

    Attributes
    ----------
    time : str
        Name of the time column in the file.
    time_axis : {'time_s', 'time_utc'}
    plans : tuple of ChannelPlan
        Channels of the file; `ChannelPlan.names` are column names of the file.
    ignored : tuple of str
        Columns that are neither time nor signal.
    """

    time: str
    time_axis: str
    plans: tuple[ChannelPlan, ...]
    ignored: tuple[str, ...]

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of all signal columns in the file."""
        return tuple(name for plan in self.plans for name in plan.names)


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Consecutive rows of a table.

    Attributes
    ----------
    first_row : int
        Number of the first row, counted from zero after the header.
    time : Series
        Time column, numeric or text.
    signals : mapping of str to ndarray of float64, shape (rows,)
        NaN where the cell is not a number.
    """

    first_row: int
    time: pd.Series
    signals: Mapping[str, NDArray[np.float64]]


class Table(Protocol):
    """A file of rows, read in blocks."""

    @property
    def source(self) -> str:
        """Name of the file in messages."""
        ...

    @property
    def layout(self) -> TableLayout:
        """Columns that the capture uses."""
        ...

    @property
    def headers(self) -> Sequence[str]:
        """All column names of the file."""
        ...

    def blocks(self, rows: int = ...) -> Iterator[TableBlock]:
        """Yield all rows in blocks of at most `rows`."""
        ...

    def locate_row(self, row: int) -> str:
        """Return the place of a row for messages, such as ``line 17``."""
        ...


def parse_header(source: str, headers: Sequence[str], mapping: ColumnMapping) -> TableLayout:
    """Find the time column and the signal columns of a table.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    headers : sequence of str
        Column names of the file.
    mapping : ColumnMapping

    Returns
    -------
    TableLayout

    Raises
    ------
    InputError
        If a name occurs twice or cannot be parsed, or if the time column or all signal
        columns are missing.
    """
    listed = ", ".join(h for h in headers if h) or "none"
    seen: set[str] = set()
    times: dict[str, str] = {}
    signals: dict[str, str] = {}
    ignored: list[str] = []
    for header in headers:
        name = mapping.rename(header)
        if name.casefold() in TIME_COLUMNS:
            times[header] = name.casefold()
        elif is_signal_name(name):
            signals[header] = name
        else:
            ignored.append(header)
            continue
        if header in seen:
            raise InputError(
                source, "the header names it twice", "rename one of them", f"column {header}"
            )
        seen.add(header)
    if len(times) > 1:
        raise InputError(
            source,
            f"more than one time column ({', '.join(times)})",
            f"keep one, or leave one out with --map '{list(times)[1]}=ignore'",
            "header",
        )
    if not times:
        raise InputError(
            source,
            f"no time column among: {listed}",
            "name it time_s (seconds) or time_utc, or map it (--map 'Time=time_s')",
            "header",
        )
    if not signals:
        raise InputError(
            source,
            f"no signal column among: {listed}",
            "name one like emg1_uv or acc_x_g, or map it (--map 'EMG=emg1_uv')",
            "header",
        )
    time, time_axis = next(iter(times.items()))
    return TableLayout(
        time, time_axis, plan_channels(signals, source), tuple(h for h in ignored if h)
    )


class TableCapture:
    """A table as a `Capture`.

    Parameters
    ----------
    table : Table
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.source = table.source
        self.time_axis = table.layout.time_axis
        self.plans = table.layout.plans
        self.headers = table.headers
        self.notes = ignored_columns_note(table.source, table.layout.ignored)
        self._time = TimeColumn(
            table.source, table.layout.time, table.layout.time_axis, table.locate_row
        )

    def first_time_ns(self) -> int:
        """Return the first time in ns; files are ordered by it.

        Raises
        ------
        InputError
            If there is no row, or its time cannot be parsed.
        """
        for block in self.table.blocks(_PREVIEW_ROWS):
            times_ns, _ = self._parse_times(block)
            if len(times_ns):
                return int(times_ns[0])
        raise InputError(
            self.source, "no rows after the header", "give a capture with samples", "header"
        )

    def read_into(self, builders: Mapping[str, ChannelBuilder]) -> tuple[int, int]:
        """Append all samples to the builders of their channels; see `Capture.read_into`."""
        first: int | None = None
        last: int | None = None
        for block in self.table.blocks():
            times_ns, rows = self._parse_times(block)
            if not len(times_ns):
                continue
            self._time.check_order(block.time, block.first_row, times_ns, rows, last)
            last = int(times_ns[-1])
            first = int(times_ns[0]) if first is None else first
            for plan in self.plans:
                columns = [block.signals[name] for name in plan.names]
                if rows is not None:
                    columns = [c[rows] for c in columns]
                builders[plan.name].append(times_ns, columns)
        if first is None or last is None:  # the file changed since `first_time_ns` read it
            raise InputError(self.source, "no rows after the header", "try again", "header")
        return first, last

    def locate(self, time_ns: int) -> str | None:
        """Return the row of a time, for messages; None if no row has exactly this time."""
        for block in self.table.blocks():
            times_ns, rows = self._parse_times(block)
            i = int(np.searchsorted(times_ns, time_ns))
            if i < len(times_ns) and times_ns[i] == time_ns:
                row = i if rows is None else int(rows[i])
                return self.table.locate_row(block.first_row + row)
        return None

    def _parse_times(self, block: TableBlock) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        return self._time.parse(block.time, block.first_row, block.signals.values())
