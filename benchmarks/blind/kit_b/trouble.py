"""Activity (walking, tonic) and artefacts as scene writers, and mixtures of events on purpose."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from . import events as ev
from . import faults, shapes, sources
from .model import Array
from .scene import Scene


def pop(sc: Scene, t: float) -> float:
    """Electrode pop of 30 µV-5 mV on one channel only, no acceleration; one row."""
    w, name = faults.pop(sc.rng, sc.fi, ev.logu(sc.rng, 30, 5000))
    sc.add_emg(t, w, 0.0)
    sc.row(t, w, "artefact", name)
    return t + 1.3


def knock(sc: Scene, t: float) -> float:
    """Knock on the sensor, 0.1-5 g, with or without a slow electrode swing; one row."""
    rng = sc.rng
    acc = shapes.knock_acc(rng, sc.ai, ev.logu(rng, 0.1, 5))
    sc.add_acc(t, acc)
    w: Array | None = None
    if sc.has_emg and rng.random() < 0.6:
        w = faults.knock_emg(rng, sc.fi, ev.logu(rng, 20, 1500))
        sc.add_emg(t, w)
    sc.row(t, None, "artefact", "knock", acc=acc, acc_t=t, note="with electrode swing" if w is not None else "")
    return t + 0.6


def knock_near_twitch(sc: Scene, t: float) -> float:
    """Twitch with a knock 0.2-1.2 s before or after it."""
    rng = sc.rng
    gap = rng.uniform(0.2, 1.2)
    if rng.random() < 0.5:
        ev.twitch(sc, t, 60, 3000, note="knock after")
        return knock(sc, t + gap)
    knock(sc, t)
    return ev.twitch(sc, t + gap, 60, 3000, note="knock before")


def knock_storm(sc: Scene, t: float) -> float:
    """Series of 3-10 knocks (a hand at the strap), a row each."""
    for _ in range(int(sc.rng.integers(3, 11))):
        t = knock(sc, t) + ev.logu(sc.rng, 0.1, 2)
    return t


def hum_burst(sc: Scene, t: float) -> float:
    """Burst of mains hum of 0.1-6 s, 10 µV-1 mV RMS."""
    rng = sc.rng
    dur = ev.logu(rng, 0.1, 6)
    w = faults.hum_burst(rng, sc.fi, dur, sc.setup.hum_hz + rng.uniform(-0.1, 0.1), ev.logu(rng, 10, 1000))
    sc.add_emg(t, w, rng.uniform(0.5, 1.2))
    sc.row(t, w, "artefact", "hum_burst")
    return t + dur


def radio(sc: Scene, t: float) -> float:
    """Burst of rectified radio of 0.05-5 s, 20 µV-2 mV."""
    rng = sc.rng
    dur = ev.logu(rng, 0.05, 5)
    w, name = faults.radio(rng, sc.fi, dur, ev.logu(rng, 20, 2000))
    sc.add_emg(t, w, rng.uniform(0.5, 1.2))
    sc.row(t, w, "artefact", name)
    return t + dur


def _storm(sc: Scene, t: float, what: str) -> float:
    for _ in range(int(sc.rng.integers(4, 16))):
        t = (hum_burst if what == "hum" else radio)(sc, t) + ev.logu(sc.rng, 0.1, 4)
    return t


def hum_storm(sc: Scene, t: float) -> float:
    """Storm of 4-15 hum bursts."""
    return _storm(sc, t, "hum")


def radio_storm(sc: Scene, t: float) -> float:
    """Storm of 4-15 radio bursts."""
    return _storm(sc, t, "radio")


def contact(sc: Scene, t: float) -> float:
    """Loose contact for 0.1-3 s."""
    rng = sc.rng
    dur = ev.logu(rng, 0.1, 3)
    w = faults.contact(rng, sc.fi, dur, sc.setup.hum_hz)
    sc.add_emg(t, w, 0.0)
    sc.row(t, w, "artefact", "loose_contact")
    return t + dur + 0.5


def cable(sc: Scene, t: float) -> float:
    """Cable swing of 1-8 s, 80 µV-4 mV, a little of it in the acceleration."""
    rng = sc.rng
    dur = ev.logu(rng, 1, 8)
    w = faults.cable(rng, sc.fi, dur, ev.logu(rng, 80, 4000))
    sc.add_emg(t, w)
    acc = None
    if sc.has_acc and rng.random() < 0.5:
        acc = shapes.move_acc(rng, sc.ai, dur, ev.logu(rng, 0.003, 0.05))
        sc.add_acc(t, acc)
    sc.row(t, w, "artefact", "cable_swing", acc=acc, acc_t=t)
    return t + dur


def saturation(sc: Scene, t: float) -> float:
    """Front end driven to the rail for 0.2-2 s (touching the electrode), then recovering."""
    rng = sc.rng
    dur = ev.logu(rng, 0.2, 2)
    m = int((dur + 1.0) * sc.fi)
    x = np.zeros(m)
    k = int(dur * sc.fi)
    x[:k] = min(sc.setup.half_range_uv * rng.uniform(3, 20), 4e5) * rng.choice([-1.0, 1.0])
    x[k:] = x[k - 1] * np.exp(-np.arange(m - k) / (0.12 * sc.fi))
    sc.add_emg(t, x, 0.0)
    sc.row(t, x, "artefact", "saturation")
    return t + dur + 3.0


def walking(sc: Scene, t: float) -> float:
    """Real ankle walking with real gait EMG at its cadence, clear twitches in and just after it."""
    rng = sc.rng
    bank = sources.walks()
    a, stride = bank[int(rng.integers(len(bank)))]
    dur = min(len(a) / sources.ACC_FS, rng.uniform(35, 130))
    a = a[: int(dur * sources.ACC_FS)]
    acc = shapes.rescale(a, int(dur * sc.ai))
    sc.walks.append((t, acc))
    cycles = sources.gait_cycles()[str(rng.choice(["TA", "PL", "GM", "GL", "SO"]))]
    gain = ev.logu(rng, 0.2, 0.9)
    parts: list[Array] = []
    total = 0
    while total < dur * sc.fi:
        c = cycles[int(rng.integers(len(cycles)))] * gain * ev.logu(rng, 0.8, 1.25)
        m = int(stride * rng.normal(1, 0.03) * sc.fi)
        fine = np.interp(np.linspace(0, len(c) - 1, m), np.arange(len(c)), c)
        parts.append(fine * np.concatenate([np.linspace(0.3, 1, 60), np.ones(m - 120), np.linspace(1, 0.3, 60)]))
        total += m
    w = np.concatenate(parts)[: int(dur * sc.fi)]
    sc.add_emg(t, w)
    dyn = acc - ndimage.uniform_filter1d(acc, int(2 * sc.ai), axis=0)
    sc.row(t, w, "gross_movement", "walking", acc=dyn, acc_t=t, in_activity=True, note=f"stride {stride:.2f} s")
    peak = float(np.percentile(np.abs(w), 99.5))
    _clear_twitches(sc, t, dur, peak, ev.logu(rng, 3, 15))
    return _after(sc, t + dur)


def _clear_twitches(sc: Scene, t: float, dur: float, peak: float, gap: float) -> None:
    """Twitches 2.5-8 times as high as the activity around them, and some like it (unclear)."""
    rng = sc.rng
    s = t + rng.uniform(2, gap + 2)
    styles = ("unit_near", "compound_biphasic", "compound_triphasic", "compound_monophasic", "polyphasic")
    while s < t + dur - 1.5:
        if rng.random() < 0.85:
            size = min(2 * peak * ev.logu(rng, 2.0, 7.0), max(8000.0, 4 * peak))
            ev.twitch(sc, s, size, size * 1.01, styles, in_activity=True, note="clear in activity")
        else:
            size = 2 * peak * ev.logu(rng, 0.3, 1.2)
            ev.twitch(sc, s, size, size * 1.01, styles, in_activity=True, note="hidden in activity", kind="unclear")
        s += rng.uniform(0.6, 2.0) * gap


def _after(sc: Scene, t: float) -> float:
    """Twitches just after activity: muscles often twitch more then."""
    t += sc.rng.uniform(0.6, 2)
    for _ in range(int(sc.rng.integers(2, 9))):
        t = ev.twitch(sc, t, 40, 2000, note="just after activity") + ev.logu(sc.rng, 0.7, 6)
    return t


def tonic(sc: Scene, t: float) -> float:
    """Tonic contraction of 20-150 s at 5-80 µV RMS with clear twitches in and just after it."""
    rng = sc.rng
    dur = rng.uniform(20, 150)
    n = int(dur * sc.fi)
    k = max(4, int(dur / 4))
    env = np.exp(0.3 * np.interp(np.linspace(0, k - 1, n), np.arange(k), rng.standard_normal(k)))
    edge = int(rng.uniform(0.3, 3) * sc.fi)
    env[:edge] *= np.linspace(0, 1, edge)
    env[-edge:] *= np.linspace(1, 0, edge)
    level = max(ev.logu(rng, 5, 80), 2.5 * sc.noise)
    w = shapes.contraction(rng, n, sc.fi) * env * level
    sc.add_emg(t, w)
    sc.row(t, w, "gross_movement", "tonic_activity", in_activity=True, note=f"{level:.0f} uV RMS")
    _clear_twitches(sc, t, dur, float(np.percentile(np.abs(w), 99.5)), ev.logu(rng, 3, 12))
    return _after(sc, t + dur)


def plm_series(sc: Scene, t: float) -> float:
    """Periodic leg movements: 4-9 of 0.7-5 s, 12-60 s apart (peak 22-26 s), like levels."""
    rng = sc.rng
    imi, dur, level = rng.uniform(14, 42), rng.uniform(0.9, 4.0), ev.logu(rng, 15, 400)
    with_acc = bool(rng.random() < 0.61)
    for _ in range(int(rng.integers(4, 10))):
        d = float(np.clip(dur * rng.normal(1, 0.2), 0.7, 8))
        ev.movement(sc, t, d, level * ev.logu(rng, 0.7, 1.4), with_acc, "periodic")
        if rng.random() < 0.3:
            ev.twitch(sc, t + d + rng.uniform(2, 6), 40, 1500)
        t += float(np.clip(imi * rng.normal(1, 0.12), d + 9, 85))
    return t


def real_sleep_run(sc: Scene, t: float) -> float:
    """Run of 8-20 leg bursts with the times and durations a human scored in a real sleeper."""
    rng = sc.rng
    bank = sources.sleep_bursts()
    i = int(rng.integers(0, len(bank) - 21))
    first, last = bank[i][0], -9.0
    shift = 0.0
    for onset, dur in bank[i : i + int(rng.integers(8, 21))]:
        s = onset - first + shift
        if s - last < 0.7:
            continue
        if s - last > 20:
            shift -= s - last - 20
            s = last + 20
        if dur < 0.5:
            ev.muscle_burst(sc, t + s, dur, ev.logu(rng, 60, 1500), note="timing of a real sleeper")
        else:
            ev.movement(sc, t + s, dur, ev.logu(rng, 15, 300), note="timing of a real sleeper")
        last = s + dur
    return t + last + 1


def coincidence(sc: Scene, t: float) -> float:
    """Two things at nearly the same time, on purpose."""
    rng = sc.rng
    choice = int(rng.integers(6))
    d = rng.uniform(0.3, 1.2)
    if choice == 0:
        ev.twitch(sc, t, 60, 3000, note="pop near")
        return pop(sc, t + d)
    if choice == 1:
        end = ev.movement(sc, t, rng.uniform(1.5, 5), note="twitch just before or after")
        return ev.twitch(sc, end + rng.uniform(0.3, 1), 100, 3000, note="just after movement")
    if choice == 2:
        hum_end = hum_burst(sc, t)
        return ev.twitch(sc, hum_end + rng.uniform(0.2, 0.6), 60, 3000, note="just after hum burst")
    if choice == 3:
        ev.jerk(sc, t, note="knock after")
        return knock(sc, t + 1.1 + d)
    if choice == 4:
        ev.twitch(sc, t, 80, 2000, note="jerk after")
        return ev.jerk(sc, t + d, note="twitch before")
    end = pop(sc, t)
    return ev.jerk(sc, end - 1.0, note="pop before")
