"""Input of the leg-movement rules: marks, and tables of stages and respiratory events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Final, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from twitchsense.errors import InputError
from twitchsense.model.candidates import LARGE_KINDS, LONG_KINDS
from twitchsense.model.event_table import TRIAL_TYPES
from twitchsense.scoring.event_lists.legs import parse_legs, row_place
from twitchsense.scoring.event_lists.mark_files import MarkList, read_mark_list
from twitchsense.scoring.event_lists.mark_kinds import translate_kinds
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
from twitchsense.sleep.hypnogram.stage_words import name_words
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


def read_movements(
    path: str | PathLike[str],
    kinds: Mapping[str, str] | None = None,
    clock: NightClock | None = None,
) -> pd.DataFrame:
    """Read marks of leg movements.

    Parameters
    ----------
    path : path
        A file that `scoring.event_lists.mark_files.read_mark_list` reads. Rows in any order.
    kinds : mapping of str to str, optional
        Meaning of foreign words: ``{"LM": "movement"}``.
    clock : NightClock, optional
        Of the recording, for files with clock times.

    Returns
    -------
    DataFrame
        See `leg_movements_of`.

    Raises
    ------
    InputError
        Naming the file, the place and the cure.
    """
    return leg_movements_of(read_mark_list(path, kinds, clock))


def leg_movements_of(mark_list: MarkList) -> pd.DataFrame:
    """Return the leg movements of a list of marks.

    Parameters
    ----------
    mark_list : MarkList

    Returns
    -------
    DataFrame
        ``onset``, ``duration`` and ``leg``. If any mark is of a kind of the event table, only
        the leg movements, with a column ``large`` for those that are no candidates. If no mark
        names a leg, all are on one. ``attrs["notes"]`` says so.

    Raises
    ------
    InputError
        Naming the file, the place and the cure.
    """
    kept = _find_leg_movements(mark_list.frame)
    unknown = _unknown_words(mark_list.frame)
    left_out = len(mark_list.words) > len(mark_list.frame) > 0
    if mark_list.is_mixed and ((unknown and kept.all()) or (left_out and not kept.any())):
        raise _no_leg_movement(mark_list.words, mark_list.source)
    rows = np.flatnonzero(kept).tolist()
    chosen = mark_list.frame.iloc[rows]
    length = chosen["duration"].to_numpy(np.float64)
    if np.isnan(length).any():
        place = mark_list.place(rows[int(np.argmax(np.isnan(length)))])
        raise InputError(mark_list.source, "duration is empty", "give seconds", place)
    if "leg" in chosen and (chosen["leg"] != "").any():
        parse_legs(chosen["leg"].tolist(), mark_list.source, lambda row: mark_list.place(rows[row]))
    out = select_leg_movements(mark_list.frame, mark_list.source)
    out.attrs["notes"] = (*mark_list.notes, *out.attrs["notes"])
    return out


def select_leg_movements(frame: pd.DataFrame, source: str = "movements") -> pd.DataFrame:
    """Return the leg movements of a table of events.

    Parameters
    ----------
    frame : DataFrame
        Such as `Night.events`; or marks with ``onset``, ``duration`` (s) and, if known, ``leg``.
    source : str
        Name of the table in error messages.

    Returns
    -------
    DataFrame
        See `leg_movements_of`.

    Raises
    ------
    InputError
        If some rows are of known kinds, none of these is a leg movement, and others are not
        known.
    """
    notes = []
    kept = _find_leg_movements(frame)
    out = frame[kept].reset_index(drop=True)
    legs = ["" if pd.isna(leg) else str(leg) for leg in out["leg"]] if "leg" in out else []
    if not any(legs):
        out = out.assign(leg="left")
        if len(out):
            notes.append("no event names a leg: all are scored as movements of one leg")
    kinds = _kinds(frame)
    unknown = _unknown_words(frame)
    if any(kind in TRIAL_TYPES for kind in kinds):
        if unknown and out.empty:
            raise _no_leg_movement(kinds, source)
        out = out.assign(large=np.isin(np.array(kinds, object)[kept], LARGE_KINDS))
        if len(out) < len(frame):
            notes.append(f"{len(out)} of {len(frame)} events are leg movements")
        if unknown:
            notes.append(
                f"left out rows of unknown kinds: {name_words(unknown)}; if they are leg "
                f"movements, give --kinds '{unknown[0]}=movement'"
            )
    elif unknown:
        notes.append(f"all rows count as leg movements: {name_words(unknown)}")
    out = out[[name for name in ("onset", "duration", "leg", "large") if name in out]]
    out.attrs["notes"] = (*frame.attrs.get("notes", ()), *notes)
    return out


def _unknown_words(frame: pd.DataFrame) -> list[str]:
    """Return the kinds of rows that are not of the event table."""
    return [kind for kind in _kinds(frame) if kind and kind not in TRIAL_TYPES]


def _no_leg_movement(words: Iterable[str], source: str) -> InputError:
    problem = f"names no leg movement ({name_words(word for word in words if word)})"
    return InputError(source, problem, "say which word is one: --kinds 'LM=movement'")


def _kinds(frame: pd.DataFrame) -> list[str]:
    """Return the kind of each row; empty where it has none."""
    if "trial_type" not in frame:
        return [""] * len(frame)
    return translate_kinds(["" if pd.isna(k) else str(k) for k in frame["trial_type"]], {})[0]


def _find_leg_movements(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows are leg movements: all, if no row is of a kind of the event table."""
    kinds = _kinds(frame)
    if not any(kind in TRIAL_TYPES for kind in kinds):
        return np.ones(len(frame), bool)
    labels = frame["label"].astype(object) if "label" in frame else np.full(len(frame), "")
    return _is_leg_movement(kinds, labels)


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
    return onset, stop, parse_legs(words, source, row_place)


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
        check_event_times(onset, np.zeros(len(onset)), source, row_place)
        words = [str(word) for word in frame.get("stage", np.full(len(frame), ""))]
        length, notes = lengths_from_onsets(onset, words, source, row_place)
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
    check_event_times(onset, duration, source, row_place)
    # rounded separately: a duration of 0.5 s is 0.5 s at every hour of the night
    start = to_us(onset)
    return start, start + to_us(duration)


def _floats(frame: pd.DataFrame, name: str, source: str) -> Floats:
    try:
        return frame[name].to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        problem = f"{name} is not numeric in every row ({error})"
        raise InputError(source, problem, "give seconds") from error
