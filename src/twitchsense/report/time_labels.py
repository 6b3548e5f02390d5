"""Times and stretches of time, as a person reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from twitchsense.model.channels import NS
from twitchsense.model.recording import Recording


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns seconds of a recording into clock time, where the capture knows it.

    Attributes
    ----------
    start_utc_ns : int or None
        UTC of the recording's zero.
    zone : tzinfo or None
    name : str
        Name of the zone; empty without one.
    """

    start_utc_ns: int | None = None
    zone: tzinfo | None = None
    name: str = ""

    @classmethod
    def of(cls, recording: Recording) -> Clock:
        """Make the clock of a recording; without a zone it shows UTC."""
        if recording.start_utc_ns is None:
            return cls()
        if recording.zone:
            try:
                return cls(recording.start_utc_ns, ZoneInfo(recording.zone), recording.zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                pass
        return cls(recording.start_utc_ns, UTC, "UTC")

    @property
    def known(self) -> bool:
        """Whether times of day can be told."""
        return self.start_utc_ns is not None

    def at(self, seconds: float) -> datetime:
        """Return the moment `seconds` after the recording's zero."""
        assert self.start_utc_ns is not None
        utc = (self.start_utc_ns + round(seconds * NS)) / NS
        return datetime.fromtimestamp(utc, self.zone or UTC)

    def short(self, seconds: float) -> str:
        """Return ``23:41``, or ``0:47 into the recording`` without a clock."""
        if self.known:
            return self.at(seconds).strftime("%H:%M")
        return f"{hours_minutes(seconds)} into the recording"

    def exact(self, seconds: float) -> str:
        """Return ``23:41:07``, or ``0:47:07`` from the start without a clock."""
        if self.known:
            return self.at(seconds).strftime("%H:%M:%S")
        whole = math.floor(seconds)
        sign, whole = ("−" if whole < 0 else ""), abs(whole)
        return f"{sign}{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"

    def night(self, start_s: float, stop_s: float) -> str:
        """Return the dates a recording covers; empty without a clock."""
        if not self.known:
            return ""
        first, last = self.at(start_s), self.at(stop_s)
        if first.date() == last.date():
            return f"{first.day} {first:%B %Y}"
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{last.day} {last:%B %Y}"
        return f"{first.day} {first:%B %Y} – {last.day} {last:%B %Y}"


def hours_minutes(seconds: float) -> str:
    """Return ``7:05`` for seven hours and five minutes."""
    minutes = math.floor(seconds / 60)  # as a clock shows it
    return f"{minutes // 60}:{minutes % 60:02d}"


def spoken(seconds: float) -> str:
    """Return a stretch of time in words: ``7 h 5 min``, ``12 min``, ``40 s``."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def milliseconds(seconds: float) -> str:
    """Return the duration of an event: ``84 ms``, ``2.4 s``."""
    if not math.isfinite(seconds):
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


def from_onset(minutes: float) -> str:
    """Return where an event stands: ``3.2 min before sleep onset``."""
    if not math.isfinite(minutes):
        return ""
    side = "before" if minutes < 0 else "after"
    size = abs(minutes)
    amount = f"{size:.1f} min" if size < 99.95 else spoken(size * 60)
    return f"{amount} {side} sleep onset"
