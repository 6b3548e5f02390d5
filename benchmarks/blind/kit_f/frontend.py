"""Electrodes, amplifier and converter: what stands between the skin and the file.

Noise of skin and amplifier: thermal part of the electrode's impedance, 1/f^2-like skin noise that dominates low
frequencies (Gondran 1996; Huigen 2002), amplifier white noise. Mains couples through the unbalanced impedance (less
with a driven right leg), with harmonics and a wandering frequency.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import signal

from .records import Array


@dataclass(frozen=True)
class Recorder:
    """One channel's front end.

    Attributes
    ----------
    fs, fi : float
        Converter rate and the rate of the simulated analogue signal (Hz); fi is a multiple of fs.
    hp, hp_order, lp, lp_order : float, int
        Band-pass of the amplifier; hp 0 is DC coupled.
    bits, rail_uv : int, float
        Converter width and full scale (plus and minus) at the input.
    floor_uv : float
        Resting noise in 20-450 Hz without mains (RMS).
    colour : float
        0 white, 1 mostly skin noise rising to low frequencies.
    mains_hz, mains_uv : float
        Line frequency and RMS at the input.
    mains_drift : float
        Slow change of the level (0-1).
    harmonics : dict
        Order to level relative to the fundamental.
    wander_uv : float
        Baseline wander of the half cell (RMS, below 1 Hz).
    ecg_uv : float
        R peak of the heart's signal, 0 for none.
    cable_uv_per_g : float
        Motion artefact of cable and contact.
    """

    fs: float
    fi: float
    hp: float
    hp_order: int
    lp: float
    lp_order: int
    bits: int
    rail_uv: float
    floor_uv: float
    colour: float
    mains_hz: float
    mains_uv: float
    mains_drift: float = 0.2
    harmonics: dict[int, float] = field(default_factory=dict)
    wander_uv: float = 20.0
    ecg_uv: float = 0.0
    cable_uv_per_g: float = 30.0

    def analogue(self, x: Array) -> Array:
        """Amplifier's filters."""
        y = x
        if self.hp > 0:
            y = signal.sosfilt(signal.butter(self.hp_order, self.hp, "high", fs=self.fi, output="sos"), y)
        if self.lp < 0.45 * self.fi:
            y = signal.sosfilt(signal.butter(self.lp_order, self.lp, fs=self.fi, output="sos"), y)
        return np.asarray(y)

    def convert(self, x: Array) -> Array:
        """Sample, clip at the rails and round to the converter's steps."""
        step = 2 * self.rail_uv / 2**self.bits
        y = x[::round(self.fi / self.fs)]
        return np.asarray(np.clip(np.round(y / step), -2**(self.bits - 1), 2**(self.bits - 1) - 1) * step)


def band_rms(x: Array, fs: float) -> float:
    """RMS in 20-450 Hz (or up to 0.45 of the rate)."""
    return float(np.std(in_band(x, fs)[int(0.5 * fs):]))


def in_band(x: Array, fs: float) -> Array:
    """Signal in 20-450 Hz (or up to 0.45 of the rate), zero phase."""
    sos = signal.butter(2, [20.0, min(450.0, 0.45 * fs)], "band", fs=fs, output="sos")
    return np.asarray(signal.sosfiltfilt(sos, x))


def resting_noise(rng: np.random.Generator, rec: Recorder, n: int) -> Array:
    """Noise of electrodes and amplifier, without mains (microvolts at the input)."""
    white = rng.standard_normal(n)
    slow = np.zeros(n)
    for corner, gain in ((4.0, 1.0), (16.0, 0.75), (64.0, 0.6)):
        a = np.exp(-2 * np.pi * corner / rec.fi)
        part = signal.lfilter([np.sqrt(1 - a * a)], [1, -a], rng.standard_normal(n))
        slow += gain * part
    raw = white * (1 - rec.colour * 0.85) + rec.colour * 1.2 * slow
    size = band_rms(rec.analogue(raw[:int(min(n, 20 * rec.fi))]), rec.fi)
    knots = max(4, int(n / rec.fi / 60))
    level = np.interp(np.arange(n), np.linspace(0, n, knots), np.exp(rng.normal(0, 0.05, knots)))
    return raw * (rec.floor_uv / size) * level


def mains(rng: np.random.Generator, rec: Recorder, n: int) -> Array:
    """Power-line interference with harmonics, wandering frequency and level."""
    if rec.mains_uv <= 0:
        return np.zeros(n)
    knots = max(5, int(n / rec.fi / 20))
    where = np.linspace(0, n, knots)
    wander = np.clip(np.cumsum(rng.normal(0, 0.03, knots)), -0.2, 0.2) * (0.5 if rec.mains_hz > 55 else 1.0)
    phase = 2 * np.pi * np.cumsum(rec.mains_hz + np.interp(np.arange(n), where, wander)) / rec.fi
    level = np.interp(np.arange(n), where, np.exp(rec.mains_drift * np.clip(np.cumsum(rng.normal(0, 0.25, knots)), -1.5, 1.5)))
    level /= np.sqrt(np.mean(level**2))
    out = np.sin(phase)
    for order, gain in rec.harmonics.items():
        if order * rec.mains_hz < 0.45 * rec.fi:
            out += gain * np.sin(order * phase + rng.uniform(0, 6.28))
    return np.asarray(rec.mains_uv * np.sqrt(2) * level * out)


def wander(rng: np.random.Generator, rec: Recorder, n: int) -> Array:
    """Half-cell drift: slow random walk pulled back to zero, plus a start-up drift."""
    knots = max(8, int(n / rec.fi * 2))
    walk = np.asarray(signal.lfilter([1], [1, -0.985], rng.standard_normal(knots)))
    walk *= rec.wander_uv / np.std(walk)
    t = np.arange(n) / rec.fi
    smooth = np.interp(t, np.linspace(0, t[-1], knots), signal.savgol_filter(walk, 7, 3))
    return smooth + rng.normal(0, 4 * rec.wander_uv) * np.exp(-t / rng.uniform(60, 600))


def heart_times(rng: np.random.Generator, length_s: float) -> Array:
    """Beats with respiratory arrhythmia (s)."""
    rate = rng.uniform(48, 74) / 60
    beats = int(length_s * rate * 1.3) + 10
    k = np.arange(beats)
    gaps = (1 / rate) * (1 + 0.05 * np.sin(2 * np.pi * k / rng.uniform(3.5, 5)) + rng.normal(0, 0.02, beats))
    times = np.cumsum(gaps)
    return np.asarray(times[times < length_s - 1])


def ecg_wave(rng: np.random.Generator, fs: float) -> Array:
    """One heartbeat, R peak 1: P, Q, R, S and T as Gaussians (R at 0.25 s)."""
    t = np.arange(int(0.75 * fs)) / fs - 0.25
    parts = ((0.10, -0.17, 0.025), (-0.12, -0.026, 0.009), (1.0, 0.0, 0.0105), (-rng.uniform(0.1, 0.5), 0.026, 0.011),
             (rng.uniform(0.12, 0.3), 0.26, 0.05))
    beat = np.asarray(sum(a * np.exp(-0.5 * ((t - m) / s)**2) for a, m, s in parts))
    return np.asarray(beat * rng.choice([-1.0, 1.0]))
