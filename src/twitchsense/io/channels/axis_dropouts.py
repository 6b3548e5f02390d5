"""Axes of an accelerometer that fail alone: zeros in one axis, and axes that never change.

An axis that falls to exactly zero, stays there and jumps back to where it was has lost its
signal: no movement does this. The other axes alone do not tell the acceleration.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.io.channels.short_zeros import ShortZeros
from twitchsense.model.channels import Samples

#: Minimum number of zeros, and minimum jump (g) before and after them.
_MIN_ZEROS: Final = 3
_MIN_JUMP_G: Final = 0.1
#: Number of zeros from which the axis may return to another value: a leg takes so long to turn.
_LONG: Final = 25
#: Minimum number of samples of a recording for a note on an axis that never changed.
_MIN_SAMPLES: Final = 1000
#: Maximum number of runs kept of one axis.
_MAX_KEPT: Final = 100_000
#: Minimum difference (g) between the magnitude of equal values on all axes and the 1 g of rest.
_MIN_OFF_G: Final = 0.3


def are_filled(samples: Samples) -> NDArray[np.bool_]:
    """Return which samples have one value on all axes that is not that of rest.

    Parameters
    ----------
    samples : ndarray of float32, shape (n, 3)
        In g.

    Returns
    -------
    ndarray of bool, shape (n,)
        Such as ``0, 0, 0`` or ``-8, -8, -8``, with which programs fill lost packets.
    """
    x, y, z = samples.T
    filled: NDArray[np.bool_] = (x == y) & (x == z)
    if filled.any():
        filled &= np.abs(np.sqrt(3) * np.abs(x) - 1) > _MIN_OFF_G
    return filled


class AxisDropouts:
    """Finds zeros and constants in single axes, in blocks of any size."""

    def __init__(self) -> None:
        self._count = 0
        self._first: NDArray[np.float32] | None = None
        self._last: NDArray[np.float32] | None = None
        self._short = ShortZeros(_MIN_ZEROS - 1, _MIN_JUMP_G)
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
        filled = are_filled(samples)
        self._short.push(np.where(filled[:, None], 0, samples) if filled.any() else samples)
        for axis in range(3):
            zero = samples[:, axis] == 0
            if self._open[axis] is not None or zero.any():
                self._add_zeros(axis, samples[:, axis], zero)
        self._last = samples[-1].copy()
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
        found = [*self._short.runs, *(run for axis in self._runs for run in axis)]
        runs = np.array(found, np.int64).reshape(-1, 2)
        constant: list[str] = []
        if self._changed.any() and self._count >= _MIN_SAMPLES:
            constant = ["xyz"[axis] for axis in np.flatnonzero(~self._changed)]
        return runs[:, 0], runs[:, 1], constant

    def _add_zeros(self, axis: int, x: NDArray[np.float32], zero: NDArray[np.bool_]) -> None:
        """Add the zeros of one axis."""
        was_zero = np.concatenate([[self._open[axis] is not None], zero[:-1]])
        stops = np.flatnonzero(~zero & was_zero).tolist()
        starts = np.flatnonzero(zero & ~was_zero).tolist()
        last = np.nan if self._last is None else float(self._last[axis])
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
