"""Damped limb segment with a skin-mounted accelerometer.

Muscle force is the motor drive through a critically damped twitch (Fuglevand 1993), delayed by electromechanical
coupling (10-80 ms); the segment is a second-order joint (inertia, stiffness, damping); the sensor sees tangential
and centripetal acceleration and the turning of gravity, through the soft-tissue mount.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from .records import Array

G = 9.81


@dataclass(frozen=True)
class Segment:
    """A segment: joint resonance (Hz), damping ratio, lever arm (m), mount resonance (Hz) and its damping."""

    f_joint: float
    zeta: float
    arm: float
    f_mount: float
    zeta_mount: float


def twitch_force(drive: Array, fs: float, contraction_s: float, delay_s: float) -> Array:
    """Force of a drive through a twitch t/T exp(1 - t/T), after the coupling delay."""
    t = np.arange(int(8 * contraction_s * fs) + 2) / fs
    kernel = t / contraction_s * np.exp(1 - t / contraction_s)
    return np.concatenate([np.zeros(round(delay_s * fs)), signal.fftconvolve(drive, kernel)])


def _second_order(x: Array, f: float, zeta: float, fs: float) -> Array:
    w = 2 * np.pi * f
    b, a = signal.bilinear([w * w], [1, 2 * zeta * w, w * w], fs)
    return np.asarray(signal.lfilter(b, a, x))


def swing(force: Array, fs: float, seg: Segment, gravity: Array, axis: Array, peak_g: float,
          settle_s: float = 1.5) -> Array:
    """Dynamic acceleration (sample, 3) in g at the sensor, scaled to a true peak.

    Parameters
    ----------
    force : Array
        Muscle force (any unit).
    fs : float
        Rate (Hz).
    seg : Segment
        The limb.
    gravity : Array
        Gravity in the sensor's frame at rest (unit vector).
    axis : Array
        Unit vector of the joint's axis in the sensor's frame.
    peak_g : float
        Peak of the magnitude of the dynamic acceleration.
    settle_s : float
        Time added for the limb to come to rest.
    """
    f = np.concatenate([np.zeros(2), force, np.zeros(int(settle_s * fs))])
    angle = _second_order(f, seg.f_joint, seg.zeta, fs)
    rate = np.gradient(angle) * fs
    accel = _second_order(np.gradient(rate) * fs * seg.arm / G, seg.f_mount, seg.zeta_mount, fs)
    along = np.array([1.0, 0.0, 0.0])                        # long axis of the leg is x
    tangent = np.cross(axis, along)
    tangent /= np.linalg.norm(tangent)
    swung = np.cross(axis, gravity)
    scale = peak_g / max(1e-12, float(np.max(np.abs(accel))))
    out = np.zeros((f.size, 3))
    for _ in range(6):
        theta = np.clip(angle * scale, -1.0, 1.0)
        out = (np.outer(accel * scale, tangent) + np.outer((rate * scale)**2 * seg.arm / G, along)
               + np.outer(np.sin(theta), swung) + np.outer(1 - np.cos(theta), np.cross(axis, swung)))
        peak = float(np.max(np.linalg.norm(out, axis=1)))
        scale *= (peak_g / peak)**0.8
    fade = np.clip(np.arange(f.size)[::-1] / (0.4 * fs), 0, 1)
    out = out * fade[:, None]
    return out * (peak_g / max(1e-12, float(np.max(np.linalg.norm(out, axis=1)))))


def knock(rng: np.random.Generator, fs: float, peak_g: float) -> Array:
    """A blow on bed, strap or sensor: a short half-sine through the mount's ringing (sample, 3)."""
    width = rng.uniform(0.004, 0.03)
    t = np.arange(int(0.9 * fs)) / fs
    pulse = np.where(t < width, np.sin(np.pi * t / width), 0.0)
    ring = _second_order(pulse, rng.uniform(9, 32), rng.uniform(0.08, 0.4), fs)
    ring *= peak_g / np.max(np.abs(ring))
    way = rng.normal(0, 1, 3)
    return np.outer(ring, way / np.linalg.norm(way))


def steepness(acc: Array, fs: float) -> float:
    """Largest rate of change (g/s) of an acceleration below 40 Hz."""
    sos = signal.butter(2, min(40.0, 0.45 * fs), fs=fs, output="sos")
    low = signal.sosfiltfilt(sos, acc, axis=0)
    return float(np.max(np.linalg.norm(np.diff(low, axis=0), axis=1)) * fs)
