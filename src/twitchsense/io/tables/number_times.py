"""Numbers of a time column become whole nanoseconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.tables.local_clock import LocalClock, TimeOptions
from twitchsense.io.tables.number_cells import NumberColumn
from twitchsense.io.tables.time_reading import MAX_START_S, TimeReading, single_spacing
from twitchsense.io.tables.time_wraps import WrapCounter
from twitchsense.model.channels import NS
from twitchsense.model.notes import Note

Times = NDArray[np.int64]
Mask = NDArray[np.bool_]

#: Maximum absolute value (s) of elapsed time.
_MAX_TIME_S: Final = 1e9
#: Largest first time (s) of a clock whose unit is stated: devices count from their start.
_MAX_UPTIME_S: Final = 1e8
#: Largest time in ns that 64 bits hold, with a margin.
_MAX_NS: Final = 9e18
#: Serial time 0 of spreadsheets in ns since 1970.
_SERIAL_ORIGIN_NS: Final = -25_569 * 86_400 * NS


class NumberTimes:
    """Converts the numbers of one time column, block by block, once from start to end.

    Parameters
    ----------
    source, header, name : str
        Name of the file, of the column in it, and of the column in this package.
    locate_row : callable
        Returns the place of a row for messages.
    options : TimeOptions
    cells : NumberColumn
        Parses the cells.
    wraps : WrapCounter
    clock : LocalClock
    """

    def __init__(
        self,
        source: str,
        header: str,
        name: str,
        locate_row: Callable[[int], str],
        options: TimeOptions,
        cells: NumberColumn,
        wraps: WrapCounter,
        clock: LocalClock,
    ) -> None:
        self._source, self._header, self._name = source, header, name
        self._locate_row = locate_row
        self._options = options
        self.cells = cells
        self._wraps = wraps
        self._clock = clock
        self._single_unit_ns = 0.0
        self._latest = 0.0
        self._first: float | int | None = None

    @property
    def single_step_ns(self) -> float:
        """Distance (ns) of single-precision times near the latest; zero for other times."""
        return single_spacing(self._latest) * self._single_unit_ns if self._single_unit_ns else 0.0

    @property
    def notes(self) -> list[str]:
        """A note on times in single precision, or none."""
        if not self._single_unit_ns:
            return []
        return [
            Note(
                "times",
                f"{self._source}: {self._header} was stored in single precision, in steps of up to "
                f"{self.single_step_ns / 1e6:.3g} ms",
            )
        ]

    def parse(self, time: pd.Series, first_row: int, reading: TimeReading) -> tuple[Times, Mask]:
        """Return times in ns, and a mask of those that are invalid.

        Parameters
        ----------
        time : Series
            Time column of the block.
        first_row : int
            Number of the first row of the block in the table.
        reading : TimeReading
            How the numbers are read.

        Returns
        -------
        times_ns : ndarray of int64, shape (rows,)
        invalid : ndarray of bool, shape (rows,)

        Raises
        ------
        InputError
            If the first time is in none of the units that are known.
        """
        whole = pd.api.types.is_integer_dtype(time)
        if whole and reading.kind in ("unix", "since_first"):
            # as whole numbers: nanoseconds since 1970 have more digits than a float
            ticks = time.to_numpy(np.int64)
            if reading.kind == "since_first":
                return self._since_first(ticks, reading.unit_ns), np.zeros(len(ticks), bool)
            return ticks * round(reading.unit_ns), np.zeros(len(ticks), bool)
        numbers = self.cells.parse(time, first_row)
        invalid = ~np.isfinite(numbers)
        numbers = np.where(invalid, 0.0, numbers)
        if reading.kind == "since_first":
            with np.errstate(over="ignore"):
                invalid |= np.abs(numbers) * reading.unit_ns > _MAX_NS
            return self._since_first(np.where(invalid, 0.0, numbers), reading.unit_ns), invalid
        if reading.single:
            self._single_unit_ns = reading.unit_ns
            with np.errstate(over="ignore"):
                numbers = numbers.astype(np.float32).astype(np.float64)
            invalid |= ~np.isfinite(numbers)
            numbers = np.where(invalid, 0.0, numbers)
            self._latest = max(self._latest, float(np.abs(numbers).max(initial=0.0)))
        if reading.kind == "elapsed":
            return self._elapsed(numbers, invalid, first_row, reading.unit_ns)
        with np.errstate(over="ignore"):
            too_large = np.abs(numbers) * reading.unit_ns > _MAX_NS
        invalid |= too_large
        numbers = np.where(too_large, 0.0, numbers)
        # a float has fewer digits than nanoseconds since 1970: the digits beyond are noise
        step = float(np.spacing(np.abs(numbers).max(initial=1.0))) * reading.unit_ns
        resolution = 10 ** max(0, int(np.ceil(np.log10(max(step, 0.5) * 2))))
        times_ns = np.rint(numbers * (reading.unit_ns / resolution)).astype(np.int64) * resolution
        if reading.kind == "serial":
            times_ns = times_ns + _SERIAL_ORIGIN_NS
            if self._name != "time_utc":
                times_ns = self._clock.to_utc(times_ns, ~invalid)
        return times_ns, invalid

    def _elapsed(
        self, numbers: NDArray[np.float64], invalid: Mask, first_row: int, unit_ns: float
    ) -> tuple[Times, Mask]:
        """Return times from the start of the recording."""
        with np.errstate(over="ignore"):
            seconds = numbers * (unit_ns / 1e9)
        stated = self._options.unit is not None or self._name in ("time_ms", "time_us", "time_ns")
        limit = _MAX_UPTIME_S if stated else MAX_START_S
        if first_row == 0 and len(numbers) and abs(seconds[0]) > limit:
            raise InputError(
                self._source,
                f"the first {self._header} is {numbers[0]:.10g}: Unix time, or not in seconds?",
                "give seconds from the start of the recording, or state the unit of the column "
                "(--time-unit ms)",
                self._locate_row(0),
            )
        invalid |= np.abs(seconds) > _MAX_TIME_S
        numbers = np.where(invalid, 0.0, numbers)
        numbers = self._wraps.unwrap(numbers, ~invalid, first_row, unit_ns)
        return np.rint(numbers * unit_ns).astype(np.int64), invalid

    def _since_first(self, ticks: NDArray[np.float64] | Times, unit_ns: float) -> Times:
        """Return times of another clock, the first of which is known."""
        if not len(ticks):
            return np.empty(0, np.int64)
        if self._first is None:
            self._first = ticks[0]
        start_ns = 0
        if self._options.first_time_ns:
            start_ns = self._clock.start_to_utc(self._options.first_time_ns)
        since = np.clip((ticks - self._first) * unit_ns, -_MAX_NS / 2, _MAX_NS / 2)
        return start_ns + np.rint(since).astype(np.int64)
