"""Harmonics of the mains in spectra of blocks, compiled (lines.c)."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.native.loading import address

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
Ints = NDArray[np.int64]


def measure_lines(
    library: ctypes.CDLL,
    spectra: Complex,
    bins: Ints,
    factor: Complex,
    beside: Ints,
    square_scale: float,
    least: float,
    band: slice,
) -> tuple[Complex, Floats, Floats]:
    """Return amplitudes, their variances and the power of a band, as `mains.measure_lines`."""
    n_blocks, n_bins = spectra.shape
    n, n_beside = beside.shape
    amplitude, noise = np.empty((n_blocks, n), np.complex128), np.empty((n_blocks, n))
    power = np.empty(n_blocks)
    failed = library.ts_lines(
        address(spectra, np.complex128, n_blocks * n_bins),
        n_blocks,
        n_bins,
        address(bins, np.int64, n),
        address(factor, np.complex128, n),
        n,
        address(beside, np.int64, n * n_beside),
        n_beside,
        square_scale,
        least,
        band.start,
        band.stop,
        address(amplitude, np.complex128, amplitude.size),
        address(noise, np.float64, noise.size),
        address(power, np.float64, n_blocks),
    )
    if failed:
        raise ValueError("kernel lines: a bin lies outside the spectrum")
    return amplitude, noise, power
