"""Local times: the zone of the wearer, and what else is known about the times of a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.io.channels.local_start import local_to_utc
from twitchsense.model.channels import NS
from twitchsense.model.notes import Note

Times = NDArray[np.int64]
#: Axis of local times: UTC if their zone is known.
LocalAxis = Literal["time_utc", "time_local"]

#: Pause (ns) between rows in which a change to or from summer time may be hidden.
_PAUSE_NS: Final = 60 * NS
_GIVE_OFFSETS: Final = (
    "if that is an hour off, give the times with their offset from UTC (a column time_utc)"
)


@dataclass(frozen=True, slots=True)
class TimeOptions:
    """What is known about a time column besides its cells.

    Attributes
    ----------
    decimal : {'.', ','}
        Decimal sign with which numbers were read.
    zone : str or None
        IANA time zone of local times.
    unit : {'s', 'ms', 'us', 'ns'} or None
        Unit of numbers that the user states.
    date_format : str or None
        Format (`strptime`) of dates that are not ISO 8601.
    utc_offset_s : int or None
        Offset of local times that the file states.
    fs : float or None
        Sampling rate in Hz that the user states.
    first_time_ns : int or None
        Local time of the first row in ns since 1970, where the time column is another clock (0
        if it is unknown) or holds times of day, of which it gives the date.
    zone_in_brackets : bool
        Whether times end in the name of a zone in brackets, after their offset.
    header_fs : float or None
        Sampling rate in Hz that the header states.
    """

    decimal: str = "."
    zone: str | None = None
    unit: str | None = None
    date_format: str | None = None
    utc_offset_s: int | None = None
    fs: float | None = None
    first_time_ns: int | None = None
    zone_in_brackets: bool = False
    header_fs: float | None = None

    @property
    def local_axis(self) -> LocalAxis:
        """Axis of local times: UTC if their zone is known."""
        known = self.zone is not None or self.utc_offset_s is not None
        return "time_utc" if known else "time_local"


class LocalClock:
    """Converts the local times of one device to UTC, in blocks from start to end.

    A device has one clock: the offset of the first row holds until the times step back or pause,
    and the clocks of the zone changed there. A time after a pause is read as the zone has it (of
    two readings as the earlier one), with a note.

    Parameters
    ----------
    options : TimeOptions
    """

    def __init__(self, options: TimeOptions) -> None:
        self._options = options
        self._offset_ns: int | None = None
        self._last_local: int | None = None
        self.note = ""  #: Whether the first time occurs twice or never.
        self.pause_note = ""  #: That the clocks changed in a pause.

    @property
    def notes(self) -> list[str]:
        """What the user should know about the local times so far."""
        return [note for note in (self.note, self.pause_note) if note]

    def start_to_utc(self, local_ns: int) -> int:
        """Return what `to_utc` returns of one time in ns since 1970."""
        return int(self.to_utc(np.array([local_ns]), np.ones(1, bool))[0])

    def to_utc(self, local_ns: Times, valid: NDArray[np.bool_]) -> Times:
        """Return UTC of local times, or the local times if their zone is unknown.

        Parameters
        ----------
        local_ns : ndarray of int64, shape (n,)
            Local times in ns since 1970.
        valid : ndarray of bool, shape (n,)
            Times that count.
        """
        if self._options.utc_offset_s is not None:
            return local_ns - self._options.utc_offset_s * NS
        good = np.flatnonzero(valid)
        if self._options.zone is None or not len(good):
            return local_ns
        zone = ZoneInfo(self._options.zone)
        if self._offset_ns is None:
            first = _to_datetime(int(local_ns[good[0]]))
            utc, self.note = local_to_utc(first, self._options.zone)
            self._offset_ns = (first - utc.replace(tzinfo=None)) // timedelta(seconds=1) * NS
        out = local_ns - self._offset_ns
        known = local_ns[good]
        before = int(known[0]) if self._last_local is None else self._last_local
        steps = np.diff(np.concatenate([[before], known]))
        for i in np.flatnonzero((steps < 0) | (steps > _PAUSE_NS)).tolist():
            previous = before if i == 0 else int(known[i - 1])
            offset_ns = self._offset_after(previous, int(known[i]), zone)
            if offset_ns != self._offset_ns:
                self._offset_ns = offset_ns
                out[good[i] :] = local_ns[good[i] :] - offset_ns
        self._last_local = int(known[-1])
        return out

    def _offset_after(self, previous: int, local: int, zone: ZoneInfo) -> int:
        """Return the offset from UTC of a local time that follows a step back or a pause."""
        assert self._offset_ns is not None
        stay = self._offset_ns
        if _offset_at(previous - stay, zone) != stay:
            return stay  # this clock does not follow the changes of the zone
        at = _to_datetime(local)
        by_zone = [_offset_ns(at.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)]
        readings = [o for o in by_zone if _offset_at(local - o, zone) == o] + [stay]
        later = [offset for offset in readings if local - offset > previous - stay]
        offset = later[0] if later else stay
        if len({*later, stay}) > 1 and local - offset - (previous - stay) > _PAUSE_NS:
            self.pause_note = self.pause_note or Note(
                "times",
                f"the clocks of {zone.key} changed in the pause from "
                f"{_to_datetime(previous):%Y-%m-%d %H:%M:%S} to {at:%H:%M:%S}; the time after it "
                f"is read as {_to_datetime(local - offset):%H:%M:%S} UTC",
                _GIVE_OFFSETS,
            )
        return offset


def _offset_at(utc_ns: int, zone: ZoneInfo) -> int:
    """Return the offset (ns) of a zone at a time in UTC."""
    return _offset_ns(_to_datetime(utc_ns).replace(tzinfo=UTC).astimezone(zone))


def _offset_ns(at: datetime) -> int:
    """Return the offset (ns) of a time with a zone."""
    return (at.utcoffset() or timedelta()) // timedelta(seconds=1) * NS


def _to_datetime(local_ns: int) -> datetime:
    return pd.Timestamp(local_ns).to_pydatetime(warn=False)
