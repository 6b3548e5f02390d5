"""Band-limited interpolation of the signal around one event.

Samples of a slow device lie beside the peaks and edges of a signal. Between them the signal is
known, because the filter of the device has removed what changes faster than its samples show.
Events are therefore measured on interpolated samples; the filters that run over the whole
recording are not affected.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Floats = NDArray[np.float64]

#: Samples of the signal on either side that determine an interpolated value.
REACH: Final = 16


def factor(fs: float, fine_hz: float) -> int:
    """Return the smallest whole factor by which a rate reaches another one.

    Parameters
    ----------
    fs, fine_hz : float
        Sampling rate and rate to be reached, Hz. Fitted rates may be 1 % too low.

    Returns
    -------
    int
        1 if nothing has to be interpolated.
    """
    return max(1, int(np.ceil(0.99 * fine_hz / fs)))


def interpolate(x: Floats, up: int) -> Floats:
    """Return a signal at a multiple of its sampling rate.

    Parameters
    ----------
    x : ndarray, shape (n,) or (n, width)
        Continued by its point reflections at both ends.
    up : int
        Factor from `factor`.

    Returns
    -------
    ndarray, shape (n * up,) or (n * up, width)
        Value ``k * up`` is sample ``k``.
    """
    if up == 1 or len(x) < 2:
        return np.repeat(x, up, axis=0)
    reach = min(REACH, len(x) - 1)
    finer = signal.upfirdn(_kernel(up), reflected(x, reach), up, axis=0)
    first = (REACH + reach) * up
    return np.asarray(finer[first : first + len(x) * up], np.float64)


def reflected(x: Floats, n: int) -> Floats:
    """Return a signal continued at both ends by its point reflections.

    Parameters
    ----------
    x : ndarray, shape (m,) or (m, width)
    n : int
        Samples that are added at each end, less than `m`.

    Returns
    -------
    ndarray, shape (m + 2 * n,) or (m + 2 * n, width)
    """
    before, after = 2 * x[0] - x[n:0:-1], 2 * x[-1] - x[-2 : -n - 2 : -1]
    return np.concatenate([before, x, after])


@lru_cache
def _kernel(up: int) -> Floats:
    """Return the low-pass at the Nyquist frequency whose zeros lie on the other samples."""
    return np.asarray(signal.firwin(2 * REACH * up + 1, 1 / up, window=("kaiser", 5.0)) * up)
