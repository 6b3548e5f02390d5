"""Was the sensor worn, and was the muscle at rest: what EMG tells of stillness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.intervals import runs_of
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import ContextSettings
from twitchsense.sleep.inactivity import BIN_S, BINS, Grid, Stillness

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Share of a bin that must be valid for an electrode to count as on the skin [E].
_ON_SHARE: Final = 0.5
#: A worn leg turns a little now and then, by this at least [E].
_WORN_DEG: Final = 1.0
#: This quantile of the night is the electrode's own noise.
_FLOOR_QUANTILE: Final = 0.05


def find_unworn(emg: Sequence[PerSecond], still: Stillness, settings: ContextSettings) -> Bools:
    """Return the bins in which the sensor seems to lie somewhere, not on a leg.

    No electrode gives a usable signal and the leg does not turn, for
    `unworn_min` at least. Without EMG nothing is said: an accelerometer that
    lies still may be on a sleeping leg.
    """
    n = still.grid.n * BINS
    off = np.zeros(n, bool)
    if not emg:
        return off
    valid, there = np.zeros(n), np.zeros(n)
    for seconds in emg:
        at = _bins(seconds, still.grid)
        length = seconds.length_s.astype(np.float64)
        valid = np.maximum(valid, np.bincount(at, length * seconds.valid, minlength=n)[:n])
        there = np.maximum(there, np.bincount(at, length, minlength=n)[:n])
    # lost packets are no sign: the electrode must have been seen, and be bad
    bad = (there > 0) & (valid < _ON_SHARE * there)
    quiet = still.seen & ~(still.turn_deg > _WORN_DEG) & ~(still.peak >= settings.immobile_g)
    least = settings.unworn_min * 60 / BIN_S
    for start, stop in runs_of(bad & quiet):
        if stop - start >= least:
            off[start:stop] = True
    return off


def measure_tone(emg: Sequence[PerSecond], grid: Grid) -> Floats:
    """Return the muscle tone of each 30-s epoch in µV RMS over the electrode's noise.

    The median of the RMS envelope, less (in power) the 5 % quietest epochs of the
    channel's night; the greatest of the channels; NaN unknown.
    """
    tone = np.full(grid.n, np.nan)
    for seconds in emg:
        fine = seconds.valid & (seconds.level > 0)
        epoch = _bins(seconds, grid)[fine] // BINS
        level = _medians(epoch, seconds.level[fine].astype(np.float64), grid.n)
        if np.isnan(level).all():
            continue
        floor = np.nanquantile(level, _FLOOR_QUANTILE)
        tone = np.fmax(tone, np.sqrt(np.maximum(level**2 - floor**2, 0.0)))
    return tone


def _medians(at: NDArray[np.int64], values: Floats, n: int) -> Floats:
    out = np.full(n, np.nan)
    order = np.lexsort((values, at))
    at, values = at[order], values[order]
    which, first, count = np.unique(at, return_index=True, return_counts=True)
    middle = (values[first + (count - 1) // 2] + values[first + count // 2]) / 2
    inside = (which >= 0) & (which < n)
    out[which[inside]] = middle[inside]
    return out


def _bins(seconds: PerSecond, grid: Grid) -> NDArray[np.int64]:
    middle = seconds.middle_s
    return np.floor(middle / BIN_S).astype(np.int64) - grid.first * BINS
