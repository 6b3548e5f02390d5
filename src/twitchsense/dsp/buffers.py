"""Sample buffers, framing and block statistics for signals that arrive in chunks.

Statistics per frame do not depend on how the samples arrived; running sums
along the signal do, because their rounding depends on where the sum began.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Number of discarded values a buffer keeps before it compacts itself, so that a
#: small packet does not cause a copy.
_SLACK: Final = 256


class SampleBuffer:
    """A sliding window over a signal, addressed by absolute sample index.

    Values are appended at the end and discarded at the beginning.

    Parameters
    ----------
    dtype : dtype
        Type of the values.
    width : int, default 0
        Number of columns; 0 for a one-dimensional buffer.

    Attributes
    ----------
    start : int
        Index of the oldest value kept.
    """

    def __init__(self, dtype: Any, width: int = 0) -> None:
        self._values: NDArray[Any] = np.empty((0, width) if width else 0, dtype)
        self._begin = self._end = 0  # bounds of the part in use
        self.start = 0

    def __copy__(self) -> SampleBuffer:
        """Return a buffer that goes on from here, for use before the next `push` to this one.

        Both write into the same memory.
        """
        other = object.__new__(SampleBuffer)
        vars(other).update(vars(self))
        return other

    @property
    def stop(self) -> int:
        """Index just after the newest value."""
        return self.start + self._end - self._begin

    def push(self, values: NDArray[Any]) -> None:
        """Append values.

        Parameters
        ----------
        values : ndarray, shape (n,) or (n, width)
        """
        self.extend(len(values))[:] = values

    def extend(self, n: int) -> NDArray[Any]:
        """Append values that the caller writes.

        Parameters
        ----------
        n : int

        Returns
        -------
        ndarray, shape (n,) or (n, width)
            A view of the new values, not yet defined.
        """
        end = self._end + n
        if end > len(self._values):
            # reallocated, never moved in place: views returned earlier stay valid
            kept = self._values[self._begin : self._end]
            capacity = len(kept) + max(n, len(kept))
            self._values = np.empty((capacity, *kept.shape[1:]), kept.dtype)
            self._values[: len(kept)] = kept
            self._begin, self._end = 0, len(kept)
            end = self._end + n
        first, self._end = self._end, end
        return self._values[first:end]

    def get(self, start: int, stop: int) -> NDArray[Any]:
        """Return the values with indices ``[start, stop)``.

        Parameters
        ----------
        start, stop : int
            Absolute indices; clipped to the values that are kept.

        Returns
        -------
        ndarray, shape (n,) or (n, width)
            A view; later calls of `push` and `discard` do not change it.
        """
        shift = self._begin - self.start
        low, high = (start if start > self.start else self.start) + shift, stop + shift
        high = high if high < self._end else self._end
        return self._values[low : high if high > low else low]

    def discard(self, before: int) -> None:
        """Discard the values before an index.

        Parameters
        ----------
        before : int
            Absolute index of the first value to keep.
        """
        drop = min(before, self.stop) - self.start
        if drop > 0:
            self._begin += drop
            self.start += drop
            if self._begin > 2 * (self._end - self._begin) + _SLACK:
                # a copy releases the old block
                self._values = self._values[self._begin : self._end].copy()
                self._begin, self._end = 0, len(self._values)


class Framer:
    """Cuts a signal into frames of a fixed length, counted from its first sample.

    Parameters
    ----------
    size : int
        Samples per frame.

    Attributes
    ----------
    remainder : ndarray, shape (n, ...)
        Samples of the frame that is not yet complete.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.remainder: NDArray[Any] = np.empty(0)

    def push(self, x: NDArray[Any]) -> NDArray[Any]:
        """Append samples and return the frames they complete.

        Parameters
        ----------
        x : ndarray, shape (n, ...)

        Returns
        -------
        ndarray, shape (m, size, ...)
        """
        if len(self.remainder):
            x = np.concatenate([self.remainder, x])
        n = len(x) // self.size
        self.remainder = x[n * self.size :].copy()
        return x[: n * self.size].reshape(n, self.size, *x.shape[1:])


def hop_size(step_s: float, fs: float) -> int:
    """Return the number of samples in a hop.

    Parameters
    ----------
    step_s : float
        Approximate length of the hop in s.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    int
        At least 1.
    """
    return max(1, round(step_s * fs))


def row_medians(rows: Floats) -> Floats:
    """Return the median of each row.

    Sorting short rows is faster than partitioning them and much faster than
    `numpy.median`.

    Parameters
    ----------
    rows : ndarray, shape (n, k)
        Values without NaN.

    Returns
    -------
    ndarray, shape (n,)
    """
    size = rows.shape[1]
    rows = np.sort(rows, axis=1)
    return np.asarray((rows[:, (size - 1) // 2] + rows[:, size // 2]) / 2, np.float64)


def fast_median(x: Floats) -> float:
    """Return the median of a sequence, computed as in `row_medians`.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Values without NaN.

    Returns
    -------
    float
    """
    return float(row_medians(x[None])[0])


def ordered_sum(x: Floats) -> Any:
    """Return the sum along the last axis, added from the first value to the last.

    `numpy.sum` adds in pairs, in an order that depends on the memory layout.

    Parameters
    ----------
    x : ndarray, shape (..., n)
        At least one value.

    Returns
    -------
    float or ndarray, shape (...)
    """
    return np.add.accumulate(x, axis=-1)[..., -1]


def mean_squares(frames: Floats) -> Floats:
    """Return the mean square of each frame, summed from the first sample to the last.

    Parameters
    ----------
    frames : ndarray, shape (n, size)

    Returns
    -------
    ndarray, shape (n,)
    """
    return np.asarray(_square_sums(frames) / frames.shape[1], np.float64)


def row_norms(x: Floats) -> Floats:
    """Return the length of each row, its squares summed from the first column to the last.

    Parameters
    ----------
    x : ndarray, shape (n, width)

    Returns
    -------
    ndarray, shape (n,)
    """
    return np.asarray(np.sqrt(_square_sums(x)), np.float64)


def _square_sums(x: Floats) -> Floats:
    """Return the sum of the squares of each row, added from the first column to the last."""
    total = np.square(x[:, 0])
    for k in range(1, x.shape[1]):
        total += np.square(x[:, k])
    return total


def frame_maxima(frames: Floats) -> Floats:
    """Return the maximum of each frame; faster than `max` on short frames.

    Parameters
    ----------
    frames : ndarray, shape (n, size)

    Returns
    -------
    ndarray, shape (n,)
    """
    largest = frames[:, 0].copy()
    for k in range(1, frames.shape[1]):
        np.maximum(largest, frames[:, k], out=largest)
    return largest


def moving_sum(x: Floats, width: int) -> Floats:
    """Return the sums over sliding windows.

    Shifted copies are added in a fixed order. A cumulative sum would be faster
    for wide windows, but its rounding depends on where the sum began.

    Parameters
    ----------
    x : ndarray, shape (n,)
    width : int
        Values per window.

    Returns
    -------
    ndarray, shape (n - width + 1,)
    """
    total = x[: len(x) - width + 1].copy()
    for shift in range(1, width):
        total += x[shift : len(x) - width + 1 + shift]
    return total
