"""Convert clock times to UTC: offsets, time zones, midnight; `clock_change` does the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from twitchsense.errors import InputError
from twitchsense.model.recording import Recording
from twitchsense.sleep.hypnogram.clock_change import (
    Ints,
    Reading,
    read_local_times,
    to_utc_us,
)
from twitchsense.sleep.hypnogram.clock_text import parse_clock_time

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: A time of day that decreases by more than this has passed midnight.
_MIDNIGHT_STEP: Final = timedelta(hours=12)
_START: Final = "2026-03-28T22:30:00+01:00"
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
    has_date : bool
        Whether the date of `zero_us` is known; if not, only its time of day is.
    own_file : bool
        Whether the file to be placed is the recording itself, and begins with it.
    is_local : bool
        Whether `zero_us` is a local time of an unknown zone, counted as if it were UTC.
    """

    start_us: int
    stop_us: int
    zero_us: int | None = None
    zone: str | None = None
    has_date: bool = True
    own_file: bool = False
    is_local: bool = False

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
                f"read the recording with --start {_START}, the time of its first row, or with "
                "--zone Europe/Berlin if its file holds its local start",
            )
        return self.zero_us

    def require_date(self, source: str, first: datetime | int, place: str = "") -> None:
        """Refuse times with a date if the date of the recording is unknown.

        Parameters
        ----------
        source, place : str
            Name of the file and place in it, for the error message.
        first : datetime or int
            First time of the file (microseconds of UTC since 1970 if int), for the example.

        Raises
        ------
        InputError
            If the date is unknown.
        """
        if not self.has_date:
            if isinstance(first, int):
                first = _EPOCH + timedelta(microseconds=first)
            raise InputError(
                source,
                "has clock times with a date",
                "--start needs a date here, that of second 0: such as --start "
                f"{first.isoformat(timespec='seconds')}",
                place,
            )

    def require_offset(self, source: str, place: str = "", first: datetime | None = None) -> None:
        """Refuse times whose UTC is known if that of the start is not.

        Parameters
        ----------
        source, place : str
            Name of the file and place in it, for the error message.
        first : datetime, optional
            First time of the file with its offset from UTC, for the example.

        Raises
        ------
        InputError
            If the start is a local time of an unknown zone.
        """
        if self.is_local and self.has_date:  # the date is asked for with its offset
            offset = timezone(timedelta(hours=1)) if first is None else first.tzinfo
            start = _EPOCH + timedelta(microseconds=self.require_utc(source))
            example = start.replace(tzinfo=offset).isoformat(timespec="seconds")
            raise InputError(
                source,
                "has times of UTC or with an offset from it, and --start has no offset",
                f"add that of your clock, such as --start {example}, or give --zone Europe/Berlin",
                place,
            )

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

    def local_date(self) -> date | None:
        """Return the local date on which the recording starts; None if it is unknown."""
        known = self.zone is not None and self.zero_us is not None
        return self.local_start("").date() if known else None

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


#: In place of the clock of a recording that is unknown.
UNDATED: Final = NightClock(0, 0, 0, "UTC", has_date=False)


@dataclass(frozen=True, slots=True, eq=False)
class ClockTimes:
    """Clock times of a file, converted to UTC.

    Attributes
    ----------
    utc_us : ndarray of int64, shape (n,)
        Microseconds since 1970.
    reading : int or {'local'}
        How local times were read: by the civil time of the zone, or (int) by one clock
        that ignores its changes, of which this is the offset from UTC in microseconds.
    notes : tuple of str
        Assumptions made.
    """

    utc_us: Ints
    reading: Literal["local"] | int = "local"
    notes: tuple[str, ...] = ()


def read_clock_times(
    texts: Sequence[str],
    clock: NightClock,
    source: str,
    place: Callable[[int], str],
    length_us: Ints | None = None,
    *,
    one_clock: bool = False,
    reading: Reading = "unknown",
) -> ClockTimes:
    """Convert clock times to UTC.

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
        Time from each row to the next, microseconds, where the file gives it; negative
        where it does not. By default the most frequent step.
    one_clock : bool
        Whether the program is known to write all times by one clock, which ignores a
        change to or from daylight saving time. Only times that go back overrule it.
    reading : int or {'unknown', 'local'}
        `ClockTimes.reading` of another part of the same file.

    Returns
    -------
    ClockTimes

    Raises
    ------
    InputError
        For a malformed time, one that the time zone skips, times across a clock change if
        nothing shows whether they follow it, and a time with a date if that of the recording
        is unknown.
    """
    naive: list[datetime] = []
    aware: dict[int, int] = {}
    near = clock.local_date()
    for row, text in enumerate(texts):
        found = parse_clock_time(text, source, place(row), near)
        if isinstance(found, datetime):
            clock.require_date(source, found, place(row))
            if found.tzinfo is not None:
                clock.require_offset(source, place(row), found)
                aware[row] = to_utc_us(found)
            naive.append(found.replace(tzinfo=None))
        else:
            naive.append(_add_date(found, naive, clock, source))
    if len(aware) == len(naive):
        return ClockTimes(np.array([aware[k] for k in range(len(naive))], np.int64))
    if aware:
        row = next(k for k in range(len(naive)) if (k in aware) != (0 in aware))
        raise InputError(
            source, "mixes times with and without offset", "use one form throughout", place(row)
        )
    zone = clock.require_zone(source, place(0))
    start_us = None if clock.zero_us is None else clock.zero_us + clock.start_us
    utc_us, used, notes = read_local_times(
        naive, zone, source, place,
        length_us=length_us, near_us=start_us, one_clock=one_clock, reading=reading,
    )  # fmt: skip
    return ClockTimes(utc_us, used, notes)


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
