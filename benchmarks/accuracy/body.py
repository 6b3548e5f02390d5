"""What the body does that is no target: heart, tonic units, voluntary and walking muscle."""

from __future__ import annotations

import numpy as np
from scipy import signal

from benchmarks.accuracy import limb
from benchmarks.accuracy.canvas import Canvas
from benchmarks.accuracy.muscle import draw_contraction, ramped, see_unit, shaped
from benchmarks.accuracy.targets import log_uniform
from benchmarks.accuracy.waves import TEMPLATE_HZ, add_copies, in_band, looped, resampled


def heart_times(seconds: float, per_minute: float, rng: np.random.Generator) -> np.ndarray:
    """Return beats with breathing, slow and random variability (simulated)."""
    count = int(seconds * per_minute / 60 * 1.3) + 10
    # wanders, but is drawn back: within some 15 % of the usual rate however long the night
    slow = signal.lfilter([0.004], [1, -0.9985], rng.normal(0, 1, count))
    breath = rng.uniform(0.01, 0.06) * np.sin(np.arange(count) * rng.uniform(1.2, 2) + 1)
    rr = 60 / per_minute * (1 + slow + breath + rng.normal(0, 0.012, count))
    early = rng.random(count) < rng.choice([0.0, 0.005])  # extrasystoles
    rr[early] *= 0.65
    rr[np.roll(early, 1)] *= 1.3
    times = rng.uniform(0, 1) + np.cumsum(np.maximum(rr, 0.3))
    return times[times < seconds]


def add_ecg(
    canvas: Canvas, start: float, seconds: float, height_uv: float, per_minute: float
) -> np.ndarray:
    """Add real heart beats; `height_uv` peak to peak in the EMG band. Return the beats' times."""
    rng = canvas.rng
    beats = start + heart_times(seconds, per_minute, rng)
    which = rng.integers(len(canvas.parts.beats), size=len(beats))
    swell = 1 + rng.uniform(0.02, 0.12) * np.sin(np.arange(len(beats)) * rng.uniform(1, 2))
    swell *= rng.normal(1, 0.03, len(beats))
    edge = min(20.0, seconds / 4) * float(rng.random() < 0.5) + 0.01
    swell *= np.clip(np.minimum(beats - start, start + seconds - beats) / edge, 0, 1)
    for channel in range(canvas.device.n_emg):
        size = height_uv * (1.0 if channel == 0 else rng.uniform(0.2, 1.0)) * rng.choice((-1, 1))
        for k, beat in enumerate(canvas.parts.beats):
            # Centre on the R peak, 0.30 s into the piece.
            x = np.pad(beat.x, (250, 0))
            x = x / np.ptp(in_band(x, 1000.0))
            template = resampled(x, 1000.0, TEMPLATE_HZ)
            mine = which == k
            add_copies(canvas.emg[channel], canvas.fs, beats[mine], size * swell[mine], template)
    source = "; ".join(sorted({b.source for b in canvas.parts.beats}))
    canvas.note(start, seconds, "ecg", source, amplitude_uv=height_uv)
    return beats


def add_tonic(canvas: Canvas, start: float, seconds: float, height_uv: float, kind: str) -> None:
    """Add one or several units firing for a while.

    `tonic`: 5-15 Hz with a coefficient of variation of 0.1-0.25, or the real intervals of the
    unit; `rhythmic`: groups of firings at 3-8 Hz; `tonic_real`: a real weak contraction as it is.
    """
    rng = canvas.rng
    if kind == "tonic_real":
        piece = canvas.parts.weak[rng.integers(len(canvas.parts.weak))]
        n = round(seconds * piece.fs)
        x = resampled(looped(piece.x, n, 400, rng), piece.fs, canvas.fs)
        x *= height_uv / (np.percentile(x, 99.8) - np.percentile(x, 0.2))
        x *= ramped(len(x), round(0.3 * canvas.fs), round(0.3 * canvas.fs))
        canvas.add_emg(start, [x * (1 if i == 0 else rng.uniform(0, 0.4)) for i in range(2)])
        canvas.note(start, seconds, "tonic", piece.source, amplitude_uv=height_uv)
        return
    sources = []
    count = int(rng.choice([1, 1, 2, 3])) if kind == "tonic" else int(rng.integers(1, 4))
    shared = start + np.cumsum(
        np.maximum(rng.normal(1, 0.07, round(seconds * 8) + 2), 0.5) / rng.uniform(3, 8)
    )
    for unit_number in range(count):
        seen = see_unit(canvas)
        sources.append(seen.source)
        if kind == "rhythmic":
            lag = rng.uniform(0, 0.02) + rng.normal(0, 0.004, len(shared))
            times = shared + lag
        elif len(seen.intervals) > 60 and rng.random() < 0.5:
            first = int(rng.integers(len(seen.intervals)))
            own = np.roll(seen.intervals, -first)
            repeats = int(seconds / own.sum()) + 1
            times = start + np.cumsum(np.tile(own, repeats))
        else:
            rate, cv = rng.uniform(5, 15), rng.uniform(0.1, 0.25)
            gaps = np.maximum(rng.normal(1, cv, round(seconds * rate * 1.2) + 5), 0.3) / rate
            times = start + np.cumsum(gaps * (1 + 0.1 * np.sin(np.arange(len(gaps)) / 40)))
        times = times[times < start + seconds]
        size = height_uv * (1.0 if unit_number == 0 else rng.uniform(0.3, 1))
        gains = size * rng.normal(1, 0.05, len(times))
        for target, template in zip(canvas.emg, seen.templates, strict=False):
            add_copies(target, canvas.fs, times, gains, template, seen.stretch)
    canvas.note(start, seconds, kind, " + ".join(sources), amplitude_uv=height_uv)


def add_voluntary(canvas: Canvas, start: float) -> None:
    """Add a real contraction of 1 to 20 s, half of them with the leg moving."""
    rng, fs = canvas.rng, canvas.fs
    seconds = log_uniform(rng, 1, 20)
    if not canvas.reserve(start, seconds + 0.4, 1.0):
        return
    waves, source = draw_contraction(canvas, seconds)
    n = len(waves[0])
    envelope = ramped(n, round(0.2 * fs), round(0.3 * fs)) * log_uniform(rng, 15, 150)
    motion = None
    if rng.random() < 0.5:
        motion = limb.lift(seconds, log_uniform(rng, 0.02, 0.3), rng)
        motion.start += 0.2
    waves = shaped(waves, envelope, round(0.2 * fs))
    tolerated = "movement gross_movement brief_contraction posture_change"
    canvas.event(start, waves, motion, "artifact", "voluntary", source, tolerated)


def add_walk(canvas: Canvas, start: float) -> None:
    """Add 10 to 40 s of walking: real EMG stride by stride, real ankle acceleration (other people).

    The two were not recorded together, so strides of EMG and acceleration are not in step.
    """
    rng, fs = canvas.rng, canvas.fs
    seconds = float(rng.uniform(10, 40))
    if not canvas.reserve(start, seconds, 4.0):
        return
    waves, names = [], []
    for channel in range(canvas.device.n_emg):
        piece, strides = canvas.parts.walks[(channel + int(start)) % len(canvas.parts.walks)]
        names.append(piece.source)
        x = np.zeros(round((seconds + 3) * 1000))
        at = 0
        while at < seconds * 1000:
            k = int(rng.integers(len(strides) - 1))
            stride = piece.x[strides[k] : strides[k + 1] + 20]
            x[at : at + len(stride)] += stride * ramped(len(stride), 20, 20)
            at += len(stride) - 20
        x = resampled(x[: round(seconds * 1000)], 1000.0, fs) * rng.uniform(0.3, 1.0)
        waves.append(x * ramped(len(x), round(0.1 * fs), round(0.1 * fs)))
    motion, where = limb.activity(canvas.parts, seconds, log_uniform(rng, 0.8, 2.5), True, rng)
    lying = canvas.gravity
    canvas.turn(start - 1.0, 1.5, np.array([-0.97, 0.1, 0.2]))
    canvas.turn(start + seconds, 2.0, limb.rolled(lying, float(rng.uniform(10, 60)), rng))
    source = " + ".join(names) + f" | {where}; turn of gravity modelled"
    tolerated = "movement gross_movement posture_change jerk"
    row = canvas.event(start, waves, motion, "artifact", "walking", source, tolerated)
    row |= {"onset": start - 1.2, "duration": seconds + 3.7}  # from getting up to lying again


def add_fidget(canvas: Canvas, start: float) -> None:
    """Add 0.3 to 3 s of real ankle activity with weak muscle."""
    rng, fs = canvas.rng, canvas.fs
    seconds = float(rng.uniform(0.5, 3))
    if not canvas.reserve(start, seconds + 0.4, 1.0):
        return
    waves, source = draw_contraction(canvas, seconds)
    n = len(waves[0])
    motion, where = limb.activity(canvas.parts, seconds, log_uniform(rng, 0.03, 0.4), False, rng)
    envelope = limb.effort(motion, n, fs) * log_uniform(rng, 10, 100)
    envelope *= ramped(n, round(0.1 * fs), round(0.1 * fs))
    waves = shaped(waves, envelope, round(0.1 * fs))
    motion.start += 0.1
    tolerated = "movement gross_movement brief_contraction"
    canvas.event(start, waves, motion, "artifact", "fidget", f"{source} | {where}", tolerated)


def add_turn(canvas: Canvas, start: float) -> None:
    """Turn the leg without muscle at the electrodes (the trunk or a partner moves it)."""
    rng = canvas.rng
    if not canvas.reserve(start, 4.0, 2.0):
        return
    motion, where = limb.activity(canvas.parts, 4.0, log_uniform(rng, 0.1, 0.6), False, rng)
    canvas.turn(start + 1, 1.5, limb.rolled(canvas.gravity, float(rng.uniform(30, 100)), rng))
    tolerated = "movement gross_movement posture_change"
    row = canvas.event(start, [], motion, "artifact", "turn", f"{where}; turn modelled", tolerated)
    # Gravity turns whether or not the limb shakes.
    first, last = row["onset"], row["onset"] + row["duration"]
    first, last = min(first, start + 1), max(last, start + 2.5)
    row |= {"onset": first, "duration": last - first}
