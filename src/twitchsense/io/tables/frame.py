"""DataFrames as captures, with the same columns as CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.tables.local_clock import TimeOptions
from twitchsense.io.tables.row_clock import RowClock
from twitchsense.io.tables.table_capture import CHUNK_ROWS, TableBlock, TableCapture
from twitchsense.io.tables.table_layout import ROW_TIME
from twitchsense.io.tables.typed_table import TypedTable

#: Name of a DataFrame in messages, and the source of its recording.
FRAME: Final = "DataFrame"


def open_frame(frame: pd.DataFrame, mapping: ColumnMapping, zone: str | None) -> TableCapture:
    """Open a DataFrame.

    Parameters
    ----------
    frame : DataFrame
        One row per sample. An index of times serves as the time column if no column does.
    mapping : ColumnMapping
    zone : str or None
        IANA time zone of local times.

    Returns
    -------
    TableCapture

    Raises
    ------
    InputError
        If its columns cannot be used.
    """
    table = FrameTable(frame, mapping)
    options = TimeOptions(zone=zone, unit=mapping.time_unit, fs=mapping.fs)
    clocks = {} if mapping.fs is None else {ROW_TIME: RowClock(mapping.fs)}
    return TableCapture(table, options, clocks, table.unit_notes)


def hash_frame(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of the names and values of a DataFrame, in hexadecimal digits."""
    digest = hashlib.sha256("\n".join(map(str, frame.columns)).encode())
    try:
        rows = pd.util.hash_pandas_object(frame)
    except TypeError:  # a column of lists or other objects
        rows = pd.util.hash_pandas_object(frame.astype(str))
    digest.update(rows.to_numpy().tobytes())
    return digest.hexdigest()


class FrameTable(TypedTable):
    """A DataFrame as a `Table`.

    Parameters
    ----------
    frame : DataFrame
    mapping : ColumnMapping

    Raises
    ------
    InputError
        If its columns cannot be used.
    """

    source = FRAME

    def __init__(self, frame: pd.DataFrame, mapping: ColumnMapping) -> None:
        if isinstance(frame.columns, pd.MultiIndex):
            raise InputError(FRAME, "has columns of several levels", "give one name per column")
        self._frame = _with_time_column(frame)
        self.headers = tuple(str(name).strip() for name in self._frame.columns)
        self.layout = self._find_layout(mapping)

    def blocks(self, rows: int = CHUNK_ROWS) -> Iterator[TableBlock]:
        """Yield all rows in blocks.

        Parameters
        ----------
        rows : int
            Maximum number of rows of a block.
        """
        position = {name: i for i, name in enumerate(self.headers)}
        for first in range(0, len(self._frame), rows):
            part = self._frame.iloc[first : first + rows]
            columns = {
                name: part.iloc[:, position[name]].reset_index(drop=True)
                for name in (*self.layout.times, *self.layout.signals)
            }
            signals = {n: self._values(n, columns[n]) for n in self.layout.signals}
            yield TableBlock(first, {n: columns[n] for n in self.layout.times}, signals)


def _with_time_column(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its index as a column if it is one of times."""
    index = frame.index
    if isinstance(index, pd.DatetimeIndex):
        name, values = "time_utc", pd.Series(index)
    elif isinstance(index, pd.TimedeltaIndex):
        name, values = "time_s", pd.Series(index.total_seconds())
    elif index.name in ("time_s", "time_utc"):
        name, values = str(index.name), pd.Series(index.to_numpy())
    else:
        return frame
    if name in frame.columns:
        return frame
    table = frame.reset_index(drop=True)
    table.insert(0, name, values)
    return table
