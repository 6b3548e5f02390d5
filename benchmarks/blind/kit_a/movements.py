"""Leg movements, series, gross movements, turns, walking and tonic activity."""

from __future__ import annotations

import numpy as np
from scipy import signal

from . import twitches as tw
from .limb import FS_MECH, gait, respond
from .muscle import render_force
from .scene import Scene

FS_DRIVE = 200.0


def effort(rng: np.random.Generator, dur: float, top: float, floor: float) -> np.ndarray:
    """Common drive of a movement: rise, hold with slow ripple or 2-4 pulses, fall."""
    n = int((dur + 0.3) * FS_DRIVE)
    t = np.arange(n) / FS_DRIVE
    rise, fall = min(tw.log_uniform(rng, 0.03, 0.6), 0.3 * dur), min(tw.log_uniform(rng, 0.05, 0.8), 0.35 * dur)
    env = np.clip(t / rise, 0, 1) * np.clip((dur - t) / fall, 0, 1)
    ripple = signal.lfilter(*signal.butter(1, 1.5 / (FS_DRIVE / 2)), rng.standard_normal(n) * 3)
    env = env * np.clip(1 + 0.3 * ripple, 0.45, 1.6)
    if rng.random() < 0.35 and dur > 1.0:
        env = env * (0.65 + 0.35 * np.sin(2 * np.pi * rng.uniform(0.8, 3) * t + rng.uniform(0, 6)))
    return np.where(env > 0.02, floor + (top - floor) * env / max(env.max(), 1e-6), 0.0)


def rule_span(s: Scene, x: np.ndarray) -> tuple[float, float, float, bool]:
    """The +8/+2 uV rule on the clean potential over the resting level.

    Returns
    -------
    tuple
        Time of +8 uV, end (start of >= 0.5 s at <= +2 uV), peak excess (uV), and whether +8 uV comes back after that.
    """
    band = signal.butter(2, [10.0, min(100.0, 0.4 * s.fs)], "band", fs=s.fs, output="sos")
    w = int(0.15 * s.fs)
    power = np.convolve(signal.sosfiltfilt(band, np.pad(x, int(0.8 * s.fs))) ** 2, np.ones(w) / w, "same")
    rest = s.rig.rest_low_uv
    over = np.sqrt(np.maximum(power, 0) + rest * rest) - rest
    lead = 0.8
    up = np.flatnonzero(over >= 8.0)
    if not len(up):
        return 0.0, 0.0, float(over.max()), False
    low = over <= 2.0
    need = int(0.5 * s.fs)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], low.astype(int), [0]])))
    end = len(over)
    for a, b in zip(edges[::2], edges[1::2]):
        if a > up[0] and (b - a >= need or b >= len(over) - 1):
            end = a
            break
    return up[0] / s.fs - lead, end / s.fs - lead, float(over.max()), bool(np.any(up > end))


def movement(s: Scene, dur: float | None = None, uv: float | None = None, settle: float = 1.0, cause: str = "movement") -> None:
    """A leg movement by the pool's rate-coded activity.

    Parameters
    ----------
    s : Scene
        Stage.
    dur : float, optional
        Planned length (s), drawn 0.5-10.
    uv : float, optional
        RMS of the strongest 0.3 s; drawn from the scene's range.
    settle : float
        Pause after it (s).
    cause : str
        Name of the row's waveform.
    """
    r = s.rng
    plan = tw.log_uniform(r, 0.5, 10) if dur is None else dur
    plan = min(plan, max(s.left() + 6, 1.0))
    size = tw.log_uniform(r, *s.move_uv) if uv is None else uv
    top = float(np.clip(np.sqrt(size / s.full_uv) * r.uniform(0.7, 1.2), 0.12, 0.95))
    t0 = s.t
    spikes = s.muscle.drive(effort(r, plan, top, 0.6 * float(s.muscle.threshold[0]) + 0.03), FS_DRIVE)
    g = tw.log_uniform(r, 0.004, 0.9) if r.random() < 0.65 or not s.has_emg else 0.0
    x, _, _ = s.put(spikes, t0, plan + 0.6, rms_uv=size, peak_g=g)
    on, length, pp = s.measure(x)
    turned = 0.0
    if g > 0.05 and r.random() < 0.3:
        turned = float(r.uniform(2, 9))
        s.rotate(t0 + 0.15, float(r.uniform(0.4, max(0.5, min(plan, 3)))), np.deg2rad(turned))
    peak, _ = s.moved(t0, t0 + plan + 0.5) if g > 0 else (0.0, 0.0)
    if not s.has_emg:
        kind = "movement" if peak > 0.03 else "unclear"
        start, span = s.acc_span(t0, t0 + plan + 1.5)
        kind = kind if span >= 0.55 else "unclear"
        s.note(start, span, kind, cause, 0.0, peak, note="" if kind == "movement" else "acceleration near 15 mg")
    else:
        first, end, top_uv, again = rule_span(s, x)
        span = end - min(on, first) if top_uv >= 8 else length
        by_rule = end - first
        if top_uv < 10.5:
            kind, why = "unclear", f"only {top_uv:.1f} uV above rest"
        elif again:
            kind, why = "unclear", "two parts with 0.5 s of quiet between"
        elif by_rule < 0.56 or span < 0.56:
            kind, why = ("brief_contraction" if by_rule < 0.42 and span < 0.42 and peak < 0.07 else "unclear"), "short by the rule"
        elif span > 9.7:
            kind, why = ("gross_movement", "longer than 10 s") if min(span, by_rule) > 10.3 else ("unclear", "near 10 s")
        else:
            kind, why = "movement", ""
        s.note(t0 + on, span, kind, cause, pp, peak, note=why or f"+{top_uv:.0f} uV" + (f", turn {turned:.0f} deg" if turned else ""))
    s.t = t0 + plan + 0.4 + settle


def series(s: Scene) -> None:
    """Periodic movements: 4-9, 11-45 s apart, alike in size."""
    r = s.rng
    step, size, dur = float(r.uniform(11, 45)), tw.log_uniform(r, *s.move_uv), float(r.uniform(0.7, 4))
    for _ in range(int(r.integers(4, 10))):
        start = s.t
        if s.left() < dur * 1.6 + 3:
            return
        movement(s, float(np.clip(dur * np.exp(0.25 * r.normal()), 0.6, 8)), size * float(np.exp(0.3 * r.normal())), cause="periodic")
        s.t = max(s.t, start + max(10.5, step * float(np.exp(0.15 * r.normal()))))


def _perp(s: Scene, t: float) -> np.ndarray:
    axis = np.cross(s.gravity_at(t), s.rng.normal(size=3))
    return axis / np.linalg.norm(axis)


def gross(s: Scene) -> None:
    """The whole body turns or fidgets for 4-28 s; the leg swings to and fro, wires move."""
    r = s.rng
    plan = float(r.uniform(11.5, 28) if r.random() < 0.7 else r.uniform(4, 9))
    if plan > s.left() + 2:
        return
    t0 = s.t
    drive = np.zeros(int((plan + 0.3) * FS_DRIVE))
    at = 0.0
    while at < plan - 0.4:
        one = effort(r, float(min(r.uniform(0.8, 4), plan - at)), float(r.uniform(0.25, 0.9)), 0.05)
        k = int(at * FS_DRIVE)
        m = min(len(one), len(drive) - k)
        drive[k:k + m] = np.maximum(drive[k:k + m], one[:m])
        at += float(r.uniform(0.5, 2.2))
    x, _, _ = s.put(s.muscle.drive(drive, FS_DRIVE), t0, plan + 0.8, rms_uv=tw.log_uniform(r, 40, 900), peak_g=tw.log_uniform(r, 0.08, 0.9))
    at, back, axis = 0.2, 0.0, _perp(s, t0)
    while at < plan - 1.5:
        length = float(r.uniform(0.5, 1.4))
        ang = float(r.uniform(-0.5, 0.5)) - 0.6 * back
        s.rotate(t0 + at, length, ang, axis)
        back += ang
        at += length + float(r.uniform(0.0, 1.3))
    if s.has_emg and r.random() < 0.7:
        m = int(plan * s.fs)
        slow = np.interp(np.arange(m), np.linspace(0, m, int(plan * 3) + 2), r.standard_normal(int(plan * 3) + 2))
        s.patch(t0, slow * np.hanning(m) ** 0.3 * tw.log_uniform(r, 20, 800))
    on, length, pp = s.measure(x)
    peak, _ = s.moved(t0, t0 + plan + 0.5)
    if not s.has_emg:
        start, length = s.acc_span(t0, t0 + plan + 1.5)
        on = start - t0
    long = length > 10.4
    s.note(t0 + on, length, "gross_movement" if long else ("unclear" if length > 9.6 else "movement"), "gross", pp, peak,
           note="" if long else "whole body, shorter than 10 s: also gross by acceleration")
    s.t = t0 + plan + 2.0


def posture(s: Scene) -> None:
    """The leg is laid anew: 30-120 degrees (major) or 12-25 (minor), with or without EMG here."""
    r = s.rng
    major = r.random() < 0.75
    ang = float(r.uniform(38, 120) if major else r.uniform(12, 24))
    span = float(r.uniform(0.8, 3.5))
    t0 = s.t
    quiet = r.random() < 0.2
    on, length, pp = 0.03, span, 0.0
    if not quiet:
        spikes = s.muscle.drive(effort(r, span * float(r.uniform(0.8, 1.4)), float(r.uniform(0.2, 0.8)), 0.05), FS_DRIVE)
        x, _, _ = s.put(spikes, t0, span * 1.4 + 0.8, rms_uv=tw.log_uniform(r, 25, 700), peak_g=tw.log_uniform(r, 0.03, 0.4))
        if s.has_emg:
            on, length, pp = s.measure(x)
    s.rotate(t0 + float(r.uniform(0.02, 0.25)), span, np.deg2rad(ang), _perp(s, t0))
    peak, _ = s.moved(t0, t0 + 1.5 * span + 1)
    if not s.has_emg:
        start, length = s.acc_span(t0, t0 + 1.5 * span + 1.0)
        on = start - t0
    kind = "posture_change" if major else ("movement" if pp > 0 and 0.6 < length < 9.5 else "unclear")
    s.note(t0 + on, length, kind, "turn" if not quiet else "turn_without_emg", pp, peak, note=f"{ang:.0f} deg")
    s.t = t0 + 1.5 * span + 2.0


def _inside(s: Scene, t0: float, plan: float, x: np.ndarray, every: float, g: float) -> None:
    """Twitches within activity: clear only if ten times the RMS around them."""
    r = s.rng
    t = t0 + float(r.uniform(3, 3 + every))
    while t < t0 + plan - 2:
        k = int((t - t0) * s.fs)
        w = int(0.2 * s.fs)
        around = float(np.sqrt(np.mean(x[max(0, k - w):k + w] ** 2)) + s.noise)
        factor = tw.log_uniform(r, 11, 45) if r.random() < 0.8 else float(r.uniform(3, 7))
        if around * factor > 1.6 * s.rig.range_uv:  # the rails would cut it down to the activity
            factor = float(r.uniform(3, 7))
        pp = max(around * factor, s.twitch_uv[0])
        if pp < 9000:
            tw.at_time(s, t, pp, True, factor >= 10, g)
        t += max(1.0, float(r.exponential(every)))


def activity(s: Scene, walk: bool, plan: float | None = None) -> None:
    """Minutes of walking or of tonic activity, with twitches in it and just after it.

    Parameters
    ----------
    s : Scene
        Stage.
    walk : bool
        Walking (acceleration, rhythmic bursts) or tonic contraction.
    plan : float, optional
        Length (s).
    """
    r = s.rng
    t0 = s.t
    span = float(r.uniform(30, 140)) if plan is None else plan
    span = min(span, s.left() - 5)
    if span < 15:
        s.t = s.span
        return
    n = int(span * FS_DRIVE)
    t = np.arange(n) / FS_DRIVE
    if walk:
        move, strikes = gait(r, span, s.gravity_at(t0), s.limb)
        k0 = int(t0 * FS_MECH)
        s.acc[k0:k0 + len(move)] += move
        drive = np.zeros(n)
        lobes = [(float(r.uniform(-0.1, 0.1)), float(r.uniform(0.04, 0.1)), 1.0), (float(r.uniform(0.3, 0.6)), float(r.uniform(0.05, 0.12)), float(r.uniform(0.3, 1)))]
        for st in np.concatenate([[0.08], strikes]):
            for c, w, a in lobes:
                drive += a * float(r.uniform(0.7, 1.2)) * np.exp(-0.5 * ((t - st - c) / w) ** 2)
        drive = np.clip(drive * float(r.uniform(0.3, 0.8)), 0, 1)
        drive[drive < 0.03] = 0
    else:
        slow = signal.lfilter(*signal.butter(1, 0.3 / (FS_DRIVE / 2)), r.standard_normal(n) * 4)
        drive = np.clip(float(r.uniform(0.12, 0.5)) * (1 + 0.25 * slow), 0.0, 1) * np.clip(t / 0.5, 0, 1) * np.clip((span - t) / 0.7, 0, 1)
    spikes = s.muscle.drive(drive, FS_DRIVE)
    size = tw.log_uniform(r, 25, 350)
    x, _, _ = s.put(spikes, t0, span + 0.5, rms_uv=size)
    g = 0.0
    if not walk and r.random() < 0.5:
        f = render_force(spikes, span, FS_MECH)
        g = tw.log_uniform(r, 0.003, 0.06)
        local = respond(f, s.limb, s.gravity_at(t0), g, r)
        k0 = int(t0 * FS_MECH)
        s.acc[k0:k0 + len(local)] += local
    on, length, pp = s.measure(x)
    peak = s.moved(t0, t0 + span)[0] if s.has_acc else 0.0
    s.note(t0 + on, length, "gross_movement" if length > 10.4 else "unclear", "walking" if walk else "tonic", pp, peak, note="activity; its single bursts are not rows")
    _inside(s, t0, span, x, 9.0, 0.0)
    s.t = t0 + span + float(r.uniform(0.6, 2.5))
    for _ in range(int(r.integers(0, 4))):
        tw.at_time(s, s.t, tw.log_uniform(r, max(s.twitch_uv[0], 12 * s.noise), max(20 * s.noise, 900)), False)
        s.t += float(r.uniform(0.6, 4))


def lone_unit(s: Scene) -> None:
    """One unit firing steadily at 6-10 Hz for 8-40 s: incomplete rest, which the criteria leave open."""
    r = s.rng
    span = min(float(r.uniform(8, 40)), s.left())
    marks = np.cumsum(np.clip(r.normal(1, 0.15, int(span * 11)), 0.5, 1.6)) / float(r.uniform(6, 10))
    marks = marks[marks < span]
    x, _, _ = s.put([(s.foci[0], marks, 1.0)], s.t, span + 0.2, pp_uv=tw.log_uniform(r, 20, 250))
    on, length, pp = s.measure(x)
    s.note(s.t + on, length, "unclear", "lone_unit_tonic", pp, note="regular discharge of one unit")
    s.t += span + 1.5
