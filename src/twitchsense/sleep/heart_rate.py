"""Heart rate and its variability per epoch, from the beats that were removed from the EMG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from twitchsense.dsp.ecg_rhythm import RR_RANGE_S
from twitchsense.sleep.inactivity import EPOCH_S, EpochGrid

Floats = NDArray[np.float64]

#: Intervals between beats over which the usual interval is the median.
_MEDIAN_WIDTH: Final = 11
#: Largest deviation of an interval from the usual one, as a share of it: more is a missed or
#: a wrong beat (Malik et al. 1996, doi:10.1161/01.CIR.93.5.1043).
_MAX_DEVIATION: Final = 0.2
#: Fewest usable intervals of an epoch.
_MIN_INTERVALS: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class HeartRate:
    """Heart rate of each epoch.

    Attributes
    ----------
    rate_bpm : ndarray of float64, shape (epochs,)
        Mean heart rate, beats per minute; NaN unknown.
    rmssd_ms : ndarray of float64, shape (epochs,)
        Root mean square of the differences between successive intervals, ms; NaN unknown.
    """

    rate_bpm: Floats
    rmssd_ms: Floats


def measure_heart_rate(beats_ns: Mapping[str, NDArray[np.int64]], grid: EpochGrid) -> HeartRate:
    """Measure heart rate and its variability from the channel with most beats.

    Parameters
    ----------
    beats_ns : mapping of channel name to ndarray of int64
        Times of heart beats, ns, in order of time; may be empty.
    grid : EpochGrid
        Epochs of the recording.

    Returns
    -------
    HeartRate
    """
    beats = max(beats_ns.values(), key=len, default=np.empty(0, np.int64))
    interval = np.diff(beats) / 1e9
    if len(interval) < _MIN_INTERVALS:
        return HeartRate(np.full(grid.n, np.nan), np.full(grid.n, np.nan))
    usual = median_filter(interval, _MEDIAN_WIDTH, mode="nearest")
    usable = (interval >= RR_RANGE_S[0]) & (interval <= RR_RANGE_S[1])
    usable &= np.abs(interval - usual) <= _MAX_DEVIATION * usual
    epoch = np.floor(beats[1:] / 1e9 / EPOCH_S).astype(np.int64) - grid.first
    usable &= (epoch >= 0) & (epoch < grid.n)
    pairs = usable[1:] & usable[:-1]
    mean = _mean_per_epoch(epoch[usable], interval[usable], grid.n)
    squared = np.square(np.diff(interval))[pairs]
    return HeartRate(60 / mean, 1000 * np.sqrt(_mean_per_epoch(epoch[1:][pairs], squared, grid.n)))


def _mean_per_epoch(epoch: NDArray[np.int64], values: Floats, n: int) -> Floats:
    """Return the mean of the values of each epoch; NaN where there are too few."""
    count = np.bincount(epoch, minlength=n)
    total = np.bincount(epoch, values, minlength=n)
    return np.where(count >= _MIN_INTERVALS, total / np.maximum(count, 1), np.nan)
