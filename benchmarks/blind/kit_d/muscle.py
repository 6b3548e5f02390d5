"""Coarse multi-compartment muscle: fibres of 1-mm compartments as current sources.

One membrane patch (Hodgkin and Huxley 1952, slowed or sped to 2-4 ms as in muscle, with a small
tubular after-depolarisation) gives the intracellular action potential. It travels from the end
plate of every fibre to both sealed ends at 3-5 m/s. The current leaving each compartment is the
second difference of the intracellular potential (sealed ends give the standing end effect); each
compartment is a point source in an anisotropic medium (Plonsey 1974; axial to radial conductivity
about 5). Electrodes are averages of three points. A motor unit is 50-300 fibres, sampled by 20.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal

FINE = 10000.0
SPAN = 0.050


@lru_cache(maxsize=8)
def membrane_potential(speed: float) -> np.ndarray:
    """Action potential of one patch, unit height, 10 kHz, 30 ms.

    Parameters
    ----------
    speed : float
        Temperature factor of the gates.
    """
    dt, v, m, h, n = 0.01, -65.0, 0.053, 0.6, 0.318
    out = np.empty(3000)
    exp = np.exp
    for k in range(out.size):
        am = 1.0 if abs(v + 40) < 1e-6 else 0.1 * (v + 40) / (1 - exp(-(v + 40) / 10))
        an = 0.1 if abs(v + 55) < 1e-6 else 0.01 * (v + 55) / (1 - exp(-(v + 55) / 10))
        m += dt * speed * (am * (1 - m) - 4 * exp(-(v + 65) / 18) * m)
        h += dt * speed * (0.07 * exp(-(v + 65) / 20) * (1 - h) - h / (1 + exp(-(v + 35) / 10)))
        n += dt * speed * (an * (1 - n) - 0.125 * exp(-(v + 65) / 80) * n)
        drive = 25.0 if k * dt < 0.6 else 0.0
        current = 120 * m**3 * h * (v - 50) + 36 * n**4 * (v + 77) + 0.3 * (v + 54.4)
        v += dt * (drive - current)
        out[k] = v
    y = np.maximum(out[::10] + 65.0, 0.0)  # muscle has no after-hyperpolarisation
    t = np.arange(y.size) / FINE * 1e3
    peak = int(np.argmax(y))
    late = np.where(t > t[peak], np.exp(-(t - t[peak]) / 9.0) * (1 - np.exp(-(t - t[peak]) / 0.8)), 0)
    return y / y.max() + 0.07 * late


@dataclass(frozen=True)
class Unit:
    """A motor unit: its potential in two leads at the working rate (unit height in lead 1)."""

    wave: np.ndarray
    near: bool
    size: float


def _unit(rng: np.random.Generator, fs: float, montage: str, fat_mm: float) -> Unit:
    """Sum the fibres of one motor unit at the electrodes."""
    depth = fat_mm + 1.0 + 24.0 * rng.random() ** 1.4
    side = rng.normal(0, 7.0)
    slow = float(rng.choice([0.9, 1.6, 2.6]))
    ap = membrane_potential(slow)
    t = np.arange(int(SPAN * FINE)) / FINE
    velocity = np.clip(rng.normal(4.0, 0.45), 2.6, 5.2) * 1e3
    plate = rng.uniform(-35, 35)
    spread = rng.choice([2.0, 5.0, 12.0], p=[0.5, 0.35, 0.15])
    left, right = -rng.uniform(35, 75), rng.uniform(35, 75)
    where = rng.random()
    if where < 0.18:  # all fibres end short of the electrodes (neighbour muscle, tendon): end effect only
        right = -rng.uniform(6, 22)
        plate, left = right - rng.uniform(20, 60), right - rng.uniform(70, 110)
    elif where < 0.3:  # fibres end between or just past the electrodes
        right = rng.uniform(-5, 14)
        plate = right - rng.uniform(15, 60)
        left = plate - 50
    gap = 10.0 if montage != "wide" else 18.0
    leads = [(-gap, gap), (45 - gap, 45 + gap)]
    if montage == "belly_tendon":
        leads = [(0.0, 110.0), (40.0, 110.0)]
    total = np.zeros((2, t.size))
    for _ in range(20):
        x, y = side + rng.normal(0, 2.5), max(depth + rng.normal(0, 2.0), fat_mm + 0.5)
        z = np.arange(left + rng.normal(0, 3), right + rng.normal(0, 3))
        z0 = plate + rng.normal(0, spread)
        v = velocity * (1 + rng.normal(0, 0.04))
        delay = np.abs(z - z0) / v + 0.002 + abs(rng.normal(0, 0.0003))
        vm = np.interp(t[None, :] - delay[:, None], np.arange(ap.size) / FINE, ap, left=0.0)
        for c, (a, b) in enumerate(leads):
            w = np.zeros(z.size)
            for pole, sign in ((a, 1.0), (b, -1.0)):
                for dz in (-4.0, 0.0, 4.0):
                    w += sign / np.sqrt((z - pole - dz) ** 2 + 5.0 * (x * x + y * y)) / 3
            lap = np.empty_like(w)
            lap[1:-1] = w[2:] - 2 * w[1:-1] + w[:-2]
            lap[0], lap[-1] = w[1] - w[0], w[-2] - w[-1]
            total[c] += lap @ vm
    fade = np.minimum(1.0, np.arange(t.size)[::-1] / (0.008 * FINE))
    total = signal.resample_poly((total - total[:, :1]) * fade, int(fs), int(FINE), axis=1)
    size = float(np.ptp(total[0]))
    return Unit(total / size, depth < fat_mm + 9, size)


class Muscle:
    """A pool of motor units under two leads.

    Parameters
    ----------
    rng : numpy Generator
    fs : float
        Working rate (Hz).
    montage : str
        "bipolar", "wide" or "belly_tendon".
    n : int
        Units.
    """

    def __init__(self, rng: np.random.Generator, fs: float, montage: str = "bipolar", n: int = 44):
        self.fs = fs
        fat = rng.uniform(2, 7)
        self.units = [_unit(rng, fs, montage, fat) for _ in range(n)]
        sizes = np.array([u.size for u in self.units])
        self.gain = np.clip(sizes / np.median(sizes), 0.05, 6.0)
        self.threshold = np.sort(0.01 * np.exp(rng.random(n) * np.log(60)))

    def discharge(self, n: int, spikes: list[tuple[int, float, float]]) -> np.ndarray:
        """Sum potentials (unit index, time in s, scale) into a two-lead array of ``n`` samples."""
        out = np.zeros((2, n))
        for k, when, scale in spikes:
            wave = self.units[k].wave
            i = int(round(when * self.fs))
            if 0 <= i < n:
                stop = min(n, i + wave.shape[1])
                out[:, i:stop] += scale * wave[:, : stop - i]
        return out

    def contraction(self, rng: np.random.Generator, drive: np.ndarray, step: float) -> np.ndarray:
        """Voluntary-like interference pattern from a drive (0-1), orderly recruitment.

        Parameters
        ----------
        drive : ndarray
            Drive every ``step`` seconds.
        step : float
            Seconds.
        """
        spikes: list[tuple[int, float, float]] = []
        for k, limit in enumerate(self.threshold):
            t, end = rng.random() * 0.08, drive.size * step
            active = np.flatnonzero(drive > limit) * step
            while t < end:
                d = drive[int(t / step)]
                if d <= limit:
                    j = np.searchsorted(active, t)
                    if j >= active.size:
                        break
                    t = max(active[j], t + step) + rng.random() * 0.03
                    continue
                spikes.append((k, t, self.gain[k]))
                rate = min(32.0, 7.0 + 30.0 * (d - limit))
                t += max(0.006, rng.normal(1.0, 0.18) / rate)
        n = int((drive.size * step + SPAN) * self.fs)
        return self.discharge(n, spikes)

    def volley(self, rng: np.random.Generator, duration: float) -> np.ndarray:
        """Synchronous burst (jerk): most units fire one to a few times within ``duration`` s."""
        spikes: list[tuple[int, float, float]] = []
        for k in rng.choice(len(self.units), int(rng.integers(14, len(self.units))), replace=False):
            t = max(0.0, duration * rng.beta(1.3, 2.2) - 0.006)
            for _ in range(1 + rng.poisson(duration / 0.06)):
                if t > max(duration - 0.01, 0.004):
                    break
                spikes.append((int(k), t, self.gain[k] * rng.uniform(0.7, 1.2)))
                t += rng.uniform(0.006, 0.03)
        if not spikes:
            spikes = [(0, 0.0, 1.0)]
        return self.discharge(int((duration + SPAN) * self.fs), spikes)
