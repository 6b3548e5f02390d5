"""Twitches: single units, volleys, doublets, bursts, irregular trains, short contractions."""

from __future__ import annotations

import numpy as np

from .muscle import Spikes
from .scene import Scene, shape_name


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Log-uniform draw."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def kind_of(s: Scene, dur: float, peak: float, jerk: float) -> tuple[str, str]:
    """Kind of an event meant without jerk; limits that no one could tell apart are ``unclear``."""
    if s.has_acc and peak >= 0.07 and jerk >= 3.5:
        return "unclear", "acceleration near the jerk limit"
    if dur <= 0.150:
        return "twitch", ""
    if dur <= 0.175:
        return "unclear", "near 150 ms"
    if dur <= 0.45:
        return "brief_contraction", ""
    return "unclear", "near 500 ms"


def _play(s: Scene, spikes: Spikes, span: float, pp: float, g: float, cause: str, activity: bool = False, t: float | None = None) -> float:
    """Put one twitch at ``t`` and write its row; gives its end (s)."""
    t0 = s.t if t is None else t
    x, _, _ = s.put(spikes, t0, span + 0.12, pp_uv=pp, peak_g=g)
    on, dur, p2p = s.measure(x)
    peak, jerk = s.moved(t0 - 0.02, t0 + span + 0.35) if s.has_acc and g > 0 and not activity else (g, 0.0)
    kind, why = kind_of(s, dur, peak, jerk)
    s.note(t0 + on, dur, kind, f"{cause}_{shape_name(x)}", p2p, peak if g > 0 else 0.0, in_activity=activity, note=why)
    return t0 + span + 0.12


def _size(s: Scene, top: float = 1.0) -> float:
    return log_uniform(s.rng, s.twitch_uv[0], max(s.twitch_uv[1] * top, s.twitch_uv[0] * 1.5))


def single(s: Scene) -> None:
    """One unit once: often a known focus, sometimes a unit seen only once, near or deep."""
    r = s.rng
    unit = s.foci[int(r.integers(len(s.foci)))] if r.random() < 0.6 else s.muscle.focus(float(r.uniform(3, 30)))
    g = log_uniform(r, 3e-4, 8e-3) if r.random() < 0.7 else 0.0
    s.t = _play(s, s.muscle.single(unit), 0.01, _size(s, 0.35), g, "single")


def volley(s: Scene) -> None:
    """Two to seventy units within a jitter of 0-8 ms: the compound potential."""
    r = s.rng
    jitter = float(r.uniform(0, 0.008))
    g = log_uniform(r, 1e-3, 5e-2) if r.random() < 0.8 else 0.0
    n = int(log_uniform(r, 2, 70))
    if r.random() < 0.4:
        k = 0 if r.random() < 0.5 else int(r.integers(len(s.foci)))  # foci are sorted, the most one-sided first
        units = [s.foci[k]] if r.random() < 0.7 else [s.muscle.focus() for _ in range(2)]
        spikes = s.muscle.echo(units, int(log_uniform(r, 8, 90)), jitter * (0.25 if r.random() < 0.5 else 1.0))
    else:
        spikes = s.muscle.volley(n, jitter)
    s.t = _play(s, spikes, 0.05, _size(s), g, "compound")


def polyphasic(s: Scene) -> None:
    """A slow, scattered discharge with satellites (regrown axon branches)."""
    r = s.rng
    spikes = s.muscle.volley(int(r.integers(3, 14)), float(r.uniform(0.004, 0.011)))
    late = s.muscle.volley(int(r.integers(1, 4)), 0.002)
    shift = float(r.uniform(0.012, 0.03))
    spikes += [(u, t + shift, 0.6 * a) for u, t, a in late]
    s.t = _play(s, spikes, 0.08, _size(s, 0.6), log_uniform(r, 1e-3, 3e-2), "satellite")


def doublet(s: Scene) -> None:
    """The same source twice, 10-110 ms apart, most often near 33 ms (F-wave echo)."""
    r = s.rng
    wait = float(np.clip(0.033 * np.exp(0.45 * r.normal()), 0.010, 0.110))
    base = s.muscle.single(s.foci[int(r.integers(len(s.foci)))]) if r.random() < 0.6 else s.muscle.volley(int(r.integers(2, 20)), float(r.uniform(0, 0.004)))
    second = float(r.uniform(0.6, 1.1))
    t0, pp = s.t, _size(s, 0.5)
    alone, _, _ = s.put(base, t0, 0.3, pp_uv=pp)
    on1, _, _ = s.measure(alone)
    scale = pp * second
    again, _, _ = s.put(base, t0 + wait, 0.3, pp_uv=scale)
    if r.random() < 0.7:
        from .limb import FS_MECH
        from .muscle import render_force
        both = base + [(u, t + wait, a * second) for u, t, a in base]
        s.push(render_force(both, 0.8, FS_MECH), t0, log_uniform(r, 5e-4, 2e-2))
    lag = int(wait * s.fs)
    n = min(len(alone), len(again)) + lag
    total = np.zeros(n)
    total[: len(alone)] += alone[:n]
    total[lag:lag + len(again)] += again[: n - lag]
    on, dur, p2p = s.measure(total)
    peak, jerk = s.moved(t0 - 0.02, t0 + 0.5)
    kind, why = kind_of(s, dur, peak, jerk)
    on2 = s.measure(again)[0] + wait
    s.note(t0 + on, dur, kind, f"doublet_{shape_name(alone)}", p2p, peak, (t0 + on, t0 + on2), note=why or f"interval {wait * 1000:.0f} ms")
    s.t = t0 + 0.45


def burst(s: Scene) -> None:
    """Several units for 20-135 ms, as in fragmentary myoclonus."""
    r = s.rng
    span = float(r.uniform(0.015, 0.125))
    spikes = s.muscle.burst(int(log_uniform(r, 3, 40)), span, float(r.uniform(20, 80)), float(r.random()))
    s.t = _play(s, spikes, span, _size(s, 0.6), log_uniform(r, 1e-3, 5e-2) if r.random() < 0.8 else 0.0, "burst")


def brief(s: Scene) -> None:
    """A contraction of 0.16-0.45 s without a jerk."""
    r = s.rng
    span = float(r.uniform(0.165, 0.42))
    spikes = s.muscle.burst(int(r.integers(8, 60)), span, float(r.uniform(18, 45)), float(0.4 * r.random()))
    s.t = _play(s, spikes, span, _size(s, 0.4), log_uniform(r, 2e-3, 4e-2) if r.random() < 0.7 else 0.0, "contraction")


def irregular_train(s: Scene, low: float = 0.19, high: float = 1.6) -> None:
    """One focus firing 4-16 times with irregular gaps; every discharge is a row of its own."""
    r = s.rng
    unit = s.foci[int(r.integers(len(s.foci)))] if r.random() < 0.7 else s.muscle.focus()
    pp = _size(s, 0.35)
    g = log_uniform(r, 5e-4, 6e-3)
    for _ in range(int(r.integers(4, 17))):
        if s.left() < 2:
            return
        start = s.t
        _play(s, s.muscle.single(unit), 0.01, pp * float(r.normal(1, 0.06)), g, "train")
        s.t = start + max(low, log_uniform(r, low, high))


def at_time(s: Scene, t: float, pp: float, activity: bool, clear: bool = True, g: float = 0.0) -> None:
    """A single unit or volley at a given time (inside or just after activity)."""
    r = s.rng
    spikes = s.muscle.single(s.foci[int(r.integers(len(s.foci)))]) if r.random() < 0.5 else s.muscle.volley(int(r.integers(2, 30)), float(r.uniform(0, 0.005)))
    _play(s, spikes, 0.05, pp, g, "in_activity" if activity else "after_activity", activity, t)
    if not clear:
        old = s.truth.pop()
        s.note(old.onset, old.duration, "unclear", old.waveform, old.amplitude_uv, old.peak_g, in_activity=activity, note="not above the activity around it")
