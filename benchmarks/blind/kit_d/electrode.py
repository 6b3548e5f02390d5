"""Electrode-skin interface as a resistor-capacitor network, and what it does to the trace.

Each electrode is a half cell (Ag/AgCl, offsets of mV) behind R_ct || C_dl (tau 0.3-300 ms) and a
series resistance (Huigen, Peper & Grimbergen 2002; Neuman in Webster). A sudden change of the half
cell or of the double-layer charge is a pop: a step, a discharge, or a telegraph-like chatter. The
mains couples through the mismatch of the two impedances (Huhta & Webster 1973); when one contact
fades, hum and thermal noise grow and the muscle's share fades. Values are µV at the input.
"""

from __future__ import annotations

import numpy as np
from scipy import interpolate, signal
from scipy.special import expit


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw log-uniformly."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def drift(rng: np.random.Generator, n: int, fs: float, tau: float) -> np.ndarray:
    """Slow unit-variance wander of time constant ``tau`` s."""
    step = min(1.0, tau / 10)
    m = int(n / fs / step) + 3
    a = np.exp(-step / tau)
    x = signal.lfilter([np.sqrt(1 - a * a)], [1, -a], rng.normal(size=m + 200))[200:]
    return interpolate.CubicSpline(np.arange(m) * step, x)(np.arange(n) / fs)


def noise(rng: np.random.Generator, n: int, fs: float, rms: float, colour: float) -> np.ndarray:
    """Amplifier and electrode noise; ``colour`` = share of 1/f power; RMS in 20-450 Hz."""
    white = rng.normal(size=n)
    b = [0.049922035, -0.095993537, 0.050612699, -0.004408786]
    a = [1, -2.494956002, 2.017265875, -0.522189400]
    pink = signal.lfilter(b, a, rng.normal(size=n))
    sos = signal.butter(2, [20, min(450, 0.45 * fs)], "bandpass", fs=fs, output="sos")
    probe = slice(0, min(n, int(20 * fs)))
    y = np.sqrt(1 - colour) * white / signal.sosfilt(sos, white[probe]).std()
    y = y + np.sqrt(colour) * pink / signal.sosfilt(sos, pink[probe]).std()
    return rms * y


def hum(
    rng: np.random.Generator, n: int, fs: float, level: float, mains: float, kind: str
) -> np.ndarray:
    """Mains of RMS ``level`` µV through a slowly changing impedance mismatch.

    Parameters
    ----------
    kind : str
        "pure", "odd" (magnetic cores), "even" (rectifiers) or "rich".
    """
    f = mains + np.clip(0.04 * drift(rng, n, fs, 60.0), -0.2, 0.2) * mains / 50
    phase = 2 * np.pi * np.cumsum(f) / fs + rng.uniform(0, 6)
    parts = {1: 1.0}
    if kind in ("odd", "rich"):
        parts |= {k: rng.uniform(0.1, 0.5) / k**0.4 for k in (3, 5, 7, 9)}
    if kind in ("even", "rich"):
        parts |= {k: rng.uniform(0.1, 0.5) / k**0.5 for k in (2, 4, 6)}
    y, first, power = np.zeros(n), np.exp(1j * phase), np.ones(n, complex)
    for k in range(1, 10):
        power *= first
        if k in parts and k * mains < 0.45 * fs:
            turn = parts[k] * np.exp(1j * rng.uniform(0, 6))
            y += turn.real * power.imag + turn.imag * power.real
    y *= level / max(np.std(y[: int(10 * fs)]), 1e-9)
    return y * np.exp(np.clip(0.25 * drift(rng, n, fs, 25.0), -1.0, 0.7))


def pop(rng: np.random.Generator, fs: float, size: float) -> tuple[np.ndarray, str]:
    """One electrode pop of height ``size`` µV; returns the trace and its form."""
    form = str(rng.choice(["step", "discharge", "glitch", "chatter", "two_sided"], p=[0.15, 0.4, 0.15, 0.15, 0.15]))
    rise = log_uniform(rng, 5e-5, 10e-3)
    tau = log_uniform(rng, 0.7e-3, 0.25)
    t = np.arange(int((0.05 + (3.5 if form == "step" else 24 * tau if form == "two_sided" else 8 * tau)) * fs)) / fs
    up = 1 - np.exp(-t / rise)
    if form == "step":
        y = up * np.exp(-t / 0.6)
    elif form == "discharge":
        y = up * np.exp(-t / tau)
    elif form == "two_sided":
        y = up * (np.exp(-t / tau) - rng.uniform(0.3, 0.9) * np.exp(-t / (tau * rng.uniform(1.5, 4))))
    else:
        y = np.zeros(t.size)
        edges = np.cumsum(rng.exponential(0.2 * tau + 0.0015, 2 if form == "glitch" else int(rng.integers(3, 12))))
        for k, e in enumerate(edges):
            s = t - e
            y += np.where(s > 0, (-1) ** k * (1 - np.exp(-np.maximum(s, 0) / rise)), 0) * rng.uniform(0.7, 1)
        y *= np.exp(-np.maximum(t - edges[-1], 0) / (0.3 * tau + 0.001))
    y *= np.clip((t[-1] - t) / (0.3 * t[-1]), 0, 1)
    peak = max(np.abs(y).max(), 1e-6)
    return size * y / peak * rng.choice([-1.0, 1.0]), form


def radio(rng: np.random.Generator, fs: float, size: float, duration: float) -> tuple[np.ndarray, str]:
    """Demodulated radio: phone frames (217 Hz, 8.3 Hz gaps) or packets of 1-15 ms."""
    t = np.arange(int(duration * fs)) / fs
    if rng.random() < 0.5:
        y = ((t * 216.7) % 1.0 < 0.125) * 1.0 * (((t * 8.33) % 1.0) > 0.04)
        name = "phone_frames"
    else:
        y = np.zeros(t.size)
        at = 0.0
        while at < duration:
            i, m = int(at * fs), max(2, int(rng.uniform(0.001, 0.015) * fs))
            y[i : i + m] += rng.uniform(0.3, 1) * np.sign(rng.normal())
            at += rng.exponential(0.06)
        name = "packets"
    return size * y * (1 + 0.1 * rng.normal(size=t.size)), name


def fading_contact(
    rng: np.random.Generator, fs: float, duration: float, mains: float
) -> tuple[np.ndarray, np.ndarray]:
    """Loose contact: gain of the muscle's share, and the hum, noise and offsets it adds."""
    n = int((duration + 0.4) * fs)
    t = np.arange(n) / fs
    edge = rng.uniform(0.0008, 0.06)
    z = expit((t - 0.05) / edge * 4) * expit(-(t - 0.05 - duration) / edge * 4)
    if rng.random() < 0.4:
        z *= np.clip(1 + 0.6 * drift(rng, n, fs, 0.08), 0.1, 1.6)
    level = log_uniform(rng, 30, 3000)
    y = z * level * np.sin(2 * np.pi * mains * t + rng.uniform(0, 6))
    y += z * 0.25 * level * np.sin(2 * np.pi * 3 * mains * t + rng.uniform(0, 6))
    y += z * rng.normal(0, log_uniform(rng, 3, 60), n)
    y += z * rng.normal() * log_uniform(rng, 30, 8000) * np.exp(-t / rng.uniform(0.05, 1.0))
    return 1 - np.clip(z, 0, 1) * rng.uniform(0.2, 1.0), y


def heart(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Beat times with respiratory and slow variation."""
    rate, t, beats = rng.uniform(48, 74), 0.3, []
    while t < seconds:
        beats.append(t)
        t += 60 / rate * (1 + 0.05 * np.sin(2 * np.pi * 0.24 * t) + 0.03 * np.sin(0.06 * t) + rng.normal(0, 0.01))
    return np.array(beats)


def ecg_beat(rng: np.random.Generator, fs: float) -> np.ndarray:
    """PQRST of unit height; limb projection drawn once per recording."""
    t = np.arange(int(0.7 * fs)) / fs
    q, s, tw = rng.uniform(0, 0.3), rng.uniform(0, 0.6), rng.uniform(0.1, 0.35)
    parts = [(0.10, 0.022, 0.1), (0.235, 0.008, -q), (0.255, 0.011, 1.0), (0.278, 0.011, -s), (0.50, 0.045, tw)]
    return sum((h * np.exp(-((t - c) ** 2) / (2 * w * w)) for c, w, h in parts), np.zeros(t.size))
