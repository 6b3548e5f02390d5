"""Features of the waveform of one burst, in addition to those of the electrode model."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.features.artifact_measures import LEVEL_S
from twitchsense.detect.features.electrode_artifact import (
    ELECTRODE_FEATURES,
    SPECTRUM_POINTS,
    hanning,
    power_spectrum,
    width_ms,
)
from twitchsense.dsp.buffers import fast_median, ordered_sum
from twitchsense.dsp.filters import MAX_BAND_FRACTION

Floats = NDArray[np.float64]

#: Features of the waveform of a burst: `ELECTRODE_FEATURES`, the asymmetry of its area, the width
#: of its largest deflection before any filter, its spectrum and steepest edge, and the sampling
#: rate, on which the meaning of the other features depends.
WAVEFORM_FEATURES: Final = (
    *ELECTRODE_FEATURES, "net_area_ratio", "log_main_lobe_width", "log_frequency", "mains_share",
    "log_power_60_100", "log_power_100_150", "log_power_150_220", "log_power_above_450",
    "slope_1_sample", "log_fs",
)  # fmt: skip
#: Signal beside a burst that belongs to its area, s; twice that after it.
FLANK_S: Final = 0.005
#: Signal on either side of the peak whose spectrum is measured, s.
NEAR_PEAK_S: Final = 0.016
#: Bands of that spectrum, Hz.
SPECTRUM_HZ: Final = ((60.0, 100.0), (100.0, 150.0), (150.0, 220.0), (450.0, np.inf))
#: Maximum distance between the largest deflection before the filter and that after it, s.
MAIN_LOBE_S: Final = 0.002


def net_area_ratio(clean: Floats, body: tuple[int, int], fs: float) -> float:
    """Return the net area of a burst over its absolute area, 0 to 1.

    A potential passes both electrodes of a bipolar lead, so its phases nearly cancel; a moving
    electrode shifts the signal to one side.

    Parameters
    ----------
    clean : ndarray, shape (n,)
        EMG without mains hum and ECG, µV.
    body : (int, int)
        Start and stop of the burst in samples.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
        0 if there is no signal before or after the burst.
    """
    level, flank = max(1, round(LEVEL_S * fs)), max(1, round(FLANK_S * fs))
    first, last = max(0, body[0] - flank), min(len(clean), body[1] + 2 * flank)
    before, after = clean[max(0, first - level) : first], clean[last : last + level]
    if len(before) == 0 or len(after) == 0:
        return 0.0
    ends = [fast_median(before), fast_median(after)]
    x = clean[first:last] - np.linspace(ends[0], ends[1], last - first)
    whole = float(ordered_sum(np.abs(x)))
    return float(abs(ordered_sum(x))) / whole if whole > 0 else 0.0


def main_lobe_width_ms(clean: Floats, peak: int, fs: float) -> float:
    """Return the width (ms) at half height of the deflection at a peak.

    It is measured before any filter, because a band-pass widens every click to the length of
    its own response.

    Parameters
    ----------
    clean : ndarray, shape (n,)
        EMG without mains hum and ECG, µV.
    peak : int
        Index of the peak.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
        In ms.
    """
    level, near = max(1, round(LEVEL_S * fs)), max(1, round(MAIN_LOBE_S * fs))
    first, last = max(0, peak - level), min(len(clean), peak + level + 1)
    x = clean[first:last] - fast_median(clean[first:last])
    about = slice(max(0, peak - near - first), peak + near + 1 - first)
    at = about.start + int(np.abs(x[about]).argmax())
    return width_ms(x, at, fs)


def spectrum_features(clean: Floats, peak: int, fs: float, sampled_hz: float) -> tuple[float, ...]:
    """Return the spectrum of the unfiltered signal near a peak, and the steepest edge there.

    Tissue is a low-pass filter: the power of a potential falls with frequency, and little passes
    above 450 Hz. A contact that opens has edges of any steepness.

    Parameters
    ----------
    clean : ndarray, shape (n,)
        EMG without mains hum and ECG, µV.
    peak : int
        Index of the peak.
    fs : float
        Sampling rate, Hz.
    sampled_hz : float
        Sampling rate before interpolation, Hz.

    Returns
    -------
    tuple of float
        Shares of the power in `SPECTRUM_HZ`, more than 0, NaN for a band that the sampling rate
        does not reach, and the largest change from sample to sample over the peak-to-peak
        amplitude.
    """
    half = max(4, round(NEAR_PEAK_S * fs))
    x = clean[max(0, peak - half) : peak + half]
    if len(x) < 4:
        return (*(float("nan") for _ in SPECTRUM_HZ), 0.0)
    slope = float(np.abs(np.diff(x)).max()) / max(float(np.ptp(x)), 1e-9)
    tapered = (x - float(ordered_sum(x)) / len(x)) * hanning(len(x))
    power = power_spectrum(tapered[:SPECTRUM_POINTS], SPECTRUM_POINTS)
    total = np.concatenate([[0.0], np.cumsum(power)])
    shares = []
    for low, high in SPECTRUM_HZ:
        if low >= MAX_BAND_FRACTION * sampled_hz:
            shares.append(float("nan"))
            continue
        first, last = spectrum_bins(low, high, fs)
        share = (total[last] - total[first]) / max(total[-1], 1e-12)
        shares.append(float(share) + 1e-4)
    return (*shares, slope)


def spectrum_bins(low: float, high: float, fs: float) -> tuple[int, int]:
    """Return the first bin of a band in a spectrum of `SPECTRUM_POINTS`, and that after its last.

    Parameters
    ----------
    low, high : float
        The band, Hz.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    int, int
    """
    return round(low * SPECTRUM_POINTS / fs), round(min(high, fs / 2) * SPECTRUM_POINTS / fs)


def mean_frequency_hz(burst: Floats, fs: float) -> float:
    """Return the mean frequency of a burst.

    The mean frequency is Hjorth's mobility: the RMS of the derivative over the RMS of the
    signal. Muscle has a lower mean frequency than electrode noise, because the tissue between
    muscle and skin acts as a low-pass filter.

    Parameters
    ----------
    burst : ndarray, shape (n,)
        Burst band, µV.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
        In Hz, at least 1.

    References
    ----------
    Hjorth 1970, EEG analysis based on time domain properties,
    doi:10.1016/0013-4694(70)90143-4.
    """
    change = np.diff(burst)
    power = float(ordered_sum(np.square(burst))) / len(burst)
    change_power = float(ordered_sum(np.square(change))) / len(change) if len(change) else 0.0
    hz = fs / (2 * np.pi) * math.sqrt(change_power / max(power, 1e-12))
    return max(hz, 1.0)
