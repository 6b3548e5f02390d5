"""Valid time: union of valid signal over channels, the denominator of every rate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twitchsense.model.intervals import merge_intervals
from twitchsense.model.per_second import PerSecond
from twitchsense.sleep.hypnogram.model import to_us

#: Largest gap (µs) between two seconds that is a rounding error of their times.
_MAX_ROUNDING_US = 10


@dataclass(frozen=True, slots=True, eq=False)
class ValidIntervals:
    """Disjoint intervals of valid signal, in time order.

    Attributes
    ----------
    start_us, stop_us : ndarray of int64, shape (n,)
        Microseconds on the time axis of the recording.
    """

    start_us: NDArray[np.int64]
    stop_us: NDArray[np.int64]

    def seconds_between(self, start_s: ArrayLike, stop_s: ArrayLike) -> NDArray[np.float64]:
        """Return the seconds of valid signal in each ``[start, stop)``.

        Parameters
        ----------
        start_s, stop_s : array_like of float
            Seconds on the time axis of the recording.

        Returns
        -------
        ndarray of float64
        """
        return self._seconds_until(to_us(stop_s)) - self._seconds_until(to_us(start_s))

    def _seconds_until(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        if len(self.start_us) == 0:
            return np.zeros(times.shape)
        # cumulative valid time at every edge, interpolated linearly in between
        edges = np.stack([self.start_us, self.stop_us], axis=1).ravel()
        length = np.cumsum(self.stop_us - self.start_us)
        total = np.stack([length - (self.stop_us - self.start_us), length], axis=1).ravel()
        return np.asarray(np.interp(times, edges, total) / 1e6, np.float64)


def union_of_valid(channels: Iterable[PerSecond]) -> ValidIntervals:
    """Return the time in which at least one of the channels has valid signal.

    Overlapping intervals count once, so that an hour recorded by two electrodes is one
    hour of valid time.

    Parameters
    ----------
    channels : iterable of PerSecond
        Per-second statistics.

    Returns
    -------
    ValidIntervals
    """
    # merged per channel first: the seconds of a week are few intervals
    parts = [merge_intervals(*_bounds(seconds), _MAX_ROUNDING_US) for seconds in channels]
    start = np.concatenate([np.empty(0, np.int64), *(start for start, _ in parts)])
    stop = np.concatenate([np.empty(0, np.int64), *(stop for _, stop in parts)])
    return ValidIntervals(*merge_intervals(start, stop, _MAX_ROUNDING_US))


def _bounds(seconds: PerSecond) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return starts and ends of the valid seconds, µs."""
    start = seconds.time_ns[seconds.valid] / 1e3
    length = seconds.length_s[seconds.valid].astype(np.float64)
    return np.rint(start).astype(np.int64), np.rint(start + length * 1e6).astype(np.int64)
