"""Clock offsets of XDF streams: from the clock of a stream to that of the recording computer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Step between clock offsets, in s, that means that the clock of a stream was set.
_RESET_S: Final = 1.0
#: Offsets beyond this many typical deviations from their line are left out of the fit.
_OUTLIER: Final = 4.0


class OffsetCorrection:
    """Converts times of a stream's clock to that of the recording computer.

    Parameters
    ----------
    times, offsets : sequence of float
        Time of the stream's clock and what to add to it, in s, as they were measured.
    """

    def __init__(self, times: Sequence[float], offsets: Sequence[float]) -> None:
        t, o = np.array(times, np.float64), np.array(offsets, np.float64)
        resets = np.flatnonzero((np.diff(t) < 0) | (np.abs(np.diff(o)) > _RESET_S)) + 1
        edges = [0, *resets.tolist(), len(t)]
        self._parts = [
            (float(t[a]), float(t[b - 1]), *_fit_line(t[a:b], o[a:b]))
            for a, b in pairwise(edges)
            if b > a
        ]

    def __call__(self, times: Floats) -> Floats:
        """Return corrected times, shape (n,)."""
        if not self._parts:
            return times
        distances = np.array(
            [np.maximum(np.maximum(low - times, times - high), 0) for low, high, *_ in self._parts]
        )
        nearest = distances.argmin(axis=0)
        origin, slope, level = np.array([p[2:] for p in self._parts]).T
        corrected: Floats = times + level[nearest] + slope[nearest] * (times - origin[nearest])
        return corrected


def _fit_line(t: Floats, o: Floats) -> tuple[float, float, float]:
    """Return origin, slope and level of a line through offsets without outliers."""
    origin, slope, level = float(t[0]), 0.0, float(np.median(o))
    kept = np.ones(len(t), bool)
    for _ in range(4):
        x = t[kept] - origin
        if len(x) >= 3 and float(np.ptp(x)) > 0:
            slope, level = map(float, np.polyfit(x, o[kept], 1))
        residual = np.abs(o - level - slope * (t - origin))
        limit = _OUTLIER * max(1.4826 * float(np.median(residual)), 1e-6)
        if (residual <= limit).sum() < 3:
            break
        kept = residual <= limit
    return origin, slope, level
