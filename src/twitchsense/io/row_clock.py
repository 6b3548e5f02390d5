"""Times of rows that have a sampling rate, and perhaps a counter, instead of a time column."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.io.csv_dialect import RowClock
from twitchsense.io.local_clock import TimeOptions, to_utc_start
from twitchsense.io.number_cells import NumberColumn, to_floats
from twitchsense.io.time_reading import TimeReading
from twitchsense.model.channels import NS

#: Numbers of values of counters that devices use.
_MODULI = (16, 32, 64, 100, 101, 128, 201, 256, 1000, 1024, 4096, 65_536, 1 << 24, 1 << 32)
#: Maximum number of rows that a counter may skip; beyond, it began anew.
_MAX_SKIPPED = 1 << 16


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
        start_ns, axis = clock.start_ns, "time_s"
        if clock.is_utc:
            axis = "time_utc"
        elif clock.is_utc is not None:
            start_ns, axis = to_utc_start(clock.start_ns, options)
        note = f"rows have no time: {clock.fs:g} Hz is taken from the file"
        if clock.is_utc is False and axis == "time_local":
            note += "; its start is local time, known as UTC with --zone (such as Europe/Berlin)"
        self.reading = TimeReading("elapsed", axis, note=note)  # type: ignore[arg-type]
        self._start_ns = start_ns
        self._index = 0
        self._last_count: float | None = None
        self._missing = 0

    @property
    def notes(self) -> list[str]:
        """What the user should know about the times so far."""
        notes = [f"{self._source}: {self.reading.note}"]
        if self._missing and self._clock.counter:
            modulus = self._clock.modulus
            limit = f" (losses of {modulus} or more in one place are not seen)" if modulus else ""
            notes.append(f"{self._source}: {self._clock.counter} skips {self._missing} rows{limit}")
        return notes

    @property
    def single_step_ns(self) -> float:
        """Return zero: the times are exact."""
        return 0.0

    def numbers_column(self) -> NumberColumn | None:
        """Return None: there is no column of times."""
        return None

    def parse(
        self, time: pd.Series, first_row: int, signals: Iterable[NDArray[np.float64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        """Return the times of a block.

        Parameters
        ----------
        time : Series
            Counter of the rows, or any column of the same length.
        first_row : int
            Number of the first row of the block in the table.
        signals : iterable of ndarray, shape (rows,)
            Signal columns of the block.

        Returns
        -------
        times_ns : ndarray of int64, shape (rows,)
        rows : None
            All rows have a time.
        """
        steps = np.ones(len(time), np.int64)
        if self._clock.counter is not None:
            steps = self._steps(to_floats(time))
        elif first_row == 0 and len(steps):
            steps[0] = 0
        index = self._index + np.cumsum(steps)
        if len(index):
            self._index = int(index[-1])
        times_ns = self._start_ns + np.rint(index * (NS / self._clock.fs)).astype(np.int64)
        return times_ns, None

    def _steps(self, counts: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return by how many samples each row is later than the one before."""
        if not len(counts):
            return np.empty(0, np.int64)
        first = self._last_count is None
        before = counts[0] if self._last_count is None else self._last_count
        steps = np.diff(np.concatenate([[before], counts]))
        self._last_count = float(counts[-1])
        if self._clock.modulus:
            steps = np.mod(steps, self._clock.modulus)
        # a counter that stands still, begins anew or is no number tells nothing about a loss
        odd = ~np.isfinite(steps) | (steps < 1) | (steps > _MAX_SKIPPED)
        steps[odd] = 1
        if first:
            steps[0] = 0
        whole = np.rint(steps).astype(np.int64)
        self._missing += int((whole[1 if first else 0 :] - 1).sum())
        return whole


def find_modulus(counts: NDArray[np.float64]) -> int | None:
    """Return the number of values of a counter that begins again with zero or one.

    Parameters
    ----------
    counts : ndarray of float64, shape (n,)
        First values of the counter.

    Returns
    -------
    int or None
        None if it never begins again in these rows.
    """
    finite = counts[np.isfinite(counts)]
    if len(finite) < 2 or not (np.diff(finite) < 0).any():
        return None
    top = float(finite.max())
    return next((m for m in _MODULI if m > top), None)
