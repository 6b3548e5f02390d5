"""How the numbers or texts of a time column are to be read.

Elapsed time and Unix time in seconds to nanoseconds, serial times of spreadsheets, times of
day and local or UTC dates are told apart by the name of the column, the magnitude of the
first value and the spacing of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.notes import STATE_TIMES, Note

Floats = NDArray[np.float64]

#: Length (ns) of the units of time columns and of ``--time-unit``.
TIME_UNITS: Final = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
#: Names of time columns: elapsed or Unix time in a unit, UTC or local dates.
TIME_COLUMNS: Final = (*(f"time_{unit}" for unit in TIME_UNITS), "time_utc", "time_local")
#: Headers that are taken for the time column if no column has one of `TIME_COLUMNS`.
FOREIGN_TIME_HEADERS: Final = frozenset(
    (
        *("time", "timestamp", "timestamps", "time_stamp", "datetime", "date_time"),
        *("unix_time", "unixtime", "unix_timestamp", "epoch"),
    )
)
#: The same, if there is none of these either.
OTHER_TIME_HEADERS: Final = frozenset(
    (
        *("zeit", "uhrzeit", "zeitstempel", "temps", "heure", "horodatage"),
        *("tiempo", "hora", "tempo", "ora", "tid", "millis", "micros"),
        *(f"{name}_{unit}" for name in ("timestamp", "unix_timestamp") for unit in TIME_UNITS),
    )
)
#: Name that a foreign time column gets: its unit is found by magnitude and spacing.
ANY_TIME: Final = "time"
#: Names of time columns that may hold dates.
CLOCK_TIMES: Final = ("time_utc", "time_local", ANY_TIME)
#: Range of Unix times in seconds: 1973 to 2065. Seconds since 1904 (LabVIEW) or 1900 lie beyond.
_UNIX_RANGE_S: Final = (1e8, 3e9)
#: 2001-01-01, from which programs of Apple count seconds, as Unix time: no recording is older.
_APPLE_EPOCH_S: Final = 978_307_200
#: Range of the serial times of spreadsheets (days since 1899-12-30): 1954 to 2119.
_SERIAL_RANGE: Final = (20_000.0, 80_000.0)
DAY_NS: Final = 86_400e9
#: Range of steps (ns) of the sampling rates that this package reads, with a margin for rows
#: of a slower channel between them.
_STEP_RANGE_NS: Final = (2e5, 5e7)
#: Maximum first value (s) of elapsed time. Larger values are Unix time or another unit.
MAX_START_S: Final = 7 * 86400
#: Share of rows that repeat the time before, from which rows come in packets.
_MAX_REPEATS: Final = 0.25
#: Largest time that is examined for single precision.
_MAX_SINGLE: Final = 1e30
#: Relative spacing of single-precision numbers.
_SINGLE_EPSILON: Final = 2.0**-23
_WORDS: Final = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


@dataclass(frozen=True, slots=True)
class TimeReading:
    """How a time column is read.

    Attributes
    ----------
    kind : {'elapsed', 'since_first', 'unix', 'serial', 'of_day', 'date'}
    axis : {'time_s', 'time_utc', 'time_local', 'time_of_day'}
        Axis of the times: from the start of the recording, UTC, a local clock without a
        known zone, or a clock without dates.
    unit_ns : float
        Length of the unit of a number.
    single : bool
        Whether the numbers were stored in single precision.
    note : str
        What the user should know about the decision; may be empty.
    """

    kind: Literal["elapsed", "since_first", "unix", "serial", "of_day", "date"]
    axis: Literal["time_s", "time_utc", "time_local", "time_of_day"]
    unit_ns: float = 1e9
    single: bool = False
    note: str = ""


def read_number_times(
    name: str, header: str, numbers: Floats, *, time_unit: str | None, local_axis: str
) -> TimeReading | None:
    """Find out what the numbers of a time column mean.

    Parameters
    ----------
    name : str
        Name of the column: one of `TIME_COLUMNS` or `ANY_TIME`.
    header : str
        Name of the column in the file.
    numbers : ndarray of float64, shape (n,)
        First numbers of the column.
    time_unit : str or None
        Unit that the user states.
    local_axis : {'time_utc', 'time_local'}
        Axis of local times.

    Returns
    -------
    TimeReading or None
        None if the numbers cannot be times of such a column.
    """
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return TimeReading("elapsed", "time_s")
    first = abs(float(finite[0]))
    with np.errstate(over="ignore"):
        steps = np.diff(finite)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if len(steps) and (steps == 0).mean() > _MAX_REPEATS:  # packets of rows that have one time
        step = float(finite[-1] - finite[0]) / len(steps)
    stated = time_unit or (name[5:] if name in ("time_ms", "time_us", "time_ns") else None)
    units = [stated] if stated else list(TIME_UNITS)
    unix = [u for u in units if _UNIX_RANGE_S[0] <= first * TIME_UNITS[u] / 1e9 < _UNIX_RANGE_S[1]]
    for unit in unix:
        step_ns = step * TIME_UNITS[unit]
        # a time since the start of a device may be as large as Unix time of a larger unit
        if (
            stated
            or not name.startswith(ANY_TIME)
            or _elapsed_unit(first, step) is None
            or (_STEP_RANGE_NS[0] <= step_ns <= _STEP_RANGE_NS[1])
        ):
            note = (
                ""
                if stated
                else Note("times", f"{header} is read as Unix time in {_WORDS[unit]}", STATE_TIMES)
            )
            return TimeReading("unix", "time_utc", TIME_UNITS[unit], note=note)
    low, high = _SERIAL_RANGE
    if (
        stated is None
        and name in (ANY_TIME, "time_local", "time_s", "time_utc")
        and low < first < high
        and 0 < step < _STEP_RANGE_NS[1] / DAY_NS
    ):
        axis: Literal["time_utc", "time_local"] = "time_local"
        if local_axis == "time_utc" or name == "time_utc":
            axis = "time_utc"
        note = Note(
            "times",
            f"{header} is read as the serial time of a spreadsheet (days since 1899-12-30)",
            STATE_TIMES,
        )
        return TimeReading("serial", axis, DAY_NS, note=note)
    if name in ("time_utc", "time_local"):
        return None
    if stated is None and name == ANY_TIME and step:
        for unit, length in TIME_UNITS.items():
            if _STEP_RANGE_NS[0] <= step * length <= _STEP_RANGE_NS[1]:
                note = Note(
                    "times", f"{header} is read as {_WORDS[unit]} from the start", STATE_TIMES
                )
                return TimeReading("elapsed", "time_s", length, is_single_precision(finite), note)
    unit_ns = TIME_UNITS[stated or "s"]
    return TimeReading("elapsed", "time_s", unit_ns, is_single_precision(finite))


def _elapsed_unit(first: float, step: float) -> str | None:
    """Return the unit in which numbers may be elapsed time, by their spacing."""
    for unit, length in TIME_UNITS.items():
        if _STEP_RANGE_NS[0] <= step * length <= _STEP_RANGE_NS[1]:
            return unit if first * length / 1e9 < MAX_START_S else None
    return None


def is_single_precision(numbers: Floats) -> bool:
    """Return whether numbers were rounded to single precision (float32).

    Parameters
    ----------
    numbers : ndarray of float64, shape (n,)
        Increasing.

    Returns
    -------
    bool
        True if every number is that of a float32, written exactly, shortened or with fixed
        decimals, and if decimal rounding alone would not do that.
    """
    if len(numbers) < 8:
        return False
    if float(np.abs(numbers).max()) > _MAX_SINGLE:
        return False
    single = numbers.astype(np.float32)
    spacing = float(np.abs(numbers[-1])) * _SINGLE_EPSILON / 2
    written = _decimal_resolution(numbers)
    if written >= spacing:
        return False  # too few decimals to tell
    off = np.abs(numbers - single.astype(np.float64))
    if (off <= written / 2 + 1e-12 * np.abs(numbers)).all():
        return True
    text = single.astype(str).astype(np.float64)
    return bool((text == numbers).all())


def _decimal_resolution(numbers: Floats) -> float:
    """Return the largest power of ten, at most a million, of which all numbers are multiples."""
    resolution = 1e6
    for _ in range(15):
        multiples = numbers / resolution
        if (np.abs(multiples - np.rint(multiples)) < 1e-6 + 4e-16 * np.abs(multiples)).all():
            return resolution
        resolution /= 10
    return resolution


def single_spacing(number: float) -> float:
    """Return the distance of single-precision numbers near a number.

    Parameters
    ----------
    number : float
    """
    return float(np.spacing(np.float32(abs(number))))


def check_epoch(
    source: str, header: str, numbers: Floats, reading: TimeReading, place: str
) -> None:
    """Refuse numbers that are Unix times before 2001, or seconds since then.

    Parameters
    ----------
    source, header : str
        Name of the file and of the column in it.
    numbers : ndarray of float64, shape (n,)
        First numbers of the column.
    reading : TimeReading
        As Unix time.
    place : str
        Place of the first row, for the message.

    Raises
    ------
    InputError
    """
    seconds = round(float(numbers[np.isfinite(numbers)][0]) * reading.unit_ns / 1e9)
    if seconds < _APPLE_EPOCH_S:
        unix, apple = (
            np.datetime64(s, "s").item().date() for s in (seconds, seconds + _APPLE_EPOCH_S)
        )
        unit = next(u for u, length in TIME_UNITS.items() if length == reading.unit_ns)
        raise InputError(
            source,
            f"the first {header} is {unix} as Unix time, or {apple} if counted from 2001",
            f"state --time-unit {unit} for Unix time; add --start with the date and time of the "
            "first row for the other",
            place,
        )


def refuse_numbers(source: str, header: str, place: str) -> InputError:
    """Return the error for numbers in a column of dates."""
    return InputError(
        source,
        f"{header} is a number, not an ISO 8601 time",
        "write times like 2026-03-01T22:15:00.000Z, or name seconds from the start time_s",
        place,
    )
