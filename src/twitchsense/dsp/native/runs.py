"""`HysteresisSegmenter`, compiled (runs.c)."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.native.loading import address

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def find_runs(
    library: ctypes.CDLL,
    state: Ints,
    bridge: int,
    values: Floats,
    thresholds: tuple[Floats, Floats],
    lengths: Ints,
) -> tuple[Bools, Ints, Ints]:
    """Return active values and runs that have ended, as `HysteresisSegmenter.follow`.

    `state` (values seen, start, stop and opened of the unfinished run; start -1 if there is none)
    is changed in place.
    """
    n, (low, high) = len(values), map(np.ascontiguousarray, thresholds)
    active = np.empty(n, np.bool_)
    room = n // 2 + 2
    runs = np.empty((2, room), np.int64)
    first = address(runs, np.int64, 2 * room)
    values, lengths = np.ascontiguousarray(values), np.ascontiguousarray(lengths)
    found = library.ts_hysteresis(
        address(values, np.float64, n),
        n,
        address(lengths, np.int64, len(lengths)),
        address(low, np.float64, len(lengths)),
        address(high, np.float64, len(lengths)),
        len(lengths),
        bridge,
        address(state, np.int64, 4),
        address(active, np.bool_, n),
        first,
        first + room * runs.itemsize,
    )
    if found < 0:
        raise ValueError("kernel hysteresis: lengths do not fit the values")
    return active, runs[0, :found], runs[1, :found]
