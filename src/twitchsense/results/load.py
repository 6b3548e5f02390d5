"""Reopening a result directory: everything the report needs, without the recording.

`analyze` writes ``traces.npz`` beside its tables: per-second statistics of each channel,
and the samples around each event. Together with the tables they suffice to draw everything
that the report shows.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.errors import InputError
from twitchsense.model.channels import NS
from twitchsense.model.event_table import EVENT_COLUMNS, LATER_COLUMNS, REJECTED_COLUMNS, Column
from twitchsense.model.notes import Note
from twitchsense.model.per_second import PerSecond
from twitchsense.model.recording import Recording
from twitchsense.report.event_windows import EventWindow, join_windows
from twitchsense.results.outputs import NightOutputs
from twitchsense.results.save import RESULT_FILES, to_json
from twitchsense.results.traces import TRACES_FILE, unpack_traces
from twitchsense.scoring.result_checksums import KEY, add_checksums, check_file
from twitchsense.scoring.summary import CURE, decode_result_text, read_result_file, read_summary
from twitchsense.settings import Settings
from twitchsense.sleep.onset import SleepOnset

#: Files beside ``summary.json`` that are read back.
_READ_BACK: Final = ("events.csv", "rejected.csv", "epochs.csv", TRACES_FILE)
#: What is raised for values of another form.
_UNUSABLE: Final = (ArithmeticError, AttributeError, ValueError, LookupError, TypeError)
#: What `zipfile`, `zlib` and `numpy.load` raise for damaged archives, and `unpack_traces` for
#: content of another form.
_NPZ_ERRORS: Final = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
    *(struct.error, *_UNUSABLE),
)


@dataclass(frozen=True, slots=True, repr=False)
class SavedNight(NightOutputs):
    """A night reopened from the files that `analyze` wrote.

    Its tables are those of the `twitchsense.Night` that was saved, to the last bit. Reports and
    plots take it like a `Night`.

    Attributes
    ----------
    directory : Path
        The result directory.
    summary_json : dict
        The content of ``summary.json``.
    settings : Settings
        Settings of the analysis.
    recording : Recording
        Only the samples around events; its length is that of the night.
    events, rejected, epochs : DataFrame
        The tables of the directory; missing text is empty (see `twitchsense.to_categories`).
    seconds : mapping of channel name to PerSecond
        Per-second statistics.
    traces : list of EventWindow
        Samples around each event.
    stored_hours : DataFrame or None
        See `valid_hours`; None if an earlier version wrote the result.
    """

    directory: Path
    summary_json: dict[str, Any]
    settings: Settings
    recording: Recording
    events: pd.DataFrame
    rejected: pd.DataFrame
    epochs: pd.DataFrame
    seconds: Mapping[str, PerSecond]
    traces: list[EventWindow]
    stored_hours: pd.DataFrame | None = None

    @property
    def onset(self) -> SleepOnset:
        """Sleep onset."""
        onset = self.summary_json["sleep_onset"]
        methods = self.summary_json.get("sleep_onset_methods", {})
        return SleepOnset(
            onset["time_s"],
            onset["low_s"],
            onset["high_s"],
            onset["source"],
            methods.get("definition", "first_epoch"),
            methods.get("opinions_s", {}),
        )

    @property
    def notes(self) -> Sequence[str]:
        """Notes of the reader and of the analysis."""
        return [str(n) for n in self.summary_json["notes"]]

    @property
    def main_notes(self) -> list[Note]:
        """The notes that question the result, each with its cure; the most important first."""
        texts = self.summary_json.get("main_notes", [])
        kinds = self.summary_json.get("main_note_kinds", ["signal"] * len(texts))
        return [Note(kind, str(text)) for kind, text in zip(kinds, texts, strict=True)]

    @property
    def valid_s(self) -> Mapping[str, float]:
        """Seconds of valid signal per channel."""
        return {name: float(s) for name, s in self.summary_json["valid_s"].items()}

    def summary_dict(self) -> dict[str, Any]:
        """Return the content of ``summary.json``."""
        return self.summary_json

    def __repr__(self) -> str:
        hours = (self.recording.end_ns - self.recording.start_ns) / NS / 3600
        return f"<SavedNight {self.directory}: {hours:.2f} h, {len(self.events)} events>"

    def valid_hours(self) -> pd.DataFrame:
        """Return the hours of valid signal by sensor, leg, context and stage.

        Returns
        -------
        DataFrame
            Columns ``sensor``, ``leg``, ``context``, ``stage``, ``hours``.

        Raises
        ------
        InputError
            If the result was written by an earlier version, which did not store them.
        """
        if self.stored_hours is None:
            raise InputError(str(self.directory), "does not hold the valid hours", CURE)
        return self.stored_hours

    def event_windows(self) -> list[EventWindow]:
        """Return the samples around each event, as they were saved."""
        return self.traces

    def _result_files(
        self, words: str | None, report: Callable[[], str] | None
    ) -> Iterator[tuple[str, str | bytes]]:
        """Read the files as they are; other words and the report are written again."""
        names = [n for n in RESULT_FILES if n != "report.html"]
        stored = {name: read_result_file(self.directory / name) for name in names}
        files: dict[str, str | bytes] = {**stored}
        if words is not None:
            summary = {k: v for k, v in self.summary_json.items() if k != KEY} | {"words": words}
            read_back = {name: stored[name] for name in _READ_BACK}
            files["summary.json"] = to_json(add_checksums(summary, read_back))
        yield from files.items()
        if report is not None:
            yield "report.html", report()


def open_result(directory: str | PathLike[str]) -> SavedNight:
    """Reopen a result directory that `analyze` wrote.

    Parameters
    ----------
    directory : path
        The directory given to `Night.save` or ``analyze --out``.

    Returns
    -------
    SavedNight

    Raises
    ------
    InputError
        If a file is missing or is not as `analyze` writes it.
    """
    directory = Path(directory)
    summary = read_summary(directory)
    files = {}
    for name in _READ_BACK:
        files[name] = read_result_file(directory / name)
        check_file(summary, directory / name, files[name], CURE)
    tables = {
        "events": _parse_event_table(directory / "events.csv", files["events.csv"], EVENT_COLUMNS),
        "rejected": _parse_event_table(
            directory / "rejected.csv", files["rejected.csv"], REJECTED_COLUMNS
        ),
        "epochs": _parse_epochs(directory / "epochs.csv", files["epochs.csv"]),
    }
    try:
        stored = unpack_traces(files[TRACES_FILE])
        recording = Recording(
            stored.channels,
            join_windows(stored.channels, stored.traces),
            summary["clock"]["start_utc_ns"],
            summary["clock"]["zone"],
            summary["provenance"]["source"],
            summary["provenance"]["sha256"],
            covers_ns=stored.bounds_ns,
        )
        if any(t.event >= len(tables["events"]) for t in stored.traces):
            raise ValueError("a trace belongs to no row of the event table")
        for name, columns in stored.exact.items():
            tables[name] = tables[name].assign(**columns)
    except _NPZ_ERRORS as error:
        raise InputError(str(directory / TRACES_FILE), f"cannot be used ({error})", CURE) from error
    return SavedNight(
        directory,
        summary,
        stored.settings,
        recording,
        tables["events"],
        tables["rejected"],
        tables["epochs"],
        stored.seconds,
        stored.traces,
        stored.valid_hours,
    )


@contextmanager
def refuse_unusable(*nights: SavedNight) -> Iterator[None]:
    """Refuse a result of an earlier version that cannot be shown.

    Its files have no checksums, so that a value in them may be of another form. An error with
    results that have checksums is our own and is not caught.

    Parameters
    ----------
    *nights : SavedNight

    Raises
    ------
    InputError
    """
    unchecked = [n for n in nights if KEY not in n.summary_json]
    try:
        yield
    except _UNUSABLE as error:
        if not unchecked:
            raise
        text = f"has a value that cannot be used ({error})"
        raise InputError(str(unchecked[0].directory), text, CURE) from error


def _parse_event_table(path: Path, content: bytes, columns: Sequence[Column]) -> pd.DataFrame:
    """Return an event table: missing numbers are NaN, missing text is empty."""
    dtypes = {c.name: c.dtype for c in columns}
    text = {name: "object" for name, dtype in dtypes.items() if dtype != "float64"}
    try:
        empty = {name: [""] for name in dtypes if name not in text}
        table = pd.read_csv(
            io.StringIO(decode_result_text(path, content)),
            dtype=text,
            keep_default_na=False,
            na_values=empty,
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(str(path), f"is not a table of events ({error})", CURE) from error
    for name, dtype in dtypes.items():
        if name not in table and name in LATER_COLUMNS:
            table[name] = math.nan if dtype == "float64" else ""
        if name not in table:
            raise InputError(str(path), f"has no column {name!r}", CURE)
        if dtype == "float64":
            try:
                table[name] = pd.to_numeric(table[name], errors="coerce").astype(np.float64)
            except OverflowError as error:
                raise InputError(str(path), f"{name} holds too large a number", CURE) from error
    return table


def _parse_epochs(path: Path, content: bytes) -> pd.DataFrame:
    try:
        table = pd.read_csv(
            io.StringIO(decode_result_text(path, content)),
            dtype={"context": "object", "stage": "object"},
            keep_default_na=False,
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(str(path), f"is not a table of epochs ({error})", CURE) from error
    for name in ("onset", "duration", "context"):
        if name not in table:
            raise InputError(str(path), f"has no column {name!r}", CURE)
    return table
