"""The signals around several bursts in one array, so that the bursts are measured together.

What is measured on a burst does not depend on the other bursts: a sum over a range is rounded
as `numpy.sum` of that range alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Windows(NamedTuple):
    """Windows of equal length around the peaks of some bursts.

    Attributes
    ----------
    rows : ndarray of int64, shape (m,)
        Which bursts.
    at : int
        Index of the peak in its window.
    samples : ndarray of int64, shape (m, n)
        Samples of each window, as indices into the signals.
    """

    rows: Ints
    at: int
    samples: Ints


@dataclass(frozen=True, slots=True)
class BurstSignals:
    """The signals around `k` bursts of one channel, one behind the other.

    Attributes
    ----------
    clean, band : ndarray, shape (n,)
        Samples without mains hum and ECG, and their burst band (zero phase), µV.
    first, stop : ndarray of int64, shape (k,)
        Bounds of the signal around each burst.
    begin, end, peak : ndarray of int64, shape (k,)
        Edges of each burst and its largest deflection.
    fs : float
        Sampling rate, Hz.
    """

    clean: Floats
    band: Floats
    first: Ints
    stop: Ints
    begin: Ints
    end: Ints
    peak: Ints
    fs: float

    @classmethod
    def join(
        cls,
        clean: Sequence[Floats],
        band: Sequence[Floats],
        bodies: Sequence[tuple[int, int]],
        fs: float,
    ) -> BurstSignals:
        """Join the signals around bursts.

        Parameters
        ----------
        clean, band : sequence of ndarray, shape (n,)
            Of each burst.
        bodies : sequence of (int, int)
            Start and stop of each burst in its signals.
        fs : float
            Sampling rate, Hz.

        Returns
        -------
        BurstSignals
        """
        stop = np.cumsum([len(x) for x in band])
        first = np.concatenate([[0], stop[:-1]])
        begin, end = (first + part for part in np.array(bodies, np.int64).reshape(-1, 2).T)
        peaks = [int(np.abs(x[a:b]).argmax()) for x, (a, b) in zip(band, bodies, strict=True)]
        whole = np.concatenate(clean), np.concatenate(band)
        return cls(*whole, first, stop, begin, end, begin + np.array(peaks), fs)

    def around_peaks(self, before: int, after: int) -> Iterator[Windows]:
        """Yield windows around the peaks, cut at the ends of the signals.

        Parameters
        ----------
        before, after : int
            Samples before the peak, and from the peak on.

        Yields
        ------
        Windows
            Those of one length and place of the peak; each burst once.
        """
        start = np.maximum(self.peak - before, self.first)
        at, length = self.peak - start, np.minimum(self.peak + after, self.stop) - start
        shapes = set(zip(at.tolist(), length.tolist(), strict=True))
        for shape in sorted(shapes):
            rows = np.flatnonzero((at == shape[0]) & (length == shape[1]))
            yield Windows(rows, shape[0], start[rows][:, None] + np.arange(shape[1]))


def values_of(x: Floats, start: Ints, stop: Ints) -> tuple[Floats, Ints]:
    """Return the values of several ranges, one behind the other.

    Parameters
    ----------
    x : ndarray, shape (n,)
    start, stop : ndarray of int64, shape (k,)

    Returns
    -------
    values : ndarray, shape (m,)
    place : ndarray of int64, shape (m,)
        Place of each value in its range.
    """
    lengths = stop - start
    place = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return x[np.repeat(start, lengths) + place], place


def sums(values: Floats, lengths: Ints) -> Floats:
    """Return the sums of ranges that stand one behind the other, each as `numpy.sum`.

    Parameters
    ----------
    values : ndarray, shape (sum of lengths,)
    lengths : ndarray of int64, shape (k,)
        At least one value each.

    Returns
    -------
    ndarray, shape (k,)
    """
    # numpy.sum adds the values to zero, where reduceat begins with the first value
    ends = np.cumsum(lengths)
    number = np.arange(len(lengths))
    after_zeros = np.zeros(len(values) + len(lengths))
    after_zeros[np.arange(len(values)) + np.repeat(number + 1, lengths)] = values
    return np.asarray(np.add.reduceat(after_zeros, ends - lengths + number))


def largest(x: Floats, start: Ints, stop: Ints) -> Floats:
    """Return the largest value of each of several ranges.

    Parameters
    ----------
    x : ndarray, shape (n,)
    start, stop : ndarray of int64, shape (k,)
        At least one value each.

    Returns
    -------
    ndarray, shape (k,)
    """
    bounds = np.stack([start, stop], axis=1).ravel()
    return np.asarray(np.maximum.reduceat(np.append(x, 0.0), bounds)[::2])
