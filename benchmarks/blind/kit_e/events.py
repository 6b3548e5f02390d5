"""Physiological events: each function puts one event at ``t`` and returns the time it ends.

Labels follow the published criteria, applied to the noise-free parts: an intended twitch that
lasts 165-450 ms becomes a brief contraction, one that no reader could see becomes unclear, a jerk
whose acceleration stays below 0.1 g or 5 g/s becomes unclear, and so on.
"""

from __future__ import annotations

import numpy as np

from .leg import dynamic, leg_response, turn_acceleration, unit_vector
from .model import FS_EMG, FS_MECH, Array, Burst
from .muscle import Unit, discharge, pick_unit, place, volley
from .scene import Scene, jerkiness, shape_name


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw log-uniformly."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def scale(emg: Array, target_uv: float) -> Array:
    """Scale to ``target_uv`` peak to peak on the largest channel."""
    top = float(np.ptp(emg, axis=1).max())
    return emg * (target_uv / top) if top > 0 else emg


# -- twitches ----------------------------------------------------------------------------------
def _single(scene: Scene, unit: Unit) -> Burst:
    wave = discharge(scene.rng, unit)
    force = np.zeros(80)
    force[1] = 1.0
    return Burst(wave.copy(), force)


def _repeats(scene: Scene, unit: Unit, times: list[float], fade: float) -> Burst:
    n = int((max(times) + 0.12) * FS_EMG)
    emg = np.zeros((unit.wave.shape[0], n))
    force = np.zeros(int((max(times) + 0.12) * 1000))
    for k, at in enumerate(times):
        place(emg, discharge(scene.rng, unit, 0.2) * fade**k, int(at * FS_EMG))
        force[int(at * 1000)] += 1.0
    return Burst(emg, force)


def make_twitch(scene: Scene, target_uv: float, style: str = "") -> tuple[Burst, str]:
    """Draw a twitch of ``target_uv``; return it with the name of its cause."""
    rng, units = scene.rng, scene.units
    styles = ["single", "compound", "doublet", "grouped", "asynchronous", "dispersed"]
    style = style or str(rng.choice(styles, p=[0.46, 0.2, 0.1, 0.07, 0.1, 0.07]))
    unit = pick_unit(rng, units, target_uv)
    if style == "single":
        burst = _single(scene, unit)
        name = ("reinnervated_" if unit.scattered else "single_") + shape_name(burst.emg[0])
    elif style == "compound":
        burst = volley(rng, units, float(rng.uniform(0.004, 0.018)), float(rng.uniform(0.15, 0.8)), 0.95)
        name = "compound_" + shape_name(burst.emg[0])
    elif style == "doublet":
        gap = log_uniform(rng, 0.01, 0.11) if rng.random() < 0.6 else float(rng.normal(0.034, 0.004))
        burst = _repeats(scene, unit, [0.0, gap], float(rng.uniform(0.7, 1.1)))
        name = f"doublet_{1000 * gap:.0f}ms"
    elif style == "grouped":
        k = int(rng.integers(3, 7))
        steps = rng.uniform(0.012, 0.12 / k + 0.006, k - 1)
        times = [0.0, *np.cumsum(steps).tolist()]
        burst = _repeats(scene, unit, times, float(rng.uniform(0.85, 1.05)))
        name = "grouped_unit"
    elif style == "asynchronous":
        burst = volley(rng, units, float(rng.uniform(0.03, 0.13)), float(rng.uniform(0.1, 0.6)), 0.15)
        name = "asynchronous_burst"
    else:
        burst = volley(rng, units, float(rng.uniform(0.02, 0.045)), float(rng.uniform(0.05, 0.25)), 0.4)
        name = "dispersed_" + shape_name(burst.emg[0])
    return Burst(scale(burst.emg, target_uv), burst.force, burst.starts), name


def twitch(
    scene: Scene,
    t: float,
    low: float = 20.0,
    high: float = 5000.0,
    style: str = "",
    in_activity: bool = False,
    note: str = "",
    target: float = 0.0,
) -> float:
    """Place one twitch (log-uniform size between ``low`` and ``high`` uV)."""
    rng, p = scene.rng, scene.person
    size = target or log_uniform(rng, low, high)
    burst, name = make_twitch(scene, size, style)
    scene.add_emg(t, burst.emg)
    peak = 0.0
    if p.accelerometer is not None:
        peak = float(np.clip(0.0015 * (size / 200.0) ** 0.45 * np.exp(0.6 * rng.standard_normal()), 3e-4, 0.045))
        acc = leg_response(
            rng, burst.force, p.bed, p.accelerometer, p.body.twitch_ms, peak, float(rng.uniform(0.008, 0.05)), 0.9
        )
        scene.add_acc(t, acc)
    first, last = scene.span(burst.emg)
    length = last - first
    kind = "twitch"
    pp = float(np.ptp(burst.emg, axis=1).max())
    if scene.snr(burst.emg) < 5.0 or pp < 6.0 * scene.broadband:
        kind, note = "unclear", note + " not clear of the noise"
    elif length > 0.142 and not name.startswith("doublet"):
        kind = "unclear" if length < 0.165 else "brief_contraction"
    bursts: tuple[float, ...] = (t + first,)
    if name.startswith("doublet"):
        bursts = (t + first, t + first + float(name[8:-2]) / 1000.0)
    scene.row(t + first, kind, name, length, burst.emg, peak, bursts, in_activity, note.strip())
    return t + last


def irregular_train(scene: Scene, t: float, low: float = 30.0, high: float = 1500.0) -> float:
    """Irregular run of one unit's fasciculations; neighbours within 250 ms are unclear."""
    rng = scene.rng
    size = log_uniform(rng, low, high)
    unit = pick_unit(rng, scene.units, size)
    n = int(rng.integers(3, 11))
    gaps = np.exp(rng.normal(np.log(rng.uniform(0.5, 2.0)), 0.6, n - 1)).clip(0.16, 6.0)
    times = [0.0, *np.cumsum(gaps).tolist()]
    end = t
    for k, at in enumerate(times):
        burst = _single(scene, unit)
        emg = burst.emg * (size / unit.size)
        scene.add_emg(t + at, emg)
        first, last = scene.span(emg)
        near = min([abs(at - o) for j, o in enumerate(times) if j != k])
        clear = scene.snr(emg) >= 5.0 and float(np.ptp(emg, axis=1).max()) > 6.0 * scene.broadband
        kind = "twitch" if near > 0.25 and clear else "unclear"
        name = "irregular_train_" + shape_name(emg[0])
        scene.row(t + at + first, kind, name, last - first, emg, 0.0, note="continual" if near <= 0.25 else "")
        end = t + at + last
    return end


def brief_contraction(scene: Scene, t: float, low: float = 40.0, high: float = 800.0) -> float:
    """Contraction of 150-500 ms without a jerk."""
    rng, p = scene.rng, scene.person
    burst = volley(rng, scene.units, float(rng.uniform(0.2, 0.44)), float(rng.uniform(0.15, 0.6)), 0.0)
    emg = scale(burst.emg, log_uniform(rng, low, high))
    scene.add_emg(t, emg)
    peak = 0.0
    if p.accelerometer is not None:
        peak = log_uniform(rng, 0.001, 0.02)
        scene.add_acc(t, leg_response(rng, burst.force, p.bed, p.accelerometer, 80.0, peak, 0.04, 0.1))
    first, last = scene.span(emg)
    kind = "brief_contraction" if 0.165 < last - first < 0.45 and scene.snr(emg) > 5 else "unclear"
    scene.row(t + first, kind, "soft_burst", last - first, emg, peak)
    return t + last


# -- jerks -------------------------------------------------------------------------------------
ORIGINS: dict[str, tuple[float, float, float, float]] = {
    "cortical": (0.010, 0.045, 0.5, 0.95),
    "reticular": (0.04, 0.1, 0.6, 0.6),
    "hypnic": (0.075, 0.25, 0.8, 0.3),
    "spinal": (0.05, 0.27, 0.5, 0.1),
    "propriospinal": (0.06, 0.2, 0.6, 0.2),
    "startle_like": (0.09, 0.27, 0.9, 0.4),
}
"""Burst length (s), share of the pool and synchrony by origin of the jerk."""


def _volley_pair(scene: Scene, length: float, share: float, synchrony: float) -> Burst:
    """Agonist burst, sometimes with the antagonist's cross-talk 30-70 ms later."""
    rng = scene.rng
    burst = volley(rng, scene.units, length, share, synchrony)
    if rng.random() < 0.35 and length < 0.2:
        other = volley(rng, scene.units[: len(scene.units) // 2], length, share, synchrony)
        far = np.array([np.convolve(r, np.hanning(16) / 8.0)[: r.size] for r in other.emg])
        top = float(np.ptp(far, axis=1).max())
        if top > 0:
            far *= float(rng.uniform(0.02, 0.12)) * float(np.ptp(burst.emg, axis=1).max()) / top
            lag = int(rng.uniform(0.02, 0.06) * FS_EMG)
            emg = np.pad(burst.emg, ((0, 0), (0, lag)))
            emg[:, lag : lag + far.shape[1]] += far
            burst = Burst(emg, burst.force)
    return burst


def _judge(scene: Scene, length: float, end: float, acc: Array | None, emg: Array) -> tuple[str, str]:
    """Label of an intended jerk by the published rule (0.1 g and 5 g/s until 150 ms after the EMG)."""
    if acc is None:
        return "unclear", "jerk-like EMG, no acceleration recorded"
    if length > 0.3:
        return "unclear", "burst longer than 0.3 s"
    near = acc[:, : int((end + 0.15) * FS_MECH)] if scene.has_emg else acc
    if float(dynamic(near).max()) < 0.1 or jerkiness(near) < 5.0:
        return "unclear", "acceleration below the jerk rule"
    if scene.has_emg and scene.snr(emg) < 5.0:
        hidden = float(dynamic(near).max()) < 0.15
        return ("unclear" if hidden else "jerk"), "EMG hidden in the noise"
    return "jerk", ""


def jerk(
    scene: Scene,
    t: float,
    low_g: float = 0.12,
    high_g: float = 4.0,
    low_uv: float = 60.0,
    high_uv: float = 6000.0,
    origin: str = "",
    turn: float = 0.25,
    in_activity: bool = False,
    note: str = "",
) -> float:
    """Isolated jerk; with probability ``turn`` the leg lies 4-25 degrees turned afterwards."""
    rng, p = scene.rng, scene.person
    origin = origin or str(rng.choice(list(ORIGINS)))
    a, b, share, sync = ORIGINS[origin]
    burst = _volley_pair(scene, log_uniform(rng, a, b), share * float(rng.uniform(0.5, 1.1)), sync)
    emg = scale(burst.emg, log_uniform(rng, low_uv, high_uv))
    peak, acc = 0.0, None
    if p.accelerometer is not None:
        goal = log_uniform(rng, low_g, high_g)
        quick = p.body.twitch_ms * float(rng.uniform(0.35, 0.8))
        bulge = float(rng.uniform(0.15, 0.7))
        delay = float(rng.uniform(0.01, 0.08))
        acc = leg_response(
            rng, burst.force, p.bed, p.accelerometer, quick, goal, delay, bulge, rng.random() < 0.4
        )
        if rng.random() < turn:
            seconds, degrees = float(rng.uniform(0.2, 0.6)), float(rng.uniform(4.0, 25.0))
            scene.turns.append((t + delay + 0.03, seconds, unit_vector(rng), float(np.deg2rad(degrees))))
            swing = turn_acceleration(rng, seconds, float(np.deg2rad(degrees)))
            top = float(dynamic(swing).max())
            swing *= min(1.0, 0.7 * goal / max(top, 1e-9))
            at = int((delay + 0.03) * FS_MECH)
            m = min(swing.shape[1], acc.shape[1] - at)
            acc[:, at : at + m] += swing[:, :m]
            note = (note + f" leg turned {degrees:.0f} deg").strip()
        scene.add_acc(t, acc)
        peak = float(dynamic(acc).max())
        scene.shake_electrode(t, acc)
    first, last = (0.0, 0.0)
    if scene.has_emg:
        scene.add_emg(t, emg)
        first, last = scene.span(emg)
    elif acc is not None:
        moving = np.flatnonzero(dynamic(acc) > max(0.004, 0.05 * peak))
        first, last = float(moving[0]) / FS_MECH, float(moving[-1]) / FS_MECH
    kind, why = _judge(scene, last - first if scene.has_emg else 0.1, last, acc, emg)
    scene.row(
        t + first, kind, f"{origin}_myoclonus", last - first, emg, peak, (), in_activity, (note + " " + why).strip()
    )
    return t + max(last, 0.6)


def jerk_train(
    scene: Scene,
    t: float,
    low_g: float = 0.12,
    high_g: float = 2.5,
    low_uv: float = 60.0,
    high_uv: float = 5000.0,
    rates: tuple[float, float] = (2.2, 18.0),
) -> float:
    """Train of 2-10 bursts at 2-20 Hz with silence between the bursts (one row)."""
    rng, p = scene.rng, scene.person
    n = int(rng.integers(2, 11))
    period = 1.0 / log_uniform(rng, *rates)
    origin = "cortical" if period < 0.12 else str(rng.choice(["spinal", "propriospinal", "reticular"]))
    _, top_len, share, sync = ORIGINS[origin]
    length = min(log_uniform(rng, 0.012, top_len), 0.45 * period, 0.24)
    if period < 0.09:
        length, sync = 0.012, 0.98
    spread = 0.04 if period < 0.12 else float(rng.uniform(0.03, 0.15))
    starts = [0.0]
    for _ in range(n - 1):
        starts.append(starts[-1] + period * float(np.clip(1.0 + spread * rng.standard_normal(), 0.75, 1.25)))
    total = starts[-1] + length + 0.25
    share *= float(rng.uniform(0.5, 1.1))
    emg = np.zeros((len(scene.units[0].wave), int(total * FS_EMG)))
    force = np.zeros(int(total * FS_MECH))
    for at in starts:
        one = volley(rng, scene.units, length, share, sync)
        gain = float(np.exp(0.2 * rng.standard_normal()))
        place(emg, scale(one.emg, 100.0 * gain), int(at * FS_EMG))
        i = int(at * FS_MECH)
        m = min(one.force.size, force.size - i)
        force[i : i + m] += gain * one.force[:m]
    burst = Burst(scale(emg, log_uniform(rng, low_uv, high_uv)), force, starts)
    peak, acc = 0.0, None
    delay = float(rng.uniform(0.01, 0.06))
    if p.accelerometer is not None:
        acc = leg_response(
            rng, force, p.bed, p.accelerometer, p.body.twitch_ms * float(rng.uniform(0.35, 0.8)), log_uniform(rng, low_g, high_g), delay,
            float(rng.uniform(0.3, 0.8)),
        )  # fmt: skip
        scene.add_acc(t, acc)
        peak = float(dynamic(acc).max())
        scene.shake_electrode(t, acc)
    first, last = 0.0, total
    onsets = tuple(t + s + delay for s in starts)
    if scene.has_emg:
        scene.add_emg(t, burst.emg)
        first, last = scene.span(burst.emg)
        onsets = scene.burst_onsets(t, burst)
    elif acc is not None:
        moving = np.flatnonzero(dynamic(acc) > max(0.004, 0.05 * peak))
        first, last = float(moving[0]) / FS_MECH, float(moving[-1]) / FS_MECH
    kind, why = _judge(scene, length + 0.03, last, acc, burst.emg)
    scene.row(
        t + first, kind, f"train_{origin}_{1 / period:.1f}Hz_{n}", last - first, burst.emg, peak, onsets, note=why
    )
    return t + max(last, first + 0.6)
