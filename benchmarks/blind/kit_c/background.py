"""What is there without any movement: coloured noise, mains, wander, ECG and the pulse.

Noise: white amplifier noise plus 1/f^a electrode noise, at times a swelling floor. Mains with odd and
even harmonics, drifting frequency and slowly changing size. The ECG of a leg is a smoothed far field.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import butter, sosfilt

from .types import Array
from .waves import Rng, add_at, loguni


def slow_walk(rng: Rng, n: int, fs: float, knot_s: float) -> Array:
    """Smooth random curve of unit variance with knots every ``knot_s`` seconds."""
    m = int(n / fs / knot_s) + 4
    return CubicSpline(np.arange(m) * knot_s, rng.standard_normal(m))(np.arange(n) / fs)


def coloured(rng: Rng, n: int, fs: float, pink: float, exponent: float) -> Array:
    """White noise plus a part ``pink`` of 1/f^exponent noise (shaped above 0.05 Hz)."""
    size = 1 << (n - 1).bit_length()
    spec = np.fft.rfft(rng.standard_normal(size))
    f = np.fft.rfftfreq(size, 1 / fs)
    shape = 1 + pink * (60 / np.maximum(f, 0.05)) ** exponent * (f > 0.03)
    return np.fft.irfft(spec * shape, size)[:n]


def swell(rng: Rng, n: int, fs: float, most: float) -> Array:
    """Slow changes of the noise floor: a factor between 1 and ``most`` in some stretches of 3–40 s."""
    g = np.ones(n)
    for t in np.cumsum(rng.exponential(120, 40)):
        w = loguni(rng, 3, 40)
        k = int(w * fs)
        add_at(g, int(t * fs), rng.uniform(0, most - 1) * np.sin(np.pi * (np.arange(k) + 0.5) / k) ** 2)
    return np.minimum(g, most)


def mains(rng: Rng, n: int, fs: float, size: float) -> tuple[Array, dict[str, object]]:
    """Mains of amplitude ``size`` µV: 50 or 60 Hz, drifting ±0.2 Hz, harmonics to the 9th."""
    f0 = float(rng.choice([50.0, 60.0]))
    drift = rng.uniform(0.0, 0.1)
    f = f0 + np.clip(drift * slow_walk(rng, n, fs, 40), -0.2, 0.2)
    phase = 2 * np.pi * np.cumsum(f) / fs
    kind = str(rng.choice(["pure", "odd", "odd_even"]))
    x = np.sin(phase)
    if kind != "pure":
        for h in range(2, 10):
            if (h % 2 or kind == "odd_even") and h * f0 < 0.48 * fs:
                x += loguni(rng, 0.03, 0.5) / h**0.3 * np.sin(h * phase + rng.uniform(0, 2 * np.pi))
    depth = rng.uniform(0, 0.35)
    x *= size * np.clip(1 + depth * slow_walk(rng, n, fs, 15), 0.2, 2)
    return x, {"mains_hz": f0, "mains_uv": size, "mains_harmonics": kind, "mains_drift_hz": float(drift)}


def beats(rng: Rng, dur: float) -> Array:
    """Heart beats (s): 46–82 a minute with breathing and slow changes."""
    base, sigh = 60 / rng.uniform(46, 82), rng.uniform(0.01, 0.07)
    breath, out, t = rng.uniform(3, 5.5), [], float(rng.uniform(0, 1))
    walk = 0.0
    while t < dur:
        out.append(t)
        walk = 0.98 * walk + 0.006 * rng.standard_normal()
        t += base * (1 + sigh * np.sin(2 * np.pi * t / breath) + np.clip(walk, -0.2, 0.2))
    return np.array(out)


def ecg(rng: Rng, n: int, fs: float, at: Array, size: float) -> Array:
    """ECG of a size (µV, R wave) in the leg lead: smoothed QRS, small T, breathing amplitude."""
    t = np.arange(-0.1, 0.45, 1 / fs)
    w = rng.uniform(0.008, 0.016)
    q = sum(a * np.exp(-0.5 * ((t - c) / w) ** 2) for a, c in
            ((rng.uniform(-0.3, 0.1), -0.024), (1.0, 0.0), (rng.uniform(-0.7, 0.0), 0.027)))
    q = q + rng.uniform(0.05, 0.3) * np.exp(-0.5 * ((t - 0.27) / 0.045) ** 2)
    q = q * np.clip((t - t[0]) / 0.03, 0, 1) * np.clip((t[-1] - t) / 0.05, 0, 1)
    x = np.zeros(n)
    s = size * (1 if rng.random() < 0.6 else -1)
    for b in at:
        add_at(x, int((b - 0.1) * fs), s * (1 + 0.08 * np.sin(2 * np.pi * b / 4.3)) * q)
    return x


def pulse_acc(rng: Rng, n: int, fs: float, at: Array, size: float) -> Array:
    """Arterial pulse in the three axes: damped 4–9 Hz wave 0.2–0.3 s after each beat."""
    f = rng.uniform(4, 9)
    t = np.arange(0, 0.5, 1 / fs)
    w = np.exp(-t / 0.12) * np.sin(2 * np.pi * f * t) * (1 - np.exp(-t / 0.02))
    x = np.zeros(n)
    for b in at + rng.uniform(0.2, 0.3):
        add_at(x, int(b * fs), w * rng.uniform(0.8, 1.2))
    d = rng.standard_normal(3)
    return size * np.outer(d / np.linalg.norm(d), x / np.abs(w).max())


def wander(rng: Rng, n: int, fs: float, size: float) -> Array:
    """Baseline wander of a size (µV RMS): breathing, sweat and slow steps of the electrode."""
    x = 0.6 * slow_walk(rng, n, fs, 8) + 0.5 * np.sin(
        2 * np.pi * np.cumsum(0.25 + 0.04 * slow_walk(rng, n, fs, 20)) / fs)
    steps = np.zeros(n)
    for t in rng.uniform(0, n / fs, rng.poisson(n / fs / 400)):
        steps[int(t * fs):] += rng.normal(0, 0.8)
    return size * (x + sosfilt(butter(2, 0.1, fs=fs, output="sos"), steps))


def weak_bursts(rng: Rng, n: int, fs: float, size: float) -> Array:
    """Coloured-noise stretches (0.5–6 s) with smooth ends, no larger than the floor itself."""
    x = np.zeros(n)
    for t in np.cumsum(rng.exponential(45, 80)):
        k = int(loguni(rng, 0.5, 6) * fs)
        lo = loguni(rng, 5, 60)
        y = sosfilt(butter(1, [lo, min(lo * 4, 0.4 * fs)], "band", fs=fs, output="sos"), rng.standard_normal(k))
        add_at(x, int(t * fs), size * y / (y.std() + 1e-9) * np.sin(np.pi * (np.arange(k) + 0.5) / k) ** 2)
    return x
