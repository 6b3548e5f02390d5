"""The leg and its accelerometer.

The leg is a damped spring-mass turning about a joint (bedding and joint give stiffness and damping):
I th'' + c th' + k th = r F. The sensor at distance l feels l th'' along, l th'^2 towards the joint and
gravity turned by th; tissue and strap add a faster damped mode. Force, not EMG, drives it all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal
from scipy.interpolate import CubicSpline

FS_MECH = 500.0
G0 = 9.81


@dataclass(frozen=True)
class Limb:
    """Mechanics of one leg on one bed."""

    f_hz: float
    damping: float
    arm_m: float
    f_tissue: float
    damp_tissue: float
    mix: float
    axis: np.ndarray
    along: np.ndarray
    radial: np.ndarray


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)


def draw_limb(rng: np.random.Generator) -> Limb:
    """Draw a leg: 2.2-8 Hz, damped 0.3-0.9; tissue and strap 10-35 Hz."""
    axis = _unit(rng.normal(size=3))
    along = _unit(np.cross(axis, rng.normal(size=3)))
    return Limb(float(rng.uniform(2.2, 8)), float(rng.uniform(0.3, 0.9)), float(rng.uniform(0.15, 0.42)),
                float(rng.uniform(10, 35)), float(rng.uniform(0.15, 0.6)), float(rng.uniform(0.05, 0.7)),
                axis, along, np.cross(axis, along))


def turn(vec: np.ndarray, axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Rodrigues rotation of ``vec`` about ``axis`` by every ``angle`` (rad)."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return vec * c + np.cross(axis, vec) * s + axis * (axis @ vec) * (1 - c)


def _second_order(f_hz: float, damping: float, num: list[float], x: np.ndarray) -> np.ndarray:
    w = 2 * np.pi * f_hz
    b, a = signal.bilinear(num, [1.0, 2 * damping * w, w * w], FS_MECH)
    return signal.lfilter(b, a, x)


def respond(force: np.ndarray, limb: Limb, gravity: np.ndarray, peak_g: float, rng: np.random.Generator) -> np.ndarray:
    """Acceleration (g) that a muscle force gives.

    Parameters
    ----------
    force : numpy.ndarray
        Force at FS_MECH, arbitrary unit.
    limb : Limb
        Leg.
    gravity : numpy.ndarray
        Gravity (g) in the sensor's frame before the event.
    peak_g : float
        Peak of the tangential and tissue acceleration together.
    rng : numpy.random.Generator
        For the small spread of direction from event to event.

    Returns
    -------
    numpy.ndarray
        (samples, 3), gravity itself taken off.
    """
    acc = _second_order(limb.f_hz, limb.damping, [1.0, 0.0, 0.0], force)
    theta = _second_order(limb.f_hz, limb.damping, [1.0], force)
    tissue = _second_order(limb.f_tissue, limb.damp_tissue, [1.0, 0.0, 0.0], force)
    top = float(np.max(np.abs(acc))) + 1e-12
    tissue *= top / (float(np.max(np.abs(tissue))) + 1e-12)
    tilt = _unit(limb.along + 0.25 * rng.normal(size=3))
    out_dir = _unit(limb.radial + 0.4 * rng.normal(size=3))
    base = (1 - limb.mix) * acc[:, None] * tilt + limb.mix * tissue[:, None] * out_dir
    scale = peak_g / (float(np.linalg.norm(base, axis=1).max()) + 1e-12)
    angle = theta * scale * (1 - limb.mix) * G0 / limb.arm_m
    speed = np.gradient(angle) * FS_MECH
    return scale * base + (limb.arm_m * speed**2 / G0)[:, None] * limb.radial + turn(gravity, limb.axis, np.clip(angle, -1.2, 1.2)) - gravity


def glide(n: int, start: int, length: int, angle: float) -> np.ndarray:
    """Minimum-jerk turn of ``angle`` rad beginning at ``start`` and lasting ``length`` samples."""
    u = np.clip((np.arange(n) - start) / max(length, 1), 0, 1)
    return angle * u**3 * (10 - 15 * u + 6 * u * u)


def knock(rng: np.random.Generator, n: int, start: int, peak_g: float) -> np.ndarray:
    """A blow on bed or sensor: a short push, then ringing of the strap (12-45 Hz)."""
    t = np.clip((np.arange(n) - start) / FS_MECH, 0, None)
    push = np.exp(-((t - 0.006) / rng.uniform(0.002, 0.006)) ** 2) * (t > 0)
    ring = _second_order(rng.uniform(12, 45), rng.uniform(0.06, 0.4), [1.0, 0.0, 0.0], push)
    out = ring[:, None] * _unit(rng.normal(size=3)) + 0.3 * np.roll(ring, 2)[:, None] * _unit(rng.normal(size=3))
    return out * peak_g / (float(np.linalg.norm(out, axis=1).max()) + 1e-12)


def gait(rng: np.random.Generator, span_s: float, gravity: np.ndarray, limb: Limb) -> tuple[np.ndarray, np.ndarray]:
    """Walking: acceleration of the shank and times of the heel strikes.

    Returns
    -------
    tuple of numpy.ndarray
        (samples, 3) without gravity at rest, and heel strikes (s).
    """
    n = int(span_s * FS_MECH)
    period = rng.uniform(0.95, 1.3)
    steps = np.cumsum(rng.normal(period, 0.03 * period, int(span_s / period * 1.3) + 5))
    steps = np.concatenate([[0.3], steps + 0.3])
    t = np.arange(n) / FS_MECH
    phase = CubicSpline(steps, np.arange(len(steps)))(t) * 2 * np.pi
    fade = glide(n, int(0.1 * FS_MECH), int(0.9 * FS_MECH), 1.0) * glide(n, 0, int(0.9 * FS_MECH), 1.0)[::-1]
    angle = fade * rng.uniform(0.2, 0.45) * (np.sin(phase) + 0.35 * np.sin(2 * phase + rng.uniform(0, 6)))
    second = np.gradient(np.gradient(angle)) * FS_MECH**2
    strikes = steps[(steps > 0.5) & (steps < span_s - 0.6)]
    push = np.zeros(n)
    for s in strikes:
        push[int(s * FS_MECH)] += rng.uniform(0.7, 1.3)
    ring = _second_order(rng.uniform(9, 18), rng.uniform(0.2, 0.5), [1.0, 0.0, 0.0], signal.lfilter([0.2] * 5, [1.0], push))
    ring *= rng.uniform(0.8, 2.5) / (np.abs(ring).max() + 1e-9)
    out = (limb.arm_m * second / G0)[:, None] * limb.along + ring[:, None] * _unit(gravity + 0.3 * rng.normal(size=3))
    return out + turn(gravity, limb.axis, angle) - gravity, strikes
