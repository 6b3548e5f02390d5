"""Which waveforms of a channel are one source seen again: a motor unit, a heart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Neighbours in the list, to either side, that a waveform is compared with.
NEIGHBOURS = 48
#: Points (ms) by which two waveforms may be set off: the largest peak may be another one.
SHIFTS = 6
#: Rows compared at once, so that memory stays small.
AT_ONCE = 2000


class Likeness:
    """Similarity of the waveforms of one channel, each with its neighbours in time.

    Parameters
    ----------
    shapes : ndarray, shape (n, points)
        Unit energy, centred on the largest peak, in order of time.
    times : ndarray, shape (n,)
        Onsets in s.
    sizes, lengths : ndarray, shape (n,)
        Peak to peak in µV and duration in s.
    """

    def __init__(self, shapes: Floats, times: Floats, sizes: Floats, lengths: Floats) -> None:
        self.times, self.sizes, self.lengths = times, sizes, lengths
        n = len(times)
        reach = min(NEIGHBOURS, max(0, n - 1))
        #: Column ``reach + k`` compares row i with row i + k.
        self._reach = reach
        self._score = np.zeros((n, 2 * reach + 1), np.float32)
        for first in range(0, n, AT_ONCE):
            self._compare(shapes, first, min(first + AT_ONCE, n))

    def _compare(self, shapes: Floats, first: int, last: int) -> None:
        """Fill in how much some rows are like those after them, and these like them."""
        (n, points), reach = shapes.shape, self._reach
        wide = np.pad(shapes[first : last + reach], ((0, 0), (SHIFTS, SHIFTS)))
        for k in range(1, reach + 1):
            own = shapes[first : min(last, n - k)]
            best = np.full(len(own), -1.0)
            for shift in range(2 * SHIFTS + 1):
                moved = wide[k : k + len(own), shift : shift + points]
                np.maximum(best, np.einsum("ij,ij->i", own, moved), out=best)
            stop = first + len(own)
            self._score[first:stop, reach + k] = best
            self._score[first + k : stop + k, reach - k] = best

    def near(self, i: int, within_s: float, *, score: float, ratio: float) -> NDArray[np.int64]:
        """Return the rows like row `i` (itself included), in order of time.

        Parameters
        ----------
        i : int
        within_s : float
        score : float
            Least correlation.
        ratio : float
            Greatest ratio of sizes, either way.
        """
        first, last = max(0, i - self._reach), min(len(self.times), i + self._reach + 1)
        rows = np.arange(first, last)
        alike = self._score[i, rows - i + self._reach] > score
        size = self.sizes[rows] / self.sizes[i]
        alike &= (size < ratio) & (size > 1 / ratio)
        alike &= np.abs(self.times[rows] - self.times[i]) <= within_s
        alike[i - first] = True
        return np.asarray(rows[alike], np.int64)
