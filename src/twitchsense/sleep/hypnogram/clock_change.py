"""Convert local times on the night on which the clocks are changed.

A file may follow the civil time of its zone, or keep one clock through the night, as the
recorders of sleep laboratories and Fitbit do. The rows show which: rows that follow each
other to the second across the change in one reading have a jump of an hour in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError

Ints = NDArray[np.int64]
Reading = Literal["unknown", "local"] | int

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Rows closer than this (µs) to the end of the row before follow it.
_CONTIGUOUS_US: Final = 1_000_000
#: Offset from UTC changes by at least this much (µs); smaller differences are rounding.
_HALF_HOUR_US: Final = 1_800_000_000
_CURE_OFFSET: Final = "write the times with their offset from UTC (2026-10-25T02:30:00+02:00)"


def read_local_times(
    naive: Sequence[datetime],
    zone: ZoneInfo,
    source: str,
    place: Callable[[int], str],
    *,
    length_us: Ints | None = None,
    near_us: int | None = None,
    one_clock: bool = False,
    reading: Reading = "unknown",
) -> tuple[Ints, Literal["local"] | int, tuple[str, ...]]:
    """Convert local times to UTC, across a clock change by the reading that fits the rows.

    Parameters
    ----------
    naive : sequence of datetime
        Local times without a zone, in time order.
    zone : ZoneInfo
    source : str
        Name of the file in messages.
    place : callable
        Maps a row number (from 0) to its place in the file, for messages.
    length_us, one_clock, reading
        See `twitchsense.sleep.hypnogram.clock_times.read_clock_times`.
    near_us : int, optional
        UTC of the start of the recording; decides between two readings that differ only
        in which of two equal local times the first row is.

    Returns
    -------
    utc_us : ndarray of int64
        Microseconds since 1970.
    reading : int or 'local'
        As in `ClockTimes`.
    notes : tuple of str

    Raises
    ------
    InputError
        For a local time that does not exist, and if no reading fits the rows better.
    """
    if not naive:
        return np.empty(0, np.int64), "local", ()
    local_us = np.array([to_utc_us(t.replace(tzinfo=UTC)) for t in naive], np.int64)
    if isinstance(reading, int):
        return local_us - reading, reading, ()
    choices = [_interpretations(t, zone) for t in naive]
    missing = next((k for k, options in enumerate(choices) if not options), None)
    if missing == 0 or (missing is not None and reading == "local"):
        raise _skipped(naive[missing], zone, source, place(missing))
    offsets = {int(at) - option for at, o in zip(local_us, choices, strict=True) for option in o}
    if len(offsets) == 1:
        return local_us - offsets.pop(), "local", ()
    lengths = _regular_lengths(local_us) if length_us is None else length_us
    found = _readings(choices, local_us, lengths)
    if reading == "local":
        found = [r for r in found if r.local]
    if not found:
        at = 0 if missing is None else missing
        if missing is not None:
            raise _skipped(naive[at], zone, source, place(at))
        raise InputError(source, "times go back", "sort the rows by time", place(at))
    near = 0 if near_us is None else near_us

    def rank(r: _Reading) -> tuple[float, ...]:
        distance = abs(int(r.utc_us[0]) - near)
        return (-r.contiguous, distance) if one_clock else (-r.contiguous, not r.local, distance)

    best, *others = sorted(found, key=rank)
    other = next((r for r in others if _steps_differ(r, best)), None)
    if other is not None and other.contiguous == best.contiguous:
        if not one_clock:
            row = _first_difference(other, best)
            raise InputError(
                source, f"the clocks of {zone.key} change here, and the times may follow it or not",
                _CURE_OFFSET, place(row),
            )  # fmt: skip
        best = next(r for r in sorted(found, key=rank) if not r.local)
    if best.local:
        return best.utc_us, "local", ()
    offset = int(local_us[0] - best.utc_us[0])
    note = f"the times ignore the clock change of {zone.key}: read as one clock, {_utc(offset)}"
    return best.utc_us, offset, (note,)


def to_utc_us(aware: datetime) -> int:
    """Return microseconds since 1970 of a time with an offset from UTC.

    Parameters
    ----------
    aware : datetime

    Returns
    -------
    int
    """
    return (aware - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """One way to read the times, and the number of rows that follow the row before."""

    utc_us: Ints
    local: bool
    contiguous: int


def _readings(choices: list[list[int]], local_us: Ints, lengths: Ints) -> list[_Reading]:
    """Return the readings in which the times do not go back."""
    paths: list[tuple[Ints, bool]] = []
    if all(choices):
        paths += [(_follow(first, choices, lengths), True) for first in choices[0]]
    paths += [(local_us - local_us[0] + first, False) for first in choices[0]]
    out: list[_Reading] = []
    for utc_us, local in paths:
        step = np.diff(utc_us)
        if (step < 0).any() or any(np.array_equal(utc_us, r.utc_us) for r in out):
            continue
        near = np.abs(step - lengths[: len(step)]) < _CONTIGUOUS_US
        out.append(_Reading(utc_us, local, int((near & (lengths[: len(step)] >= 0)).sum())))
    return out


def _regular_lengths(local_us: Ints) -> Ints:
    """Return the most frequent step for all rows, or -1 if the rows have no regular step."""
    step = np.diff(local_us)
    values, counts = np.unique(step[step > 0], return_counts=True)
    # fewer equal steps may be chance, and one step always equals itself
    regular = len(counts) > 0 and counts.max() >= 3 and 2 * counts.max() > len(step)
    return np.full(len(local_us), values[np.argmax(counts)] if regular else -1, np.int64)


def _steps_differ(one: _Reading, other: _Reading) -> bool:
    return bool((np.abs(np.diff(one.utc_us) - np.diff(other.utc_us)) >= _HALF_HOUR_US).any())


def _first_difference(one: _Reading, other: _Reading) -> int:
    """Return the row after the first step in which two readings differ."""
    return 1 + int(np.argmax(np.diff(one.utc_us) != np.diff(other.utc_us)))


def _interpretations(local: datetime, zone: ZoneInfo) -> list[int]:
    """Return the UTC times (microseconds) of a local time, earlier first; none if skipped."""
    out: list[int] = []
    for fold in (0, 1):
        utc = to_utc_us(local.replace(tzinfo=zone, fold=fold))
        back = (_EPOCH + timedelta(microseconds=utc)).astimezone(zone).replace(tzinfo=None)
        if back == local and utc not in out:
            out.append(utc)
    return out


def _follow(first: int, choices: list[list[int]], lengths: Ints) -> Ints:
    """Choose one interpretation of civil time per row, given the first."""
    chosen = [first]
    for k, options in enumerate(choices[1:], 1):
        expected = chosen[-1] + max(int(lengths[k - 1]), 0)
        # not earlier than the previous row, then nearest to its end
        chosen.append(min(options, key=lambda t: (t < chosen[-1], abs(t - expected))))
    return np.array(chosen, np.int64)


def _skipped(local: datetime, zone: ZoneInfo, source: str, place: str) -> InputError:
    problem = f"the local time {local} does not exist in {zone.key}: the clock was set forward"
    return InputError(source, problem, "give times with their offset from UTC", place)


def _utc(offset_us: int) -> str:
    minutes = round(offset_us / 60e6)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
