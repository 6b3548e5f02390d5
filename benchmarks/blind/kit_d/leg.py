"""Two-link leg lying on a mattress, seen by an accelerometer strapped above the ankle.

Link 1 is the shank about the knee (with the foot's mass, I about 0.36 kg m^2; Winter, Biomechanics),
link 2 the foot about the ankle (0.008 kg m^2). Springs and dampers are joint and mattress, dry
friction the sheet. The torque is the neural burst through a critically damped twitch (25-70 ms)
after an electromechanical delay. The sensor feels r*q'', r*q'^2, the turned gravity, the bulging
belly below it, and its strap as a resonance of 18-40 Hz.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import signal

FS = 500.0


def rotate(v: np.ndarray, axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Turn vector ``v`` about ``axis`` by every angle (rad); Rodrigues."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return v * c + np.cross(axis, v) * s + axis * (axis @ v) * (1 - c)


def twitch_filter(x: np.ndarray, tc: float) -> np.ndarray:
    """Critically damped second-order muscle twitch of time to peak ``tc`` (s)."""
    a = math.exp(-1.0 / (FS * tc))
    return signal.lfilter([(1 - a) ** 2], [1.0, -2 * a, a * a], x)


class Leg:
    """Mechanics of one recording.

    Parameters
    ----------
    rng : numpy Generator
    """

    def __init__(self, rng: np.random.Generator):
        self.k1, self.z1 = float(rng.uniform(60, 260)), float(rng.uniform(0.3, 0.8))
        self.k2, self.z2 = float(rng.uniform(4, 14)), float(rng.uniform(0.2, 0.5))
        self.friction = rng.uniform(0.0, 0.4)
        self.radius = rng.uniform(0.22, 0.33)
        self.strap = (rng.uniform(18, 40), rng.uniform(0.15, 0.45))
        basis, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        self.along, self.across, self.hinge = basis.T
        g = 0.25 * self.along + 0.9 * self.across + 0.3 * self.hinge * rng.normal()
        self.gravity = g / np.linalg.norm(g)

    def _swing(
        self, tau1: np.ndarray, tau2: np.ndarray, load: list[float]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Integrate both links; returns angle, speed and acceleration of the shank."""
        i1, i2, c, k1 = 0.36, 0.008, 0.018, self.k1
        d1, d2 = 2 * self.z1 * math.sqrt(self.k1 * i1), 2 * self.z2 * math.sqrt(self.k2 * i2)
        det, dt = i1 * i2 - c * c, 1.0 / FS
        q1 = q2 = w1 = w2 = 0.0
        out = np.empty((3, tau1.size))
        k1, d1, k2, d2 = k1 * load[0], d1 * load[1], self.k2 * load[2], d2 * load[1]
        for n, (a, b) in enumerate(zip(tau1.tolist(), tau2.tolist(), strict=True)):
            f1 = a - b * 0.3 - k1 * q1 - d1 * w1 - self.friction * math.tanh(w1 * 50)
            f2 = b - k2 * q2 - d2 * w2
            acc1, acc2 = (i2 * f1 - c * f2) / det, (i1 * f2 - c * f1) / det
            w1 += dt * acc1
            w2 += dt * acc2
            q1 += dt * w1
            q2 += dt * w2
            out[:, n] = q1, w1, acc1
        return out[0], out[1], out[2]

    def respond(
        self, rng: np.random.Generator, effort: np.ndarray, peak_g: float, tc: float, gravity: np.ndarray
    ) -> np.ndarray:
        """Dynamic acceleration (n, 3) in g at 500 Hz to an effort, scaled to about ``peak_g``.

        Parameters
        ----------
        effort : ndarray
            Neural effort at 500 Hz (any scale), already delayed.
        peak_g : float
            Wanted peak of the 0.5-40 Hz magnitude.
        tc : float
            Twitch time to peak (s).
        gravity : ndarray
            Gravity in the sensor at rest (g).
        """
        force = twitch_filter(effort, tc)
        force = force / max(force.max(), 1e-9)
        share = rng.uniform(0.1, 0.9)
        bulge = np.gradient(np.gradient(twitch_filter(effort, tc * 0.6)))
        bulge /= max(np.abs(bulge).max(), 1e-9)
        belly = rng.uniform(0.05, 0.35)
        load = np.exp(rng.normal(0, [0.6, 0.4, 0.4])).tolist()  # this posture's stiffness and damping
        lean = rng.normal(0, 0.6)
        axis = np.cos(lean) * self.hinge - np.sin(lean) * self.across
        across = np.cos(lean) * self.across + np.sin(lean) * self.hinge
        fall = rng.uniform(0.15, 0.4) if peak_g > 0.25 and rng.random() < 0.4 else 0.0  # back on the bed
        hit, ring = rng.uniform(0.15, 0.8), rng.uniform(7, 25)
        scale, acc = peak_g * 20.0, np.zeros((effort.size, 3))
        for _ in range(4):
            q, w, a = self._swing(scale * force, scale * force * share, load)
            q = np.clip(q, -1.2, 1.2)
            acc = (self.radius * a / 9.81)[:, None] * across
            acc = acc + (self.radius * w * w / 9.81)[:, None] * self.along
            acc = acc + rotate(gravity, axis, q) - gravity
            acc = acc + (belly * peak_g * bulge)[:, None] * (0.8 * self.across + 0.6 * self.hinge)
            if fall:
                i = int(fall * FS)
                x = np.arange(max(0, acc.shape[0] - i)) / FS
                blow = np.exp(-x / 0.05) * np.sin(2 * np.pi * ring * x)
                acc[i:] += (hit * peak_g * blow)[:, None] * across
            f, z = self.strap
            b, a2 = signal.bilinear(
                [2 * z * 2 * np.pi * f, (2 * np.pi * f) ** 2],
                [1.0, 2 * z * 2 * np.pi * f, (2 * np.pi * f) ** 2],
                FS,
            )
            acc = signal.lfilter(b, a2, acc, axis=0)
            got = dynamic_peak(acc)[0]
            if got > 0.8 * peak_g and got < 1.25 * peak_g:
                break
            scale *= float(np.clip(peak_g / max(got, 1e-6), 0.1, 10))
        return acc


def dynamic_peak(acc: np.ndarray) -> tuple[float, float]:
    """Peak 0.5-40 Hz magnitude (g) and its steepest change (g/s, on a 100-Hz grid)."""
    sos = signal.butter(2, [0.5, 40.0], "bandpass", fs=FS, output="sos")
    pad = np.concatenate([np.repeat(acc[:1], 500, 0), acc, np.repeat(acc[-1:], 500, 0)])
    y = signal.sosfiltfilt(sos, pad, axis=0)
    peak = float(np.linalg.norm(y, axis=1).max())
    d = np.diff(y[::5], axis=0) * FS / 5
    return peak, float(np.linalg.norm(d, axis=1).max())


def thud(rng: np.random.Generator, peak_g: float) -> np.ndarray:
    """Knock on the strap or bed frame: a short blow ringing at 12-70 Hz, any direction."""
    t = np.arange(int(0.9 * FS)) / FS
    f, tau = np.exp(rng.uniform(np.log(12), np.log(70))), rng.uniform(0.015, 0.15)
    x = np.sin(2 * np.pi * f * t) * np.exp(-t / tau) * (1 - np.exp(-t / 0.004))
    x += 0.4 * rng.normal() * np.exp(-((t - 0.01) ** 2) / (2 * 0.004**2))
    direction = rng.normal(size=3)
    return peak_g * x[:, None] / np.abs(x).max() * direction / np.linalg.norm(direction)
