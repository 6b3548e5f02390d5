"""Input of the leg-movement rules: marks, and tables of stages and respiratory events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Final, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from twitchsense.errors import InputError
from twitchsense.io.text.text_table import TextTable, read_table
from twitchsense.model.candidates import LARGE_KINDS, LONG_KINDS
from twitchsense.model.event_table import TRIAL_TYPES
from twitchsense.scoring.leg_movements.rules import LEFT, RIGHT
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.epoch_lengths import lengths_from_onsets
from twitchsense.sleep.hypnogram.model import Hypnogram, to_us
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import Codes
from twitchsense.sleep.hypnogram.stage_list import (
    StageList,
    hypnogram_from_list,
    is_stage_list,
)
from twitchsense.sleep.hypnogram.table_columns import with_event_times
from twitchsense.sleep.hypnogram.yasa import YasaHypnogram, hypnogram_from_yasa
from twitchsense.sleep.lab_files.respiratory_events import check_event_times

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Labels of trains whose bursts are not leg movements.
NOT_LM_LABELS: Final = (
    "tremor_like",
    "alma_like",
    "hypnagogic_foot_tremor_like",
    "high_freq_leg_movement",
)
#: Spellings of the legs, in lower case without blanks, dots, dashes and underscores.
_LEGS: Final[dict[str, int]] = {
    **dict.fromkeys(("left", "l", "leftleg", "legleft", "legl", "lleg", "lat"), LEFT),
    **dict.fromkeys(("right", "r", "rightleg", "legright", "legr", "rleg", "rat"), RIGHT),
}


def read_movements(path: str | PathLike[str]) -> pd.DataFrame:
    """Read marks of leg movements from CSV or TSV.

    Parameters
    ----------
    path : path
        Columns ``onset`` and ``duration`` in seconds and ``leg``, ``left`` or
        ``right`` (also ``L`` and ``R``). Rows in any order; other columns are ignored.

    Returns
    -------
    DataFrame
        ``onset``, ``duration`` and ``leg``. Of an event table of this program (``events.csv``),
        the leg movements, with a column ``large`` for those that are no candidates; if no event
        names a leg, all are on one. ``attrs["notes"]`` says so.

    Raises
    ------
    InputError
        Naming the file, the line and the cure.
    """
    table = with_event_times(read_table(Path(path)))
    table.require("onset", "duration", "leg")
    kinds = set(table.columns.get("trial_type", [""]))
    if kinds <= set(TRIAL_TYPES) and "label" in table.columns:
        return _read_event_table(table)
    onset, duration = table.numbers("onset"), table.numbers("duration")
    check_event_times(onset, duration, table.source, table.place)
    legs = _parse_legs(table.columns["leg"], table.source, table.place)
    names = np.array(["left", "right"], dtype=object)[legs]
    return pd.DataFrame({"onset": onset, "duration": duration, "leg": names})


def _read_event_table(table: TextTable) -> pd.DataFrame:
    """Return the leg movements of an event table of this program."""
    columns = table.columns
    rows = np.flatnonzero(_is_leg_movement(columns["trial_type"], columns["label"])).tolist()
    kept = TextTable(
        table.source,
        {name: [values[row] for row in rows] for name, values in columns.items()},
        [table.lines[row] for row in rows],
    )
    onset, duration = kept.numbers("onset"), kept.numbers("duration")
    check_event_times(onset, duration, kept.source, kept.place)
    if any(kept.columns["leg"]):
        _parse_legs(kept.columns["leg"], kept.source, kept.place)
    frame = pd.DataFrame({name: columns[name] for name in ("trial_type", "label", "leg")})
    times = pd.DataFrame({"onset": onset, "duration": duration}, index=rows)
    return select_leg_movements(frame.join(times))


def select_leg_movements(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the leg movements of an event table of this program, and other tables unchanged.

    Parameters
    ----------
    frame : DataFrame
        Such as `Night.events`; or marks with ``onset``, ``duration`` and ``leg``.

    Returns
    -------
    DataFrame
        Of an event table, ``onset``, ``duration``, ``leg``, and ``large`` for those that are no
        candidates; if no event names a leg, all are on one. ``attrs["notes"]`` says so.
    """
    if not {"trial_type", "label", "leg"} <= set(frame.columns):
        return frame
    kinds = frame["trial_type"].astype(object)
    if not set(kinds) <= set(TRIAL_TYPES):
        return frame
    kept = frame[_is_leg_movement(kinds, frame["label"].astype(object))]
    words = ["" if pd.isna(word) else str(word) for word in kept["leg"]]
    notes = []
    if not any(words):
        words = ["left"] * len(kept)
        notes.append("no event names a leg: all are scored as movements of one leg")
    legs = _parse_legs(words, "events", _row)
    out = pd.DataFrame(
        {
            "onset": kept["onset"].to_numpy(np.float64),
            "duration": kept["duration"].to_numpy(np.float64),
            "leg": np.array(["left", "right"], dtype=object)[legs],
            "large": np.isin(kept["trial_type"].to_numpy(object), LARGE_KINDS),
        }
    )
    notes.append(f"{len(kept)} of {len(frame)} events are leg movements")
    out.attrs["notes"] = tuple(notes)
    return out


def _is_leg_movement(kinds: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    return np.isin(kinds, LONG_KINDS) & ~np.isin(labels, NOT_LM_LABELS)


def read_leg_hypnogram(
    path: str | PathLike[str], codes: Codes | None = None, clock: NightClock | None = None
) -> Hypnogram:
    """Read a hypnogram on the time axis of the marks.

    Parameters
    ----------
    path : path
        A hypnogram file.
    codes : mapping of str to str, optional
        Meaning of numeric or unknown stage words.
    clock : NightClock, optional
        Clock of the marks, for files with clock times.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        See `twitchsense.sleep.hypnogram.read.read_hypnogram`.
    """
    return read_hypnogram(path, clock, codes)


def check_hypnogram_covers(movements: pd.DataFrame, hypnogram: Hypnogram) -> None:
    """Refuse a hypnogram that shares no time with the marks.

    Parameters
    ----------
    movements : DataFrame
        From `read_movements`.
    hypnogram : Hypnogram
        Its epochs on the time axis of the marks.

    Raises
    ------
    InputError
        If there are marks, and all begin before the first epoch or after the last.
    """
    onset = movements["onset"].to_numpy(np.float64)
    first, last = hypnogram.onset_s[0], hypnogram.onset_s[-1] + hypnogram.duration_s[-1]
    if len(onset) and not ((onset >= first) & (onset < last)).any():
        problem = (
            f"covers {first:.0f} to {last:.0f} s, and all movements lie outside it "
            f"({onset.min():.0f} to {onset.max():.0f} s)"
        )
        cure = "give the hypnogram of this night, or --start with the clock time of second 0"
        raise InputError(hypnogram.source, problem, cure)


def movements_from_frame(frame: pd.DataFrame, source: str = "movements") -> tuple[Ints, Ints, Ints]:
    """Read marks of leg movements from a table.

    Parameters
    ----------
    frame : DataFrame
        Columns ``onset``, ``duration`` (s) and ``leg``.
    source : str
        Name of the table in error messages.

    Returns
    -------
    onset, stop, leg : ndarray of int64
        Microseconds; `LEFT` or `RIGHT`.

    Raises
    ------
    InputError
        Naming the row (from 1) and the cure.
    """
    onset, stop = _times_from_frame(frame, ("onset", "duration", "leg"), source)
    words = ["" if pd.isna(word) else str(word) for word in frame["leg"]]
    return onset, stop, _parse_legs(words, source, _row)


def name_legs(
    words: Sequence[str], source: str, place: Callable[[int], str] | None = None
) -> NDArray[np.object_]:
    """Return the legs of marks that need not name one.

    Parameters
    ----------
    words : sequence of str, shape (n,)
        The leg of each mark, in any spelling that `read_movements` accepts; empty if not known.
    source : str
        Name of the table in error messages.
    place : callable, optional
        Returns the place of a row in error messages; by default its number from 1.

    Returns
    -------
    ndarray of str objects, shape (n,)
        ``left``, ``right``, or empty.

    Raises
    ------
    InputError
        If a word is no leg.
    """
    locate = place or _row
    rows = [row for row, word in enumerate(words) if word.strip()]
    legs = _parse_legs([words[row] for row in rows], source, lambda k: locate(rows[k]))
    out = np.full(len(words), "", dtype=object)
    out[rows] = np.array(["left", "right"], dtype=object)[legs]
    return out


def respiratory_from_frame(frame: pd.DataFrame, source: str = "respiratory") -> tuple[Ints, Ints]:
    """Read respiratory events from a table.

    Parameters
    ----------
    frame : DataFrame
        Columns ``onset`` and ``duration`` (s).
    source : str
        Name of the table in error messages.

    Returns
    -------
    onset, stop : ndarray of int64
        Microseconds.

    Raises
    ------
    InputError
        Naming the row (from 1) and the cure.
    """
    return _times_from_frame(frame, ("onset", "duration"), source)


def hypnogram_from_frame(
    frame: pd.DataFrame | Hypnogram | YasaHypnogram | StageList,
    source: str = "hypnogram",
    epoch_s: float | None = None,
    codes: Codes | None = None,
) -> Hypnogram:
    """Read a hypnogram from a table, a list of stages or a YASA object.

    Parameters
    ----------
    frame : DataFrame, Hypnogram, list of stages or yasa.Hypnogram
        Columns ``onset``, ``stage`` and, optionally, ``duration`` (s), which is inferred
        from the onsets if absent. A hypnogram is returned as it is; a list and a YASA object
        begin at second 0 of the marks.
    source : str
        Name of the table in error messages.
    epoch_s : float, optional
        Length of an epoch of a list, seconds; by default 30.
    codes : mapping of str to str, optional
        Meaning of numbers and of additional words, in lower case.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        Naming the row (from 1) and the cure.
    """
    if isinstance(frame, Hypnogram):
        return frame
    codes = codes or {}
    if is_stage_list(frame):
        return hypnogram_from_list(cast("StageList", frame), epoch_s, None, codes, source)
    if not isinstance(frame, pd.DataFrame):
        return hypnogram_from_yasa(frame, None, codes, source)
    if "onset" in frame.columns and "duration" not in frame.columns:
        onset = _floats(frame, "onset", source)
        check_event_times(onset, np.zeros(len(onset)), source, _row)
        words = [str(word) for word in frame.get("stage", np.full(len(frame), ""))]
        length, notes = lengths_from_onsets(onset, words, source, _row)
        made = Hypnogram.from_frame(frame.assign(duration=length), source, codes)
        return replace(made, notes=notes)
    return Hypnogram.from_frame(frame, source, codes)


def _times_from_frame(frame: pd.DataFrame, names: Sequence[str], source: str) -> tuple[Ints, Ints]:
    """Return onsets and ends (microseconds) of the rows of a table."""
    for name in names:
        if name not in frame.columns:
            found = ", ".join(map(str, frame.columns)) or "none"
            cure = f"give a table with the columns {', '.join(names)}"
            raise InputError(source, f"has no column {name!r} (found: {found})", cure)
    onset, duration = _floats(frame, "onset", source), _floats(frame, "duration", source)
    check_event_times(onset, duration, source, _row)
    # rounded separately: a duration of 0.5 s is 0.5 s at every hour of the night
    start = to_us(onset)
    return start, start + to_us(duration)


def _floats(frame: pd.DataFrame, name: str, source: str) -> Floats:
    try:
        return frame[name].to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        problem = f"{name} is not numeric in every row ({error})"
        raise InputError(source, problem, "give seconds") from error


def _parse_legs(words: Sequence[str], source: str, place: Callable[[int], str]) -> Ints:
    """Return `LEFT` or `RIGHT` for each word."""
    legs = np.empty(len(words), np.int64)
    for row, word in enumerate(words):
        key = "".join(c for c in word.lower() if c not in " ._-")
        if key not in _LEGS:
            problem = f"leg is {word!r}" if word.strip() else "leg is empty"
            cure = "write left or right, one row for each leg"
            raise InputError(source, problem, cure, place(row))
        legs[row] = _LEGS[key]
    return legs


def _row(row: int) -> str:
    return f"row {row + 1}"
