"""EMG waveforms at the skin, all scaled to one microvolt peak to peak.

Sizes and shapes follow published fasciculation statistics of tibialis anterior (duration
12.6 +- 4.4 ms, range 2.8-23.9; 3.25 +- 1.05 phases; with denervation 13.7 +- 5.4 ms, up to 37 ms
and 15 phases, 22.6 % polyphasic: JNNP, ALS fasciculation table 3), repeats at 32/35 ms
(Kleine 2012), and the classical tripole picture of a fibre action potential.
"""
from __future__ import annotations

import numpy as np
from numpy.polynomial import hermite_e
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.signal import fftconvolve

from .records import FloatArray

Rng = np.random.Generator


def unit_pp(wave: FloatArray) -> FloatArray:
    """Scale to one peak to peak."""
    return wave / max(float(np.ptp(wave)), 1e-12)


def taper(wave: FloatArray, part: float = 0.08) -> FloatArray:
    """Force both ends smoothly to zero."""
    n = len(wave)
    m = max(2, int(part * n))
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(m) / m)
    out = wave.copy()
    out[:m] *= ramp
    out[n - m:] *= ramp[::-1]
    return out


def tripole_unit(rng: Rng, fs: float, depth_mm: float) -> FloatArray:
    """Single motor unit seen by two electrodes along the fibres.

    Each fibre carries a current tripole (charges 24.6, -35.4, 10.8 at 0, 2.1 and 6.9 mm behind the
    front) both ways from its end plate; the poles stop one after another at the tendon, which
    gives the far-field end wave. Potentials fall with distance in an anisotropic medium.
    """
    n_fib = int(rng.integers(10, 28))
    t = np.arange(0.0, 0.040, 1.0 / fs)
    speed = rng.normal(4.0, 0.35) * (1.0 + 0.03 * rng.standard_normal(n_fib))
    plate = rng.normal(0.0, rng.uniform(1.5, 7.0), n_fib)
    half = np.array([rng.uniform(28, 75), rng.uniform(28, 75)])
    spread = rng.uniform(0.4, 2.5)
    depth = np.abs(depth_mm + spread * rng.standard_normal(n_fib)) + 1.0
    centre, ied = rng.uniform(-35, 35), rng.choice([20.0, 22.0, 30.0])
    out = np.zeros_like(t)
    for direction, length in zip((1.0, -1.0), half):
        for charge, behind in ((24.6, 0.0), (-35.4, 2.1), (10.8, 6.9)):
            travel = np.clip(speed[:, None] * t[None, :] * 1e3 - behind, 0.0, length)
            x = plate[:, None] + direction * travel
            for sign, xe in ((1.0, centre - ied / 2), (-1.0, centre + ied / 2)):
                out += sign * np.sum(charge / np.sqrt((x - xe) ** 2 + 5.0 * depth[:, None] ** 2), axis=0)
    out -= np.linspace(out[0], out[-1], len(out))
    return unit_pp(taper(gaussian_filter1d(out, 0.25e-3 * fs), 0.05))


def hermite_compound(rng: Rng, fs: float, dur: float, phases: int) -> FloatArray:
    """Compound potential of 1-4 phases: Gauss-Hermite mixture on a skewed time axis."""
    coef = np.zeros(phases + 1)
    coef[phases - 1] = 1.0
    coef[phases] = rng.uniform(-0.35, 0.35)
    if phases > 1:
        coef[phases - 2] = rng.uniform(-0.4, 0.4)
    s = dur / (3.4 + 0.9 * phases)
    t = np.arange(-0.7 * dur, 0.7 * dur, 1.0 / fs)
    warp = (t + rng.uniform(-0.25, 0.25) * t * np.abs(t) / dur) / s
    wave = hermite_e.hermeval(warp, coef) * np.exp(-0.5 * warp ** 2)
    return unit_pp(taper(wave)) * rng.choice([-1.0, 1.0])


def gamma_onesided(rng: Rng, fs: float, dur: float) -> FloatArray:
    """One-sided potential: quick rise, slow fall, at most a weak opposite after-wave."""
    k = rng.uniform(1.2, 3.5)
    tau = dur / (k + 4.5)
    t = np.arange(0.0, 2.2 * dur, 1.0 / fs)
    wave = (t / (k * tau)) ** k * np.exp(k - t / tau)
    after = rng.uniform(0.0, 0.15) * np.exp(-0.5 * ((t - 1.1 * dur) / (0.35 * dur)) ** 2)
    wave = gaussian_filter1d(np.pad(wave - after, int(0.004 * fs)), 0.3e-3 * fs)
    return unit_pp(taper(wave, 0.03)) * rng.choice([-1.0, 1.0])


def gabor_wave(rng: Rng, fs: float, dur: float) -> FloatArray:
    """Short oscillating potential, frequency gliding down as the units disperse."""
    t = np.arange(-0.6 * dur, 0.6 * dur, 1.0 / fs)
    f0 = rng.uniform(1.3, 2.6) / dur
    phase = 2 * np.pi * (f0 * t - rng.uniform(0.0, 0.3) * f0 * t * np.abs(t) / dur) + rng.uniform(0, 6.28)
    wave = np.cos(phase) * np.exp(-0.5 * (t / (0.2 * dur)) ** 2)
    return unit_pp(taper(wave))


def polyphasic(rng: Rng, fs: float, dur: float) -> FloatArray:
    """Polyphasic potential of 5-12 turns: a cubic spline through alternating knots."""
    turns = int(rng.integers(5, 13))
    knots = np.concatenate(([0.0], np.sort(rng.uniform(0.08, 0.92, turns)), [1.0]))
    knots = 0.5 * knots + 0.5 * np.linspace(0, 1, turns + 2)
    sign = np.where(np.arange(turns) % 2 == 0, 1.0, -1.0) * rng.choice([-1.0, 1.0])
    size = rng.gamma(2.5, 0.4, turns) * np.hanning(turns + 4)[2:-2]
    level = np.concatenate(([0.0], sign * size + rng.uniform(-0.2, 0.2) * size.mean(), [0.0]))
    m = max(8, int(dur * fs))
    wave = CubicSpline(knots, level, bc_type="clamped")(np.linspace(0, 1, m))
    return unit_pp(taper(wave, 0.05))


def unit_wave(rng: Rng, fs: float, style: str = "mixed") -> tuple[FloatArray, str]:
    """One potential of a style: benign, denervated, fat (deep and smooth) or mixed.

    Returns
    -------
    wave, name
        Wave of one peak to peak and the name of its family.
    """
    if style == "mixed":
        style = str(rng.choice(["benign", "denervated"]))
    if style == "fat":
        names, p = ["unit_tripole_far", "compound_monophasic", "compound_biphasic", "gamma_onesided"], [.4, .15, .3, .15]
    elif style == "benign":
        names = ["unit_tripole_near", "unit_tripole_far", "compound_monophasic", "compound_biphasic",
                 "compound_triphasic", "gamma_onesided", "gabor", "polyphasic"]
        p = [.25, .12, .06, .18, .17, .08, .06, .08]
    else:
        names = ["unit_tripole_near", "compound_biphasic", "compound_triphasic", "gabor", "polyphasic", "satellite"]
        p = [.22, .18, .2, .08, .22, .1]
    name = str(rng.choice(names, p=p))
    mean, sd = (13.7, 5.4) if style == "denervated" else (12.6, 4.4)
    dur = 1e-3 * float(np.clip(rng.normal(mean, sd), 3.0, 40.0)) * (1.6 if style == "fat" else 1.0)
    if name == "unit_tripole_near":
        wave = tripole_unit(rng, fs, rng.uniform(2, 8))
    elif name == "unit_tripole_far":
        wave = tripole_unit(rng, fs, rng.uniform(10, 24))
    elif name.startswith("compound"):
        phases = {"compound_monophasic": 1, "compound_biphasic": 2, "compound_triphasic": 3}[name]
        wave = hermite_compound(rng, fs, dur, phases)
    elif name == "gamma_onesided":
        wave = gamma_onesided(rng, fs, dur)
    elif name == "gabor":
        wave = gabor_wave(rng, fs, dur)
    elif name == "polyphasic":
        wave = polyphasic(rng, fs, float(np.clip(1.4 * dur, 0.010, 0.040)))
    else:
        wave = tripole_unit(rng, fs, rng.uniform(3, 9))
        late = hermite_compound(rng, fs, 0.006, 2) * rng.uniform(0.12, 0.4)
        lag = int(rng.uniform(0.012, 0.024) * fs)
        out = np.zeros(max(len(wave), lag + len(late)))
        out[:len(wave)] += wave
        out[lag:lag + len(late)] += late
        wave = out
    if style == "fat":
        pad = int(0.03 * fs)
        wave = gaussian_filter1d(np.pad(wave, pad), rng.uniform(1.5e-3, 3.2e-3) * fs)
    return unit_pp(wave), name


def burst_wave(rng: Rng, fs: float, dur: float, style: str = "benign", dense: float | None = None) -> FloatArray:
    """Ragged burst of several units within `dur` seconds (myoclonic or fragmentary)."""
    pool = [unit_wave(rng, fs, style)[0] * rng.uniform(0.3, 1.0) for _ in range(int(rng.integers(3, 8)))]
    rate = rng.uniform(120, 500) if dense is None else dense
    count = max(3, int(rng.poisson(rate * dur)))
    # Event times follow a beta envelope; the longest unit may overhang a little.
    a, b = rng.uniform(0.9, 2.5), rng.uniform(0.9, 2.5)
    keep = max(0.25 * dur, dur - 0.008)
    starts = np.sort(rng.beta(a, b, count)) * keep
    starts[0], starts[-1] = 0.0, keep
    out = np.zeros(int((dur + 0.12) * fs))
    lead = int(0.01 * fs)
    for s in starts:
        w = pool[int(rng.integers(len(pool)))] * rng.uniform(0.6, 1.2)
        i = int(s * fs) + lead
        j = min(len(out), i + len(w))
        out[i:j] += w[: j - i]
    env = np.zeros(len(out))
    env[lead: lead + int(dur * fs) + 1] = 1.0
    env = gaussian_filter1d(env, min(0.004, 0.12 * dur) * fs)
    return unit_pp(out * env)


def interference(rng: Rng, fs: float, n: int, style: str = "benign") -> FloatArray:
    """Interference pattern of unit RMS and `n` samples: many units firing asynchronously."""
    out = np.zeros(n)
    for _ in range(6):
        w = unit_wave(rng, fs, style)[0]
        hits = (rng.random(n) < rng.uniform(15, 70) / fs) * rng.normal(1.0, 0.35, n)
        out += rng.uniform(0.4, 1.0) * fftconvolve(hits, w, mode="same")
    return out / max(float(np.std(out)), 1e-9)
