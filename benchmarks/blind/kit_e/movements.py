"""Movements: contractions of any length, leg movements, posture changes, gross movements.

Labels follow the +8/+2 uV rule on the noise-free 10-100 Hz envelope (0.15 s RMS); what does not
reach +10 uV, or lasts near a limit, is unclear.
"""

from __future__ import annotations

import numpy as np

from .events import jerk, log_uniform
from .leg import dynamic, moving_acceleration
from .model import FS_EMG, FS_MECH, Array, Burst
from .muscle import contraction, place
from .scene import Scene


def effort(rng: np.random.Generator, seconds: float, rough: float = 0.3) -> Array:
    """Effort curve (0-1, 1 kHz) of a contraction with one to three humps."""
    n = int(seconds * 1000)
    t = np.arange(n) / max(n, 1)
    rise, fall = rng.uniform(0.03, 0.35), rng.uniform(0.1, 0.5)
    shape = np.clip(np.minimum(t / rise, (1.0 - t) / fall), 0.0, 1.0)
    knots = rng.uniform(1.0 - rough, 1.0, max(3, int(seconds * 3) + 2))
    shape = shape**0.7 * np.interp(t * (knots.size - 1), np.arange(knots.size), knots)
    out: Array = shape / max(float(shape.max()), 1e-9)
    return out


def pull(scene: Scene, seconds: float, level_uv: float, strength: float = 0.0, rough: float = 0.3) -> tuple[Burst, Array]:
    """Contraction whose strongest second has ``level_uv`` RMS; with its effort curve."""
    drive = effort(scene.rng, seconds, rough)
    burst = contraction(scene.rng, scene.units, drive * (strength or float(scene.rng.uniform(0.25, 0.9))))
    w = int(min(0.3, seconds / 2) * FS_EMG)
    rms = max(float(np.sqrt(np.convolve(r * r, np.ones(w) / w, "same").max())) for r in burst.emg)
    return Burst(burst.emg * (level_uv / max(rms, 1e-9)), burst.force), drive


def leg_movement(
    scene: Scene,
    t: float,
    low_uv: float = 9.0,
    high_uv: float = 700.0,
    seconds: tuple[float, float] = (0.6, 9.0),
    with_acc: float = 0.65,
    note: str = "",
) -> float:
    """Leg movement of 0.5-10 s; label by +8/+2 uV on the noise-free envelope."""
    rng, p = scene.rng, scene.person
    length = log_uniform(rng, *seconds)
    burst, drive = pull(scene, length, log_uniform(rng, low_uv, high_uv))
    peak, acc = 0.0, None
    if p.accelerometer is not None and rng.random() < with_acc:
        acc = moving_acceleration(rng, drive, p.bed, p.accelerometer, log_uniform(rng, 0.02, 0.6))
        scene.add_acc(t, acc)
        scene.shake_electrode(t, acc)
        peak = float(dynamic(acc).max())
    if not scene.has_emg:
        if acc is None:
            return t
        moving = np.flatnonzero(dynamic(acc) > 0.012)
        first, last = float(moving[0]) / FS_MECH, float(moving[-1]) / FS_MECH
        kind = "movement" if 0.55 < last - first < 9.6 and peak > 0.03 else "unclear"
        scene.row(t + first, kind, "leg_movement", last - first, None, peak, note="acceleration only")
        return t + last
    scene.add_emg(t, burst.emg)
    first, start, end, excess = scene.movement_span(burst.emg)
    core = end - start
    kind = "movement"
    if excess < 10.0:
        kind, note = "unclear", f"+{excess:.1f} uV only"
    elif not 0.55 <= core <= 9.6:
        kind = "brief_contraction" if 0.18 < core < 0.45 and peak < 0.05 else "unclear"
    scene.row(t + first, kind, "leg_movement", end - first, burst.emg, peak, note=note)
    return t + max(end, length)


def jerk_then_more(scene: Scene, t: float) -> float:
    """Jerk with a contraction before or after it, or followed by a movement."""
    rng = scene.rng
    style = str(rng.choice(["before", "after", "movement"]))
    if style == "movement":
        end = jerk(scene, t, note="movement follows")
        return leg_movement(scene, max(t + 0.9, end + float(rng.uniform(0.3, 2.0))), 25.0, 500.0, (0.8, 6.0), 0.9)
    level = log_uniform(rng, 12.0, 60.0)
    burst, _ = pull(scene, float(rng.uniform(0.4, 2.0)), level, 0.2)
    first, last = scene.span(burst.emg)
    gap = float(rng.uniform(0.0, 0.25))
    if style == "before":
        scene.add_emg(t, burst.emg)
        scene.row(t + first, "unclear", "tonic_before_jerk", last - first, burst.emg)
        at = t + last + gap
        return jerk(scene, at, low_uv=15.0 * level, in_activity=True, note="contraction before")
    end = jerk(scene, t, low_uv=15.0 * level, in_activity=True, note="contraction after")
    row = scene.truth[-1]
    at = row.onset + row.duration + gap
    scene.add_emg(at, burst.emg)
    scene.row(at + first, "unclear", "tonic_after_jerk", last - first, burst.emg)
    return max(end, at + last)


def posture_change(scene: Scene, t: float, with_emg: bool = True) -> float:
    """Turn of the leg by 12-120 degrees within 0.6-4 s."""
    rng, p = scene.rng, scene.person
    degrees = float(rng.uniform(35.0, 120.0)) if rng.random() < 0.75 else float(rng.uniform(12.0, 28.0))
    seconds = float(rng.uniform(0.8, 4.0))
    start = float(rng.uniform(0.05, 0.3))
    peak = scene.turn(t + start, seconds, degrees)
    burst, drive = pull(scene, seconds + start + 0.3, log_uniform(rng, 20.0, 400.0))
    if p.accelerometer is not None:
        acc = moving_acceleration(rng, drive, p.bed, p.accelerometer, log_uniform(rng, 0.04, 0.4))
        scene.add_acc(t, acc)
        scene.shake_electrode(t, acc)
        peak = max(peak, float(dynamic(acc).max()))
    first, last = 0.0, seconds + start + 0.3
    if scene.has_emg and with_emg:
        scene.add_emg(t, burst.emg)
        first, last = scene.span(burst.emg)
    name = "turn_major" if degrees >= 30 else "turn_minor"
    emg = burst.emg if with_emg else None
    scene.row(t + first, "posture_change", name, last - first, emg, peak, note=f"{degrees:.0f} deg")
    return t + max(last, seconds + start) + 1.0


def gross_movement(scene: Scene, t: float) -> float:
    """Roll over or stretch: 11-30 s of several contractions with turns."""
    rng, p = scene.rng, scene.person
    length = float(rng.uniform(11.0, 30.0))
    at, peak = 0.0, 0.0
    parts: list[tuple[float, Array]] = []
    while at < length:
        seconds = min(float(rng.uniform(1.0, 5.0)), length - at + 0.8)
        burst, drive = pull(scene, seconds, log_uniform(rng, 40.0, 600.0), rough=0.6)
        parts.append((at, burst.emg))
        scene.add_emg(t + at, burst.emg)
        if p.accelerometer is not None:
            acc = moving_acceleration(rng, drive, p.bed, p.accelerometer, log_uniform(rng, 0.08, 0.9))
            scene.add_acc(t + at, acc)
            scene.shake_electrode(t + at, acc)
            peak = max(peak, float(dynamic(acc).max()))
            if rng.random() < 0.4:
                peak = max(peak, scene.turn(t + at, seconds, float(rng.uniform(10.0, 90.0))))
        at += seconds - float(rng.uniform(0.05, 0.3))
    whole = np.zeros((parts[0][1].shape[0], int((length + 6.0) * FS_EMG)))
    for start, piece in parts:
        place(whole, piece, int(start * FS_EMG))
    first, last = scene.span(whole) if scene.has_emg else (0.0, at)
    scene.row(t + first, "gross_movement", "rolling", last - first, whole, peak)
    return t + max(last, at) + 1.0
