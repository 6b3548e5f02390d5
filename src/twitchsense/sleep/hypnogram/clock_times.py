"""Clock times of other programs, put on UTC: offsets, zones, midnight, summer time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.recording import Recording

Ints = NDArray[np.int64]

_TIME_OF_DAY: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?\s*([AaPp][Mm])?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: A clock that goes back by more than this has passed midnight.
_MIDNIGHT: Final = timedelta(hours=12)
_CURE_ZONE: Final = "name the wearer's time zone, such as --zone Europe/Berlin"


@dataclass(frozen=True, slots=True)
class NightClock:
    """When a recording was made, as far as it knows.

    Attributes
    ----------
    start_us, stop_us : int
        Its extent on its own axis, microseconds.
    zero_us : int or None
        UTC of the axis' zero, microseconds since 1970.
    zone : str or None
        IANA zone of the wearer.
    """

    start_us: int
    stop_us: int
    zero_us: int | None = None
    zone: str | None = None

    @classmethod
    def of(cls, recording: Recording, zone: str | None = None) -> NightClock:
        """Return the clock of a recording; its own zone goes first."""
        zero = recording.start_utc_ns
        return cls(
            recording.start_ns // 1000,
            -(-recording.end_ns // 1000),
            None if zero is None else round(zero / 1000),
            recording.zone or zone,
        )

    def need_utc(self, source: str) -> int:
        """Return the UTC of the axis' zero, or say what is missing."""
        if self.zero_us is None:
            raise InputError(
                source,
                "has clock times, but the recording has none",
                "give captures with time_utc, or stages in seconds from its start",
            )
        return self.zero_us

    def need_zone(self, source: str, place: str = "") -> ZoneInfo:
        """Return the wearer's zone, or say that it is missing."""
        if self.zone is None:
            raise InputError(source, "has local times without a zone", _CURE_ZONE, place)
        return ZoneInfo(self.zone)

    def local_start(self, source: str) -> datetime:
        """Return the local time (naive) at which the recording began."""
        zone = self.need_zone(source)
        utc = _EPOCH + timedelta(microseconds=self.need_utc(source) + self.start_us)
        return utc.astimezone(zone).replace(tzinfo=None)


def read_clock_times(
    texts: Sequence[str],
    clock: NightClock,
    source: str,
    place: Callable[[int], str],
    length_us: Ints | None = None,
) -> Ints:
    """Return times in UTC microseconds since 1970.

    Parameters
    ----------
    texts : sequence of str
        ISO 8601 with or without offset, or times of day (``22:30:00``,
        ``10:30 PM``), in the order in which they passed.
    clock : NightClock
        Local times need its zone; times of day its start too: the first is
        taken on the day that brings it nearest to that.
    source : str
    place : callable
        Names a row in messages.
    length_us : ndarray of int64, optional
        How long each row lasts; tells the two passes of an hour that comes twice.

    Notes
    -----
    In the hour that comes twice when summer time ends, a local time has two
    meanings. The reading is taken that joins the row to the one before, tried
    from both meanings of the first row.

    Raises
    ------
    InputError
        For a time that can't be read, or that a zone skips.
    """
    naive: list[datetime] = []
    aware: dict[int, int] = {}
    for row, text in enumerate(texts):
        found = _parse(text, source, place(row))
        if isinstance(found, datetime):
            if found.tzinfo is not None:
                aware[row] = _micro(found)
            naive.append(found.replace(tzinfo=None))
        else:
            naive.append(_on_a_day(found, naive, clock, source))
    if len(aware) == len(naive):
        return np.array([aware[k] for k in range(len(naive))], np.int64)
    if aware:
        row = next(k for k in range(len(naive)) if (k in aware) != (0 in aware))
        raise InputError(
            source, "has times with and without offset", "give all one way", place(row)
        )
    zone = clock.need_zone(source, place(0))
    choices = [_readings(t, zone, source, place(row)) for row, t in enumerate(naive)]
    lengths = np.zeros(len(naive), np.int64) if length_us is None else length_us
    tries = [_join(first, choices, lengths) for first in choices[0]] if choices else [(0, [])]
    return np.array(min(tries, key=lambda t: t[0])[1], np.int64)


def is_clock_time(text: str) -> bool:
    """Tell whether a text is a clock time, not a number."""
    try:
        _parse(text, "", "")
    except InputError:
        return False
    return True


def _parse(text: str, source: str, place: str) -> datetime | timedelta:
    """Return a date with time, or the time since midnight."""
    clean = text.strip()
    day = _TIME_OF_DAY.fullmatch(clean)
    if day:
        hour, minute, second = int(day[1]), int(day[2]), int(day[3] or 0)
        if day[5]:
            fine = 1 <= hour <= 12
            hour = hour % 12 + 12 * (day[5].lower() == "pm")
        else:
            fine = hour < 24
        if fine and minute < 60 and second < 60:
            part = float(day[4] or 0)
            return timedelta(hours=hour, minutes=minute, seconds=second + part)
    elif len(clean) >= 10 and clean[4:5] == "-":
        try:
            return datetime.fromisoformat(clean)
        except ValueError:
            pass
        for form in ("%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %I:%M:%S %p %z"):  # Apple writes so
            try:
                return datetime.strptime(clean, form)
            except ValueError:
                continue
    cure = "write 2026-03-28T22:30:00+01:00, or 22:30:00"
    raise InputError(source, f"{text!r} is no clock time", cure, place)


def _on_a_day(time: timedelta, before: list[datetime], clock: NightClock, source: str) -> datetime:
    if before:
        at = _midnight(before[-1].date()) + time
        # summer time's end sets the clock back by an hour, midnight by most of a day
        return at + timedelta(days=1) if before[-1] - at > _MIDNIGHT else at
    start = clock.local_start(source)
    days = (_midnight(start.date()) + timedelta(days=k) + time for k in (-1, 0, 1))
    return min(days, key=lambda at: abs(at - start))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _readings(local: datetime, zone: ZoneInfo, source: str, place: str) -> list[int]:
    """Return the one or two UTC times of a local time, earlier first."""
    out: list[int] = []
    for fold in (0, 1):
        aware = local.replace(tzinfo=zone, fold=fold)
        utc = _micro(aware)
        back = (_EPOCH + timedelta(microseconds=utc)).astimezone(zone).replace(tzinfo=None)
        if back == local and utc not in out:
            out.append(utc)
    if not out:
        problem = f"the local time {local} never was in {zone.key}: clocks were put forward"
        raise InputError(source, problem, "give times with their offset from UTC", place)
    return out


def _join(first: int, choices: list[list[int]], length_us: Ints) -> tuple[int, list[int]]:
    """Follow the rows from one reading of the first; return the time not accounted for."""
    chosen, lost = [first], 0
    for k, readings in enumerate(choices[1:], 1):
        expected = chosen[-1] + int(length_us[k - 1])
        # not before the row before, then nearest to where that one ended
        best = min(readings, key=lambda t: (t < chosen[-1], abs(t - expected)))
        lost += abs(best - expected)
        chosen.append(best)
    return lost, chosen


def _micro(aware: datetime) -> int:
    return (aware - _EPOCH) // timedelta(microseconds=1)
