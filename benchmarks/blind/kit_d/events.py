"""Twitches, jerks and jerk trains. Every function writes one event at ``t`` and returns its end."""

from __future__ import annotations

import numpy as np

from .electrode import log_uniform
from .leg import FS as LEG_FS
from .scene import Push, Scene


def form_of(x: np.ndarray) -> str:
    """Name a potential by its phases above 20 % of the peak."""
    big = np.abs(x) > 0.2 * np.abs(x).max()
    signs = np.sign(x[big])
    phases = 1 + int(np.sum(np.diff(signs) != 0))
    return {1: "monophasic", 2: "biphasic", 3: "triphasic"}.get(phases, "polyphasic")


def shake(s: Scene, t: float, length: float, peak_g: float) -> Push:
    """Small mechanical twitch of the belly and leg after 10-60 ms."""
    if not s.rec.acc_fs or peak_g < 0.0005:
        return Push()
    effort = np.zeros(int((length + 0.9) * LEG_FS))
    effort[: max(2, int(length * LEG_FS))] = 1.0
    i = int(t * LEG_FS)
    acc = s.leg.respond(s.rng, effort, peak_g, s.rng.uniform(0.025, 0.06), s.gravity[min(i, s.na - 1)])
    return s.push(t + s.rng.uniform(0.01, 0.06), acc)


def twitch(
    s: Scene, t: float, pp: float = 0.0, style: str = "", unit: int = -1, note: str = "", loud: bool = False
) -> float:
    """One twitch: single unit, compound, satellite, doublet or burst of up to 150 ms.

    Parameters
    ----------
    pp : float
        Size (µV); 0 = log-uniform 20 µV-5 mV.
    style : str
        Empty = drawn.
    unit : int
        Motor unit; -1 = drawn.
    loud : bool
        Let the accelerometer feel it (up to 50 mg).
    """
    rng = s.rng
    pp = pp or log_uniform(rng, 20, 5000)
    if not style:
        p = [0.5, 0.2, 0.08, 0.1, 0.12] if pp < 1200 else [0.1, 0.6, 0.1, 0.08, 0.12]
        style = str(rng.choice(["unit", "compound", "satellite", "doublet", "burst"], p=p))
    k = unit if unit >= 0 else int(rng.integers(len(s.muscle.units)))
    spikes = [(k, 0.0, 1.0)]
    if style == "compound":
        jitter = rng.uniform(0.0005, 0.005)
        spikes += [(int(rng.integers(len(s.muscle.units))), abs(rng.normal(0, jitter)), rng.uniform(0.2, 1.0))
                   for _ in range(int(rng.integers(1, 9)))]
    elif style == "satellite":
        spikes.append((int(rng.integers(len(s.muscle.units))), rng.uniform(0.008, 0.03), rng.uniform(0.15, 0.6)))
    elif style == "doublet":
        spikes.append((k, rng.uniform(0.010, 0.110), rng.uniform(0.75, 1.05)))
    elif style == "burst":
        length = rng.uniform(0.03, 0.125)
        who = rng.choice(len(s.muscle.units), int(rng.integers(2, 8)), replace=False)
        spikes = [(int(u), float(x), rng.uniform(0.3, 1.0))
                  for u in who for x in rng.uniform(0, length, 1 + int(length / 0.05 * rng.random()))]
        spikes.append((int(who[0]), 0.0, 0.8))
    wave = s.sized(s.muscle.discharge(int(0.2 * s.fs), spikes), pp)
    s.lay(t, wave)
    near = "near" if s.muscle.units[k].near else "far"
    name = f"{style}_{form_of(wave[0])}" + (f"_{near}" if style == "unit" else "")
    g = log_uniform(rng, 0.0005, 0.004)
    if loud or (pp > 400 and rng.random() < 0.5):
        g = log_uniform(rng, 0.002, 0.05)
    push = shake(s, t, 0.02, g)
    twin = (t, t + spikes[1][1]) if style == "doublet" else ()
    row = s.row(t, "twitch", name, wave[0], push=push, note=note)
    if twin:
        s.rows[-1] = row.__class__(**{**row.__dict__, "note": (note + f" doublet {1e3 * spikes[1][1]:.0f} ms").strip()})
    if row.duration > 0.15:
        s.relabel("unclear" if row.duration < 0.17 else "brief_contraction", "")
    if push.peak >= 0.06:
        s.relabel("unclear", "felt by the accelerometer")
    return t + max(0.15, row.duration + 0.05)


def irregular_train(s: Scene, t: float) -> float:
    """One unit twitching irregularly, every discharge its own row."""
    rng = s.rng
    k = int(rng.integers(len(s.muscle.units)))
    pp, mean = log_uniform(rng, 60, 1500), log_uniform(rng, 0.6, 4.0)
    for j in range(int(rng.integers(4, 30))):
        if t > s.end - 5:
            break
        twitch(s, t, pp * rng.uniform(0.9, 1.1), "unit", k, f"train {j}")
        t += 0.3 + rng.exponential(mean)
    return t


def tonic_unit(s: Scene, t: float) -> float:
    """Regular voluntary-like firing of one unit; one `unclear` row, now and then a twitch inside."""
    rng = s.rng
    k = int(rng.integers(len(s.muscle.units)))
    pp, rate, cv = log_uniform(rng, 50, 700), rng.uniform(5, 11), rng.uniform(0.07, 0.16)
    length = log_uniform(rng, 6, 70)
    spikes, x = [], 0.0
    while x < length:
        spikes.append((k, x, rng.normal(1, 0.04)))
        x += rng.normal(1, cv) / rate * (1 + 0.25 * np.exp(-x / 2))
    wave = s.sized(s.muscle.discharge(int((length + 0.1) * s.fs), spikes), pp * 1.1)
    s.lay(t, wave)
    s.row(t, "unclear", "tonic_unit", wave[0], times=(t, length), active=True, note=f"regular {rate:.1f}/s voluntary firing, no twitches")
    if length > 15 and rng.random() < 0.35 and pp < 300:
        s.active = True
        twitch(s, t + rng.uniform(4, length - 4), pp * rng.uniform(5, 12), "compound", note="in tonic unit firing")
        s.active = False
    return t + length


def _burst(s: Scene, length: float, pp: float) -> np.ndarray:
    """A volley of the pool, ``pp`` µV."""
    for _ in range(4):
        wave = s.sized(s.muscle.volley(s.rng, length), pp)
        if s.span(wave[0])[1] <= 0.3:
            break
        length *= 0.8
    return wave


def jerk(s: Scene, t: float, g: float = 0.0, turn: bool = False, before: bool = False, after: bool = False) -> float:
    """An isolated jerk of 0.1-4 g: volley of 10-300 ms, then the leg flies.

    Parameters
    ----------
    g : float
        Peak; 0 = log-uniform.
    turn : bool
        Leg comes to rest 4-25 degrees away.
    before, after : bool
        A weak contraction leads into it, or follows it.
    """
    rng = s.rng
    g = g or log_uniform(rng, 0.12, 4.0)
    length = log_uniform(rng, 0.012, 0.26)
    pp = log_uniform(rng, 60, 7000)
    wave = _burst(s, length, pp)
    notes = []
    delay = rng.uniform(0.008, 0.05)
    effort = np.zeros(int((length + 1.6) * LEG_FS))
    m = max(3, int(length * LEG_FS))
    effort[:m] = np.hanning(m + 2)[1:-1]
    acc = s.leg.respond(rng, effort, g, rng.uniform(0.025, 0.05), s.gravity[int(t * LEG_FS)])
    push = s.push(t + delay, acc)
    s.lay(t, wave)
    if before:
        notes.append("contraction before")
        lead = rng.uniform(0.15, 0.4)
        d = np.full(int(lead / 0.01), rng.uniform(0.02, 0.08))
        pre = s.sized(s.muscle.contraction(rng, d, 0.01), max(0.12 * pp, 4 * s.noise))
        s.lay(t - lead - 0.02, pre)
        s.row(t - lead - 0.02, "unclear", "pre_contraction", pre[0], rms=True, note="leads into the next jerk")
    row = s.row(t, "jerk", "volley", wave[0], push=push, note=" ".join(notes))
    if s.rec.fs and not 0.010 <= row.duration <= 0.30:
        s.relabel("unclear", "EMG length at the limit of a jerk")
    if push.peak < 0.1 or push.steep < 5 or not s.rec.acc_fs:
        s.relabel("unclear", "jerk burst without jerk acceleration")
    elif not s.rec.fs and push.peak < 0.15:
        s.relabel("unclear", "under 0.15 g without EMG")
    elif s.rec.fs and row.snr < 5:
        s.relabel("unclear", "EMG not visible")
    elif before:
        s.relabel("jerk", f"pre-contraction from {t - lead:.2f} s")
    stop = t + length + 0.6
    if turn:
        deg = rng.uniform(4, 25)
        s.turn(t + delay + 0.03, rng.uniform(0.15, 0.6), deg)
        s.relabel(s.rows[-1].kind, f"turn {deg:.0f} deg")
    if after:
        from .motions import movement

        stop = movement(s, t + length + rng.uniform(0.55, 1.5), seconds=rng.uniform(0.8, 4), note="follows jerk")
    return stop


def jerk_train(s: Scene, t: float) -> float:
    """2-10 bursts at 2-20 Hz with silence between, one row."""
    rng = s.rng
    rate = log_uniform(rng, 2, 20)
    count = int(rng.integers(2, 11))
    room = 1 / rate
    length = min(0.25, max(0.008, room * rng.uniform(0.15, 0.55) - 0.012))
    pp, g = log_uniform(rng, 100, 5000), log_uniform(rng, 0.15, 2.5)
    starts, x = [], 0.0
    for _ in range(count):
        starts.append(x)
        x += room * rng.uniform(0.9, 1.1)
    effort = np.zeros(int((x + 1.4) * LEG_FS))
    clean = np.zeros((2, int((x + 0.4) * s.fs)))
    onsets = []
    for b in starts:
        k = rng.uniform(0.6, 1.0)
        wave = _burst(s, length, pp * k)
        limit = int(0.8 * room * s.fs)
        wave = wave[:, :limit] * np.minimum(1, np.arange(min(limit, wave.shape[1]))[::-1] / (0.004 * s.fs))
        i = int(b * s.fs)
        clean[:, i : i + wave.shape[1]] += wave
        onsets.append(t + b + s.span(wave[0])[0] + s.rec.delay)
        m = max(3, int(length * LEG_FS))
        j = int(b * LEG_FS)
        effort[j : j + m] = k * np.hanning(m + 2)[1:-1]
    s.lay(t, clean)
    acc = s.leg.respond(rng, effort, g, rng.uniform(0.02, 0.04), s.gravity[int(t * LEG_FS)])
    push = s.push(t + rng.uniform(0.008, 0.04), acc)
    s.row(t, "jerk", f"train_{count}", clean[0], push=push, bursts=tuple(onsets), note=f"{rate:.1f} Hz")
    if push.peak < 0.1 or push.steep < 5 or not s.rec.acc_fs:
        s.relabel("unclear", "burst train without jerk acceleration")
    elif s.rec.fs and s.rows[-1].snr < 8:
        s.relabel("unclear", "EMG hardly visible")
    return t + x + 0.6
