"""A few exact zeros between samples at rest far from zero: a signal that was lost for a moment.

A muscle or a limb does not do this. A potential rises and falls over several samples, and a limb
that is accelerated must be slowed down again, so that the samples beside differ from the rest.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import Samples

#: Change of the samples beside the zeros, and of the other axes, as a share of the jump.
_MAX_CHANGE: Final = 0.2
#: Minimum jump, in least steps between samples: a coarse converter at rest gives zeros too.
_MIN_STEPS: Final = 8
#: Maximum number of runs kept.
_MAX_KEPT: Final = 100_000


class ShortZeros:
    """Finds short runs of zeros in single columns, in blocks of any size.

    Parameters
    ----------
    longest : int
        Maximum number of zeros of a run.
    least_jump : float
        Minimum distance from zero of the samples before and after, in the unit of the samples.
    least_offset : float
        Minimum mean of all samples, as a share of that distance.
    """

    def __init__(self, longest: int, least_jump: float, least_offset: float = 0.0) -> None:
        self._found: list[tuple[int, int, float, int]] = []
        self._least_offset = least_offset
        self._sums: NDArray[np.float64] | None = None
        self._least_step = np.inf
        self._longest = longest
        self._least_jump = least_jump
        self._count = 0
        self._tail: Samples | None = None

    def push(self, samples: Samples) -> None:
        """Add samples.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, width)
            Those before and after a gap are neighbours.
        """
        known = 0 if self._tail is None else len(self._tail)
        rows = samples if self._tail is None else np.concatenate([self._tail, samples])
        steps = np.abs(np.diff(rows, axis=0))
        if self._least_offset:
            sums = samples.sum(axis=0, dtype=np.float64)
            self._sums = sums if self._sums is None else self._sums + sums
        least = np.min(steps, where=steps > 0, initial=np.inf)
        self._least_step = min(self._least_step, float(least))
        if not rows.all():
            for axis in range(rows.shape[1]):
                self._find(rows, axis, known)
        self._count += len(samples)
        # two samples before a run, the run, and one after it
        self._tail = rows[-(self._longest + 3) :].copy()

    @property
    def runs(self) -> list[tuple[int, int]]:
        """First sample, and the one after the last, of each run that is no signal."""
        least = _MIN_STEPS * self._least_step
        most = np.full(3, np.inf)
        if self._sums is not None:
            most = np.abs(self._sums) / self._count / self._least_offset
        return [(i, stop) for i, stop, jump, axis in self._found if least <= jump <= most[axis]]

    def _find(self, rows: Samples, axis: int, known: int) -> None:
        """Add the runs of one column of which the second sample after them is in this block."""
        zero = rows == 0
        edges = np.flatnonzero(np.diff(zero[:, axis], prepend=False, append=False))
        first, stop = edges[::2], edges[1::2]
        whole = (first >= 2) & (stop + 1 >= known) & (stop + 1 < len(rows))
        whole &= stop - first <= self._longest
        first, stop = first[whole], stop[whole]
        jump = np.minimum(np.abs(rows[first - 1, axis]), np.abs(rows[stop, axis]))
        far = jump >= self._least_jump
        first, stop, jump = first[far], stop[far], jump[far]
        if not len(first):
            return
        rest = (rows[first - 1] + rows[stop]) / 2
        change = np.abs(rows[stop] - rows[first - 1])
        inside = (np.minimum(first + k, stop - 1) for k in range(int((stop - first).max())))
        for at in (first - 2, *inside, stop + 1):
            change = np.maximum(change, np.where(zero[at], 0, np.abs(rows[at] - rest)))
        lost = change.max(axis=1) < _MAX_CHANGE * jump
        offset = self._count - known
        columns = offset + first[lost], offset + stop[lost], jump[lost]
        found = [(*row, axis) for row in zip(*(c.tolist() for c in columns), strict=True)]
        self._found += found[: _MAX_KEPT - len(self._found)]
