"""Hypnogram: scored epochs on the time axis of a recording, and how they are built.

Readers of overlapping intervals of clock time (Apple Health, Fitbit) list `StageInterval`s,
resolve the overlaps with `overlay` and place the result with `align_to_recording`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.stage_codes import SLEEP as SLEEP
from twitchsense.sleep.hypnogram.stage_codes import STAGES as STAGES
from twitchsense.sleep.hypnogram.stage_codes import Codes, parse_stage

COLUMNS: Final = ("onset", "duration", "stage")
#: Largest onset or duration (s) that is accepted, about 300 years.
_MAX_TIME_S: Final = 1e10
#: Intervals of clock time within this distance of the recording belong to its night.
_NIGHT_MARGIN_US: Final = 12 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Hypnogram:
    """Scored epochs in time order, without overlap; gaps between them are allowed.

    Attributes
    ----------
    onset_s : ndarray of float64, shape (n,)
        Start of each epoch, seconds from the start of the recording.
    duration_s : ndarray of float64, shape (n,)
    stage : ndarray of str, shape (n,)
        ``W``, ``N1``, ``N2``, ``N3``, ``R``, ``S`` (asleep, stage not reported), or
        ``""`` for unscored.
    source : str
        Name of the file or table.
    notes : tuple of str
        Assumptions made and annotations skipped while reading.
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
        """Build a hypnogram from a table with ``onset``, ``duration`` and ``stage``.

        Parameters
        ----------
        frame : DataFrame
            One row per epoch, in time order; onset and duration in seconds.
        source : str
            Name of the table in error messages.
        codes : mapping of str to str, optional
            Meaning of numeric or unknown stage words.

        Returns
        -------
        Hypnogram

        Raises
        ------
        InputError
            Naming the offending row (from 1).
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
                    source, f"{name} is not numeric in every row ({error})", "give seconds"
                ) from error
        words = ["" if pd.isna(v) else _cell_text(v) for v in frame["stage"]]
        return build_hypnogram(numbers[0], numbers[1], words, source, place, codes)

    def __len__(self) -> int:
        return len(self.onset_s)

    def __repr__(self) -> str:
        return f"<Hypnogram {self.source}: {len(self)} epochs>"

    def stage_at(self, times_s: ArrayLike) -> NDArray[np.str_]:
        """Return the stage of the epoch that contains each time.

        An epoch contains ``start <= t < end``. Times are compared in integer microseconds, so that
        an end of 0.1 + 0.2 s equals 0.3 s.

        Parameters
        ----------
        times_s : array_like of float
            Seconds from the start of the recording.

        Returns
        -------
        ndarray of str
            ``""`` outside all epochs and in unscored ones.
        """
        times = to_us(times_s)
        start, stop = self.bounds_us
        index = np.searchsorted(start, times, side="right") - 1
        inside = index >= 0
        inside[inside] = times[inside] < stop[index[inside]]
        return np.where(inside, self.stage[np.maximum(index, 0)], "")

    @property
    def bounds_us(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts and ends of the epochs, integer microseconds."""
        return to_us(self.onset_s), to_us(self.onset_s + self.duration_s)

    @property
    def asleep(self) -> NDArray[np.bool_]:
        """Whether each epoch is scored as sleep of any stage."""
        return np.isin(self.stage, SLEEP)


def to_us(seconds: ArrayLike) -> NDArray[np.int64]:
    """Round times to integer microseconds, so that comparisons are exact.

    Parameters
    ----------
    seconds : array_like of float
        Times in seconds.

    Returns
    -------
    ndarray of int64
        Times in microseconds.
    """
    return np.rint(np.asarray(seconds, np.float64) * 1e6).astype(np.int64)


def build_hypnogram(
    onset: NDArray[np.float64],
    duration: NDArray[np.float64],
    words: Sequence[str],
    source: str,
    place: Callable[[int], str],
    codes: Codes | None = None,
) -> Hypnogram:
    """Validate columns of epochs and build a hypnogram from them.

    Parameters
    ----------
    onset, duration : ndarray of float64, shape (n,)
        Seconds.
    words : sequence of str
        Stage of each epoch as written in the source.
    source : str
        Name of the file or table in error messages.
    place : callable
        Maps a row number (from 0) to its place in the source, for error messages.
    codes : mapping of str to str, optional
        Meaning of numeric or unknown stage words.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If there is no epoch, a number is not finite, a duration is not positive, an epoch
            begins before the previous one has ended, or a stage is unknown. Integer stages are
            refused without `codes`.
    """
    if len(onset) == 0:
        raise InputError(source, "has no epochs", "give at least one line below the header")
    _check(np.isfinite(onset), "onset is not a finite number", "give seconds", source, place)
    fine = np.isfinite(duration) & (duration > 0)
    _check(fine, "duration is not positive", "give the epoch's length in s", source, place)
    in_range = (np.abs(onset) < _MAX_TIME_S) & (duration < _MAX_TIME_S)
    _check(in_range, "time is out of range", "give seconds", source, place)
    start, stop = to_us(onset), to_us(onset + duration)
    forward = np.concatenate([[True], start[1:] > start[:-1]])
    _check(forward, "begins before the epoch above it", "sort the epochs by onset", source, place)
    apart = np.concatenate([[True], start[1:] >= stop[:-1]])
    _check(
        apart, "begins before the epoch above has ended", "give epochs that don't overlap",
        source, place,
    )  # fmt: skip
    stage = [parse_stage(word, source, place(row), codes, words) for row, word in enumerate(words)]
    return Hypnogram(onset, duration, np.array(stage, dtype="U2"))


def infer_epoch_length(
    onset_s: NDArray[np.float64], source: str, place: Callable[[int], str]
) -> float:
    """Infer the epoch length from onsets: the shortest step, if it divides all others.

    Parameters
    ----------
    onset_s : ndarray of float64, shape (n,)
        Onsets of the epochs, seconds.
    source : str
        Name of the file or table in error messages.
    place : callable
        Maps a row number (from 0) to its place in the source, for error messages.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    InputError
        If there are fewer than two onsets, or they do not increase, or the steps are not
            multiples of the shortest one.
    """
    cure = "give the column duration (s)"
    if len(onset_s) < 2:
        raise InputError(
            source, "has neither a column 'duration' nor two onsets to infer it from", cure
        )
    step = np.diff(to_us(onset_s))
    if (step <= 0).any():
        where = place(int(np.argmax(step <= 0)) + 1)
        raise InputError(source, "does not begin later than the row above", "sort by onset", where)
    shortest = int(step.min())
    uneven = step % shortest != 0
    if uneven.any():
        where = place(int(np.argmax(uneven)) + 1)
        raise InputError(
            source, "has no column 'duration', and its onsets have no common step", cure, where
        )
    return shortest / 1e6


@dataclass(frozen=True, slots=True)
class StageInterval:
    """One stage between two times, microseconds since 1970 (UTC)."""

    start_us: int
    stop_us: int
    stage: str


def overlay(layers: Iterable[Iterable[StageInterval]]) -> list[StageInterval]:
    """Combine layers of intervals; where intervals overlap, the later layer wins.

    Within a layer the interval that begins later wins. Adjacent intervals of equal
    stage are not merged.

    Parameters
    ----------
    layers : iterable of iterables of StageInterval
        From the lowest layer to the highest.

    Returns
    -------
    list of StageInterval
        In time order, without overlap.
    """
    stack = [s for layer in layers for s in sorted(layer, key=lambda s: (s.start_us, s.stop_us))]
    stack = [s for s in stack if s.stop_us > s.start_us]
    if not stack:
        return []
    edges = np.unique([t for s in stack for t in (s.start_us, s.stop_us)])
    owner = np.full(len(edges) - 1, -1)
    for k, s in enumerate(stack):
        first, stop = np.searchsorted(edges, [s.start_us, s.stop_us])
        owner[first:stop] = k
    cuts = np.flatnonzero(np.diff(owner)) + 1
    out = []
    for part in np.split(np.arange(len(owner)), cuts):
        if owner[part[0]] >= 0:
            stage = stack[int(owner[part[0]])].stage
            out.append(StageInterval(int(edges[part[0]]), int(edges[part[-1] + 1]), stage))
    return out


def align_to_recording(
    intervals: list[StageInterval], clock: NightClock, source: str, notes: Iterable[str] = ()
) -> Hypnogram:
    """Convert intervals of UTC to a hypnogram on the time axis of a recording.

    Parameters
    ----------
    intervals : list of StageInterval
        In time order, without overlap.
    clock : NightClock
        Of the recording.
    source : str
        Name of the file.
    notes : iterable of str
        Notes of the hypnogram.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If the recording has no clock time, or there are no intervals.
    """
    zero = clock.require_utc(source)
    if not intervals:
        raise InputError(source, "has no sleep stages", "check that it is the right file")
    start = np.array([s.start_us for s in intervals], np.int64) - zero
    stop = np.array([s.stop_us for s in intervals], np.int64) - zero
    stage = np.array([s.stage for s in intervals], dtype="U2")
    return Hypnogram(start / 1e6, (stop - start) / 1e6, stage, source, tuple(notes))


def select_night(
    intervals: list[StageInterval], clock: NightClock, source: str
) -> list[StageInterval]:
    """Return the intervals that lie within 12 h of the recording.

    Parameters
    ----------
    intervals : list of StageInterval
        Intervals of any number of nights.
    clock : NightClock
        Of the recording.
    source : str
        Name of the file in error messages.

    Returns
    -------
    list of StageInterval

    Raises
    ------
    InputError
        If the recording has no clock time, or its date is unknown.
    """
    zero = clock.require_utc(source)
    if intervals:
        clock.require_date(source, intervals[0].start_us)
    first, last = zero + clock.start_us - _NIGHT_MARGIN_US, zero + clock.stop_us + _NIGHT_MARGIN_US
    return [s for s in intervals if s.stop_us > first and s.start_us < last]


def overlap_us(intervals: Iterable[StageInterval], clock: NightClock, source: str) -> int:
    """Return how much of the recording the intervals cover.

    Parameters
    ----------
    intervals : iterable of StageInterval
        Intervals without overlap.
    clock : NightClock
        Of the recording.
    source : str
        Name of the file in error messages.

    Returns
    -------
    int
        Microseconds.

    Raises
    ------
    InputError
        If the recording has no clock time.
    """
    zero = clock.require_utc(source)
    first, last = zero + clock.start_us, zero + clock.stop_us
    return sum(max(0, min(s.stop_us, last) - max(s.start_us, first)) for s in intervals)


def _cell_text(value: object) -> str:
    """Return a cell as text; a whole float (3.0) is written as an integer."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _check(
    fine: NDArray[np.bool_], problem: str, cure: str, source: str, place: Callable[[int], str]
) -> None:
    """Raise InputError at the first row that is not fine."""
    if not fine.all():
        raise InputError(source, problem, cure, place(int(np.argmin(fine))))
