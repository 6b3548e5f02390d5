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
    """The last values of a series, and the floor at each time; the same as `FloorMemory`.

    Parameters
    ----------
    library : ctypes.CDLL
    window, quantile
        As for `FloorMemory`.
    """

    def __init__(self, library: ctypes.CDLL, window: int, quantile: float) -> None:
        super().__init__(window, quantile)
        self._library = library
        self._sorted = np.empty(window + 1)  # the values of the memory, ascending

    def add(self, values: Floats, counts: Ints) -> Floats:
        """Append values and return the floor at several times, as `FloorMemory.add`."""
        before, n = len(self._values), len(counts)
        counts = np.ascontiguousarray(counts, np.int64)
        ascending = n and counts[0] >= 0 and (np.diff(counts) >= 0).all()
        if not (ascending and counts[-1] == len(values)):
            raise ValueError("kernel: counts do not fit the values")
        memory = np.concatenate([self._values, values])
        out = np.empty(n)
        self._library.ts_rolling_floor(
            address(memory, np.float64, before + len(values)),
            before,
            address(counts, np.int64, n),
            n,
            self._window,
            self._quantile,
            MUCH_LOWER,
            address(self._sorted, np.float64, self._window + 1),
            address(out, np.float64, n),
        )
        self._values = memory[-self._window :]
        return out
