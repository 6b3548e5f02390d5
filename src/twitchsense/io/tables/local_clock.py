"""Local times: the zone of the wearer, and what else is known about the times of a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.io.channels.local_start import local_to_utc
from twitchsense.model.channels import NS

Times = NDArray[np.int64]
#: Axis of local times: UTC if their zone is known.
LocalAxis = Literal["time_utc", "time_local"]

#: Step (ns) between rows from which a clock may have changed to summer time.
_CHANGE_STEP_NS: Final = 15 * 60 * NS
_HOUR_NS: Final = 3600 * NS


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
    """

    decimal: str = "."
    zone: str | None = None
    unit: str | None = None
    date_format: str | None = None
    utc_offset_s: int | None = None
    fs: float | None = None
    first_time_ns: int | None = None
    zone_in_brackets: bool = False

    @property
    def local_axis(self) -> LocalAxis:
        """Axis of local times: UTC if their zone is known."""
        known = self.zone is not None or self.utc_offset_s is not None
        return "time_utc" if known else "time_local"


class LocalClock:
    """Converts the local times of one device to UTC, in blocks from start to end.

    A device has one clock: the offset of the first row holds until the times themselves step
    by the change to or from summer time.

    Parameters
    ----------
    options : TimeOptions
    """

    def __init__(self, options: TimeOptions) -> None:
        self._options = options
        self._offset_ns: int | None = None
        self._last_local: int | None = None
        self.note = ""  #: Whether the first time occurs twice or never.

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
        for i in np.flatnonzero((steps < 0) | (steps > _CHANGE_STEP_NS)).tolist():
            previous = before if i == 0 else int(known[i - 1])
            old = _utc_offset_ns(previous - _HOUR_NS, zone)
            new = _utc_offset_ns(int(known[i]) + _HOUR_NS, zone)
            follows = steps[i] < 0 if new < old else steps[i] >= new - old
            if old != new and follows and self._offset_ns == old:
                self._offset_ns = new
                out[good[i] :] = local_ns[good[i] :] - new
        self._last_local = int(known[-1])
        return out


def _utc_offset_ns(local_ns: int, zone: ZoneInfo) -> int:
    """Return the UTC offset of a local time."""
    offset = _to_datetime(local_ns).replace(tzinfo=zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds()) * NS


def _to_datetime(local_ns: int) -> datetime:
    return pd.Timestamp(local_ns).to_pydatetime(warn=False)
