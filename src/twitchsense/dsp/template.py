"""Waveforms: less the line under them, their size, and where they fit into a signal best."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def off_line(x: Floats) -> Floats:
    """Return a piece less the line through its two ends."""
    n = len(x)
    level, since, rising = _line(n)
    low = float(np.add.reduce(x[:level])) / level
    high = float(np.add.reduce(x[-level:])) / level
    line = since * ((high - low) / (n - level))
    line += low
    line[: rising.start], line[rising.stop :] = low, high
    return np.subtract(x, line, out=line)


@lru_cache
def _line(n: int) -> tuple[int, Floats, slice]:
    """Return what a line through the ends of a piece needs.

    The samples at an end, each sample's distance from the middle of the first end, and the
    samples from there to the middle of the last.
    """
    level = max(1, n // 20)
    at = np.arange(n, dtype=np.float64)
    rising = np.searchsorted(at, [level / 2, n - level / 2]).tolist()
    return level, np.asarray(at - level / 2, np.float64), slice(*rising)


def swing(x: Floats) -> float:
    """Return the peak to peak of a piece."""
    return float(x.max() - x.min())


@lru_cache
def _trend(n: int) -> Floats:
    """Return a level and a slope of so many samples, each of unit energy."""
    trend = np.stack([np.ones(n), np.linspace(-1, 1, n)])
    trend /= np.sqrt(np.square(trend).sum(axis=1, keepdims=True))
    return trend


class Template:
    """A waveform to be fitted into longer pieces of signal.

    Parameters
    ----------
    wave : ndarray, shape (n,)
    """

    def __init__(self, wave: Floats) -> None:
        trend = _trend(len(wave))
        self.wave = wave
        self._trend = trend
        self._own = wave - (trend @ wave) @ trend
        self._power = float(np.add.reduce(np.square(self._own)))

    def fit(self, piece: Floats) -> tuple[float, float, float]:
        """Fit the waveform into a piece of signal.

        Returns
        -------
        lag : float
            Where in the piece the waveform begins to fit best, in samples (between
            them too).
        height : float
            Of the fit, as a multiple of the waveform.
        explained : float
            Share of the power of that part of the piece, off its trend.
        """
        n, power = len(self.wave), self._power
        if power <= 0:
            return len(piece) / 2 - n / 2, 0.0, 0.0
        match = np.correlate(piece, self._own, "valid")
        k = int(match.argmax())
        part = piece[k : k + n]
        part = part - (self._trend @ part) @ self._trend
        height = float(match[k]) / power
        explained = height * float(match[k]) / max(float(np.add.reduce(np.square(part))), 1e-12)
        lag = float(k)
        if 0 < k < len(match) - 1:
            bend = match[k - 1] - 2 * match[k] + match[k + 1]
            if bend < 0:
                lag += 0.5 * float((match[k - 1] - match[k + 1]) / bend)
        return lag, height, explained
