"""Jerks: isolated ones, trains, and jerks within a context."""

from __future__ import annotations

import numpy as np

from .limb import FS_MECH
from .movements import movement
from .muscle import Spikes, render_force
from .scene import Scene, shape_name
from .twitches import brief, log_uniform


def _source(s: Scene) -> tuple[Spikes, float, str]:
    """A volley, a cortical burst of 10-50 ms or a start of 60-240 ms."""
    r = s.rng
    what = str(r.choice(["volley", "cortical", "start"], p=[0.25, 0.3, 0.45]))
    if what == "volley":
        return s.muscle.volley(int(log_uniform(r, 4, 70)), float(r.uniform(0.0005, 0.008))), 0.03, what
    span = float(r.uniform(0.01, 0.045) if what == "cortical" else r.uniform(0.06, 0.24))
    return s.muscle.burst(int(log_uniform(r, 6, 70)), span, float(r.uniform(25, 90)), float(r.uniform(0.3, 1))), span, what


def _verdict(s: Scene, dur: float, peak: float, jerk: float) -> tuple[str, str]:
    low = 0.12 if s.has_emg else 0.17
    if peak < low or jerk < 6.0:
        return "unclear", "acceleration near the jerk limit"
    if s.has_emg and dur > 0.30:
        return "unclear", "EMG longer than 0.3 s"
    return "jerk", ""


def jerk(s: Scene, turn_deg: float = 0.0, note: str = "") -> float:
    """One isolated jerk at ``s.t``.

    Parameters
    ----------
    s : Scene
        Stage.
    turn_deg : float
        Turn of the leg that stays (below 30 degrees).
    note : str
        For the row.

    Returns
    -------
    float
        End of its EMG (s).
    """
    r = s.rng
    spikes, span, what = _source(s)
    t0, want = s.t, log_uniform(r, *s.jerk_g)
    delay = float(r.uniform(0.006, 0.06))
    x, _, _ = s.put(spikes, t0, span + 0.15, pp_uv=log_uniform(r, *s.jerk_uv), peak_g=want, delay_s=delay)
    on, dur, pp = s.measure(x)
    if turn_deg:
        g = s.gravity_at(t0)
        axis = np.cross(g, r.normal(size=3))
        axis /= np.linalg.norm(axis)
        rad = np.deg2rad(turn_deg)
        length = max(0.2, float(np.sqrt(5.77 * rad * s.limb.arm_m / (9.81 * 0.5 * want))))
        s.rotate(t0 + delay + 0.03, length, rad, axis)
        note = (note + f" turn {turn_deg:.0f} deg").strip()
    peak, change = s.moved(t0, t0 + span + 0.6)
    kind, why = _verdict(s, dur, peak, change)
    if s.has_emg:
        s.note(t0 + on, dur, kind, f"{what}_{shape_name(x)}", pp, peak, note=why or note)
        end = t0 + on + dur
    else:
        start, length = s.acc_span(t0, t0 + 2.5)
        s.note(start, length, kind, what, 0.0, peak, note=why or note)
        end = start + length
    s.t = max(end, t0 + 0.2)
    return end


def jerk_plain(s: Scene) -> None:
    """An isolated jerk, the leg falls back."""
    jerk(s)
    s.t += 1.0


def jerk_turn(s: Scene) -> None:
    """A jerk that leaves the leg turned by 3-24 degrees."""
    jerk(s, float(s.rng.uniform(3, 24)))
    s.t += 1.6


def jerk_context(s: Scene) -> None:
    """Contraction before, or contraction or movement after the jerk, with a gap or without."""
    r = s.rng
    what = str(r.choice(["before", "after_brief", "after_move", "after_move", "before_move"]))
    if what == "before":
        brief(s)
        s.t += float(r.uniform(0.15, 1.0)) - 0.1
        jerk(s, note="contraction before")
    elif what == "before_move":
        movement(s, dur=float(r.uniform(0.6, 2.5)), settle=float(r.uniform(0.55, 1.2)))
        jerk(s, note="movement before")
    elif what == "after_brief":
        end = jerk(s, note="contraction after")
        s.t = end + float(r.uniform(0.08, 0.6))
        brief(s)
    else:
        end = jerk(s, float(r.uniform(3, 20)) if r.random() < 0.3 else 0.0, note="movement after")
        gap = float(r.uniform(0.06, 1.0))
        s.t = end + gap
        movement(s, dur=log_uniform(r, 0.7, 6), cause=f"after_jerk_{gap * 1000:.0f}ms")
    s.t += 1.0


def jerk_train(s: Scene) -> None:
    """2-10 bursts at 2-20 Hz with silence between; one row."""
    r = s.rng
    rate = log_uniform(r, 2, 20)
    count = int(r.integers(2, 11))
    period = 1 / rate
    longest = float(np.clip(0.6 * period - 0.022, 0.004, 0.24))
    span = float(r.uniform(0.3 * longest, longest))
    t0, pp = s.t, log_uniform(r, *s.jerk_uv)
    pick = int(log_uniform(r, 5, 60))
    times = np.cumsum(np.concatenate([[0.0], np.clip(r.normal(period, 0.06 * period, count - 1), 0.9 * period, 1.15 * period)]))
    force_spikes: Spikes = []
    onsets: list[float] = []
    end, top = t0, 0.0
    decay = float(r.uniform(0.75, 1.05))
    for k, t in enumerate(times):
        one = s.muscle.burst(pick, span, float(r.uniform(30, 90)), float(r.uniform(0.5, 1))) if span > 0.012 else s.muscle.volley(pick, span / 3)
        size = pp * decay**k * float(r.uniform(0.7, 1.1))
        x, _, _ = s.put(one, t0 + t, span + 0.12, pp_uv=size)
        on, dur, p2p = s.measure(x)
        onsets.append(t0 + t + on)
        end, top = t0 + t + on + dur, max(top, p2p)
        force_spikes += [(u, st + t, a * decay**k) for u, st, a in one]
    s.push(render_force(force_spikes, float(times[-1]) + 2.5, FS_MECH), t0, log_uniform(r, *s.jerk_g))
    peak, change = s.moved(t0, end + 0.3)
    kind, why = _verdict(s, 0.1, peak, change)
    if s.has_emg:
        s.note(onsets[0], end - onsets[0], kind, "train", top, peak, tuple(onsets), note=why or f"{rate:.1f} Hz, {count} bursts")
    else:
        start, length = s.acc_span(t0, float(t0 + times[-1] + 2))
        s.note(start, length, kind, "train", 0.0, peak, tuple(start + (o - onsets[0]) for o in onsets), note=why or f"{rate:.1f} Hz")
    s.t = end + 1.2
