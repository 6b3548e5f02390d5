"""Find the time that, added to one list of events, makes most of it match another list."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Number of events of the shorter list whose distances to all of the other are compared.
_ANCHORS: Final = 32


def find_shift(onsets: Floats, others: Floats, tolerance_s: float) -> float:
    """Return the most frequent difference of the onsets of two lists.

    Parameters
    ----------
    onsets, others : ndarray of float64, shape (n,), (m,)
        Onsets, s, in any order; at least one each.
    tolerance_s : float
        Differences that are apart by at most twice this are taken as one, s.

    Returns
    -------
    float
        Time (s) to be added to `onsets`. Of equally frequent ones the smallest.

    Notes
    -----
    Some events of the shorter list, evenly spread over it, are compared with all events of the
    longer one. The shift is in the densest window of these differences; its value is the
    median of the differences of all events to the nearest one within the tolerance.
    The time is that of sorting: ``O((n + m) log(n + m))``.
    """
    shorter, longer = np.sort(onsets), np.sort(others)
    sign = 1.0
    if len(shorter) > len(longer):
        shorter, longer, sign = longer, shorter, -1.0
    rows = np.unique(np.linspace(0, len(shorter) - 1, _ANCHORS).round().astype(np.int64))
    differences = np.sort((longer[None, :] - shorter[rows, None]).ravel())
    # half a microsecond for rounding
    after = np.searchsorted(differences, differences + 2 * tolerance_s + 5e-7, side="right")
    count = after - np.arange(len(differences))
    densest = np.flatnonzero(count == count.max())
    first = densest[np.argmin(np.abs(differences[densest]))]
    shift = float(np.median(differences[first : after[first]]))
    error = nearest_differences(shorter + shift, longer)
    near = error[np.abs(error) <= tolerance_s]
    return sign * (shift + (float(np.median(near)) if len(near) else 0.0))


def nearest_differences(onsets: Floats, others: Floats) -> Floats:
    """Return the difference from each onset to the nearest of another list.

    Parameters
    ----------
    onsets : ndarray of float64, shape (n,)
    others : ndarray of float64, shape (m,)
        Sorted, at least one.

    Returns
    -------
    ndarray of float64, shape (n,)
        Other minus own, s.
    """
    after = np.minimum(np.searchsorted(others, onsets), len(others) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(others[before] - onsets) <= np.abs(others[after] - onsets)
    return np.asarray(others[np.where(nearer, before, after)] - onsets, np.float64)
