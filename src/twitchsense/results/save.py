"""Saving results: the event CSV and the other files of `analyze`, and the files of `trend`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from twitchsense.output_files import check_output_directory, write_directory
from twitchsense.results.traces import TRACES_FILE, NightWithHours, pack_traces
from twitchsense.scoring.glossary import glossary
from twitchsense.scoring.result_checksums import add_checksums
from twitchsense.text import escape_formula

if TYPE_CHECKING:
    from twitchsense.trend.weeks import Weeks

#: Every file that `Night.save` may write; the command line checks its inputs against them.
RESULT_FILES: Final = (
    "events.csv",
    "events.json",
    "rejected.csv",
    "epochs.csv",
    "summary.json",
    TRACES_FILE,
    "report.html",
)

#: Decimals of the numbers in the tables: finer than the measurement.
_DECIMALS: Final = {
    "onset": 6,
    "duration": 6,
    "min_from_onset": 4,
    "amplitude_uv": 3,
    "peak_g": 5,
    "jerk_g_s": 4,
    "rise_ms": 3,
    "snr_db": 2,
    "confidence": 3,
    "time_error_s": 4,
    "activity": 6,
    "valid": 4,
}

#: Rows of a table that are formatted at a time: their texts take much more than the numbers.
_ROWS: Final = 2000

#: Description and unit of the columns that only ``epochs.csv`` has.
EPOCH_COLUMNS: Final[dict[str, dict[str, Any]]] = {
    "activity": {
        "Description": "mean dynamic acceleration of the epoch, leg events masked",
        "Units": "g",
    },
    "valid": {"Description": "share of the epoch with valid signal, 0 to 1"},
}


def write_results(
    files: Iterable[tuple[str, str | bytes]], directory: Path, *, report: bool
) -> Path:
    """Write result files into a directory: all files, or on failure none.

    Parameters
    ----------
    files : iterable of (str, str or bytes)
        Names and contents.
    directory : Path
        Created if it does not exist.
    report : bool
        Whether `files` has a report. If not, a report of an earlier analysis is removed.

    Returns
    -------
    Path
        The directory given.

    Raises
    ------
    InputError
        If the directory is a file or cannot be written.
    """
    old = [] if report or not _has_generated_report(directory) else ["report.html"]
    write_directory(directory, files, remove=old, last="summary.json")
    return directory


def format_files(
    night: NightWithHours, words: str | None = None, report: Callable[[], str] | None = None
) -> Iterator[tuple[str, str | bytes]]:
    """Format the result files of a night.

    Parameters
    ----------
    night : Night
    words : str, optional
        The person's own words on the night.
    report : callable, optional
        Makes the report; without it, there is none.

    Yields
    ------
    name : str
    content : str or bytes
    """
    yield "events.json", to_json({**glossary(night.settings), **EPOCH_COLUMNS})
    read_back = {
        "events.csv": to_csv(night.events).encode(),
        "rejected.csv": to_csv(night.rejected).encode(),
        "epochs.csv": to_csv(night.epochs).encode(),
        TRACES_FILE: pack_traces(night),
    }
    yield from read_back.items()
    summary = json.loads(to_json(night.summary_dict()))
    if words is not None:
        summary["words"] = words
    yield "summary.json", to_json(add_checksums(summary, read_back))
    if report is not None:
        yield "report.html", report()


def report_of(
    night: NightWithHours,
    directory: Path,
    words: str | None,
    compare: Sequence[str | PathLike[str]],
) -> Callable[[], str]:
    """Return a function that makes the report of a night.

    Parameters
    ----------
    night : Night
    directory : Path
        Directory of its results, which are not compared with themselves.
    words, compare
        As for `NightOutputs.report`.

    Returns
    -------
    callable

    Raises
    ------
    InputError
        If results to compare with cannot be read.
    """
    from twitchsense.report.page import render_report  # imports jinja2 and matplotlib
    from twitchsense.trend.nights import read_other_nights

    sha256 = night.recording.sha256
    own = read_other_nights([Path(p) for p in compare], sha256, directory) if compare else None
    return lambda: render_report(night, night.event_windows(), words=words, own_nights=own)


def save_weeks(weeks: Weeks, directory: Path) -> Path:
    """Write ``trend.html``, ``nights.csv``, ``associations.csv`` and ``trend.json``.

    All files are written, or on failure none.

    Parameters
    ----------
    weeks : Weeks
    directory : Path
        Created if it does not exist.

    Returns
    -------
    Path
        The directory given.

    Raises
    ------
    InputError
        If the directory is a file or cannot be written.
    """
    from twitchsense.report.trend_page import render_weeks  # imports jinja2 and matplotlib

    check_output_directory(directory)
    nights = weeks.nights.assign(evening=weeks.nights["evening"].map(_format_date))
    files = {
        "nights.csv": to_csv(nights),
        "associations.csv": to_csv(weeks.associations),
        "trend.json": to_json(weeks.to_dict()),
        "trend.html": render_weeks(weeks),
    }
    write_directory(directory, files.items(), last="trend.json")
    return directory


def to_csv(table: pd.DataFrame) -> str:
    """Format a table as CSV: fixed decimals, missing values empty, no spreadsheet formulas.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    str
        CSV with a header row; lines end in a line feed.
    """
    names = [escape_formula(str(name)) for name in table.columns]
    header = pd.DataFrame(columns=names).to_csv(index=False, lineterminator="\n")
    blocks = (table.iloc[k : k + _ROWS] for k in range(0, len(table), _ROWS))
    return header + "".join(map(_format_rows, blocks))


def _format_rows(table: pd.DataFrame) -> str:
    columns: list[list[str]] = []
    for name, column in table.items():
        if pd.api.types.is_bool_dtype(column):
            columns.append([str(int(v)) for v in column])
        elif pd.api.types.is_numeric_dtype(column):
            decimals = _DECIMALS.get(str(name), 6)
            columns.append([_format_number(float(v), decimals) for v in column])
        else:
            columns.append(["" if pd.isna(v) else escape_formula(str(v)) for v in column])
    rows = pd.DataFrame(dict(enumerate(columns)), columns=range(len(columns)))
    return rows.to_csv(index=False, header=False, lineterminator="\n")


def to_json(data: Any) -> str:
    """Format data as indented JSON; a number that is not finite becomes null.

    Parameters
    ----------
    data : dict, list, str, number or None
        NumPy scalars are allowed.

    Returns
    -------
    str
        JSON text, ending in a newline.
    """
    return json.dumps(_to_jsonable(data), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _format_number(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return ""
    text = f"{value:.{decimals}f}"
    if "." in text and decimals != 6:
        text = text.rstrip("0").rstrip(".")
    return text.removeprefix("-") if float(text) == 0 else text


def _to_jsonable(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(k): _to_jsonable(v) for k, v in data.items()}
    if isinstance(data, (list, tuple)):
        return [_to_jsonable(v) for v in data]
    if hasattr(data, "item"):  # a numpy scalar
        data = data.item()
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data


def _format_date(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else ""


def _has_generated_report(directory: Path) -> bool:
    """Return whether a directory has a report that twitchsense wrote for an earlier analysis."""
    try:
        with (directory / "report.html").open("rb") as file:
            return b'name="generator" content="twitchsense' in file.read(4096)
    except OSError:
        return False
