"""Convert clock times to UTC: offsets, time zones, midnight, daylight saving time."""

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
#: A time of day that decreases by more than this has passed midnight.
_MIDNIGHT_STEP: Final = timedelta(hours=12)
_CURE_ZONE: Final = "name the wearer's time zone, such as --zone Europe/Berlin"


@dataclass(frozen=True, slots=True)
class NightClock:
    """Extent and clock time of a recording.

    Attributes
    ----------
    start_us, stop_us : int
        First and last time on the recording's own axis, microseconds.
    zero_us : int or None
        UTC of the axis' zero, microseconds since 1970; None if unknown.
    zone : str or None
        IANA time zone of the wearer; None if unknown.
    """

    start_us: int
    stop_us: int
    zero_us: int | None = None
    zone: str | None = None

    @classmethod
    def from_recording(cls, recording: Recording, zone: str | None = None) -> NightClock:
        """Return the clock of a recording.

        Parameters
        ----------
        recording : Recording
            Its own time zone takes precedence.
        zone : str, optional
            IANA time zone for a recording without one.

        Returns
        -------
        NightClock
        """
        zero = recording.start_utc_ns
        return cls(
            recording.start_ns // 1000,
            -(-recording.end_ns // 1000),
            None if zero is None else round(zero / 1000),
            recording.zone or zone,
        )

    def require_utc(self, source: str) -> int:
        """Return the UTC of the axis' zero.

        Parameters
        ----------
        source : str
            Name of the file that has clock times, for the error message.

        Returns
        -------
        int
            Microseconds since 1970.

        Raises
        ------
        InputError
            If the recording has no clock time.
        """
        if self.zero_us is None:
            raise InputError(
                source,
                "has clock times, but the recording has none",
                "give captures with time_utc, or stages in seconds from its start",
            )
        return self.zero_us

    def require_zone(self, source: str, place: str = "") -> ZoneInfo:
        """Return the wearer's time zone.

        Parameters
        ----------
        source, place : str
            Name of the file and place in it, for the error message.

        Returns
        -------
        ZoneInfo

        Raises
        ------
        InputError
            If the time zone is unknown.
        """
        if self.zone is None:
            raise InputError(source, "has local times without a zone", _CURE_ZONE, place)
        return ZoneInfo(self.zone)

    def local_start(self, source: str) -> datetime:
        """Return the local time at which the recording starts.

        Parameters
        ----------
        source : str
            Name of the file that has clock times, for error messages.

        Returns
        -------
        datetime
            Without a time zone.

        Raises
        ------
        InputError
            If the clock time or the time zone is unknown.
        """
        zone = self.require_zone(source)
        utc = _EPOCH + timedelta(microseconds=self.require_utc(source) + self.start_us)
        return utc.astimezone(zone).replace(tzinfo=None)


def read_clock_times(
    texts: Sequence[str],
    clock: NightClock,
    source: str,
    place: Callable[[int], str],
    length_us: Ints | None = None,
) -> Ints:
    """Convert clock times to UTC microseconds since 1970.

    Parameters
    ----------
    texts : sequence of str
        ISO 8601 with or without UTC offset, or times of day (``22:30:00``,
        ``10:30 PM``), in time order.
    clock : NightClock
        Local times require its time zone. Times of day also require its start: the
        first one is placed on the day that brings it nearest to the start.
    source : str
        Name of the file in messages.
    place : callable
        Maps a row number (from 0) to its place in the file, for messages.
    length_us : ndarray of int64, optional
        Duration of each row, microseconds; resolves ambiguous local times.

    Returns
    -------
    ndarray of int64
        UTC, microseconds since 1970.

    Notes
    -----
    A local time in the hour that is repeated when daylight saving time ends has two
    interpretations. The one that continues the previous row is chosen, starting from
    each interpretation of the first row in turn; the start with the smaller total
    mismatch wins.

    Raises
    ------
    InputError
        For a malformed time, or one that the time zone skips.
    """
    naive: list[datetime] = []
    aware: dict[int, int] = {}
    for row, text in enumerate(texts):
        found = _parse(text, source, place(row))
        if isinstance(found, datetime):
            if found.tzinfo is not None:
                aware[row] = _to_us(found)
            naive.append(found.replace(tzinfo=None))
        else:
            naive.append(_add_date(found, naive, clock, source))
    if len(aware) == len(naive):
        return np.array([aware[k] for k in range(len(naive))], np.int64)
    if aware:
        row = next(k for k in range(len(naive)) if (k in aware) != (0 in aware))
        raise InputError(
            source, "mixes times with and without offset", "use one form throughout", place(row)
        )
    zone = clock.require_zone(source, place(0))
    choices = [_interpretations(t, zone, source, place(row)) for row, t in enumerate(naive)]
    lengths = np.zeros(len(naive), np.int64) if length_us is None else length_us
    paths = [_follow(first, choices, lengths) for first in choices[0]] if choices else [(0, [])]
    return np.array(min(paths, key=lambda t: t[0])[1], np.int64)


def is_clock_time(text: str) -> bool:
    """Return whether a text is a clock time and not a number.

    Parameters
    ----------
    text : str
        One cell of a table.

    Returns
    -------
    bool
    """
    try:
        _parse(text, "", "")
    except InputError:
        return False
    return True


def _parse(text: str, source: str, place: str) -> datetime | timedelta:
    """Return a date with time, or the time since midnight."""
    clean = text.strip()
    match = _TIME_OF_DAY.fullmatch(clean)
    if match:
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if match[5]:
            fine = 1 <= hour <= 12
            hour = hour % 12 + 12 * (match[5].lower() == "pm")
        else:
            fine = hour < 24
        if fine and minute < 60 and second < 60:
            fraction = float(match[4] or 0)
            return timedelta(hours=hour, minutes=minute, seconds=second + fraction)
    elif len(clean) >= 10 and clean[4:5] == "-":
        try:
            return datetime.fromisoformat(clean)
        except ValueError:
            pass
        for form in ("%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %I:%M:%S %p %z"):  # Apple Health
            try:
                return datetime.strptime(clean, form)
            except ValueError:
                continue
    cure = "write 2026-03-28T22:30:00+01:00, or 22:30:00"
    raise InputError(source, f"{text!r} is not a clock time", cure, place)


def _add_date(time: timedelta, before: list[datetime], clock: NightClock, source: str) -> datetime:
    """Return a time of day with its date: of the row before, or nearest to the start."""
    if before:
        at = _midnight(before[-1].date()) + time
        # the end of daylight saving time goes back by one hour, midnight by most of a day
        return at + timedelta(days=1) if before[-1] - at > _MIDNIGHT_STEP else at
    start = clock.local_start(source)
    days = (_midnight(start.date()) + timedelta(days=k) + time for k in (-1, 0, 1))
    return min(days, key=lambda at: abs(at - start))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _interpretations(local: datetime, zone: ZoneInfo, source: str, place: str) -> list[int]:
    """Return the one or two UTC times (microseconds) of a local time, earlier first."""
    out: list[int] = []
    for fold in (0, 1):
        aware = local.replace(tzinfo=zone, fold=fold)
        utc = _to_us(aware)
        back = (_EPOCH + timedelta(microseconds=utc)).astimezone(zone).replace(tzinfo=None)
        if back == local and utc not in out:
            out.append(utc)
    if not out:
        problem = f"the local time {local} does not exist in {zone.key}: the clock was set forward"
        raise InputError(source, problem, "give times with their offset from UTC", place)
    return out


def _follow(first: int, choices: list[list[int]], length_us: Ints) -> tuple[int, list[int]]:
    """Choose one interpretation per row, given the first; also return the total mismatch."""
    chosen, mismatch = [first], 0
    for k, options in enumerate(choices[1:], 1):
        expected = chosen[-1] + int(length_us[k - 1])
        # not earlier than the previous row, then nearest to its end
        best = min(options, key=lambda t: (t < chosen[-1], abs(t - expected)))
        mismatch += abs(best - expected)
        chosen.append(best)
    return mismatch, chosen


def _to_us(aware: datetime) -> int:
    return (aware - _EPOCH) // timedelta(microseconds=1)
