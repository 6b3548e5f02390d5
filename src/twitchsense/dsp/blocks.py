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
        self.rest: NDArray[np.float64] | None = None

    def push(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take samples ``(n, ...)``; return whole blocks ``(m, size, ...)``."""
        if self.rest is not None and len(self.rest):
            x = np.concatenate([self.rest, x])
        n = len(x) // self.size
        self.rest = x[n * self.size :].copy()
        return x[: n * self.size].reshape(n, self.size, *x.shape[1:])


def hop_size(step_s: float, fs: float) -> int:
    """Return the samples of a hop of about `step_s` seconds, at least one."""
    return max(1, round(step_s * fs))


def moving_sum(x: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Sum over the last `width` values, shape ``(n - width + 1,)``.

    Adds shifted copies in a fixed order. A cumulative sum would be faster for
    wide windows, but its rounding depends on where the sum began.
    """
    total = x[: len(x) - width + 1].copy()
    for shift in range(1, width):
        total += x[shift : len(x) - width + 1 + shift]
    return total
