"""Captures that are tables: a header, time columns and signal columns.

A table format (CSV, Parquet) implements `Table`, which yields blocks of rows; `TableCapture`
makes a `Capture` of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import ignored_columns_note
from twitchsense.io.channels.channel_builder import ChannelBuilder
from twitchsense.io.tables.local_clock import TimeOptions
from twitchsense.io.tables.number_cells import to_floats
from twitchsense.io.tables.packet_rate import (
    PacketRate,
    PacketTimes,
    come_in_packets,
    find_packet_rate,
)
from twitchsense.io.tables.packet_times import PacketSpreader
from twitchsense.io.tables.row_clock import RowClock, RowTimes
from twitchsense.io.tables.row_order import RowFilter, are_rows_repeated
from twitchsense.io.tables.table_layout import ROW_TIME, TableLayout, TimeGroup
from twitchsense.io.tables.time_column import TimeColumn
from twitchsense.model.channels import NS
from twitchsense.model.notes import Note

#: Rows of a block. It bounds the memory and does not affect the result.
CHUNK_ROWS: Final = 1 << 17
#: Rows from which it is decided how the times are read.
PREVIEW_ROWS: Final = 4096


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Consecutive rows of a table.

    Attributes
    ----------
    first_row : int
        Number of the first row, counted from zero after the header.
    times : mapping of str to Series
        Time columns, numeric or text.
    signals : mapping of str to ndarray of float64, shape (rows,)
        NaN where the cell is not a number.
    """

    first_row: int
    times: Mapping[str, pd.Series]
    signals: Mapping[str, NDArray[np.float64]]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.signals.values())))


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

    @property
    def notes(self) -> Sequence[str]:
        """Remarks for the user about the rows read so far."""
        ...

    def blocks(self, rows: int = ...) -> Iterator[TableBlock]:
        """Yield all rows in blocks of at most `rows`."""
        ...

    def locate_row(self, row: int) -> str:
        """Return the place of a row for messages, such as ``line 17``."""
        ...

    def decimal_sign(self, name: str) -> str:
        """Return the decimal sign of a column, as its first cells show it."""
        ...

    def cells(self, name: str) -> Iterator[pd.Series]:
        """Yield a column as text, block by block."""
        ...

    def time_resolution_ns(self, time: str, unit_ns: float) -> int:
        """Return the resolution of a time column as its text shows it; 0 if unknown."""
        ...


@dataclass(frozen=True, slots=True)
class _Packets:
    """How rows come in packets of one time: their rate, and whether some are written twice."""

    rate: PacketRate
    rows_repeated: bool


class _GroupReader:
    """Reads the channels of one time column.

    Parameters
    ----------
    group : TimeGroup
    times : TimeColumn or RowTimes
    packets : _Packets or None
        Of rows that come in packets of one time.
    """

    def __init__(
        self, group: TimeGroup, times: TimeColumn | RowTimes, packets: _Packets | None
    ) -> None:
        self.group = group
        self.times = times
        self._spreader = None if packets is None else PacketSpreader(packets.rate)
        self._packet_times = PacketTimes()
        self.rows = (
            RowFilter()
            if packets is None
            else RowFilter(may_repeat=True, repeats=packets.rows_repeated)
        )
        self.first: int | None = None
        self.last: int | None = None

    def parse(self, block: TableBlock) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        """Return the times of a block, and the rows that have one."""
        if isinstance(self.times, RowTimes):
            columns = {name: to_floats(block.times[name]) for name in self.times.columns}
            return self.times.parse(block.rows, columns), None
        return self.times.parse(block.times[self.group.time], block.first_row, self.columns(block))

    def read(self, block: TableBlock, builders: Mapping[str, ChannelBuilder]) -> None:
        """Append the samples of a block to the builders of its channels."""
        times_ns, rows = self.parse(block)
        if not len(times_ns):
            return
        columns = self.columns(block)
        if rows is not None:
            columns = [c[rows] for c in columns]
        if isinstance(self.times, TimeColumn):
            kept = self.rows.select(times_ns, columns)
            if kept is not None:
                rows = kept if rows is None else rows[kept]
                times_ns, columns = times_ns[kept], [c[kept] for c in columns]
        last = len(times_ns) - 1
        if last < 0:
            return
        if isinstance(self.times, TimeColumn):
            self.times.check_order(
                block.times[self.group.time],
                block.first_row,
                times_ns,
                rows,
                self.last,
                may_repeat=self._spreader is not None,
            )
        elif self.group.time != ROW_TIME:
            # a clock of its own goes on beyond the last sample of a channel that ends early
            filled = np.flatnonzero(np.isfinite(columns[0]))
            last = int(filled[-1]) if len(filled) else -1
        if last >= 0:
            self.last = int(times_ns[last])
        self.first = int(times_ns[0]) if self.first is None else self.first
        if self._spreader is not None:
            times_ns, columns = self._spreader.push(self._packet_times.join(times_ns), columns)
        self._append(times_ns, columns, builders)

    def close(self, builders: Mapping[str, ChannelBuilder]) -> None:
        """Append what was held back, and hand over what is known about the times."""
        if self._spreader is not None and self.last is not None:
            times_ns, columns = self._spreader.close()
            self._append(times_ns, columns, builders)
            if len(times_ns):
                self.last = int(times_ns[-1])
        if isinstance(self.times, RowTimes):
            self.times.close()

    def columns(self, block: TableBlock) -> list[NDArray[np.float64]]:
        """Return the signal columns of a block, shape (rows,)."""
        return [block.signals[name] for plan in self.group.plans for name in plan.names]

    def _append(
        self,
        times_ns: NDArray[np.int64],
        columns: Sequence[NDArray[np.float64]],
        builders: Mapping[str, ChannelBuilder],
    ) -> None:
        done = 0
        for plan in self.group.plans:
            width = len(plan.names)
            builders[plan.name].append(times_ns, columns[done : done + width])
            done += width


class TableCapture:
    """A table as a `Capture`.

    Parameters
    ----------
    table : Table
    options : TimeOptions, optional
    clocks : mapping of str to RowClock, optional
        Clocks of rows without a time column, by `TimeGroup.time`.
    notes : sequence of str
        Remarks about the recognition of the file.
    """

    def __init__(
        self,
        table: Table,
        options: TimeOptions | None = None,
        clocks: Mapping[str, RowClock] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.table = table
        self.source = table.source
        self.plans = table.layout.plans
        self.headers = table.headers
        self._options = options or TimeOptions()
        self._clocks = clocks or {}
        self._ignored = (*notes, *ignored_columns_note(table.source, table.layout.ignored))
        self._packets: dict[str, _Packets] = {}
        self._resolutions: dict[str, tuple[int, int]] = {}
        self._first_ns: int | None = None
        self._readers = self._preview()
        axes = [reader.times.reading.axis for reader in self._readers]
        self.time_axis: str = next((axis for axis in axes if axis != "time_s"), "time_s")

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks for the user: how the file was recognised, and how its times are read."""
        times = [note for reader in self._readers for note in reader.times.notes]
        packets = [
            Note(
                "times",
                f"{self.source}: several rows have one time; they are spread over the time to the "
                f"next ({NS / rate.period_ns:.6g} Hz)",
            )
            for rate in dict.fromkeys(packets.rate for packets in self._packets.values())
        ]
        repeated = sum(reader.rows.repeated for reader in self._readers)
        if repeated:
            times.append(
                Note(
                    "unread",
                    f"{self.source}: {repeated} rows that repeat the row before are left out",
                )
            )
        return (*self._ignored, *dict.fromkeys([*times, *packets]), *self.table.notes)

    def first_time_ns(self) -> int:
        """Return the first time in ns; files are ordered by it.

        Raises
        ------
        InputError
            If there is no row, or its time cannot be parsed.
        """
        if self._first_ns is None:
            raise InputError(
                self.source, "no rows after the header", "give a capture with samples", "header"
            )
        return self._first_ns

    def read_into(self, builders: Mapping[str, ChannelBuilder]) -> tuple[int, int]:
        """Append all samples to the builders of their channels; see `Capture.read_into`."""
        self._readers = self._open()
        for reader in self._readers:
            written, binary = self._resolutions.get(reader.group.time, (0, 0))
            packets = self._packets.get(reader.group.time)
            for plan in reader.group.plans:
                builders[plan.name].set_time_resolution(written, binary, self._stated_fs(reader))
                # beside EMG, the header does not tell of slower acceleration
                fastest = max(p.kind for p in self.plans)
                if plan.kind == fastest and reader.group.name != ROW_TIME:
                    builders[plan.name].header_rate = self._options.header_fs, reader.group.time
                if packets is not None:
                    builders[plan.name].set_least_gap(packets.rate.least_gap_ns)
        for block in self.table.blocks():
            for reader in self._readers:
                reader.read(block, builders)
        for reader in self._readers:
            reader.close(builders)
            numbers = reader.times.numbers_column()
            if numbers is not None:
                numbers.conclude(partial(self.table.cells, reader.group.time))
            if reader.times.single_step_ns:
                for plan in reader.group.plans:
                    builders[plan.name].set_time_resolution(
                        0, round(reader.times.single_step_ns), self._stated_fs(reader)
                    )
        firsts = [r.first for r in self._readers if r.first is not None]
        lasts = [r.last for r in self._readers if r.last is not None]
        if not firsts or not lasts:  # the file changed since `first_time_ns` read it
            raise InputError(self.source, "no rows after the header", "try again", "header")
        return min(firsts), max(lasts)

    def locate(self, time_ns: int) -> str | None:
        """Return the row of a time, for messages; None if no row has exactly this time."""
        readers = self._open()
        for block in self.table.blocks():
            for reader in readers:
                times_ns, rows = reader.parse(block)
                i = int(np.searchsorted(times_ns, time_ns))
                if i < len(times_ns) and times_ns[i] == time_ns:
                    row = i if rows is None else int(rows[i])
                    return self.table.locate_row(block.first_row + row)
        return None

    def _open(self) -> list[_GroupReader]:
        """Return the readers of all time columns, at the start of the file."""
        readers = []
        for group in self.table.layout.groups:
            times: TimeColumn | RowTimes
            if group.name == ROW_TIME:
                times = RowTimes(self.source, self._clocks[group.time], self._options)
            else:
                times = TimeColumn(
                    self.source,
                    group.time,
                    group.name,
                    self.table.locate_row,
                    self._options,
                    self.table.decimal_sign(group.time),
                )
            readers.append(_GroupReader(group, times, self._packets.get(group.time)))
        return readers

    def _preview(self) -> list[_GroupReader]:
        """Read the first rows, and decide how the times are read."""
        readers = self._open()
        block = next(self.table.blocks(PREVIEW_ROWS), None)
        if block is None:
            return readers
        firsts = []
        for reader in readers:
            times_ns, _ = reader.parse(block)
            if len(times_ns):
                firsts.append(int(times_ns[0]))
                time = reader.group.time
                self._resolutions[time] = self._resolution_ns(reader)
                if isinstance(reader.times, TimeColumn) and come_in_packets(
                    PacketTimes().join(times_ns)
                ):
                    self._packets[time] = self._find_packets(time)
        self._first_ns = min(firsts, default=None)
        return readers

    def _stated_fs(self, reader: _GroupReader) -> float | None:
        """Return the rate that the user states, or that of packets."""
        packets = self._packets.get(reader.group.time)
        return self._options.fs if packets is None else NS / packets.rate.period_ns

    def _find_packets(self, time: str) -> _Packets:
        """Return the rate of rows that come in packets of one time."""
        reader = next(r for r in self._open() if r.group.time == time)
        block = next(self.table.blocks(CHUNK_ROWS))
        times_ns, rows = reader.parse(block)
        columns = [c if rows is None else c[rows] for c in reader.columns(block)]
        repeated = are_rows_repeated(times_ns, columns)
        kept = RowFilter(may_repeat=True, repeats=repeated).select(times_ns, columns)
        times_ns = PacketTimes().join(times_ns if kept is None else times_ns[kept])
        rate = find_packet_rate(
            self.source,
            f"column {time}",
            times_ns,
            self._resolutions[time][0],
            self._options.fs,
        )
        return _Packets(rate, repeated)

    def _resolution_ns(self, reader: _GroupReader) -> tuple[int, int]:
        """Return the resolution of the times as it is written, and as it was stored."""
        binary = round(reader.times.single_step_ns)
        if binary or reader.group.name == ROW_TIME:
            return 0, binary
        unit_ns = reader.times.reading.unit_ns
        return self.table.time_resolution_ns(reader.group.time, unit_ns), 0
