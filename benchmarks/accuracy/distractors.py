"""Distractors over a whole recording, at a given density."""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy import body, electrode, limb
from benchmarks.accuracy.canvas import Canvas
from benchmarks.accuracy.targets import log_uniform

#: A heart beat in the EMG of a leg, µV peak to peak in the EMG band (2.3 times that before the
#: band-pass): in nights what electrodes on one shank may see, in storms what a trunk's see.
NIGHT_ECG_UV = (10.0, 100.0)
STORM_ECG_UV = (20.0, 300.0)


def add_vitals(canvas: Canvas, with_ecg: bool = False) -> None:
    """Add pulse and breathing to the accelerometer, and maybe the heart to the EMG."""
    rng = canvas.rng
    rate = float(rng.uniform(50, 90))
    beats = body.heart_times(canvas.seconds, rate, rng)
    if with_ecg and canvas.device.n_emg:
        height = log_uniform(rng, *NIGHT_ECG_UV)
        beats = body.add_ecg(canvas, 0.0, canvas.seconds, height, float(rng.uniform(45, 110)))
    if canvas.device.acc_fs:
        limb.add_pulse(canvas, beats, float(rng.uniform(0.0005, 0.006)))
        limb.add_breathing(canvas, float(rng.uniform(0.001, 0.006)))


def _spans(
    canvas: Canvas, end: float, share: float, low: float, high: float
) -> list[tuple[float, float]]:
    """Return stretches of `low` to `high` seconds that together take about `share` of the time."""
    rng, t, found = canvas.rng, 5.0, []
    while t < end - low - 5:
        length = min(log_uniform(rng, low, high), end - t - 3)
        if rng.random() < share:
            found.append((t, length))
        t += length + rng.uniform(1, 20)
    return found


def bumped(canvas: Canvas, share: float) -> list[dict]:
    """Return a share of the targets beside which a bump may be put.

    A jolt next to a twitch of many units would be a jerk to anyone: its truth could not be known.
    A jerk or a movement stays what it is.
    """
    may = [
        r for r in canvas.rows
        if r["kind"] in ("single", "doublet") or r["trial_type"] in ("jerk", "movement")
    ]  # fmt: skip
    return [r for r in may if canvas.rng.random() < share]


def add_distractors(canvas: Canvas, density: float, active: bool, end: float | None = None) -> None:
    """Add every distractor; `density` 1 is a storm, 0.1 a plausible night.

    Short artefacts keep clear of what is in the recording already; heart, mains, wander and
    tonic units lie over it.
    """
    rng, d = canvas.rng, canvas.device
    end = canvas.seconds if end is None else end
    hours = end / 3600

    def times(per_hour: float) -> np.ndarray:
        return np.sort(rng.uniform(3, end - 3, rng.poisson(per_hour * hours * density)))

    if d.n_emg and active:
        for t in times(12):
            body.add_voluntary(canvas, t)
        for t in times(3):
            body.add_walk(canvas, t)
    if active and d.acc_fs and d.n_emg:
        for t in times(20):
            body.add_fidget(canvas, t)
    if d.acc_fs:
        for t in times(6):
            body.add_turn(canvas, t)
        near = bumped(canvas, 0.04 * density + 0.01)
        electrode.add_bumps(canvas, rng.poisson(40 * hours * density), near, 3, end - 3)
    if not d.n_emg:
        return
    for t in times(6):
        electrode.add_saturation(canvas, t)
    for t in times(8):
        electrode.add_dropout(canvas, t)
    electrode.add_pops(canvas, rng.poisson(150 * hours * density), 3, end - 3)
    for a, s in _spans(canvas, end, 0.5 * density, 5, 400):
        height = log_uniform(rng, 5, 200)
        electrode.add_mains(canvas, a, s, height, bool(rng.random() < 0.6))
    for a, s in _spans(canvas, end, 0.5 * density, 20, 300):
        electrode.add_wander(canvas, a, s)
    for a, s in _spans(canvas, end, 0.5 * density, 60, 1200):
        height = log_uniform(rng, *(STORM_ECG_UV if density >= 0.5 else NIGHT_ECG_UV))
        body.add_ecg(canvas, a, s, height, float(rng.uniform(45, 110)))
    for a, s in _spans(canvas, end, 0.5 * density, 5, 240):
        kind = str(rng.choice(["tonic", "tonic", "rhythmic", "tonic_real"]))
        body.add_tonic(canvas, a, s, log_uniform(rng, 20, 250), kind)
    for a, s in _spans(canvas, end, 0.3 * density, 120, 600):
        electrode.loosen(canvas, a, s, str(rng.choice(["strap_loosening", "low_contact"])))
