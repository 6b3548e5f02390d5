"""CSV captures, read in chunks by the C parser of pandas."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.column_mapping import HeaderMap
from twitchsense.io.csv_dialect import Dialect, open_stream, sniff
from twitchsense.io.csv_repair import guard_quotes
from twitchsense.io.table_capture import CHUNK_ROWS, Block, read_layout, to_floats

#: What damaged bytes raise inside pandas.
_DAMAGE: Final = (EOFError, gzip.BadGzipFile, zlib.error)


class CsvTable:
    """A CSV capture.

    Parameters
    ----------
    path : Path
    source : str
        How messages call the file.
    mapping : HeaderMap

    Raises
    ------
    InputError
        If the file is no CSV, or its header can't be used.
    """

    def __init__(self, path: Path, source: str, mapping: HeaderMap) -> None:
        self.path = path
        self.source = source
        self.dialect: Dialect = sniff(path, source)
        self.headers = self.dialect.headers
        self.layout = read_layout(source, self.headers, mapping)

    def blocks(self, rows: int = CHUNK_ROWS) -> Iterator[Block]:
        """Yield the rows, some at a time.

        Raises
        ------
        InputError
            For damaged bytes and rows with more fields than the header.
        """
        headers, dialect = self.headers, self.dialect
        at = {name: headers.index(name) for name in (self.layout.time, *self.layout.signals)}
        # a column after the last catches rows that are too long
        over = len(headers)
        first_row = 0
        with open_stream(self.path) as stream:
            stream.seek(dialect.body)
            names = dialect.separator.join(str(i) for i in range(over + 1)) + "\n"
            body = guard_quotes(stream, dialect.separator)
            text = io.BufferedReader(_Pieces(chain([names.encode()], body)), 1 << 18)
            try:
                with pd.read_csv(
                    text,
                    sep=dialect.separator,
                    decimal=dialect.decimal,
                    usecols=[*at.values(), over],
                    index_col=False,
                    chunksize=rows,
                    low_memory=False,
                    comment="#",
                    encoding="utf-8",
                    encoding_errors="replace",
                ) as reader:
                    for frame in reader:
                        self._refuse_long_rows(frame[str(over)], first_row)
                        signals = {n: to_floats(frame[str(at[n])]) for n in self.layout.signals}
                        time = frame[str(at[self.layout.time])].reset_index(drop=True)
                        yield Block(first_row, time, signals)
                        first_row += len(frame)
            except _DAMAGE as error:
                raise InputError(
                    self.source,
                    f"the compressed file is damaged or cut short ({error})",
                    "copy it again, or unpack what can be saved with gzip -dc",
                    f"after {self.place(first_row, damaged=True)}",
                ) from error
            except pd.errors.ParserError as error:
                raise InputError(
                    self.source,
                    f"cannot be split into columns ({error})",
                    "look for a quotation mark that is never closed, and remove it",
                    f"after {self.place(first_row)}",
                ) from error

    def place(self, row: int, damaged: bool = False) -> str:
        """Return the line of a row, counting comments and blank lines."""
        with open_stream(self.path) as stream:
            text = io.TextIOWrapper(stream, "latin-1")  # any newline, any byte
            number = 0
            left = row + 1
            try:
                for line in text:
                    number += 1
                    if number <= self.dialect.header_line or not line.partition("#")[0].strip():
                        continue
                    left -= 1
                    if not left:
                        break
            except _DAMAGE:
                if not damaged:
                    raise
        return f"line {number}"

    def _refuse_long_rows(self, over: pd.Series, first_row: int) -> None:
        filled = over.notna().to_numpy(copy=True)
        if filled.any():
            row = first_row + int(filled.argmax())
            decimal = self.dialect.separator == ","
            raise InputError(
                self.source,
                f"more fields than the header's {len(self.headers)}",
                "write decimal points, not commas, and one field for each column"
                if decimal
                else "write one field for each column",
                self.place(row),
            )


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count
