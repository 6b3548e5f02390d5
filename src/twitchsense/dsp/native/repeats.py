"""Activity around bursts, compiled (repeats.c)."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.native.loading import address, check_size

Floats = NDArray[np.float64]

_D, _I = ctypes.c_double, ctypes.c_int64
#: Zeros after a signal, and the number of scratch signals, in repeats.c.
_BLOCK, _SCRATCH = 32, 6


class LocalLimits(ctypes.Structure):
    """Mirror of `limits` in repeats.c; the reference gives the values their names."""

    _fields_ = (
        *((name, _I) for name in ("at", "half", "excluded", "window", "contraction")),
        ("template_first", _I),
        *((name, _D) for name in ("near", "separation", "shortest_side", "large")),
        *((name, _D) for name in ("lowest", "highest", "least_energy", "correlation")),
        ("quantile", _D * 2),
    )


def measure_repeats(
    library: ctypes.CDLL, bands: Floats, limits: LocalLimits
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Measure the activity around bursts, as `detect.features.local.measure_repeats`.

    Parameters
    ----------
    library : ctypes.CDLL
    bands : ndarray, shape (k, n)
        Finite values, µV.
    limits : LocalLimits

    Returns
    -------
    counts : ndarray of int64, shape (k, 4)
    values : ndarray, shape (k, 3)
    windows : ndarray, shape (k, n // window)
    """
    check_size("local", library.ts_local_size(), LocalLimits)
    bands = np.ascontiguousarray(bands, np.float64)
    k, n = bands.shape
    if not (0 <= limits.template_first <= limits.at < n and limits.window > 1):
        raise ValueError("kernel: the peak of a burst does not lie in its signal")
    if limits.half < 0 or limits.excluded < 0:
        raise ValueError("kernel: lengths are negative")
    counts, values = np.empty((k, 4), np.int64), np.empty((k, 3))
    windows = np.empty((k, n // limits.window))
    scratch, places = np.empty(_SCRATCH * (n + _BLOCK)), np.empty(n, np.int64)
    library.ts_local_features(
        address(bands, np.float64, k * n),
        k,
        n,
        ctypes.addressof(limits),
        address(counts, np.int64, 4 * k),
        address(values, np.float64, 3 * k),
        address(windows, np.float64, windows.size),
        address(scratch, np.float64, _SCRATCH * (n + _BLOCK)),
        address(places, np.int64, n),
    )
    return counts, values, windows
