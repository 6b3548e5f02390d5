"""Runs in a mask, and sets of time intervals."""

from __future__ import annotations

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
        ``mask[starts[i]:stops[i]]`` is true, and the values beside it are not.
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
