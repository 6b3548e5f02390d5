"""Input of the leg-movement rules: marks, sleep stages and respiratory events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.text_table import read_table
from twitchsense.scoring.leg_movements.rules import LEFT, RIGHT
from twitchsense.sleep.hypnogram.model import Hypnogram, infer_epoch_length, to_us
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import Codes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Spellings of the legs, in lower case without blanks, dots, dashes and underscores.
_LEGS: Final[dict[str, int]] = {
    **dict.fromkeys(("left", "l", "leftleg", "legleft", "legl", "lleg", "lat"), LEFT),
    **dict.fromkeys(("right", "r", "rightleg", "legright", "legr", "rleg", "rat"), RIGHT),
}
#: Largest onset or duration (s) that is accepted, about 300 years.
_MAX_TIME_S: Final = 1e10


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
        ``onset``, ``duration`` and ``leg``.

    Raises
    ------
    InputError
        Naming the file, the line and the cure.
    """
    table = read_table(Path(path))
    table.require("onset", "duration", "leg")
    onset, duration = table.numbers("onset"), table.numbers("duration")
    _check_times(onset, duration, table.source, table.place)
    legs = _parse_legs(table.columns["leg"], table.source, table.place)
    names = np.array(["left", "right"], dtype=object)[legs]
    return pd.DataFrame({"onset": onset, "duration": duration, "leg": names})


def read_respiratory(path: str | PathLike[str]) -> pd.DataFrame:
    """Read respiratory events from CSV or TSV.

    Parameters
    ----------
    path : path
        Columns ``onset`` and ``duration`` in seconds.

    Returns
    -------
    DataFrame
        ``onset`` and ``duration``.

    Raises
    ------
    InputError
        Naming the file, the line and the cure.
    """
    table = read_table(Path(path))
    table.require("onset", "duration")
    onset, duration = table.numbers("onset"), table.numbers("duration")
    _check_times(onset, duration, table.source, table.place)
    return pd.DataFrame({"onset": onset, "duration": duration})


def read_leg_hypnogram(path: str | PathLike[str], codes: Codes | None = None) -> Hypnogram:
    """Read a hypnogram on the time axis of the marks (seconds, no clock times).

    Parameters
    ----------
    path : path
        A hypnogram file that needs no clock.
    codes : mapping of str to str, optional
        Meaning of numeric or unknown stage words.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        See `twitchsense.sleep.hypnogram.read.read_hypnogram`.
    """
    return read_hypnogram(path, codes=codes)


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


def hypnogram_from_frame(frame: pd.DataFrame | Hypnogram, source: str = "hypnogram") -> Hypnogram:
    """Read a hypnogram from a table.

    Parameters
    ----------
    frame : DataFrame or Hypnogram
        Columns ``onset``, ``stage`` and, optionally, ``duration`` (s), which is inferred
        from the onsets if absent. A hypnogram is returned as it is.
    source : str
        Name of the table in error messages.

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
    if "onset" in frame.columns and "duration" not in frame.columns:
        onset = _floats(frame, "onset", source)
        _check_times(onset, np.zeros(len(onset)), source, _row)
        frame = frame.assign(duration=infer_epoch_length(onset, source, _row))
    return Hypnogram.from_frame(frame, source)


def _times_from_frame(frame: pd.DataFrame, names: Sequence[str], source: str) -> tuple[Ints, Ints]:
    """Return onsets and ends (microseconds) of the rows of a table."""
    for name in names:
        if name not in frame.columns:
            found = ", ".join(map(str, frame.columns)) or "none"
            cure = f"give a table with the columns {', '.join(names)}"
            raise InputError(source, f"has no column {name!r} (found: {found})", cure)
    onset, duration = _floats(frame, "onset", source), _floats(frame, "duration", source)
    _check_times(onset, duration, source, _row)
    # rounded separately: a duration of 0.5 s is 0.5 s at every hour of the night
    start = to_us(onset)
    return start, start + to_us(duration)


def _floats(frame: pd.DataFrame, name: str, source: str) -> Floats:
    try:
        return frame[name].to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        problem = f"{name} is not numeric in every row ({error})"
        raise InputError(source, problem, "give seconds") from error


def _check_times(onset: Floats, duration: Floats, source: str, place: Callable[[int], str]) -> None:
    """Raise InputError at the first time that is not finite, negative or too large."""
    checks = (
        (np.isfinite(onset), "onset is not a finite number"),
        (np.isfinite(duration), "duration is not a finite number"),
        (duration >= 0, "duration is negative"),
        ((np.abs(onset) <= _MAX_TIME_S) & (duration <= _MAX_TIME_S), "time is out of range"),
    )
    for fine, problem in checks:
        if not fine.all():
            cure = "give seconds from the start of the recording"
            raise InputError(source, problem, cure, place(int(np.argmin(fine))))


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
