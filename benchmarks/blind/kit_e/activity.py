"""Long activity with twitches in and just after it: walking, standing, a leg that will not relax.

Walking: tibialis-like bursts at heel strike and in swing (about 1 stride/s) and strides seen by the
sensor as swing waves and heel ring. Tonic: pool activity of slowly changing strength; a volley is
followed by its silent period. A single unit that keeps firing at 5-9 Hz is the classical impostor
of fasciculation: regular, wilful, not relaxed.
"""

from __future__ import annotations

import numpy as np

from .events import log_uniform, make_twitch, twitch
from .leg import dynamic, unit_vector
from .model import FS_EMG, FS_MECH, Array
from .muscle import contraction, discharge, pick_unit, place
from .scene import Scene


def _gaussians(phase: Array, bumps: list[tuple[float, float, float]]) -> Array:
    out = np.zeros_like(phase)
    for at, width, height in bumps:
        d = (phase - at + 0.5) % 1.0 - 0.5
        out += height * np.exp(-0.5 * (d / width) ** 2)
    return out


def walking(scene: Scene, t: float, minutes: float) -> float:
    """Walk, with twitches in the quiet part of the stride and a tail of twitches afterwards."""
    rng = scene.rng
    seconds = 60.0 * minutes
    n = int(seconds * 1000)
    stride = float(rng.uniform(0.95, 1.25))
    pace = stride * (1.0 + 0.03 * np.convolve(rng.standard_normal(n // 500 + 8), np.ones(3) / 3, "same"))
    speed = 1.0 / np.interp(np.arange(n) / 500.0, np.arange(pace.size), pace)
    total = np.cumsum(speed) / 1000.0
    phase = total % 1.0
    edge = np.clip(np.minimum(np.arange(n), n - np.arange(n)) / 1200.0, 0.0, 1.0)
    # heel strike at 0, push-off near 0.6, swing 0.62-1
    if scene.person.body.muscle in ("TA", "EDB", "PL"):
        bumps = [(0.02, 0.035, 0.8), (0.68, 0.05, 0.55), (0.9, 0.05, 0.4)]
        quiet = 0.38
    else:
        bumps = [(0.42, 0.07, 0.8), (0.3, 0.08, 0.35)]
        quiet = 0.78
    drive = _gaussians(phase, bumps) * edge * np.interp(total, np.arange(int(total[-1]) + 2), rng.uniform(0.7, 1.0, int(total[-1]) + 2))
    burst = contraction(rng, scene.units, np.where(drive > 0.03, drive, 0.0))
    level = log_uniform(rng, 40.0, 250.0)
    emg = burst.emg * (level / max(float(burst.emg[0].std()), 1e-9))
    scene.add_emg(t, emg)
    peak = 0.0
    if scene.person.accelerometer is not None:
        swing = float(rng.uniform(0.4, 1.2))
        acc = np.zeros((3, n))
        acc += unit_vector(rng)[:, None] * swing * _gaussians(phase, [(0.7, 0.06, 1.0), (0.88, 0.05, -1.2), (0.98, 0.02, 0.5)])
        acc += unit_vector(rng)[:, None] * 0.4 * swing * _gaussians(phase, [(0.65, 0.05, -1.0), (0.8, 0.08, 0.8)])
        k = np.arange(300) / FS_MECH
        ring = np.exp(-k / 0.03) * np.sin(2 * np.pi * float(rng.uniform(18, 30)) * k) * float(rng.uniform(0.4, 1.6))
        strikes = np.zeros(n)
        hits = np.flatnonzero(np.diff(np.floor(total)) > 0)
        strikes[hits] = rng.uniform(0.7, 1.2, hits.size)
        acc += unit_vector(rng)[:, None] * np.convolve(strikes, ring)[:n]
        acc += 0.04 * rng.standard_normal((3, n // 20 + 1)).repeat(20, axis=1)[:, :n]
        acc *= edge
        scene.add_acc(t, acc)
        scene.shake_electrode(t, acc)
        peak = float(dynamic(acc).max())
    first, last = scene.span(emg)
    scene.row(t + first, "gross_movement", "walking", last - first, emg, peak, note=f"stride {stride:.2f} s")
    # twitches where the muscle is silent within the stride
    goal = np.flatnonzero(np.diff(np.floor(total - quiet)) > 0)
    at = 8.0
    while True:
        at += float(rng.uniform(6.0, 25.0))
        later = goal[goal > at * 1000]
        if later.size == 0 or later[0] / 1000.0 > seconds - 3.0:
            break
        at = later[0] / 1000.0
        twitch(scene, t + at, 250.0, 5000.0, str(rng.choice(["single", "compound"])), True, "in walking, silent phase")
    return t + seconds + 0.6


def tonic(scene: Scene, t: float, minutes: float) -> float:
    """Weak tonic contraction of minutes with clear twitches on top."""
    rng = scene.rng
    seconds = 60.0 * minutes
    n = int(seconds * 1000)
    knots = rng.uniform(0.5, 1.0, int(seconds / 5) + 3)
    grid = np.arange(n)
    drive = np.interp(grid / 5000.0, np.arange(knots.size), knots) * np.clip(np.minimum(grid, n - grid) / 600.0, 0, 1)
    level = log_uniform(rng, 8.0, 50.0)
    plan: list[tuple[float, bool]] = []
    at = 6.0
    while at < seconds - 8.0:
        strong = rng.random() < 0.35
        plan.append((at, strong))
        if strong:
            a = int(at * 1000) + 22
            drive[a : a + int(rng.uniform(50, 130))] = 0.0
        at += float(rng.uniform(4.0, 22.0))
    burst = contraction(rng, scene.units, drive * float(rng.uniform(0.15, 0.4)))
    emg = burst.emg * (level / max(float(burst.emg[0].std()), 1e-9))
    scene.add_emg(t, emg)
    first, last = scene.span(emg)
    scene.row(t + first, "gross_movement", "tonic", last - first, emg, 0.0, note=f"{level:.0f} uV RMS")
    for when, strong in plan:
        size = log_uniform(rng, 18.0 * level, max(100.0 * level, 36.0 * level))
        style = "compound" if strong else str(rng.choice(["single", "compound", "doublet"]))
        twitch(scene, t + when, style=style, in_activity=True, target=min(size, 6000.0),
               note="volley with silent period" if strong else "on tonic activity")  # fmt: skip
    return t + seconds + 0.5


def lone_unit(scene: Scene, t: float) -> float:
    """One motor unit firing steadily at 5-9 Hz for 15-90 s (one row, unclear)."""
    rng = scene.rng
    seconds = float(rng.uniform(15.0, 90.0))
    size = log_uniform(rng, 40.0, 600.0)
    unit = pick_unit(rng, scene.units, size)
    rate = float(rng.uniform(5.0, 9.0))
    emg = np.zeros((unit.wave.shape[0], int((seconds + 0.3) * FS_EMG)))
    at = 0.0
    while at < seconds:
        place(emg, discharge(rng, unit) * (size / unit.size), int(at * FS_EMG))
        at += float(np.clip(rng.normal(1.0, 0.13), 0.6, 1.6)) / rate
    scene.add_emg(t, emg)
    scene.row(t, "unclear", "lone_unit_tonic", seconds, emg, note=f"{rate:.1f} Hz, wilful, regular")
    return t + seconds


def silent_gap(scene: Scene, t: float) -> float:
    """Tonic contraction of 6-9 s interrupted by silent periods (negative myoclonus), unclear."""
    rng = scene.rng
    seconds = float(rng.uniform(6.0, 9.0))
    n = int(seconds * 1000)
    grid = np.arange(n)
    drive = 0.4 * np.clip(np.minimum(grid, n - grid) / 500.0, 0.0, 1.0)
    holes = []
    at = 1.5
    while at < seconds - 1.5:
        holes.append(at)
        drive[int(at * 1000) : int((at + float(rng.uniform(0.05, 0.3))) * 1000)] = 0.0
        at += float(rng.uniform(0.5, 2.0))
    burst = contraction(rng, scene.units, drive)
    emg = burst.emg * (log_uniform(rng, 30.0, 200.0) / max(float(burst.emg[0].std()), 1e-9))
    scene.add_emg(t, emg)
    first, last = scene.span(emg)
    scene.row(t + first, "unclear", "negative_myoclonus", last - first, emg, note=f"{len(holes)} silent periods")
    return t + last


def twitch_tail(scene: Scene, t: float, seconds: float) -> float:
    """Shower of twitches after activity, getting rarer."""
    rng = scene.rng
    at = float(rng.uniform(0.8, 2.0))
    gap = 1.5
    while at < seconds:
        end = twitch(scene, t + at, 40.0, 3000.0, note="just after activity")
        gap *= 1.15
        at = max(end - t + 0.4, at + float(rng.exponential(gap)) + 0.4)
    return t + at


def twitch_in_movement(scene: Scene, t: float) -> float:
    """Twitch on the flank of a movement: both rows are unclear to a reader but for size."""
    from .movements import leg_movement

    rng = scene.rng
    end = leg_movement(scene, t, 20.0, 80.0, (2.0, 6.0), 0.5)
    row = scene.truth[-1]
    burst, name = make_twitch(scene, log_uniform(rng, 300.0, 4000.0), "compound")
    at = row.onset + row.duration * float(rng.uniform(0.2, 0.8))
    scene.add_emg(at, burst.emg)
    first, last = scene.span(burst.emg)
    scene.row(at + first, "unclear", "in_movement_" + name, last - first, burst.emg, 0.0, (), True)
    return max(end, at + last)
