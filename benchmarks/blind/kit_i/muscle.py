"""Volleys of many units, interference EMG and the drive behind them."""

import numpy as np
from scipy import signal

from . import potentials


def pool(rng, fs, count, short=1.0):
    """Potentials of the units of one muscle under one electrode pair."""
    out = []
    for _ in range(count):
        y, _, _ = potentials.unit(rng, short * rng.uniform(0.004, 0.014), fs)
        out.append(y * rng.lognormal(0, 0.9))
    return out


def volley(rng, fs, seconds, units, skew=(1.6, 2.6), dense=None):
    """One synchronous burst: every unit fires once or again under a skewed hump.
    Peak-to-peak 1; the spikes lie within `seconds`."""
    lead = max(len(u) for u in units)
    n = int(seconds * fs) + 2 * lead
    y = np.zeros(n)
    body = max(2, int(seconds * fs) - lead // 2)
    many = dense or max(1, int(round(rng.uniform(0.6, 1.6) * (1 + seconds / 0.03))))
    for u in units:
        for _ in range(rng.poisson(many * 0.7) + (rng.random() < 0.5)):
            at = int(rng.beta(*skew) * body)
            y[at : at + len(u)] += u * rng.uniform(0.8, 1.2)
    if np.ptp(y) == 0:
        y[: len(units[0])] = units[0]
    return y / np.ptp(y)


def spikes(rng, rate, fs, spread=0.2):
    """Spike samples of one unit: inverse-Gaussian renewal in the unit's own time
    (integral of its rate), so the drive may change at will."""
    own = np.cumsum(rate) / fs
    if own[-1] <= 0:
        return np.zeros(0, int)
    steps = rng.wald(1.0, 1 / spread**2, int(own[-1] * 1.5) + 10)
    marks = np.cumsum(steps) - rng.uniform(0, 1)
    marks = marks[(marks > 0) & (marks < own[-1])]
    return np.searchsorted(own, marks)


def interference(rng, fs, drive, units, top_rate=35.0):
    """EMG of a drive 0..1 (array): units are recruited in order of size, with a
    common slow wander; returns the bare sum (arbitrary unit)."""
    n = len(drive)
    order = sorted(range(len(units)), key=lambda i: np.ptp(units[i]))
    wander = signal.lfilter([1], [1, -np.exp(-2 * np.pi * 3 / fs)], rng.normal(0, 1, n))
    wander /= max(wander.std(), 1e-9)
    y = np.zeros(n + 4096)
    for k, i in enumerate(order):
        gate = 0.02 + 0.75 * (k / len(order)) ** 1.7
        rate = np.where(drive > gate, 7 + (top_rate - 7) * np.clip(drive - gate, 0, 1), 0)
        rate = rate * np.clip(1 + 0.08 * wander, 0.3, 2)
        hit = spikes(rng, rate, fs, rng.uniform(0.12, 0.3))
        train = np.zeros(n)
        np.add.at(train, hit[hit < n], rng.normal(1, 0.05, np.sum(hit < n)))
        if len(hit):
            y[: n + len(units[i]) - 1] += signal.oaconvolve(train, units[i])
    return y[:n]


def contraction(rng, fs, seconds, units, level, rise=None, fall=None, wavy=0.1, top_rate=35.0):
    """A held contraction, starts and ends within `seconds`."""
    n = int(seconds * fs)
    t = np.arange(n) / fs
    rise = rise or rng.uniform(0.03, 0.3) * min(1, seconds)
    fall = fall or rng.uniform(0.05, 0.4) * min(1, seconds)
    drive = level * np.clip(t / rise, 0, 1) ** 0.6 * np.clip((seconds - t) / fall, 0, 1) ** 0.7
    drive *= 1 + wavy * np.sin(2 * np.pi * (rng.uniform(0.3, 1.5) * t + rng.random()))
    return interference(rng, fs, np.clip(drive, 0, 1), units, top_rate)


def scale_to(y, peak_to_peak):
    top = np.ptp(y)
    return y * (peak_to_peak / top) if top > 0 else y
