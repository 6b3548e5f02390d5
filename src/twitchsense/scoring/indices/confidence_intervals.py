"""Exact confidence intervals for Poisson counts and binomial proportions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, gammaincinv

Floats = NDArray[np.float64]


def poisson_interval(count: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact (Garwood) confidence interval of a Poisson mean.

    Half the chi-square quantiles with 2k and 2k + 2 degrees of freedom, computed as
    quantiles of the gamma distribution. The coverage is at least `level`.

    Parameters
    ----------
    count : array_like of int
        Observed counts.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    low, high : ndarray of float64
        Limits of the expected count.

    References
    ----------
    Garwood 1936, Biometrika 28:437, doi:10.1093/biomet/28.3-4.437.
    """
    k = np.asarray(count, np.float64)
    tail = (1.0 - level) / 2.0
    low = np.where(k > 0, gammaincinv(np.maximum(k, 1), tail), 0.0)
    return low, np.asarray(gammaincinv(k + 1.0, 1.0 - tail), np.float64)


def binomial_interval(hits: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact (Clopper-Pearson) confidence interval of a proportion.

    Parameters
    ----------
    hits, n : array_like of int
        Successes and trials, ``0 <= hits <= n``.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    low, high : ndarray of float64
        Limits of the proportion; NaN for ``n = 0``.

    References
    ----------
    Clopper and Pearson 1934, Biometrika 26:404, doi:10.1093/biomet/26.4.404.
    """
    k, m = np.broadcast_arrays(np.asarray(hits, np.float64), np.asarray(n, np.float64))
    tail = (1.0 - level) / 2.0
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), m - k + 1, tail), 0.0)
    high = np.where(k < m, betaincinv(k + 1, np.maximum(m - k, 1), 1.0 - tail), 1.0)
    none = m <= 0
    return np.where(none, np.nan, low), np.where(none, np.nan, high)
