"""Estimate the effect of a binary exposure on nightly rates by block permutation.

The outcome of a night is log(1 + events per hour). The effect is the coefficient of the
exposure in a linear regression that also has an intercept, a linear trend in time and the
exposure at the other lag. Its p-value comes from permuting the residuals in blocks of
neighbouring nights, which preserves their autocorrelation (Freedman & Lane 1983, J Bus Econ
Stat 1:292, for permuting residuals). The confidence interval inverts the test: it holds every
effect that the test does not reject.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Number of permutations: enough for a 95 % interval that hardly depends on the seed.
N_PERMUTATIONS: Final = 1999
CONFIDENCE_LEVEL: Final = 0.95
#: Effect size (log scale) from which the interval is reported as unbounded.
_MAX_EFFECT: Final = 1e6
#: Residual variance of the exposure below which it is collinear with the covariates.
_MIN_VARIANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class EffectEstimate:
    """A difference in log(1 + rate), exposed minus unexposed nights.

    Attributes
    ----------
    estimate, low, high : float
        With its 95 % interval.
    p : float
        Two-sided p-value of no difference.
    """

    estimate: float
    low: float
    high: float
    p: float


@lru_cache(maxsize=16)
def block_permutations(n: int, count: int = N_PERMUTATIONS, seed: int = 0) -> NDArray[np.intp]:
    """Return random permutations of `n` nights that keep blocks of neighbours together.

    The block length is the cube root of `n` (2 of 14 nights, 3 of 28), the rate at which it
    should grow (Hall, Horowitz & Jing 1995, Biometrika 82:561, doi:10.1093/biomet/82.3.561).
    Nights are arranged in a circle, and blocks begin at a random night of it, so that no
    night is always at the edge of a block.

    Parameters
    ----------
    n : int
        Number of nights.
    count : int
        Number of permutations.
    seed : int

    Returns
    -------
    ndarray of int, shape (count, n)
        Not writeable, since it is cached.
    """
    rng = np.random.default_rng(seed)
    block = max(1, round(n ** (1 / 3)))
    out = np.empty((count, n), np.intp)
    block_starts = np.arange(0, n, block)
    for row in out:
        circle = (np.arange(n) + rng.integers(n)) % n
        blocks = [circle[a : a + block] for a in block_starts]
        shuffled = np.concatenate([blocks[k] for k in rng.permutation(len(blocks))])
        row[:] = np.roll(shuffled, rng.integers(n))
    out.flags.writeable = False
    return out


def estimate_effect(
    outcome: Floats, exposed: Floats, covariates: Floats, permutations: NDArray[np.intp]
) -> EffectEstimate:
    """Return the effect of an exposure with its confidence interval and p-value.

    Parameters
    ----------
    outcome : ndarray of float64, shape (n,)
        log(1 + rate) per night.
    exposed : ndarray of float64, shape (n,)
        1 for exposed nights, 0 for others.
    covariates : ndarray of float64, shape (n, k)
        Other columns of the regression: intercept, time, exposure at the other lag.
    permutations : ndarray of int, shape (m, n)
        From `block_permutations`.

    Returns
    -------
    EffectEstimate
        NaN with an unbounded interval and p = 1 if the covariates determine the exposure.
    """
    basis, _ = np.linalg.qr(covariates)
    y = outcome - basis @ (basis.T @ outcome)
    x = exposed - basis @ (basis.T @ exposed)
    sum_of_squares = float(x @ x)
    if sum_of_squares < _MIN_VARIANCE * len(x):
        return EffectEstimate(float("nan"), float("-inf"), float("inf"), 1.0)
    slope = float(x @ y) / sum_of_squares
    # Under the hypothesis of an effect d, permuting y - d·x gives the slope a - d·b, linear
    # in d. The residuals u = y - slope·x are permuted: y - d·x = u + (slope - d)·x.
    u = y - slope * x
    # residuals underestimate the errors: each covariate takes a degree of freedom
    n_free = max(1.0, len(y) - covariates.shape[1])
    correction = np.sqrt(len(y) / n_free) / sum_of_squares
    a, b = u[permutations] @ x * correction, x[permutations] @ x * correction
    # with e = slope - d, the test compares |e| with |a + e·b|
    p = _p_value(a, b, np.array([slope]))[0]
    low = slope - _largest_not_rejected(a, b, 1.0)
    high = slope + _largest_not_rejected(a, b, -1.0)
    return EffectEstimate(slope, low, high, float(p))


def _p_value(a: Floats, b: Floats, e: Floats) -> Floats:
    """Return the two-sided p-value of each deviation `e` of the hypothesis from the estimate."""
    exceeding = np.abs(a[None, :] + e[:, None] * b[None, :]) >= np.abs(e)[:, None] - 1e-12
    return np.asarray((1.0 + exceeding.sum(axis=1)) / (1.0 + len(a)))


def _largest_not_rejected(a: Floats, b: Floats, sign: float) -> float:
    """Return the largest |e| of one sign that is not rejected, by bisection."""
    alpha = 1.0 - CONFIDENCE_LEVEL
    low, high = 0.0, 4.0 * float(np.abs(a).max()) + 1e-12
    while _p_value(a, b, np.array([sign * high]))[0] > alpha:
        low, high = high, 2.0 * high
        if high > _MAX_EFFECT:
            return float("inf")
    for _ in range(50):
        middle = (low + high) / 2.0
        if _p_value(a, b, np.array([sign * middle]))[0] > alpha:
            low = middle
        else:
            high = middle
    return high


def benjamini_hochberg(p: Floats) -> Floats:
    """Return p-values adjusted for the false discovery rate.

    The procedure is that of Benjamini & Hochberg 1995, J R Stat Soc B 57:289,
    doi:10.1111/j.2517-6161.1995.tb02031.x.

    Parameters
    ----------
    p : ndarray of float64, shape (n,)

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    n = len(p)
    order = np.argsort(p)
    scaled = p[order] * n / np.arange(1, n + 1)
    q = np.empty(n)
    q[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return q
