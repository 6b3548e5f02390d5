"""CSV captures and other text tables, read in chunks by the C parser of pandas."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.tables.date_forms import find_order
from twitchsense.io.tables.iso_times import IsoTimes, fixed_width, other_width
from twitchsense.io.tables.local_clock import TimeOptions
from twitchsense.io.tables.number_cells import NumberColumn, find_decimal_sign
from twitchsense.io.tables.row_clock import RowClock
from twitchsense.io.tables.table_capture import CHUNK_ROWS, TableBlock, TableCapture
from twitchsense.io.tables.table_layout import ROW_TIME, parse_header
from twitchsense.io.tables.time_reading import CLOCK_TIMES
from twitchsense.io.text.csv_dialect import CsvDialect, named_dialect
from twitchsense.io.text.csv_head import read_head
from twitchsense.io.text.csv_rows import ByteStream, escape_unclosed_quotes, is_comment, open_stream
from twitchsense.io.text.date_and_time import find_dates
from twitchsense.io.text.dialects import find_dialect
from twitchsense.io.text.held_rows import HeldRows
from twitchsense.model.notes import with_source
from twitchsense.threads import read_ahead

#: Exceptions of damaged gzip data, raised while pandas reads.
_GZIP_ERRORS: Final = (EOFError, gzip.BadGzipFile, zlib.error)
#: Buffer (bytes) between the rows and pandas.
_BUFFER_BYTES: Final = 1 << 18


def open_csv(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> TableCapture:
    """Open a text table of any dialect.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping
    zone : str or None
        IANA time zone of local times.

    Returns
    -------
    TableCapture

    Raises
    ------
    InputError
        If the file is not a text table, or its header cannot be used.
    """
    table = CsvTable(path, source, mapping)
    dialect = table.dialect
    options = TimeOptions(
        decimal=table.decimal,
        zone=zone,
        unit=mapping.time_unit,
        date_format=dialect.time_format,
        utc_offset_s=dialect.utc_offset_s,
        fs=mapping.fs,
        first_time_ns=dialect.first_time_ns,
        zone_in_brackets=dialect.zone_in_brackets,
        header_fs=dialect.header_fs,
    )
    mapped = [name for name in dialect.headers if mapping.preview(name) != name]
    which = f"; --map decides on {', '.join(mapped)}" if mapped else ""
    notes = [f"{source}: read as {dialect.maker}{which}"] if dialect.maker else []
    notes += [with_source(source, note) for note in (*dialect.notes, *table.joined_notes)]
    return TableCapture(table, options, table.clocks, notes)


class CsvTable:
    """A text table as a `Table`.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping

    Raises
    ------
    InputError
        If the file is not a text table, or its header cannot be used.
    """

    def __init__(self, path: Path, source: str, mapping: ColumnMapping) -> None:
        self.path = path
        self.source = source
        mapping.lines_used = True
        head = read_head(path, source).without_lines(mapping.skip_rows)
        stated = mapping.names
        dialect = named_dialect(head, stated) if stated else find_dialect(head, mapping)
        self.dialect: CsvDialect = dialect
        self.clocks = dict(dialect.row_clocks)
        if dialect.row_clock is not None or mapping.fs is not None:
            clock = dialect.row_clock or RowClock(mapping.fs or 0.0)
            self.clocks[ROW_TIME] = clock if mapping.fs is None else replace(clock, fs=mapping.fs)
        self.headers = dialect.headers
        self.layout = parse_header(
            source,
            self.headers,
            mapping,
            presets=dialect.names,
            time_groups=dialect.time_groups,
            has_rate=ROW_TIME in self.clocks,
            hidden=dialect.ignored,
            no_signal=dialect.no_signal,
        )
        index = {name: i for i, name in reversed(list(enumerate(self.headers)))}
        names = [*self.layout.times, *self.layout.signals]
        for group in self.layout.groups:
            if group.name == ROW_TIME:
                names.extend(self.clocks[group.time].columns)
        self._sample = head.rows(dialect.body, dialect.separator)
        self._sample_columns: dict[int, list[str]] = {}
        self._index = index
        free = [n for n in self.layout.ignored if mapping.preview(n) == n]
        self._joined = find_dates(self.layout, dialect, free, self._sample_cells)
        joined = [name for column in self._joined.values() for name in column.columns]
        self.layout = replace(
            self.layout, ignored=tuple(n for n in self.layout.ignored if n not in joined)
        )
        self.joined_notes = [column.note for column in self._joined.values()]
        names.extend(joined)
        self._index = {name: index[name] for name in names}
        self.decimal = find_decimal_sign(
            [self._sample_cells(name) for name in (*self.layout.signals, *self.layout.times)]
        )
        self._iso_widths = self._find_iso_times()
        self._numbers: dict[str, NumberColumn] = {}
        self._held = HeldRows()
        self._transfers = {
            name: transfer
            for name, transfer in dialect.transfers.items()
            # the user may state another unit than the format
            if mapping.preview(name) == name or mapping.preview(name).endswith("_uv")
        }

    @property
    def notes(self) -> list[str]:
        """Remarks on cells that are not numbers, in the rows read so far."""
        notes = []
        for name, numbers in self._numbers.items():
            cells = numbers.note
            if cells is not None:
                what = "1 cell is not a number: a gap"
                if cells.count > 1:
                    what = f"{cells.count} cells are not numbers: gaps"
                notes.append(
                    f"{self.source}: {name}: {what} (first "
                    f"'{cells.text[:20]}', {self.locate_row(cells.row)})"
                )
        return notes

    def blocks(self, rows: int = CHUNK_ROWS) -> Iterator[TableBlock]:
        """Yield all rows in blocks.

        Parameters
        ----------
        rows : int
            Maximum number of rows of a block.

        Raises
        ------
        InputError
            If the file is damaged, a row has more fields than the header, or a column has
            numbers with two readings.
        """
        dialect, excess = self.dialect, len(self.headers)
        self._numbers = {
            name: NumberColumn(
                self.source, name, self.decimal_sign(name), self.decimal, self.locate_row
            )
            for name in self.layout.signals
        }
        times = [name for name in self._index if name not in self._numbers]
        first_row = 0
        for frame in read_ahead(self._typed_frames([*self._index.values(), excess], rows)):
            self._refuse_long_rows(frame[str(excess)], first_row)
            signals = {}
            for name, column in self._numbers.items():
                values = column.parse(frame[str(self._index[name])], first_row)
                if name in self._transfers:
                    values = self._transfers[name].apply(values)
                length = dialect.lengths.get(name)
                if length is not None and first_row + len(values) > length:
                    values = values.copy()
                    values[max(0, length - first_row) :] = np.nan
                signals[name] = values
            held = [name for name in dialect.held if name in signals]
            if held:
                signals |= self._held.leave_out(signals, held, first_row)
            series = {n: frame[str(self._index[n])].reset_index(drop=True) for n in times}
            for name, joined in self._joined.items():
                others = [series.pop(other) for other in joined.columns]
                series[name] = joined.join(self.source, series[name], others)
            for name, length in dialect.lengths.items():
                if name in series and first_row + len(frame) > length:
                    series[name] = series[name].where(np.arange(len(frame)) < length - first_row)
            yield TableBlock(first_row, series, signals)
            first_row += len(frame)
        for name, column in self._numbers.items():
            column.conclude(partial(self.cells, name))

    def cells(self, name: str) -> Iterator[pd.Series]:
        """Yield a column as text, block by block.

        Parameters
        ----------
        name : str
        """
        index = self._index[name]
        for frame in self._frames([index], CHUNK_ROWS, dtype=str):
            yield frame[str(index)]

    def decimal_sign(self, name: str) -> str:
        """Return the decimal sign of a column, as its first cells show it.

        Parameters
        ----------
        name : str
        """
        return find_decimal_sign([self._sample_cells(name)], self.decimal)

    def locate_row(self, row: int, damaged: bool = False) -> str:
        """Return the line number of a row, counting comments and blank lines.

        Parameters
        ----------
        row : int
            Number of the row, counted from zero after the header.
        damaged : bool
            Whether to return the last readable line if the compressed data end before.

        Returns
        -------
        str
            Such as ``line 17``.
        """
        number, remaining = 0, row + 1
        with open_stream(self.path) as stream:
            text = io.TextIOWrapper(stream, "latin-1")  # accepts any byte and any newline
            try:
                for line in text:
                    number += 1
                    if number <= self.dialect.header_line or not line.strip(" \n"):
                        continue
                    if line.lstrip(" ").startswith("#") and is_comment(line.encode("latin-1")):
                        continue
                    remaining -= 1
                    if not remaining:
                        break
            except _GZIP_ERRORS:
                if not damaged:
                    raise
        return f"line {number}"

    def time_resolution_ns(self, time: str, unit_ns: float) -> int:
        """Return the resolution of a time column whose cells all have equally many decimals.

        Parameters
        ----------
        time : str
            Name of the column.
        unit_ns : float
            Length of its unit in ns.

        Returns
        -------
        int
            In ns; 0 if the cells do not show it.
        """
        cells = [c for c in self._sample_cells(time)[:1000] if c]
        sign = self.decimal_sign(time)
        if not cells or not all(c.replace(sign, "", 1).lstrip("-").isdigit() for c in cells):
            return 0
        decimals = {len(c.partition(sign)[2]) for c in cells}
        if len(decimals) > 1:
            return 0
        return max(1, round(unit_ns / float(10 ** decimals.pop())))

    def _typed_frames(self, columns: Sequence[int], rows: int) -> Iterator[pd.DataFrame]:
        """Yield columns of the file in blocks of rows, ISO times as times while they are regular.

        From the first block with a time that is not, all times are text.
        """
        done = 0
        if self._iso_widths:
            columns_of_times = {c: IsoTimes(*form) for c, form in self._iso_widths.items()}
            dtypes = {c: f"S{width}" for c, (width, _) in self._iso_widths.items()}
            for frame in self._frames(columns, rows, dtype=dtypes):
                times = {c: column.parse(frame[c]) for c, column in columns_of_times.items()}
                if any(series is None for series in times.values()):
                    break
                yield frame.assign(**times)
                done += 1
            else:
                return
        yield from islice(self._frames(columns, rows), done, None)

    def _frames(self, columns: Sequence[int], rows: int, **options: Any) -> Iterator[pd.DataFrame]:
        """Yield columns of the file in blocks of rows."""
        dialect = self.dialect
        # one column after the last catches rows that are too long
        names = dialect.separator.join(str(i) for i in range(len(self.headers) + 1)) + "\n"
        done = 0
        with open_stream(self.path) as stream:
            stream.seek(dialect.body)
            body = escape_unclosed_quotes(stream, dialect.separator)
            text = io.BufferedReader(ByteStream(chain([names.encode()], body)), _BUFFER_BYTES)
            try:
                with pd.read_csv(
                    text,
                    sep=dialect.separator,
                    decimal=self.decimal,
                    usecols=list(columns),
                    index_col=False,
                    chunksize=rows,
                    low_memory=False,
                    encoding="utf-8",
                    **options,
                ) as reader:
                    for frame in reader:
                        yield frame
                        done += len(frame)
            except _GZIP_ERRORS as error:
                raise InputError(
                    self.source,
                    f"the compressed file is damaged or cut short ({error})",
                    "copy it again, or unpack what can be saved with gzip -dc",
                    f"after {self.locate_row(done, damaged=True)}",
                ) from error
            except pd.errors.ParserError as error:
                raise InputError(
                    self.source,
                    f"cannot be split into columns ({error})",
                    "look for a quotation mark that is never closed, and remove it",
                    f"after {self.locate_row(done)}",
                ) from error

    def _find_iso_times(self) -> dict[str, tuple[int, str | None]]:
        """Return the width and the order of the cells of each column of times of one form.

        The width (bytes) is what is read of a cell; the order is that of `IsoTimes`.
        """
        dialect = self.dialect
        if dialect.zone_in_brackets or dialect.first_time_ns is not None:
            return {}
        found: dict[str, tuple[int, str | None]] = {}
        for group in self.layout.groups:
            cells, column = [], str(self._index.get(group.time, ""))
            if group.time in self._joined:
                continue
            if group.name in CLOCK_TIMES and group.time not in dialect.lengths:
                cells = self._sample_cells(group.time)
            width = 0 if dialect.time_format else fixed_width(cells, group.name)
            order: str | None = None
            if cells and not width and group.name != "time_utc":
                order = find_order(cells, dialect.time_format)
                width = 0 if order is None else other_width(cells, order)
            if width:
                found[column] = width, order
        return found

    def _sample_cells(self, name: str) -> list[str]:
        """Return the first cells of a column as text."""
        index = self._index[name]
        if index not in self._sample_columns:
            self._sample_columns[index] = [r[index] for r in self._sample if len(r) > index]
        return self._sample_columns[index]

    def _refuse_long_rows(self, excess: pd.Series, first_row: int) -> None:
        filled = excess.notna().to_numpy(copy=True)
        if filled.any():  # LabChart writes comments behind the last column
            filled &= ~excess.astype("str").str.startswith("#").to_numpy(bool)
        if filled.any():
            row = first_row + int(filled.argmax())
            decimal = self.dialect.separator == ","
            raise InputError(
                self.source,
                f"more fields than the header's {len(self.headers)}",
                "write decimal points, not commas, and one field for each column"
                if decimal
                else "write one field for each column",
                self.locate_row(row),
            )
