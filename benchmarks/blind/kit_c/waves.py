"""Waveforms of potentials, bursts and limb accelerations, drawn from wide parametric families.

Surface potentials: Hermite–Rodriguez functions (Lo Conte, Merletti & Sandri 1994, IEEE TBME 41:1147),
Gabor atoms, gamma-shaped pulses, differences of exponentials and sums of a few of them with jitter.
Bursts: noise with the Stulen–De Luca / Shwedyk spectrum, or a pool of units at Poisson times.
Every function returns a fresh array at rate ``fs``; potentials have peak-to-peak 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, fftconvolve, sosfilt
from scipy.special import eval_hermite

from .types import Array

Rng = np.random.Generator


def loguni(rng: Rng, low: float, high: float) -> float:
    """One log-uniform number between ``low`` and ``high``."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def unit_pp(x: Array) -> Array:
    """Scale to peak-to-peak 1."""
    return x / (np.ptp(x) + 1e-30)


def ends(x: Array, fs: float, ms: float = 0.6) -> Array:
    """Let both ends start and stop at zero over ``ms`` (no edge that no tissue could make)."""
    k = max(2, min(int(ms * 1e-3 * fs), x.size // 3))
    w = 0.5 - 0.5 * np.cos(np.pi * (np.arange(k) + 0.5) / k)
    y = x.copy()
    y[:k] *= w
    y[-k:] *= w[::-1]
    return y


def hermite(rng: Rng, fs: float, lam: float | None = None, order: int | None = None) -> Array:
    """Hermite–Rodriguez function of order 0–5, scale 0.8–5 ms: mono- to polyphasic potentials."""
    lam = loguni(rng, 0.8e-3, 5e-3) if lam is None else lam
    n = int(rng.integers(0, 6)) if order is None else order
    half = (2.6 + 0.5 * n) * lam
    t = np.arange(-half, half, 1 / fs)
    return unit_pp(ends(eval_hermite(n, t / lam) * np.exp(-((t / lam) ** 2)), fs))


def gabor(rng: Rng, fs: float) -> Array:
    """Gabor atom with unequal flanks: 20–220 Hz, 1–10 ms."""
    f, phi = loguni(rng, 20, 220), rng.uniform(0, 2 * np.pi)
    left, right = loguni(rng, 0.8e-3, 6e-3), loguni(rng, 1e-3, 10e-3)
    t = np.arange(-3 * left, 3 * right, 1 / fs)
    s = np.where(t < 0, left, right)
    return unit_pp(ends(np.exp(-0.5 * (t / s) ** 2) * np.cos(2 * np.pi * f * t + phi), fs))


def gamma_pulse(rng: Rng, fs: float) -> Array:
    """One-sided gamma pulse (far unit, end effect), at times with a slow small after-wave."""
    k, tau = rng.uniform(2, 5), loguni(rng, 0.7e-3, 4e-3)
    t = np.arange(0, (k + 7) * tau, 1 / fs)
    x = (t / tau) ** k * np.exp(-t / tau)
    x /= x.max()
    if rng.random() < 0.4:
        tau2 = tau * rng.uniform(1.3, 2.2)
        t = np.arange(0, (k + 7) * tau2, 1 / fs)
        y = (t / tau2) ** (k + 1) * np.exp(-t / tau2)
        y *= -rng.uniform(0.05, 0.35) / y.max()
        y[: x.size] += x
        x = y
    return unit_pp(ends(x, fs))


def double_exp(rng: Rng, fs: float) -> Array:
    """Difference of exponentials behind a tissue low-pass: rounded rise 1–4 ms, decay 3–12 ms."""
    rise, fall = loguni(rng, 0.8e-3, 3e-3), loguni(rng, 3e-3, 10e-3)
    t = np.arange(-6e-3, 6 * fall, 1 / fs)
    x = np.where(t > 0, np.exp(-np.maximum(t, 0) / fall) - np.exp(-np.maximum(t, 0) / rise), 0.0)
    return unit_pp(ends(gaussian_filter1d(x, loguni(rng, 0.5e-3, 2e-3) * fs), fs))


BASES: dict[str, Callable[[Rng, float], Array]] = {
    "hermite": hermite, "gabor": gabor, "gamma": gamma_pulse, "double_exp": double_exp}


def add_at(x: Array, i: int, y: Array) -> None:
    """Add ``y`` into ``x`` from index ``i``; what lies outside is cut."""
    a, b = max(i, 0), min(i + y.size, x.size)
    if b > a:
        x[a:b] += y[a - i:b - i]


def compound(rng: Rng, fs: float, n: int, jitter: float) -> Array:
    """Sum of ``n`` base waveforms with random sizes, signs mostly equal, and start jitter (s)."""
    parts = [BASES[str(rng.choice(list(BASES)))](rng, fs) for _ in range(n)]
    sign = 1 if rng.random() < 0.5 else -1
    at = np.sort(rng.uniform(0, jitter, n))
    x = np.zeros(int((jitter + 0.002) * fs) + max(p.size for p in parts))
    for p, t in zip(parts, at, strict=True):
        add_at(x, int(t * fs), sign * (1 if rng.random() < 0.75 else -1) * rng.uniform(0.3, 1) * p)
    return unit_pp(x)


def potential(rng: Rng, fs: float, style: str) -> Array:
    """A single potential of one style; random polarity."""
    if style == "near_unit":
        x = hermite(rng, fs, loguni(rng, 0.6e-3, 1.5e-3), int(rng.integers(1, 4)))
    elif style == "far_unit":
        x = gaussian_filter1d(np.pad(BASES[str(rng.choice(list(BASES)))](rng, fs), int(0.012 * fs)),
                              loguni(rng, 1.2e-3, 3.5e-3) * fs)
    elif style == "compound":
        x = compound(rng, fs, int(rng.integers(2, 6)), loguni(rng, 1e-3, 8e-3))
    elif style == "polyphasic":
        x = compound(rng, fs, int(rng.integers(5, 11)), loguni(rng, 6e-3, 22e-3))
    else:
        x = BASES[style](rng, fs)
    return unit_pp(x) * (1 if rng.random() < 0.5 else -1)


def interference(rng: Rng, fs: float, n: int) -> Array:
    """``n`` samples of interference pattern, RMS about 1: shaped noise or a pool of units."""
    pad = int(0.15 * fs)
    if rng.random() < 0.6 or n > 20 * fs:
        sos = np.vstack([butter(1, rng.uniform(20, 55), "high", fs=fs, output="sos"),
                         butter(2, min(loguni(rng, 80, 210), 0.45 * fs), fs=fs, output="sos")])
        x = sosfilt(sos, rng.standard_normal(n + pad))[pad:]
    else:
        x = np.zeros(n)
        for _ in range(int(rng.integers(8, 16))):
            hit = (rng.random(n + pad) < loguni(rng, 15, 60) / fs) * rng.uniform(0.3, 1.2)
            u = (gabor(rng, fs) if rng.random() < 0.4 else
                 hermite(rng, fs, loguni(rng, 1e-3, 3.2e-3), int(rng.integers(1, 4)))) * rng.choice([-1, 1])
            x += fftconvolve(hit, u)[pad:pad + n]
        x = sosfilt(butter(1, 12, "high", fs=fs, output="sos"), x)
    return x / (np.sqrt(np.mean(x**2)) + 1e-30)


def envelope(rng: Rng, n: int, fs: float, shape: str) -> Array:
    """Burst envelope of ``n`` samples: raised_cosine, exponential, abrupt, skewed or plateau."""
    u = (np.arange(n) + 0.5) / n
    if shape == "raised_cosine":
        return 0.5 - 0.5 * np.cos(2 * np.pi * u)
    if shape == "exponential":
        r = rng.uniform(0.04, 0.15)
        return np.minimum(u / r, 1) * np.exp(-np.maximum(u - r, 0) * rng.uniform(2.5, 4)) * np.clip((1 - u) / 0.1, 0, 1)
    if shape == "skewed":
        p = rng.uniform(0.5, 2.5)
        return np.sin(np.pi * u**p) ** rng.uniform(0.7, 1.6)
    edge = 0.12 if shape == "plateau" else min(0.3, rng.uniform(0.5e-3, 2.5e-3) * fs / n)
    return np.sin(0.5 * np.pi * np.clip(np.minimum(u, 1 - u) / edge, 0, 1)) ** 2


SHAPES = ("raised_cosine", "exponential", "abrupt", "skewed", "plateau")


def burst(rng: Rng, fs: float, seconds: float, shape: str | None = None) -> tuple[Array, str]:
    """Filtered-noise or unit-pool burst of a length with a drawn envelope; peak-to-peak 1."""
    shape = str(rng.choice(SHAPES)) if shape is None else shape
    n = max(8, int(seconds * fs))
    x = interference(rng, fs, n) * envelope(rng, n, fs, shape)
    return unit_pp(ends(x, fs)), f"burst_{shape}"


def limb(rng: Rng, fs: float, sharp: bool) -> tuple[Array, str]:
    """One-axis limb acceleration, peak 1: damped oscillation or skewed pulse with its recoil.

    ``sharp`` draws the time scales of a jerk (rise 10–60 ms); otherwise those of a smooth movement.
    """
    if rng.random() < 0.55:
        f = loguni(rng, 4, 22) if sharp else loguni(rng, 1.0, 3.0)
        tau = loguni(rng, 0.35, 1.4) / f
        t = np.arange(0, min(7 * tau, 0.9 if sharp else 3), 1 / fs)
        x = (1 - np.exp(-t * f * rng.uniform(3, 9))) * np.exp(-t / tau) * np.sin(2 * np.pi * f * t)
        name = "damped"
    else:
        k, tau = rng.uniform(1.8, 4), (loguni(rng, 5e-3, 22e-3) if sharp else loguni(rng, 0.05, 0.14))
        t = np.arange(0, (k + 8) * tau * 2.2, 1 / fs)
        v = (t / tau) ** k * np.exp(-t / tau)
        x = np.gradient(v) * np.where(np.gradient(v) > 0, 1, rng.uniform(0.6, 1.0))
        name = "skewed"
    x *= np.clip((t[-1] - t) / (0.15 * t[-1]), 0, 1)
    return x / np.abs(x).max(), name


def axes3(rng: Rng, fs: float, sharp: bool) -> tuple[Array, str]:
    """Three-axis limb acceleration of peak norm 1: a main axis and weaker side motion."""
    x, name = limb(rng, fs, sharp)
    y, _ = limb(rng, fs, sharp)
    lag = int(rng.uniform(0, 0.02) * fs)
    n = max(x.size, y.size + lag)
    d = rng.standard_normal((2, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    a = np.zeros((3, n))
    a[:, :x.size] += d[0][:, None] * x
    a[:, lag:lag + y.size] += d[1][:, None] * y * rng.uniform(0, 0.45)
    return a / np.linalg.norm(a, axis=0).max(), name


def slow_noise3(rng: Rng, fs: float, n: int, low: float, high: float) -> Array:
    """Three-axis band noise (swinging limb) under a smooth envelope; peak norm 1."""
    pad = int(2 * fs)
    sos = butter(2, [low, high], "band", fs=fs, output="sos")
    a = sosfilt(sos, rng.standard_normal((3, n + pad)), axis=1)[:, pad:]
    a = a * rng.uniform(0.3, 1, (3, 1)) * np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 0.5
    return a / np.linalg.norm(a, axis=0).max()
