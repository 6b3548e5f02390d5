"""Artefacts of electrodes, cables and radio, in microvolts, as additions at the electrode."""
from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .records import FloatArray

Rng = np.random.Generator
POPS = ("step_decay", "flicker", "spike", "telegraph", "slow_shift", "two_sided")


def pop(rng: Rng, fs: float, uv: float) -> tuple[FloatArray, str]:
    """Electrode pop of `uv` peak to peak: a contact that lets go and returns.

    A pop is an abrupt change of the half-cell potential (edges of well under a millisecond) with
    an exponential return over 3-150 ms, a flicker between two potentials, a spike, or a slower
    shift of the gel. Any length and size a twitch can have occurs.
    """
    kind = str(rng.choice(POPS, p=[.34, .16, .14, .12, .1, .14]))
    if kind == "step_decay":
        tau = float(np.exp(rng.uniform(np.log(0.002), np.log(0.12))))
        t = np.arange(0, 7 * tau, 1 / fs)
        wave = np.exp(-t / tau)
    elif kind == "flicker":
        m = int(np.exp(rng.uniform(np.log(0.003), np.log(0.15))) * fs) + 1
        wave = np.concatenate((np.ones(m) * np.linspace(1, rng.uniform(0.6, 1.0), m), np.zeros(2)))
    elif kind == "spike":
        wave = rng.standard_normal(int(rng.integers(1, max(3, int(0.003 * fs)))))
    elif kind == "telegraph":
        m = int(rng.uniform(0.01, 0.15) * fs)
        edges = np.sort(rng.integers(0, m, int(rng.integers(2, 9))))
        wave = np.zeros(m)
        for e in edges:
            wave[e:] += rng.normal()
        wave *= np.linspace(1, 0, m)
    elif kind == "slow_shift":
        m = int(rng.uniform(0.08, 0.6) * fs)
        wave = gaussian_filter1d(np.pad(np.hanning(m) * np.linspace(1, 0.2, m), 10), 0.002 * fs)
    else:
        tau = float(np.exp(rng.uniform(np.log(0.002), np.log(0.04))))
        t = np.arange(0, 7 * tau, 1 / fs)
        lag = int(rng.uniform(0.002, 0.03) * fs)
        wave = np.zeros(len(t) + lag)
        wave[: len(t)] += np.exp(-t / tau)
        wave[lag:] -= rng.uniform(0.5, 1.3) * np.exp(-t / tau)
    wave = np.pad(wave, (2, 2))
    if fs > 1500:
        wave = gaussian_filter1d(np.pad(wave, 4), 0.15e-3 * fs)
    return wave * (uv / max(float(np.ptp(wave)), 1e-9)) * rng.choice([-1.0, 1.0]), kind


def hum_burst(rng: Rng, fs: float, dur: float, uv: float, f0: float) -> FloatArray:
    """Mains hum for a short time (a lamp, a charger, a hand near the cable), `uv` RMS."""
    t = np.arange(0, dur, 1 / fs)
    wave = np.sin(2 * np.pi * f0 * t) + 0.4 * np.sin(6 * np.pi * f0 * t + 1) + 0.2 * np.sin(10 * np.pi * f0 * t)
    ramp = np.clip(np.minimum(t, dur - t) / min(0.03, dur / 4), 0, 1)
    return wave * ramp * uv


def radio_burst(rng: Rng, fs: float, dur: float, uv: float) -> FloatArray:
    """Demodulated radio: 217-Hz phone frames or short packets every 7.5-100 ms."""
    n = int(dur * fs)
    out = np.zeros(n)
    period = float(rng.choice([1 / 216.7, 0.0075, 0.03, 0.1]))
    width = max(1, int(rng.uniform(0.0004, 0.0012) * fs))
    for t in np.arange(0, dur - 0.003, period):
        i = int(t * fs)
        out[i: i + width] += rng.uniform(0.6, 1.0)
    return out * uv


def cable_swing(rng: Rng, fs: float, uv: float) -> FloatArray:
    """Swinging cable: damped 0.7-3 Hz, with the friction noise of the insulation."""
    dur = rng.uniform(2, 7)
    t = np.arange(0, dur, 1 / fs)
    f = rng.uniform(0.7, 3.0)
    wave = np.sin(2 * np.pi * f * t) + 0.3 * np.sin(4 * np.pi * f * t + 1)
    rub = gaussian_filter1d(rng.standard_normal(len(t)), 0.008 * fs)
    rub *= 0.12 / max(float(np.std(rub)), 1e-9)
    env = np.clip(t / 0.2, 0, 1) * np.exp(-t / (dur / 3.5)) * np.clip((dur - t) / 0.3, 0, 1)
    return (wave + rub) * env * uv


def loose_contact(rng: Rng, fs: float, dur: float, f0: float) -> tuple[FloatArray, FloatArray]:
    """Electrode off the skin: additions (hum, wander, crackle) and the gain of what remains."""
    n = int(dur * fs)
    t = np.arange(n) / fs
    hum = rng.uniform(50, 2500) * np.sin(2 * np.pi * f0 * t + rng.uniform(0, 6))
    drift = gaussian_filter1d(np.cumsum(rng.standard_normal(n)), 0.003 * fs)
    drift = (drift - drift[0]) * (rng.uniform(100, 3000) / max(float(np.ptp(drift)), 1e-9))
    crackle = (rng.random(n) < rng.uniform(2, 40) / fs) * rng.normal(0, rng.uniform(100, 1500), n)
    crackle = gaussian_filter1d(crackle, 0.2e-3 * fs) * 2
    edge = np.clip(np.minimum(t, t[::-1]) / 0.004, 0, 1)
    return (hum + drift + crackle) * edge, 1.0 - edge * rng.uniform(0.5, 1.0)
