"""CSV captures, read in chunks by the C parser of pandas.

A quotation mark that opens a field and is never closed would make the parser take all rows
up to the next mark for one field, so that hours could be lost without a message. Such marks
are made ordinary characters before pandas sees them (`escape_unclosed_quotes`).
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.capture import ColumnMapping
from twitchsense.io.csv_dialect import CsvDialect, detect_dialect, open_stream
from twitchsense.io.table_capture import CHUNK_ROWS, TableBlock, parse_header
from twitchsense.io.time_column import to_floats

#: Exceptions of damaged gzip data, raised while pandas reads.
_GZIP_ERRORS: Final = (EOFError, gzip.BadGzipFile, zlib.error)
#: Bytes read at once by `escape_unclosed_quotes`.
READ_BYTES: Final = 1 << 18
#: Maximum length (bytes) of a row in which quotation marks are checked.
_MAX_ROW_BYTES: Final = 1 << 20
#: Buffer (bytes) between `escape_unclosed_quotes` and pandas.
_BUFFER_BYTES: Final = 1 << 18
_NEWLINES: Final = b"\r\n"


class CsvTable:
    """A CSV file as a `Table`.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping

    Raises
    ------
    InputError
        If the file is not CSV, or its header cannot be used.
    """

    def __init__(self, path: Path, source: str, mapping: ColumnMapping) -> None:
        self.path = path
        self.source = source
        self.dialect: CsvDialect = detect_dialect(path, source)
        self.headers = self.dialect.headers
        self.layout = parse_header(source, self.headers, mapping)

    def blocks(self, rows: int = CHUNK_ROWS) -> Iterator[TableBlock]:
        """Yield all rows in blocks.

        Parameters
        ----------
        rows : int
            Maximum number of rows of a block.

        Raises
        ------
        InputError
            If the file is damaged, or a row has more fields than the header.
        """
        headers, dialect = self.headers, self.dialect
        index = {name: headers.index(name) for name in (self.layout.time, *self.layout.signals)}
        # one column after the last catches rows that are too long
        excess = len(headers)
        first_row = 0
        with open_stream(self.path) as stream:
            stream.seek(dialect.body)
            names = dialect.separator.join(str(i) for i in range(excess + 1)) + "\n"
            body = escape_unclosed_quotes(stream, dialect.separator)
            text = io.BufferedReader(_ByteStream(chain([names.encode()], body)), _BUFFER_BYTES)
            try:
                with pd.read_csv(
                    text,
                    sep=dialect.separator,
                    decimal=dialect.decimal,
                    usecols=[*index.values(), excess],
                    index_col=False,
                    chunksize=rows,
                    low_memory=False,
                    comment="#",
                    encoding="utf-8",
                    encoding_errors="replace",
                ) as reader:
                    for frame in reader:
                        self._refuse_long_rows(frame[str(excess)], first_row)
                        signals = {n: to_floats(frame[str(index[n])]) for n in self.layout.signals}
                        time = frame[str(index[self.layout.time])].reset_index(drop=True)
                        yield TableBlock(first_row, time, signals)
                        first_row += len(frame)
            except _GZIP_ERRORS as error:
                raise InputError(
                    self.source,
                    f"the compressed file is damaged or cut short ({error})",
                    "copy it again, or unpack what can be saved with gzip -dc",
                    f"after {self.locate_row(first_row, damaged=True)}",
                ) from error
            except pd.errors.ParserError as error:
                raise InputError(
                    self.source,
                    f"cannot be split into columns ({error})",
                    "look for a quotation mark that is never closed, and remove it",
                    f"after {self.locate_row(first_row)}",
                ) from error

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
        with open_stream(self.path) as stream:
            text = io.TextIOWrapper(stream, "latin-1")  # accepts any byte and any newline
            number = 0
            remaining = row + 1
            try:
                for line in text:
                    number += 1
                    if number <= self.dialect.header_line or not line.partition("#")[0].strip():
                        continue
                    remaining -= 1
                    if not remaining:
                        break
            except _GZIP_ERRORS:
                if not damaged:
                    raise
        return f"line {number}"

    def _refuse_long_rows(self, excess: pd.Series, first_row: int) -> None:
        filled = excess.notna().to_numpy(copy=True)
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


class _ByteStream(io.RawIOBase):
    """A raw stream over an iterator of byte strings.

    Parameters
    ----------
    parts : iterator of bytes
    """

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._pending = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer from the current part; return the number of bytes, 0 at the end."""
        while not self._pending:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._pending = part
        count = min(len(buffer), len(self._pending))
        buffer[:count], self._pending = self._pending[:count], self._pending[count:]
        return count


def escape_unclosed_quotes(
    stream: io.BufferedReader | gzip.GzipFile, separator: str
) -> Iterator[bytes]:
    """Yield the bytes of a CSV so that no quoted field extends beyond its row.

    A blank is inserted before each quotation mark that opens a field and is not closed in
    the same row, which makes it an ordinary character. Its cell is then not a number: a gap
    in a signal column, or an error that names the line in the time column.

    Parameters
    ----------
    stream : binary file
        At the first row after the header.
    separator : str
        Field separator.

    Yields
    ------
    bytes
        Whole rows; rows of more than a megabyte are passed on unchanged.
    """
    rest = b""
    while data := stream.read(READ_BYTES):
        data = rest + data
        end = max(data.rfind(newline) for newline in (b"\n", b"\r")) + 1
        yield _escape_rows(data[:end], separator.encode())
        rest = data[end:]
        if len(rest) > _MAX_ROW_BYTES:
            yield rest
            rest = b""
    yield _escape_rows(rest, separator.encode())


def _escape_rows(text: bytes, separator: bytes) -> bytes:
    """Escape the unclosed quotation marks of whole rows."""
    if b'"' not in text:
        return text
    characters = np.frombuffer(text + b"\n", np.uint8)
    ends = np.flatnonzero(np.isin(characters, list(_NEWLINES)))
    quotes = np.flatnonzero(characters == ord('"'))
    # in a well-formed row, every second quotation mark stands at the end of a field
    closing = np.isin(characters[quotes + 1], list(separator + _NEWLINES))
    balance = np.bincount(np.searchsorted(ends, quotes), 1.0 - 2.0 * closing)
    starts = np.concatenate([[0], ends + 1])
    parts, done = [], 0
    for row in np.flatnonzero(balance).tolist():
        start, stop = int(starts[row]), int(ends[row])
        parts += [text[done:start], _escape_row(text[start:stop], separator)]
        done = stop
    return b"".join([*parts, text[done:]])


def _escape_row(row: bytes, separator: bytes) -> bytes:
    """Insert a blank before each quotation mark that opens a field which never closes."""
    unquoted = rb"[^" + re.escape(separator) + rb"]*+"
    field = rb'(?:"(?:[^"]|"")*+"|(?!"))' + unquoted
    closed = re.compile(rb"(?:" + field + separator + rb")*+" + field)
    fields = re.compile(rb"(?:" + field + separator + rb")*+")
    if closed.fullmatch(row.partition(b"#")[0]):
        return row  # any further quotation mark is in a comment
    while not closed.fullmatch(row):
        match = fields.match(row)
        i = match.end() if match else 0
        row = row[:i] + b" " + row[i:]
    return row
