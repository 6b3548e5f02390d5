"""Sleep stages on the recording's axis: epochs, checked before they are believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.stage_codes import SLEEP as SLEEP
from twitchsense.sleep.hypnogram.stage_codes import STAGES as STAGES
from twitchsense.sleep.hypnogram.stage_codes import Codes, stage_of

COLUMNS: Final = ("onset", "duration", "stage")
#: Seconds of sleep without a break that make an onset persistent (LPS).
PERSISTENT_S: Final = 600.0
#: Seconds beyond which a time is surely none (300 years).
_FAR_S: Final = 1e10


@dataclass(frozen=True, slots=True, eq=False)
class Hypnogram:
    """Scored epochs in time order that never overlap; between them may be gaps.

    Attributes
    ----------
    onset_s : ndarray of float64, shape (n,)
        Start of each epoch, seconds from the start of the recording.
    duration_s : ndarray of float64, shape (n,)
    stage : ndarray of str, shape (n,)
        ``W``, ``N1``, ``N2``, ``N3``, ``R``, ``S`` (asleep, stage not told), or
        ``""`` for unscored.
    source : str
        Where it is from, without folders.
    notes : tuple of str
        What was assumed or left out when it was read.
    """

    onset_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    stage: NDArray[np.str_]
    source: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, source: str = "hypnogram", codes: Codes | None = None
    ) -> Hypnogram:
        """Make a hypnogram from a table with ``onset``, ``duration``, ``stage``.

        Raises
        ------
        InputError
            With the row (from 1) at fault; see `build`.
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
        return build(numbers[0], numbers[1], words, source, place, codes)

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
        """Whether each epoch is sleep of whatever stage."""
        return np.isin(self.stage, SLEEP)


def to_us(seconds: ArrayLike) -> NDArray[np.int64]:
    """Return times in whole microseconds, so that comparing them is exact."""
    return np.rint(np.asarray(seconds, np.float64) * 1e6).astype(np.int64)


def _written(value: object) -> str:
    """Return a cell as text; a whole float (3.0) reads as the integer it was."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def build(
    onset: NDArray[np.float64],
    duration: NDArray[np.float64],
    words: Sequence[str],
    source: str,
    place: Callable[[int], str],
    codes: Codes | None = None,
) -> Hypnogram:
    """Make a hypnogram of columns; `place` names a row in messages.

    Raises
    ------
    InputError
        A number is none, an epoch lasts no time, begins before the one above has
        ended, or its stage is unknown. Integer stages are refused without codes.
    """
    if len(onset) == 0:
        raise InputError(source, "has no epochs", "give at least one line below the header")
    _check(np.isfinite(onset), "onset is not a finite number", "give seconds", source, place)
    fine = np.isfinite(duration) & (duration > 0)
    _check(fine, "duration is not above zero", "give the epoch's length in s", source, place)
    far = (np.abs(onset) < _FAR_S) & (duration < _FAR_S)
    _check(far, "time is out of range", "give seconds", source, place)
    start, stop = to_us(onset), to_us(onset + duration)
    forward = np.concatenate([[True], start[1:] > start[:-1]])
    _check(forward, "begins before the epoch above it", "sort the epochs by onset", source, place)
    apart = np.concatenate([[True], start[1:] >= stop[:-1]])
    _check(
        apart, "begins before the epoch above has ended", "give epochs that don't overlap",
        source, place,
    )  # fmt: skip
    stage = [stage_of(word, source, place(row), codes) for row, word in enumerate(words)]
    return Hypnogram(onset, duration, np.array(stage, dtype="U2"))


def _check(
    fine: NDArray[np.bool_], problem: str, cure: str, source: str, place: Callable[[int], str]
) -> None:
    if not fine.all():
        raise InputError(source, problem, cure, place(int(np.argmin(fine))))
