"""Acceleration of the leg: jerks, movements, recoil, knocks, pulse, in g.

A short muscle pull gives a fast first lobe (rise 12-45 ms), a recoil of the other sign and a damped
ringing of shank and mattress (4-14 Hz). Single units give 1-3 mg (MMG studies quoted in the
criteria), a maximal twitch about 0.7 g, sleep starts more.
"""
from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .records import FloatArray

Rng = np.random.Generator


def direction(rng: Rng) -> FloatArray:
    """Random unit vector."""
    v = rng.standard_normal(3)
    return v / np.linalg.norm(v)


def scale_peak(acc: FloatArray, peak_g: float) -> FloatArray:
    """Scale a (3, n) array so that its largest vector length is `peak_g`."""
    return acc * (peak_g / max(float(np.max(np.linalg.norm(acc, axis=0))), 1e-12))


def pull(rng: Rng, fs: float, peak_g: float, width: float = 0.03) -> FloatArray:
    """Jolt of the leg after one muscle burst; starts at sample 0.

    Parameters
    ----------
    width : float
        Rise time of the first lobe (s).
    """
    n = int(0.9 * fs)
    t = np.arange(n) / fs
    main = direction(rng)
    side = direction(rng)
    k = rng.uniform(1.8, 3.2)
    lobe = (t / width) ** k * np.exp(k * (1 - t / width))
    lag, wide = rng.uniform(1.8, 4.0) * width, rng.uniform(1.2, 2.6) * width
    recoil = rng.uniform(0.25, 0.9) * np.exp(-0.5 * ((t - lag - wide) / (0.6 * wide)) ** 2)
    f, zeta = rng.uniform(4, 14), rng.uniform(0.12, 0.4)
    ring = rng.uniform(0.05, 0.45) * np.exp(-2 * np.pi * f * zeta * t) * np.sin(2 * np.pi * f * t)
    turn = np.clip(t / 0.3, 0, 1)[None, :] * rng.uniform(0, 0.7)
    along = main[:, None] * (1 - turn) + side[:, None] * turn
    acc = along * (lobe - recoil)[None, :] + (0.6 * main + 0.5 * side)[:, None] * ring[None, :]
    fade = np.clip((0.9 - t) / 0.3, 0, 1)
    return scale_peak(acc * fade, peak_g)


def sway(rng: Rng, fs: float, dur: float, peak_g: float, top_hz: float = 5.0) -> FloatArray:
    """Slow, smooth movement of a limb for `dur` seconds."""
    n = int((dur + 0.3) * fs)
    sigma = fs / (2 * np.pi * top_hz)
    acc = gaussian_filter1d(rng.standard_normal((3, n + int(8 * sigma))), sigma, axis=1)
    acc = acc[:, int(4 * sigma): int(4 * sigma) + n]
    acc = acc * (0.4 + rng.random(3))[:, None]
    t = np.arange(n) / fs
    env = np.clip(t / min(0.25, dur / 3), 0, 1) * np.clip((dur + 0.25 - t) / min(0.4, dur / 2), 0, 1)
    return scale_peak(acc * np.sin(0.5 * np.pi * env)[None, :], peak_g)


def knock(rng: Rng, fs: float, peak_g: float) -> FloatArray:
    """Blow on bed, strap or box: no muscle, a stiff damped ringing of 15-60 Hz."""
    n = int(0.35 * fs)
    t = np.arange(n) / fs
    f, tau = rng.uniform(15, 60), rng.uniform(0.008, 0.045)
    wave = np.exp(-t / tau) * np.sin(2 * np.pi * f * t)
    f2 = rng.uniform(8, 20)
    second = rng.uniform(0, 0.4) * np.exp(-t / (2 * tau)) * np.sin(2 * np.pi * f2 * t)
    return scale_peak(direction(rng)[:, None] * wave + direction(rng)[:, None] * second, peak_g)


def pulse_beat(rng: Rng, fs: float, peak_g: float) -> FloatArray:
    """One arterial pulse as the ankle strap feels it (3-12 Hz wavelet)."""
    n = int(0.5 * fs)
    t = np.arange(n) / fs
    f = rng.uniform(4, 8)
    wave = np.exp(-((t - 0.15) / 0.07) ** 2) * np.sin(2 * np.pi * f * (t - 0.12))
    wave += 0.35 * np.exp(-((t - 0.30) / 0.08) ** 2) * np.sin(2 * np.pi * 0.7 * f * t)
    return scale_peak(direction(rng)[:, None] * wave[None, :], peak_g)


def rotate(grav: FloatArray, axis: FloatArray, angle: FloatArray) -> FloatArray:
    """Rotate (3, n) vectors about one axis by `angle` (radians, one per sample)."""
    c, s = np.cos(angle), np.sin(angle)
    dot = axis @ grav
    cross = np.cross(axis[None, :], grav.T).T
    return grav * c + cross * s + np.outer(axis, dot) * (1 - c)


def turn_path(rng: Rng, fs: float, dur: float, stays: bool) -> FloatArray:
    """Course of a turn, 0 to 1 (stays) or 0 to 1 to 0, with a slight overshoot."""
    n = max(8, int(dur * fs))
    x = np.linspace(0, 1, n)
    if not stays:
        up = rng.uniform(0.2, 0.4)
        rise = np.clip(x / up, 0, 1)
        fall = np.clip((1 - x) / (1 - up), 0, 1)
        return np.minimum(rise, fall) ** 2 * (3 - 2 * np.minimum(rise, fall))
    s = x ** 3 * (10 - 15 * x + 6 * x ** 2)
    return s + rng.uniform(0, 0.08) * np.sin(np.pi * x) ** 2 * x
