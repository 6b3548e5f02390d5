"""The dataset of a cohort: one Parquet file per night and table.

``DIR/events/*.parquet`` is one table, ``DIR/nights/*.parquet`` another: Parquet tools read
a directory of files as one table. The files of a night appear together, its row in ``nights``
last, so a killed run leaves no incomplete night.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from twitchsense.errors import MissingExtraError
from twitchsense.model.event_table import CONTEXTS, EVENT_COLUMNS, REJECTED_COLUMNS, Column
from twitchsense.output_files import cannot_write, write_directory, write_file
from twitchsense.results.save import EPOCH_COLUMNS, to_json
from twitchsense.scoring.glossary import glossary
from twitchsense.settings import Settings

_NIGHT: Final = Column("night", "str", "name of the night in the list")

NIGHT_COLUMNS: Final = (
    _NIGHT,
    Column("captures", "str", "names of its files"),
    Column("start_utc", "time", "start of the recording, UTC; empty where the clock is unknown"),
    Column("zone", "str", "time zone of the wearer"),
    Column(
        "duration_s",
        "float64",
        "from the first row to the last, gaps included",
        "s",
    ),
    Column("emg_hours", "float64", "hours of valid EMG", "h"),
    Column("acc_hours", "float64", "hours of valid acceleration", "h"),
    Column("sleep_onset_s", "float64", "sleep onset, from the start of the recording", "s"),
    Column("sleep_onset_low_s", "float64", "low end of its interval", "s"),
    Column("sleep_onset_high_s", "float64", "high end of its interval", "s"),
    Column("sleep_onset_source", "str", "source of the estimate"),
    Column("n_events", "int64", "rows in events"),
    Column("n_rejected", "int64", "rows in rejected"),
    Column("notes", "str", "notes of the reader and of the analysis, one per line"),
    Column("summary", "str", "the whole of summary.json"),
    Column("input", "str", "SHA-256 of the captures' content"),
    Column("settings", "str", "hash of the settings"),
    Column("version", "str", "of twitchsense"),
    Column("key", "str", "hash of everything the result depends on"),
    Column("stamp", "str", "hash of path, size and times of its files when they were read"),
    Column("took_s", "float64", "duration of its analysis", "s"),
    Column("cpu_s", "float64", "processor time of its analysis", "s"),
    Column("peak_mb", "float64", "peak memory of its worker so far", "MB"),
)
RATE_COLUMNS: Final = (
    _NIGHT,
    Column("grouping", "str", "what is counted: kind or label"),
    Column("name", "str", "the kind or label"),
    Column("context", "str", "sleep context", levels={"any": "the whole night", **CONTEXTS}),
    Column("count", "int64", "events"),
    Column("hours", "float64", "valid hours in which they could be seen", "h"),
    Column("rate_per_h", "float64", "events per valid hour", "1/h"),
    Column("low", "float64", "low end of the exact 95 % interval", "1/h"),
    Column("high", "float64", "high end", "1/h"),
)
FAILED_COLUMNS: Final = (
    _NIGHT,
    Column("captures", "str", "names of its files"),
    Column(
        "cause",
        "str",
        "kind of the failure",
        levels={
            "input": "a file that can't be used; retried once it, the settings or the "
            "version changes",
            "worker": "the process died twice, or ran out of memory; retried by the next run",
            "error": "an internal error; retried by the next run",
        },
    ),
    Column("reason", "str", "problem and cure"),
    Column("place", "str", "list and line"),
    Column("key", "str", "hash of everything the failure depends on, if it was computed"),
    Column("stamp", "str", "as in nights"),
    Column("version", "str", "of twitchsense"),
)
_EPOCHS: Final = (
    _NIGHT,
    Column("onset", "float64", "start of the epoch", "s"),
    Column("duration", "float64", "its length", "s"),
    *(c for c in EVENT_COLUMNS if c.name in ("context", "stage")),
    *(
        Column(name, "float64", str(about["Description"]), str(about.get("Units", "")))
        for name, about in EPOCH_COLUMNS.items()
    ),
)
#: Every table of a dataset. A night is finished when ``nights`` has its row.
TABLES: Final[Mapping[str, tuple[Column, ...]]] = {
    "events": (_NIGHT, *EVENT_COLUMNS),
    "rejected": (_NIGHT, *REJECTED_COLUMNS),
    "epochs": _EPOCHS,
    "rates": RATE_COLUMNS,
    "nights": NIGHT_COLUMNS,
    "failed": FAILED_COLUMNS,
}


if TYPE_CHECKING:
    from twitchsense.results.night import Night


def part_file_name(night: str) -> str:
    """Return the name of a night's Parquet files.

    Parameters
    ----------
    night : str
        Name of the night; any text.

    Returns
    -------
    str
        ASCII, at most 100 characters, unique to the name (it contains a hash).
    """
    digest = hashlib.sha256(night.encode()).hexdigest()[:16]
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', night).strip('-')[-60:]}-{digest}.parquet"


def create_dataset(out: Path, settings: Iterable[Settings] = ()) -> None:
    """Create the directories of a dataset and ``columns.json``, which describes its columns.

    Parameters
    ----------
    out : Path
        Directory of the dataset.
    settings : iterable of Settings
        The settings of its nights. Where these differ in a limit, the descriptions name the
        settings instead of stating their values.

    Raises
    ------
    InputError
        If it cannot be written.
    MissingExtraError
        If pyarrow is not installed.
    """
    _arrow()
    try:
        for table in TABLES:
            (out / table).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error
    texts = {_describe_columns(s) for s in {s.digest(): s for s in settings}.values()}
    text = texts.pop() if len(texts) == 1 else _describe_columns(None)
    write_file(out / "columns.json", text)


def _describe_columns(settings: Settings | None) -> str:
    return to_json({table: glossary(settings, columns) for table, columns in TABLES.items()})


def write_night(out: Path, night: Night, row: Mapping[str, Any]) -> None:
    """Write the tables of a finished night: all of them, or none.

    Parameters
    ----------
    out : Path
        Directory of the dataset.
    night : Night
    row : mapping of column to value
        Values of the columns of `NIGHT_COLUMNS` that don't follow from `night`: its name,
        version, hashes and cost.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    summary = night.summary_dict()
    name = str(row["night"])
    files = {
        f"{table}/{part_file_name(name)}": _parquet(
            table, name, {c: data[c].tolist() for c in data.columns}, len(data)
        )
        for table, data in (
            ("events", night.events),
            ("rejected", night.rejected),
            ("epochs", night.epochs),
            ("rates", pd.DataFrame(_rates(summary), columns=[c.name for c in RATE_COLUMNS[1:]])),
        )
    }
    values = {**_night_row(night, summary), **row}
    last = f"nights/{part_file_name(name)}"
    files[last] = _parquet("nights", name, {key: [value] for key, value in values.items()}, 1)
    failed = f"failed/{part_file_name(name)}"
    write_directory(out, files.items(), remove=[failed], last=last)


def write_failure(out: Path, row: Mapping[str, Any]) -> None:
    """Write the reason why a night failed, and delete its tables of an earlier run.

    Parameters
    ----------
    out : Path
        Directory of the dataset.
    row : mapping of column to value
        As in `FAILED_COLUMNS`.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    name = str(row["night"])
    tables = ("nights", "events", "rejected", "epochs", "rates")
    earlier = [f"{table}/{part_file_name(name)}" for table in tables]
    content = _parquet("failed", name, {key: [value] for key, value in row.items()}, 1)
    write_directory(out, [(f"failed/{part_file_name(name)}", content)], remove=earlier)


def read_row(out: Path, table: str, night: str, columns: Sequence[str]) -> dict[str, Any] | None:
    """Read the row of a night.

    Parameters
    ----------
    out : Path
        Directory of the dataset.
    table : {'nights', 'failed'}
    night : str
        Name of the night.
    columns : sequence of str
        Columns to read.

    Returns
    -------
    dict or None
        None if the night has no row, or its file is damaged.
    """
    arrow, parquet = _arrow()
    path = out / table / part_file_name(night)
    with suppress(OSError, ValueError, KeyError):  # a damaged file counts as missing
        content = arrow.BufferReader(path.read_bytes())
        rows: list[dict[str, Any]] = parquet.read_table(content, columns=list(columns)).to_pylist()
        return rows[0] if rows else None
    return None


def update_row(out: Path, table: str, night: str, changes: Mapping[str, Any]) -> None:
    """Change values in the row of a night, if it has one.

    Parameters
    ----------
    out : Path
        Directory of the dataset.
    table : {'nights', 'failed'}
    night : str
        Name of the night.
    changes : mapping of column to value
    """
    row = read_row(out, table, night, [c.name for c in TABLES[table]])
    if row is not None:
        content = _parquet(table, night, {k: [v] for k, v in {**row, **changes}.items()}, 1)
        write_file(out / table / part_file_name(night), content)


def _parquet(table: str, night: str, data: Mapping[str, list[Any]], n: int) -> bytes:
    """Return the Parquet file of a night and table."""
    arrow, parquet = _arrow()
    types = {
        "float64": arrow.float64(),
        "int64": arrow.int64(),
        "str": arrow.string(),
        "time": arrow.timestamp("us", tz="UTC"),
    }
    values_by_column = {**data, "night": [night] * n}
    arrays, fields = [], []
    for column in TABLES[table]:
        values: Iterable[Any] = values_by_column[column.name]
        if column.dtype == "str":
            values = (v or None for v in values)
        # from_pandas: NaN becomes a missing value
        arrays.append(arrow.array(values, types[column.dtype], from_pandas=True))
        fields.append(arrow.field(column.name, types[column.dtype]))
    sink = arrow.BufferOutputStream()
    part = arrow.Table.from_arrays(arrays, schema=arrow.schema(fields))
    parquet.write_table(part, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _night_row(night: Night, summary: Mapping[str, Any]) -> dict[str, Any]:
    recording, onset, hours = night.recording, summary["sleep_onset"], summary["valid_hours"]
    utc = recording.start_utc_ns
    return {
        "captures": summary["provenance"]["source"],
        "start_utc": None if utc is None else (utc + recording.start_ns) // 1000,
        "zone": recording.zone,
        "duration_s": summary["duration_s"],
        "emg_hours": hours.get("emg", {}).get("total", 0.0),
        "acc_hours": hours.get("acc", {}).get("total", 0.0),
        **{f"sleep_onset_{part}": onset[part] for part in ("low_s", "high_s", "source")},
        "sleep_onset_s": onset["time_s"],
        "n_events": summary["n_events"],
        "n_rejected": summary["n_rejected"],
        "notes": "\n".join(summary["notes"]),
        "summary": to_json(summary),
        "settings": summary["provenance"]["settings"],
        "input": summary["provenance"]["sha256"],
    }


def _rates(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    contexts = {"any": summary, **summary["by_context"]}
    return [
        {"grouping": grouping, "name": name, "context": context, **cell}
        for grouping in ("kind", "label")
        for context, cells in contexts.items()
        for name, cell in cells[f"by_{grouping}"].items()
    ]


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("parquet", "a cohort's dataset") from error
    return pyarrow, pyarrow.parquet
