"""Exports a recording: one file for each group of channels with a common time base."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import MissingExtraError
from twitchsense.io.bids.bids_write import write_bids
from twitchsense.io.edf.edf_write import group_by_time_base, write_edf
from twitchsense.model.channels import NS, Channel, Samples, Segment
from twitchsense.model.recording import Recording
from twitchsense.output_files import check_target, staged

if TYPE_CHECKING:
    import pandas as pd

#: Rows that are written at once.
_BLOCK_ROWS: Final = 200_000

TableWriter = Callable[["pd.DataFrame"], None]


def export(recording: Recording, kind: str, out: Path, *, force: bool = False) -> list[Path]:
    """Write a recording as CSV, Parquet or EDF+, which `read` accepts, or as BIDS.

    Parameters
    ----------
    recording : Recording
    kind : {'csv', 'parquet', 'edf', 'bids'}
    out : Path
        Folder. It is created if it does not exist. All files are written, or none.
    force : bool
        Whether to replace files of an earlier export; not of a BIDS data set.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the folder already holds such files, or cannot be written.
    MissingExtraError
        If `kind` is ``parquet`` and pyarrow is not installed.
    """
    if kind == "bids":
        return write_bids(recording, out)
    groups = group_by_time_base(recording)
    paths = [out / f"{_file_stem(group, groups)}.{kind}" for group in groups]
    for path in paths:
        check_target(path, force)
    with staged(out, replace=force) as folder:
        for group, path in zip(groups, paths, strict=True):
            if kind == "edf":
                write_edf(recording, group, folder / path.name)
                continue
            with {"csv": open_csv, "parquet": _open_parquet}[kind](folder / path.name) as write:
                for table in _tables(recording, group):
                    write(table)
    return paths


def _file_stem(group: list[Channel], groups: list[list[Channel]]) -> str:
    kind = group[0].kind
    only_one = sum(g[0].kind == kind for g in groups) == 1
    return kind if only_one else "-".join(c.name for c in group)


def _tables(recording: Recording, group: list[Channel]) -> Iterator[pd.DataFrame]:
    """Yield the rows of a file in blocks."""
    fs = group[0].fs
    start_ns, last_ns = _end_rows(recording)
    if start_ns is not None:
        yield _table(recording, group, np.array([start_ns]))
    columns: list[tuple[Segment, ...]] = [recording.segments_of(c.name) for c in group]
    for segments in zip(*columns, strict=True):
        first = segments[0]
        for start in range(0, len(first.samples), _BLOCK_ROWS):
            stop = min(start + _BLOCK_ROWS, len(first.samples))
            offsets = np.rint(np.arange(start, stop) * (NS / fs)).astype(np.int64)
            samples = [s.samples.read(start, stop) for s in segments]
            yield _table(recording, group, first.start_ns + offsets, samples)
    if last_ns is not None:
        yield _table(recording, group, np.array([last_ns]))


def _end_rows(recording: Recording) -> tuple[int | None, int | None]:
    """Return the times (ns) of empty rows at the ends, where the recording has no samples.

    Such a row keeps the extent of the recording; None where the samples reach the end.
    """
    row_ns = round(NS / max(c.fs for c in recording.channels))
    start, last = recording.start_ns, recording.end_ns - row_ns
    first = min(s.start_ns for s in recording.segments)
    end = max(recording.segment_end_ns(s) for s in recording.segments)
    # less than half a row is a rounding error of the clock
    missing_end = recording.end_ns - end > row_ns / 2
    return start if start < first else None, last if missing_end else None


def _table(
    recording: Recording,
    group: list[Channel],
    times_ns: NDArray[np.int64],
    samples: Sequence[Samples] | None = None,
) -> pd.DataFrame:
    """Return rows of a file; their signals are empty if `samples` is None."""
    import pandas as pd

    table: dict[str, Any] = {}
    if recording.start_utc_ns is None:
        table["time_s"] = times_ns / NS
    else:
        utc = (times_ns + recording.start_utc_ns).view("datetime64[ns]")
        table["time_utc"] = pd.to_datetime(utc, utc=True)
    for i, channel in enumerate(group):
        shape = (len(times_ns), channel.width)
        values = np.full(shape, np.nan, np.float32) if samples is None else samples[i]
        for axis, name in enumerate(channel.columns):
            table[name] = values[:, axis]
    return pd.DataFrame(table)


@contextlib.contextmanager
def open_csv(path: Path) -> Iterator[TableWriter]:
    """Open a CSV file; yield a function that appends rows.

    Parameters
    ----------
    path : Path

    Yields
    ------
    callable
        Takes a DataFrame with ``time_s`` or ``time_utc`` and signal columns.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        first = True

        def write(table: pd.DataFrame) -> None:
            nonlocal first
            if "time_utc" in table:
                naive = table["time_utc"].dt.tz_localize(None).to_numpy()
                table["time_utc"] = np.char.add(np.datetime_as_string(naive, unit="ns"), "Z")
            else:
                table["time_s"] = table["time_s"].map("{:.9f}".format)
            # of a float32, pandas writes the shortest number that restores it: -0.2
            digits = "%.9g" if (table.dtypes == np.float64).any() else None
            table.to_csv(file, index=False, header=first, float_format=digits)
            first = False

        yield write


@contextlib.contextmanager
def _open_parquet(path: Path) -> Iterator[TableWriter]:
    """Open a Parquet file; yield a function that appends rows."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("parquet", "writing Parquet") from error
    with contextlib.ExitStack() as stack:
        writer: Any = None

        def write(table: pd.DataFrame) -> None:
            nonlocal writer
            rows = pa.Table.from_pandas(table, preserve_index=False)
            if writer is None:
                # opened here: as text, pyarrow takes UTF-8 names only
                file = stack.enter_context(pa.OSFile(os.fsencode(path), "wb"))
                writer = stack.enter_context(pq.ParquetWriter(file, rows.schema))
            writer.write_table(rows)

        yield write
