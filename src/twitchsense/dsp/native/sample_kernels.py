"""Filters and peaks, compiled (filters.c, peaks.c)."""

from __future__ import annotations

import ctypes
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.dsp.native.loading import address

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Numbers of sections for which there is a kernel, by number of columns.
_SECTIONS = {1: (1, 2, 3, 4), 3: (1, 3)}


def supports(sos: Floats, width: int) -> bool:
    """Return whether there is a kernel for a filter.

    Parameters
    ----------
    sos : ndarray, shape (n_sections, 6)
    width : int
        Columns of the signal.
    """
    return len(sos) in _SECTIONS.get(width, ())


def filter_samples(library: ctypes.CDLL, sos: Floats, x: Floats, state: Floats) -> Floats:
    """Filter samples as `scipy.signal.sosfilt` along axis 0.

    Parameters
    ----------
    library : ctypes.CDLL
    sos : ndarray, shape (n_sections, 6)
    x : ndarray, shape (n,) or (n, width)
    state : ndarray, shape (n_sections, 2) or (n_sections, 2, width)
        Changed in place.

    Returns
    -------
    ndarray, shape of `x`
    """
    x = np.ascontiguousarray(x, np.float64)
    y = np.empty_like(x)
    width = 1 if x.ndim == 1 else x.shape[1]
    failed = library.ts_filter(
        address(x, np.float64, len(x) * width),
        len(x),
        width,
        address(sos, np.float64, 6 * len(sos)),
        len(sos),
        address(state, np.float64, 2 * len(sos) * width),
        address(y, np.float64, len(x) * width),
    )
    if failed:
        raise ValueError(f"kernel: no filter of {len(sos)} sections and {width} columns")
    return y


@lru_cache(maxsize=1)
def rounds_like_scipy(library: ctypes.CDLL) -> bool:
    """Return whether the filters round as this build of scipy does.

    A scipy that was compiled with fused multiply-add (as for arm64) rounds differently; filters
    are then left to scipy.
    """
    x = np.random.default_rng(1).normal(size=200)
    sos = np.asarray(signal.butter(8, [20, 450], "bandpass", fs=1000.0, output="sos"))[:4]
    zero = np.zeros((4, 2))
    expected, _ = signal.sosfilt(sos, x, zi=zero)
    return bool((filter_samples(library, sos, x, zero.copy()) == expected).all())


def find_peaks(
    library: ctypes.CDLL, x: Floats, first: int, threshold: Floats, distance: int
) -> Ints:
    """Return the places of the largest deflections, as `ecg_rhythm.find_peaks`."""
    places = np.empty(len(x) - first, np.int64)
    found = library.ts_find_peaks(
        address(x, np.float64, len(x)),
        len(x),
        first,
        address(threshold, np.float64, len(x) - first),
        distance,
        address(places, np.int64, len(places)),
    )
    return places[:found]
