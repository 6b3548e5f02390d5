"""`FloorMemory`, compiled (floor.c)."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.floor_memory import MUCH_LOWER, FloorMemory
from twitchsense.dsp.native.loading import address

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class NativeFloorMemory(FloorMemory):
    """The last values of one or more series, and the floors; the same as `FloorMemory`.

    Parameters
    ----------
    library : ctypes.CDLL
    n_series, window, quantile
        As for `FloorMemory`.
    """

    def __init__(self, library: ctypes.CDLL, n_series: int, window: int, quantile: float) -> None:
        super().__init__(n_series, window, quantile)
        self._library = library
        self._sorted = np.empty((n_series, window + 1))  # the values of the memory, ascending

    def __copy__(self) -> NativeFloorMemory:
        """Return a memory that goes on from here by itself."""
        other = object.__new__(NativeFloorMemory)
        vars(other).update(vars(self))
        other._sorted = self._sorted.copy()
        return other

    def add(self, values: Floats, counts: Ints) -> Floats:
        """Append values and return the floors at several times, as `FloorMemory.add`."""
        n_series, before = self._values.shape
        memory = np.ascontiguousarray(np.concatenate([self._values, values], axis=1))
        counts = np.ascontiguousarray(counts)
        out = np.empty((n_series, len(counts)))
        failed = self._library.ts_rolling_floor(
            address(memory, np.float64, n_series * (before + values.shape[1])),
            n_series,
            before,
            values.shape[1],
            address(counts, np.int64, len(counts)),
            len(counts),
            self._window,
            self._quantile,
            MUCH_LOWER,
            address(self._sorted, np.float64, n_series * (self._window + 1)),
            address(out, np.float64, out.size),
        )
        if failed:
            raise ValueError("kernel: counts do not fit the values")
        self._values = memory[:, -self._window :]
        return out
