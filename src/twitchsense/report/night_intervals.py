"""Intervals of a night: its bounds, contexts, valid signal, minutes with many artefacts."""

from __future__ import annotations

from typing import Final

import numpy as np

from twitchsense.detect.candidates.short_gaps import MAX_GAP_S
from twitchsense.model.per_second import PerSecond
from twitchsense.report.protocols import NightLike

#: Reasons of rejected candidates that come from electrode, cable, amplifier or mains, and
#: not from the body.
ARTIFACT_REASONS: Final = ("electrode_pop", "saturation", "noise_floor", "mains")
#: Rejected artefacts per minute from which a minute counts as disturbed: one every ten
#: seconds. An engineering choice, not a published limit.
MIN_ARTIFACTS_PER_MINUTE: Final = 6
_MINUTE_S: Final = 60.0


def recording_bounds(night: NightLike) -> tuple[float, float]:
    """Return the start and the end of the recording.

    Parameters
    ----------
    night : Night

    Returns
    -------
    start_s, stop_s : float
        Seconds on the recording's axis, at least one second apart.
    """
    start, stop = night.recording.start_ns / 1e9, night.recording.end_ns / 1e9
    return start, max(stop, start + 1.0)


def context_intervals(night: NightLike) -> list[tuple[str, float, float]]:
    """Join adjacent epochs of the same context.

    Parameters
    ----------
    night : Night

    Returns
    -------
    list of tuple
        Context, start and end (s), in the order of the night.
    """
    out: list[tuple[str, float, float]] = []
    table = night.epochs
    for context, onset, duration in zip(
        table["context"].astype(str), table["onset"], table["duration"], strict=True
    ):
        if out and out[-1][0] == context and abs(out[-1][2] - onset) < 1e-3:
            out[-1] = (context, out[-1][1], float(onset + duration))
        else:
            out.append((context, float(onset), float(onset + duration)))
    return out


def validity_intervals(
    seconds: PerSecond,
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Return the intervals of valid and of invalid signal of a channel.

    Parameters
    ----------
    seconds : PerSecond
        Per-second statistics of the channel.

    Returns
    -------
    valid, invalid : list of tuple of float
        Start and length of each interval (s). Gaps in the recording belong to neither, short ones
        to the interval around them.
    """
    n = len(seconds.time_ns)
    if n == 0:
        return [], []
    start = seconds.time_ns / 1e9
    stop = start + seconds.length_s
    # an interval ends where validity changes or the next second does not follow directly
    cut = (seconds.valid[1:] != seconds.valid[:-1]) | (start[1:] - stop[:-1] > MAX_GAP_S)
    first = np.concatenate([[0], np.flatnonzero(cut) + 1])
    last = np.concatenate([first[1:] - 1, [n - 1]])
    valid: list[tuple[float, float]] = []
    invalid: list[tuple[float, float]] = []
    for a, b in zip(first, last, strict=True):
        target = valid if seconds.valid[a] else invalid
        target.append((float(start[a]), float(stop[b] - start[a])))
    return valid, invalid


def artifact_minutes(night: NightLike) -> list[tuple[float, float]]:
    """Return intervals of whole minutes with many rejected artefacts.

    Events in them are reported, but are less certain than others.

    Parameters
    ----------
    night : Night

    Returns
    -------
    list of tuple of float
        Start and length of each interval (s).
    """
    table = night.rejected
    onset = table.loc[table["reason"].isin(ARTIFACT_REASONS), "onset"].to_numpy(np.float64)
    start, stop = night.recording.start_ns / 1e9, night.recording.end_ns / 1e9
    minute, count = np.unique(np.floor((onset - start) / _MINUTE_S), return_counts=True)
    minute = minute[count >= MIN_ARTIFACTS_PER_MINUTE]
    if not len(minute):
        return []
    runs = np.split(minute, np.flatnonzero(np.diff(minute) > 1) + 1)
    edges = [(start + _MINUTE_S * run[0], start + _MINUTE_S * (run[-1] + 1)) for run in runs]
    return [(float(a), float(min(b, stop) - a)) for a, b in edges]


def has_valid(night: NightLike, kind: str) -> bool:
    """Return whether any channel of a kind (``emg``, ``acc``) had valid signal."""
    return any(night.valid_s.get(c.name, 0) > 0 for c in night.recording.channels if c.kind == kind)
