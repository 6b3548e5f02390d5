"""Measures of artefacts in one burst: slow power, mains, saturation."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.buffers import fast_median

Floats = NDArray[np.float64]

#: Length of the signal before and after a burst in which its level is measured, s.
LEVEL_S: Final = 0.040
#: Fraction of the samples before a burst that preprocessing has changed, above which mains hum is
#: being removed; the subtraction of heart beats changes fewer samples.
MAINS_REMOVED_SHARE: Final = 0.9
#: Window of the spectrum in which mains lines are sought, s; shorter bursts are not examined.
MAINS_WINDOW_S: Final = 0.5
#: Minimum duration of a burst that is compared with the signal that the notches removed, s.
NOTCH_RESIDUE_MIN_S: Final = 0.06
#: Number of repeats of one extreme value that make a signal saturated.
SATURATED_SAMPLES: Final = 5
#: Minimum peak-to-peak amplitude of a saturated signal, µV.
SATURATED_UV: Final = 500.0


def low_frequency_share(clean: Floats, burst: Floats, body: tuple[int, int], fs: float) -> float:
    """Return the share of a burst's power that lies below the burst band.

    A line through the levels before and after the burst is subtracted first, so that a drift
    does not count, but a step or a decay does. Twice the power below the band before the burst
    is subtracted too, so that a baseline that wanders all the time does not count.

    Parameters
    ----------
    clean, burst : ndarray, shape (n,)
        EMG without mains hum and ECG, and its burst band, µV.
    body : (int, int)
        Start and stop of the burst in them.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
        0 to 1; 0 if too little signal is known around the burst.
    """
    level = max(1, round(LEVEL_S * fs))
    first, last = max(0, body[0] - 2 * level), min(len(clean), body[1] + 2 * level)
    if last - first < 4 * level:
        return 0.0
    fast = float(np.square(burst[first:last]).sum())
    slow = _power_off_line(clean[first:last], level) - fast
    before = slice(max(0, 2 * first - last), first)
    if first - before.start >= 4 * level:
        usual = _power_off_line(clean[before], level) - float(np.square(burst[before]).sum())
        slow -= 2 * max(usual, 0.0) * ((last - first) / (first - before.start)) ** 2
    slow = max(slow, 0.0)
    return slow / (slow + fast) if slow + fast > 0 else 0.0


def _power_off_line(x: Floats, level: int) -> float:
    """Return the energy of a signal after subtracting the line through the levels at its ends."""
    ends = [float(x[:level].mean()), float(x[-level:].mean())]
    line = np.interp(np.arange(len(x)), [level / 2, len(x) - level / 2], ends)
    return float(np.square(x - line).sum())


def mains_share(burst: Floats, fs: float) -> float:
    """Return the share of the power within 4 Hz of 50 or 60 Hz and their harmonics.

    The share is the median over half-second windows, so that a single electrode artefact does
    not hide mains hum. It is 0 for shorter bursts.

    Parameters
    ----------
    burst : ndarray, shape (n,)
        EMG in the burst band, µV.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
        0 to 1.
    """
    width = round(MAINS_WINDOW_S * fs)
    windows = len(burst) // width
    if windows == 0:
        return 0.0
    blocks = burst[: windows * width].reshape(windows, width) * np.hanning(width)
    power = np.square(np.abs(np.fft.rfft(blocks, axis=1)))
    freqs = np.fft.rfftfreq(width, 1 / fs)
    total = np.maximum(power.sum(axis=1), 1e-12)
    shares = []
    for line in (50.0, 60.0):
        near = np.abs(freqs - np.maximum(1, np.rint(freqs / line)) * line) <= 2 / MAINS_WINDOW_S
        shares.append(float(np.median(power[:, near].sum(axis=1) / total)))
    return max(shares)


def notch_residue_share(raw: Floats, clean: Floats, fs: float) -> float:
    """Return the squared correlation of a burst with the signal that the notches removed.

    Where mains hum begins, changes or ends, the notches need a few cycles to adapt, and their
    residue or ringing resembles a burst. The share is 0 for bursts shorter than
    `NOTCH_RESIDUE_MIN_S`: over fewer than three cycles any potential may correlate with a
    sinusoid.

    Parameters
    ----------
    raw, clean : ndarray, shape (n,)
        EMG of a burst as recorded, and without mains hum and ECG, µV.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
        0 to 1.
    """
    removed = raw - clean
    if len(clean) < NOTCH_RESIDUE_MIN_S * fs or not removed.any():
        return 0.0
    a, b = removed - removed.mean(), clean - clean.mean()
    both = float(np.square(a).sum() * np.square(b).sum())
    return float(np.square(a @ b) / both) if both > 0 else 0.0


def mains_removed(raw: Floats, clean: Floats, inside: tuple[int, int]) -> bool:
    """Whether mains hum was being removed before a burst.

    Parameters
    ----------
    raw, clean : ndarray, shape (n,)
        EMG around a burst as recorded, and without mains hum and ECG, µV.
    inside : (int, int)
        Start and stop of the burst in samples.

    Returns
    -------
    bool
    """
    before = slice(0, inside[0])
    return bool((raw[before] != clean[before]).mean() > MAINS_REMOVED_SHARE) if inside[0] else False


def is_saturated(raw: Floats) -> bool:
    """Whether the signal repeats a value far from its median, as an amplifier at its limit does.

    Parameters
    ----------
    raw : ndarray, shape (n,)
        EMG as recorded, µV.

    Returns
    -------
    bool
    """
    if len(raw) < SATURATED_SAMPLES:
        return False
    flat = np.diff(raw) == 0
    if np.count_nonzero(flat) < SATURATED_SAMPLES:
        return False
    far = np.abs(raw[1:] - fast_median(raw)) > 0.25 * np.ptp(raw)
    return bool((flat & far).sum() >= SATURATED_SAMPLES) and float(np.ptp(raw)) > SATURATED_UV
