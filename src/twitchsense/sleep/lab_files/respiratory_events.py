"""Respiratory events of a laboratory's annotations, and of tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.text.text_table import TextTable, parse_table, read_text
from twitchsense.sleep.hypnogram import table_columns
from twitchsense.sleep.hypnogram.clock_text import is_clock_time
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.stage_codes import is_only_stage
from twitchsense.sleep.hypnogram.stage_words import bare_stage, left_out_note, name_words
from twitchsense.sleep.hypnogram.table_columns import find_column
from twitchsense.sleep.lab_files.lab_annotations import LabFile, place_clock_times
from twitchsense.sleep.lab_files.recognize import read_lab_file

#: Apneas, hypopneas and RERAs in the words of many programs and languages; a word with one
#: of `_NO_EVENT` in it is none.
_EVENT: Final = re.compile(
    r"apn(?:e|oe|é)|(?:hypo|hipo|ipo)pn|\brera\b|respiratory effort related|"
    r"^(?:oa|ca|ma|oh|ch|mh|h|hyp|hypop|osa|csa|msa)$"
)
_NO_EVENT: Final = re.compile(r"^arousal|apn\w* arousal$|desat|art[ei]fact|snor")
_CURE_SECONDS: Final = "give seconds from the start of the recording"
#: Largest time (s) that is accepted, about 300 years.
_MAX_TIME_S: Final = 1e10


@dataclass(frozen=True, slots=True, eq=False)
class RespiratoryEvents:
    """Respiratory events on the time axis of the recording.

    Attributes
    ----------
    events : DataFrame
        ``onset`` and ``duration`` in seconds.
    notes : tuple of str
        Assumptions made and annotations left out.
    """

    events: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_respiratory_events(path: Path, clock: NightClock | None = None) -> RespiratoryEvents:
    """Read the respiratory events of a table or of a laboratory's file.

    Parameters
    ----------
    path : Path
        CSV or TSV with ``onset`` (s or clock time) and ``duration`` (s), or a file that
        `twitchsense.sleep.lab_files.recognize` knows.
    clock : NightClock, optional
        Of the recording; required for clock times.

    Returns
    -------
    RespiratoryEvents
        Of a table with a column of names, such as ``trial_type``, only apneas, hypopneas
        and RERAs if there are any; of a table without names, every row.

    Raises
    ------
    InputError
        Naming the file, the place and the cure. A laboratory's file without a respiratory
        event is refused, because it may be the wrong one.
    MissingExtraError
        For EDF+ if edfio is not installed.
    """
    source = str(path)
    file = read_lab_file(path, source, clock)
    if file is not None:
        return _of_lab_file(file, source)
    return _of_table(parse_table(read_text(path, source), source), clock)


def is_respiratory_event(text: str) -> bool:
    """Return whether an annotation is an apnea, a hypopnea or a RERA.

    Parameters
    ----------
    text : str
        Text of an annotation, with or without a suffix.

    Returns
    -------
    bool
    """
    word = bare_stage(text).lower().replace("_", " ")
    return bool(_EVENT.search(word)) and not _NO_EVENT.search(word)


def _of_lab_file(file: LabFile, source: str) -> RespiratoryEvents:
    named = [a for a in file.annotations if a.kind != "stage"]
    events = [a for a in named if is_respiratory_event(a.text)]
    if not events:
        found = name_words(bare_stage(a.text) for a in file.annotations) or "none"
        raise _none_found(f"{file.program}: has no respiratory event ({found})", source)
    for event in events:
        if event.duration_us is None:
            raise InputError(
                source, f"{event.text!r} has no duration", "export it with durations", event.place
            )
    others = [bare_stage(a.text) for a in named if not is_respiratory_event(a.text)]
    others = [word for word in others if not is_only_stage(word, file.stage_codes)]
    frame = pd.DataFrame(
        {
            "onset": [a.onset_us / 1e6 for a in events],
            "duration": [(a.duration_us or 0) / 1e6 for a in events],
        }
    )
    return RespiratoryEvents(frame, (*left_out_note(others, "respiratory event"), *file.notes))


def _of_table(table: TextTable, clock: NightClock | None) -> RespiratoryEvents:
    onset = find_column(table, table_columns.ONSET)
    duration = find_column(table, table_columns.DURATION)
    end = find_column(table, table_columns.END)
    if onset is None or (duration is None and end is None):
        table.require("onset", "duration")
    assert onset is not None
    source, texts = table.source, table.columns[onset]
    notes: tuple[str, ...] = ()
    if texts and clock is not None and is_clock_time(texts[0]):
        placed, notes = place_clock_times(texts, clock, source, table.place)
        start = np.array(placed, np.float64) / 1e6
    else:
        start = table.numbers(onset)
    if duration is not None:
        length = table.numbers(duration)
    else:
        assert end is not None
        length = table.numbers(end) - start
    check_event_times(start, length, source, table.place)
    frame = pd.DataFrame({"onset": start, "duration": length})
    names = find_column(table, table_columns.EVENT)
    if names is None or not texts:
        return RespiratoryEvents(frame, notes)
    words = table.columns[names]
    chosen = np.array([is_respiratory_event(word) for word in words])
    if chosen.any():
        left = left_out_note(
            (w for w, c in zip(words, chosen, strict=True) if not c), "respiratory event"
        )
        return RespiratoryEvents(frame[chosen].reset_index(drop=True), (*left, *notes))
    if any(is_only_stage(bare_stage(word)) for word in words):
        raise _none_found(f"has no respiratory event ({name_words(words)})", source)
    every = f"all rows count as respiratory events: {name_words(words)}"
    return RespiratoryEvents(frame, (every, *notes))


def check_event_times(
    onset: NDArray[np.float64],
    duration: NDArray[np.float64],
    source: str,
    place: Callable[[int], str],
) -> None:
    """Raise InputError at the first time that is not finite, negative or too large.

    Parameters
    ----------
    onset, duration : ndarray of float64, shape (n,)
        Seconds.
    source : str
        Name of the file or table in messages.
    place : callable
        Maps a row number (from 0) to its place in the source, for messages.

    Raises
    ------
    InputError
    """
    checks: Sequence[tuple[NDArray[np.bool_], str]] = (
        (np.isfinite(onset), "onset is not a finite number"),
        (np.isfinite(duration), "duration is not a finite number"),
        (duration >= 0, "duration is negative"),
        ((np.abs(onset) <= _MAX_TIME_S) & (duration <= _MAX_TIME_S), "time is out of range"),
    )
    for fine, problem in checks:
        if not fine.all():
            raise InputError(source, problem, _CURE_SECONDS, place(int(np.argmin(fine))))


def _none_found(problem: str, source: str) -> InputError:
    cure = "give the list of apneas and hypopneas; if there were none, a file with the line "
    return InputError(source, problem, cure + "onset,duration alone")
