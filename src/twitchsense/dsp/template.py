"""Least-squares fit of a template waveform to a signal, and subtraction of a baseline.

Sums are taken in the order of the samples, so that the compiled engine gives the same bits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from twitchsense.dsp.buffers import ordered_sum

Floats = NDArray[np.float64]

#: Positions of a fit in one sample. The heart is aligned with a median of beats that were aligned
#: before; without a grid, a difference of rounding would grow from beat to beat.
LAGS_PER_SAMPLE = 64


class Template:
    """A waveform that is fitted into longer pieces of signal.

    Parameters
    ----------
    waveform : ndarray, shape (n,)
    """

    def __init__(self, waveform: Floats) -> None:
        trend = unit_trend(len(waveform))
        self.waveform = waveform
        self._trend = trend
        self._detrended = _detrend(waveform, trend)
        self._power = float(ordered_sum(np.square(self._detrended)))

    def fit(self, piece: Floats) -> tuple[float, float, float]:
        """Fit the waveform into a piece of signal.

        Parameters
        ----------
        piece : ndarray, shape (m,)
            At least as long as the waveform.

        Returns
        -------
        lag : float
            Start of the best fit within the piece, in samples, to 1 / `LAGS_PER_SAMPLE`.
        scale : float
            Amplitude of the fit as a multiple of the waveform.
        explained : float
            Share of the detrended power of the fitted part that the fit explains.
        """
        n, power = len(self.waveform), self._power
        if power <= 0:
            return len(piece) / 2 - n / 2, 0.0, 0.0
        match = _correlate(piece, self._detrended)
        k = int(match.argmax())
        part = _detrend(piece[k : k + n], self._trend)
        scale = float(match[k]) / power
        explained = scale * float(match[k]) / max(float(ordered_sum(np.square(part))), 1e-12)
        lag = float(k)
        if 0 < k < len(match) - 1:
            # vertex of the parabola through the maximum and its neighbours
            bend = match[k - 1] - 2 * match[k] + match[k + 1]
            if bend < 0:
                part_of_sample = 0.5 * float((match[k - 1] - match[k + 1]) / bend)
                lag += round(part_of_sample * LAGS_PER_SAMPLE) / LAGS_PER_SAMPLE
        return lag, scale, explained


def subtract_baseline(x: Floats) -> Floats:
    """Subtract the line through the two ends of a piece of signal.

    The level of an end is the mean of a twentieth of the samples.

    Parameters
    ----------
    x : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
    """
    n = len(x)
    width, distance, between = _line(n)
    low = float(ordered_sum(x[:width])) / width
    high = float(ordered_sum(x[-width:])) / width
    line = distance * ((high - low) / (n - width))
    line += low
    line[: between.start], line[between.stop :] = low, high
    return np.subtract(x, line, out=line)


@lru_cache
def _line(n: int) -> tuple[int, Floats, slice]:
    """Return the constants of `subtract_baseline` for a length.

    The number of samples of an end, the distance of each sample from the middle of the
    first end, and the samples between the middles of the two ends.
    """
    width = max(1, n // 20)
    index = np.arange(n, dtype=np.float64)
    between = np.searchsorted(index, [width / 2, n - width / 2]).tolist()
    return width, np.asarray(index - width / 2, np.float64), slice(*between)


def _correlate(x: Floats, waveform: Floats) -> Floats:
    """Return the scalar products of a waveform with the parts of `x`, one per shift."""
    n, shifts = len(waveform), len(x) - len(waveform) + 1
    x = np.ascontiguousarray(x)
    parts = as_strided(x, (n, shifts), (x.itemsize, x.itemsize), writeable=False)
    # reduced along the slower axis, products are added row by row
    products = np.multiply(waveform[:, None], parts, out=np.empty((n, shifts)))
    return np.asarray(np.add.reduce(products, axis=0), np.float64)


def _detrend(x: Floats, trend: Floats) -> Floats:
    """Return `x` without its mean and its slope."""
    mean, slope = ordered_sum(trend * x)
    return np.asarray(x - (mean * trend[0] + slope * trend[1]), np.float64)


@lru_cache
def unit_trend(n: int) -> Floats:
    """Return a constant and a slope of `n` samples, each of unit energy, shape ``(2, n)``."""
    trend = np.stack([np.ones(n), np.linspace(-1, 1, n)])
    trend /= np.sqrt(np.square(trend).sum(axis=1, keepdims=True))
    return trend


def peak_to_peak(x: Floats) -> float:
    """Return the peak-to-peak amplitude; faster than `numpy.ptp` on short arrays.

    Parameters
    ----------
    x : ndarray, shape (n,)

    Returns
    -------
    float
    """
    return float(x.max() - x.min())
