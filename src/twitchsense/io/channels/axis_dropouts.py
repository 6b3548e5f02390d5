"""Axes of an accelerometer that fail alone: zeros in one axis, and axes that never change.

An axis that falls to exactly zero, stays there and jumps back to where it was has lost its
signal: no movement does this. The other axes alone do not tell the acceleration.

One or two zeros have lost it too if nothing else changes. A limb that is accelerated must be
slowed down again, so that the samples beside those of a movement differ from the rest.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import Samples

#: Minimum number of zeros, and minimum jump (g) before and after them.
_MIN_ZEROS: Final = 3
_MIN_JUMP_G: Final = 0.1
#: Change of all axes beside one or two zeros, and of the others at them, as a share of the jump.
_MAX_CHANGE: Final = 0.2
#: Number of zeros from which the axis may return to another value: a leg takes so long to turn.
_LONG: Final = 25
#: Rows that are kept for zeros that begin at the end of a block.
_TAIL: Final = _MIN_ZEROS + 2
#: Minimum number of samples of a recording for a note on an axis that never changed.
_MIN_SAMPLES: Final = 1000
#: Maximum number of runs kept of one axis.
_MAX_KEPT: Final = 100_000


class AxisDropouts:
    """Finds zeros and constants in single axes, in blocks of any size."""

    def __init__(self) -> None:
        self._count = 0
        self._first: NDArray[np.float32] | None = None
        self._tail = np.empty((0, 3), np.float32)
        self._changed = np.zeros(3, bool)
        #: First of the zeros with which each axis ends, and the value before; None if it does not.
        self._open: list[tuple[int, float] | None] = [None, None, None]
        self._runs: list[list[tuple[int, int]]] = [[], [], []]

    def push(self, samples: Samples) -> None:
        """Add samples.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, 3)
            Valid samples in g; those before and after a gap are neighbours.
        """
        if not len(samples):
            return
        if self._first is None:
            self._first = samples[0].copy()
        self._changed |= (samples != self._first).any(axis=0)
        some = not samples.all() or not self._tail.all()
        if some:
            self._add_short_zeros(np.concatenate([self._tail, samples]))
        for axis in range(3) if some else ():
            zero = samples[:, axis] == 0
            if self._open[axis] is not None or zero.any():
                self._add_zeros(axis, samples[:, axis], zero)
        self._tail = np.concatenate([self._tail, samples[-_TAIL:]])[-_TAIL:]
        self._count += len(samples)

    def close(self) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
        """Return the samples that are no signal.

        Returns
        -------
        first, stop : ndarray of int64, shape (n,)
            Sample indices ``[first, stop)``, in any order.
        constant : list of {'x', 'y', 'z'}
            Axes that never change although others do.
        """
        for axis, run in enumerate(self._open):
            if run is not None and self._changed[axis]:
                self._keep(axis, run, self._count, run[1])
        runs = np.array([r for axis in self._runs for r in axis], np.int64).reshape(-1, 2)
        constant: list[str] = []
        if self._changed.any() and self._count >= _MIN_SAMPLES:
            constant = ["xyz"[axis] for axis in np.flatnonzero(~self._changed)]
        return runs[:, 0], runs[:, 1], constant

    def _add_zeros(self, axis: int, x: NDArray[np.float32], zero: NDArray[np.bool_]) -> None:
        """Add the zeros of one axis."""
        was_zero = np.concatenate([[self._open[axis] is not None], zero[:-1]])
        stops = np.flatnonzero(~zero & was_zero).tolist()
        starts = np.flatnonzero(zero & ~was_zero).tolist()
        last = float(self._tail[-1, axis]) if len(self._tail) else np.nan
        begins = [(self._count + i, float(x[i - 1]) if i else last) for i in starts]
        before = self._open[axis]
        if before is not None:
            begins.insert(0, before)
        self._open[axis] = begins[-1] if len(begins) > len(stops) else None
        for run, stop in zip(begins, stops, strict=False):
            self._keep(axis, run, self._count + stop, float(x[stop]))

    def _keep(self, axis: int, run: tuple[int, float], stop: int, after: float) -> None:
        """Keep zeros that are no signal."""
        first, before = run
        if first == 0:  # the recording begins with them
            before = after
        jump = min(abs(before), abs(after))
        returns = stop - first >= _LONG or abs(after - before) < 0.5 * jump
        lost = stop - first >= _MIN_ZEROS and jump >= _MIN_JUMP_G and returns
        if lost and len(self._runs[axis]) < _MAX_KEPT:
            self._runs[axis].append((first, stop))

    def _add_short_zeros(self, rows: Samples) -> None:
        """Keep fewer than `_MIN_ZEROS` zeros; `rows` are those of the tail and of the block."""
        offset = self._count - len(self._tail)
        is_zero = rows == 0
        for axis, count in product(range(3), range(1, _MIN_ZEROS)):
            # two samples before and two after, of which the last is in this block
            begin, end = max(2, len(self._tail) - count - 1), len(rows) - count - 1
            inside = is_zero[begin : max(begin, end), axis].copy()
            for k in range(1, count):
                inside &= is_zero[begin + k : max(begin, end) + k, axis]
            first = begin + np.flatnonzero(inside)
            rest = (rows[first - 1] + rows[first + count]) / 2
            jump = np.minimum(np.abs(rows[first - 1, axis]), np.abs(rows[first + count, axis]))
            change = np.abs(rows[first + count] - rows[first - 1])
            for k in (-2, *range(count), count + 1):
                at = first + k
                change = np.maximum(change, np.where(is_zero[at], 0, np.abs(rows[at] - rest)))
            lost = (jump >= _MIN_JUMP_G) & (change.max(axis=1) < _MAX_CHANGE * jump)
            room = _MAX_KEPT - len(self._runs[axis])
            self._runs[axis] += [(i, i + count) for i in (offset + first[lost][:room]).tolist()]
