"""Composer of nights in which movement is a point process.

It shares no assumption, and no code, with `bout_nights` beyond the source of the real hypnograms.
The log of the rate of movement is an Ornstein-Uhlenbeck process whose mean falls with sleepiness
towards a floor that may exceed the rate asleep. A movement turns the leg by minimum-jerk rotations.
The heart is an integrate-and-fire oscillator whose rate follows sympathetic drive, the time of
night and, in some persons only, sleep; respiration is an oscillator with phase noise; tone is
single motor units that fall silent at a time of their own. A partner moves the bed. The device's
rates vary.

Heart rate falls by 0 to 12 % around sleep onset, over minutes and starting before or after it
(Burgess et al. 1999; Carrington et al. 2005); the EMG of the leg falls in some persons (Shinar et
al. 2006, doi:10.1016/j.autneu.2006.04.006). Numbers without a source are engineering defaults.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.sleep_onset.composed_night import ComposedNight
from firmware_sim.hypnogram import EPOCH_S

Floats = NDArray[np.float64]

#: Sampling rates of EMG and acceleration, Hz.
RATES = ((1000.0, 100.0), (500.0, 50.0), (250.0, 52.0))
#: Distance of the sensor from the knee, m, and gravity, m/s2.
LEVER_M, GRAVITY = 0.25, 9.81
#: Factor of the rate of movement by stage, before the person's exponent.
STAGE_RATE = {"W": 1.0, "N1": 0.35, "N2": 0.12, "N3": 0.05, "R": 0.18}
#: Phase noise of respiration by stage, before the person's exponent.
STAGE_NOISE = {"W": 1.0, "N1": 0.9, "N2": 0.45, "N3": 0.2, "R": 1.0}


@dataclass(slots=True)
class Burst:
    """A contraction: start and length (s), EMG (uV RMS), rotations in degrees, or a knock in g."""

    start_s: float
    length_s: float
    emg_uv: float
    turns_deg: list[float] = field(default_factory=list)
    stays: bool = False
    knock_g: float = 0.0


@dataclass(frozen=True, slots=True)
class Drivers:
    """The state of the body at each second."""

    stage: NDArray[np.str_]
    onset: int
    asleep: Floats
    intensity: Floats


def compose(name: str, stages: tuple[str, ...], seed: int) -> ComposedNight:
    """Compose a night that follows the given stages."""
    rng = np.random.default_rng([seed, 2])
    fs_emg, fs_acc = RATES[rng.integers(len(RATES))]
    stage = np.repeat(np.array(stages), round(EPOCH_S))
    onset = int(np.argmax(stage != "W"))
    rate = _movement_rate(stage, onset, rng)
    bursts = _bursts(rate, onset, rng)
    intensity = np.zeros(len(stage))
    for b in bursts:
        intensity[min(int(b.start_s), len(stage) - 1)] += max(b.turns_deg, default=2.0) ** 0.5
    asleep = (stage != "W").astype(np.float64)
    body = Drivers(stage, onset, asleep, intensity)
    phase, depth = _respiration(body, rng)
    beats = _beats(body, phase, rng)
    ecg = bool(rng.random() < 0.5)
    emg = _emg(body, bursts, beats if ecg else beats[:0], fs_emg, rng)
    acc = _acceleration(len(stage), bursts, phase, depth, beats, fs_acc, rng)
    before = [b.start_s for b in bursts if b.start_s < onset and max(b.turns_deg, default=0) > 2]
    still = (onset - max(before, default=0.0)) / 60
    return ComposedNight(name, stages, emg, acc, fs_emg, fs_acc, ecg, still)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from a log-uniform distribution."""
    return float(low * (high / low) ** rng.random())


def _ou(n: int, tau_s: float, sd: float, rng: np.random.Generator) -> Floats:
    """Return an Ornstein-Uhlenbeck process, one value for each second."""
    out, keep = np.empty(n), np.exp(-1 / tau_s)
    noise = rng.standard_normal(n) * np.sqrt(1 - keep**2)
    value = rng.standard_normal()
    for k in range(n):
        value = keep * value + noise[k]
        out[k] = value
    return sd * out


def _movement_rate(stage: NDArray[np.str_], onset: int, rng: np.random.Generator) -> Floats:
    """Return the rate of movements, per minute, at each second."""
    n = len(stage)
    start, floor = _between(rng, 0.4, 5.0), _between(rng, 0.02, 0.5)
    settles_s = 60 * _between(rng, 3, 40)
    lights_s = onset * rng.uniform(0.0, 0.7)  # until then reading, phone, talking
    awake_s = np.maximum(np.arange(n) - lights_s, 0.0)
    mean = floor + (start - floor) * np.exp(-awake_s / settles_s)
    exponent = rng.uniform(0.7, 1.6)
    gate = np.array([STAGE_RATE[s] ** exponent for s in stage.tolist()])
    after = np.arange(n) > onset
    level = np.where(after & (stage == "W"), _between(rng, 0.3, 3.0), mean)
    level = np.where(after & (stage != "W"), _between(rng, 0.5, 2.0), level)
    out: Floats = (
        level * gate * np.exp(_ou(n, 60 * _between(rng, 1, 10), rng.uniform(0.5, 1.4), rng))
    )
    return out


def _bursts(rate: Floats, onset: int, rng: np.random.Generator) -> list[Burst]:
    """Draw movements, periodic leg movements, jerks, twitches and knocks of a partner."""
    n, out = len(rate), []
    size = _between(rng, 0.5, 2.0)
    for t in np.flatnonzero(rng.random(n) < rate / 60):
        large = rng.random() < 0.25
        count = int(rng.integers(1, 7 if large else 3))
        span = (5, 70) if large else (0.2, 8)
        turns = [size * _between(rng, *span) for _ in range(count)]
        out.append(Burst(t + rng.random(), count * rng.uniform(0.4, 2.0), _between(rng, 1, 150),
                         turns, stays=bool(rng.random() < 0.4)))  # fmt: skip
    if rng.random() < 0.35:
        first = onset + 60 * rng.uniform(-25, 25)
        period, spread = rng.uniform(15, 45), rng.uniform(0.05, 0.3)
        stop = first + 60 * rng.uniform(8, 60)
        while first < min(stop, n - 15):
            if first > 3:
                out.append(Burst(first, rng.uniform(0.6, 5), _between(rng, 10, 120),
                                 [_between(rng, 0.5, 10)]))  # fmt: skip
            first += period * float(np.exp(spread * rng.standard_normal()))
    clusters = int(rng.poisson(1.0))
    for _ in range(clusters):  # sleep starts, single or in a volley
        t = onset + 60 * float(rng.normal(0, 4))
        for _ in range(int(rng.geometric(0.5))):
            if 3 < t < n - 15:
                out.append(Burst(t, rng.uniform(0.08, 0.28), _between(rng, 100, 900),
                                 [_between(rng, 2, 20)]))  # fmt: skip
            t += rng.uniform(4, 60)
    if rng.random() < 0.3:
        per_min = _between(rng, 0.05, 3)
        out += [Burst(n * float(u), rng.uniform(0.01, 0.05), _between(rng, 30, 150))
                for u in rng.random(rng.poisson(per_min * n / 60))]  # fmt: skip
    if rng.random() < 0.5:
        out += [Burst(n * float(u), 0.4, 0.0, knock_g=_between(rng, 0.003, 0.06))
                for u in rng.random(rng.poisson(_between(rng, 0.5, 12) * n / 3600))]  # fmt: skip
    return sorted((b for b in out if b.start_s < n - 10), key=lambda b: b.start_s)


def _respiration(body: Drivers, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return phase (cycles) and relative depth of respiration at each second."""
    n = len(body.stage)
    exponent, person = rng.uniform(0.0, 1.3), _between(rng, 0.5, 2.0)
    noise = np.array([STAGE_NOISE[s] ** exponent for s in body.stage.tolist()])
    noise = person * np.convolve(noise, np.ones(60) / 60, "same")
    frequency = rng.uniform(0.17, 0.32) * (1 + 0.12 * noise * _ou(n, 12, 1.0, rng))
    frequency = frequency + 0.05 * noise * rng.standard_normal(n)
    depth = np.exp(0.25 * noise * _ou(n, 8, 1.0, rng))
    if rng.random() < 0.25:  # periodic breathing while falling asleep
        light = np.convolve(np.isin(body.stage, ("W", "N1")) * 1.0, np.ones(90) / 90, "same")
        waves = np.sin(2 * np.pi * np.arange(n) / rng.uniform(25, 70))
        depth *= 1 + 0.6 * light * body.asleep * waves
    return np.cumsum(np.maximum(frequency, 0.03)), depth


def _beats(body: Drivers, phase: Floats, rng: np.random.Generator) -> Floats:
    """Return the times of the heart beats, s."""
    n, t = len(body.stage), np.arange(len(body.stage))
    fall = rng.uniform(0.0, 0.12) if rng.random() < 0.8 else rng.uniform(-0.03, 0.02)
    begins = body.onset + 60 * rng.normal(-1.0, 3.0)
    ramp = 1 / (1 + np.exp(-(t - begins) / (60 * _between(rng, 0.7, 6))))
    awake_again = np.convolve((t > body.onset) * (1 - body.asleep), np.ones(90) / 90, "same")
    drive = _ou(n, 60 * _between(rng, 1, 15), rng.uniform(0.015, 0.05), rng)
    drive -= fall * ramp * (1 - rng.uniform(0.2, 1.0) * awake_again)
    drive -= rng.uniform(0.0, 0.05) * t / 3600
    drive += rng.uniform(0.0, 0.12) * np.exp(-t / (60 * _between(rng, 5, 40)))  # after going to bed
    kernel = np.exp(-np.arange(90) / rng.uniform(6, 30)) * (1 - np.exp(-np.arange(90) / 3.0))
    surge = np.convolve(body.intensity, kernel)[:n] * rng.uniform(0.005, 0.03)
    rsa = _between(rng, 0.008, 0.08) * np.sin(2 * np.pi * phase)
    mayer = _between(rng, 0.008, 0.05) * np.sin(
        2 * np.pi * np.cumsum(0.1 + 0.02 * _ou(n, 20, 1, rng))
    )
    mayer *= 1 - rng.uniform(-0.1, 0.6) * ramp
    rate = rng.uniform(48, 80) * (1 + drive + np.minimum(surge, 0.35) + rsa + mayer)
    total = np.cumsum(np.clip(rate, 35, 150) / 60)
    beats = np.interp(np.arange(1, int(total[-1])), total, t + 1.0)
    if rng.random() < 0.3:  # premature beats
        early = np.flatnonzero(rng.random(len(beats)) < 0.01)
        beats[early] -= 0.25
    return np.sort(beats)


def _emg(
    body: Drivers, bursts: list[Burst], beats: Floats, fs: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    n = round(len(body.stage) * fs)
    x = rng.standard_normal(n, dtype=np.float32) * np.float32(_between(rng, 0.8, 5))
    wave = np.diff(np.exp(-(((np.arange(round(0.016 * fs)) / fs - 0.008) / 0.0025) ** 2)))
    wave = (wave / np.ptp(wave)).astype(np.float32)
    if rng.random() < 0.5:  # motor units that fire at rest, until each falls silent
        for _ in range(int(rng.integers(1, 4))):
            ends = body.onset + 60 * rng.normal(-4, 9)
            on = _ou(len(body.stage), 60 * _between(rng, 0.5, 8), 1.0, rng) > rng.uniform(-1, 1)
            on &= (np.arange(len(on)) < ends) | (rng.random() < 0.15)
            _add(
                x, wave * np.float32(_between(rng, 4, 40)), _firing(on, rng.uniform(5, 11), rng), fs
            )
    for b in bursts:
        first, length = round(b.start_s * fs), max(round(b.length_s * fs), 4)
        part = x[first : first + length]
        if b.length_s < 0.05:
            _add(x, wave * np.float32(b.emg_uv), np.array([b.start_s]), fs)
            continue
        rise = np.minimum(np.arange(len(part)), np.arange(len(part))[::-1]) / (0.2 * length)
        part += (b.emg_uv * np.minimum(rise, 1) * rng.standard_normal(len(part))).astype(np.float32)
    tau = np.arange(-0.06, 0.06, 1 / fs)
    qrs = -tau / 0.01 * np.exp(-((tau / 0.014) ** 2)) + 0.25 * np.exp(-(((tau - 0.03) / 0.01) ** 2))
    qrs = qrs / np.ptp(qrs) * _between(rng, 4, 200) * rng.choice([-1, 1])
    _add(x, qrs.astype(np.float32), beats - 0.06, fs)
    return x


def _firing(on: NDArray[np.bool_], rate: float, rng: np.random.Generator) -> Floats:
    """Return the times (s) at which a unit fires in the seconds in which it is active."""
    count = round(len(on) * rate * 1.2)
    times = np.cumsum(np.maximum(rng.normal(1 / rate, 0.15 / rate, count), 0.03))
    times = times[times < len(on) - 1]
    chosen: Floats = times[on[times.astype(int)]]
    return chosen


def _add(x: NDArray[np.float32], wave: NDArray[np.float32], times: Floats, fs: float) -> None:
    """Add a waveform at each time."""
    first = np.round(times * fs).astype(int)
    first = first[(first >= 0) & (first < len(x) - len(wave))]
    for k in range(len(wave)):
        np.add.at(x, first + k, wave[k])


def _acceleration(
    n: int, bursts: list[Burst], phase: Floats, depth: Floats, beats: Floats, fs: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:  # fmt: skip
    t = np.arange(round(n * fs)) / fs
    noise = np.float32(_between(rng, 4e-4, 4e-3))
    x = rng.standard_normal((len(t), 3), dtype=np.float32) * noise
    seconds = np.arange(n) + 1.0
    swing = np.interp(t, seconds, depth) * np.sin(2 * np.pi * np.interp(t, seconds, phase))
    amplitude = np.radians(_between(rng, 0.003, 0.2))
    down = _direction(rng)
    marks = [round(b.start_s * fs) for b in bursts] + [len(t)]
    x[: marks[0]] += _tilted(down, _direction(rng), swing[: marks[0]] * amplitude)
    for k, b in enumerate(bursts):
        here = slice(marks[k], marks[k + 1])
        axis = _direction(rng)
        angle, linear = _rotation(b, max(marks[k + 1] - marks[k], 1), fs)
        x[here] += _tilted(down, axis, angle[: marks[k + 1] - marks[k]])
        side = np.cross(axis, down)
        x[here] += (linear[: marks[k + 1] - marks[k], None] * side).astype(np.float32)
        if b.stays and len(angle):
            down = down * np.cos(angle[-1]) + np.cross(axis, down) * np.sin(angle[-1])
            down = down / np.linalg.norm(down)
        breath = amplitude * _between(rng, 0.4, 2.5)
        x[here] += np.float32(breath) * (swing[here, None] * _direction(rng)).astype(np.float32)
    arrival = beats + 0.23
    thump = np.sin(2 * np.pi * 4 * np.arange(0, 0.5, 1 / fs)) * np.exp(
        -np.arange(0, 0.5, 1 / fs) / 0.1
    )
    column = np.ascontiguousarray(x[:, 1])
    _add(column, (thump * _between(rng, 1e-4, 1.5e-3)).astype(np.float32), arrival, fs)
    x[:, 1] = column
    return x


def _rotation(burst: Burst, length: int, fs: float) -> tuple[Floats, Floats]:
    """Return the angle (rad) and the tangential acceleration (g) after the start of a burst."""
    angle, linear = np.zeros(length), np.zeros(length)
    if burst.knock_g:
        tau = np.arange(length) / fs
        return angle, burst.knock_g * np.exp(-tau / 0.12) * np.sin(2 * np.pi * 7 * tau)
    if not burst.turns_deg:
        return angle, linear
    legs = [0.0]
    for k, turn in enumerate(burst.turns_deg):
        legs.append(np.radians(turn) * (-1) ** k * 0.5)
    if not burst.stays:
        legs.append(0.0)
    part = max(round(burst.length_s / (len(legs) - 1) * fs), 3)
    s = np.arange(part) / part
    smooth = 10 * s**3 - 15 * s**4 + 6 * s**5
    path = np.concatenate([a + (b - a) * smooth for a, b in pairwise(legs)])
    path = path[:length]
    angle[: len(path)], angle[len(path) :] = path, legs[-1]
    linear[1:-1] = np.diff(angle, 2) * fs**2 * LEVER_M / GRAVITY
    return angle, np.clip(linear, -3, 3)


def _tilted(down: Floats, axis: Floats, angle: Floats) -> NDArray[np.float32]:
    """Return gravity as the sensor sees it after a rotation, shape (n, 3)."""
    turned = np.cos(angle)[:, None] * down + np.sin(angle)[:, None] * np.cross(axis, down)
    return (turned / np.linalg.norm(turned, axis=1, keepdims=True)).astype(np.float32)


def _direction(rng: np.random.Generator) -> Floats:
    v = rng.standard_normal(3)
    unit: Floats = v / np.linalg.norm(v)
    return unit
