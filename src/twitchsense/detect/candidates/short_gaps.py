"""Short gaps, such as lost packets: the segment goes on, and the lost samples are not evidence.

A segment needs seconds to learn the noise floor, the heart beats and the hum. A device without
retransmission loses a packet every few seconds, so a new segment after each would leave little to
judge.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS, Samples
from twitchsense.model.per_second import PerSecond

#: Longest gap after which a segment goes on, s [E]: shorter than the pause that ends a leg
#: movement, and than most of a second, whose median gives the noise floor.
MAX_GAP_S: Final = 0.25
#: Fraction of lost samples above which a burst is not reported.
MAX_LOST_FRACTION: Final = 0.5


def straight_line(before: Any, after: Any, n: int) -> NDArray[np.float64]:
    """Return the values between two samples.

    Parameters
    ----------
    before, after : float, or ndarray of shape (1, width)
    n : int
        Number of values.

    Returns
    -------
    ndarray, shape (n,) or (n, width)
    """
    share = np.arange(1, n + 1) / (n + 1)
    if np.ndim(before):
        share = share[:, None]
    return np.asarray(before + share * (after - before), np.float64)


class ShortGaps:
    """The gaps of one segment, with the straight line that replaces each.

    Parameters
    ----------
    start_ns : int
        Time of the first sample of the segment.
    fs : float
        Sampling rate, Hz.
    """

    def __init__(self, start_ns: int, fs: float) -> None:
        self._start_ns, self._fs = start_ns, fs
        self._first, self._stop = array("q"), array("q")  # samples
        self._n = self._taken = 0
        self._last = np.empty((0, 0), np.float32)
        # samples that were not taken yet, and where lines replace lost ones among them
        self._pieces: list[Samples] = []
        self._lines: list[tuple[int, int]] = []

    def push(self, samples: Samples, lost: int = 0) -> None:
        """Add the next samples of the segment.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, width)
            At least one sample.
        lost : int, default 0
            Number of samples that are missing before them.
        """
        if lost:
            self._first.append(self._n)
            self._stop.append(self._n + lost)
            self._lines.append((self._n - self._taken, self._n - self._taken + lost))
            self._pieces.append(straight_line(self._last, samples[:1], lost).astype(np.float32))
        self._pieces.append(samples)
        self._n += lost + len(samples)
        self._last = samples[-1:].copy()

    def take(self) -> tuple[Samples, list[tuple[int, int]]]:
        """Return the samples added since the last call.

        Returns
        -------
        samples : ndarray of float32, shape (n, width)
            With a straight line in place of the lost ones; shape (0, 0) if none were added.
        lines : list of (int, int)
            Start and stop of each line in `samples`.
        """
        pieces, lines = self._pieces, self._lines
        self._pieces, self._lines, self._taken = [], [], self._n
        if not pieces:
            return np.empty((0, 0), np.float32), []
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces), lines

    def lost_before(self, start_ns: int) -> int:
        """Return how many samples are missing before the next ones, if the gap is short.

        Parameters
        ----------
        start_ns : int
            Time of the next sample.

        Returns
        -------
        int
            0 if the gap is longer than `MAX_GAP_S`, or not a gap.
        """
        lost = round((start_ns - self._start_ns) * self._fs / NS) - self._n
        return lost if self._n and 0 < lost <= MAX_GAP_S * self._fs else 0

    def mostly_lost(self, onset_ns: int, offset_ns: int) -> bool:
        """Whether most samples of an interval are lost.

        Parameters
        ----------
        onset_ns, offset_ns : int

        Returns
        -------
        bool
        """
        onset, offset = ((t - self._start_ns) * self._fs / NS for t in (onset_ns, offset_ns))
        near = range(bisect_right(self._stop, onset), bisect_left(self._first, offset))
        lost = sum(min(self._stop[i], offset) - max(self._first[i], onset) for i in near)
        return lost > MAX_LOST_FRACTION * (offset - onset)

    def lost_s(self, n: int, size: int) -> NDArray[np.float32]:
        """Return the lost time of each second.

        Parameters
        ----------
        n : int
            Number of seconds.
        size : int
            Samples in a second.

        Returns
        -------
        ndarray of float32, shape (n,)
            In s.
        """
        if not self._first:
            return np.zeros(n, np.float32)
        # the number of lost samples before a sample is constant between gaps and rises within them
        ends = np.stack([self._first, self._stop], axis=1)
        before = np.cumsum(ends[:, 1] - ends[:, 0])
        lost = np.stack([before - (ends[:, 1] - ends[:, 0]), before], axis=1)
        at_edges = np.interp(np.arange(n + 1) * size, ends.ravel(), lost.ravel())
        return np.asarray(np.diff(at_edges) / self._fs, np.float32)

    def subtract_lost(self, table: PerSecond, size: int) -> PerSecond:
        """Return per-second statistics without the lost time of each second.

        Parameters
        ----------
        table : PerSecond
            Of the whole segment.
        size : int
            Samples in a second.

        Returns
        -------
        PerSecond
        """
        return replace(table, length_s=table.length_s - self.lost_s(len(table.time_ns), size))

    def discard(self, before_ns: int) -> None:
        """Discard the gaps before a time.

        Parameters
        ----------
        before_ns : int
        """
        n = bisect_right(self._stop, (before_ns - self._start_ns) * self._fs / NS)
        del self._first[:n], self._stop[:n]
