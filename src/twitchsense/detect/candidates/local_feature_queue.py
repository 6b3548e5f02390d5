"""Bursts of a segment that wait for the signal around them, and then for others like them.

Only the rules of the night ask for local features, so they are measured for several bursts
at once, which takes half the time.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.features.local import (
    NO_NEIGHBOURS,
    REACH_S,
    LocalFeatures,
    measure_local_features,
)
from twitchsense.dsp.buffers import SampleBuffer

#: Number of bursts that are measured at once.
MEASURED_AT_ONCE: Final = 32


class _KeptSignal(NamedTuple):
    """The signal around a burst."""

    number: int  # of the burst
    at: int  # index of its peak
    band: NDArray[np.float32]


class LocalFeatureQueue:
    """Measures the local features of the bursts of one segment.

    Parameters
    ----------
    fs : float
        Sampling rate, Hz.
    """

    def __init__(self, fs: float) -> None:
        self._fs, self._reach = fs, round(REACH_S * fs)
        self._waiting: deque[tuple[int, int]] = deque()  # number of the burst, its peak
        self._kept: list[_KeptSignal] = []
        self._measured: list[tuple[int, LocalFeatures]] = []

    def add(self, number: int, peak: int) -> None:
        """Add a burst.

        Parameters
        ----------
        number : int
            `Burst.number`.
        peak : int
            Sample of its peak.
        """
        self._waiting.append((number, peak))

    def add_long(self, number: int) -> None:
        """Add a burst whose surroundings are not examined, because it is too long.

        Parameters
        ----------
        number : int
            `Burst.number`.
        """
        self._measured.append((number, NO_NEIGHBOURS))

    def push(self, band: SampleBuffer, *, everything: bool = False) -> None:
        """Measure the bursts whose surroundings are known, when there are enough of them.

        Parameters
        ----------
        band : SampleBuffer
            Burst band of the segment so far, µV.
        everything : bool
            Whether the segment has ended, so that no more signal will come.
        """
        while self._waiting and (everything or self._waiting[0][1] + self._reach < band.stop):
            number, peak = self._waiting.popleft()
            first = max(0, peak - self._reach)
            around = band.get(first, peak + self._reach).copy()
            # the filter delays the peak beyond the end of a segment that ends in a burst
            at = min(peak - first, len(around) - 1)
            self._kept.append(_KeptSignal(number, at, around))
        if everything or len(self._kept) >= MEASURED_AT_ONCE:
            self._measure()

    def take(self) -> list[tuple[int, LocalFeatures]]:
        """Return the local features measured since the last call, with the number of the burst.

        Returns
        -------
        list of (int, LocalFeatures)
        """
        measured, self._measured = self._measured, []
        return measured

    def needed_from(self, sample: int) -> int:
        """Return the first sample that is still needed, if others need those from `sample` on.

        Parameters
        ----------
        sample : int

        Returns
        -------
        int
        """
        return min([sample, *(peak for _, peak in self._waiting)]) - self._reach

    def _measure(self) -> None:
        """Measure the bursts whose signal was kept, those of one shape at once."""
        by_shape: dict[tuple[int, int], list[_KeptSignal]] = {}
        for s in self._kept:
            by_shape.setdefault((s.at, len(s.band)), []).append(s)
        self._kept = []
        for (at, _), members in by_shape.items():
            for first in range(0, len(members), MEASURED_AT_ONCE):
                some = members[first : first + MEASURED_AT_ONCE]
                bands = np.stack([s.band for s in some], dtype=np.float64)
                features = measure_local_features(bands, at, self._fs)
                self._measured += zip((s.number for s in some), features, strict=True)
