"""How far above its floor an envelope must rise before noise can't explain it.

The RMS of normal noise over a short window is chi-distributed, with as many
degrees of freedom as the window holds independent values: twice bandwidth times
window. A narrow band (a low sampling rate, a filtered amplifier) leaves few, and
the tail grows long, so one multiple of the SD does not fit all signals. The
ratio of spread to centre tells the degrees of freedom.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]


class NoiseThreshold:
    """Gives the multiple of the robust SD that noise passes with probability `p`.

    Parameters
    ----------
    least_k : float
        Never less than this multiple.
    p : float
        Probability per window.
    """

    def __init__(self, least_k: float, p: float) -> None:
        self._ratio, multiples = _noise(p)
        self._k = np.maximum(multiples, least_k)

    def k(self, centre: Floats, spread: Floats) -> Floats:
        """Return the multiple for each value of the floor."""
        ratio = spread / np.maximum(centre, 1e-12)
        return np.asarray(np.interp(ratio, self._ratio, self._k))


@lru_cache
def _noise(p: float) -> tuple[Floats, Floats]:
    """Return ratios of spread to centre, ascending, and the multiple that goes with each."""
    freedom = np.geomspace(1.5, 400, 200)[::-1]
    median = np.sqrt(stats.chi2.median(freedom))
    # quartiles instead of the MAD: equal to a percent, and in closed form
    lower, upper = (np.sqrt(stats.chi2.ppf(q, freedom)) for q in (0.25, 0.75))
    spread = (upper - lower) / 1.349
    tail = np.sqrt(stats.chi2.isf(p, freedom))
    return spread / median, (tail - median) / spread
