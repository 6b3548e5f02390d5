"""How much nights with and without something differ, and how sure that is.

The outcome of a night is log(1 + events per hour). Its difference between exposed
and other nights is the slope of a regression that also holds a straight line in time
and the exposure at the other lag. Whether it could be chance is asked of the nights
themselves: residuals are shuffled in blocks of neighbouring nights, so that good and
bad spells stay together (Freedman & Lane 1983, J Bus Econ Stat 1:292, for the
residuals). The interval holds every difference that this test would not reject.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Shuffles: enough for a 95 % interval that hardly depends on the draw.
SHUFFLES: Final = 1999
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference in log(1 + rate), exposed minus not.

    Attributes
    ----------
    estimate, low, high : float
        With its 95 % interval.
    p : float
        Of no difference, two-sided.
    """

    estimate: float
    low: float
    high: float
    p: float


@lru_cache(maxsize=16)
def shuffles(n: int, count: int = SHUFFLES, seed: int = 0) -> NDArray[np.intp]:
    """Return `count` orders of `n` nights in which blocks of neighbours stay together.

    A block holds the cube root of `n` nights (2 of 14, 3 of 28), the rate at which
    blocks should grow (Hall, Horowitz & Jing 1995, Biometrika 82:561).

    The blocks begin at a random night of the circle, so that no night is always
    at an edge.

    Returns
    -------
    ndarray of int, shape (count, n)
    """
    rng = np.random.default_rng(seed)
    block = max(1, round(n ** (1 / 3)))
    out = np.empty((count, n), np.intp)
    cuts = np.arange(0, n, block)
    for row in out:
        circle = (np.arange(n) + rng.integers(n)) % n
        parts = [circle[a : a + block] for a in cuts]
        row[:] = np.roll(np.concatenate([parts[k] for k in rng.permutation(len(parts))]),
                         rng.integers(n))  # fmt: skip
    out.flags.writeable = False  # it is shared by all who ask for the same
    return out


def measure(outcome: Floats, exposed: Floats, others: Floats, orders: NDArray[np.intp]) -> Effect:
    """Return the effect of an exposure.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
        log(1 + rate) per night.
    exposed : ndarray, shape (n,)
        1 or 0.
    others : ndarray, shape (n, k)
        What else the regression holds: constant, time, the other lag.
    orders : ndarray of int, shape (m, n)
        From `shuffles`.
    """
    base, _ = np.linalg.qr(others)
    y = outcome - base @ (base.T @ outcome)
    x = exposed - base @ (base.T @ exposed)
    size = float(x @ x)
    if size < 1e-9 * len(x):  # the others tell the exposure: nothing is left to learn
        return Effect(float("nan"), float("-inf"), float("inf"), 1.0)
    slope = float(x @ y) / size
    # a shuffle of y - d·x has the slope a - d·b: one line in d for each shuffle.
    # y is shuffled with the slope taken out: u = y - slope·x, so y - d·x = u + (slope - d)·x
    u = y - slope * x
    # residuals are smaller than the errors they stand for: each term beside the exposure
    # takes a degree of freedom
    fuller = np.sqrt(len(y) / max(1.0, len(y) - others.shape[1])) / size
    a, b = u[orders] @ x * fuller, x[orders] @ x * fuller
    # with e = slope - d, the test asks whether |e| is beyond |a + e·b|
    p = _p_value(a, b, np.array([slope]))[0]
    return Effect(slope, slope - _reach(a, b, 1.0), slope + _reach(a, b, -1.0), float(p))


def _p_value(a: Floats, b: Floats, e: Floats) -> Floats:
    more = (np.abs(a[None, :] + e[:, None] * b[None, :]) >= np.abs(e)[:, None] - 1e-12).sum(axis=1)
    return np.asarray((1.0 + more) / (1.0 + len(a)))


def _reach(a: Floats, b: Floats, sign: float) -> float:
    """Return the largest |e| of one sign that is not rejected, by bisection."""
    alpha = 1.0 - LEVEL
    low, high = 0.0, 4.0 * float(np.abs(a).max()) + 1e-12
    while _p_value(a, b, np.array([sign * high]))[0] > alpha:
        low, high = high, 2.0 * high
        if high > 1e6:
            return float("inf")
    for _ in range(50):
        middle = (low + high) / 2.0
        if _p_value(a, b, np.array([sign * middle]))[0] > alpha:
            low = middle
        else:
            high = middle
    return high


def false_discovery(p: Floats) -> Floats:
    """Return q-values (Benjamini & Hochberg 1995, J R Stat Soc B 57:289)."""
    n = len(p)
    order = np.argsort(p)
    scaled = p[order] * n / np.arange(1, n + 1)
    q = np.empty(n)
    q[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return q
