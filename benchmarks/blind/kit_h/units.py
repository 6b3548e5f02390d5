"""Single potentials (waveforms of one motor unit), five unlike mechanisms.

Each maker returns (wave, step) on its own time axis; `unit` brings it to the wanted length
(time above 5 % of the peak), to peak-to-peak 1 and to the sampling rate asked for.
"""
import numpy as np
from scipy.ndimage import gaussian_filter1d

SHAPES = ("cable", "diffusion", "lobes", "damped", "soliton")


def _cable(rng, _phases):
    """A wave running both ways along an excitable cable (FitzHugh-Nagumo), ended at two tendons.

    Two surface electrodes see the membrane current weighted by 1/distance."""
    n = 110
    v = np.zeros(n)
    w = np.zeros(n)
    end_plate = int(rng.uniform(0.3, 0.7) * n)
    v[end_plate - 3:end_plate + 4] = 1.0
    a = rng.uniform(0.06, 0.14)
    eps = rng.uniform(0.012, 0.03)
    x = np.arange(n, dtype=float)
    depth = rng.uniform(4.0, 16.0)
    first = rng.uniform(0.05, 0.85) * n
    second = first + rng.uniform(6.0, 26.0)
    weight = (1.0 / np.hypot(x - first, depth) - rng.uniform(0.8, 1.0) / np.hypot(x - second, depth))
    dt = 0.22
    out = []
    for step in range(1500):
        lap = np.empty(n)
        lap[1:-1] = v[2:] - 2 * v[1:-1] + v[:-2]
        lap[0] = 2 * (v[1] - v[0])
        lap[-1] = 2 * (v[-2] - v[-1])
        v = v + dt * (lap + v * (1 - v) * (v - a) - w)
        w = w + dt * eps * (v - 2.2 * w)
        if step % 2 == 0:
            out.append(weight @ lap)
        if step > 300 and step % 50 == 0 and np.max(np.abs(lap)) < 1e-3:
            break
    wave = np.array(out[8:])
    fade = np.clip(np.arange(wave.size) / 14.0, 0, 1)        # the artificial start is faded in
    wave = wave * fade
    keep = int(np.flatnonzero(np.abs(wave) > 0.03 * np.abs(wave).max())[-1]) + 1
    return wave[:min(wave.size, keep + 40)]


def _diffusion(rng, phases):
    """Skin and fat as a line of resistors and capacitors: sums of first-passage (inverse Gaussian) pulses."""
    t = np.linspace(1e-3, 6.0, 900)
    wave = np.zeros_like(t)
    start = 0.0
    sign = rng.choice([-1.0, 1.0])
    for k in range(phases):
        lag = rng.uniform(0.5, 1.3)
        shape = rng.uniform(1.5, 14.0)
        u = np.clip(t - start, 1e-3, None)
        pulse = np.sqrt(shape / (2 * np.pi * u ** 3)) * np.exp(-shape * (u - lag) ** 2 / (2 * lag ** 2 * u))
        pulse[t <= start] = 0
        wave += sign * rng.uniform(0.4, 1.0) * pulse / pulse.max()
        sign = -sign
        start += rng.uniform(0.25, 0.8) * lag
    return wave


def _lobes(rng, phases):
    """Unequal lobes one after the other, each a skewed hump, sign changing from one to the next."""
    widths = rng.dirichlet(np.full(phases, 2.5)) if phases > 1 else np.ones(1)
    widths = np.maximum(widths, 0.08)
    widths = widths / widths.sum()
    sign = rng.choice([-1.0, 1.0])
    parts = []
    for width in widths:
        n = max(8, int(width * 800))
        u = (np.arange(n) + 0.5) / n
        p, q = rng.uniform(1.2, 3.5, 2)
        hump = u ** p * (1 - u) ** q
        parts.append(sign * np.exp(rng.normal(0, 0.5)) * hump / hump.max())
        sign = -sign
    return gaussian_filter1d(np.concatenate([np.zeros(60)] + parts + [np.zeros(60)]), 4.0)


def _damped(rng, phases):
    """A smooth kick heard through one to three damped resonances of the tissue and the electrode."""
    t = np.linspace(0.0, 1.0, 900)
    wave = np.zeros_like(t)
    for _ in range(int(rng.integers(1, 4))):
        cycles = rng.uniform(0.4, 0.6) * phases
        wave += rng.uniform(0.3, 1.0) * np.exp(-t * rng.uniform(3.0, 9.0)) * np.sin(
            2 * np.pi * cycles * t + rng.uniform(-0.4, 0.4))
    rise = t ** 2 / (t ** 2 + rng.uniform(0.03, 0.15) ** 2)
    return np.concatenate([np.zeros(30), wave * rise * (1 - t) ** 2])


def _soliton(rng, phases):
    """Many fibres, each a slope of a sech-squared hump, arriving scattered as waiting times of a gamma law."""
    t = np.linspace(-2.0, 8.0, 900)
    wave = np.zeros_like(t)
    order = int(rng.integers(1, 3))
    arrive = rng.gamma(rng.uniform(1.2, 4.0), rng.uniform(0.12, 0.2) * phases, int(rng.integers(8, 60)))
    for moment in np.minimum(arrive, 5.0):
        scale = rng.uniform(0.25, 0.45)
        u = (t - moment) / scale
        hump = 1.0 / np.cosh(np.clip(u, -30, 30)) ** 2
        tanh = np.tanh(u)
        part = -2 * hump * tanh if order == 1 else hump * (4 * tanh ** 2 - 2 * hump)
        wave += rng.pareto(2.5) * part
    if rng.random() < 0.3:                                   # a late satellite
        wave += 0.15 * np.abs(wave).max() * np.exp(-0.5 * ((t - 6.6) / 0.12) ** 2) * rng.choice([-1, 1])
    return wave * rng.choice([-1.0, 1.0])


_MAKERS = {"cable": _cable, "diffusion": _diffusion, "lobes": _lobes, "damped": _damped, "soliton": _soliton}


def span(wave, share=0.05):
    """First and last index above a share of the peak."""
    over = np.flatnonzero(np.abs(wave) > share * np.abs(wave).max())
    return int(over[0]), int(over[-1])


def raw_unit(rng, shape=None):
    """A waveform on its own axis and its name."""
    shape = shape or str(rng.choice(SHAPES, p=[0.14, 0.22, 0.24, 0.2, 0.2]))
    phases = int(rng.integers(1, 6))
    wave = _MAKERS[shape](rng, phases)
    first, last = span(wave, 0.02)
    wave = wave[max(0, first - 25):last + 26].copy()
    n = min(25, wave.size // 4)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    wave[:n] *= ramp
    wave[-n:] *= ramp[::-1]
    return wave, shape


def at_rate(wave, fs, ms):
    """The waveform stretched to `ms` (time above 5 % of the peak), at rate fs, peak-to-peak 1."""
    first, last = span(wave)
    step = ms / 1000.0 / max(1, last - first)
    n = max(6, int(np.ceil(wave.size * step * fs)))
    out = np.interp(np.arange(n) / fs, np.arange(wave.size) * step, wave, left=0.0, right=0.0)
    return out / max(1e-12, np.ptp(out))


def unit(rng, fs, ms, shape=None):
    """One potential of peak-to-peak 1 and the name of its mechanism."""
    wave, name = raw_unit(rng, shape)
    return at_rate(wave, fs, ms), name
