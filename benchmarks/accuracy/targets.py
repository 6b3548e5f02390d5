"""What is to be found: twitches, jerks, leg movements and gross movements."""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy import limb
from benchmarks.accuracy.canvas import Canvas
from benchmarks.accuracy.muscle import (
    Seen,
    draw_contraction,
    draw_firings,
    ramped,
    scaled_to,
    see_unit,
    shaped,
)
from benchmarks.accuracy.waves import edges, in_band

LEAD_S = 0.05


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a draw whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


# -- twitches -------------------------------------------------------------------


def add_single(canvas: Canvas, t: float, seen: Seen, height_uv: float, in_acc: bool) -> None:
    """Add the potential of one unit."""
    motion = limb.tremble(canvas.rng.uniform(0.001, 0.003), canvas.rng) if in_acc else None
    waves = draw_firings(canvas, [(seen, 0.0, height_uv)])
    canvas.event(t, waves, motion, "twitch", "single", seen.source)


def add_doublet(canvas: Canvas, t: float, seen: Seen, height_uv: float, in_acc: bool) -> None:
    """Add two potentials of one unit 10 to 110 ms apart: one event."""
    rng = canvas.rng
    gap = float(np.clip(rng.lognormal(np.log(0.033), 0.5), 0.010, 0.110))
    second = height_uv * rng.uniform(0.75, 1.0)
    waves = draw_firings(canvas, [(seen, 0.0, height_uv), (seen, gap, second)])
    motion = limb.tremble(rng.uniform(0.001, 0.004), rng) if in_acc else None
    canvas.event(t, waves, motion, "twitch", "doublet", seen.source)


def add_cluster(
    canvas: Canvas, t: float, units: list[Seen], height_uv: float, in_acc: bool
) -> None:
    """Add a burst of 3 to 8 potentials of a few units within 20 to 90 ms."""
    rng = canvas.rng
    span = rng.uniform(0.02, 0.09)
    count = int(rng.integers(3, 9))
    times = np.sort(rng.uniform(0, span, count))
    firings = [(units[rng.integers(len(units))], float(s - times[0]), 1.0) for s in times]
    waves = scaled_to(draw_firings(canvas, firings), canvas.fs, height_uv)
    motion = limb.tremble(rng.uniform(0.002, 0.008), rng) if in_acc else None
    source = " + ".join(sorted({f[0].source for f in firings}))
    canvas.event(t, waves, motion, "twitch", "burst", source)


def add_fragmentary(canvas: Canvas, t: float, height_uv: float) -> None:
    """Add 75 to 150 ms of interference pattern, from unit trains or a windowed contraction."""
    rng, fs = canvas.rng, canvas.fs
    if rng.random() < 0.5:
        units = [see_unit(canvas) for _ in range(4)]
        times = np.linspace(0, rng.uniform(0.055, 0.120), int(rng.integers(6, 14)))
        times[1:-1] += rng.uniform(-0.5, 0.5, len(times) - 2) * times[1]
        firings = [(units[rng.integers(4)], float(s), float(rng.uniform(0.4, 1))) for s in times]
        waves = draw_firings(canvas, firings)
        source = " + ".join(sorted({u.source for u in units}))
    else:
        waves, source = draw_contraction(canvas, rng.uniform(0.085, 0.155))
        n = len(waves[0])
        flank = round(n * rng.uniform(0.08, 0.25))
        waves = shaped(waves, ramped(n, flank, flank), round(LEAD_S * fs))
    waves = scaled_to(waves, fs, height_uv)
    motion = limb.tremble(rng.uniform(0.001, 0.006), rng) if rng.random() < 0.3 else None
    canvas.event(t, waves, motion, "twitch", "fragmentary", source)


def add_fasciculations(
    canvas: Canvas,
    per_minute: float,
    heights_uv: tuple[float, float] = (20.0, 300.0),
    start: float = 0.0,
    end: float | None = None,
) -> None:
    """Add irregular fasciculations of a few units: singles, doublets, some bursts."""  # fmt: skip
    rng = canvas.rng
    end = canvas.seconds if end is None else end
    units = [see_unit(canvas) for _ in range(int(rng.integers(3, 7)))]
    sizes = [log_uniform(rng, *heights_uv) for _ in units]
    share = rng.dirichlet(np.ones(len(units)) * 1.5)
    for _ in range(rng.poisson(per_minute * (end - start) / 60)):
        t = canvas.reserve_between(0.2, 0.35, start, end)
        if t is None:
            continue
        k = int(rng.choice(len(units), p=share))
        size = float(np.clip(sizes[k] * rng.lognormal(0, 0.08), *heights_uv))
        in_acc = bool(rng.random() < 0.5)
        kind = rng.random()
        if kind < 0.72:
            add_single(canvas, t, units[k], size, in_acc)
        elif kind < 0.88:
            add_doublet(canvas, t, units[k], size, in_acc)
        else:
            add_cluster(canvas, t, units, size, in_acc)


def add_brief_contractions(canvas: Canvas, count: int, start: float, end: float) -> None:
    """Add contractions of 0.17 to 0.48 s of a still leg, alone or in trains of 0.4 to 2 Hz."""
    rng, fs = canvas.rng, canvas.fs
    for _ in range(count):
        many = 1 if rng.random() < 0.5 else int(rng.integers(4, 13))
        gap = 1 / rng.uniform(0.4, 2.0)
        seconds = min(float(rng.uniform(0.17, 0.48)), 0.6 * gap)
        at = canvas.reserve_between(many * gap + 0.5, 2.0, start, end)
        if at is None:
            continue
        size = log_uniform(rng, 80, 500)
        for k in range(many):
            waves, source = draw_contraction(canvas, seconds * rng.uniform(0.9, 1.1))
            n = len(waves[0])
            rise, fall = round(rng.uniform(0.01, 0.08) * fs), round(rng.uniform(0.1, 0.5) * n)
            waves = shaped(waves, ramped(n, rise, fall), round(LEAD_S * fs))
            waves = scaled_to(waves, fs, size * rng.lognormal(0, 0.15))
            motion = limb.tremble(rng.uniform(0.002, 0.02), rng) if rng.random() < 0.5 else None
            own = "brief_contraction"
            canvas.event(at + k * gap, waves, motion, own, "brief", source, "twitch movement")


# -- jerks ------------------------------------------------------------------------


def add_jerk(
    canvas: Canvas,
    t: float,
    kind: str,
    height_uv: float,
    to_g: float,
    least_jerk: float = 5.5,
    length: float = 0.0,
) -> None:
    """Add a burst of real contraction (50 to 250 ms), a jolt 20 to 80 ms behind its onset."""
    rng, fs = canvas.rng, canvas.fs
    length = length or rng.uniform(0.07, 0.27)
    waves, source = draw_contraction(canvas, length)
    n = len(waves[0])
    rise = min(round(rng.uniform(0.008, 0.03) * fs), n // 2)
    envelope = ramped(n, rise, round(rng.uniform(0.2, 0.6) * n))
    lead = round(LEAD_S * fs)
    waves = scaled_to(shaped(waves, envelope, lead), fs, height_uv)
    strongest = max(waves, key=np.ptp)
    begins = edges(in_band(strongest, fs))[0] / fs
    delay = begins + rng.uniform(0.02, 0.08)
    motion, where = limb.jolt(canvas.parts, to_g, delay, rng, least_jerk)
    tolerated = "" if canvas.device.acc_fs and canvas.device.n_emg else "twitch brief_contraction"
    source = f"{source} | {where}" if canvas.device.n_emg else where
    canvas.event(t, waves, motion, "jerk", kind, source, tolerated)


def add_hypnic_jerks(canvas: Canvas, count: int, start: float, end: float) -> None:
    """Add hypnic jerks, 0.12 to 0.5 g."""
    for _ in range(count):
        t = canvas.reserve_between(0.6, 2.0, start, end)
        if t is not None:
            height = log_uniform(canvas.rng, 100, 600)
            add_jerk(canvas, t, "hypnic_jerk", height, log_uniform(canvas.rng, 0.12, 0.5))


def add_violent(canvas: Canvas, count: int, start: float, end: float) -> None:
    """Add violent jerks: 0.5 to 2 g and at least 20 g/s."""
    for _ in range(count):
        t = canvas.reserve_between(0.8, 2.0, start, end)
        if t is not None:
            height = log_uniform(canvas.rng, 150, 1000)
            add_jerk(canvas, t, "violent", height, log_uniform(canvas.rng, 0.55, 2.0), 21.0)


def add_any_jerks(canvas: Canvas, count: int, start: float, end: float) -> None:
    """Add jerks of every length and strength of the criteria: 20 to 260 ms, 0.12 to 3 g.

    How much EMG a sensor sees of the muscle that threw the leg depends on where it sits, so
    that size and acceleration are drawn apart.
    """
    rng = canvas.rng
    for _ in range(count):
        t = canvas.reserve_between(0.8, 1.5, start, end)
        if t is None:
            continue
        length, height = log_uniform(rng, 0.025, 0.27), log_uniform(rng, 60, 2000)
        add_jerk(canvas, t, "any_jerk", height, log_uniform(rng, 0.12, 3.0), length=length)


def add_repetitive(canvas: Canvas, trains: int, start: float, end: float) -> None:
    """Add trains of 4 to 12 jerks, 1 to 10 s apart."""
    rng = canvas.rng
    for _ in range(trains):
        gaps = rng.uniform(1.2, 10, int(rng.integers(4, 13)))
        t = canvas.reserve_between(float(gaps.sum()), 4.0, start, end)
        if t is None:
            continue
        for gap in gaps:
            height = log_uniform(rng, 120, 800)
            add_jerk(canvas, t, "repetitive", height, log_uniform(rng, 0.15, 1.2))
            t += gap


# -- movements ----------------------------------------------------------------------


def add_movement(canvas: Canvas, t: float, kind: str, seconds: float, rms_uv: float) -> None:
    """Add real contraction with ramps, and mostly a lift of the leg."""
    rng, fs = canvas.rng, canvas.fs
    waves, source = draw_contraction(canvas, seconds)
    n = len(waves[0])
    rise = round(rng.uniform(0.05, min(0.5, seconds / 4)) * fs)
    fall = round(rng.uniform(0.1, min(0.8, seconds / 3)) * fs)
    slow = np.interp(np.arange(n), np.linspace(0, n, 8), 1 + 0.25 * rng.uniform(-1, 1, 8))
    waves = shaped(waves, ramped(n, rise, fall) * slow * rms_uv, round(0.2 * fs))
    motion = None
    if rng.random() < 0.85 or not canvas.device.n_emg:
        to_g = log_uniform(rng, 0.02, 0.2)
        motion, where = limb.activity(canvas.parts, max(seconds, 0.8), to_g, False, rng)
        first, last = edges(np.linalg.norm(motion.x, axis=1))
        if rng.random() < 0.5 or (last - first) / motion.fs < 0.6 * seconds:
            motion, where = limb.lift(seconds, to_g, rng), "limb model"
        motion.start += 0.2
        source = f"{source} | {where}" if canvas.device.n_emg else where
    tolerated = "" if canvas.device.n_emg else "gross_movement"
    canvas.event(t, waves, motion, "movement", kind, source, tolerated)


def add_leg_movements(canvas: Canvas, count: int, start: float, end: float) -> None:
    """Add single leg movements of 0.6 to 8 s."""
    for _ in range(count):
        seconds = float(canvas.rng.uniform(0.8, 8))
        t = canvas.reserve_between(seconds + 0.5, 3.0, start, end)
        if t is not None:
            add_movement(canvas, t, "lm", seconds, log_uniform(canvas.rng, 18, 150))


def add_periodic(canvas: Canvas, series: int, start: float, end: float) -> None:
    """Add series of 4 to 20 movements, 15 to 60 s apart (10 to 90 with their spread)."""
    rng = canvas.rng
    for _ in range(series):
        mean = rng.uniform(16, 40)
        gaps = np.clip(rng.lognormal(np.log(mean), 0.2, int(rng.integers(5, 20))), 10.5, 88)
        at = canvas.reserve_between(float(gaps.sum()), 5.0, start, max(end - gaps.sum(), start + 1))
        if at is None:
            continue
        size = log_uniform(rng, 20, 120)
        for gap in gaps:
            add_movement(
                canvas, at, "plm", float(np.clip(rng.normal(2.8, 0.9), 0.9, 6)),
                max(size * rng.lognormal(0, 0.25), 16.0),
            )  # fmt: skip
            at += gap


def add_gross_movements(
    canvas: Canvas, count: int, start: float, end: float, trial_type: str = ""
) -> None:
    """Add real ankle activity of 4 to 15 s with contraction; two thirds turn the leg 35 to 120°."""
    rng, fs = canvas.rng, canvas.fs
    for _ in range(count):
        seconds = float(rng.uniform(4, 15))
        t = canvas.reserve_between(seconds, 6.0, start, end)
        if t is None:
            continue
        waves, source = draw_contraction(canvas, seconds)
        n = len(waves[0])
        motion, where = limb.activity(
            canvas.parts, seconds, log_uniform(rng, 0.25, 1.2), False, rng
        )
        envelope = ramped(n, round(0.2 * fs), round(0.4 * fs)) * limb.effort(motion, n, fs)
        waves = [w * envelope * log_uniform(rng, 40, 250) for w in waves]
        turns = rng.random() < 0.67
        if turns:
            to = limb.rolled(canvas.gravity, float(rng.uniform(40, 120)), rng)
            canvas.turn(t + 0.3 * seconds, float(rng.uniform(1, 3)), to)
        own = "posture_change" if turns else "gross_movement"
        canvas.event(
            t, waves, motion, trial_type or own, own if trial_type else "gross",
            f"{source} | {where}" + ("; turn of gravity modelled" if turns else ""),
            "movement gross_movement posture_change",
        )  # fmt: skip
