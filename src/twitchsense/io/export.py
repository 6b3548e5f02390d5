"""A recording as files: one for each set of channels that were sampled together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io.edf_write import write_edf
from twitchsense.model.channels import NS, Channel, Samples, Segment
from twitchsense.model.recording import Recording

if TYPE_CHECKING:
    import pandas as pd

_ROWS: Final = 200_000

Writer = Callable[["pd.DataFrame"], None]


def export(recording: Recording, kind: str, out: Path) -> list[Path]:
    """Write a recording as CSV, Parquet or EDF+ that `read` takes again, or as BIDS.

    Parameters
    ----------
    recording : Recording
    kind : {'csv', 'parquet', 'edf', 'bids'}
    out : Path
        Folder; made if it does not exist.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        If the folder holds such files already.
    MissingExtraError
        If Parquet is asked for without its library.
    """
    if kind == "bids":
        from twitchsense.io.bids import write_bids

        return write_bids(recording, out)
    groups = sampled_together(recording)
    paths = [out / f"{_file_name(group, groups)}.{kind}" for group in groups]
    for path in paths:
        if path.exists():
            raise InputError(str(path), "is there already", "choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    for group, path in zip(groups, paths, strict=True):
        draft = path.with_name(path.name + ".part")
        try:
            if kind == "edf":
                write_edf(recording, group, draft)
            else:
                with {"csv": _open_csv, "parquet": _open_parquet}[kind](draft) as write:
                    for table in _tables(recording, group):
                        write(table)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return paths


def sampled_together(recording: Recording) -> list[list[Channel]]:
    """Put channels together whose samples were taken at the same times."""
    groups: dict[Any, list[Channel]] = {}
    for channel in recording.channels:
        shape = tuple((s.start_ns, len(s.samples)) for s in recording.segments_of(channel.name))
        groups.setdefault((channel.kind, channel.fs, shape), []).append(channel)
    return list(groups.values())


def _file_name(group: list[Channel], groups: list[list[Channel]]) -> str:
    kind = group[0].kind
    alone = sum(g[0].kind == kind for g in groups) == 1
    return kind if alone else "-".join(c.name for c in group)


def _tables(recording: Recording, group: list[Channel]) -> Iterator[pd.DataFrame]:
    fs = group[0].fs
    before, after = _silent_stamps(recording)
    if before is not None:
        yield _table(recording, group, np.array([before]))
    columns: list[tuple[Segment, ...]] = [recording.segments_of(c.name) for c in group]
    for together in zip(*columns, strict=True):
        first = together[0]
        for start in range(0, len(first.samples), _ROWS):
            stop = min(start + _ROWS, len(first.samples))
            stamps = first.start_ns + np.rint(np.arange(start, stop) * (NS / fs)).astype(np.int64)
            yield _table(recording, group, stamps, [s.samples.read(start, stop) for s in together])
    if after is not None:
        yield _table(recording, group, np.array([after]))


def _silent_stamps(recording: Recording) -> tuple[int | None, int | None]:
    """Return the times of the rows without a signal that tell how far the recording reaches."""
    row_ns = round(NS / max(c.fs for c in recording.channels))
    start, last = recording.start_ns, recording.end_ns - row_ns
    first = min(s.start_ns for s in recording.segments)
    end = max(recording.segment_end_ns(s) for s in recording.segments)
    # half a row is the rounding of a clock, not silence
    silent_end = recording.end_ns - end > row_ns / 2
    return start if start < first else None, last if silent_end else None


def _table(
    recording: Recording,
    group: list[Channel],
    stamps: NDArray[np.int64],
    samples: Sequence[Samples] | None = None,
) -> pd.DataFrame:
    """Return rows of a file; empty where there are no samples."""
    import pandas as pd

    table: dict[str, Any] = {}
    if recording.start_utc_ns is None:
        table["time_s"] = stamps / NS
    else:
        utc = (stamps + recording.start_utc_ns).view("datetime64[ns]")
        table["time_utc"] = pd.to_datetime(utc, utc=True)
    for i, channel in enumerate(group):
        shape = (len(stamps), channel.width)
        values = np.full(shape, np.nan, np.float32) if samples is None else samples[i]
        for axis, name in enumerate(channel.columns):
            table[name] = values[:, axis]
    return pd.DataFrame(table)


@contextlib.contextmanager
def _open_csv(path: Path) -> Iterator[Writer]:
    with path.open("w", encoding="utf-8", newline="") as file:
        first = True

        def write(table: pd.DataFrame) -> None:
            nonlocal first
            if "time_utc" in table:
                naive = table["time_utc"].dt.tz_localize(None).to_numpy()
                table["time_utc"] = np.char.add(np.datetime_as_string(naive, unit="ns"), "Z")
            else:
                table["time_s"] = table["time_s"].map("{:.9f}".format)
            # nine digits bring a float32 back exactly
            table.to_csv(file, index=False, header=first, float_format="%.9g")
            first = False

        yield write


@contextlib.contextmanager
def _open_parquet(path: Path) -> Iterator[Writer]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("parquet", "writing Parquet") from error
    writer: Any = None

    def write(table: pd.DataFrame) -> None:
        nonlocal writer
        rows = pa.Table.from_pandas(table, preserve_index=False)
        if writer is None:
            writer = pq.ParquetWriter(path, rows.schema)
        writer.write_table(rows)

    try:
        yield write
    finally:
        if writer is not None:
            writer.close()
