"""Sleep stages from outside: a table of epochs, checked before it is believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from twitchsense.context.textable import read_table
from twitchsense.errors import InputError

COLUMNS: Final = ("onset", "duration", "stage")
#: In order of depth; an unscored epoch has the stage ``""``.
STAGES: Final = ("W", "N1", "N2", "N3", "R")
SLEEP: Final = ("N1", "N2", "N3", "R")
#: Seconds of sleep without a break that make an onset persistent (LPS).
PERSISTENT_S: Final = 600.0

#: How programs spell the stages, lower case. EDF+ writes ``Sleep stage N2``; the
#: numbers of ``Sleep stage 3`` are Rechtschaffen & Kales, so 3 and 4 are N3.
_WORDS: Final[dict[str, str]] = {
    **dict.fromkeys(("w", "wake", "awake", "sleep stage w"), "W"),
    **dict.fromkeys(("n1", "nrem1", "s1", "sleep stage n1", "sleep stage 1"), "N1"),
    **dict.fromkeys(("n2", "nrem2", "s2", "sleep stage n2", "sleep stage 2"), "N2"),
    **dict.fromkeys(("n3", "nrem3", "s3", "s4", "sleep stage n3", "sleep stage 3"), "N3"),
    "sleep stage 4": "N3",
    **dict.fromkeys(("r", "rem", "sleep stage r"), "R"),
    **dict.fromkeys(
        ("?", "unknown", "unscored", "uns", "art", "movement time", "sleep stage ?"), ""
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Hypnogram:
    """Scored epochs in time order that never overlap; between them may be gaps.

    Attributes
    ----------
    onset_s : ndarray of float64, shape (n,)
        Start of each epoch, seconds from the start of the recording.
    duration_s : ndarray of float64, shape (n,)
    stage : ndarray of str, shape (n,)
        ``W``, ``N1``, ``N2``, ``N3``, ``R``, or ``""`` for unscored.
    """

    onset_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    stage: NDArray[np.str_]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, source: str = "hypnogram") -> Hypnogram:
        """Make a hypnogram from a table with ``onset``, ``duration``, ``stage``.

        Raises
        ------
        InputError
            As `read_hypnogram`, with the row (from 1) at fault.
        """
        for name in COLUMNS:
            if name not in frame.columns:
                found = ", ".join(map(str, frame.columns)) or "none"
                raise InputError(
                    source,
                    f"has no column {name!r} (found: {found})",
                    f"give a table with the columns {', '.join(COLUMNS)}",
                )

        def place(row: int) -> str:
            return f"row {row + 1}"

        numbers = []
        for name in COLUMNS[:2]:
            try:
                numbers.append(frame[name].to_numpy(np.float64))
            except (TypeError, ValueError) as error:
                raise InputError(
                    source, f"{name} is not a number everywhere ({error})", "give seconds"
                ) from error
        words = ["" if pd.isna(v) else _written(v) for v in frame["stage"]]
        return _build(numbers[0], numbers[1], words, source, place)

    def __len__(self) -> int:
        return len(self.onset_s)

    def stage_at(self, times_s: ArrayLike) -> NDArray[np.str_]:
        """Return the stage of the epoch that holds each time; ``""`` outside.

        An epoch holds ``start <= t < end``; times are compared in whole
        microseconds, so that an end of 0.1 + 0.2 s is 0.3 s.
        """
        times = to_us(times_s)
        start, stop = self.bounds_us
        index = np.searchsorted(start, times, side="right") - 1
        inside = index >= 0
        inside[inside] = times[inside] < stop[index[inside]]
        return np.where(inside, self.stage[np.maximum(index, 0)], "")

    @property
    def bounds_us(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts and ends of the epochs in whole microseconds."""
        return to_us(self.onset_s), to_us(self.onset_s + self.duration_s)

    @property
    def asleep(self) -> NDArray[np.bool_]:
        """Whether each epoch is N1, N2, N3 or R."""
        return np.isin(self.stage, SLEEP)


def to_us(seconds: ArrayLike) -> NDArray[np.int64]:
    """Return times in whole microseconds, so that comparing them is exact."""
    return np.rint(np.asarray(seconds, np.float64) * 1e6).astype(np.int64)


def read_hypnogram(path: str | PathLike[str]) -> Hypnogram:
    """Read a hypnogram from CSV or TSV with the columns ``onset,duration,stage``.

    Parameters
    ----------
    path : path
        ``onset`` and ``duration`` in seconds from the start of the recording;
        ``stage`` one of W, N1, N2, N3, R in either case, or wake, REM; ``?``
        where nobody scored. Further columns are ignored.

    Raises
    ------
    InputError
        Naming the file, the line and the cure: a column is missing, a number
        is none, an epoch lasts no time, begins before the one above has ended,
        or its stage is unknown. Integer stages are refused, because programs
        disagree on them (REM is 4 in YASA and 5 in NSRR files).
    """
    table = read_table(Path(path))
    table.require(*COLUMNS)
    onset, duration = table.numbers("onset"), table.numbers("duration")
    return _build(onset, duration, table.columns["stage"], table.source, table.place)


def _written(value: object) -> str:
    """Return a cell as text; a whole float (3.0) reads as the integer it was."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _build(
    onset: NDArray[np.float64],
    duration: NDArray[np.float64],
    words: Sequence[str],
    source: str,
    place: Callable[[int], str],
) -> Hypnogram:
    if len(onset) == 0:
        raise InputError(source, "has no epochs", "give at least one line below the header")
    _check(np.isfinite(onset), "onset is not a finite number", "give seconds", source, place)
    fine = np.isfinite(duration) & (duration > 0)
    _check(fine, "duration is not above zero", "give the epoch's length in s", source, place)
    start, stop = to_us(onset), to_us(onset + duration)
    forward = np.concatenate([[True], start[1:] > start[:-1]])
    _check(forward, "begins before the epoch above it", "sort the epochs by onset", source, place)
    apart = np.concatenate([[True], start[1:] >= stop[:-1]])
    _check(
        apart, "begins before the epoch above has ended", "give epochs that don't overlap",
        source, place,
    )  # fmt: skip
    stage = [_stage(word, source, place(row)) for row, word in enumerate(words)]
    return Hypnogram(onset, duration, np.array(stage, dtype="U2"))


def _check(
    fine: NDArray[np.bool_], problem: str, cure: str, source: str, place: Callable[[int], str]
) -> None:
    if not fine.all():
        raise InputError(source, problem, cure, place(int(np.argmin(fine))))


def _stage(word: str, source: str, place: str) -> str:
    key = " ".join(word.lower().split())
    if key in _WORDS:
        return _WORDS[key]
    cure = f"use {', '.join(STAGES)}, or ? for unscored"
    if not key:
        raise InputError(source, "stage is empty", cure, place)
    try:
        float(key)
    except ValueError:
        raise InputError(source, f"unknown stage {word!r}", cure, place) from None
    raise InputError(
        source,
        f"stage {word!r} is a number, and programs disagree on those (REM is 4 or 5)",
        cure,
        place,
    )
