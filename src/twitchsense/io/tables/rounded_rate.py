"""The sampling rate of rows whose times are rounded to ticks, such as whole seconds.

The rows of a tick are counted. Without losses the counts of any two ticks differ by at most
one, or by two where halves are rounded to either side, and they alternate evenly. Lost rows
lower the count of their tick, so that stretches without losses, or the count of most ticks,
tell the rate.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Numbers of adjacent ticks that must be without loss, and by how much their counts may differ.
_STRETCHES: Final = ((32, 1), (16, 1), (64, 2))
#: Minimum share of ticks that must be in such stretches.
_MIN_SHARE: Final = 0.25
#: Maximum number of ticks: longer interruptions hold no rows to count.
_MAX_TICKS: Final = 1 << 20
#: Error of the range of the rows of a stretch around the line of its rate, and the minimum share
#: of ticks in stretches where it is no larger.
_RANGE_ERROR: Final = 0.1
_MIN_EVEN: Final = 0.9
#: Minimum share of ticks with one count, and rows in adjacent ones with it, that show a rate of
#: a whole number of rows in a tick: so many rows tell it to within their inverse.
_MIN_EQUAL: Final = 0.5
_MIN_EQUAL_ROWS: Final = 1000


def rounded_rate(times_ns: Times, tick_ns: int) -> tuple[float, int] | None:
    """Find the rate of rows whose times are rounded to whole ticks, also if rows are lost.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (n,)
        That do not decrease.
    tick_ns : int
        Resolution of the times.

    Returns
    -------
    tuple of (float, int), or None
        Sampling period (ns), and how many rows fewer a tick may have without a loss. None if
        the counts are not those of evenly sampled rows with losses, for example if each row has
        the time of its arrival.
    """
    ticks = (times_ns - times_ns[0]) // tick_ns
    if not _STRETCHES[1][0] + 2 <= ticks[-1] < _MAX_TICKS:
        return None
    counts = np.bincount(ticks)[1:-1]  # the first and the last tick may be cut off
    most = int(counts.max())
    for size, spread in _STRETCHES:
        rows = _rows_of_stretches(counts, size, spread) if size <= len(counts) else None
        if rows is not None and most < rows + spread:
            return tick_ns / rows, spread
    return (tick_ns / most, 0) if _is_whole(counts, most) else None


def _rows_of_stretches(counts: Times, size: int, spread: int) -> float | None:
    """Return the rows in a tick, fitted to stretches without losses; None if there are few."""
    windows = np.lib.stride_tricks.sliding_window_view(counts, size)
    sums = windows.sum(axis=1)
    intact = sums >= sums.max() - spread
    intact &= windows.max(axis=1) - windows.min(axis=1) <= spread
    covered = np.convolve(intact, np.ones(size, int)) > 0
    if covered.mean() < _MIN_SHARE:
        return None
    edges = np.flatnonzero(np.diff(np.concatenate([[False], covered, [False]])))
    totals = [
        np.concatenate([[0.0], np.cumsum(counts[start:stop])])
        for start, stop in edges.reshape(-1, 2).tolist()
    ]
    index = [np.arange(len(y)) - (len(y) - 1) / 2 for y in totals]
    rows = sum(float(x @ y) for x, y in zip(index, totals, strict=True))
    rows /= sum(float(x @ x) for x in index)
    residuals = [y - rows * x for x, y in zip(index, totals, strict=True)]
    even = sum(len(r) - 1 for r in residuals if np.ptp(r) <= spread + _RANGE_ERROR)
    return rows if even >= _MIN_EVEN * covered.sum() else None


def _is_whole(counts: Times, most: int) -> bool:
    """Return whether most ticks have the highest count, many of them one after the other."""
    others = np.flatnonzero(counts != most)
    run = np.diff(np.concatenate([[-1], others, [len(counts)]])).max() - 1
    return bool(1 - len(others) / len(counts) >= _MIN_EQUAL and run * most >= _MIN_EQUAL_ROWS)
