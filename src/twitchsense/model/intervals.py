"""Runs in a mask, sets of time intervals, and sets of integers as ranges."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def run_bounds(mask: Bools) -> tuple[Ints, Ints]:
    """Return the runs of true values in a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (n,)

    Returns
    -------
    starts, stops : ndarray of int64, shape (m,)
        ``mask[starts[i]:stops[i]]`` is true, and the values next to it are not.
    """
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return edges[::2], edges[1::2]


def runs_of(mask: Bools) -> list[tuple[int, int]]:
    """Return the runs of true values in a mask as a list.

    Parameters
    ----------
    mask : ndarray of bool, shape (n,)

    Returns
    -------
    list of (int, int)
        ``(start, stop)`` of each run, as in `run_bounds`.
    """
    if len(mask) and mask.all():
        return [(0, len(mask))]
    starts, stops = run_bounds(mask)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def mask_of(starts: Ints, stops: Ints, n: int) -> Bools:
    """Return a mask that is true in the union of index ranges.

    Parameters
    ----------
    starts, stops : ndarray of int64, shape (m,)
        Ranges ``[start, stop)`` within ``[0, n)``, in any order; they may overlap. A
        range whose stop is not after its start is empty.
    n : int
        Length of the mask.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    steps = np.zeros(n + 1, np.int64)
    np.add.at(steps, starts, 1)
    np.add.at(steps, np.maximum(starts, stops), -1)
    return np.asarray(np.cumsum(steps)[:-1] > 0)


def prefix_sums(values: NDArray[Any], dtype: type[np.float64] | None = None) -> NDArray[Any]:
    """Return the sums of the first values, from which sums over ranges follow.

    Parameters
    ----------
    values : ndarray, shape (n,)
    dtype : type, optional
        Type in which the sums are accumulated, as in `numpy.cumsum`.

    Returns
    -------
    ndarray, shape (n + 1,)
        ``sums[j] - sums[i]`` is the sum of ``values[i:j]``.
    """
    return np.concatenate([[0.0], np.cumsum(values, dtype=dtype)])


def merge_intervals(
    start: NDArray[Any], stop: NDArray[Any], max_gap: float = 0
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Merge intervals that overlap or lie close together.

    Parameters
    ----------
    start, stop : ndarray, shape (n,)
        In any order.
    max_gap : float
        Intervals at most this far apart are merged.

    Returns
    -------
    start, stop : ndarray, shape (m,)
        Disjoint intervals in order of time.
    """
    start, reach = _by_start(start, stop)
    if len(start) == 0:
        return start, reach
    first = np.concatenate([[True], start[1:] > reach[:-1] + max_gap])
    last = np.concatenate([first[1:], [True]])
    return start[first], reach[last]


def in_intervals(
    times: NDArray[Any],
    start: NDArray[Any],
    stop: NDArray[Any],
    *,
    closed: Literal["both", "left"] = "both",
) -> Bools:
    """Return which times lie in any of the intervals.

    Parameters
    ----------
    times : ndarray, shape (n,)
    start, stop : ndarray, shape (m,)
        In any order; they may overlap.
    closed : {'both', 'left'}
        Whether an interval includes its stop.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    if len(start) == 0:
        return np.zeros(len(times), bool)
    start, reach = _by_start(start, stop)
    last = np.searchsorted(start, times, side="right") - 1
    latest = reach[np.maximum(last, 0)]
    return np.asarray((last >= 0) & ((times <= latest) if closed == "both" else (times < latest)))


def overlap_any(
    start: NDArray[Any],
    stop: NDArray[Any],
    other_start: NDArray[Any],
    other_stop: NDArray[Any],
    *,
    closed: Literal["both", "neither"] = "neither",
) -> Bools:
    """Return which intervals overlap any of a second set.

    Parameters
    ----------
    start, stop : ndarray, shape (n,)
    other_start, other_stop : ndarray, shape (m,)
        In any order; they may overlap each other.
    closed : {'neither', 'both'}
        Whether intervals that only touch overlap ('both').

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    if len(other_start) == 0:
        return np.zeros(len(start), bool)
    other_start, reach = _by_start(other_start, other_stop)
    side: Literal["left", "right"] = "right" if closed == "both" else "left"
    last = np.searchsorted(other_start, stop, side=side) - 1
    latest = reach[np.maximum(last, 0)]
    return np.asarray((last >= 0) & ((latest >= start) if closed == "both" else (latest > start)))


def _by_start(start: NDArray[Any], stop: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return sorted starts, and the latest stop of the intervals up to each."""
    order = np.argsort(start, kind="stable")
    return start[order], np.maximum.accumulate(stop[order])


class RangeSet:
    """A set of integers as sorted, disjoint ranges ``[first, stop)``.

    Memory grows with the number of ranges, not with the number of integers.

    Parameters
    ----------
    ranges : iterable of (int, int)
        Ranges ``[first, stop)`` in any order; they may overlap.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        for first, stop in ranges:
            self.add(first, stop)

    def __contains__(self, number: int) -> bool:
        i = bisect_right(self._starts, number) - 1
        return i >= 0 and number < self._stops[i]

    def __len__(self) -> int:
        return sum(self._stops) - sum(self._starts)

    @property
    def stop(self) -> int:
        """One past the highest number; 0 if the set is empty."""
        return self._stops[-1] if self._stops else 0

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The ranges ``[first, stop)``, in order."""
        return list(zip(self._starts, self._stops, strict=True))

    def add(self, first: int, stop: int | None = None) -> None:
        """Add a number or a range.

        Parameters
        ----------
        first : int
        stop : int, optional
            End of the range ``[first, stop)``; without it, `first` alone is added.
        """
        stop = first + 1 if stop is None else stop
        if stop <= first:
            return
        low = bisect_right(self._starts, first) - 1
        if low < 0 or self._stops[low] < first:
            low += 1
        high = low
        while high < len(self._starts) and self._starts[high] <= stop:
            high += 1
        if high > low:
            first = min(first, self._starts[low])
            stop = max(stop, self._stops[high - 1])
        self._starts[low:high] = [first]
        self._stops[low:high] = [stop]

    def run_end(self, first: int) -> int:
        """Return the first number from `first` on that is not in the set.

        Parameters
        ----------
        first : int

        Returns
        -------
        int
        """
        i = bisect_right(self._starts, first) - 1
        return self._stops[i] if i >= 0 and first < self._stops[i] else first

    def gaps(self, first: int, stop: int) -> list[tuple[int, int]]:
        """Return the ranges of ``[first, stop)`` that are not in the set.

        Parameters
        ----------
        first, stop : int

        Returns
        -------
        list of (int, int)
            Ranges ``[first, stop)``, in order.
        """
        gaps = []
        i = max(0, bisect_right(self._starts, first) - 1)
        for start, end in zip(self._starts[i:], self._stops[i:], strict=True):
            if start >= stop:
                break
            if start > first:
                gaps.append((first, start))
            first = max(first, end)
        if first < stop:
            gaps.append((first, stop))
        return gaps
