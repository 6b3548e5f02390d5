"""Electrode, cable, mains and radio faults, as voltages at the electrode (before the amplifier).

Physics: a pop is a step of the half-cell potential (tens of µV to mV) that discharges through the
electrode and the amplifier's high-pass; a cable that swings makes charge (triboelectric) at
0.7-4 Hz; a loose contact turns the unbalanced impedance into hum and rail-to-rail steps; radio is
rectified in the first stage: 217 Hz TDMA bursts of 0.577 ms, Bluetooth connection events, Wi-Fi.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .model import Array

Rng = np.random.Generator


def pop(rng: Rng, fi: float, size: float) -> tuple[Array, str]:
    """Electrode pop of the given peak to peak; returns waveform and its name."""
    kind = str(rng.choice(["step_decay", "spike", "bipolar", "step", "double", "soft"]))
    n = int(1.2 * fi)
    t = np.arange(n) / fi
    tau = float(np.exp(rng.uniform(np.log(0.003), np.log(0.15))))
    rise = float(np.exp(rng.uniform(np.log(0.0001), np.log(0.003))))
    edge = 1 - np.exp(-t / rise)
    if kind == "step_decay":
        x = edge * np.exp(-t / tau)
    elif kind == "spike":
        x = edge * np.exp(-t / float(np.exp(rng.uniform(np.log(0.0008), np.log(0.015)))))
    elif kind == "bipolar":
        d = float(np.exp(rng.uniform(np.log(0.001), np.log(0.01))))
        x = edge * np.exp(-t / d) - rng.uniform(0.2, 0.8) * np.exp(-t / (3 * d)) * (1 - np.exp(-t / d))
    elif kind == "soft":
        slow = rng.uniform(0.003, 0.012)
        x = (1 - np.exp(-((t / slow) ** 2))) * np.exp(-t / rng.uniform(0.03, 0.15))
    elif kind == "step":
        x = edge * np.where(t < 0.6, 1.0, np.exp(-(t - 0.6) / 0.08))
    else:
        gap = rng.uniform(0.01, 0.11)
        late = np.where(t > gap, np.exp(-np.maximum(t - gap, 0) / tau), 0.0)
        x = edge * np.exp(-t / tau) - rng.uniform(-1, 1) * late
    return x * rng.choice([-1.0, 1.0]) * size / np.ptp(x), "pop_" + kind


def knock_emg(rng: Rng, fi: float, size: float) -> Array:
    """Slow electrode movement by a knock: a damped 3-20 Hz swing."""
    t = np.arange(int(0.5 * fi)) / fi
    f, tau = rng.uniform(3, 20), rng.uniform(0.03, 0.12)
    x = np.sin(2 * np.pi * f * t) * np.exp(-t / tau)
    return np.asarray(x * size / np.ptp(x), dtype=float)


def hum_burst(rng: Rng, fi: float, dur: float, hz: float, rms: float) -> Array:
    """Burst of mains hum with hard or soft edges and its harmonics (a lamp, a blanket, a touch)."""
    n = int(dur * fi)
    t = np.arange(n) / fi
    p = rng.uniform(0, 2 * np.pi)
    x = np.sin(2 * np.pi * hz * t + p)
    for h in (2, 3, 5, 7):
        x += rng.uniform(0, 0.6) / h * np.sin(2 * np.pi * h * hz * t + rng.uniform(0, 2 * np.pi))
    edge = int(min(np.exp(rng.uniform(np.log(0.001), np.log(0.2))), dur / 3) * fi) + 1
    ramp = np.linspace(0, 1, edge)
    x[:edge] *= ramp
    x[-edge:] *= ramp[::-1]
    return np.asarray(x * rms / x.std(), dtype=float)


def radio(rng: Rng, fi: float, dur: float, size: float) -> tuple[Array, str]:
    """Rectified radio bursts: gsm (217 Hz), ble (every 7.5-100 ms), wifi (random packets)."""
    n = int(dur * fi)
    kind = str(rng.choice(["gsm", "ble", "wifi"]))
    fine = 4
    x = np.zeros(n * fine)
    if kind == "gsm":
        starts, width = np.arange(0, dur, 0.004615), 0.000577
        gate = rng.random(len(starts)) > 0.04
        starts = starts[gate & ((np.arange(len(starts)) + 1) % 26 != 0)]
    elif kind == "ble":
        every = float(rng.choice([0.0075, 0.015, 0.03, 0.05, 0.1]))
        starts, width = np.arange(0, dur, every), float(rng.uniform(0.0003, 0.002))
    else:
        starts = np.cumsum(rng.exponential(0.02, int(dur / 0.02) + 4))
        width = float(rng.uniform(0.0003, 0.003))
    for s in starts:
        i, j = int(s * fi * fine), int((s + width * rng.uniform(0.8, 1.2)) * fi * fine) + 1
        x[i:j] = rng.uniform(0.7, 1.0)
    y = x.reshape(n, fine).mean(axis=1)
    return np.asarray(y * size * rng.choice([-1.0, 1.0]), dtype=float), "radio_" + kind


def contact(rng: Rng, fi: float, dur: float, hz: float) -> Array:
    """Loose contact: random make and break, hum through the unbalanced impedance, steps, crackle."""
    n = int(dur * fi)
    t = np.arange(n) / fi
    open_ = np.zeros(n)
    i, state = 0, 1.0
    while i < n:
        m = int(rng.exponential(0.09) * fi) + 2
        open_[i : i + m] = state * rng.uniform(0.4, 1.0)
        state, i = 1.0 - state, i + m
    level = float(np.exp(rng.uniform(np.log(80), np.log(4000))))
    x = np.sin(2 * np.pi * hz * t + rng.uniform(0, 6)) + 0.25 * np.sin(6 * np.pi * hz * t)
    x = x * level + rng.standard_normal(n) * 0.1 * level + rng.uniform(-2, 2) * level
    return ndimage.gaussian_filter1d(x * open_, 0.0002 * fi)


def cable(rng: Rng, fi: float, dur: float, size: float) -> Array:
    """Cable swing: a damped slow pendulum with 4-15 Hz shivers."""
    n = int(dur * fi)
    t = np.arange(n) / fi
    f = rng.uniform(0.7, 4)
    x = np.sin(2 * np.pi * f * t) * np.exp(-t / (0.45 * dur))
    shiver = ndimage.gaussian_filter1d(rng.standard_normal(n), fi / rng.uniform(40, 80))
    x += 0.25 * shiver / shiver.std() * np.exp(-t / (0.3 * dur))
    edge = int(0.1 * n) + 1
    x[:edge] *= np.linspace(0, 1, edge)
    x[-edge:] *= np.linspace(1, 0, edge)
    return np.asarray(x * size / np.ptp(x), dtype=float)
