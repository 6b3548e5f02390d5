"""Times of rows that have a sampling rate, and perhaps a counter, instead of a time column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.tables.local_clock import LocalClock, TimeOptions
from twitchsense.io.tables.number_cells import NumberColumn
from twitchsense.io.tables.time_reading import MAX_START_S, TimeReading
from twitchsense.model.channels import NS
from twitchsense.model.notes import GIVE_ZONE, Note, with_source

#: Maximum number of rows that a counter may skip; beyond, it restarted.
_MAX_SKIPPED: Final = 1 << 16
#: Least sampling rate, Hz.
_MIN_FS: Final = 1.0
#: Least loss (s) that arrival times show: packets may be late.
_MIN_LOSS_S: Final = 1.0
#: Longest loss (s) that arrival times show: a longer one is a clock that was set.
_MAX_LOSS_S: Final = 86_400.0
#: Least time (s) over which the rate is checked against arrival times.
_MIN_CHECK_S: Final = 20.0
#: Maximum relative error of the stated rate.
_MAX_RATE_ERROR: Final = 0.1
#: First time (ns since 1970) after 2261: 64 bits hold little more.
_MAX_START_NS: Final = 9_214_646_400 * NS
#: Largest Unix time in seconds; larger numbers are milliseconds.
_MAX_UNIX_S: Final = 1e11


@dataclass(frozen=True, slots=True)
class RowClock:
    """Times of rows that have a sampling rate instead of a time column.

    Attributes
    ----------
    fs : float
        Sampling rate in Hz; 0 if it is unknown, so that the user must state it.
    start_ns : int
        Time of the first row: ns since 1970 of the clock that `is_utc` states, or else ns since
        second 0 of the file.
    is_utc : bool or None
        True: `start_ns` is UTC. False: it is the local time that a clock on the wall shows,
        counted as if it were UTC; UTC is known with ``--zone``. None: the clock is unknown.
    counter : str or None
        Column that counts the rows, so that a missing row is seen.
    modulus : int or None
        Number of values of the counter before it begins again with zero.
    arrival : str or None
        Column of the Unix times (s or ms) at which rows arrived: too irregular for samples,
        but good enough for losses that the counter cannot tell, and to check the rate.
    nominal_fs : float
        Sampling rate in Hz that such a file usually has: the example of a refusal.
    """

    fs: float
    start_ns: int = 0
    is_utc: bool | None = None
    counter: str | None = None
    modulus: int | None = None
    arrival: str | None = None
    nominal_fs: float = 1000.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the file that are needed."""
        return tuple(name for name in (self.counter, self.arrival) if name is not None)


def _check_start(clock: RowClock, source: str) -> None:
    """Refuse a start that is not one of the clock that is stated."""
    if clock.is_utc is None and abs(clock.start_ns) > MAX_START_S * NS:
        raise InputError(
            source,
            f"the first row is at {clock.start_ns / NS:.10g} s, and whether this is UTC or local "
            "time is not stated",
            "give seconds from the start; a dialect states RowClock(..., is_utc=True) for UTC, "
            "is_utc=False for local time",
            "header",
        )
    if clock.is_utc is not None and not 0 <= clock.start_ns < _MAX_START_NS:
        raise InputError(
            source,
            f"the start is {clock.start_ns / NS:.10g} s after 1970, not a time from 1970 to 2261",
            "state the clock time of the first row in ns since 1970",
            "header",
        )


class RowTimes:
    """Computes the times of rows, block by block, once from start to end.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    clock : RowClock
    options : TimeOptions
    """

    def __init__(self, source: str, clock: RowClock, options: TimeOptions) -> None:
        self._source = source
        self._clock = clock
        _check_start(clock, source)
        self._local = LocalClock(options)
        start_ns, axis = clock.start_ns, "time_s"
        if clock.is_utc:
            axis = "time_utc"
        elif clock.is_utc is not None:
            start_ns, axis = self._local.start_to_utc(clock.start_ns), options.local_axis
        note = f"rows have a sampling rate, {clock.fs:.7g} Hz, instead of times"
        if clock.is_utc is False and axis == "time_local":
            note = Note("times", f"{note}, from a start in local time without a zone", GIVE_ZONE)
        self.reading = TimeReading("elapsed", axis, note=note)  # type: ignore[arg-type]
        if not _MIN_FS <= clock.fs < float("inf"):
            raise InputError(
                source,
                f"{clock.fs:g} Hz is not a sampling rate"
                if clock.fs
                else "states no sampling rate",
                f"state the rate that the device was set to, such as --fs {clock.nominal_fs:g}",
                "header",
            )
        self._start_ns = start_ns
        self._index: int | None = None
        self._first_arrival: float | None = None
        self._last_arrival: float | None = None
        self._last_count: float | None = None
        self._missing = 0

    @property
    def notes(self) -> list[str]:
        """What the user should know about the times so far."""
        texts = (self.reading.note, *self._local.notes)
        notes = [with_source(self._source, text) for text in texts if text]
        if self._missing and self._clock.counter:
            modulus = None if self._clock.arrival else self._clock.modulus
            limit = f" (losses of {modulus} or more in one place are not seen)" if modulus else ""
            notes.append(f"{self._source}: {self._clock.counter} skips {self._missing} rows{limit}")
        return notes

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the file that are needed."""
        return self._clock.columns

    @property
    def single_step_ns(self) -> float:
        """Return zero: the times are exact."""
        return 0.0

    def numbers_column(self) -> NumberColumn | None:
        """Return None: there is no column of times."""
        return None

    def parse(self, rows: int, columns: Mapping[str, NDArray[np.float64]]) -> NDArray[np.int64]:
        """Return the times of a block.

        Parameters
        ----------
        rows : int
            Number of rows of the block.
        columns : mapping of str to ndarray, shape (rows,)
            The columns that `RowClock.columns` names.

        Returns
        -------
        ndarray of int64, shape (rows,)
        """
        clock = self._clock
        steps = np.ones(rows, np.int64)
        first = self._index is None
        if clock.counter is not None:
            steps = self._count_steps(columns[clock.counter])
        if clock.arrival is not None:
            steps = self._arrival_steps(columns[clock.arrival], steps)
        if first and rows:
            steps[0] = 0
        self._missing += int((steps - 1).clip(0).sum())
        index = (self._index or 0) + np.cumsum(steps)
        if rows:
            self._index = int(index[-1])
        times_ns: NDArray[np.int64] = np.rint(index * (NS / clock.fs)).astype(np.int64)
        return times_ns + self._start_ns

    def close(self) -> None:
        """Check the sampling rate against the times at which rows arrived.

        Raises
        ------
        InputError
            If the rows arrived at another rate.
        """
        if self._first_arrival is None or self._last_arrival is None or not self._index:
            return
        seconds = self._last_arrival - self._first_arrival
        stated = self._index / self._clock.fs
        if _MIN_CHECK_S < seconds < float("inf") and abs(stated / seconds - 1) > _MAX_RATE_ERROR:
            rate = self._index / seconds
            raise InputError(
                self._source,
                f"{self._clock.fs:g} Hz is stated, but rows arrived at {rate:.4g} Hz",
                f"state the sampling rate with --fs {rate:.4g}",
                f"column {self._clock.arrival}",
            )

    def _count_steps(self, counts: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return by how many samples each row is later than the one before, by the counter."""
        if not len(counts):
            return np.empty(0, np.int64)
        before = counts[0] if self._last_count is None else self._last_count
        with np.errstate(invalid="ignore", over="ignore"):
            steps = np.diff(np.concatenate([[before], counts]))
        self._last_count = float(counts[-1])
        if self._clock.modulus:
            with np.errstate(invalid="ignore"):
                steps = np.mod(steps, self._clock.modulus)
        # a counter that stands still, restarts or is not a number tells nothing about a loss
        with np.errstate(invalid="ignore"):
            odd = ~np.isfinite(steps) | (steps < 1) | (steps > _MAX_SKIPPED)
        steps[odd] = 1
        whole: NDArray[np.int64] = np.rint(steps).astype(np.int64)
        return whole

    def _arrival_steps(
        self, arrival: NDArray[np.float64], steps: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Add the samples of losses that are longer than the counter can tell."""
        if not len(arrival):
            return steps
        highest = float(np.nanmax(arrival)) if np.isfinite(arrival).any() else 0.0
        seconds = arrival / (1000.0 if highest > _MAX_UNIX_S else 1.0)
        before = seconds[0] if self._last_arrival is None else self._last_arrival
        if self._first_arrival is None:
            self._first_arrival = float(seconds[0])
        with np.errstate(invalid="ignore", over="ignore"):
            gaps = np.diff(np.concatenate([[before], seconds]))
        self._last_arrival = float(seconds[-1])
        modulus = self._clock.modulus or 1
        missing = gaps * self._clock.fs - steps
        # a time that is not a number, or days off, tells nothing about a loss
        missing[~(np.abs(gaps) < _MAX_LOSS_S)] = 0.0
        late = np.flatnonzero(missing > max(0.75 * modulus, _MIN_LOSS_S * self._clock.fs))
        steps[late] += np.rint(missing[late] / modulus).astype(np.int64) * modulus
        return steps
