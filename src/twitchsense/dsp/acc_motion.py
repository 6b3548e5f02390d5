"""The movement in an acceleration in one pass: dynamic part, hops, and statistics of seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.buffers import Framer, frame_maxima, ordered_sum, row_norms
from twitchsense.dsp.engine import kernels
from twitchsense.dsp.filters import dynamic_band
from twitchsense.dsp.native.motion import NativeMotion
from twitchsense.dsp.native.sample_kernels import rounds_like_scipy

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MotionPiece:
    """What follows from the next samples.

    Attributes
    ----------
    dynamic : ndarray, shape (n, width)
        Acceleration without gravity, g.
    magnitude : ndarray, shape (n_hops,)
        Greatest magnitude of it in each hop, g.
    rate : ndarray, shape (n_hops,)
        Greatest magnitude of its rate of change in each hop, g/s.
    seconds : ndarray, shape (n_seconds, 3 + width)
        Of each second that has ended: greatest and mean magnitude of the dynamic part, greatest
        range of an axis, and the mean of each axis, g.
    """

    dynamic: Floats
    magnitude: Floats
    rate: Floats
    seconds: Floats


class AccMotion:
    """Filters one segment of one accelerometer and measures it.

    Parameters
    ----------
    fs : float
        Sampling rate, Hz.
    width : int
        Number of axes.
    hop : int
        Samples per hop.
    hops_per_s : int
        Hops in a second.

    Attributes
    ----------
    delay_s : float
        Group delay of the filter, s.
    """

    def __init__(self, fs: float, width: int, hop: int, hops_per_s: int) -> None:
        self._fs, self._width, self._filter = fs, width, dynamic_band(fs)
        self.delay_s = self._filter.delay_s
        library = kernels()
        self._native: NativeMotion | None = None
        if library is not None and rounds_like_scipy(library):
            self._native = NativeMotion(library, fs, width, hop, hop * hops_per_s)
            return
        self._last = np.empty((0, width))
        self._magnitudes, self._rates = Framer(hop), Framer(hop)
        self._second, self._second_magnitude = Framer(hop * hops_per_s), Framer(hop * hops_per_s)

    def push(self, x: Floats) -> MotionPiece:
        """Append samples.

        Parameters
        ----------
        x : ndarray, shape (n, width)
            Acceleration, g; at least one sample.

        Returns
        -------
        MotionPiece
        """
        if self._native is not None:
            if self._native.is_new:
                self._native.start(*self._filter.sections(x))
            return MotionPiece(*self._native.push(x))
        dynamic = self._filter.push(x)
        magnitude = row_norms(dynamic)
        before = self._last if len(self._last) else dynamic[:1]
        rate = row_norms(np.diff(np.concatenate([before, dynamic]), axis=0)) * self._fs
        self._last = dynamic[-1:]
        return MotionPiece(
            dynamic,
            frame_maxima(self._magnitudes.push(magnitude)),
            frame_maxima(self._rates.push(rate)),
            _statistics(self._second.push(x), self._second_magnitude.push(magnitude)),
        )

    def close(self) -> Floats:
        """End the segment.

        Returns
        -------
        ndarray, shape (0 or 1, 3 + width)
            Statistics of the unfinished second, if it has samples.
        """
        if self._native is not None:
            return self._native.close()
        rest = self._second.remainder
        if not len(rest):
            return np.empty((0, 3 + self._width))
        return _statistics(rest[None], self._second_magnitude.remainder[None])


def _statistics(x: Floats, magnitude: Floats) -> Floats:
    """Return the rows of `MotionPiece.seconds`; `x` and `magnitude` hold a second in each row."""
    if not len(x):
        return np.empty((0, 3 + x.shape[2]))
    # axis by axis in one piece: reducing along the middle of an array is slow
    axes = np.ascontiguousarray(x.transpose(2, 0, 1))
    spread = (axes.max(axis=2) - axes.min(axis=2)).max(axis=0)
    n = x.shape[1]
    means = [ordered_sum(values) / n for values in (magnitude, *axes)]
    return np.column_stack([magnitude.max(axis=1), means[0], spread, *means[1:]])
