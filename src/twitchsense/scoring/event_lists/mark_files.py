"""Read lists of events: tables, MNE annotations, and annotations of sleep laboratories."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.text.text_table import MISSING_VALUES, TextTable, parse_table, read_text
from twitchsense.model.event_table import LABELS
from twitchsense.scoring.event_lists.legs import name_legs
from twitchsense.scoring.event_lists.mark_clock import place_second_zero, seconds_from_clock_times
from twitchsense.scoring.event_lists.mark_kinds import split_leg, translate_kinds
from twitchsense.sleep.hypnogram import table_columns
from twitchsense.sleep.hypnogram.clock_text import is_clock_time
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.stage_codes import is_number, is_only_stage
from twitchsense.sleep.hypnogram.stage_words import bare_stage, name_words
from twitchsense.sleep.lab_files.lab_annotations import LabAnnotation, LabFile
from twitchsense.sleep.lab_files.recognize import read_lab_file

#: Largest onset or duration (s) accepted, about 31 years; larger ones may overflow in µs.
MAX_TIME_S: Final = 1e9
#: Columns that hold the kind of a mark, as `twitchsense.sleep.hypnogram.table_columns`.
_KIND: Final = ("trialtype", "kind", "description", "event", "eventtype", "annotation", "class",
                "type", "ereignis", "art")  # fmt: skip
#: Columns of the CSV and text files of MNE, which come first.
_MNE: Final = ["onset", "duration", "description"]
_CURE_EVENTS: Final = "give marks of events: onset, duration and trial_type"


@dataclass(frozen=True, slots=True, eq=False)
class MarkList:
    """A list of events as it was read.

    Attributes
    ----------
    frame : DataFrame
        ``onset`` and ``duration`` (s, NaN if not known) and, as far as the file has them,
        ``trial_type``, ``leg`` and other columns, which are text.
    source : str
        Name of the file in messages.
    places : tuple of str
        Place of each row in the file.
    words : tuple of str
        Kind of each row, and of rows left out, as written.
    notes : tuple of str
        Assumptions made and rows left out.
    is_mixed : bool
        Whether the file may hold other annotations as well, as one of a laboratory does.
    """

    frame: pd.DataFrame
    source: str
    places: tuple[str, ...]
    words: tuple[str, ...]
    notes: tuple[str, ...] = ()
    is_mixed: bool = False

    def place(self, row: int) -> str:
        """Return the place of a row in the file."""
        return self.places[row]


def read_events(
    path: str | PathLike[str],
    kinds: Mapping[str, str] | None = None,
    clock: NightClock | None = None,
) -> pd.DataFrame:
    """Read an event list; see `read_mark_list`.

    Parameters
    ----------
    path : path
    kinds : mapping of str to str, optional
        Meaning of foreign words: ``{"LM": "movement"}``.
    clock : NightClock, optional
        Of the recording, for files with clock times.

    Returns
    -------
    DataFrame
        One row per event.

    Raises
    ------
    InputError
        Naming the file, the place and the cure.
    """
    return read_mark_list(path, kinds, clock).frame


def read_mark_list(
    path: str | PathLike[str],
    kinds: Mapping[str, str] | None = None,
    clock: NightClock | None = None,
) -> MarkList:
    """Read an event list.

    Parameters
    ----------
    path : path
        CSV or TSV with ``onset`` (s or clock time) and ``duration`` (s; may be empty or
        ``n/a``), also by the names of other programs (`with_event_times`), and optionally
        ``trial_type``, ``leg`` (also ``side``) and any others, which remain text; MNE
        annotations as CSV or text; or a file that `twitchsense.sleep.lab_files.recognize`
        knows, such as EDF+ and Luna ``.annot``.
    kinds : mapping of str to str, optional
        Meaning of foreign words: ``{"LM": "movement"}``.
    clock : NightClock, optional
        Of the recording, for files with clock times.

    Returns
    -------
    MarkList
        Of a laboratory's file without its sleep stages; if any annotation is of a known kind,
        only these.

    Raises
    ------
    InputError
        Naming the file, the place and the cure.
    MissingExtraError
        For EDF+ if edfio is not installed.
    """
    path, source = Path(path), str(path)
    if path.is_dir():
        inside = path / "events.csv"
        cure = f"give {inside}" if inside.is_file() else "give the file with the marks"
        raise InputError(source, "is a folder", cure)
    file = read_lab_file(path, source, clock)
    if file is not None:
        return _of_lab_file(file, source, kinds or {})
    return _of_table(read_text(path, source), source, kinds or {}, clock)


def first_clock_time(path: Path) -> str:
    """Return the first clock time of a table.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        Empty if the onsets are numbers, the file is no table that can be read, or it holds many
        nights (states of Withings).
    """
    try:
        table, _ = _parse(read_text(path, str(path)), str(path))
        name = table_columns.find_column(table, table_columns.ONSET)
        texts = table.columns[name] if name else []
        of_nights = any(d.startswith("[") for d in table.columns.get("duration", [])[:1])
        return texts[0] if texts and is_clock_time(texts[0]) and not of_nights else ""
    except InputError:  # reported with its cure when the file is read
        return ""


def _of_lab_file(file: LabFile, source: str, kinds: Mapping[str, str]) -> MarkList:
    """Return the marks among the annotations of a laboratory."""
    rows = [a for a in file.annotations if not _is_stage(a, file)]
    if file.annotations and not rows:
        raise InputError(source, "is a hypnogram, not a list of events", _CURE_EVENTS)
    meta = [dict(re.findall(r"([^|;=]+)=([^|;]*)", a.meta)) for a in rows]
    parts = [split_leg(a.text, a.channel) for a in rows]
    words = [m.get("trial_type", word) for m, (word, _) in zip(meta, parts, strict=True)]
    legs = [m.get("leg", leg) for m, (_, leg) in zip(meta, parts, strict=True)]
    translated, known = translate_kinds(words, kinds)
    notes = list(file.notes)
    all_unknown = not any(known)
    kept = [k for k in range(len(rows)) if known[k] or all_unknown]
    if len(kept) < len(rows):
        others = [word for word, fine in zip(words, known, strict=True) if not fine]
        most = Counter(others).most_common(1)[0][0]
        notes.append(
            f"{source}: left out {len(others)} annotations of unknown kinds: {name_words(others)}; "
            f"if they are leg movements, give --kinds '{most}=movement'"
        )
    read = sorted({rows[k].text for k in kept if parts[k][1] and parts[k][0] != rows[k].text})
    if read and "leg" not in {key for m in meta for key in m}:
        notes.append(f"{source}: the leg is read from the text, such as {read[0]!r}")
    onset = np.array([rows[k].onset_us / 1e6 for k in kept], np.float64)
    duration = np.array([_seconds(rows[k].duration_us) for k in kept], np.float64)
    places = tuple(rows[k].place for k in kept)
    _check_times(onset, duration, source, places)
    frame = pd.DataFrame({"onset": onset, "duration": duration})
    frame["trial_type"] = pd.Series([translated[k] for k in kept], dtype="object")
    frame["leg"] = name_legs([legs[k] for k in kept], source, lambda row: places[row])
    if any("trial_type" in m for m in meta):
        labels = [rows[k].text.replace(" ", "_") for k in kept]
        frame["label"] = pd.Series(labels, dtype="object")
    return MarkList(frame, source, places, tuple(words), tuple(notes), True)


def _is_stage(annotation: LabAnnotation, file: LabFile) -> bool:
    return annotation.kind == "stage" or is_only_stage(
        bare_stage(annotation.text, file.stage_codes), file.stage_codes
    )


def _seconds(length_us: int | None) -> float:
    return float("nan") if length_us is None else length_us / 1e6


def _of_table(
    text: str, source: str, kinds: Mapping[str, str], clock: NightClock | None
) -> MarkList:
    """Return the marks of a table."""
    table, zero = _parse(text, source)
    names = list(table.columns)
    utc = names[:3] == _MNE
    table = _name_kind(table)
    table, notes = seconds_from_clock_times(table, clock, utc=utc)
    table = table_columns.with_event_times(table)
    table.require("onset", "duration")
    _refuse_hypnogram(table)
    onset, duration = table.numbers("onset"), table.numbers("duration", missing=True)
    if zero is not None:
        added, more = place_second_zero(zero, clock, source)
        onset, notes = onset + added, (*notes, *more)
    places = tuple(table.place(row) for row in range(len(table.lines)))
    _check_times(onset, duration, source, places)
    out = {name: pd.Series(cells, dtype="object") for name, cells in table.columns.items()}
    for name in ("trial_type", "leg", "label"):
        if name in out:
            out[name] = out[name].where(~out[name].str.lower().isin(MISSING_VALUES), "")
    words: tuple[str, ...] = ()
    if "trial_type" in out:
        words = tuple(out["trial_type"])
        out["trial_type"] = pd.Series(translate_kinds(words, kinds)[0], dtype="object")
    if "leg" in out:
        legs = name_legs(out["leg"].tolist(), source, table.place)
        out["leg"] = pd.Series(legs, dtype="object")
    frame = pd.DataFrame({**out, "onset": onset, "duration": duration})
    return MarkList(frame, source, places, words, notes)


def _parse(text: str, source: str) -> tuple[TextTable, str | None]:
    """Return a table, and the time of second 0 that MNE writes above it."""
    if not text.startswith("# MNE-Annotations"):
        return parse_table(text, source), None
    head: list[str] = []
    lines = text.split("\n")
    while len(head) < len(lines) and lines[len(head)].startswith("#"):
        head.append(lines[len(head)].lstrip("# "))
    zero = next((h.partition(":")[2].strip() for h in head if h.startswith("orig_time")), None)
    # empty lines keep the numbers of the rows
    body = [head[-1], *[""] * (len(head) - 1), *lines[len(head) :]]
    return parse_table("\n".join(body), source), zero


def _name_kind(table: TextTable) -> TextTable:
    """Return a table whose kinds are in ``trial_type``, and the names of MNE in ``label``."""
    columns = dict(table.columns)
    if "trial_type" not in columns:
        theirs = table_columns.find_column(table, _KIND)
        if theirs is None and not set(columns.get("label", LABELS)) <= {"", *LABELS}:
            theirs = "label"  # words of a scorer, not names that this program gives
        if theirs is not None and not all(
            is_number(word) or word.lower() in MISSING_VALUES for word in columns[theirs]
        ):
            columns["trial_type"] = columns.pop(theirs)
    elif "description" in columns and "label" not in columns:
        columns["label"] = columns.pop("description")
    return TextTable(table.source, columns, table.lines)


def _refuse_hypnogram(table: TextTable) -> None:
    """Raise `InputError` if the rows are sleep stages, not events."""
    kinds = table.columns.get("trial_type", table.columns.get("stage", []))
    stages = all(is_only_stage(kind) or kind == "?" for kind in kinds)
    if kinds and ("trial_type" not in table.columns or stages):
        raise InputError(table.source, "is a hypnogram, not a list of events", _CURE_EVENTS)


def _check_times(
    onset: NDArray[np.float64],
    duration: NDArray[np.float64],
    source: str,
    places: tuple[str, ...],
) -> None:
    """Raise `InputError` at the first time that cannot be used."""
    if (duration < 0).any():
        place = places[int(np.argmax(duration < 0))]
        raise InputError(source, "duration is negative", "give seconds from onset", place)
    far = (np.abs(onset) > MAX_TIME_S) | (duration > MAX_TIME_S)
    if far.any():
        cure = "give seconds from the start, or the date of second 0 with --start"
        place = places[int(np.argmax(far))]
        raise InputError(source, "a time is later than 31 years", cure, place)
