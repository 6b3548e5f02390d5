"""Electrodes, wires, radio, blows: what is no muscle."""

from __future__ import annotations

import numpy as np

from . import twitches as tw
from .limb import FS_MECH, knock as blow
from .scene import Scene, shape_name


def pop_shape(rng: np.random.Generator, fs: float) -> tuple[np.ndarray, str]:
    """One electrode pop, unit peak to peak: a change of half-cell potential or contact area.

    Sizes and lengths cover those of twitches; some are one-sided, some as symmetric as a motor unit.
    """
    t = np.arange(0, 0.35, 1 / fs)
    what = str(rng.choice(["decay", "step", "spike", "contact", "ring", "snap", "crackle"]))
    rise = tw.log_uniform(rng, 2e-4, 4e-3)
    if what == "decay":
        x = (1 - np.exp(-t / rise)) * np.exp(-t / tw.log_uniform(rng, 0.002, 0.06))
    elif what == "step":
        x = (1 - np.exp(-t / rise)) * np.exp(-t / float(rng.uniform(0.3, 3)))
        x = np.concatenate([x, x[-1] * np.exp(-np.arange(0, 3, 1 / fs) / 0.6)])
    elif what == "spike":
        w = tw.log_uniform(rng, 5e-4, 8e-3)
        u = (t - 4 * w) / w
        x = np.exp(-0.5 * u * u) * (u if rng.random() < 0.5 else np.ones_like(u))
    elif what == "contact":
        w = tw.log_uniform(rng, 0.003, 0.06)
        x = 1 / (1 + np.exp(-np.clip((t - 0.005) / rise * 3, -60, 60))) - 1 / (1 + np.exp(-np.clip((t - 0.005 - w) / rise * 3, -60, 60)))
    elif what == "ring":
        x = np.sin(2 * np.pi * tw.log_uniform(rng, 20, 180) * t) * np.exp(-t / tw.log_uniform(rng, 0.006, 0.04))
    elif what == "snap":
        w = tw.log_uniform(rng, 0.02, 0.12)
        x = np.clip(t / w, 0, 1) ** 2 * np.exp(-np.clip(t - w, 0, None) / (rise * 2))
    else:
        x = np.zeros_like(t)
        for _ in range(int(rng.integers(2, 6))):
            at = float(rng.uniform(0, 0.11))
            x += rng.normal() * np.exp(-np.clip(t - at, 0, None) / tw.log_uniform(rng, 0.001, 0.012)) * (t >= at)
    x = x * rng.choice([-1, 1])
    return x / (np.ptp(x) + 1e-12), what


def pop(s: Scene) -> None:
    """An electrode pop; once in a while with a small shake of the wire."""
    r = s.rng
    x, what = pop_shape(r, s.fs)
    x = x * tw.log_uniform(r, *s.pop_uv)
    s.patch(s.t, x)
    on, dur, pp = s.measure(x)
    g = 0.0
    if s.has_acc and r.random() < 0.1:
        g = tw.log_uniform(r, 0.004, 0.08)
        _strike(s, s.t, g)
    s.note(s.t + on, dur, "artefact", f"pop_{what}_{shape_name(x)}", pp, g, note="electrode pop")
    s.t += 0.5


def _strike(s: Scene, t: float, peak_g: float) -> None:
    k = int(t * FS_MECH)
    m = min(int(1.2 * FS_MECH), len(s.acc) - k)
    s.acc[k:k + m] += blow(s.rng, m, 0, peak_g)


def knock(s: Scene, t: float | None = None) -> float:
    """A blow on bed or sensor, with or without a bump of the wire; gives its peak (g)."""
    r = s.rng
    t0 = s.t if t is None else t
    g = tw.log_uniform(r, 0.04, 2.5)
    before = s.acc[int(t0 * FS_MECH):int((t0 + 1.2) * FS_MECH)].copy()
    _strike(s, t0, g)
    g = s.dyn(s.acc[int(t0 * FS_MECH):int((t0 + 1.2) * FS_MECH)] - before)[0]
    pp = 0.0
    if s.has_emg and r.random() < 0.45:
        w = tw.log_uniform(r, 0.012, 0.09)
        u = np.arange(-3 * w, 5 * w, 1 / s.fs)
        x = np.exp(-0.5 * (u / w) ** 2) * np.cos(2 * np.pi * r.uniform(0, 1.0) / (4 * w) * u) * tw.log_uniform(r, 20, 3000)
        s.patch(t0, x)
        pp = float(np.ptp(x))
    kind = "artefact" if s.has_emg else "unclear"
    s.note(t0, 0.3, kind, "knock", pp, g, note="blow; without EMG no one could tell it from a jerk" if not s.has_emg else "blow")
    if t is None:
        s.t = t0 + 1.3
    return g


def knock_near_twitch(s: Scene) -> None:
    """A knock 0.15-1.5 s before or after a twitch, or by chance together with it (then unclear)."""
    r = s.rng
    t0 = s.t + 2.0
    offset = float(r.uniform(-1.5, 1.5)) if r.random() < 0.75 else float(r.uniform(-0.1, 0.2))
    tw.at_time(s, t0, tw.log_uniform(r, max(30.0, s.twitch_uv[0]), 3000), False)
    g = knock(s, t0 + offset)
    old = s.truth[-2]
    close = -0.06 <= offset <= 0.2
    kind = "unclear" if close and g > 0.05 and old.kind == "twitch" else old.kind
    note = f"knock {offset * 1000:+.0f} ms, {g:.2f} g"
    s.truth[-2] = type(old)(old.onset, old.duration, kind, old.waveform.replace("after_activity", "knock"), old.amplitude_uv, old.snr, 0.0, old.bursts, False, note)
    s.t = t0 + 2.5


def hum_burst(s: Scene) -> None:
    """Hum that comes and goes within 0.1-6 s (a switch, a touched wire)."""
    r = s.rng
    span, f = tw.log_uniform(r, 0.1, 6), s.rig.mains_hz
    t = np.arange(0, span, 1 / s.fs)
    x = sum(a * np.sin(2 * np.pi * k * f * t + r.uniform(0, 6)) for k, a in ((1, 1.0), (2, r.uniform(0, 0.3)), (3, r.uniform(0, 0.7)), (5, r.uniform(0, 0.4))))
    x = np.asarray(x) * np.clip(t / r.uniform(0.003, 0.2), 0, 1) * np.clip((span - t) / r.uniform(0.003, 0.2), 0, 1)
    x *= tw.log_uniform(r, 10, 500)
    s.patch(s.t, x)
    s.note(s.t, span, "artefact", "hum_burst", float(np.ptp(x)), note="mains")
    s.t += span + 0.8


def radio(s: Scene) -> None:
    """Radio packets rectified by the amplifier: 0.6-ms pulses at 217 Hz or irregular ones."""
    r = s.rng
    span = tw.log_uniform(r, 0.02, 2.5)
    n = int(span * s.fs)
    x = np.zeros(n)
    at = np.arange(0, span, 1 / 217.0) if r.random() < 0.5 else np.cumsum(r.exponential(tw.log_uniform(r, 0.004, 0.05), 600))
    w = max(1, int(0.0006 * s.fs))
    for a in at[at < span - 0.002]:
        k = int(a * s.fs)
        x[k:k + w] += r.uniform(0.7, 1.1)
    x *= tw.log_uniform(r, 20, 600) * r.choice([-1, 1])
    s.patch(s.t, x)
    s.note(s.t, span, "artefact", "radio", float(np.ptp(x)), note="radio packets")
    s.t += span + 0.8


def contact(s: Scene) -> None:
    """Loose contact for 0.1-3 s: the leg's signal goes, hum and hiss come, steps at both edges."""
    r = s.rng
    span = float(r.uniform(0.1, 3))
    n = int(span * s.fs)
    i0 = int(s.t * s.fs)
    s.gain[i0:i0 + n] *= 0.03
    t = np.arange(n) / s.fs
    x = tw.log_uniform(r, 20, 2500) * np.sin(2 * np.pi * s.rig.mains_hz * t) + tw.log_uniform(r, 3, 120) * r.standard_normal(n)
    if r.random() < 0.5:
        x = x * np.repeat(r.random(int(span * 40) + 2) > 0.4, int(s.fs / 40) + 1)[:n]
    tail = np.exp(-np.arange(0, 1.0, 1 / s.fs) / r.uniform(0.05, 0.4)) * r.normal() * 1500
    x = np.concatenate([x + r.normal() * 800, tail])
    s.patch(s.t, x)
    s.note(s.t, span, "artefact", "contact", float(np.ptp(x)), note="loose contact")
    s.t += span + 1.8


def cable(s: Scene) -> None:
    """A swinging wire: 0.8-5 Hz, dying away, with rubbing crackles."""
    r = s.rng
    span = float(r.uniform(1, 7))
    t = np.arange(0, span, 1 / s.fs)
    x = np.sin(2 * np.pi * r.uniform(0.8, 5) * t) * np.exp(-t / (0.35 * span)) * np.clip(t / 0.15, 0, 1) * tw.log_uniform(r, 50, 4000)
    for _ in range(int(r.integers(0, 5))):
        piece, _ = pop_shape(r, s.fs)
        k = int(r.uniform(0, span * 0.6) * s.fs)
        m = min(len(piece), len(x) - k)
        x[k:k + m] += piece[:m] * tw.log_uniform(r, 10, 200)
    s.patch(s.t, x)
    g = 0.0
    if s.has_acc and r.random() < 0.4:
        g = tw.log_uniform(r, 0.005, 0.05)
        _strike(s, s.t, g)
    s.note(s.t, span, "artefact", "cable", float(np.ptp(x)), g, note="wire swings, may crackle")
    s.t += span + 1.0


def saturation(s: Scene) -> None:
    """The electrode is pulled: millivolts, rails, slow return."""
    r = s.rng
    span = float(r.uniform(0.5, 4))
    t = np.arange(0, 3 * span, 1 / s.fs)
    x = r.choice([-1, 1]) * tw.log_uniform(r, 5e3, 8e4) * (1 - np.exp(-t / 0.004)) * np.exp(-t / (span / 2.5))
    x = x * np.clip((3 * span - t) / span, 0, 1)
    s.patch(s.t, x)
    s.note(s.t, span, "artefact", "saturation", float(np.ptp(x)), note="electrode pulled")
    s.t += 3 * span + 1.0
