"""Hysteresis segmentation: a run lasts while values exceed a low threshold.

A run counts only if at least one of its values also exceeds a high threshold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.engine import kernels
from twitchsense.dsp.native.runs import find_runs

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NONE = np.empty(0, np.int64)
#: Fraction of the peaks before and after it that an envelope falls below between two bursts. A
#: burst ends at the same fraction of its own peak (`detect.candidates.burst_window.EDGE_SHARE`).
SILENT_SHARE = 0.1
#: Fraction of its peak above which the strongest part of a run lies; the rest has a median of at
#: most half of that [E].
STRONGEST_SHARE = 0.4


class HysteresisSegmenter:
    """Finds runs in thresholded values that arrive in chunks.

    A run is a stretch of values above the low threshold that holds at least one
    value above the high threshold. Gaps of at most `bridge` values are bridged.

    Parameters
    ----------
    bridge : int
        Longest gap bridged, in values.
    """

    def __init__(self, bridge: int) -> None:
        self._bridge = bridge
        self._kernels = kernels()
        # values seen; start and stop of the unfinished run, and whether it has reached the high
        # threshold; start -1 if there is none
        self._state = np.array([0, -1, 0, 0])

    def __copy__(self) -> HysteresisSegmenter:
        """Return a segmenter that goes on from here by itself."""
        other = object.__new__(HysteresisSegmenter)
        vars(other).update(vars(self))
        other._state = self._state.copy()
        return other

    def follow(
        self, values: Floats, low: Floats, high: Floats, lengths: Ints
    ) -> tuple[Bools, Ints, Ints]:
        """Append values with thresholds that are constant in each of several pieces.

        Parameters
        ----------
        values : ndarray, shape (n,)
        low, high : ndarray, shape (n_pieces,)
            Thresholds of each piece.
        lengths : ndarray of int64, shape (n_pieces,)
            Number of values in each piece.

        Returns
        -------
        active : ndarray of bool, shape (n,)
            Whether each value exceeds the low threshold.
        starts, stops : ndarray of int64, shape (m,)
            Runs that have ended, as `push` returns them.
        """
        if len(lengths) == 1 and self._is_at_rest(values, float(low[0])):  # most packets
            self._state[0] += len(values)
            return np.zeros(len(values), np.bool_), _NONE, _NONE
        if self._kernels is not None:
            thresholds = low, high
            return find_runs(self._kernels, self._state, self._bridge, values, thresholds, lengths)
        active = values > np.repeat(low, lengths)
        return active, *self.push(active, values > np.repeat(high, lengths))

    def _is_at_rest(self, values: Floats, low: float) -> bool:
        """Whether there is no unfinished run, and no value that begins one."""
        return bool(self._state[1] < 0 and len(values) and values.max() <= low)

    def push(self, low: Bools, high: Bools) -> tuple[Ints, Ints]:
        """Append values and return the runs that have ended.

        Parameters
        ----------
        low, high : ndarray of bool, shape (n,)
            Whether each value exceeds the low and the high threshold.

        Returns
        -------
        starts, stops : ndarray of int64, shape (m,)
            Indices counted from the first value; `stops` are exclusive.
        """
        count, first, last, was_open = self._state.tolist()
        self._state[0] = end = count + len(low)
        if first < 0 and not low.any():  # the usual case at rest
            return _NONE, _NONE
        steps = np.diff(np.concatenate([[False], low, [False]]).astype(np.int8))
        starts = np.flatnonzero(steps == 1)
        stops = np.flatnonzero(steps == -1)
        counts = np.concatenate([[0], np.cumsum(high & low)])
        opened = counts[stops] > counts[starts]
        starts, stops = starts + count, stops + count
        if first >= 0:
            starts = np.concatenate([[first], starts])
            stops = np.concatenate([[last], stops])
            opened = np.concatenate([[bool(was_open)], opened])
        heads = np.flatnonzero(np.concatenate([[True], starts[1:] - stops[:-1] > self._bridge]))
        tails = np.concatenate([heads[1:], [len(starts)]]) - 1
        starts, stops = starts[heads], stops[tails]
        opened = np.logical_or.reduceat(opened, heads)
        if end - stops[-1] <= self._bridge:
            self._state[1:] = starts[-1], stops[-1], opened[-1]
            starts, stops, opened = starts[:-1], stops[:-1], opened[:-1]
        else:
            self._state[1] = -1
        return starts[opened], stops[opened]

    def close(self) -> tuple[Ints, Ints]:
        """End the signal and return the run that has not ended, if any.

        Returns
        -------
        starts, stops : ndarray of int64, shape (0,) or (1,)
        """
        _, start, stop, opened = self._state.tolist()
        self._state[1] = -1
        if start < 0 or not opened:
            return _NONE, _NONE
        return np.array([start]), np.array([stop])

    @property
    def earliest_start(self) -> int:
        """Earliest index at which a run not yet returned can begin."""
        count, start, _, _ = self._state.tolist()
        return int(start if start >= 0 else count)

    @property
    def pending(self) -> tuple[int, bool] | None:
        """Start of the unfinished run, and whether it has reached the high threshold."""
        _, start, _, opened = self._state.tolist()
        return (start, bool(opened)) if start >= 0 else None


def split_at_silence(envelope: NDArray[np.float64], bridge: int) -> list[tuple[int, int]]:
    """Split a run where the envelope falls far below what comes before and after.

    After a burst of 1 mV, the filters stay above the closing threshold for longer than the pauses
    in a train of jerks last.

    Parameters
    ----------
    envelope : ndarray, shape (n,)
        Envelope of the run, µV, one value per hop.
    bridge : int
        Shorter pauses are bridged, in hops.

    Returns
    -------
    list of (int, int)
        Start and stop of each part; one part if there is no pause.
    """
    if len(envelope) < 3 * bridge:
        return [(0, len(envelope))]
    before = np.maximum.accumulate(envelope)
    after = np.maximum.accumulate(envelope[::-1])[::-1]
    silent = envelope < SILENT_SHARE * np.minimum(before, after)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], silent, [False]])))
    pauses = [(a, b) for a, b in edges.reshape(-1, 2).tolist() if b - a >= bridge]
    starts = [0, *(b for _, b in pauses)]
    stops = [*(a for a, _ in pauses), len(envelope)]
    return list(zip(starts, stops, strict=True))


def strongest_part(envelope: NDArray[np.float64], longest: int) -> tuple[int, int] | None:
    """Return the short part of a run that far exceeds the rest, if there is one.

    A jerk may begin, end or ride on a contraction.

    Parameters
    ----------
    envelope : ndarray, shape (n,)
        Envelope of the run, µV, one value per hop.
    longest : int
        Maximum length of the part, in hops.

    Returns
    -------
    (int, int) or None
        Start and stop of the part.
    """
    peak = int(envelope.argmax())
    low = np.flatnonzero(envelope < STRONGEST_SHARE * envelope[peak])
    at = int(np.searchsorted(low, peak))
    start = int(low[at - 1]) + 1 if at > 0 else 0
    stop = int(low[at]) if at < len(low) else len(envelope)
    rest = np.concatenate([envelope[:start], envelope[stop:]])
    if stop - start > longest or len(rest) == 0:
        return None
    if np.median(rest) > STRONGEST_SHARE / 2 * envelope[peak]:
        return None
    return start, stop
