"""How the leg moves: real impacts and activity of ankles, and a limb model where none is known.

Simulated: the limb's answer to a muscle's pull (a damped swing after an electromechanical
delay), the skin's tremble over a single unit, the bed's ring, pulse and breathing.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from benchmarks.accuracy.canvas import Canvas, Motion
from benchmarks.accuracy.parts import ANKLE_HZ, Parts
from benchmarks.accuracy.waves import TEMPLATE_HZ, add_copies, edges, peak_g, tapered

FS = 400.0


def _direction(rng: np.random.Generator, along: float = 0.3) -> np.ndarray:
    v = rng.normal(size=3) * (along, 1.0, 1.0)
    return v / np.linalg.norm(v)


def _turned_axes(rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(3, 3)))[0]


def _scaled(x: np.ndarray, fs: float, to_g: float) -> np.ndarray:
    return x * (to_g / peak_g(x, fs))


def swing(force: np.ndarray, hz: float, damping: float, rng: np.random.Generator) -> np.ndarray:
    """Return the acceleration of a damped limb pushed by `force` (at 400 Hz), three axes."""
    w = 2 * np.pi * hz
    b, a = signal.bilinear([w**2, 0, 0], [1, 2 * damping * w, w**2], FS)
    pushed = signal.lfilter(b, a, force)
    # A second, weaker mode in another direction: no limb swings about one axis alone.
    w2 = w * rng.uniform(1.4, 2.2)
    b, a = signal.bilinear([w2**2, 0, 0], [1, 2 * damping * w2, w2**2], FS)
    other = signal.lfilter(b, a, force)
    return pushed[:, None] * _direction(rng) + 0.3 * other[:, None] * _direction(rng)


def jolt(
    parts: Parts, to_g: float, delay: float, rng: np.random.Generator, least_jerk: float = 5.5
) -> tuple[Motion, str]:
    """Return a jolt of a jerk that begins (10 % of its peak) `delay` s after the EMG, source."""
    for _ in range(20):
        if rng.random() < 0.5:
            piece = parts.jolts[rng.integers(len(parts.jolts))]
            x, fs, source = piece.x @ _turned_axes(rng), ANKLE_HZ, piece.source
        else:
            rise = rng.uniform(0.015, 0.05)
            t = np.arange(0, 0.9, 1 / FS)
            pull = t / rise * np.exp(1 - t / rise)
            x = swing(pull, rng.uniform(5, 11), rng.uniform(0.25, 0.5), rng)
            x = np.concatenate([np.zeros((4, 3)), x * np.minimum(1, (0.9 - t) / 0.2)[:, None]])
            fs, source = FS, "limb model"
        x = _scaled(x, fs, to_g)
        if np.linalg.norm(np.diff(x, axis=0), axis=1).max() * fs >= least_jerk:
            break
    first, _ = edges(np.linalg.norm(x, axis=1))
    return Motion(delay - first / fs, x, fs), source


def tremble(to_g: float, rng: np.random.Generator) -> Motion:
    """Return the tremble of the skin over one motor unit."""
    t = np.arange(0, 0.5, 1 / FS)
    rise = rng.uniform(0.015, 0.03)
    x = swing(t / rise * np.exp(1 - t / rise), rng.uniform(8, 16), rng.uniform(0.3, 0.6), rng)
    return Motion(rng.uniform(0.003, 0.010), _scaled(tapered(x, 0.3), FS, to_g), FS)


def bump(parts: Parts, to_g: float, rng: np.random.Generator) -> tuple[Motion, str]:
    """Return a knock at the bed: a short blow and its ring, or a real impact."""
    if rng.random() < 0.35:
        piece = parts.jolts[rng.integers(len(parts.jolts))]
        x = piece.x @ _turned_axes(rng)
        return Motion(0.0, _scaled(x, ANKLE_HZ, to_g), ANKLE_HZ), piece.source
    t = np.arange(0, 0.8, 1 / FS)
    blow = np.zeros(len(t))
    width = round(rng.uniform(0.01, 0.04) * FS)
    blow[4 : 4 + width] = np.sin(np.linspace(0, np.pi, width))
    x = swing(blow, rng.uniform(10, 28), rng.uniform(0.06, 0.25), rng)
    x *= np.minimum(1, (0.8 - t) / 0.3)[:, None]
    return Motion(0.0, _scaled(x, FS, to_g), FS), "bed model"


def lift(seconds: float, to_g: float, rng: np.random.Generator) -> Motion:
    """Return a slow lift of the leg: gravity turns in the sensor, the limb swings and trembles."""
    n = round((seconds + 1.0) * FS)
    t = np.arange(n) / FS
    up, down = rng.uniform(0.15, 0.5), rng.uniform(0.2, 0.7)
    rise = np.clip(t / up, 0, 1)
    fall = np.clip((t - max(seconds - 0.3 * down, up)) / down, 0, 1)
    angle = rise**3 * (10 - 15 * rise + 6 * rise**2) - fall**3 * (10 - 15 * fall + 6 * fall**2)
    # Tangential acceleration of the swing, and the tremble of a contraction (6-12 Hz).
    push = np.gradient(np.gradient(angle)) * FS**2 * rng.uniform(0.002, 0.006)
    sos = signal.butter(1, (6, 12), "bandpass", fs=FS, output="sos")
    tremor = signal.sosfilt(sos, rng.standard_normal(n))
    tremor *= rng.uniform(0.01, 0.06) / tremor.std() * np.clip(angle, 0, 1)
    x = angle[:, None] * _direction(rng) + (push + tremor)[:, None] * _direction(rng)
    return Motion(rng.uniform(0.02, 0.08), _scaled(tapered(x, 0.05), FS, to_g), FS)


def activity(
    parts: Parts, seconds: float, to_g: float, walking: bool, rng: np.random.Generator
) -> tuple[Motion, str]:
    """Return a stretch of real activity of an ankle, without its gravity."""
    n = round(seconds * ANKLE_HZ)
    sos = signal.butter(2, 0.4, "highpass", fs=ANKLE_HZ, output="sos")
    best, most, source = None, -1.0, ""
    for _ in range(12):
        piece, label = parts.ankles[rng.integers(len(parts.ankles))]
        start = int(rng.integers(0, len(piece.x) - n))
        # In bed nobody walks: movements there come from what was not labelled as walking.
        if (label[start : start + n] == int(walking)).mean() < 0.9:
            continue
        x = signal.sosfiltfilt(sos, piece.x[start : start + n], axis=0)
        size = float(np.median(np.linalg.norm(x, axis=1)))
        if size > most:
            best, most = x, size
            source = f"{piece.source} from {start / ANKLE_HZ:.0f} s"
        if size > (0.15 if walking else 0.05):
            break
    if best is None:
        return activity(parts, seconds, to_g, walking, rng)
    x = tapered(best, min(1.0, 0.6 / seconds)) @ _turned_axes(rng)
    return Motion(0.0, _scaled(x, ANKLE_HZ, to_g), ANKLE_HZ), source


def effort(motion: Motion, n: int, fs: float) -> np.ndarray:
    """Return a muscle's share of effort (0.15 to 1) during a motion, a little ahead of it."""
    size = np.linalg.norm(motion.x, axis=1)
    slow = np.convolve(size, np.hanning(round(0.5 * motion.fs)), "same")
    when = (np.arange(n) / fs + 0.05) * motion.fs
    return 0.15 + 0.85 * np.interp(when, np.arange(len(slow)), slow / slow.max())


def rolled(gravity: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Return a rest position that lies `degrees` away."""
    other = rng.normal(size=3)
    other -= gravity * (gravity @ other)
    other /= np.linalg.norm(other)
    angle = np.radians(degrees)
    return gravity * np.cos(angle) + other * np.sin(angle)


def add_pulse(canvas: Canvas, beats: np.ndarray, to_g: float) -> None:
    """Add the arterial pulse, 0.2 s after each beat, `to_g` peak to peak."""
    rng, fs = canvas.rng, canvas.device.acc_fs
    t = np.arange(-0.3, 0.3, 1 / TEMPLATE_HZ)
    shape = np.exp(-(t**2) / 0.012) * np.sin(2 * np.pi * rng.uniform(4, 7) * t + rng.uniform(0, 6))
    shape *= to_g / np.ptp(shape)
    gains = 1 + 0.15 * rng.standard_normal(len(beats))
    times = canvas.on_acc_clock(beats + 0.2)
    for axis, part in enumerate(_direction(rng, 1.0)):
        add_copies(canvas.acc[:, axis], fs, times, gains * part, shape)


def add_breathing(canvas: Canvas, to_g: float) -> None:
    """Add the slow sway of breathing."""
    rng, d = canvas.rng, canvas.device
    t = np.arange(canvas.n_acc) / d.acc_fs
    rate = rng.uniform(0.2, 0.3)
    wander = np.cumsum(rng.standard_normal(len(t))) * 0.3 / np.sqrt(d.acc_fs)
    wave = np.sin(2 * np.pi * rate * t + wander)
    canvas.acc += (to_g / 2 * wave[:, None] * _direction(rng, 1.0)).astype(np.float32)
