"""Long events: leg movements, series, gross movements, posture changes, walking, tonic activity, compounds."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfilt

from .bench import Bench
from .emit import Pieces, emit, row
from .events import brief, jerk, least, top, twitch
from .types import Array
from .waves import add_at, axes3, hermite, interference, loguni, slow_noise3


def lm_rise(b: Bench, x: Array) -> float:
    """Largest 0.5-s stretch (median of a 0.15-s RMS in 10–100 Hz, µV) above the resting level."""
    fs = b.amp.fs
    sos = butter(2, [10, min(100, 0.45 * fs)], "band", fs=fs, output="sos")
    y = sosfilt(sos, b.record(x)[::b.ek])
    rms = np.sqrt(np.maximum(np.convolve(y**2, np.ones(int(0.15 * fs)) / int(0.15 * fs), "same"), 0))
    k = int(0.5 * fs)
    return max((float(np.median(rms[i:i + k])) for i in range(0, max(1, rms.size - k), max(1, k // 3))), default=0.0)


def swing(b: Bench, n: int) -> Array:
    """Envelope of a contraction: rise 0.05–0.5 s, waxing and waning never under a third, fall."""
    r, fs = b.rng, b.ei
    g = gaussian_filter1d(r.standard_normal(n // 20 + 2), max(1.0, 0.2 * fs / 20))
    g = np.interp(np.arange(n) / 20, np.arange(g.size), g)
    e = np.clip(1 + 0.35 * g / (g.std() + 1e-9), 0.4, 1.8)
    t = np.arange(n) / fs
    up, down = min(loguni(r, 0.04, 0.5), 0.4 * n / fs), min(loguni(r, 0.08, 0.7), 0.4 * n / fs)
    return e * np.sin(0.5 * np.pi * np.clip(np.minimum(t / up, (t[-1] - t) / down), 0, 1)) ** 2


def contraction(b: Bench, seconds: float, rms: float) -> Array:
    """Skin EMG of a contraction with a recorded RMS (µV) in its middle part."""
    n = int(seconds * b.ei)
    x = interference(b.rng, b.ei, n) * swing(b, n)
    mid = b.record(x)[n // 4:3 * n // 4]
    return x * rms / float(np.std(mid))


def movement(b: Bench, t: float, seconds: float | None = None, rms: float | None = None, note: str = "",
             still: float = 0.35) -> float:
    """Leg movement of 0.6–9.5 s, RMS 14–700 µV; a share ``still`` has no acceleration."""
    r = b.rng
    seconds = loguni(r, 0.65, 9.4) if seconds is None else seconds
    acc: Pieces = []
    if b.acc is not None and (b.emg is None or r.random() > still):
        n = int(seconds * b.ai)
        a = slow_noise3(r, b.ai, n, 0.4, r.uniform(1.2, 2.5))
        acc = [(r.uniform(0.03, 0.1), b.scaled_g(a, loguni(r, 0.02, 0.22)))]
        if r.random() < 0.6:
            b.turn(t + 0.1, seconds, r.uniform(3, 25), back=r.random() < 0.75)
    if b.emg is None:
        return emit(b, "movement", t, "slow_movement", [], acc, False, note)
    rms = loguni(r, 14, 700) if rms is None else rms
    x = contraction(b, seconds, min(rms, top(b) / 7))
    rise = np.hypot(lm_rise(b, x), b.noise_rms) - b.noise_rms
    kind = "movement" if rise >= 9 else "unclear"
    note = f"{note} lm_rise_uv={rise:.1f}".strip()
    return emit(b, kind, t, "contraction", [(0.0, x)], acc, False, note)


def weak_movement(b: Bench, t: float) -> float:
    """Leg movement just above the +8 µV rule."""
    return movement(b, t, loguni(b.rng, 0.8, 6), b.noise_rms + b.rng.uniform(12, 30), still=0.6)


def plm_run(b: Bench, t: float) -> float:
    """Periodic series: 4–8 movements of 0.7–4 s, 12–45 s from onset to onset (CV 5–20%)."""
    r = b.rng
    period, sec, rms = loguni(r, 12, 40), loguni(r, 0.8, 3.5), loguni(r, 25, 400)
    for _ in range(int(r.integers(4, 9))):
        if t + period > b.dur - 5:
            break
        end = movement(b, t, float(np.clip(sec * r.uniform(0.7, 1.3), 0.7, 5)), rms * r.uniform(0.6, 1.5), "series", 0.4)
        t = max(t + period * (1 + 0.1 * r.standard_normal()), end + 2)
    return t


def gross(b: Bench, t: float) -> float:
    """Gross movement of 10.5–30 s: strong EMG, 0.1–0.9 g in all axes, often a new posture."""
    r = b.rng
    sec = r.uniform(10.8, 28)
    acc: Pieces = []
    if b.acc is not None:
        acc = [(0.05, b.scaled_g(slow_noise3(r, b.ai, int(sec * b.ai), 0.5, r.uniform(2, 6)), loguni(r, 0.1, 0.9)))]
        b.turn(t + r.uniform(1, 4), r.uniform(2, 6), loguni(r, 8, 120))
    emg: Pieces = []
    if b.emg is not None:
        emg = [(0.0, contraction(b, sec, min(loguni(r, 40, 700), top(b) / 7)))]
    return emit(b, "gross_movement", t, "gross", emg, acc)


def posture(b: Bench, t: float) -> float:
    """Posture change: ramp of 35–160 degrees in 0.7–3 s, with or without its own EMG."""
    if b.acc is None:
        return t
    r = b.rng
    sec = r.uniform(0.7, 3)
    deg = r.uniform(35, 160)
    b.turn(t + 0.06, sec, deg)
    a = b.scaled_g(slow_noise3(r, b.ai, int(sec * b.ai), 0.5, 4), loguni(r, 0.03, 0.4))
    if b.emg is not None and r.random() < 0.75:
        x = contraction(b, sec * r.uniform(0.8, 1.3), min(loguni(r, 20, 500), top(b) / 7))
        return max(emit(b, "posture_change", t, "turn", [(0.0, x)], [(0.06, a)], False, f"{deg:.0f}_deg"), t + sec + 0.2)
    b.put_acc(t + 0.06, a)
    row(b, t + 0.06, sec, "posture_change", "turn_passive", 0.0, float(np.linalg.norm(a, axis=0).max()), False, f"{deg:.0f}_deg no_emg")
    return t + sec + 0.2


def jerk_and_more(b: Bench, t: float) -> float:
    """Jerk with a turn, with a weak contraction just before or after it, or followed by a movement."""
    r = b.rng
    what = str(r.choice(["turn", "before", "after", "movement"]))
    if what == "turn" or b.emg is None:
        return jerk(b, t, turn=True, note="turn_after") + 0.3
    if what == "before":
        x = contraction(b, r.uniform(0.25, 0.9), loguni(r, 15, 90))
        emit(b, "unclear", t, "contraction_before_jerk", [(0.0, x)], [], False, "attached to a jerk")
        return jerk(b, t + x.size / b.ei + r.uniform(0.04, 0.3), note="contraction_before")
    end = jerk(b, t, seconds=loguni(r, 0.012, 0.2), turn=False, note=f"{what}_follows")
    if what == "after":
        at = b.truth[-1].onset + b.truth[-1].duration + r.uniform(0.05, 0.35)
        x = contraction(b, r.uniform(0.25, 1.2), loguni(r, 15, 90))
        return max(end, emit(b, "unclear", at, "contraction_after_jerk", [(0.0, x)], [], False, "attached to a jerk"))
    return movement(b, end + r.uniform(0.6, 2.5), note="after_jerk")


def tonic(b: Bench, t: float) -> float:
    """Voluntary tonic activity of 20–60 s with clear twitches in it and just after it."""
    r = b.rng
    if b.emg is None:
        return t
    sec, rms = r.uniform(20, 60), loguni(r, 8, 60)
    n = int(sec * b.ei)
    x = contraction(b, sec, rms)
    if r.random() < 0.4:
        u = limb_unit(b) * rms * r.uniform(1.5, 3)
        at = r.uniform(0.5, 1)
        while at < sec - 1:
            add_at(x, int(at * b.ei), u)
            at += 1 / r.uniform(6, 11)
    acc: Pieces = []
    if b.acc is not None:
        acc = [(0.05, b.scaled_g(slow_noise3(r, b.ai, int(sec * b.ai), 0.5, r.uniform(2, 8)), loguni(r, 4e-3, 0.04)))]
    emit(b, "gross_movement", t, "tonic_voluntary", [(0.0, x[:n])], acc, True, f"activity_rms_uv={rms:.1f}")
    return _twitches_in(b, t, sec, max(14 * rms, 10 * b.noise_rms, 120.0), None)


def limb_unit(b: Bench) -> Array:
    """A small unit that fires in tonic activity (peak-to-peak 1)."""
    return hermite(b.rng, b.ei, loguni(b.rng, 1e-3, 3e-3), 2)


def _twitches_in(b: Bench, t: float, sec: float, uv: float, free: list[float] | None) -> float:
    """Clear twitches within an activity (at ``free`` times if given) and 1–3 within 0.4–6 s of its end."""
    r = b.rng
    at = t + r.uniform(1.5, 5) if free is None else 0.0
    style = str(r.choice(["compound", "near_unit", "hermite", "gabor", "far_unit"]))
    if free is None:
        while at < t + sec - 1.5:
            twitch(b, at, uv, max(2.5 * uv, 1500.0), style, True, f"within activity, p-p over {uv:.0f}")
            at += 1.0 + r.gamma(1.5, 3.0)
    else:
        for at in free:
            twitch(b, at, uv, max(2.5 * uv, 1500.0), style, True, f"within activity, p-p over {uv:.0f}")
    end = t + sec
    for _ in range(int(r.integers(1, 4))):
        end = twitch(b, end + r.uniform(0.5, 3), least(b, 7, 60), 1500.0, None, False, "just after activity")
    return end


def walking(b: Bench, t: float) -> float:
    """Walking of 20–50 s: EMG bursts and heel strikes each stride; clear twitches in mid-swing and just after."""
    r = b.rng
    if b.emg is None:
        return t
    sec, stride, rms = r.uniform(20, 50), r.uniform(0.95, 1.3), loguni(r, 25, 180)
    n = int(sec * b.ei)
    x = interference(r, b.ei, n) * rms
    ph = (np.arange(n) / b.ei / stride + 0.03 * np.sin(np.arange(n) / b.ei * 1.7)) % 1
    on = np.exp(-0.5 * ((ph - 0.12) / 0.07) ** 2) + r.uniform(0.3, 1) * np.exp(-0.5 * ((ph - 0.5) / 0.09) ** 2) + 0.04
    edge = np.clip(np.minimum(np.arange(n), n - np.arange(n)) / (0.6 * b.ei), 0, 1)
    x *= on * edge
    acc: Pieces = []
    if b.acc is not None:
        a = np.zeros((3, int(sec * b.ai)))
        hit, _ = axes3(r, b.ai, True)
        roll = 0.25 * np.sin(2 * np.pi * np.arange(a.shape[1]) / b.ai / stride)
        a += np.outer(r.standard_normal(3), roll) * np.clip(np.minimum(np.arange(a.shape[1]), a.shape[1] - np.arange(a.shape[1])) / b.ai, 0, 1)
        for k in range(int(sec / stride)):
            for ax in range(3):
                add_at(a[ax], int((k + 0.05) * stride * b.ai), hit[ax] * r.uniform(0.7, 1.3))
        acc = [(0.0, b.scaled_g(a, loguni(r, 0.5, 2.0)))]
    emit(b, "gross_movement", t, "walking", [(0.0, x)], acc, True, f"stride={stride:.2f}s activity_rms_uv={rms:.1f}")
    strides = np.arange(2, int(sec / stride) - 2)
    free = [float(t + (k + r.uniform(0.76, 0.88)) * stride) for k in strides if r.random() < 0.16]
    return _twitches_in(b, t, sec, max(6 * rms, 10 * b.noise_rms, 120.0), free)


def restless(b: Bench, t: float) -> float:
    """A restless half minute: brief contractions and short movements 1–4 s apart."""
    for _ in range(int(b.rng.integers(3, 7))):
        f = brief if b.rng.random() < 0.5 else movement
        t = (f(b, t) if f is brief else movement(b, t, loguni(b.rng, 0.7, 2.5))) + b.rng.uniform(0.9, 4)
    return t


