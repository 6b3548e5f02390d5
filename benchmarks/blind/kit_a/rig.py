"""Electrodes, amplifier, converter and sensor: everything that is not muscle."""

from __future__ import annotations

import numpy as np
from scipy import signal

from .limb import FS_MECH
from .records import Rig


def amplifier(rig: Rig, x: np.ndarray) -> np.ndarray:
    """Causal analogue band of the amplifier (Butterworth), then sampling at the converter's rate."""
    fs = rig.fs_syn
    fs_out = float(rig.fs_emg or fs)
    low = min(rig.lp_hz, 0.46 * fs_out)
    y = signal.sosfilt(signal.butter(4, low, "low", fs=fs, output="sos"), x)
    sos = signal.butter(rig.hp_order, rig.hp_hz, "high", fs=fs, output="sos")
    zi = signal.sosfilt_zi(sos) * float(np.median(y[: int(fs)]))
    y, _ = signal.sosfilt(sos, y, zi=zi)
    return y[:: int(round(fs / fs_out))]


def band_rms(x: np.ndarray, fs: float) -> float:
    """RMS of the 20-450 Hz band (or up to 0.45 fs)."""
    sos = signal.butter(4, [20.0, min(450.0, 0.45 * fs)], "band", fs=fs, output="sos")
    return float(np.sqrt(np.mean(signal.sosfiltfilt(sos, x)[int(0.5 * fs):] ** 2)))


def electrode_noise(rng: np.random.Generator, rig: Rig, n: int) -> np.ndarray:
    """Thermal plus 1/f noise; scaled so that the amplified 20-450 Hz band has the rig's RMS.

    Skin noise is coloured and wanders in size by some per cent over minutes (Huigen 2002).
    """
    white = rng.standard_normal(n)
    pink = signal.lfilter([0.049922, -0.095993, 0.050612, -0.004409], [1, -2.494956, 2.017265, -0.522190], rng.standard_normal(n))
    pink *= 1.0 / (np.std(pink) + 1e-12)
    x = white * (1 - rig.pink) + 2.0 * rig.pink * pink
    m = min(n, int(40 * rig.fs_syn))
    rms = band_rms(amplifier(rig, x[:m]), float(rig.fs_emg or rig.fs_syn))
    knots = 1 + 0.05 * rng.standard_normal(max(4, int(n / rig.fs_syn / 60) + 2))
    slow = np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)
    return x * slow * (rig.noise_uv / rms)


def wander(rng: np.random.Generator, rig: Rig, n: int) -> np.ndarray:
    """Half-cell drift and breathing, below 1 Hz."""
    m = max(8, int(n / rig.fs_syn * 2))
    steps = rng.standard_normal(m)
    b, a = signal.butter(1, 0.15)
    walk = signal.lfilter(b, a, steps)
    t = np.arange(m) / 2.0
    walk = walk / (walk.std() + 1e-9) + 0.4 * np.sin(2 * np.pi * rng.uniform(0.18, 0.3) * t + rng.uniform(0, 6))
    return rig.wander_uv * np.interp(np.linspace(0, m - 1, n), np.arange(m), walk)


def mains(rng: np.random.Generator, rig: Rig, n: int) -> np.ndarray:
    """Hum with harmonics; frequency and size wander, sometimes with a step (somebody moves a lamp)."""
    if not rig.mains_uv:
        return np.zeros(n)
    knots = max(6, int(n / rig.fs_syn / 20) + 2)
    grid = np.linspace(0, knots - 1, n)
    base = rig.mains_hz
    limit = 0.2 if base < 55 else 0.1
    drift = np.clip(np.cumsum(rng.normal(0, limit / 6, knots)) + rng.uniform(-limit, limit) / 2, -limit, limit)
    phase = 2 * np.pi * np.cumsum(base + np.interp(grid, np.arange(knots), drift)) / rig.fs_syn
    out = np.zeros(n)
    for k, amp in enumerate(rig.mains_uv, start=1):
        if amp <= 0 or k * base > 0.5 * rig.fs_syn:
            continue
        size = np.clip(1 + np.cumsum(rng.normal(0, rig.mains_depth / 3, knots)), 1 - rig.mains_depth, 1 + rig.mains_depth)
        size /= float(np.sqrt(np.mean(size**2)))
        out += amp * np.interp(grid, np.arange(knots), size) * np.sin(k * phase + rng.uniform(0, 6))
    return out


def beats(rng: np.random.Generator, rig: Rig, span_s: float) -> np.ndarray:
    """R-wave times with breathing and slow variation."""
    m = int(span_s * rig.heart_hz * 1.3) + 10
    k = np.arange(m)
    rr = 1 / rig.heart_hz * (1 + 0.03 * np.sin(2 * np.pi * 0.22 * k / rig.heart_hz) + 0.02 * rng.standard_normal(m))
    t = np.cumsum(rr) + rng.uniform(0, 1) - 1
    return t[(t > 0.2) & (t < span_s - 1)]


def ecg(rng: np.random.Generator, rig: Rig, times: np.ndarray, n: int) -> np.ndarray:
    """Heart's dipole far away at a leg pair: P, QRS and T as Gaussians."""
    fs = rig.fs_syn
    t = np.arange(-0.3, 0.55, 1 / fs)
    waves = [(-0.17, 0.022, 0.12), (-0.028, 0.008, -rng.uniform(0.0, 0.4)), (0.0, rng.uniform(0.008, 0.014), 1.0),
             (0.03, 0.010, -rng.uniform(0.1, 0.6)), (rng.uniform(0.24, 0.3), 0.045, rng.uniform(0.1, 0.35))]
    shape = sum(a * np.exp(-0.5 * ((t - c) / w) ** 2) for c, w, a in waves)
    shape = np.asarray(shape) * rig.ecg_uv / np.ptp(shape) * rng.choice([-1, 1])
    idx = np.round(times * fs).astype(int)[:, None] + np.arange(len(t))[None, :] - int(0.3 * fs)
    size = 1 + 0.08 * np.sin(2 * np.pi * 0.22 * times) + 0.03 * rng.standard_normal(len(times))
    val = size[:, None] * shape[None, :]
    ok = (idx >= 0) & (idx < n)
    return np.bincount(idx[ok], val[ok], minlength=n)


def pulse(rng: np.random.Generator, rig: Rig, times: np.ndarray, n: int) -> np.ndarray:
    """Arterial pulse at the ankle in the acceleration (g), about 0.2-0.3 s after the R wave."""
    t = np.arange(0, 0.6, 1 / FS_MECH)
    f = rng.uniform(4, 9)
    shape = np.sin(2 * np.pi * f * t) * np.exp(-t / rng.uniform(0.06, 0.15)) + 0.3 * np.roll(np.sin(2 * np.pi * 4 * t) * np.exp(-t / 0.1), 100) * (t > 0.2)
    shape /= np.abs(shape).max()
    idx = np.round((times + rng.uniform(0.2, 0.3)) * FS_MECH).astype(int)[:, None] + np.arange(len(t))[None, :]
    val = rig.pulse_mg * 1e-3 * (1 + 0.1 * rng.standard_normal(len(times)))[:, None] * shape
    ok = (idx >= 0) & (idx < n)
    one = np.bincount(idx[ok], val[ok], minlength=n)
    way = rng.normal(size=3)
    return one[:, None] * (way / np.linalg.norm(way))


def convert_emg(rng: np.random.Generator, rig: Rig, x: np.ndarray) -> np.ndarray:
    """Amplify, sample, quantise and clip."""
    y = amplifier(rig, x)
    dither = rng.uniform(-0.02, 0.02, len(y)) * rig.lsb_uv
    return np.clip(np.round((y + dither) / rig.lsb_uv) * rig.lsb_uv, -rig.range_uv, rig.range_uv - rig.lsb_uv)


def convert_acc(rng: np.random.Generator, rig: Rig, acc: np.ndarray) -> np.ndarray:
    """Sensor: gain and offset error, its low-pass, noise, sampling, quantisation and rails."""
    fs = float(rig.fs_acc or 100.0)
    gain, offset = 1 + 0.015 * rng.standard_normal(3), 0.015 * rng.standard_normal(3)
    sos = signal.butter(2, min(0.4 * fs, 0.45 * FS_MECH), "low", fs=FS_MECH, output="sos")
    zi = signal.sosfilt_zi(sos)
    n_out = int(len(acc) / FS_MECH * fs)
    t_in, t_out = np.arange(len(acc)) / FS_MECH, np.arange(n_out) / fs
    out = np.zeros((n_out, 3))
    lsb = 2 * rig.acc_range_g / 2**rig.acc_bits
    sigma = rig.acc_noise_ug * 1e-6 * np.sqrt(fs / 2)
    for k in range(3):
        y, _ = signal.sosfilt(sos, acc[:, k] * gain[k] + offset[k], zi=zi * (acc[0, k] * gain[k] + offset[k]))
        y = np.interp(t_out, t_in, y) + sigma * rng.standard_normal(n_out)
        out[:, k] = np.clip(np.round(y / lsb) * lsb, -rig.acc_range_g, rig.acc_range_g - lsb)
    return out
