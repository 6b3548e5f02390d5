"""What happens in a leg at night: twitches, jerks, trains, movements, turns, activity, artefacts.

Every function places one event at the time given and returns when it is over (s).
"""
from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from . import artefacts as art
from . import mechanics as mech
from . import sources as src
from . import waveforms as wf
from .bench import Night, Pending
from .records import FloatArray

LOW, HIGH = 20.0, 5000.0


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Log-uniform number."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _channel(night: Night) -> tuple[int, float]:
    """Channel an event belongs to, and how much of it the other channel hears."""
    if night.channels < 2:
        return 0, 0.0
    return int(night.rng.random() < 0.25), float(night.rng.uniform(0.1, 0.7))


def twitch(night: Night, t: float, uv: float | None = None, style: str | None = None, active: bool = False,
           wave: tuple[FloatArray, str] | None = None) -> float:
    """One fasciculation-like potential; big ones move the skin by a few mg."""
    rng = night.rng
    shape, name = wave if wave else wf.unit_wave(rng, night.fs, style or night.patient.style)
    uv = uv if uv else log_uniform(rng, LOW, HIGH) * night.patient.size
    c, cross = _channel(night)
    i, w = night.emg(t, shape * uv, c, cross)
    e = Pending("twitch", name, [(i, w)], c, in_activity=active, note="single potential")
    if uv > 300 and rng.random() < 0.5 and not active:
        t_acc = t + rng.uniform(0.012, 0.045)
        night.shake(t_acc, mech.pull(rng, night.fa, log_uniform(rng, 0.001, 0.03), rng.uniform(0.015, 0.04)))
        e.acc_at, e.acc_dur = t_acc, 0.4
    night.events.append(e)
    return t + len(w) / night.fs


def doublet(night: Night, t: float, uv: float | None = None) -> float:
    """A unit and its repeat 10-110 ms later (peaks of the clinic at 32 and 35 ms)."""
    rng = night.rng
    uv = uv or log_uniform(rng, 40, 2000) * night.patient.size
    shape, _ = wf.unit_wave(rng, night.fs, night.patient.style)
    lag = float(np.clip(rng.normal(0.034, 0.004), 0.01, 0.11)) if rng.random() < 0.5 else rng.uniform(0.010, 0.110)
    second = uv * rng.uniform(0.35, 1.1)
    c, cross = _channel(night)
    parts = [night.emg(t, shape * uv, c, cross), night.emg(t + lag, shape * second, c, cross)]
    night.events.append(Pending("twitch", "doublet", parts, c, note=f"repeat after {lag * 1e3:.0f} ms"))
    return t + lag + len(shape) / night.fs


def burst(night: Night, t: float, dur: float | None = None, uv: float | None = None) -> float:
    """Fragmentary-myoclonus-like burst, or a brief contraction if longer than 150 ms; no movement."""
    rng = night.rng
    dur = dur or log_uniform(rng, 0.025, 0.128)
    uv = uv or log_uniform(rng, 30, 800) * night.patient.size
    wave = wf.burst_wave(rng, night.fs, dur, night.patient.style) * uv
    c, cross = _channel(night)
    i, w = night.emg(t, wave, c, cross)
    e = Pending("twitch" if dur < 0.15 else "brief_contraction", "ragged_burst", [(i, w)], c, note="burst of several units")
    if rng.random() < 0.25:
        at = t + rng.uniform(0.015, 0.06)
        night.shake(at, mech.pull(rng, night.fa, log_uniform(rng, 0.002, 0.03), rng.uniform(0.025, 0.05)))
        e.acc_at, e.acc_dur = at, 0.5
    night.events.append(e)
    return t + dur + 0.02


def irregular_train(night: Night, t: float) -> float:
    """3-9 discharges of one unit at irregular intervals of 0.22-1.4 s; one row each."""
    rng = night.rng
    shape = wf.unit_wave(rng, night.fs, night.patient.style)
    uv = log_uniform(rng, 50, 1500) * night.patient.size
    for _ in range(int(rng.integers(3, 10))):
        twitch(night, t, uv * rng.uniform(0.85, 1.15), wave=(shape[0], "train_" + shape[1]))
        t += float(np.clip(rng.gamma(2.0, 0.25), 0.22, 1.4))
    return t


def _arv_env(rng: np.random.Generator, fs: float, dur: float, rise: float, fall: float, rough: float) -> FloatArray:
    """Envelope of a contraction, about one on its plateau."""
    n = int((dur + 0.02) * fs)
    t = np.arange(n) / fs
    env = np.clip(t / rise, 0, 1) * np.clip((dur - t) / fall, 0, 1)
    wob = gaussian_filter1d(rng.standard_normal(n + int(2 * fs)), 0.12 * fs)[int(fs): int(fs) + n]
    wob /= max(float(np.std(wob)), 1e-9)
    return np.sin(0.5 * np.pi * env) * np.exp(rough * wob)


def contraction(night: Night, t: float, dur: float, arv: float, kind: str, name: str, note: str,
                layer: FloatArray | None = None) -> Pending:
    """Asynchronous activity of mean rectified value `arv` microvolts for `dur` seconds."""
    rng = night.rng
    env = arv * _arv_env(rng, night.fs, dur, rng.uniform(0.03, 0.35) * min(1, dur), rng.uniform(0.1, 0.5) * min(1, dur),
                         rng.uniform(0.05, 0.4))
    real = rng.random() < 0.6 and night.patient.style != "fat"
    n = len(env)
    carrier = src.contraction(rng, night.fs, n) if real else wf.interference(rng, night.fs, n, night.patient.style)
    carrier /= max(float(np.mean(np.abs(carrier))), 1e-9)
    c, cross = _channel(night)
    wave = carrier * env
    if layer is None:
        i, wave = night.emg(t, wave, c, max(cross, 0.15) if night.channels > 1 else 0.0)
    else:
        i = int(round(t * night.fs))
        for k in range(night.channels):
            night.put(layer, t, wave * (1.0 if k == c else 0.6), k)
    e = Pending(kind, name + ("_real" if real else "_units"), [(i, wave)], c, env=env, note=note)
    night.events.append(e)
    return e


def movement(night: Night, t: float, dur: float | None = None, arv: float | None = None, moves: bool | None = None,
             note: str = "leg movement") -> float:
    """Leg movement of 0.5-10 s, with or without acceleration (39 % do not move the toe)."""
    rng = night.rng
    dur = dur or float(np.clip(rng.lognormal(np.log(2.4), 0.6), 0.62, 9.2))
    arv = arv or max(11.0, log_uniform(rng, 11, 500) * night.patient.size)
    e = contraction(night, t, dur, arv, "movement", "leg_movement", note)
    if moves if moves is not None else rng.random() < 0.65:
        lag = rng.uniform(0.02, 0.12)
        peak = log_uniform(rng, 0.015, 0.35)
        night.shake(t + lag, mech.sway(rng, night.fa, max(0.5, dur * rng.uniform(0.5, 1.0)), peak, rng.uniform(1.5, 4.5)))
        if rng.random() < 0.6:
            night.tilt(t + lag, dur, rng.uniform(2, 14), False)
        e.acc_at, e.acc_dur = t + lag, dur + 0.3
    return t + dur


def jerk(night: Night, t: float, peak: float | None = None, dur: float | None = None, uv: float | None = None,
         after: str = "random", waveform: str = "jerk_burst") -> float:
    """Isolated jerk: EMG 10-300 ms, acceleration 0.1-4 g, perhaps a turn, a contraction or a movement with it."""
    rng = night.rng
    dur = dur or log_uniform(rng, 0.012, 0.28)
    peak = peak or log_uniform(rng, 0.14, 3.5)
    uv = uv or log_uniform(rng, 120, 6000) * night.patient.size
    if after == "random":
        after = str(rng.choice(["none", "tail", "movement", "turn", "before"], p=[.5, .14, .16, .1, .1]))
    if after == "before":
        lead, arv = rng.uniform(0.65, 2.5), max(11.0, 0.05 * uv * rng.uniform(0.3, 1))
        if rng.random() < 0.5:
            movement(night, t, lead, arv, False, "contraction before a jerk")
            t += lead + rng.uniform(0.6, 1.5)
        else:
            contraction(night, t, lead, arv, "unclear", "contraction_before", "runs up to a jerk")
            t += lead + rng.uniform(0.05, 0.5)
    if dur < 0.03:
        wave = wf.polyphasic(rng, night.fs, dur) if rng.random() < 0.5 else wf.hermite_compound(rng, night.fs, dur, 3)
    else:
        wave = wf.burst_wave(rng, night.fs, dur, night.patient.style, rng.uniform(200, 700))
    c, cross = _channel(night)
    i, w = night.emg(t, wave * uv, c, max(cross, 0.2) if night.channels > 1 else 0.0)
    at = t + rng.uniform(0.010, 0.080)
    night.shake(at, mech.pull(rng, night.fa, peak, rng.uniform(0.012, 0.045)))
    note = {"none": "", "tail": "weak contraction after", "movement": "movement follows", "turn": "leg lies turned after",
            "before": "contraction before"}[after]
    night.events.append(Pending("jerk", waveform, [(i, w)], c, acc_at=at, acc_dur=0.5, note="isolated jerk; " + note))
    end = t + max(dur, 0.4)
    if after == "tail":
        long = rng.uniform(0.3, 2.0)
        contraction(night, t + dur + 0.05, long, uv * rng.uniform(0.01, 0.06), "unclear", "after_contraction", "tail of a jerk")
        end = t + dur + long
    elif after == "movement":
        end = movement(night, t + dur + rng.uniform(0.6, 2.0), None, max(11.0, 0.04 * uv), True, "movement after a jerk")
    elif after == "turn":
        night.tilt(at, rng.uniform(0.2, 0.7), rng.uniform(6, 28), True)
        end += 0.4
    return end


def jerk_train(night: Night, t: float, count: int, hz: float, burst_s: float, uv: float, peak: float,
               waveform: str) -> float:
    """Train of 2-10 bursts of at most 0.3 s at 2-20 Hz; one row."""
    rng = night.rng
    c, cross = _channel(night)
    parts = []
    start = t
    at0 = 0.0
    lag = rng.uniform(0.012, 0.06)
    for k in range(count):
        d = float(np.clip(burst_s * rng.uniform(0.8, 1.25), 0.01, min(0.3, 0.62 / hz)))
        if d < 0.022:
            wave = wf.polyphasic(rng, night.fs, d)
        else:
            wave = wf.burst_wave(rng, night.fs, d, night.patient.style, rng.uniform(250, 700))
        parts.append(night.emg(t, wave * uv * rng.uniform(0.5, 1.1), c, cross))
        size = peak * rng.uniform(0.55, 1.0)
        night.shake(t + lag, mech.pull(rng, night.fa, size, float(np.clip(0.15 / hz, 0.01, 0.04))))
        at0 = at0 or t + lag
        t += float(np.clip(rng.normal(1 / hz, 0.08 / hz), max(d + 0.02, 0.046), 0.5))
    night.events.append(Pending("jerk", waveform, parts, c, acc_at=at0, acc_dur=t - start + 0.4,
                                note=f"train of {count} at {hz:.1f} Hz"))
    return t + 0.3


def gross(night: Night, t: float, dur: float | None = None, turn: bool | None = None) -> float:
    """Whole-leg or whole-body movement, with or without a new posture, cable wander included."""
    rng = night.rng
    turn = bool(rng.random() < 0.6) if turn is None else turn
    dur = dur or (rng.uniform(1.5, 8.0) if turn else rng.uniform(4, 35))
    arv = log_uniform(rng, 30, 300) * night.patient.size
    e = contraction(night, t, dur, arv, "posture_change" if turn else "gross_movement", "turn_in_bed" if turn else "restless",
                    "")
    night.shake(t + 0.05, mech.sway(rng, night.fa, dur, log_uniform(rng, 0.1, 1.2), rng.uniform(2, 6)))
    if turn:
        night.tilt(t + 0.2, max(0.6, 0.7 * dur), log_uniform(rng, 14, 160), True)
    else:
        for s in np.arange(t + 0.3, t + dur - 1.5, 2.5):
            night.tilt(float(s), 2.0, rng.uniform(3, 20), False)
    e.acc_at, e.acc_dur = t, dur + 0.5
    if rng.random() < 0.7:
        swing = art.cable_swing(rng, night.fs, log_uniform(rng, 30, 800))
        night.put(night.artefact, t + 0.1, swing)
        if night.amp is not None:
            night.events.append(Pending("artefact", "cable", [], 0, note="cable swings with the movement",
                                        span=(t + 0.1, t + 0.1 + len(swing) / night.fs)))
    return t + dur


def artefact(night: Night, t: float, which: str, uv: float | None = None, peak: float | None = None) -> float:
    """One artefact with its own row."""
    rng = night.rng
    c = int(rng.integers(max(1, night.channels)))
    dur, name, e = 0.1, which, Pending("artefact", which, [], c)
    if which == "pop":
        wave, name = art.pop(rng, night.fs, uv or log_uniform(rng, 25, 5000))
        night.put(night.artefact, t, wave, c)
        dur, name, e.size_uv = len(wave) / night.fs, "pop_" + name, float(np.ptp(wave))
    elif which == "knock":
        peak = peak or log_uniform(rng, 0.03, 2.5)
        night.shake(t, mech.knock(rng, night.fa, peak), True)
        e.acc_at, e.acc_dur = t, 0.3
        if rng.random() < 0.6:
            m = int(rng.uniform(0.01, 0.12) * night.fs)
            bump = gaussian_filter1d(np.pad(np.diff(np.hanning(m), prepend=0.0), 20), 0.002 * night.fs)
            night.put(night.artefact, t + 0.003, bump / np.ptp(bump) * log_uniform(rng, 5, 500), c)
    elif which == "hum":
        dur = log_uniform(rng, 0.08, 6.0)
        night.put(night.artefact, t, art.hum_burst(rng, night.fs, dur, uv or log_uniform(rng, 10, 400), night.patient.f0), c)
    elif which == "radio":
        dur = log_uniform(rng, 0.05, 4.0)
        night.put(night.artefact, t, art.radio_burst(rng, night.fs, dur, uv or log_uniform(rng, 20, 1500)), c)
    elif which == "cable":
        wave = art.cable_swing(rng, night.fs, uv or log_uniform(rng, 80, 4000))
        night.put(night.artefact, t, wave, c)
        dur, e.size_uv = len(wave) / night.fs, float(np.ptp(wave))
    elif which == "contact":
        dur = log_uniform(rng, 0.1, 3.0)
        wave, gain = art.loose_contact(rng, night.fs, dur, night.patient.f0)
        night.put(night.artefact, t, wave, c)
        i = int(round(t * night.fs))
        night.gain[c, i: i + len(gain)] *= gain[: night.n - i]
    elif which == "saturate":
        dur = rng.uniform(0.3, 3.0)
        s = np.arange(0, 8 * dur, 1 / night.fs)
        top = 3.0 * (night.amp.range_uv if night.amp and night.amp.range_uv < 1e4 else 4000.0)
        night.put(night.artefact, t, rng.choice([-1, 1]) * top * np.exp(-s / dur) * np.clip(s / 0.002, 0, 1), c)
    e.waveform, e.span, e.note = name, (t, t + dur), "artefact"
    night.events.append(e)
    return t + dur
