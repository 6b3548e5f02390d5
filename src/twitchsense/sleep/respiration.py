"""Regularity of respiration per epoch, from the orientation of the resting leg.

Breathing moves the body by fractions of a milligravity to a few, which the mean acceleration of
each second shows up to 0.5 Hz. Respiration becomes more regular with sleep (Shinar et al. 2006,
doi:10.1016/j.autneu.2006.04.006): its power then lies at one frequency.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.per_second import PerSecond
from twitchsense.sleep.inactivity import EPOCH_S, EpochGrid

Floats = NDArray[np.float64]

#: Length of the window around each epoch, s.
WINDOW_S: Final = 120
#: Range of respiratory rates, Hz.
BAND_HZ: Final = (0.12, 0.45)
#: Half the width of a peak in the spectrum, Hz; the Hann window widens a single rate to that.
_PEAK_HZ: Final = 0.02
#: Smallest share of a window that must be valid.
_MIN_VALID_SHARE: Final = 0.9
#: Epochs evaluated at once; bounds memory in week-long recordings.
_EPOCHS_PER_BLOCK: Final = 2880


def measure_regularity(channels: Sequence[PerSecond], grid: EpochGrid) -> Floats:
    """Measure how much of the power at respiratory rates lies at the strongest one.

    Parameters
    ----------
    channels : sequence of PerSecond
        Per-second statistics, one per accelerometer.
    grid : EpochGrid
        Epochs of the recording.

    Returns
    -------
    ndarray of float64, shape (epochs,)
        Log-odds of the share of the power, largest of the channels; about -1 for noise. NaN
        unknown.
    """
    regularity = np.full(grid.n, np.nan)
    for seconds in channels:
        vector = _vectors_on_grid(seconds, grid)
        for first in range(0, grid.n, _EPOCHS_PER_BLOCK):
            stop = min(first + _EPOCHS_PER_BLOCK, grid.n)
            part = vector[first * EPOCH_S : (stop - 1) * EPOCH_S + WINDOW_S]
            block = slice(first, stop)
            regularity[block] = np.fmax(regularity[block], _regularity(part))
    return regularity


def _vectors_on_grid(seconds: PerSecond, grid: EpochGrid) -> Floats:
    """Return the mean vector of each second of the grid, with half a window before and after."""
    before = (WINDOW_S - EPOCH_S) // 2
    out = np.full((grid.n * EPOCH_S + 2 * before, seconds.mean_vector.shape[1]), np.nan)
    at = np.floor(seconds.middle_s).astype(np.int64) - grid.first * EPOCH_S + before
    inside = seconds.valid & (at >= 0) & (at < len(out))
    out[at[inside]] = seconds.mean_vector[inside]
    return out


def _regularity(vector: Floats) -> Floats:
    """Return the regularity of the windows that begin at each multiple of an epoch."""
    windows = np.lib.stride_tricks.sliding_window_view(vector, WINDOW_S, axis=0)[::EPOCH_S]
    known = ~np.isnan(windows[:, 0])
    enough = known.mean(axis=1) >= _MIN_VALID_SHARE
    time = np.arange(WINDOW_S) - (WINDOW_S - 1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = windows - np.nanmean(np.where(enough[:, None, None], windows, 0), 2)[..., None]
        centred = np.where(known[:, None], centred, 0.0)
        slope = centred @ time / (time @ time)
        centred = (centred - slope[..., None] * time) * np.hanning(WINDOW_S)
        power = np.square(np.abs(np.fft.rfft(centred, axis=2))).sum(axis=1)
        frequency = np.fft.rfftfreq(WINDOW_S)
        band = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
        power, frequency = power[:, band], frequency[band]
        near = np.abs(frequency - frequency[power.argmax(axis=1)][:, None]) <= _PEAK_HZ
        peak = np.where(near, power, 0.0).sum(axis=1)
        out: Floats = np.log(peak / (power.sum(axis=1) - peak))
    return np.where(enough & np.isfinite(out), out, np.nan)
