"""Composer of nights in which wake is a sequence of bouts (active, quiet, still).

The body follows the stages with a lag that differs between persons. Every distribution is wide,
because between-person effects exceed the effects of the stage (Long et al. 2015,
doi:10.1155/2015/583620): heart rate may fall by 8 beats/min or not at all, respiration may be as
regular awake as asleep, and muscle tone may be invisible at the electrode.

Sources: sleep latency and stages, real hypnograms (`hypnograms`); movements per hour, Sicbaldi 2025
and Wilde-Frenz & Schulz 1983; heart, respiration and tone at the transition, Shinar et al. 2006
(doi:10.1016/j.autneu.2006.04.006) and Trinder et al. 2001. Numbers without a source are
engineering defaults.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from benchmarks.sleep_onset.composed_night import ComposedNight
from firmware_sim.hypnogram import EPOCH_S

Floats = NDArray[np.float64]

FS_EMG, FS_ACC = 1000.0, 100.0
#: Depth of sleep by stage: 0 is wake.
DEPTH = {"W": 0.0, "N1": 0.35, "N2": 0.75, "N3": 1.0, "R": 0.6}
#: Movements per minute asleep.
ASLEEP_PER_MIN = {"N1": 0.3, "N2": 0.10, "N3": 0.03, "R": 0.14}
#: Movements per minute (lowest, highest) and median length (min) of the bouts of wake.
BOUTS = {"active": (1.5, 8.0, 4.0), "quiet": (0.1, 1.0, 6.0), "still": (0.0, 0.06, 7.0)}
#: Variation of the respiratory interval: active and quiet wake, then by stage.
RESPIRATION_CV = {"active": 0.28, "quiet": 0.17, "still": 0.13, "N1": 0.15, "N2": 0.09,
                  "N3": 0.05, "R": 0.17}  # fmt: skip


@dataclass(slots=True)
class Movement:
    """One movement of the leg."""

    time_s: float
    duration_s: float
    peak_g: float
    turn_deg: float
    emg_uv: float


def compose(name: str, stages: tuple[str, ...], seed: int) -> ComposedNight:
    """Compose a night that follows the given stages."""
    rng = np.random.default_rng([seed, 1])
    onset_s = next(i for i, s in enumerate(stages) if s != "W") * EPOCH_S
    behaviour = _behaviour(stages, onset_s, rng)
    depth = _depth(stages, rng)
    movements = _movements(behaviour, rng)
    breath = _respiration(behaviour, rng)
    beats = _heart(behaviour, depth, movements, breath, rng)
    ecg = bool(rng.random() < 0.55)
    emg = _emg(behaviour, depth, movements, beats if ecg else np.empty(0), rng)
    acc = _acceleration(len(behaviour), movements, breath, beats, rng)
    before = [m.time_s for m in movements if m.time_s < onset_s and m.peak_g > 0.02]
    still = (onset_s - max(before, default=0.0)) / 60
    return ComposedNight(name, stages, emg, acc, FS_EMG, FS_ACC, ecg, still)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _log_normal(rng: np.random.Generator, median: float, sigma: float) -> float:
    return float(median * np.exp(sigma * rng.standard_normal()))


def _behaviour(stages: tuple[str, ...], onset_s: float, rng: np.random.Generator) -> list[str]:
    """Return, for each second, the stage in sleep and the kind of bout in wake."""
    n = round(len(stages) * EPOCH_S)
    out = [stages[int(t // EPOCH_S)] for t in range(n)]
    # quiet wakefulness before sleep looks like sleep to an accelerometer
    quiet_s = min(60 * _log_normal(rng, 7.0, 0.9), onset_s)
    weights = rng.dirichlet([1.2, 1.2, 0.8])
    late = rng.dirichlet([0.15, 1.0, 1.2])
    kind, left = "active", 0.0
    for t in range(n):
        if out[t] != "W":
            left = 0.0
            continue
        if left <= 0:
            final = t >= onset_s - quiet_s
            if t > onset_s:  # awake in the night
                kind = str(rng.choice(["active", "quiet", "still"], p=[0.35, 0.4, 0.25]))
            else:
                kind = str(rng.choice(list(BOUTS), p=late if final else weights))
            left = 60 * _log_normal(rng, BOUTS[kind][2], 0.8)
            if t < onset_s - quiet_s:
                left = min(left, onset_s - quiet_s - t)
        left -= 1
        out[t] = kind
    return out


def _depth(stages: tuple[str, ...], rng: np.random.Generator) -> Floats:
    """Return the depth of sleep (0 to 1) that the body follows, for each second."""
    steps = np.repeat([DEPTH[s] for s in stages], round(EPOCH_S))
    lag = round(60 * rng.normal(0.0, 1.5))  # body before or after the brain
    steps = np.roll(steps, lag)
    if lag > 0:
        steps[:lag] = 0.0
    smooth: Floats = gaussian_filter1d(steps, _log_uniform(rng, 15, 90), mode="nearest")
    return smooth


def _movements(behaviour: list[str], rng: np.random.Generator) -> list[Movement]:
    """Draw the movements of wake and sleep, with leg movements and jerks."""
    n = len(behaviour)
    person, scale = _log_normal(rng, 1.0, 0.6), _log_normal(rng, 1.0, 0.5)
    rates = {k: _log_uniform(rng, max(low, 0.01), high) for k, (low, high, _) in BOUTS.items()}
    rates |= {k: v * person for k, v in ASLEEP_PER_MIN.items()}
    rate = np.array([rates[b] for b in behaviour]) / 60
    awake = np.array([b in BOUTS for b in behaviour])
    wakes = np.flatnonzero(np.diff(awake.astype(int)) == 1)
    rate[[w + 1 for w in wakes if rng.random() < 0.6]] = 1.0  # an awakening with a movement
    out = []
    for t in np.flatnonzero(rng.random(n) < rate):
        active = behaviour[t] == "active"
        small = rng.random() < (0.35 if active else 0.55)
        peak = scale * (_log_uniform(rng, 0.004, 0.03) if small else _log_uniform(rng, 0.03, 1.0))
        length = float(np.clip(_log_normal(rng, 1.2 if small else 2.5, 0.8), 0.2, 25))
        turn = 0.0 if small else abs(rng.standard_cauchy()) * 3
        if not small and rng.random() < 0.15:
            turn = rng.uniform(20, 100)
        emg = _log_uniform(rng, 3, 250) if rng.random() < 0.7 else 0.0
        out.append(Movement(t + rng.random(), length, min(peak, 1.5), min(turn, 120), emg))
    out += _leg_events(behaviour, rng)
    return sorted(out, key=lambda m: m.time_s)


def _leg_events(behaviour: list[str], rng: np.random.Generator) -> list[Movement]:
    """Draw periodic leg movements and jerks around sleep onset."""
    out, n = [], len(behaviour)
    onset = next(t for t, b in enumerate(behaviour) if b not in BOUTS)
    if rng.random() < 0.3:  # periodic movements, in a third of these before sleep too
        start = onset - (
            rng.uniform(2, 15) * 60 if rng.random() < 0.35 else -rng.uniform(1, 20) * 60
        )
        t, end = max(start, 5.0), min(start + rng.uniform(10, 60) * 60, n - 20)
        while t < end:
            peak = _log_uniform(rng, 0.01, 0.3)
            out.append(Movement(t, rng.uniform(0.6, 4), peak, 0.0, _log_uniform(rng, 20, 200)))
            t += max(6.0, rng.normal(26, 6))
    jerks = rng.poisson(1.5) if rng.random() < 0.6 else rng.integers(5, 30) * (rng.random() < 0.3)
    for _ in range(int(jerks)):
        t = onset + rng.uniform(-6, 12) * 60
        if 5 < t < n - 20:
            peak = _log_uniform(rng, 0.15, 1.5)
            out.append(
                Movement(t, rng.uniform(0.06, 0.25), peak, 0.0, _log_uniform(rng, 150, 1500))
            )
    return out


def _respiration(behaviour: list[str], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the times (s) and the relative depths of the breaths."""
    rate, person = rng.uniform(10, 19), _log_normal(rng, 1.0, 0.4)
    effect = rng.uniform(0.0, 1.0)  # how much the stage matters in this person
    t, times, depths, memory = -5.0, [], [], 0.0
    while t < len(behaviour) + 5:
        b = behaviour[min(max(int(t), 0), len(behaviour) - 1)]
        cv = person * 0.13 * (RESPIRATION_CV[b] / 0.13) ** effect
        memory = 0.4 * memory + rng.standard_normal()
        interval = 60 / rate * np.exp(cv * memory)
        sigh = rng.random() < 0.01
        depths.append(np.exp(1.3 * cv * rng.standard_normal()) * (2.5 if sigh else 1.0))
        times.append(t)
        t += float(np.clip(interval, 1.5, 12)) * (1.5 if sigh else 1.0)
    return np.array(times), np.array(depths)


def _heart(
    behaviour: list[str], depth: Floats, movements: list[Movement],
    breath: tuple[Floats, Floats], rng: np.random.Generator,
) -> Floats:  # fmt: skip
    """Return the times of the heart beats, s."""
    n = len(behaviour)
    seconds = np.arange(n)
    load = np.array([{"active": 1.0, "quiet": 0.35}.get(b, 0.0) for b in behaviour])
    tau = 60 * rng.uniform(2, 12)  # rest after activity
    load = lfilter([1 / tau], [1, -(1 - 1 / tau)], load)
    wander = gaussian_filter1d(rng.standard_normal(n), 60 * _log_uniform(rng, 1.0, 8.0))
    wander *= _log_uniform(rng, 0.8, 3.5) / wander.std()
    rate = rng.normal(63, 9) + max(0.0, rng.normal(7, 4)) * load + wander
    rate = rate - rng.normal(4.0, 3.0) * depth
    kick = np.zeros(n)
    for m in movements:
        kick[min(int(m.time_s), n - 1)] += min(12.0, 18 * m.peak_g**0.5)
    rate += lfilter([1.0], [1, -np.exp(-1 / rng.uniform(8, 25))], kick)
    slow = gaussian_filter1d(rng.standard_normal(n), 2.2)
    rate += _log_uniform(rng, 0.8, 3.0) * slow / slow.std() * (1 - rng.uniform(0, 0.5) * depth)
    phase = np.interp(seconds, breath[0], np.arange(len(breath[0])))
    rsa = _log_uniform(rng, 0.5, 5.0) * (1 + rng.uniform(-0.1, 0.5) * depth)
    rate = np.clip(rate + rsa * np.sin(2 * np.pi * phase), 38, 140)
    total = np.cumsum(rate / 60)
    beats: Floats = np.interp(np.arange(1, total[-1]), total, seconds)
    return beats + 0.004 * rng.standard_normal(len(beats))


def _emg(
    behaviour: list[str], depth: Floats, movements: list[Movement], beats: Floats,
    rng: np.random.Generator,
) -> NDArray[np.float32]:  # fmt: skip
    n, fs = len(behaviour), FS_EMG
    seconds = np.arange(n)
    tone = np.zeros(n)
    if rng.random() < 0.65:  # the muscle is heard at the electrode
        load = np.array(
            [{"active": 2.0, "quiet": 1.0, "still": 0.7}.get(b, 0.5) for b in behaviour]
        )
        drift = gaussian_filter1d(rng.standard_normal(n), 60 * _log_uniform(rng, 0.3, 5))
        drift *= rng.uniform(0.2, 0.7) / drift.std()
        fall = np.exp(-_log_uniform(rng, 0.1, 2.5) * depth)
        tone = _log_uniform(rng, 0.3, 4) * fall * np.exp(drift) * gaussian_filter1d(load, 20)
    noise = _log_uniform(rng, 0.8, 6)
    drift = gaussian_filter1d(rng.standard_normal(n), 60 * _log_uniform(rng, 5, 30))
    noise = noise * np.exp(rng.uniform(0, 0.15) * drift / drift.std())
    level = np.interp(np.arange(round(n * fs)) / fs, seconds, np.hypot(noise, tone))
    for m in movements:
        first, length = round(m.time_s * fs), round(m.duration_s * fs)
        part = level[first : first + length]
        part += m.emg_uv * np.sin(np.pi * np.arange(len(part)) / max(length, 1)) ** 0.5
    x = level.astype(np.float32) * rng.standard_normal(len(level), dtype=np.float32)
    x = lfilter([0.6, 0.4], [1.0], x).astype(np.float32) * np.float32(1.38)
    if len(beats):
        size = _log_uniform(rng, 5, 300)
        tau = np.arange(-100, 350) / fs
        wave = np.exp(-((tau / 0.012) ** 2)) - 0.3 * np.exp(-(((tau - 0.028) / 0.012) ** 2))
        wave += 0.18 * np.exp(-(((tau - 0.24) / 0.05) ** 2))
        wave = (wave * size * rng.choice([-1, 1])).astype(np.float32)
        for k in np.round(beats * fs).astype(int) - 100:
            if 0 <= k < len(x) - len(wave):
                x[k : k + len(wave)] += wave
    return x


def _acceleration(
    n: int, movements: list[Movement], breath: tuple[Floats, Floats], beats: Floats,
    rng: np.random.Generator,
) -> NDArray[np.float32]:  # fmt: skip
    fs = FS_ACC
    m = round(n * fs)
    t = np.arange(m) / fs
    x = rng.standard_normal((m, 3), dtype=np.float32) * np.float32(_log_uniform(rng, 3e-4, 3e-3))
    cycle = np.interp(t, breath[0], np.arange(len(breath[0])))
    sway = np.sin(2 * np.pi * cycle) * np.interp(t, *breath)
    pulse = np.zeros(m)
    pulse[np.clip(np.round((beats + 0.25) * fs).astype(int), 0, m - 1)] = 1.0
    pulse = np.convolve(pulse, _ring(fs), "same") * _log_uniform(rng, 2e-4, 2e-3)
    x[:, 2] += pulse.astype(np.float32)
    size = _log_uniform(rng, 5e-5, 3e-3)
    vector = _unit(rng)
    first = 0
    for move in [*movements, Movement(float(n), 0.0, 0.0, 0.0, 0.0)]:
        at = min(round(move.time_s * fs), m)
        sway_axis = _unit(rng) * size * _log_normal(rng, 1.0, 0.5)
        if at > first:
            x[first:at] += (vector + sway[first:at, None] * sway_axis).astype(np.float32)
        length = min(round(move.duration_s * fs), m - at)
        first = max(first, at + length)
        if length <= 0 or at >= m:
            continue
        target = _rotate(vector, _unit(rng), np.radians(move.turn_deg))
        share = np.linspace(0, 1, length)[:, None]
        path = vector * (1 - share) + target * share
        shake = lfilter([0.25], [1, -0.75], rng.standard_normal((length, 3)), axis=0)
        shake *= np.sin(np.pi * share) ** 0.7
        shake *= move.peak_g / max(np.abs(shake).max(), 1e-9)
        block = x[at : at + length]
        block += (path / np.linalg.norm(path, axis=1, keepdims=True) + shake).astype(np.float32)
        vector = target
    return x


def _ring(fs: float) -> Floats:
    tau = np.arange(0, 0.6, 1 / fs)
    wave: Floats = np.exp(-tau / 0.12) * np.sin(2 * np.pi * 5 * tau)
    return wave


def _unit(rng: np.random.Generator) -> Floats:
    v = rng.standard_normal(3)
    unit: Floats = v / np.linalg.norm(v)
    return unit


def _rotate(v: Floats, axis: Floats, angle: float) -> Floats:
    turned: Floats = (v * np.cos(angle) + np.cross(axis, v) * np.sin(angle)
                      + axis * (axis @ v) * (1 - np.cos(angle)))  # fmt: skip
    unit: Floats = turned / np.linalg.norm(turned)
    return unit
