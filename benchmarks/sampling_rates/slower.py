"""A recording as a slower device would have made it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy import signal

from benchmarks.accuracy.nights import Arrays

#: Corner of the soft filter of an accelerometer, as a share of its rate.
SOFT_SHARE = 0.4


def slower(arrays: Arrays, emg_hz: float, acc_hz: float, *, soft: bool) -> Arrays:
    """Return a recording at lower rates.

    Parameters
    ----------
    arrays
        Column name to (samples, rate).
    emg_hz, acc_hz
        New rates.
    soft
        Whether a soft filter limits the band: the third-order sinc of a sigma-delta converter
        (half of the power at 0.26 of its rate) for EMG, a second-order Butterworth filter at
        0.4 of the rate for acceleration.  Otherwise a sharp linear-phase filter does.
    """
    found = {}
    for name, (x, fs) in arrays.items():
        emg = name.startswith("emg")
        to = emg_hz if emg else acc_hz
        if to >= fs:
            found[name] = x, fs
            continue
        if soft:
            x = _sinc3(x, fs, to) if emg else _butterworth(x, fs, to)
            at = np.arange(int(len(x) * to / fs)) * fs / to
            found[name] = np.interp(at, np.arange(len(x)), x).astype(np.float32), to
        else:
            ratio = Fraction(to / fs).limit_denominator(1000)
            y = signal.resample_poly(x - x[0], ratio.numerator, ratio.denominator) + x[0]
            found[name] = y.astype(np.float32), to
    return found


def _sinc3(x: np.ndarray, fs: float, to: float) -> np.ndarray:
    width = round(fs / to)
    kernel = np.full(width, 1 / width)
    kernel = np.convolve(np.convolve(kernel, kernel), kernel)
    return signal.fftconvolve(x - x[0], kernel, "same") + x[0]


def _butterworth(x: np.ndarray, fs: float, to: float) -> np.ndarray:
    sos = signal.butter(2, SOFT_SHARE * to, fs=fs, output="sos")
    y, _ = signal.sosfilt(sos, x, zi=signal.sosfilt_zi(sos) * x[0])
    return np.asarray(y)
