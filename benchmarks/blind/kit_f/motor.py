"""Motor-unit pool: recruitment, discharge, volleys, and the EMG they give.

Recruitment and rate coding after Fuglevand, Winter & Patla (1993, J Neurophysiol 70:2470): exponential thresholds
(range 30), minimal rate 8 /s, peak rates 35 to 25 /s, interval coefficient of variation 0.2.
Volleys (reticular, cortical, propriospinal) make units fire once to a few times, nearly together.
"""

from __future__ import annotations

import numpy as np

from .conductor import Leg, unit_potentials
from .records import Array

RANGE = 30.0
MIN_RATE, PEAK_FIRST, PEAK_LAST = 8.0, 35.0, 25.0


class Pool:
    """Motor units seen by one electrode pair.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    leg : Leg
        Geometry and electrodes.
    fs : float
        Rate of the potentials (Hz).
    scattered : float
        Share of reinnervated, polyphasic units.
    count : int
        Units near and units far.
    """

    def __init__(self, rng: np.random.Generator, leg: Leg, fs: float, scattered: float = 0.1, count: int = 70) -> None:
        self.fs = fs
        self.leg = leg
        near, size_near = unit_potentials(rng, leg, fs, count, False, scattered)
        far, size_far = unit_potentials(rng, leg, fs, count, True, scattered)
        self.near = near[np.argsort(size_near)]
        self.far = far[np.argsort(size_far)]
        self.peak = np.ptp(self.near, axis=1)
        self.peak_far = np.ptp(self.far, axis=1)

    def pick(self, rng: np.random.Generator, target_uv: float, far: bool | None = None) -> Array:
        """Take a unit that could naturally have the size, and give it the fibres to reach it exactly."""
        use_far = bool(target_uv < 150 and rng.random() < 0.5) if far is None else far
        bank, peaks = (self.far, self.peak_far) if use_far else (self.near, self.peak)
        miss = np.abs(np.log(peaks / target_uv))
        chosen = rng.choice(np.argsort(miss)[:25])
        return np.asarray(bank[chosen] * (target_uv / peaks[chosen]))

    def discharge(self, rng: np.random.Generator, drive: Array, fs_drive: float) -> list[Array]:
        """Firing times (s) of every unit for an excitation of 0-1 (1 = all units, peak rates)."""
        count = self.near.shape[0]
        threshold = np.exp(np.log(RANGE) * np.arange(1, count + 1) / count)
        peak = PEAK_FIRST - (PEAK_FIRST - PEAK_LAST) * threshold / RANGE
        excitation = drive * (RANGE + PEAK_LAST - MIN_RATE)
        time = np.arange(drive.size) / fs_drive
        out: list[Array] = []
        for i in range(count):
            on = excitation > threshold[i]
            if not on.any():
                out.append(np.zeros(0))
                continue
            rate = np.where(on, np.minimum(peak[i], MIN_RATE + excitation - threshold[i]), 0)
            phase = np.cumsum(rate) / fs_drive
            number = int(phase[-1]) + 3
            steps = np.maximum(0.25, 1 + 0.2 * rng.standard_normal(number))
            steps[0] = rng.uniform(0, 0.6)
            marks = np.cumsum(steps)
            marks = marks[marks < phase[-1]]
            out.append(time[np.searchsorted(phase, marks)] + rng.uniform(0, 1 / fs_drive, marks.size))
        return out

    def render(self, trains: list[Array], length_s: float, far: bool) -> Array:
        """Sum the potentials of all discharges (microvolts)."""
        bank = self.far if far else self.near
        width = bank.shape[1]
        out = np.zeros(int(length_s * self.fs) + width + 2)
        for wave, times in zip(bank, trains):
            if times.size:
                start = np.clip((times * self.fs).astype(int), 0, out.size - width)
                np.add.at(out, (start[:, None] + np.arange(width)).ravel(), np.tile(wave, start.size))
        return out

    def contraction(self, rng: np.random.Generator, drive: Array, fs_drive: float, far: bool) -> Array:
        """EMG of a voluntary or reflex contraction with the given excitation."""
        return self.render(self.discharge(rng, drive, fs_drive), drive.size / fs_drive, far)

    def volley(self, rng: np.random.Generator, width_s: float, share: float, firings: int, far: bool = False) -> Array:
        """EMG of a synchronous burst.

        Parameters
        ----------
        rng : Generator
            Source of chance.
        width_s : float
            Time over which the discharges are spread.
        share : float
            Share of the pool recruited, smallest units first.
        firings : int
            Most discharges of one unit.
        far : bool
            Use the neighbouring muscle.
        """
        count = self.near.shape[0]
        active = max(3, int(share * count))
        skew = rng.uniform(1.2, 2.5)
        trains: list[Array] = []
        for i in range(count):
            if i >= active:
                trains.append(np.zeros(0))
                continue
            first = width_s * rng.beta(skew, skew * 1.3)
            number = 1 + rng.integers(0, firings) if firings > 1 else 1
            gaps = np.maximum(0.006, rng.normal(0.014, 0.004, number - 1)) if number > 1 else np.zeros(0)
            times = first + np.concatenate([[0.0], np.cumsum(gaps)])
            trains.append(times[times <= max(width_s, first)])
        return self.render(trains, width_s + 0.02, far)


def envelope_drive(rng: np.random.Generator, duration: float, fs: float, shape: str) -> Array:
    """Excitation profile (0-1) of a contraction: plateau, ramp, phasic or waxing."""
    n = max(4, int(duration * fs))
    t = np.linspace(0, 1, n)
    rise = min(0.45, rng.uniform(0.05, 0.25) / duration)
    fall = min(0.45, rng.uniform(0.1, 0.4) / duration)
    base = np.clip(t / rise, 0, 1) * np.clip((1 - t) / fall, 0, 1)
    if shape == "ramp":
        base = base * (0.35 + 0.65 * t)
    elif shape == "decay":
        base = base * np.exp(-1.5 * t)
    elif shape == "phasic":
        base = base * (0.62 + 0.38 * np.sin(2 * np.pi * (t * duration * rng.uniform(0.8, 3) + rng.random())))
    wobble = np.interp(t, np.linspace(0, 1, max(4, int(duration * 3))), rng.normal(1, 0.12, max(4, int(duration * 3))))
    return np.clip(base * wobble, 0, 1)
