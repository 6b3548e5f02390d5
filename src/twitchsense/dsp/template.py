"""Least-squares fit of a template waveform to a signal, and subtraction of a baseline."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Template:
    """A waveform that is fitted into longer pieces of signal.

    Parameters
    ----------
    waveform : ndarray, shape (n,)
    """

    def __init__(self, waveform: Floats) -> None:
        trend = _trend(len(waveform))
        self.waveform = waveform
        self._trend = trend
        self._detrended = waveform - (trend @ waveform) @ trend
        self._power = float(np.add.reduce(np.square(self._detrended)))

    def fit(self, piece: Floats) -> tuple[float, float, float]:
        """Fit the waveform into a piece of signal.

        Parameters
        ----------
        piece : ndarray, shape (m,)
            At least as long as the waveform.

        Returns
        -------
        lag : float
            Start of the best fit within the piece, in samples, with fractions.
        scale : float
            Amplitude of the fit as a multiple of the waveform.
        explained : float
            Share of the detrended power of the fitted part that the fit explains.
        """
        n, power = len(self.waveform), self._power
        if power <= 0:
            return len(piece) / 2 - n / 2, 0.0, 0.0
        match = np.correlate(piece, self._detrended, "valid")
        k = int(match.argmax())
        part = piece[k : k + n]
        part = part - (self._trend @ part) @ self._trend
        scale = float(match[k]) / power
        explained = scale * float(match[k]) / max(float(np.add.reduce(np.square(part))), 1e-12)
        lag = float(k)
        if 0 < k < len(match) - 1:
            # vertex of the parabola through the maximum and its neighbours
            bend = match[k - 1] - 2 * match[k] + match[k + 1]
            if bend < 0:
                lag += 0.5 * float((match[k - 1] - match[k + 1]) / bend)
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
    low = float(np.add.reduce(x[:width])) / width
    high = float(np.add.reduce(x[-width:])) / width
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


@lru_cache
def _trend(n: int) -> Floats:
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
