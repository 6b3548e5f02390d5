"""Sleep stages as a file tells them, on their way to the recording's axis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.hypnogram import Hypnogram

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stage from one time to another, microseconds since 1970 (UTC)."""

    start_us: int
    stop_us: int
    stage: str


def paint(layers: Iterable[Iterable[Stretch]]) -> list[Stretch]:
    """Lay stretches over each other; where they overlap, the later layer shows.

    Within a layer the stretch that begins later shows. Equal neighbours stay apart.
    """
    todo = [s for layer in layers for s in sorted(layer, key=lambda s: (s.start_us, s.stop_us))]
    todo = [s for s in todo if s.stop_us > s.start_us]
    if not todo:
        return []
    edges = np.unique([t for s in todo for t in (s.start_us, s.stop_us)])
    owner = np.full(len(edges) - 1, -1)
    for k, s in enumerate(todo):
        first, stop = np.searchsorted(edges, [s.start_us, s.stop_us])
        owner[first:stop] = k
    cuts = np.flatnonzero(np.diff(owner)) + 1
    out = []
    for part in np.split(np.arange(len(owner)), cuts):
        if owner[part[0]] >= 0:
            stage = todo[int(owner[part[0]])].stage
            out.append(Stretch(int(edges[part[0]]), int(edges[part[-1] + 1]), stage))
    return out


def align(
    stretches: list[Stretch], clock: NightClock, source: str, notes: Iterable[str] = ()
) -> Hypnogram:
    """Put stretches in UTC on the axis of a recording.

    Raises
    ------
    InputError
        If the recording has no clock time, or there are no stretches.
    """
    zero = clock.need_utc(source)
    if not stretches:
        raise InputError(source, "has no sleep stages", "check that it is the right file")
    start = np.array([s.start_us for s in stretches], np.int64) - zero
    stop = np.array([s.stop_us for s in stretches], np.int64) - zero
    stage = np.array([s.stage for s in stretches], dtype="U2")
    return Hypnogram(start / 1e6, (stop - start) / 1e6, stage, source, tuple(notes))


def near(stretches: list[Stretch], clock: NightClock, source: str) -> list[Stretch]:
    """Return the stretches of the recording's night: within 12 h of it."""
    zero = clock.need_utc(source)
    half_day = 12 * 3600 * 1_000_000
    first, last = zero + clock.start_us - half_day, zero + clock.stop_us + half_day
    return [s for s in stretches if s.stop_us > first and s.start_us < last]


def overlap_us(stretches: Iterable[Stretch], clock: NightClock, source: str) -> int:
    """Return how much of the recording the stretches cover."""
    zero = clock.need_utc(source)
    first, last = zero + clock.start_us, zero + clock.stop_us
    return sum(max(0, min(s.stop_us, last) - max(s.start_us, first)) for s in stretches)
