"""Everything electrical that is not the wanted muscle: noise, mains, heart, and real recordings.

Real recordings (licences in the data folder): ECG of a BITalino (BSD-3), leg EMG of the elderly
(CC0), walking EMG (MIT) and ankle acceleration (CC BY 4.0). They are re-filtered and re-timed.
"""
from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, find_peaks, resample_poly, sosfiltfilt

from .records import FloatArray

Rng = np.random.Generator
DATA = Path(os.environ.get("TWITCHSENSE_DATA", "."))


def coloured(rng: Rng, n: int, fs: float, knee_hz: float, power: float, top_hz: float) -> FloatArray:
    """Gaussian noise with a 1/f rise below a knee, of unit RMS in 20-450 Hz.

    Skin-electrode noise is thermal at high and of the kind f^-1 .. f^-2 at low frequencies.
    """
    m = next_fast_len(n, real=True)
    f = rfftfreq(m, 1.0 / fs)
    shape = np.sqrt(1.0 + (knee_hz / np.maximum(f, 0.3)) ** power) / np.sqrt(1.0 + (f / top_hz) ** 2)
    band = (f >= 20) & (f <= min(450.0, 0.45 * fs))
    shape /= np.sqrt(np.sum(shape[band] ** 2) / len(f))
    shape[0] = 0.0
    return irfft(rfft(rng.standard_normal(m)) * shape, m)[:n]


def slow_level(rng: Rng, n: int, fs: float, depth: float, tau: float = 60.0) -> FloatArray:
    """Positive slow modulation around one (skin drying, pressure)."""
    step = max(1, int(fs))
    m = n // step + 3
    x = gaussian_filter1d(rng.standard_normal(m + 400), max(1.0, tau))[200: 200 + m]
    x /= max(float(np.std(x)), 1e-9)
    return np.exp(depth * np.interp(np.arange(n), np.arange(m) * step, x))


def mains(rng: Rng, n: int, fs: float, f0: float, rms: float, harmonics: dict[int, float]) -> FloatArray:
    """Hum with a wandering frequency (+-0.05 Hz) and slowly changing size; harmonics relative."""
    wander = np.log(slow_level(rng, n, fs, 0.03, 40.0))
    phase = 2 * np.pi * np.cumsum(f0 + wander) / fs
    out = np.sin(phase)
    for order, size in harmonics.items():
        if order * f0 < 0.48 * fs:
            out += size * np.sin(order * phase + rng.uniform(0, 6.28))
    return out * slow_level(rng, n, fs, 0.25, 30.0) * rms * np.sqrt(2.0)


def wander(rng: Rng, n: int, fs: float, size: float, tau: float = 3.0) -> FloatArray:
    """Slow baseline wander (sweat, half-cell potential) of RMS `size`."""
    step = max(1, int(fs / 20))
    m = n // step + 3
    x = gaussian_filter1d(rng.standard_normal(m), tau * 20)
    x += 1.5 * gaussian_filter1d(rng.standard_normal(m), tau * 200)
    x *= size / max(float(np.std(x)), 1e-9)
    return np.interp(np.arange(n), np.arange(m) * step, x)


@lru_cache(maxsize=1)
def ecg_beats() -> FloatArray:
    """Real heart beats (rows, 1000 Hz, R wave at 0.25 s), scaled to an R wave of one."""
    x = np.load(DATA / "ecg_bitalino_biosppy" / "data.npz")["ecg"].astype(float)
    x = sosfiltfilt(butter(2, [0.5, 60], "bandpass", fs=1000, output="sos"), x)
    peaks = find_peaks(x, distance=450, height=0.5 * float(np.max(x)))[0]
    rows = np.array([x[p - 250: p + 450] for p in peaks if p > 250 and p + 450 < len(x)])
    ramp = np.clip(np.minimum(np.arange(700), np.arange(700)[::-1]) / 60.0, 0, 1)
    return rows / np.median(rows.max(axis=1)) * ramp


def heart_times(rng: Rng, dur: float, bpm: float) -> FloatArray:
    """Beat times with breathing arrhythmia and slow drift."""
    m = int(dur * bpm / 60 * 1.3) + 10
    base = 60.0 / bpm
    slow = gaussian_filter1d(rng.standard_normal(m), 30)
    slow *= 0.04 / max(float(np.std(slow)), 1e-9)
    breath = rng.uniform(0.01, 0.07) * np.sin(2 * np.pi * np.cumsum(np.full(m, base * rng.uniform(.2, .3))))
    times = 0.3 + np.cumsum(base * (1 + slow + breath + 0.008 * rng.standard_normal(m)))
    return times[times < dur - 1.0]


def ecg_trace(rng: Rng, n: int, fs: float, beats: FloatArray, r_uv: float, smooth_ms: float) -> FloatArray:
    """Heart activity in the leg channel, R wave of `r_uv`, smoothed by distance."""
    bank = [resample_poly(b, int(fs), 1000) for b in ecg_beats()]
    bank = [gaussian_filter1d(b, max(0.3, smooth_ms * 1e-3 * fs)) for b in bank]
    top = float(np.median([np.max(np.abs(b)) for b in bank]))
    lead = int(0.25 * fs)
    out = np.zeros(n)
    for t in beats:
        b = bank[int(rng.integers(len(bank)))]
        i = int(t * fs) - lead
        if i >= 0 and i + len(b) < n:
            out[i: i + len(b)] += b
    return out * (r_uv / top)


@lru_cache(maxsize=4)
def real_contraction(fs: int) -> list[FloatArray]:
    """Real held contractions of tibialis anterior, unit RMS, at `fs` Hz."""
    z = np.load(DATA / "emg_leg_elderly_hermescb" / "data.npz")
    out = []
    sos = butter(2, [8, 480], "bandpass", fs=2000, output="sos")
    for name in z.files:
        if name.endswith("EMG_TA"):
            x = sosfiltfilt(sos, z[name][:, 2].astype(float) * 0.1)[1000:19000]
            loud = np.sqrt(gaussian_filter1d(x ** 2, 400))
            x = x / np.maximum(loud, 0.3 * np.median(loud))
            out.append(resample_poly(x, fs, 2000) if fs != 2000 else x)
    return [x / np.std(x) for x in out]


def contraction(rng: Rng, fs: float, n: int) -> FloatArray:
    """Random stretch of real contraction, re-timed (speed 0.8-1.2), unit RMS, `n` samples."""
    pool = real_contraction(int(fs))
    src = pool[int(rng.integers(len(pool)))]
    speed = rng.uniform(0.8, 1.2)
    pieces, got = [], 0
    while got < n + 10:
        m = int(min(n + 10 - got, (len(src) - 10) / speed - 10))
        start = rng.uniform(0, len(src) - 5 - m * speed)
        pieces.append(np.interp(start + np.arange(m) * speed, np.arange(len(src)), src))
        got += m
        src = pool[int(rng.integers(len(pool)))]
    return np.concatenate(pieces)[:n] * rng.choice([-1.0, 1.0])


def walking(rng: Rng, fs: float, fs_acc: float, dur: float, uv: float) -> tuple[FloatArray, FloatArray]:
    """Walking bout: EMG (RMS about `uv`) from real gait cycles and real ankle acceleration in g."""
    z = np.load(DATA / "emg_leg_walking_musclesynergies" / "data.npz")["emg_uv"].astype(float)
    x = z[:, int(rng.choice([8, 10, 12]))]
    x = sosfiltfilt(butter(2, [8, 450], "bandpass", fs=1000, output="sos"), x - x.mean())
    x = resample_poly(x, int(fs), 1000)
    n = int(dur * fs)
    speed = rng.uniform(0.85, 1.15)
    pos = (np.arange(n) * speed * (1 + 0.03 * np.sin(np.arange(n) / fs * 0.8))) % (len(x) - 2)
    emg = np.interp(pos, np.arange(len(x)), x)
    ramp = np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.4 * fs), 0, 1)
    emg *= ramp * uv / max(float(np.std(x)), 1e-9)
    rec = np.load(DATA / "acc_ankle_thigh_daphnet" / "data.npz")
    a = rec[str(rng.choice(["S01R02", "S03R03", "S06R02"]))].astype(float)
    ank = a[:, :3] * 1e-3
    act = np.convolve(np.abs(np.diff(ank, axis=0)).sum(axis=1) * (a[1:, 6] == 1), np.ones(640), "same")
    mid = int(np.clip(np.argmax(act + rng.normal(0, 0.1 * act.max(), len(act))), 2000, len(a) - 2000))
    seg = ank[mid - 900: mid + 900].T
    seg = seg - seg.mean(axis=1, keepdims=True)
    m = int(dur * fs_acc)
    at = (np.arange(m) / fs_acc * 64 * speed) % 1796
    acc = np.array([np.interp(at, np.arange(1800), s) for s in seg])
    ra = np.clip(np.minimum(np.arange(m), np.arange(m)[::-1]) / (0.4 * fs_acc), 0, 1)
    return emg, gaussian_filter1d(acc, fs_acc / 250, axis=1) * ra
