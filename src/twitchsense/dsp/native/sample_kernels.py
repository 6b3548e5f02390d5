"""Filters, mean squares and peaks, compiled (filters.c, envelope.c)."""

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
#: Sections of the first filter of a pair, and the most of the second.
_PAIR = 4


def supports(sos: Floats, width: int) -> bool:
    """Return whether there is a kernel for a filter.

    Parameters
    ----------
    sos : ndarray, shape (n_sections, 6)
    width : int
        Columns of the signal.
    """
    return len(sos) in _SECTIONS.get(width, ())


def supports_pair(first: Floats, second: Floats) -> bool:
    """Return whether there is a kernel for two filters of the same samples."""
    return len(first) == _PAIR and 1 <= len(second) <= _PAIR


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


def filter_pair(
    library: ctypes.CDLL, x: Floats, first: tuple[Floats, Floats], second: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Filter the same samples with two filters.

    Parameters
    ----------
    library : ctypes.CDLL
    x : ndarray, shape (n,)
    first, second : (ndarray, ndarray)
        Sections, and the state, which is changed in place.

    Returns
    -------
    ndarray, ndarray, shape (n,)
    """
    if not supports_pair(first[0], second[0]):
        raise ValueError("kernel: no pair of filters with so many sections")
    x = np.ascontiguousarray(x, np.float64)
    y, z = np.empty_like(x), np.empty_like(x)
    n_second = len(second[0])
    library.ts_filter_pair(
        address(x, np.float64, len(x)),
        len(x),
        address(first[0], np.float64, 6 * _PAIR),
        address(first[1], np.float64, 2 * _PAIR),
        address(y, np.float64, len(x)),
        address(second[0], np.float64, 6 * n_second),
        n_second,
        address(second[1], np.float64, 2 * n_second),
        address(z, np.float64, len(x)),
    )
    return y, z


@lru_cache(maxsize=1)
def rounds_like_scipy(library: ctypes.CDLL) -> bool:
    """Return whether the filters round as this build of scipy does.

    A scipy that was compiled with fused multiply-add (as for arm64) rounds differently; filters
    are then left to scipy.
    """
    x = np.random.default_rng(1).normal(size=200)
    sos = np.asarray(signal.butter(8, [20, 450], "bandpass", fs=1000.0, output="sos"))[:_PAIR]
    zero = np.zeros((_PAIR, 2))
    expected, _ = signal.sosfilt(sos, x, zi=zero)
    return bool((filter_samples(library, sos, x, zero.copy()) == expected).all())


def mean_squares(library: ctypes.CDLL, frames: Floats) -> Floats:
    """Return the mean square of each frame, as `buffers.mean_squares`."""
    frames = np.ascontiguousarray(frames, np.float64)
    n, size = frames.shape
    out = np.empty(n)
    library.ts_mean_squares(
        address(frames, np.float64, n * size), n, size, address(out, np.float64, n)
    )
    return out


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
