"""Parquet captures: the same columns as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io.column_mapping import HeaderMap
from twitchsense.io.table_capture import CHUNK_ROWS, Block, read_layout, to_floats


class ParquetTable:
    """A Parquet capture, read in batches of rows.

    Parameters
    ----------
    path : Path
    source : str
        How messages call the file.
    mapping : HeaderMap

    Raises
    ------
    InputError
        If the file is damaged, or its columns can't be used.
    MissingExtraError
        If pyarrow is not installed.
    """

    def __init__(self, path: Path, source: str, mapping: HeaderMap) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise MissingExtraError("parquet", "reading Parquet") from error
        self.path = path
        self.source = source
        self._errors = (pyarrow.ArrowException, OSError, ValueError)
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                names = list(file.schema_arrow.names)
        except self._errors as error:
            raise self._damaged(error) from error
        self._names = {name.strip(): name for name in names}
        self.headers = tuple(name.strip() for name in names)
        self.layout = read_layout(source, self.headers, mapping)

    def blocks(self, rows: int = CHUNK_ROWS) -> Iterator[Block]:
        """Yield the rows, some at a time.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        import pyarrow.parquet

        wanted = [self._names[n] for n in (self.layout.time, *self.layout.signals)]
        first_row = 0
        with pyarrow.parquet.ParquetFile(self.path) as file:
            batches = file.iter_batches(rows, columns=wanted, use_threads=False)
            while True:
                try:
                    batch = next(batches, None)
                    # to_pandas by column: the index of a data frame is a column too
                    columns = {n: batch[n].to_pandas() for n in wanted} if batch else {}
                except self._errors as error:
                    raise self._damaged(error) from error
                if batch is None:
                    return
                signals = {
                    name: to_floats(columns[self._names[name]]) for name in self.layout.signals
                }
                time = columns[self._names[self.layout.time]].reset_index(drop=True)
                yield Block(first_row, time, signals)
                first_row += len(time)

    def place(self, row: int) -> str:
        """Return the number of a row, counted from one."""
        return f"row {row + 1}"

    def _damaged(self, error: Exception) -> InputError:
        return InputError(
            self.source,
            f"this is no Parquet file, or it is damaged or cut short ({error})",
            "write or copy it again",
        )
