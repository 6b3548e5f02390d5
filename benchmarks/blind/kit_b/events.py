"""Physiological events: each function writes one into the scene at time t and returns when it ends."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from . import shapes
from .model import Array
from .scene import Scene

STYLES = (
    "unit_near",
    "unit_far",
    "compound_monophasic",
    "compound_biphasic",
    "compound_triphasic",
    "one_sided",
    "polyphasic",
)


def logu(rng: np.random.Generator, lo: float, hi: float) -> float:
    """Log-uniform number."""
    return float(np.exp(rng.uniform(np.log(lo), np.log(hi))))


def wave(sc: Scene, style: str, index: int | None = None, stretch: float | None = None) -> Array:
    """Unit waveform of a twitch of the style."""
    rng, fi = sc.rng, sc.fi
    if style == "unit_near":
        return shapes.muap(rng, fi, stretch or rng.uniform(0.3, 0.8), index)
    if style == "unit_far":
        s = shapes.muap(rng, fi, stretch or rng.uniform(0.6, 1.1), index)
        return shapes.unit(shapes.smooth(s, rng.uniform(0.001, 0.003), fi))
    if style.startswith("compound"):
        phases = {"compound_monophasic": 1, "compound_biphasic": 2, "compound_triphasic": 3}[style]
        return shapes.compound(rng, fi, phases, logu(rng, 0.004, 0.04))
    if style == "one_sided":
        return shapes.one_sided(rng, fi, logu(rng, 0.003, 0.025))
    return shapes.polyphasic(rng, fi, rng.uniform(0.008, 0.04))


def twitch(
    sc: Scene,
    t: float,
    lo: float = 20.0,
    hi: float = 5000.0,
    styles: tuple[str, ...] = STYLES,
    in_activity: bool = False,
    note: str = "",
    kind: str = "twitch",
) -> float:
    """Single twitch; a big one moves the sensor by a few mg (0.3-30 mg per mV), never as a jerk does."""
    rng = sc.rng
    style = str(rng.choice(styles))
    w = wave(sc, style) * logu(rng, lo, hi)
    return _put_twitch(sc, t, w, style, in_activity, note, kind)


def _put_twitch(
    sc: Scene, t: float, w: Array, style: str, in_activity: bool = False, note: str = "", kind: str = "twitch"
) -> float:
    rng = sc.rng
    sc.add_emg(t, w)
    acc: Array | None = None
    acc_t = t + rng.uniform(0.01, 0.05)
    g = min(0.045, float(np.ptp(w)) / 1000 * logu(rng, 0.0003, 0.03))
    if sc.has_acc and g > 2e-4:
        acc = shapes.peak_scale(shapes.rescale(shapes.jerk_acc(rng, sc.ai, 1.0), int(0.35 * sc.ai)), g)
        sc.add_acc(acc_t, acc)
    sc.row(t, w, kind, style, acc=acc, acc_t=acc_t, in_activity=in_activity, note=note)
    return t + len(w) / sc.fi


def muscle_burst(sc: Scene, t: float, dur: float, amp: float, in_activity: bool = False, note: str = "") -> float:
    """Burst of real contraction EMG: a twitch up to 150 ms, a brief contraction up to 500 ms, unclear at the edges."""
    w = shapes.burst(sc.rng, sc.fi, dur) * amp
    a, b = sc.span(w)
    d = b - a
    if d < 0.14:
        kind, name = "twitch", "burst"
    elif 0.17 < d < 0.45:
        kind, name = "brief_contraction", "brief"
    else:
        kind, name = "unclear", "burst_at_limit"
    if kind == "twitch":
        return _put_twitch(sc, t, w, name, in_activity, note)
    sc.add_emg(t, w)
    sc.row(t, w, kind, name, in_activity=in_activity, note=note)
    return t + dur


def burst(sc: Scene, t: float) -> float:
    """Fragmentary-myoclonus-like burst of 20-135 ms."""
    return muscle_burst(sc, t, logu(sc.rng, 0.02, 0.15), logu(sc.rng, 30, 3000))


def brief(sc: Scene, t: float) -> float:
    """Brief contraction of 180-430 ms without a jerk."""
    return muscle_burst(sc, t, sc.rng.uniform(0.2, 0.46), logu(sc.rng, 50, 2000))


def doublet(sc: Scene, t: float, lo: float = 40.0, hi: float = 3000.0) -> float:
    """Two discharges 10-110 ms apart (most often near 33 ms); one row with both onsets."""
    rng = sc.rng
    gap = float(np.clip(rng.normal(0.033, 0.006), 0.012, 0.11)) if rng.random() < 0.4 else rng.uniform(0.012, 0.11)
    style = str(rng.choice(["unit_near", "compound_biphasic", "compound_triphasic", "unit_far"]))
    s = wave(sc, style) * logu(rng, lo, hi)
    s2 = s * rng.uniform(0.5, 1.1)
    w = np.zeros(len(s) + int(gap * sc.fi) + 2)
    w[: len(s)] += s
    i = int(gap * sc.fi)
    w[i : i + len(s2)] += s2
    a, _ = sc.span(s)
    sc.add_emg(t, w)
    sc.row(t, w, "twitch", "doublet_" + style, bursts=(t + a, t + a + gap), note=f"gap {1000 * gap:.0f} ms")
    return t + len(w) / sc.fi


def train(sc: Scene, t: float) -> float:
    """Irregular train of the same unit: 3-12 discharges 0.16-1.5 s apart, one row each."""
    rng = sc.rng
    style = str(rng.choice(["unit_near", "unit_far", "compound_biphasic", "one_sided"]))
    s = wave(sc, style) * logu(rng, 30, 1500)
    for _ in range(int(rng.integers(3, 13))):
        t = _put_twitch(sc, t, s * rng.normal(1, 0.06), style, note="irregular train") + logu(rng, 0.16, 1.5)
    return t


def _jerk_emg(sc: Scene, dur: float, amp: float) -> Array:
    rng = sc.rng
    if dur < 0.03 and rng.random() < 0.6:
        return shapes.compound(rng, sc.fi, int(rng.integers(1, 4)), max(dur, 0.01)) * amp
    return shapes.burst(rng, sc.fi, dur) * amp


def _brisk(sc: Scene, g: float) -> Array:
    """A jerk's acceleration that is brisk at 100 Hz too (6 g/s or more), tried a few times."""
    k = max(1, round(0.01 * sc.ai))
    acc = shapes.jerk_acc(sc.rng, sc.ai, g)
    for _ in range(8):
        slow = ndimage.uniform_filter1d(acc, k, axis=0)[::k]
        if np.linalg.norm(np.diff(slow, axis=0), axis=1).max() * sc.ai / k >= 6.0:
            break
        acc = shapes.jerk_acc(sc.rng, sc.ai, g)
    return acc


def jerk(
    sc: Scene,
    t: float,
    after: bool = False,
    g: tuple[float, float] = (0.13, 4.0),
    in_activity: bool = False,
    note: str = "",
) -> float:
    """Isolated jerk; EMG 10-290 ms, 30 µV-6 mV, acceleration 10-80 ms later and of any size.

    A third turn the leg by 3-25 degrees; with `after`, low contraction comes before or after or a
    movement follows.
    """
    rng = sc.rng
    acc_t = t + rng.uniform(0.01, 0.08)
    size = logu(rng, *g)
    acc = _brisk(sc, size)
    w = _jerk_emg(sc, logu(rng, 0.012, 0.285), logu(rng, 40, 6000))
    sc.add_emg(t, w)
    sc.add_acc(acc_t, acc)
    if rng.random() < 0.35 and not in_activity:
        deg = rng.uniform(3, 25)
        sc.add_turn(acc_t + 0.05, rng.uniform(0.2, 0.7), deg)
        note += f" turn {deg:.0f} deg"
    sc.row(t, w, "jerk", "jerk", acc=acc, acc_t=acc_t, in_activity=in_activity, note=note.strip())
    end = t + len(w) / sc.fi
    if not after:
        return max(end, acc_t + 1.0)
    what = rng.random()
    level = max(logu(rng, 6, 60), 0.8 * sc.noise)
    if what < 0.35:
        m = int(rng.uniform(0.3, 1.2) * sc.fi)
        low = shapes.contraction(rng, m, sc.fi) * level * np.hanning(2 * m)[:m]
        before = t - m / sc.fi - rng.uniform(0.0, 0.1)
        sc.add_emg(before, low)
        sc.row(before, low, "unclear", "contraction_before_jerk")
    elif what < 0.65:
        m = int(rng.uniform(0.3, 1.5) * sc.fi)
        low = shapes.contraction(rng, m, sc.fi) * level * np.hanning(2 * m)[m:]
        late = end + rng.uniform(0.0, 0.08)
        sc.add_emg(late, low)
        sc.row(late, low, "unclear", "contraction_after_jerk")
        end = late + m / sc.fi
    else:
        end = movement(sc, end + rng.uniform(0.25, 0.9), note="follows a jerk")
    return max(end, acc_t + 1.0)


def jerk_train(sc: Scene, t: float) -> float:
    """Train of 2-10 short bursts at 2-20 Hz with silence between, each with its own acceleration; one row."""
    rng = sc.rng
    count, rate = int(rng.integers(2, 11)), logu(rng, 2, 20)
    if 3.5 < rate < 5.5:
        count = min(count, 6)
    dur = min(0.28, rng.uniform(0.25, 0.6) / rate)
    cv, amp, g = rng.uniform(0.03, 0.2), logu(rng, 60, 5000), logu(rng, 0.2, 3.0)
    times = np.concatenate([[0.0], np.cumsum(np.clip(rng.normal(1, cv, count - 1), 0.75, 1.4) / rate)])
    w = np.zeros(int((times[-1] + dur + 0.1) * sc.fi) + 64)
    acc = np.zeros((int((times[-1] + 1.5) * sc.ai), 3))
    proto, delay, onsets = shapes.jerk_acc(rng, sc.ai, 1.0), rng.uniform(0.01, 0.08), []
    for s in times:
        b = _jerk_emg(sc, dur * rng.uniform(0.8, 1.1), amp * logu(rng, 0.6, 1.3))
        i, j = int(s * sc.fi), int(s * sc.ai)
        w[i : i + len(b)] += b
        shift = int(rng.uniform(0, 0.01) * sc.ai)
        onsets.append(float(t + s + sc.span(b)[0]) if sc.has_emg else float(t + delay + (j + shift) / sc.ai))
        acc[j + shift : j + shift + len(proto)] += proto * logu(rng, 0.6, 1.2)
    acc = shapes.peak_scale(acc, g)
    sc.add_emg(t, w)
    sc.add_acc(t + delay, acc)
    note = f"{count} bursts at {rate:.1f} Hz"
    name = "jerk_train"
    sc.row(t, w, "jerk", name, acc=acc, acc_t=t + delay, bursts=tuple(onsets), note=note)
    return t + len(acc) / sc.ai


def movement(
    sc: Scene,
    t: float,
    dur: float | None = None,
    level: float | None = None,
    with_acc: bool | None = None,
    note: str = "",
) -> float:
    """Leg movement of 0.5-10 s; EMG from 1.3 times the +8 µV rule to 700 µV RMS; 61 % move the ankle."""
    rng = sc.rng
    dur = logu(rng, 0.6, 9.3) if dur is None else dur
    need = np.sqrt((sc.noise_lm + 8.0) ** 2 - sc.noise_lm**2) / 0.75
    level = need * logu(rng, 1.3, max(2.0, 700 / need)) if level is None else max(level, 1.3 * need)
    n = int(dur * sc.fi)
    env = shapes.move_envelope(rng, n, sc.fi)
    w = shapes.contraction(rng, n, sc.fi) * env * level / max(float(np.median(env)), 0.1)
    has = (rng.random() < 0.61) if with_acc is None else with_acc
    acc, acc_t = None, t
    if has or not sc.has_emg:
        g = logu(rng, 0.03, 0.8)
        acc_t = t + rng.uniform(0.01, 0.08)
        acc = shapes.move_acc(rng, sc.ai, dur * rng.uniform(0.8, 1.1), g)
        sc.add_acc(acc_t, acc)
        if rng.random() < 0.25:
            deg = rng.uniform(3, 20)
            sc.add_turn(acc_t + 0.1, max(0.3, 0.7 * dur), deg)
            note += f" turn {deg:.0f} deg"
    sc.add_emg(t, w)
    a, b = sc.span(w) if sc.has_emg else (0.0, dur)
    kind = "movement" if (0.58 if sc.has_emg else 1.5) < b - a < 9.7 else "unclear"
    sc.row(t, w, kind, "leg_movement", acc=acc, acc_t=acc_t, note=note.strip())
    return t + dur + 0.1


def gross(sc: Scene, t: float) -> float:
    """Gross movement: 4-25 s of strong waxing EMG and real ankle movement."""
    rng = sc.rng
    dur = logu(rng, 4.5, 25)
    n = int(dur * sc.fi)
    w = shapes.contraction(rng, n, sc.fi) * shapes.move_envelope(rng, n, sc.fi) * logu(rng, 40, 500)
    m = int(dur * sc.ai)
    acc = np.zeros((m + 8, 3))
    i = 0
    while i < m - int(0.6 * sc.ai):
        part = shapes.move_acc(rng, sc.ai, min(rng.uniform(1.5, 8), (m - i) / sc.ai), logu(rng, 0.15, 1.5))
        acc[i : i + len(part)] += part[: len(acc) - i]
        i += max(int(0.3 * sc.ai), len(part) - int(rng.uniform(0, 0.4) * sc.ai))
        if rng.random() < 0.4:
            sc.add_turn(t + i / sc.ai * 0.6, rng.uniform(0.4, 1.5), rng.uniform(5, 40))
    sc.add_emg(t, w)
    acc_t = t + rng.uniform(0.01, 0.08)
    sc.add_acc(acc_t, acc)
    sc.row(t, w, "gross_movement", "gross_movement", acc=acc, acc_t=acc_t)
    return t + dur + 0.3


def posture(sc: Scene, t: float) -> float:
    """Posture change: a turn of 38-150 degrees in 0.8-3 s with EMG and movement."""
    rng = sc.rng
    dur, deg = rng.uniform(1.0, 4.0), rng.uniform(38, 150)
    n = int(dur * sc.fi)
    w = shapes.contraction(rng, n, sc.fi) * shapes.move_envelope(rng, n, sc.fi) * logu(rng, 25, 400)
    acc = shapes.move_acc(rng, sc.ai, dur, logu(rng, 0.1, 1.0))
    acc_t = t + rng.uniform(0.02, 0.08)
    sc.add_emg(t, w)
    sc.add_acc(acc_t, acc)
    sc.add_turn(acc_t + 0.1, 0.8 * dur, deg)
    sc.row(t, w, "posture_change", "posture_change", acc=acc, acc_t=acc_t, note=f"turn {deg:.0f} deg")
    return t + dur + 0.5
