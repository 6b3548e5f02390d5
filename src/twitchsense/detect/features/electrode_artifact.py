"""Features of electrode artefacts, and a logistic regression on them.

A potential at the skin rises and falls over milliseconds, because muscle fibres conduct slowly
and fat acts as a low-pass filter. A moving electrode causes edges of one sample, spikes without an
initial phase, and steps that decay slowly. Four logistic regressions combine these differences:
for single potentials and for longer bursts, at high and at low sampling rates.
``python -m benchmarks.training.electrode_model`` trains them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from operator import mul
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.models.boosted_trees import check_features
from twitchsense.dsp.buffers import ordered_sum

Floats = NDArray[np.float64]

#: Signal examined on either side of the largest peak, s.
HALF_S: Final = 0.016
#: Distance from the peak within which the signal belongs to the peak itself, s.
PEAK_S: Final = 0.004
#: Maximum duration of a single potential, s.
SINGLE_S: Final = 0.04
#: Bands whose share of the power is a feature, Hz; the noise in them is subtracted.
BANDS_HZ: Final = ((200.0, 300.0), (300.0, 450.0))
#: Sampling rate below which these bands cannot be observed, Hz.
FINE_FS: Final = 900.0
#: Columns of `electrode_features`.
ELECTRODE_FEATURES: Final = (
    "log_width", "log_peak_symmetry", "log_low_frequency_share", "log_kurtosis",
    "log_power_200_300", "log_power_300_450", "slope_1ms", "slope_2ms", "peak_before",
    "peak_after",
)  # fmt: skip
#: Number of these features that are logarithms; they come first.
N_LOGS: Final = 6
#: Points of spectra near the peak; the signal is padded with zeros.
SPECTRUM_POINTS: Final = 256
#: The four regressions, in the order of the stored weights.
REGRESSIONS: Final = ("fine_single", "fine_long", "coarse_single", "coarse_long")


def electrode_probability(features: Sequence[float], duration_s: float, fs: float) -> float:
    """Return the probability that a burst is an electrode artefact.

    Parameters
    ----------
    features : sequence of float
        `ELECTRODE_FEATURES`.
    duration_s : float
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
        0 to 1.
    """
    bias, weights = _weights()[regression_of(duration_s, fs)]
    score = bias + sum(map(mul, weights, features))
    return 1 / (1 + math.exp(-min(max(score, -30.0), 30.0)))


def regression_of(duration_s: float, fs: float) -> str:
    """Return which of `REGRESSIONS` applies to a burst.

    Parameters
    ----------
    duration_s : float
        Duration of the burst, s.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    str
    """
    rate = "fine" if fs >= FINE_FS else "coarse"
    return f"{rate}_single" if duration_s <= SINGLE_S else f"{rate}_long"


@cache
def _weights() -> dict[str, tuple[float, list[float]]]:
    path = files("twitchsense.detect.models").joinpath("electrode.npz")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        check_features("electrode", stored["features"].tolist(), ELECTRODE_FEATURES)
        rows = zip(stored["bias"].tolist(), stored["weights"].tolist(), strict=True)
        return dict(zip(REGRESSIONS, rows, strict=True))


def electrode_features(
    clean: Floats,
    burst: Floats,
    body: tuple[int, int],
    fs: float,
    *,
    low_frequency_share: float,
    noise_uv: float,
) -> Floats:
    """Measure the features of electrode artefacts on a burst, before their logarithm is taken.

    Parameters
    ----------
    clean, burst : ndarray, shape (n,)
        Samples without mains hum and ECG, and their burst band (zero phase), µV.
    body : (int, int)
        Start and stop of the burst in them.
    fs : float
        Sampling rate, Hz.
    low_frequency_share : float
        Share of the power below the burst band.
    noise_uv : float
        RMS of the noise in the burst band, µV.

    Returns
    -------
    ndarray, shape (10,)
        `ELECTRODE_FEATURES`, of which the first `N_LOGS` are to be replaced by their logarithms.
    """
    begin, end = body
    peak = begin + int(np.abs(burst[begin:end]).argmax())
    half, near = max(4, round(HALF_S * fs)), max(1, round(PEAK_S * fs))
    first, last = max(0, peak - half), min(len(burst), peak + half)
    x, top = burst[first:last], float(abs(burst[peak]))
    at = peak - first
    step = max(1, round(fs / 1000))  # samples in a millisecond
    y = clean[first:last]
    amplitude = max(float(np.ptp(y)), 1e-9)
    inside = burst[max(0, begin - half // 3) : end + half // 3]
    return np.array([
        width_ms(x, at, fs),
        _peak_symmetry(inside) + 0.02,
        low_frequency_share + 0.02,
        max(_kurtosis(inside), 1.0),
        *(share + 0.01 for share in _band_shares(x, fs, noise_uv)),
        _largest_change(y, step) / amplitude,
        _largest_change(y, 2 * step) / amplitude,
        float(np.abs(x[: max(1, at - near)]).max()) / max(top, 1e-9),
        float(np.abs(x[min(len(x) - 1, at + near) :]).max()) / max(top, 1e-9),
    ])  # fmt: skip


def width_ms(x: Floats, peak: int, fs: float) -> float:
    """Return the width of a peak at half height, ms, interpolated linearly.

    Parameters
    ----------
    x : ndarray, shape (n,)
    peak : int
        Index of the peak.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
        In ms.
    """
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


def _peak_symmetry(x: Floats) -> float:
    """Return the smaller over the larger of the largest positive and negative deflection."""
    up, down = float(x.max()), float(-x.min())
    return max(0.0, min(up, down)) / max(up, down, 1e-9)


def _kurtosis(x: Floats) -> float:
    """Return the kurtosis: 3 for the interference of many units, more for isolated spikes."""
    square = np.square(x)
    power = float(ordered_sum(square)) / len(x)
    fourth = float(ordered_sum(np.square(square))) / len(x)
    return fourth / (power * power) if power > 0 else 3.0


def _band_shares(x: Floats, fs: float, noise_uv: float) -> list[float]:
    """Return the share of each of `BANDS_HZ` in the power, with the noise subtracted."""
    if fs < FINE_FS:
        return [0.0] * len(BANDS_HZ)
    window, n = hanning(len(x) + 2)[1:-1], max(SPECTRUM_POINTS, len(x))
    power = power_spectrum(x * window, n) * (2 / n)
    noise = noise_uv * noise_uv * float(np.square(window).sum())
    total = float(ordered_sum(power))
    signal = max(total - noise, 0.2 * total, 1e-9)
    return [
        min(max((ordered_sum(power[band]) - noise * ((high - low) / 430.0)) / signal, 0.0), 1.0)
        for (low, high), band in zip(BANDS_HZ, spectrum_slices(n, fs), strict=True)
    ]


def power_spectrum(x: Floats, n: int) -> Floats:
    """Return the power at the frequencies of a discrete Fourier transform.

    Sums are taken in the order of the samples, which a fast transform leaves open.

    Parameters
    ----------
    x : ndarray, shape (m,)
        At most `n` samples; continued by zeros.
    n : int
        Number of points.

    Returns
    -------
    ndarray, shape (n // 2 + 1,)
    """
    cosine, sine = fourier_tables(n)
    products = np.stack([cosine[:, : len(x)], sine[:, : len(x)]]) * x
    real, imaginary = ordered_sum(products)
    return np.asarray(np.square(real) + np.square(imaginary), np.float64)


@lru_cache
def fourier_tables(n: int) -> tuple[Floats, Floats]:
    """Return cosine and sine of each frequency of a transform of `n` points at each sample.

    Parameters
    ----------
    n : int

    Returns
    -------
    cosine, sine : ndarray, shape (n // 2 + 1, n)
    """
    phase = 2 * np.pi / n * (np.arange(n // 2 + 1)[:, None] * np.arange(n) % n)
    return np.cos(phase), np.sin(phase)


@lru_cache
def spectrum_slices(n: int, fs: float) -> list[slice]:
    """Return the slices of `BANDS_HZ` in a spectrum.

    Parameters
    ----------
    n : int
        Number of samples.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    list of slice
    """
    freqs = np.fft.rfftfreq(n, 1 / fs)
    return [slice(*np.searchsorted(freqs, band).tolist()) for band in BANDS_HZ]


@lru_cache
def hanning(n: int) -> Floats:
    """Return ``numpy.hanning(n)``, cached and read-only.

    Parameters
    ----------
    n : int
        Number of points.

    Returns
    -------
    ndarray, shape (n,)
    """
    window = np.hanning(n)
    window.flags.writeable = False
    return window


def _largest_change(y: Floats, step: int) -> float:
    """Return the largest change between samples `step` apart."""
    return float(np.abs(y[step:] - y[:-step]).max()) if len(y) > step else 0.0
