"""A leg on a mattress with a strapped accelerometer.

Activation becomes force by a critically damped twitch (contraction time of the person). The
segment is a damped mass on the mattress spring; the sensor sees (i) its acceleration, (ii) the
second derivative of the bulging muscle under it (10-40 Hz, what mechanomyography records), (iii)
a little tilt against gravity, all through the resonance of strap and skin, and sometimes (iv) the
rebound when the leg drops back. Orientation changes are rotations of the gravity vector with the
tangential and centripetal acceleration of a lever of 0.25-0.45 m.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import bilinear, butter, lfilter, sosfilt, sosfiltfilt

from .model import FS_MECH, Accelerometer, Array, Bed


def _second_order(x: Array, hz: float, zeta: float, zeros: tuple[float, float, float]) -> Array:
    """Filter ``x`` at 1 kHz by (zeros of s) / (s^2 + 2 zeta w s + w^2)."""
    w = 2.0 * np.pi * hz
    num = [zeros[0], zeros[1] * w, zeros[2] * w * w]
    b, a = bilinear(num, [1.0, 2.0 * zeta * w, w * w], fs=FS_MECH)
    out: Array = np.asarray(lfilter(b, a, x), dtype=float)
    return out


def unit_vector(rng: np.random.Generator) -> Array:
    """Return a random direction."""
    v = rng.standard_normal(3)
    out: Array = v / np.linalg.norm(v)
    return out


def _peak(x: Array) -> Array:
    top = float(np.max(np.abs(x)))
    return x / top if top > 0 else x


def leg_response(
    rng: np.random.Generator,
    force: Array,
    bed: Bed,
    sensor: Accelerometer,
    twitch_ms: float,
    peak_g: float,
    delay: float,
    bulge: float,
    rebound: bool = False,
) -> Array:
    """Acceleration (3, n) at 1 kHz caused by an activation.

    Parameters
    ----------
    peak_g : float
        Wanted peak of the vector magnitude in 0.5-40 Hz.
    delay : float
        Seconds from the start of ``force`` to the first 5 % of the peak.
    bulge : float
        Share (0-1) of the local muscle bulge against the movement of the segment.
    """
    padded = np.concatenate([force, np.zeros(1800)])
    tau = twitch_ms / 1000.0
    t = np.arange(int(6 * tau * FS_MECH)) / FS_MECH
    kernel = t / tau * np.exp(1.0 - t / tau)
    pull = np.convolve(padded, kernel)[: padded.size]
    leg = _peak(_second_order(pull, bed.mattress_hz, bed.mattress_zeta, (1.0, 0.0, 0.0)))
    tilt = _peak(_second_order(pull, bed.mattress_hz * 0.7, 0.8, (0.0, 0.0, 1.0)))
    quick = np.convolve(padded, (t / (0.3 * tau)) * np.exp(1.0 - t / (0.3 * tau)))[: padded.size]
    muscle = _peak(np.gradient(np.gradient(quick)))
    parts = [(1.0 - bulge) * leg, bulge * muscle, 0.12 * tilt]
    if rebound:
        back = np.zeros(padded.size)
        at = int(np.argmax(tilt) + rng.uniform(0.08, 0.25) * FS_MECH)
        n = min(400, back.size - at)
        if n > 0:
            ring = np.arange(n) / FS_MECH
            back[at : at + n] = (
                rng.uniform(0.2, 0.6)
                * np.exp(-ring / rng.uniform(0.03, 0.08))
                * np.sin(2 * np.pi * rng.uniform(6.0, 15.0) * ring)
            )
        parts.append(back)
    acc = np.zeros((3, padded.size))
    for part in parts:
        acc += unit_vector(rng)[:, None] * part
    strap = np.array([_second_order(row, sensor.strap_hz, sensor.strap_zeta, (0.0, 0.0, 1.0)) for row in acc])
    size = np.sqrt((strap**2).sum(axis=0))
    top = float(size.max())
    if top <= 0:
        return strap
    first = int(np.argmax(size > 0.05 * top))
    shift = int(delay * FS_MECH) - first
    strap = np.concatenate([np.zeros((3, max(shift, 0))), strap[:, max(-shift, 0) :]], axis=1)
    return scale_dynamic(strap, peak_g)


def dynamic(acc: Array, fs: float = FS_MECH) -> Array:
    """Vector magnitude of the dynamic acceleration, 0.5-40 Hz (or what the rate allows)."""
    top = min(40.0, 0.45 * fs)
    sos = butter(2, [0.5, top], "bandpass", fs=fs, output="sos")
    pad = int(2 * fs)
    wide = np.pad(acc, ((0, 0), (pad, pad)), mode="edge")
    out: Array = np.sqrt((sosfiltfilt(sos, wide, axis=1) ** 2).sum(axis=0))[pad:-pad]
    return out


def scale_dynamic(acc: Array, peak_g: float) -> Array:
    """Scale ``acc`` so that its dynamic magnitude peaks at ``peak_g``."""
    top = float(dynamic(acc).max())
    return acc * (peak_g / top) if top > 0 else acc


def moving_acceleration(
    rng: np.random.Generator, drive: Array, bed: Bed, sensor: Accelerometer, peak_g: float
) -> Array:
    """Acceleration (3, n) at 1 kHz of a sustained movement with the effort ``drive`` (1 kHz)."""
    n = drive.size + 800
    effort = np.concatenate([drive, np.zeros(800)])
    sos = butter(2, [0.4, float(rng.uniform(2.0, 7.0))], "bandpass", fs=FS_MECH, output="sos")
    shake = sosfilt(sos, rng.standard_normal((3, n)), axis=1)
    shake /= np.max(np.abs(shake)) + 1e-12
    smooth = np.convolve(effort, np.ones(80) / 80.0)[:n]
    push = _peak(_second_order(smooth, bed.mattress_hz, bed.mattress_zeta, (1.0, 0.0, 0.0)))
    acc = smooth * shake + float(rng.uniform(0.3, 1.2)) * unit_vector(rng)[:, None] * push
    acc = np.array([_second_order(r, sensor.strap_hz, sensor.strap_zeta, (0.0, 0.0, 1.0)) for r in acc])
    lag = int(rng.uniform(0.02, 0.08) * FS_MECH)
    acc = np.concatenate([np.zeros((3, lag)), acc], axis=1)
    return scale_dynamic(acc, peak_g)


def knock(rng: np.random.Generator, sensor: Accelerometer, peak_g: float, slow: bool = False) -> Array:
    """Blow on sensor or bed: damped ringing (15-45 Hz, a shaken mattress 3-9 Hz)."""
    hz = rng.uniform(3.0, 9.0) if slow else rng.uniform(15.0, 45.0)
    tau = rng.uniform(0.08, 0.3) if slow else rng.uniform(0.008, 0.05)
    t = np.arange(int((7 * tau + 0.05) * FS_MECH)) / FS_MECH
    rise = 1.0 - np.exp(-t / (0.02 if slow else 0.002))
    acc = np.zeros((3, t.size))
    for share, ratio in ((1.0, 1.0), (0.4, rng.uniform(1.3, 2.2))):
        phase = rng.uniform(0, 2 * np.pi)
        wave = np.exp(-t / tau) * (np.sin(2 * np.pi * hz * ratio * t + phase) - np.sin(phase) * np.exp(-t / 0.01))
        acc += share * unit_vector(rng)[:, None] * wave * rise
    return scale_dynamic(acc, peak_g)


def rotation(axis: Array, angle: Array) -> Array:
    """Return rotation matrices (n, 3, 3) about ``axis`` by ``angle`` (rad)."""
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    s, c = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    out: Array = np.eye(3)[None] + s * k[None] + (1.0 - c) * (k @ k)[None]
    return out


def gravity(start: Array, turns: list[tuple[float, float, Array, float]], n: int, fs: float) -> Array:
    """Gravity in sensor axes (3, n) under successive turns (time, seconds, axis, rad)."""
    out = np.repeat(start[:, None], n, axis=1)
    for at, seconds, axis, angle in sorted(turns, key=lambda item: item[0]):
        a = int(at * fs)
        if a >= n:
            continue
        t = np.clip((np.arange(a, n) / fs - at) / seconds, 0.0, 1.0)
        ramp = t**3 * (10.0 - 15.0 * t + 6.0 * t**2)
        m = min(n - a, int(seconds * fs) + 2)
        before = out[:, a].copy()
        out[:, a : a + m] = np.einsum("nij,j->in", rotation(axis, angle * ramp[:m]), before)
        out[:, a + m :] = out[:, a + m - 1][:, None]
    return out


def turn_acceleration(rng: np.random.Generator, seconds: float, angle: float) -> Array:
    """Tangential and centripetal acceleration (3, n; g, 1 kHz) of a turn on a lever."""
    lever = float(rng.uniform(0.1, 0.4))
    t = np.arange(int(seconds * FS_MECH)) / FS_MECH / seconds
    speed = angle * (30 * t**2 - 60 * t**3 + 30 * t**4) / seconds
    accel = angle * (60 * t - 180 * t**2 + 120 * t**3) / seconds**2
    one, two = unit_vector(rng), unit_vector(rng)
    out: Array = lever / 9.81 * (one[:, None] * accel + two[:, None] * speed**2)
    return out
