"""Clinical patterns made of several events: series, tremors, cramp, walking, hiccups."""
from __future__ import annotations

import numpy as np

from . import events as ev
from . import mechanics as mech
from . import sources as src
from . import waveforms as wf
from .bench import Night, Pending


def plm_series(night: Night, t: float, count: int, jerky: float = 0.15) -> float:
    """Periodic leg movements: onset to onset 12-60 s (mode near 22 s), duration about 0.6-5 s."""
    rng = night.rng
    period = float(np.clip(rng.lognormal(np.log(22), 0.3), 12, 50))
    arv = ev.log_uniform(rng, 14, 250) * night.patient.size
    for _ in range(count):
        if t + 12 > night.dur:
            break
        dur = float(np.clip(rng.lognormal(np.log(1.9), 0.4), 0.65, 6.0))
        if rng.random() < jerky:
            # Some periodic movements open with a myoclonic jerk.
            ev.jerk(night, t, ev.log_uniform(rng, 0.15, 0.5), rng.uniform(0.06, 0.2), arv * rng.uniform(5, 12), "none",
                    "plm_opening_jerk")
            lead = rng.uniform(0.9, 1.4)
            ev.movement(night, t + lead, dur, max(11.0, arv), True, "periodic, after its jerk")
        else:
            ev.movement(night, t, dur, max(11.0, arv * rng.uniform(0.5, 1.6)), rng.random() < 0.62, "periodic")
        t += float(np.clip(rng.normal(period, 0.16 * period), dur + 6.0, 80))
    return t


def rhythmic_feet(night: Night, t: float, alma: bool) -> float:
    """Hypnagogic foot tremor (300-700 ms at 1-2 Hz, 6-15 s) or ALMA on one leg (100-500 ms at 0.5-3 Hz).

    The criteria list these as patterns of their own, so no kind of the task fits: unclear.
    """
    rng = night.rng
    hz = rng.uniform(0.9, 2.4) if alma else rng.uniform(1.0, 1.7)
    count = int(rng.integers(5, 18))
    arv = ev.log_uniform(rng, 15, 200) * night.patient.size
    parts, start, at0 = [], t, t + 0.03
    for _ in range(count):
        d = float(np.clip(rng.uniform(0.1, 0.5) if alma else rng.uniform(0.3, 0.7), 0.05, 0.75 / hz))
        n = int(d * night.fs)
        env = np.sin(np.pi * np.linspace(0, 1, n)) ** 0.7
        parts.append(night.emg(t, src.contraction(rng, night.fs, n) * env * arv * 1.25 * rng.uniform(0.6, 1.2), 0, 0.3))
        lobe = mech.sway(rng, night.fa, max(0.25, d), ev.log_uniform(rng, 0.02, 0.15), 3.0)
        night.shake(t + 0.04, lobe)
        t += float(np.clip(rng.normal(1 / hz, 0.1 / hz), d + 0.1, 1.3))
    night.events.append(Pending("unclear", "alma_one_leg" if alma else "foot_tremor", parts, 0, acc_at=at0,
                                acc_dur=t - start, note=f"rhythmic, {count} bursts at {hz:.1f} Hz"))
    return t


def tremor(night: Night, t: float) -> float:
    """Tremor of 4-9 Hz for 2-15 s at sleep onset: longer than any jerk train, so unclear."""
    rng = night.rng
    hz, dur = rng.uniform(4, 9), rng.uniform(2.5, 15)
    n = int(dur * night.fs)
    x = np.arange(n) / night.fs
    ramp = np.clip(np.minimum(x, dur - x) / 0.6, 0, 1)
    phase = 2 * np.pi * hz * x + 0.6 * np.sin(2 * np.pi * 0.35 * x)
    env = np.maximum(0, np.sin(phase)) ** 1.5 * ramp
    part = night.emg(t, src.contraction(rng, night.fs, n) * env * ev.log_uniform(rng, 15, 200), 0, 0.3)
    m = int(dur * night.fa)
    y = np.arange(m) / night.fa
    wave = np.sin(2 * np.pi * hz * y + 0.6 * np.sin(2 * np.pi * 0.35 * y)) * np.clip(np.minimum(y, dur - y) / 0.6, 0, 1)
    night.shake(t + 0.05, np.outer(mech.direction(rng), wave) * ev.log_uniform(rng, 0.01, 0.12))
    night.events.append(Pending("unclear", "tremor", [part], 0, acc_at=t, acc_dur=dur + 0.2, note=f"tremor {hz:.1f} Hz"))
    return t + dur


def hiccups(night: Night, t: float) -> float:
    """Bout of hiccups: body jolts of 10-120 mg every 4-20 s (CV 0.25), hardly any leg EMG."""
    rng = night.rng
    mean = rng.uniform(4, 14)
    peak = ev.log_uniform(rng, 0.012, 0.12)
    shape = mech.pull(rng, night.fa, 1.0, rng.uniform(0.03, 0.06))
    for _ in range(int(rng.integers(6, 20))):
        night.shake(t, shape * peak * rng.uniform(0.6, 1.2))
        parts = []
        if rng.random() < 0.2:
            parts = [night.emg(t - 0.02, wf.burst_wave(rng, night.fs, 0.08) * rng.uniform(10, 40))]
        night.events.append(Pending("unclear", "hiccup", parts, 0, acc_at=t, acc_dur=0.7, note="hiccup, axial jolt"))
        t += float(np.clip(rng.normal(mean, 0.25 * mean), 2.5, 21))
    return t


def loud_twitches(night: Night, start: float, end: float, level: float) -> None:
    """Clear twitches within activity of RMS `level`: 8-40 times as large, some doublets."""
    rng = night.rng
    t = start + rng.uniform(1.5, 4)
    while t < end - 1.0:
        uv = float(np.clip(level * rng.uniform(10, 40), 100, 6000))
        ev.twitch(night, t, uv, active=True)
        t += night.gap(5.0, 0.5, 2.0, 15.0)


def walking(night: Night, t: float, dur: float, twitches: bool) -> float:
    """Walking bout of real gait, perhaps with twitches in it."""
    rng = night.rng
    uv = rng.uniform(15, 90)
    emg, acc = src.walking(rng, night.fs, night.fa, dur, uv)
    night.put(night.activity, t, emg)
    if night.channels > 1:
        night.put(night.activity, t, 0.6 * np.roll(emg, int(0.35 * night.fs)), 1)
    night.shake(t, acc)
    i = int(round(t * night.fs))
    night.events.append(Pending("gross_movement", "walking", [(i, emg)], 0, acc_at=t, acc_dur=dur, in_activity=True,
                                note="walking bout"))
    if twitches:
        loud_twitches(night, t, t + dur, uv * 1.5)
    return t + dur


def tonic(night: Night, t: float, dur: float, rms: float, twitches: bool, name: str = "tonic") -> float:
    """Held contraction (standing, cramp, stiff posture) with or without clear twitches in it."""
    rng = night.rng
    e = ev.contraction(night, t, dur, rms * 0.8, "unclear", name, "tonic activity, whole stretch", night.activity)
    e.in_activity = True
    if twitches:
        loud_twitches(night, t + 1.0, t + dur, rms)
    if rng.random() < 0.5:
        night.shake(t, mech.sway(rng, night.fa, 1.0, rng.uniform(0.01, 0.05), 3.0))
        night.shake(t + dur - 0.5, mech.sway(rng, night.fa, 1.0, rng.uniform(0.01, 0.05), 3.0))
    return t + dur


def cramp(night: Night, t: float) -> float:
    """Nocturnal calf cramp: 20-90 s of rising, dense, irregular discharges, then fasciculations."""
    rng = night.rng
    dur = rng.uniform(20, 90)
    end = tonic(night, t, dur, ev.log_uniform(rng, 40, 300), rng.random() < 0.4, "cramp")
    s = end + rng.uniform(1.0, 2.0)
    for _ in range(int(rng.integers(8, 25))):
        ev.twitch(night, s, ev.log_uniform(rng, 60, 1500), "benign")
        s += float(np.clip(rng.exponential(1.6), 0.35, 8))
    return s
