"""Hysteresis runs: open above a high threshold, last while above a low one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_NONE = np.empty(0, np.int64)


class Runs:
    """Finds runs in thresholded values, carried over chunk edges.

    A run is a stretch of values above the low threshold, with gaps of at most
    `bridge` values bridged, that holds at least one value above the high one.

    Parameters
    ----------
    bridge : int
        Longest gap bridged, in values.
    """

    def __init__(self, bridge: int) -> None:
        self._bridge = bridge
        self._seen = 0
        self._pending: tuple[int, int, bool] | None = None

    def push(self, low: Bools, high: Bools) -> tuple[Ints, Ints]:
        """Take the next values; return ``(starts, stops)`` of runs that ended."""
        if self._pending is None and not low.any():  # as in most packets of a quiet night
            self._seen += len(low)
            return _NONE, _NONE
        steps = np.diff(np.concatenate([[False], low, [False]]).astype(np.int8))
        starts = np.flatnonzero(steps == 1)
        stops = np.flatnonzero(steps == -1)
        counts = np.concatenate([[0], np.cumsum(high & low)])
        opened = counts[stops] > counts[starts]
        starts, stops = starts + self._seen, stops + self._seen
        self._seen += len(low)
        if self._pending is not None:
            first, last, was_open = self._pending
            starts = np.concatenate([[first], starts])
            stops = np.concatenate([[last], stops])
            opened = np.concatenate([[was_open], opened])
        if len(starts) == 0:
            return starts, stops
        heads = np.flatnonzero(np.concatenate([[True], starts[1:] - stops[:-1] > self._bridge]))
        tails = np.concatenate([heads[1:], [len(starts)]]) - 1
        starts, stops = starts[heads], stops[tails]
        opened = np.logical_or.reduceat(opened, heads)
        if self._seen - stops[-1] <= self._bridge:
            self._pending = (int(starts[-1]), int(stops[-1]), bool(opened[-1]))
            starts, stops, opened = starts[:-1], stops[:-1], opened[:-1]
        else:
            self._pending = None
        return starts[opened], stops[opened]

    def close(self) -> tuple[Ints, Ints]:
        """Return the run that was still open, if any."""
        pending, self._pending = self._pending, None
        if pending is None or not pending[2]:
            return _NONE, _NONE
        return np.array([pending[0]]), np.array([pending[1]])

    @property
    def settled(self) -> int:
        """Index before which no run can begin any more."""
        return self._seen if self._pending is None else self._pending[0]

    @property
    def pending(self) -> tuple[int, bool] | None:
        """Start of the unfinished run, and whether it has opened."""
        return None if self._pending is None else (self._pending[0], self._pending[2])
