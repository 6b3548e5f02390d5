"""Similarity of the waveforms of one channel, each with its neighbours in time."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Number of waveforms to either side that a waveform is compared with.
NEIGHBOURS: Final = 48
#: Maximum shift (samples of 1 ms) between two waveforms: another peak may be the largest one.
MAX_SHIFT: Final = 6
#: Rows compared at once, so that memory stays small.
ROWS_PER_BLOCK: Final = 2000


class WaveformSimilarity:
    """Correlation of each waveform of a channel with its neighbours in time.

    Parameters
    ----------
    waveforms : ndarray, shape (n, points)
        Unit energy, centred on the largest peak, in order of time.
    onsets_s : ndarray, shape (n,)
    amplitudes_uv : ndarray, shape (n,)
        Peak to peak.
    durations_s : ndarray, shape (n,)
    """

    def __init__(
        self, waveforms: Floats, onsets_s: Floats, amplitudes_uv: Floats, durations_s: Floats
    ) -> None:
        self.onsets_s, self.amplitudes_uv = onsets_s, amplitudes_uv
        self.durations_s = durations_s
        n = len(onsets_s)
        reach = min(NEIGHBOURS, max(0, n - 1))
        self._reach = reach
        # column ``reach + k`` compares row i with row i + k
        self._correlation = np.zeros((n, 2 * reach + 1), np.float32)
        for first in range(0, n, ROWS_PER_BLOCK):
            self._compare(waveforms, first, min(first + ROWS_PER_BLOCK, n))

    def _compare(self, waveforms: Floats, first: int, last: int) -> None:
        """Fill in the correlations of some rows with the rows after them, both ways."""
        (n, points), reach = waveforms.shape, self._reach
        wide = np.pad(waveforms[first : last + reach], ((0, 0), (MAX_SHIFT, MAX_SHIFT)))
        for k in range(1, reach + 1):
            own = waveforms[first : min(last, n - k)]
            best = np.full(len(own), -1.0)
            for shift in range(2 * MAX_SHIFT + 1):
                shifted = wide[k : k + len(own), shift : shift + points]
                np.maximum(best, np.einsum("ij,ij->i", own, shifted), out=best)
            stop = first + len(own)
            self._correlation[first:stop, reach + k] = best
            self._correlation[first + k : stop + k, reach - k] = best

    def similar_to(
        self, i: int, within_s: float, *, min_correlation: float, max_ratio: float
    ) -> NDArray[np.int64]:
        """Return the waveforms similar to a waveform, itself included, in order of time.

        Parameters
        ----------
        i : int
        within_s : float
            Maximum interval between the onsets, s.
        min_correlation : float
        max_ratio : float
            Maximum ratio of the amplitudes, either way.

        Returns
        -------
        ndarray of int64
            Row indices.
        """
        first, last = max(0, i - self._reach), min(len(self.onsets_s), i + self._reach + 1)
        rows = np.arange(first, last)
        similar = self._correlation[i, rows - i + self._reach] > min_correlation
        ratio = self.amplitudes_uv[rows] / self.amplitudes_uv[i]
        similar &= (ratio < max_ratio) & (ratio > 1 / max_ratio)
        similar &= np.abs(self.onsets_s[rows] - self.onsets_s[i]) <= within_s
        similar[i - first] = True
        return np.asarray(rows[similar], np.int64)
