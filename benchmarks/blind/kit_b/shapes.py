"""Event waveforms built from the banks of real potentials, contractions and swings."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, signal

from . import sources
from .background import direction, rotation
from .model import Array

Rng = np.random.Generator


def unit(x: Array) -> Array:
    """Scale to unit peak to peak."""
    return x / max(float(np.ptp(x)), 1e-12)


def muap(rng: Rng, fi: float, stretch: float = 1.0, index: int | None = None) -> Array:
    """Return a real unit potential, stretched in time (fibre speed, electrode distance), sign at random."""
    bank = sources.muaps()
    s = bank[int(rng.integers(len(bank))) if index is None else index % len(bank)]
    m = max(8, int(len(s) * stretch * fi / sources.MUAP_FS))
    y = np.interp(np.linspace(0, len(s) - 1, m), np.arange(len(s)), s)
    return unit(np.pad(y * rng.choice([-1.0, 1.0]), 4))


def smooth(x: Array, sigma_s: float, fi: float) -> Array:
    """Blur by a Gaussian: the tissue between source and skin."""
    pad = int(4 * sigma_s * fi) + 1
    return np.asarray(ndimage.gaussian_filter1d(np.pad(x, pad), sigma_s * fi), dtype=float)


def lobe(rng: Rng, fi: float, width_s: float) -> Array:
    """Cut the main lobe out of a real potential and give it the width (base) asked for."""
    s = muap(rng, sources.MUAP_FS)
    p = int(np.argmax(np.abs(s)))
    s = s * np.sign(s[p])
    a, b = p, p
    while a > 0 and s[a - 1] > 0:
        a -= 1
    while b < len(s) - 1 and s[b + 1] > 0:
        b += 1
    y = s[a : b + 1]
    m = max(6, int(width_s * fi))
    return np.asarray(np.interp(np.linspace(0, len(y) - 1, m), np.arange(len(y)), y), dtype=float)


def compound(rng: Rng, fi: float, phases: int, width_s: float) -> Array:
    """Sum of synchronous units: a real lobe (1 phase) or its differences over space (2, 3), blurred by jitter.

    Two electrodes along the fibre see the difference of the same passing lobe: one difference
    gives two phases, the end effects a third.
    """
    y = np.pad(lobe(rng, fi, width_s * (1.0, 0.62, 0.5)[phases - 1]), int(0.6 * width_s * fi) + 8)
    lag = max(1, int(width_s * fi * rng.uniform(0.2, 0.35)))
    for _ in range(phases - 1):
        y = y - rng.uniform(0.7, 1.0) * np.roll(y, lag)
    return unit(smooth(y, min(0.0015, 0.08 * width_s), fi) * rng.choice([-1.0, 1.0]))


def one_sided(rng: Rng, fi: float, width_s: float) -> Array:
    """One-sided potential (standing near the end of the fibres): fast rise, slow fall, shallow after-phase."""
    y = lobe(rng, fi, width_s)
    m = len(y)
    warp = np.linspace(0, 1, m) ** rng.uniform(0.5, 0.9)
    y = np.interp(warp * (m - 1), np.arange(m), y)
    tail = signal.windows.hann(2 * m) * rng.uniform(0.0, 0.2)
    out = np.zeros(3 * m + 16)
    out[8 : 8 + m] += y / y.max()
    out[8 + m // 2 : 8 + m // 2 + 2 * m] -= tail
    return unit(smooth(out, 0.0006, fi) * rng.choice([-1.0, 1.0]))


def polyphasic(rng: Rng, fi: float, spread_s: float) -> Array:
    """Sum of 4-12 real unit potentials scattered over the spread."""
    parts = [muap(rng, fi, rng.uniform(0.35, 0.8)) for _ in range(int(rng.integers(4, 13)))]
    out = np.zeros(int(spread_s * fi) + max(len(p) for p in parts) + 8)
    for p in parts:
        i = int(rng.uniform(0, spread_s) * fi)
        out[i : i + len(p)] += p * rng.uniform(0.3, 1.0)
    return unit(out)


def contraction(rng: Rng, n: int, fi: float) -> Array:
    """Return n samples of real contraction EMG of unit RMS, joined from random recordings, fibre speed varied."""
    bank = sources.contractions()
    fade = int(0.15 * fi)
    out = np.zeros(n + int(10 * fi))
    i = 0
    while i < n:
        x = bank[int(rng.integers(len(bank)))]
        length = min(int(rng.uniform(2.0, 3.9) * sources.CONTRACTION_FS), len(x) - 2)
        a = int(rng.integers(0, len(x) - length))
        y = x[a : a + length] * rng.choice([-1.0, 1.0])
        m = int(length * rng.uniform(0.9, 1.25) * fi / sources.CONTRACTION_FS)
        y = np.interp(np.linspace(0, length - 1, m), np.arange(length), y)
        w = np.ones(m)
        ramp = np.sin(np.linspace(0, np.pi / 2, fade))
        w[:fade], w[-fade:] = ramp, ramp[::-1]
        if i == 0:
            w[:fade] = 1.0
        out[i : i + m] += y * w
        i += m - fade
    return np.asarray(out[:n], dtype=float)


def burst(rng: Rng, fi: float, dur_s: float) -> Array:
    """Cut a burst out of real contraction EMG by a lopsided window: fast rise, slower fall."""
    n = max(12, int(dur_s * fi))
    x = contraction(rng, n, fi)
    rise = max(2, int(n * rng.uniform(0.05, 0.35)))
    fall = max(2, int(n * rng.uniform(0.15, 0.5)))
    w = np.ones(n)
    w[:rise] = np.sin(np.linspace(0, np.pi / 2, rise)) ** 2
    w[-fall:] *= np.cos(np.linspace(0, np.pi / 2, fall)) ** rng.uniform(0.8, 2.0)
    return unit(np.pad(x * w, 4))


def move_envelope(rng: Rng, n: int, fi: float) -> Array:
    """Envelope of a leg movement: ramps of 40-300 ms, slow fluctuation, sometimes two humps."""
    k = max(4, int(n / fi / 0.25) + 2)
    fluct = np.exp(0.35 * rng.standard_normal(k))
    env = np.interp(np.linspace(0, k - 1, n), np.arange(k), fluct)
    env = np.clip(env, 0.5, 2.0)
    up, down = (int(min(rng.uniform(0.04, 0.3) * fi, 0.25 * n)) for _ in range(2))
    env[:up] *= np.linspace(0, 1, up) ** 0.7
    env[-down:] *= np.linspace(1, 0, down) ** 0.7
    return np.asarray(env, dtype=float)


def rescale(s: Array, m: int) -> Array:
    """Resample a 3-axis snippet to m samples."""
    t = np.linspace(0, len(s) - 1, m)
    return np.stack([np.interp(t, np.arange(len(s)), s[:, c]) for c in range(3)], axis=1)


def peak_scale(a: Array, g: float) -> Array:
    """Scale a vector signal so that its longest vector is g."""
    return a * (g / max(float(np.linalg.norm(a, axis=1).max()), 1e-12))


def jerk_acc(rng: Rng, ai: float, g: float) -> Array:
    """Jerk: a real ankle swing, quickened, begun at rest, plus the damped ringing of leg and mattress."""
    bank = sources.swings()
    s = bank[int(rng.integers(len(bank)))]
    m = int(0.45 * ai / rng.uniform(1.0, 2.2))
    y = rescale(s, m) @ rotation(rng).T
    y = ndimage.gaussian_filter1d(y, 0.004 * ai, axis=0)
    head, tail = max(2, int(0.12 * m)), int(0.4 * m)
    y[:head] *= (np.linspace(0, 1, head) ** 2)[:, None]
    y[-tail:] *= (np.cos(np.linspace(0, np.pi / 2, tail)) ** 2)[:, None]
    y = peak_scale(y, 1.0)
    n = m + int(0.5 * ai)
    t = np.arange(n) / ai
    f, tau = rng.uniform(4.0, 13.0), rng.uniform(0.03, 0.11)
    ring = rng.uniform(0.1, 0.6) * np.sin(2 * np.pi * f * t) * np.exp(-t / tau) * (1 - np.exp(-t / 0.015))
    out = np.zeros((n, 3))
    out[:m] += y
    start = head + int(0.02 * ai)
    out[start:] += np.outer(ring[: n - start], direction(rng))
    return peak_scale(out, g)


def move_acc(rng: Rng, ai: float, dur_s: float, g: float) -> Array:
    """Movement: a real ankle episode of about the duration, stretched to it, sensor turned at random."""
    bank = sources.episodes()
    fit = sorted(bank, key=lambda e: abs(np.log(len(e) / sources.ACC_FS / dur_s)))[:12]
    s = fit[int(rng.integers(len(fit)))]
    m = max(8, int(dur_s * ai))
    y = rescale(s, m) @ rotation(rng).T
    y = y * signal.windows.tukey(m, min(1.0, 0.3 / dur_s))[:, None]
    return peak_scale(y, g)


def knock_acc(rng: Rng, ai: float, g: float) -> Array:
    """Knock on the sensor: half-sine of 5-15 ms and ringing of the strap at 15-45 Hz."""
    t = np.arange(int(0.35 * ai)) / ai
    width = rng.uniform(0.005, 0.015)
    hit = np.where(t < width, np.sin(np.pi * t / width), 0.0)
    f, tau = rng.uniform(15, 45), rng.uniform(0.01, 0.04)
    late = np.maximum(t - width, 0.0)
    ring = rng.uniform(0.2, 0.7) * np.sin(2 * np.pi * f * late) * np.exp(-late / tau)
    return peak_scale(np.outer(hit, direction(rng)) + np.outer(ring, direction(rng)), g)
