"""The dataset of a cohort: Parquet files, one for each night and table.

``DIR/events/*.parquet`` is one table, ``DIR/nights/*.parquet`` another: any tool that
reads Parquet takes a folder of files as one table. A night stands in ``nights`` once all
of it is written, so a run that was killed leaves no night that is half there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from twitchsense.cohort.tables import RATE_COLUMNS, TABLES
from twitchsense.errors import InputError, MissingExtraError
from twitchsense.model.event_table import glossary
from twitchsense.results.files import write_file
from twitchsense.results.save import to_json

if TYPE_CHECKING:
    from twitchsense.results.night import Night


def piece_name(night: str) -> str:
    """Return a file name for a night, whatever its name: safe, short, no two alike."""
    digest = hashlib.sha256(night.encode()).hexdigest()[:16]
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', night).strip('-')[-60:]}-{digest}.parquet"


def prepare(out: Path) -> None:
    """Make the folders of a dataset and write what its columns mean.

    Raises
    ------
    InputError
        If it can't be written.
    MissingExtraError
        If pyarrow is not installed.
    """
    _arrow()
    try:
        for table in TABLES:
            (out / table).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            str(out), f"cannot be written ({error.strerror})", "choose another --out"
        ) from error
    write_file(out / "columns.json", to_json({t: glossary(c) for t, c in TABLES.items()}))


def write_night(out: Path, night: Night, row: Mapping[str, Any]) -> None:
    """Write all of a finished night; its row in ``nights`` comes last.

    Parameters
    ----------
    out : Path
    night : Night
    row : mapping
        What `NIGHT_COLUMNS` need and the night does not know.

    Raises
    ------
    InputError
        If it can't be written.
    """
    facts = night.summary_dict()
    name = str(row["night"])
    for table, data in (
        ("events", night.events),
        ("rejected", night.rejected),
        ("epochs", night.epochs),
        ("rates", pd.DataFrame(_rates(facts), columns=[c.name for c in RATE_COLUMNS[1:]])),
    ):
        _write(out, table, name, {c: data[c].tolist() for c in data.columns}, len(data))
    values = {**_night_row(night, facts), **row}
    _write(out, "nights", name, {key: [value] for key, value in values.items()}, 1)
    (out / "failed" / piece_name(name)).unlink(missing_ok=True)


def write_failed(out: Path, row: Mapping[str, Any]) -> None:
    """Write why a night failed, and take away what an earlier run found in it.

    Raises
    ------
    InputError
        If it can't be written.
    """
    name = str(row["night"])
    for table in ("nights", "events", "rejected", "epochs", "rates"):
        (out / table / piece_name(name)).unlink(missing_ok=True)
    _write(out, "failed", name, {key: [value] for key, value in row.items()}, 1)


def read_row(out: Path, table: str, night: str, columns: Sequence[str]) -> dict[str, Any] | None:
    """Return a night's row in ``nights`` or ``failed``; None if it has none that can be read."""
    parquet = _arrow()[1]
    path = out / table / piece_name(night)
    with suppress(OSError, ValueError, KeyError):  # missing, or damaged: as if it were not there
        rows: list[dict[str, Any]] = parquet.read_table(path, columns=list(columns)).to_pylist()
        return rows[0] if rows else None
    return None


def change_row(out: Path, table: str, night: str, changes: Mapping[str, Any]) -> None:
    """Change values of a night's row."""
    row = read_row(out, table, night, [c.name for c in TABLES[table]])
    if row is not None:
        _write(out, table, night, {k: [v] for k, v in {**row, **changes}.items()}, 1)


def _write(out: Path, table: str, night: str, data: Mapping[str, list[Any]], n: int) -> None:
    arrow, parquet = _arrow()
    types = {
        "float64": arrow.float64(),
        "int64": arrow.int64(),
        "str": arrow.string(),
        "time": arrow.timestamp("us", tz="UTC"),
    }
    given = {**data, "night": [night] * n}
    arrays, fields = [], []
    for column in TABLES[table]:
        values: Iterable[Any] = given[column.name]
        if column.dtype == "str":
            values = (v or None for v in values)
        # from_pandas: not a number is a missing value
        arrays.append(arrow.array(values, types[column.dtype], from_pandas=True))
        fields.append(arrow.field(column.name, types[column.dtype]))
    sink = arrow.BufferOutputStream()
    made = arrow.Table.from_arrays(arrays, schema=arrow.schema(fields))
    parquet.write_table(made, sink, compression="zstd")
    write_file(out / table / piece_name(night), sink.getvalue().to_pybytes())


def _night_row(night: Night, facts: Mapping[str, Any]) -> dict[str, Any]:
    recording, onset, hours = night.recording, facts["sleep_onset"], facts["valid_hours"]
    utc = recording.start_utc_ns
    return {
        "captures": facts["provenance"]["source"],
        "start_utc": None if utc is None else (utc + recording.start_ns) // 1000,
        "zone": recording.zone,
        "duration_s": facts["duration_s"],
        "emg_hours": hours.get("emg", {}).get("total", 0.0),
        "acc_hours": hours.get("acc", {}).get("total", 0.0),
        **{f"sleep_onset_{part}": onset[part] for part in ("low_s", "high_s", "source")},
        "sleep_onset_s": onset["time_s"],
        "n_events": facts["n_events"],
        "n_rejected": facts["n_rejected"],
        "notes": "\n".join(facts["notes"]),
        "summary": to_json(facts),
        "settings": facts["provenance"]["settings"],
        "input": facts["provenance"]["sha256"],
    }


def _rates(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    places = {"any": facts, **facts["by_context"]}
    return [
        {"grouping": grouping, "name": name, "context": context, **cell}
        for grouping in ("kind", "label")
        for context, cells in places.items()
        for name, cell in cells[f"by_{grouping}"].items()
    ]


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("parquet", "a cohort's dataset") from error
    return pyarrow, pyarrow.parquet
