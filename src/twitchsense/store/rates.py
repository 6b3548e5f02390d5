"""The sampling period behind time stamps, and where it changes.

Samples are regular, their stamps need not be: they are rounded (a 64-Hz sensor
in whole milliseconds steps 15, 16, 16 ms), delayed on arrival, and interrupted.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.recording import NS

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]

#: Stamps looked at to learn the period.
LEARN: Final = 4096
#: Stamps may stray this far from a line (in periods) and still be regular.
_STRAY: Final = 0.45
#: A reference period this close (relative) to a round one is taken as round.
_ROUND: Final = 5e-4
#: Diffs in a window of the rate check, and how far (relative) it may be off.
_WINDOW, _WINDOW_OFF = 256, 0.10
_LONG_WINDOW, _LONG_OFF = 4096, 0.01


def estimate_period(stamps: Stamps) -> float | None:
    """Estimate the sampling period from the straightest stretch of stamps.

    Parameters
    ----------
    stamps : ndarray of int64, shape (n,)
        In ns, increasing.

    Returns
    -------
    float or None
        Period in ns, good to about 0.1 %; None where no stretch is regular.
    """
    n = len(stamps)
    for size in (64, 16, 4):
        if n < size and size > 4:
            continue
        size = min(size, n)
        if size < 3:
            return None
        blocks = stamps[: n // size * size].reshape(-1, size)
        blocks = np.vstack([blocks, stamps[-size:]])
        t = (blocks - blocks[:, :1]).astype(np.float64)
        i = np.arange(size) - (size - 1) / 2
        slope = t @ i / (i @ i)
        stray = np.abs(t - t.mean(axis=1, keepdims=True) - slope[:, None] * i).max(axis=1) / slope
        # the first among equals, so that rounding noise can't choose
        best = int(np.flatnonzero(stray <= stray.min() + 0.02)[0])
        if stray[best] <= _STRAY:
            return float(slope[best])
    return None


def round_rate(period: float) -> float | None:
    """Return the round rate in Hz near a period in ns, or None.

    Round is a whole number of Hz, or else a period of whole microseconds
    (62.5 Hz, 1111.1 Hz).
    """
    fs = NS / period
    if abs(round(fs) / fs - 1) < _ROUND:
        return float(round(fs))
    micros = round(period / 1000)
    if micros and abs(micros * 1000 / period - 1) < _ROUND:
        return 1e6 / micros
    return None


def find_rate_change(steps: Floats, period: float, gaps: NDArray[np.int64]) -> int | None:
    """Return the index of the step where another sampling rate begins, or None.

    A stretch of another rate is one in which steps agree with each other and
    not with the period. Steps of lost rows do not agree with each other.

    Parameters
    ----------
    steps : ndarray of float64, shape (n,)
        From each stamp to the next, ns.
    period : float
        ns.
    gaps : ndarray of int64
        Indices of steps that are gaps, sorted.
    """
    n = len(steps)
    size = min(_WINDOW, max(8, n // 8))
    if n < size:
        return None
    # whole windows, and one more for the end
    starts = np.append(np.arange(0, n - size + 1, size), n - size)
    mean = np.append(_window_means(steps, size), steps[n - size :].mean())
    odd = starts[np.abs(mean / period - 1) > _WINDOW_OFF]
    if len(odd):
        rows = steps[odd[:, None] + np.arange(size)]
        q25, median, q75 = np.percentile(rows, [25, 50, 75], axis=1)
        # one long gap must not look like a slow rate
        clipped = np.minimum(rows, 2.5 * median[:, None]).mean(axis=1)
        off = np.minimum(np.abs(clipped / period - 1), np.abs(median / period - 1)) > _WINDOW_OFF
        other = off & ((clipped > period) == (median > period)) & (q75 - q25 < 0.25 * median)
        if other.any():
            which = int(np.flatnonzero(other)[0])
            away = np.abs(rows[which] / period - 1) > _WINDOW_OFF / 2
            return int(odd[which]) + int(np.flatnonzero(away)[0])
    starts = np.arange(0, n - _LONG_WINDOW + 1, _LONG_WINDOW)
    if not len(starts):
        return None
    whole = np.searchsorted(gaps, starts) == np.searchsorted(gaps, starts + _LONG_WINDOW)
    off = np.abs(_window_means(steps, _LONG_WINDOW) / period - 1) > _LONG_OFF
    drifting = starts[whole & off]
    return int(drifting[0]) if len(drifting) else None


def _window_means(steps: Floats, size: int) -> Floats:
    """Return the mean of each whole window."""
    means: Floats = steps[: len(steps) // size * size].reshape(-1, size).mean(axis=1)
    return means
