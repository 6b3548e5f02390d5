"""Resting background: real noise stitched or extended by surrogates, skin 1/f, hum, ECG, pulse, sensor noise."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, signal

from . import sources
from .model import Array, Setup

Rng = np.random.Generator


def white(rng: Rng, n: int) -> Array:
    """White Gaussian noise of unit RMS."""
    return rng.standard_normal(n)


def pink(rng: Rng, n: int, fs: float, corner: float) -> Array:
    """Noise with a 1/f power spectrum below `corner` (flat-topped at 0.05 Hz), unit RMS in 5-100 Hz."""
    spec = np.fft.rfft(rng.standard_normal(n))
    f = np.fft.rfftfreq(n, 1.0 / fs)
    spec *= np.sqrt(corner / np.maximum(f, 0.05)) / (1.0 + (f / (4.0 * corner)) ** 2)
    x = np.fft.irfft(spec, n)
    k = min(n, int(30 * fs))
    return np.asarray(x / sources.band(x[:k], 5.0, 100.0, fs).std(), dtype=float)


def _surrogate(rng: Rng, pieces: tuple[Array, ...], n: int) -> Array:
    """Extend short real noise: phases random, amplitudes from the mean spectrum with its lines smoothed away."""
    m = min(len(p) for p in pieces)
    power = np.mean([np.abs(np.fft.rfft(p[:m] * np.hanning(m))) ** 2 for p in pieces], axis=0)
    power = ndimage.gaussian_filter1d(ndimage.median_filter(power, 21), 6.0)
    f = np.fft.rfftfreq(n)
    amp = np.sqrt(np.interp(f, np.fft.rfftfreq(m), power))
    x = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * amp, n)
    return np.asarray(x, dtype=float)


def _stitch(rng: Rng, pieces: tuple[Array, ...], n: int) -> Array:
    """Join real pieces in random order, turned in time and sign at random, with power-keeping cross-fades."""
    m = min(len(p) for p in pieces)
    fade = m // 6
    win = np.ones(m)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade))
    win[:fade], win[-fade:] = ramp, ramp[::-1]
    out = np.zeros(n + 2 * m)
    for i in range(0, n + m, m - fade):
        p = pieces[int(rng.integers(len(pieces)))][:m]
        p = p[:: 1 if rng.random() < 0.5 else -1] * (1 if rng.random() < 0.5 else -1)
        out[i : i + m] += p * win
    return out[fade : fade + n]


def emg_noise(rng: Rng, setup: Setup, n: int, fi: float) -> Array:
    """Compose the resting noise of the electrodes at the internal rate, scaled to its RMS in 20-450 Hz."""
    pieces, fs = sources.noise_pieces(setup.noise_kind)
    m = int(np.ceil(n * fs / fi)) + 10
    real = _surrogate(rng, pieces, m) if setup.noise_kind == "skin" else _stitch(rng, pieces, m)
    x = np.asarray(signal.resample_poly(real, round(fi / fs), 1), dtype=float)[:n]
    x /= sources.band(x[: int(20 * fi)], 20.0, 450.0, fi).std()
    x += 0.35 * white(rng, n) + setup.pink * pink(rng, n, fi, 30.0)
    k = np.arange(0, n, int(fi))
    slow = ndimage.gaussian_filter1d(rng.standard_normal(len(k)), 40.0)
    slow = 1.0 + 0.12 * slow / max(float(slow.std()), 1e-9)
    x *= np.interp(np.arange(n), k, slow)
    x *= setup.noise_uv / sources.band(x[: int(60 * fi)], 20.0, 450.0, fi).std()
    if setup.wander_uv:
        w = np.cumsum(rng.standard_normal(len(k)))
        w = w - ndimage.gaussian_filter1d(w, 60.0)
        w *= setup.wander_uv / max(float(w.std()), 1e-9)
        x += np.interp(np.arange(n), k, ndimage.gaussian_filter1d(w, 1.0))
    return x


def hum(rng: Rng, setup: Setup, n: int, fi: float) -> Array:
    """Mains hum: fundamental drifting in frequency and level, odd and even harmonics up to the ninth."""
    if setup.hum_uv <= 0:
        return np.zeros(n)
    k = np.arange(0, n + int(fi), int(fi))
    drift = ndimage.gaussian_filter1d(rng.standard_normal(len(k)), 30.0)
    drift *= setup.hum_drift / max(float(np.abs(drift).max()), 1e-9)
    level = ndimage.gaussian_filter1d(rng.standard_normal(len(k)), 20.0)
    level = np.exp(0.25 * level / max(float(level.std()), 1e-9))
    i = np.arange(n)
    phase = 2 * np.pi * np.cumsum(setup.hum_hz + np.interp(i, k, drift)) / fi
    x = np.sin(phase)
    for h in range(2, 10):
        size = (setup.hum_odd if h % 2 else setup.hum_even) / (h - 1) ** 0.7
        if size > 0:
            x += size * rng.uniform(0.5, 1.0) * np.sin(h * phase + rng.uniform(0, 2 * np.pi))
    x *= np.interp(i, k, level)
    return np.asarray(x * setup.hum_uv / x.std(), dtype=float)


def heart_times(rng: Rng, minutes: float) -> Array:
    """Times of R waves: mean rate 46-78 per minute, breathing and slow variation."""
    mean = rng.uniform(0.77, 1.3)
    t, out, f = rng.uniform(0, 1), [], rng.uniform(0.2, 0.28)
    while t < minutes * 60:
        out.append(t)
        t += mean * (1 + 0.04 * np.sin(2 * np.pi * f * t) + 0.02 * rng.standard_normal())
    return np.array(out)


def ecg(rng: Rng, beats: Array, height: float, n: int, fi: float) -> Array:
    """Put real heart beats of the given R height (µV) at the given times, axis turned by mixing its slope."""
    out = np.zeros(n)
    if height <= 0:
        return out
    bank = [np.asarray(signal.resample_poly(b, round(fi / 1000), 1), dtype=float) for b in sources.ecg_beats()]
    sign, mix, twave = rng.choice([-1.0, 1.0]), rng.uniform(-0.4, 0.4), rng.uniform(0.3, 1.2)
    r = int(0.2 * fi)
    for t in beats:
        b = bank[int(rng.integers(len(bank)))].copy()
        b[r + int(0.08 * fi) :] *= twave
        slope = np.gradient(b)
        b = sign * b + mix * slope / np.abs(slope).max()
        b *= height * (1 + 0.05 * rng.standard_normal()) / np.abs(b).max()
        i = int(t * fi) - r
        if 0 <= i < n - len(b):
            out[i : i + len(b)] += b
    return out


def pulse(rng: Rng, beats: Array, peak_mg: float, n: int, ai: float) -> Array:
    """Arterial pulse in the acceleration: a small damped swing 0.2-0.3 s after every R wave."""
    out = np.zeros((n, 3))
    if peak_mg <= 0:
        return out
    t = np.arange(int(0.6 * ai)) / ai
    f, tau, delay = rng.uniform(3, 7), rng.uniform(0.08, 0.16), rng.uniform(0.2, 0.3)
    w = np.sin(2 * np.pi * f * t) * np.exp(-t / tau) * (1 - np.exp(-t / 0.02))
    w = w / np.abs(w).max() * peak_mg / 1000
    axis = direction(rng)
    for b in beats:
        i = int((b + delay) * ai)
        if i < n - len(t):
            out[i : i + len(t)] += np.outer(w * (1 + 0.15 * rng.standard_normal()), axis)
    return out


def direction(rng: Rng) -> Array:
    """Random unit vector."""
    v = rng.standard_normal(3)
    return np.asarray(v / np.linalg.norm(v), dtype=float)


def rotation(rng: Rng) -> Array:
    """Random proper rotation matrix."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return np.asarray(q, dtype=float)


def turn(v: Array, axis: Array, angle: Array) -> Array:
    """Rotate v about axis by every angle (radians): Rodrigues' formula."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return np.asarray(v * c + np.cross(axis, v) * s + axis * (axis @ v) * (1 - c), dtype=float)
