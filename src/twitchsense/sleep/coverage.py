"""How much valid signal lies between two times: the denominator of every rate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twitchsense.model.intervals import merge_intervals
from twitchsense.model.per_second import PerSecond
from twitchsense.sleep.hypnogram.hypnogram import to_us

#: Seconds that end and begin within this are one stretch (rounding of times), µs.
_TOUCH_US = 10


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Stretches of time, in order and apart, in whole microseconds."""

    start_us: NDArray[np.int64]
    stop_us: NDArray[np.int64]

    @property
    def total_s(self) -> float:
        """Seconds covered."""
        return float((self.stop_us - self.start_us).sum()) / 1e6

    def between(self, start_s: ArrayLike, stop_s: ArrayLike) -> NDArray[np.float64]:
        """Return the seconds covered in each ``[start, stop)``."""
        return self._until(to_us(stop_s)) - self._until(to_us(start_s))

    def _until(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        if len(self.start_us) == 0:
            return np.zeros(times.shape)
        # covered time so far, at every edge; straight lines between the edges
        edges = np.stack([self.start_us, self.stop_us], axis=1).ravel()
        length = np.cumsum(self.stop_us - self.start_us)
        done = np.stack([length - (self.stop_us - self.start_us), length], axis=1).ravel()
        return np.asarray(np.interp(times, edges, done) / 1e6, np.float64)


def cover(channels: Iterable[PerSecond]) -> Coverage:
    """Return the time in which at least one of the channels has valid signal.

    Overlapping stretches count once, so that two electrodes on a leg don't
    make two hours out of one.
    """
    # a channel at a time: a week's seconds form few intervals
    parts = [Coverage(*merge_intervals(*_bounds(seconds), _TOUCH_US)) for seconds in channels]
    start = np.concatenate([np.empty(0, np.int64), *(p.start_us for p in parts)])
    stop = np.concatenate([np.empty(0, np.int64), *(p.stop_us for p in parts)])
    return Coverage(*merge_intervals(start, stop, _TOUCH_US))


def _bounds(seconds: PerSecond) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the valid seconds begin and end, µs."""
    start = seconds.time_ns[seconds.valid] / 1e3
    length = seconds.length_s[seconds.valid].astype(np.float64)
    return np.rint(start).astype(np.int64), np.rint(start + length * 1e6).astype(np.int64)
