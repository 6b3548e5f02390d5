"""Non-wear periods and muscle tone, from EMG and the motion of the leg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.intervals import runs_of
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import ContextSettings
from twitchsense.sleep.inactivity import BIN_S, BINS_PER_EPOCH, EpochGrid, LegMotion

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Smallest valid share of a bin for an electrode to have skin contact [E].
_MIN_CONTACT_SHARE: Final = 0.5
#: Change of orientation (degrees) that a worn leg exceeds now and then [E].
_WORN_ANGLE_DEG: Final = 1.0
#: Quantile of the night's RMS that estimates the electrode noise.
_NOISE_QUANTILE: Final = 0.05


def find_nonwear(emg: Sequence[PerSecond], motion: LegMotion, settings: ContextSettings) -> Bools:
    """Find the bins in which the sensor does not seem to be worn.

    No electrode has usable signal and the leg does not turn, for at least
    ``unworn_min``. Without EMG no bin is reported, because a motionless accelerometer
    may be on a sleeping leg.

    Parameters
    ----------
    emg : sequence of PerSecond
        Per-second statistics of the EMG channels.
    motion : LegMotion
        Motion of the leg.
    settings : ContextSettings
        ``unworn_min`` and ``immobile_g``.

    Returns
    -------
    ndarray of bool, shape (bins,)
    """
    n = motion.grid.n_bins
    nonwear = np.zeros(n, bool)
    if not emg:
        return nonwear
    valid, recorded = np.zeros(n), np.zeros(n)
    for seconds in emg:
        at = _bin_index(seconds, motion.grid)
        length = seconds.length_s.astype(np.float64)
        valid = np.maximum(valid, np.bincount(at, length * seconds.valid, minlength=n)[:n])
        recorded = np.maximum(recorded, np.bincount(at, length, minlength=n)[:n])
    # lost packets are not evidence: the electrode must be recorded and invalid
    no_contact = (recorded > 0) & (valid < _MIN_CONTACT_SHARE * recorded)
    turning = motion.angle_change_deg > _WORN_ANGLE_DEG
    quiet = motion.valid & ~turning & ~(motion.peak_g >= settings.immobile_g)
    min_bins = settings.unworn_min * 60 / BIN_S
    for start, stop in runs_of(no_contact & quiet):
        if stop - start >= min_bins:
            nonwear[start:stop] = True
    return nonwear


def measure_tone(emg: Sequence[PerSecond], grid: EpochGrid) -> Floats:
    """Measure the muscle tone of each 30-s epoch above the electrode noise.

    The tone is the median RMS of the epoch after the noise is subtracted as power. The
    noise is the 5 % quantile over the epochs of the channel.

    Parameters
    ----------
    emg : sequence of PerSecond
        Per-second statistics of the EMG channels.
    grid : EpochGrid
        Epochs of the recording.

    Returns
    -------
    ndarray of float64, shape (epochs,)
        Largest tone of the channels, µV RMS; NaN unknown.
    """
    tone = np.full(grid.n, np.nan)
    for seconds in emg:
        usable = seconds.valid & (seconds.level > 0)
        epoch = _bin_index(seconds, grid)[usable] // BINS_PER_EPOCH
        level = _grouped_median(epoch, seconds.level[usable].astype(np.float64), grid.n)
        if np.isnan(level).all():
            continue
        noise = np.nanquantile(level, _NOISE_QUANTILE)
        tone = np.fmax(tone, np.sqrt(np.maximum(level**2 - noise**2, 0.0)))
    return tone


def _grouped_median(group: NDArray[np.int64], values: Floats, n: int) -> Floats:
    """Return the median of the values of each group 0 to n - 1; NaN for empty groups."""
    out = np.full(n, np.nan)
    order = np.lexsort((values, group))
    group, values = group[order], values[order]
    which, first, count = np.unique(group, return_index=True, return_counts=True)
    middle = (values[first + (count - 1) // 2] + values[first + count // 2]) / 2
    inside = (which >= 0) & (which < n)
    out[which[inside]] = middle[inside]
    return out


def _bin_index(seconds: PerSecond, grid: EpochGrid) -> NDArray[np.int64]:
    """Return the bin of the grid that contains the middle of each second."""
    return np.floor(seconds.middle_s / BIN_S).astype(np.int64) - grid.first_bin
