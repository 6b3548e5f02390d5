"""Families of training recordings beside those of the accuracy benchmark.

- `interference`: leg movements whose EMG is a Gaussian interference pattern, as of many motor units
  at once, with spectra of Stulen and De Luca (1981, doi:10.1109/TBME.1981.324738), partly
  modulated; at any rate, with steep and slow ramps.
- `multiplets`: one to five discharges of a unit 60 to 160 ms apart, of 50 µV to 5 mV.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import signal

from benchmarks.accuracy.nights import Arrays

#: Sampling rates of contractions, Hz: of the models and of those for slow devices.
RATES = (1000.0, 1000.0, 2000.0, 800.0)
SLOW_RATES = (200.0, 250.0, 256.0, 500.0, 512.0)
N_CONTRACTIONS = 36
N_MULTIPLETS = 60
#: Sizes of a unit, µV, and the least one in RMS of the noise.
SIZES_UV = (50.0, 5000.0)
MIN_SNR = 12.0


def interference(seed: int, *, slow: bool) -> tuple[Arrays, pd.DataFrame]:
    """Return a recording of contractions, and its truth."""
    rng = np.random.default_rng([seed, 77, slow])
    fs = float(rng.choice(SLOW_RATES if slow else RATES))
    n = int(fs * (N_CONTRACTIONS * 18 + 30))
    noise_uv = rng.uniform(1, 8)
    x = _coloured(rng.normal(0, 1, n), fs, 30, rng.uniform(100, 300))
    x = _band(x, rng.uniform(5, 20), rng.uniform(150, 450), fs)
    x *= noise_uv / x.std()
    rows = []
    for i in range(N_CONTRACTIONS):
        onset = 20 + i * 18 + rng.uniform(0, 6)
        duration = float(np.exp(rng.uniform(np.log(0.6), np.log(6))))
        k, start = int(duration * fs), int(onset * fs)
        is_white = rng.random() >= 0.7
        burst = rng.normal(0, 1, k)
        if not is_white:
            burst = _coloured(burst, fs, rng.uniform(20, 90), rng.uniform(60, 300))
        burst = _band(burst, rng.uniform(10, 30), rng.uniform(120, 480), fs)
        if rng.random() < 0.6:  # a weak contraction is less Gaussian than a strong one
            depth = rng.uniform(0, 1.6)
            burst *= np.exp(depth * _band(rng.normal(0, 1, k), 1, rng.uniform(6, 25), fs))
        up, down = rng.uniform(0.02, 0.6), rng.uniform(0.05, 0.9)
        t = np.arange(k) / fs
        ramps = np.minimum(1, np.minimum(t / up, (t[-1] - t) / down))
        rms_uv = noise_uv * float(np.exp(rng.uniform(np.log(4), np.log(120))))
        x[start : start + k] += burst / burst.std() * rms_uv * ramps
        rows.append(_row("movement", "interference", onset, duration, 6 * rms_uv, noise_uv))
    arrays: Arrays = {"emg1_uv": (x, fs)}
    if rng.random() < 0.4:
        g = _still(rng, n / fs)
        for row in rows:
            if rng.random() < 0.7:
                k = int(row["duration"] * 100)
                start = int((row["onset"] + rng.uniform(0.02, 0.08)) * 100)
                size_g = np.exp(rng.uniform(np.log(0.01), np.log(0.3)))
                sway = _band(rng.normal(0, 1, (3, k + 60)), 0.5, rng.uniform(3, 10), 100.0)
                g[:, start : start + k] += size_g * sway[:, 30 : 30 + k] * np.hanning(k)
        arrays |= _axes(g)
    return arrays, pd.DataFrame(rows)


def multiplets(seed: int) -> tuple[Arrays, pd.DataFrame]:
    """Return a recording of grouped discharges, and its truth."""
    rng = np.random.default_rng([seed, 99])
    fs = float(rng.choice([1000.0, 1000.0, 2000.0]))
    n = int(fs * (N_MULTIPLETS * 6 + 30))
    f = np.fft.rfftfreq(n, 1 / fs)
    shape = np.where((f >= 15) & (f <= 450), 1 / np.hypot(1, f / rng.uniform(60, 300)), 0)
    x = np.fft.irfft(np.fft.rfft(rng.normal(0, 1, n)) * shape, n)
    noise_uv = rng.uniform(1, 6)
    x *= noise_uv / x.std()
    units = [_unit(rng, fs) for _ in range(4)]
    rows = []
    for i in range(N_MULTIPLETS):
        onset = 20 + i * 6 + rng.uniform(0, 3)
        unit = units[rng.integers(len(units))]
        least_uv = max(SIZES_UV[0], MIN_SNR * noise_uv)
        size_uv = float(np.exp(rng.uniform(np.log(least_uv), np.log(SIZES_UV[1]))))
        count = int(rng.choice([1, 1, 2, 3, 3, 4, 5]))
        interval_s = rng.uniform(0.06, 0.16)
        for k in range(count):
            start = int((onset + k * interval_s * rng.uniform(0.93, 1.07)) * fs)
            wave = size_uv * rng.uniform(0.85, 1.1) * unit
            x[start : start + len(wave)] += wave
            seen = np.flatnonzero(np.abs(wave) > 3 * noise_uv)
            if len(seen):
                duration = max(0.005, (seen[-1] - seen[0]) / fs)
                at = (start + seen[0]) / fs
                rows.append(_row("twitch", "unit", at, duration, size_uv, noise_uv))
    arrays: Arrays = {"emg1_uv": (x, fs)}
    if rng.random() < 0.6:
        arrays |= _axes(_still(rng, n / fs))
    return arrays, pd.DataFrame(rows)


def _row(
    kind: str, cause: str, onset: float, duration: float, amplitude_uv: float, noise_uv: float
) -> dict:
    tolerated = "gross_movement brief_contraction twitch" if kind == "movement" else ""
    return {
        "onset": onset, "duration": duration, "trial_type": kind, "kind": cause,
        "amplitude_uv": amplitude_uv, "snr": amplitude_uv / noise_uv, "peak_g": 0.0,
        "n_bursts": 1, "in_activity": False, "tolerated": tolerated, "channel": "",
    }  # fmt: skip


def _unit(rng: np.random.Generator, fs: float) -> np.ndarray:
    """Return a potential of 2 to 5 phases with a peak to peak of 1."""
    width = np.exp(rng.uniform(np.log(0.0012), np.log(0.005)))
    t, centre = np.arange(-0.03, 0.04, 1 / fs), 0.0
    y = np.zeros(len(t))
    for k in range(int(rng.integers(2, 6))):
        size, spread = rng.uniform(0.3, 1), width * rng.uniform(0.5, 1.5)
        y += (-1) ** k * size * np.exp(-0.5 * np.square((t - centre) / spread))
        centre += width * rng.uniform(1.2, 3)
    y = (y - y.mean()) * np.exp(-((t / 0.03) ** 4))
    return y / np.ptp(y)


def _coloured(x: np.ndarray, fs: float, low_hz: float, high_hz: float) -> np.ndarray:
    """Give white noise the spectrum of surface EMG (Stulen and De Luca 1981)."""
    f = np.fft.rfftfreq(len(x), 1 / fs)
    gain = high_hz**2 * f / ((f**2 + low_hz**2) * np.sqrt(f**2 + high_hz**2))
    return np.fft.irfft(np.fft.rfft(x) * gain, len(x))


def _band(x: np.ndarray, low_hz: float, high_hz: float, fs: float) -> np.ndarray:
    band = [low_hz, min(high_hz, 0.45 * fs)]
    sos = signal.butter(2, band, "bandpass", fs=fs, output="sos")
    return signal.sosfiltfilt(sos, x)


def _still(rng: np.random.Generator, seconds: float) -> np.ndarray:
    g = rng.normal(0, 0.002, (3, int(seconds * 100)))
    g[2] += 1
    return g


def _axes(g: np.ndarray) -> Arrays:
    return {f"acc_{axis}_g": (g[i], 100.0) for i, axis in enumerate("xyz")}
