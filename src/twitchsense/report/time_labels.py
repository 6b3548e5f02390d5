"""Times as text: clock times, durations, positions relative to sleep onset."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from twitchsense.model.channels import NS
from twitchsense.model.recording import Recording
from twitchsense.report.protocols import NightLike

#: End of a time that counts from the start of a recording without a clock.
INTO_RECORDING: Final = " into the recording"
#: An uncertainty interval of sleep onset narrower than this (s) is not reported.
_MIN_INTERVAL_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class WallClock:
    """Converts seconds of a recording to local clock time, if the capture states it.

    Attributes
    ----------
    start_utc_ns : int or None
        UTC of the recording's time zero, ns since 1970; None if unknown.
    zone : tzinfo or None
    zone_name : str
        IANA name of the zone; empty without a clock.
    first_s : float
        Start of the recording on its own axis, s: times count from it if there is no clock.
    """

    start_utc_ns: int | None = None
    zone: tzinfo | None = None
    zone_name: str = ""
    first_s: float = 0.0

    @classmethod
    def of(cls, recording: Recording) -> WallClock:
        """Return the clock of a recording; UTC if its zone is missing or unknown."""
        if recording.start_utc_ns is None:
            return cls(first_s=recording.start_ns / NS)
        if recording.zone:
            try:
                return cls(recording.start_utc_ns, ZoneInfo(recording.zone), recording.zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                pass
        return cls(recording.start_utc_ns, UTC, "UTC")

    @property
    def is_known(self) -> bool:
        """Whether the clock time of the recording is known."""
        return self.start_utc_ns is not None

    def to_datetime(self, seconds: float) -> datetime:
        """Return the local time `seconds` after the recording's time zero."""
        assert self.start_utc_ns is not None
        utc = (self.start_utc_ns + round(seconds * NS)) / NS
        return datetime.fromtimestamp(utc, self.zone or UTC)

    def format_minute(self, seconds: float) -> str:
        """Return ``23:41``, or ``47 min into the recording`` without a clock."""
        if self.is_known:
            return self.to_datetime(seconds).strftime("%H:%M")
        return f"{format_duration(seconds - self.first_s)}{INTO_RECORDING}"

    def format_second(self, seconds: float) -> str:
        """Return ``23:41:07``, or ``0:47:07`` from the start without a clock."""
        if self.is_known:
            return self.to_datetime(seconds).strftime("%H:%M:%S")
        whole = math.floor(seconds - self.first_s)
        sign, whole = ("−" if whole < 0 else ""), abs(whole)
        return f"{sign}{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"

    def format_dates(self, start_s: float, stop_s: float) -> str:
        """Return the dates of a recording, ``3–4 March 2026``; empty without a clock."""
        if not self.is_known:
            return ""
        first, last = self.to_datetime(start_s), self.to_datetime(stop_s)
        if first.date() == last.date():
            return f"{first.day} {first:%B %Y}"
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{last.day} {last:%B %Y}"
        return f"{first.day} {first:%B %Y} – {last.day} {last:%B %Y}"


def format_hours_minutes(seconds: float) -> str:
    """Return ``7:05`` for seven hours and five minutes; seconds are cut off, as on a clock."""
    minutes = math.floor(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def format_duration(seconds: float) -> str:
    """Return a duration of seconds to hours: ``7 h 5 min``, ``12 min``, ``40 s``."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def format_event_duration(seconds: float) -> str:
    """Return the duration of an event: ``84 ms``, ``2.4 s``."""
    if not math.isfinite(seconds):
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


def format_minutes_from_onset(minutes: float) -> str:
    """Return the position of an event relative to sleep onset.

    Parameters
    ----------
    minutes : float
        Minutes after sleep onset; negative before it.

    Returns
    -------
    str
        Such as ``3.2 min before sleep onset``; empty if `minutes` is not finite.
    """
    if not math.isfinite(minutes):
        return ""
    side = "before" if minutes < 0 else "after"
    size = abs(minutes)
    amount = f"{size:.1f} min" if size < 99.95 else format_duration(size * 60)
    return f"{amount} {side} sleep onset"


def is_onset_known(night: NightLike) -> bool:
    """Return whether sleep onset was estimated or given."""
    time = night.onset.time_s
    return time is not None and math.isfinite(time)


def is_onset_left_censored(night: NightLike) -> bool:
    """Return whether only the latest time of sleep onset is known.

    The leg lay still from the start of the recording, so sleep may have begun at any time
    up to ``onset.high_s``. Never true for an onset from a hypnogram.
    """
    onset = night.onset
    if not is_onset_known(night) or onset.time_s is None or onset.high_s is None:
        return False
    start = night.recording.start_ns / NS
    return (
        "hypnogram" not in onset.source
        and onset.time_s - start < _MIN_INTERVAL_S <= onset.high_s - start
    )


def onset_interval(night: NightLike) -> tuple[float, float] | None:
    """Return the uncertainty interval of sleep onset.

    Returns
    -------
    tuple of float or None
        Earliest and latest time in seconds; None if unknown, narrower than a minute, or
        from a hypnogram.
    """
    low, high = night.onset.low_s, night.onset.high_s
    if low is None or high is None or high - low < _MIN_INTERVAL_S:
        return None
    return None if "hypnogram" in night.onset.source else (low, high)


def onset_label(night: NightLike) -> str:
    """Return the text beside sleep onset in a plot; empty if it is unknown."""
    time = night.onset.time_s
    if time is None or not is_onset_known(night):
        return ""
    if is_onset_left_censored(night) and night.onset.high_s is not None:
        return f"asleep by {_short_time(night, night.onset.high_s)}, perhaps from the start"
    interval = onset_interval(night)
    around = "" if interval is None else f" ({'–'.join(_short_time(night, t) for t in interval)})"
    return f"sleep onset {_short_time(night, time)}{around}"


def _short_time(night: NightLike, seconds: float) -> str:
    clock = WallClock.of(night.recording)
    if clock.is_known:
        return clock.format_minute(seconds)
    # rounded, as the sentences are
    return format_hours_minutes(60 * round((seconds - clock.first_s) / 60))
