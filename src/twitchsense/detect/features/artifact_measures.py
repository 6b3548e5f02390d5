"""Measures of artefacts in one burst: slow power, mains, saturation."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.buffers import fast_median, ordered_sum
from twitchsense.dsp.mains import LINES_HZ

Floats = NDArray[np.float64]

#: Length of the signal before and after a burst in which its level is measured, s.
LEVEL_S: Final = 0.040
#: Longest window in which the mains are sought, s.
MAINS_WINDOW_S: Final = 0.5
#: Minimum duration of a burst that is examined, s: five periods. In less, any potential may
#: resemble a sinusoid.
MAINS_MIN_S: Final = 0.1
#: Consecutive repeats of one extreme value that make a signal saturated, in samples and in s. The
#: peaks of a clipped contraction are shorter.
SATURATED_SAMPLES: Final = 5
SATURATED_S: Final = 0.010
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
    fast = float(ordered_sum(np.square(burst[first:last])))
    slow = _power_off_line(clean[first:last], level) - fast
    before = slice(max(0, 2 * first - last), first)
    if first - before.start >= 4 * level:
        usual = _power_off_line(clean[before], level) - float(ordered_sum(np.square(burst[before])))
        ratio = (last - first) / (first - before.start)
        slow -= 2 * max(usual, 0.0) * (ratio * ratio)
    slow = max(slow, 0.0)
    return slow / (slow + fast) if slow + fast > 0 else 0.0


def _power_off_line(x: Floats, level: int) -> float:
    """Return the energy of a signal after subtracting the line through the levels at its ends."""
    left, right = (float(ordered_sum(part)) / level for part in (x[:level], x[-level:]))
    # as numpy.interp, which may use fused multiply-add
    at, begin, end = np.arange(len(x)), level / 2, len(x) - level / 2
    line = (right - left) / (end - begin) * (at - begin) + left
    line = np.where(at <= begin, left, np.where(at >= end, right, line))
    return float(ordered_sum(np.square(x - line)))


def mains_share(burst: Floats, fs: float) -> float:
    """Return the share of the power that repeats with the period of the mains.

    It is the correlation of the burst with itself one and two periods later, whichever is smaller,
    so a doublet whose potentials are one period apart has a share of 0. The share is the median
    over half-second windows, so that a single electrode artefact does not hide mains hum.

    Parameters
    ----------
    burst : ndarray, shape (n,)
        EMG in the burst band, µV.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
        0 to 1; 0 for bursts shorter than `MAINS_MIN_S`.
    """
    if len(burst) < MAINS_MIN_S * fs:
        return 0.0
    width = round(MAINS_WINDOW_S * fs)
    windows = max(1, len(burst) // width)
    width = min(width, len(burst))
    shares = [
        max(_repetition(burst[k * width : (k + 1) * width], fs / line) for line in LINES_HZ)
        for k in range(windows)
    ]
    return max(0.0, float(np.median(shares)))


def _repetition(x: Floats, period: float) -> float:
    """Return the smaller of the correlations one and two periods (in samples) later."""
    out, power = 1.0, np.square(x)
    for shift in (period, 2 * period):
        whole, n = int(shift), len(x) - int(np.ceil(shift))
        later = x[whole : whole + n]
        if shift > whole:  # between two samples
            later = later + (x[whole + 1 : whole + 1 + n] - later) * (shift - whole)
        parts = np.stack([power[:n], np.square(later), x[:n] * later])
        own, other, common = ordered_sum(parts).tolist()
        both = own * other
        out = min(out, common / math.sqrt(both) if both > 0 else 0.0)
    return out


def is_saturated(raw: NDArray[np.float32], fs: float) -> bool:
    """Whether the signal stays at a value far from its level, as an amplifier at its limit does.

    The level is the median. Where the amplifier reaches its limit, or leaves it, the limit may be
    the median; then the level at either end counts.

    Parameters
    ----------
    raw : ndarray of float32, shape (n,)
        EMG as recorded, µV.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    bool
    """
    shortest = max(SATURATED_SAMPLES, round(SATURATED_S * fs))
    if len(raw) <= shortest:
        return False
    size = float(raw.max()) - float(raw.min())
    if size <= SATURATED_UV:
        return False
    x = raw.astype(np.float64)
    flat = np.diff(x) == 0
    if np.count_nonzero(flat) < shortest:
        return False
    far = np.abs(x[1:] - fast_median(x)) > 0.25 * size
    if abs(float(x[-1] - x[0])) > 0.5 * size:  # the amplifier has reached its limit, or left it
        extreme = (x[1:] == x.min()) | (x[1:] == x.max())
        at_end = np.maximum(np.abs(x[1:] - x[0]), np.abs(x[1:] - x[-1])) > 0.25 * size
        far |= extreme & at_end
    stuck = flat & far
    edges = np.flatnonzero(np.diff(np.concatenate([[False], stuck, [False]])))
    return bool((edges[1::2] - edges[::2]).max(initial=0) >= shortest)
