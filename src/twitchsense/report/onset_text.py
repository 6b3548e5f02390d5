"""Sleep onset as pictures and words tell it: one truth, with its uncertainty."""

from __future__ import annotations

import math

from twitchsense.model.channels import NS
from twitchsense.report.protocols import NightLike
from twitchsense.report.time_labels import Clock, hours_minutes

#: A range narrower than this is no news (s).
_SHARP_S = 60.0


def is_known(night: NightLike) -> bool:
    """Return whether anything is known of when sleep came."""
    time = night.onset.time_s
    return time is not None and math.isfinite(time)


def lay_still_from_start(night: NightLike) -> bool:
    """Return whether sleep may have come at any time until the late end, for all we know."""
    onset = night.onset
    if not is_known(night) or onset.time_s is None or onset.high_s is None:
        return False
    start = night.recording.start_ns / NS
    return (
        "hypnogram" not in onset.source and onset.time_s - start < _SHARP_S <= onset.high_s - start
    )


def likely_range(night: NightLike) -> tuple[float, float] | None:
    """Return the earliest and the latest likely time, where they differ by a minute or more."""
    low, high = night.onset.low_s, night.onset.high_s
    if low is None or high is None or high - low < _SHARP_S or "hypnogram" in night.onset.source:
        return None
    return low, high


def mark_words(night: NightLike) -> str:
    """Return what stands at sleep onset in a picture; empty if it is not known."""
    time = night.onset.time_s
    if time is None or not is_known(night):
        return ""
    if lay_still_from_start(night) and night.onset.high_s is not None:
        return f"asleep by {_at(night, night.onset.high_s)}, perhaps from the start"
    between = likely_range(night)
    around = "" if between is None else f" ({'–'.join(_at(night, t) for t in between)})"
    return f"sleep onset {_at(night, time)}{around}"


def _at(night: NightLike, seconds: float) -> str:
    clock = Clock.of(night.recording)
    return clock.short(seconds) if clock.known else hours_minutes(seconds)
