"""Many units at once: synchronous volleys (bursts of a jerk) and the interference EMG of a contraction."""
import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from .units import at_rate, raw_unit


def _bank(rng, fs, longest_ms, count):
    return [at_rate(raw_unit(rng, str(rng.choice(["diffusion", "lobes", "damped", "soliton"])))[0], fs,
                    float(np.exp(rng.uniform(np.log(2.5), np.log(max(3.0, longest_ms)))))) for _ in range(count)]


def _place(out, start, wave, size):
    stop = min(out.size, start + wave.size)
    if start < out.size:
        out[start:stop] += size * wave[:stop - start]


def _scatter(rng, fs, seconds):
    """Every unit of the pool fires once or twice; arrival skewed to the front; sizes follow a power law."""
    bank = _bank(rng, fs, min(16.0, 550.0 * seconds), 6)
    out = np.zeros(int(seconds * fs) + bank[0].size)
    free = max(0.0005, seconds - 0.006)
    for _ in range(int(rng.integers(12, 90))):
        when = free * rng.beta(rng.uniform(0.9, 1.6), rng.uniform(1.4, 3.5))
        _place(out, int(when * fs), bank[rng.integers(len(bank))], rng.pareto(1.8) + 0.3)
    return out, "scatter"


def _cascade(rng, fs, seconds):
    """Self-exciting firing: each spike may set off others; the cascade is cut at the wanted length."""
    bank = _bank(rng, fs, min(12.0, 500.0 * seconds), 5)
    out = np.zeros(int(seconds * fs) + bank[0].size)
    free = max(0.0005, seconds - 0.006)
    todo = list(rng.uniform(0, 0.2 * free, int(rng.integers(2, 8))))
    done = 0
    while todo and done < 300:
        when = todo.pop()
        done += 1
        _place(out, int(when * fs), bank[rng.integers(len(bank))], np.exp(rng.normal(0, 0.8)))
        for _ in range(rng.poisson(1.25)):
            later = when + rng.exponential(0.22 * free)
            if later < free:
                todo.append(later)
    _place(out, int(free * fs * 0.97), bank[0], 0.8)
    return out, "cascade"


def _dephase(rng, fs, seconds):
    """Oscillators that start in step and lose their phase, under a lopsided envelope."""
    n = int(seconds * fs)
    u = (np.arange(n) + 0.5) / n
    out = np.zeros(n)
    low = max(35.0, 0.7 / seconds)
    phase = rng.uniform(0, 2 * np.pi)
    for _ in range(22):
        rate = low * np.exp(rng.uniform(0, np.log(max(1.6, 190.0 / low))))
        walk = np.cumsum(rng.normal(0, np.sqrt(rng.uniform(4, 60) / fs), n))
        out += np.exp(rng.normal(0, 0.6)) * np.cos(2 * np.pi * rate * np.arange(n) / fs + phase + walk)
    p, q = rng.uniform(0.7, 2.0, 2)
    return out * u ** p * (1 - u) ** q, "dephase"


def volley(rng, fs, ms, kind=None):
    """One synchronous burst of about `ms`, peak-to-peak 1."""
    kind = kind or str(rng.choice(["scatter", "cascade", "dephase"]))
    out, name = {"scatter": _scatter, "cascade": _cascade, "dephase": _dephase}[kind](rng, fs, ms / 1000.0)
    n = max(2, int(0.001 * fs))
    out[:n] *= np.arange(n) / n
    out[-n:] *= np.arange(n)[::-1] / n
    return out / np.ptp(out), name


def envelope(rng, fs, seconds, shape=None):
    """Strength of a contraction over time, 0..1, ends at 0."""
    n = int(seconds * fs)
    u = (np.arange(n) + 0.5) / n
    shape = shape or str(rng.choice(["plateau", "fading", "growing", "two humps", "stairs", "stutter"]))
    edge = np.clip(np.minimum(u, 1 - u) * seconds / rng.uniform(0.04, 0.15), 0, 1) ** 1.5
    if shape == "fading":
        form = np.exp(-u * rng.uniform(0.5, 1.8))
    elif shape == "growing":
        form = 0.25 + 0.75 * u ** rng.uniform(0.6, 2)
    elif shape == "two humps":
        gap = rng.uniform(0.35, 0.65)
        form = np.exp(-((u - gap / 2) / 0.2) ** 2) + rng.uniform(0.4, 1) * np.exp(-((u - (1 + gap) / 2) / 0.18) ** 2) + 0.15
    elif shape == "stairs":
        levels = rng.uniform(0.3, 1, int(rng.integers(2, 5)))
        form = np.interp(u * levels.size, np.arange(levels.size) + 0.5, levels)
    elif shape == "stutter":
        form = 0.6 + 0.4 * np.sin(2 * np.pi * u * seconds * rng.uniform(3, 9) + rng.uniform(0, 6))
    else:
        form = np.ones(n)
    return edge * form / form.max(), shape


def interference(rng, fs, strength, kind=None):
    """Interference EMG of RMS 1 where strength is 1."""
    n = strength.size
    kind = kind or str(rng.choice(["shots", "gamma", "dephase"]))
    if kind == "shots":                                       # rate itself wanders (log OU), units share five waveforms
        base = rng.uniform(60, 350)
        wander = lfilter([1], [1, -np.exp(-1 / (0.15 * fs))], rng.normal(0, 0.45 * np.sqrt(2 / (0.15 * fs)), n))
        out = np.zeros(n)
        for wave in _bank(rng, fs, 14.0, 5):
            chance = base / 5 / fs * np.exp(wander)
            hits = (rng.random(n) < chance) * np.exp(rng.normal(0, 0.7, n))
            out += fftconvolve(hits, wave)[:n]
    elif kind == "gamma":                                     # Gaussian with a variance that is itself a gamma process
        block = max(1, int(0.008 * fs))
        power = rng.gamma(1.2, 1 / 1.2, n // block + 3)
        power = np.interp(np.arange(n) / block, np.arange(power.size), power)
        band = butter(1, [rng.uniform(15, 40), rng.uniform(90, 200)], "band", fs=fs, output="sos")
        out = sosfilt(band, rng.normal(0, 1, n)) * np.sqrt(power)
    else:                                                     # many oscillators with wandering phase
        out = np.zeros(n)
        t = np.arange(n) / fs
        for _ in range(40):
            rate = np.exp(rng.uniform(np.log(25), np.log(220)))
            walk = np.cumsum(rng.normal(0, np.sqrt(40.0 / fs), n))
            out += np.exp(rng.normal(0, 0.7)) * (50 / (50 + rate)) * np.cos(2 * np.pi * rate * t + rng.uniform(0, 7) + walk)
    out = out - out.mean()
    return out / (np.sqrt(np.mean(out ** 2)) + 1e-12) * strength, kind
