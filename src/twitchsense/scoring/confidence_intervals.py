"""Exact intervals for counts and for shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, gammaincinv

Floats = NDArray[np.float64]


def count_interval(count: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact (Garwood) interval of a Poisson count.

    Half the chi-square quantiles with 2k and 2k + 2 degrees of freedom (Garwood
    1936, Biometrika 28:437), computed as quantiles of the gamma distribution.
    It holds the true mean at least as often as it says.

    Parameters
    ----------
    count : array_like of int
    level : float
        Between 0 and 1.

    Returns
    -------
    low, high : ndarray of float64
        Expected counts.
    """
    k = np.asarray(count, np.float64)
    tail = (1.0 - level) / 2.0
    low = np.where(k > 0, gammaincinv(np.maximum(k, 1), tail), 0.0)
    return low, np.asarray(gammaincinv(k + 1.0, 1.0 - tail), np.float64)


def share_interval(hits: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact (Clopper-Pearson) interval of a share; NaN for n = 0.

    Quantiles of beta distributions (Clopper & Pearson 1934, Biometrika 26:404).

    Parameters
    ----------
    hits, n : array_like of int
        ``0 <= hits <= n``.
    level : float
        Between 0 and 1.
    """
    k, m = np.broadcast_arrays(np.asarray(hits, np.float64), np.asarray(n, np.float64))
    tail = (1.0 - level) / 2.0
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), m - k + 1, tail), 0.0)
    high = np.where(k < m, betaincinv(k + 1, np.maximum(m - k, 1), 1.0 - tail), 1.0)
    none = m <= 0
    return np.where(none, np.nan, low), np.where(none, np.nan, high)
