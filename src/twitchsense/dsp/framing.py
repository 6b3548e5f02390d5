"""Blocks of a fixed number of samples, counted from the start of a segment.

Statistics per block don't depend on how the samples arrived, which sums that
run along the signal do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Blocks:
    """Collects samples and hands out whole blocks.

    Parameters
    ----------
    size : int
        Samples in a block.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.rest: NDArray[np.float64] = np.empty(0)

    def push(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take samples ``(n, ...)``; return whole blocks ``(m, size, ...)``."""
        if len(self.rest):
            x = np.concatenate([self.rest, x])
        n = len(x) // self.size
        self.rest = x[n * self.size :].copy()
        return x[: n * self.size].reshape(n, self.size, *x.shape[1:])


def hop_size(step_s: float, fs: float) -> int:
    """Return the samples of a hop of about `step_s` seconds, at least one."""
    return max(1, round(step_s * fs))


def medians(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each row, shape ``(n, k)`` without NaN.

    Sorting short rows whole is faster than selecting, and so much faster than
    `numpy.median`.
    """
    size = rows.shape[1]
    rows = np.sort(rows, axis=1)
    return np.asarray((rows[:, (size - 1) // 2] + rows[:, size // 2]) / 2, np.float64)


def median(x: NDArray[np.float64]) -> float:
    """Return the median of a sequence without NaN."""
    return float(medians(x[None])[0])


def moving_sum(x: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Sum over the last `width` values, shape ``(n - width + 1,)``.

    Adds shifted copies in a fixed order. A cumulative sum would be faster for
    wide windows, but its rounding depends on where the sum began.
    """
    total = x[: len(x) - width + 1].copy()
    for shift in range(1, width):
        total += x[shift : len(x) - width + 1 + shift]
    return total
