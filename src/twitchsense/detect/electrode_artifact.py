"""Muscle or a bad contact: what the shape of one burst says.

A potential at the skin rises and falls over milliseconds, because the muscle
under it conducts slowly and fat blurs it; a contact that opens and closes makes
edges of one sample, spikes with nothing before them, steps that creep back. Each
feature is one of these differences; two logistic regressions (one for single
potentials, one for longer bursts) weigh them. The weights were learned by
benchmarks/contact.py on the tuning side of the accuracy benchmark and are text,
in contact_weights.py.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.electrode_artifact_weights import WEIGHTS

Floats = NDArray[np.float64]

#: What is looked at: this far to either side of the largest peak.
HALF_S = 0.016
#: Closer to the peak than this lies the peak itself.
PEAK_S = 0.004
#: Bursts up to this length may be one potential.
SINGLE_S = 0.04
#: Bands (Hz) whose share of the power counts; the noise in them is taken off first.
BANDS_HZ = ((200.0, 300.0), (300.0, 450.0))
#: Below this sampling rate the upper bands can't be seen.
FINE_FS = 900.0
FEATURES = (
    "log_width", "log_balance", "log_slow", "log_kurtosis", "log_200", "log_300", "edge_1",
    "edge_2", "before", "after",
)  # fmt: skip


def contact_probability(features: Floats, duration_s: float, fs: float) -> float:
    """Return the probability that a burst with these features is a bad contact.

    Parameters
    ----------
    features : ndarray, shape (10,)
        As `contact_features` gives them.
    duration_s : float
    fs : float
    """
    rate = "fine" if fs >= FINE_FS else "coarse"
    length = "single" if duration_s <= SINGLE_S else "long"
    bias, weights = WEIGHTS[rate, length]
    return float(1 / (1 + np.exp(-np.clip(bias + features @ np.asarray(weights), -30, 30))))


def contact_features(
    clean: Floats,
    burst: Floats,
    body: tuple[int, int],
    fs: float,
    *,
    slow_share: float,
    noise_uv: float,
) -> Floats:
    """Return the features of a burst, shape (10,), named in `FEATURES`.

    Parameters
    ----------
    clean, burst : ndarray, shape (n,)
        Samples without mains, and their burst band without phase shift, µV.
    body : (int, int)
        Where the burst begins and ends in them.
    fs : float
    slow_share : float
        Share of the power below the burst band.
    noise_uv : float
        RMS of the noise in the burst band.
    """
    begin, end = body
    peak = begin + int(np.abs(burst[begin:end]).argmax())
    half, near = max(4, round(HALF_S * fs)), max(1, round(PEAK_S * fs))
    first, last = max(0, peak - half), min(len(burst), peak + half)
    x, top = burst[first:last], float(abs(burst[peak]))
    at = peak - first
    step = max(1, round(fs / 1000))  # edges over one and two milliseconds
    y = clean[first:last]
    size = max(float(np.ptp(y)), 1e-9)
    inside = burst[max(0, begin - half // 3) : end + half // 3]
    return np.array([
        np.log(width_ms(x, at, fs)),
        np.log(_balance(inside) + 0.02),
        np.log(slow_share + 0.02),
        np.log(max(_kurtosis(inside), 1.0)),
        *(np.log(share + 0.01) for share in _shares(x, fs, noise_uv)),
        _edge(y, step) / size,
        _edge(y, 2 * step) / size,
        float(np.abs(x[: max(1, at - near)]).max()) / max(top, 1e-9),
        float(np.abs(x[min(len(x) - 1, at + near) :]).max()) / max(top, 1e-9),
    ])  # fmt: skip


def width_ms(x: Floats, peak: int, fs: float) -> float:
    """Return the width at half height of a peak (ms), with straight lines between samples."""
    side = np.sign(x[peak]) * x / max(abs(float(x[peak])), 1e-9)
    total = 0.0
    for half in (side[peak:], side[peak::-1]):
        below = np.flatnonzero(half < 0.5)
        if len(below) == 0:
            total += len(half)
            continue
        k = int(below[0])
        total += k - 1 + float((half[k - 1] - 0.5) / max(half[k - 1] - half[k], 1e-9))
    return max(total / fs * 1000, 0.1)


def _balance(x: Floats) -> float:
    """Smaller of the two largest deflections, up and down, over the larger one."""
    up, down = float(x.max()), float(-x.min())
    return max(0.0, min(up, down)) / max(up, down, 1e-9)


def _kurtosis(x: Floats) -> float:
    """3 for the interference of many units, more for spikes far apart."""
    power = float(np.square(x).mean())
    return float((x**4).mean()) / power**2 if power > 0 else 3.0


def _shares(x: Floats, fs: float, noise_uv: float) -> list[float]:
    """Return the share of each upper band in the power, the noise's part taken off."""
    if fs < FINE_FS:
        return [0.0] * len(BANDS_HZ)
    window, n = hanning(len(x) + 2)[1:-1], max(256, len(x))
    power = np.square(np.abs(np.fft.rfft(x * window, n))) * 2 / n
    noise = noise_uv**2 * float(np.square(window).sum())
    total = float(power.sum())
    signal = max(total - noise, 0.2 * total, 1e-9)
    return [
        float(np.clip(
            (power[band].sum() - noise * (high - low) / 430.0) / signal,
            0.0, 1.0,
        ))
        for (low, high), band in zip(BANDS_HZ, _bands(n, fs), strict=True)
    ]  # fmt: skip


@lru_cache
def _bands(n: int, fs: float) -> list[slice]:
    """Return where the upper bands lie in the spectrum of so many samples."""
    freqs = np.fft.rfftfreq(n, 1 / fs)
    return [slice(*np.searchsorted(freqs, band).tolist()) for band in BANDS_HZ]


@lru_cache
def hanning(n: int) -> Floats:
    """Return `numpy.hanning`, which must not be written to."""
    window = np.hanning(n)
    window.flags.writeable = False
    return window


def _edge(y: Floats, step: int) -> float:
    return float(np.abs(y[step:] - y[:-step]).max()) if len(y) > step else 0.0
