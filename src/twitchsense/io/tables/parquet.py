"""Parquet captures, with the same columns as CSV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.tables.table_capture import CHUNK_ROWS, TableBlock
from twitchsense.io.tables.typed_table import TypedTable

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData, ParquetFile


#: Bytes of text that a column chunk may have for each value, and beside them.
_TEXT_BYTES: Final = 64
_MORE_TEXT_BYTES: Final = 1 << 20


class ParquetTable(TypedTable):
    """A Parquet file as a `Table`, read in batches of rows.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping

    Raises
    ------
    InputError
        If the file is damaged, or its columns cannot be used.
    MissingExtraError
        If pyarrow is not installed.
    """

    def __init__(self, path: Path, source: str, mapping: ColumnMapping) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise MissingExtraError("parquet", "reading Parquet") from error
        self.path = path
        self.source = source
        self._errors = (pyarrow.ArrowException, OSError, ValueError)
        try:
            with _open(path) as file:
                names = list(file.schema_arrow.names)
                long_text = _find_long_text(file.metadata)
        except self._errors as error:
            raise self._damaged_error(error) from error
        self._names = {name.strip(): name for name in names}
        self.headers = tuple(name.strip() for name in names)
        self.layout = self._find_layout(mapping)
        for name in (*self.layout.times, *self.layout.signals):
            if self._names[name] in long_text:
                raise InputError(
                    source,
                    f"holds texts of up to {long_text[self._names[name]] / 1e6:.0f} MB",
                    "write numbers, or leave the column out",
                    f"column {name}",
                )

    def blocks(self, rows: int = CHUNK_ROWS) -> Iterator[TableBlock]:
        """Yield all rows in blocks.

        Parameters
        ----------
        rows : int
            Maximum number of rows of a block.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        columns = [self._names[n] for n in (*self.layout.times, *self.layout.signals)]
        first_row = 0
        with _open(self.path) as file:
            batches = file.iter_batches(rows, columns=columns, use_threads=False)
            while True:
                try:
                    batch = next(batches, None)
                    if batch is not None:
                        batch.validate(full=True)  # text may be no UTF-8
                    # column by column: as a data frame, an index column would get lost
                    series = {n: batch[n].to_pandas() for n in columns} if batch else {}
                except self._errors as error:
                    raise self._damaged_error(error) from error
                if batch is None:
                    return
                signals = {
                    name: self._values(name, series[self._names[name]])
                    for name in self.layout.signals
                }
                times = {
                    name: series[self._names[name]].reset_index(drop=True)
                    for name in self.layout.times
                }
                yield TableBlock(first_row, times, signals)
                first_row += batch.num_rows

    def _damaged_error(self, error: Exception) -> InputError:
        return InputError(
            self.source,
            f"this is not a Parquet file, or it is damaged or cut short ({error})",
            "write or copy it again",
        )


@contextmanager
def _open(path: Path) -> Iterator[ParquetFile]:
    """Open a file whose name may be no UTF-8, which pyarrow does not take as text."""
    import pyarrow
    import pyarrow.parquet

    with (
        pyarrow.OSFile(os.fsencode(path), "rb") as source,
        pyarrow.parquet.ParquetFile(source) as file,
    ):
        yield file


def _find_long_text(metadata: FileMetaData) -> dict[str, int]:
    """Return the size in bytes of column chunks whose text is longer than that of numbers."""
    found: dict[str, int] = {}
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            size = column.total_uncompressed_size
            allowed = _TEXT_BYTES * column.num_values + _MORE_TEXT_BYTES
            if column.physical_type == "BYTE_ARRAY" and size > allowed:
                name = column.path_in_schema
                found[name] = max(found.get(name, 0), size)
    return found
