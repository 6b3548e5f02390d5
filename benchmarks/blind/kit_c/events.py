"""Short events: twitches, jerks, jerk trains, brief contractions.

Sizes and times after the criteria: twitches 20 µV–5 mV and 3–150 ms with at most a few tens of mg,
jerks of 10–300 ms with 0.1–4 g, the acceleration 10–80 ms after the EMG and free of its size.
"""

from __future__ import annotations

import numpy as np

from .bench import Bench
from .emit import Pieces, emit
from .waves import SHAPES, axes3, burst, ends, loguni, potential

SINGLE = ("hermite", "gabor", "gamma", "double_exp", "near_unit", "far_unit", "compound", "polyphasic")


def top(b: Bench) -> float:
    """Largest event the amplifier can take before it is clipped for most of its swing (µV)."""
    return min(5000.0, 1.9 * b.emg.full_uv) if b.emg is not None else 5000.0


def least(b: Bench, snr: float, floor: float) -> float:
    """A size (µV) at least ``floor`` and ``snr`` times the resting noise."""
    return max(floor, snr * b.noise_rms)


def twitch_acc(b: Bench) -> Pieces:
    """What the sensor sees of a twitch: mostly 0.3–4 mg, seldom to 50 mg, 10–60 ms late."""
    if b.acc is None or b.rng.random() < 0.25:
        return []
    r = b.rng
    g = loguni(r, 0.3e-3, 4e-3) if r.random() < 0.75 else loguni(r, 4e-3, 0.05)
    return [(r.uniform(0.008, 0.06), b.scaled_g(axes3(r, b.ai, True)[0], g))]


def twitch(b: Bench, t: float, low: float = 20.0, high: float = 5000.0, style: str | None = None,
           in_activity: bool = False, note: str = "") -> float:
    """One twitch of a log-uniform size; styles: single potentials, doublet, burst, volley."""
    if b.emg is None:
        return t
    r, fs = b.rng, b.ei
    style = str(r.choice([*SINGLE, "doublet", "burst", "volley"],
                         p=[*[0.085] * 8, 0.08, 0.16, 0.08])) if style is None else style
    uv = loguni(r, min(low, 0.5 * top(b)), min(high, top(b)))
    if style == "doublet":
        x = b.scaled(potential(r, fs, str(r.choice(SINGLE[:7]))), uv)
        gap = r.uniform(0.010, 0.110)
        pieces = [(0.0, x), (max(gap, 0.010), x * r.uniform(0.6, 1.1))]
    elif style == "burst":
        x, shape = burst(r, fs, loguni(r, 0.02, 0.135))
        pieces, style = [(0.0, b.scaled(x, uv))], shape
    elif style == "volley":
        n = int(r.integers(3, 8))
        u = [potential(r, fs, str(r.choice(SINGLE[:7]))) for _ in range(min(n, 3))]
        x = np.zeros(int(0.125 * fs))
        at = np.sort(r.uniform(0, 0.085, n))
        for k in range(n):
            y = u[k % len(u)] * r.uniform(0.4, 1)
            i = int(at[k] * fs)
            m = min(y.size, x.size - i)
            x[i:i + m] += y[:m]
        pieces = [(0.0, b.scaled(ends(x, fs), uv))]
    else:
        pieces = [(0.0, b.scaled(potential(r, fs, style), uv))]
    return emit(b, "twitch", t, style, pieces, twitch_acc(b), in_activity, note)


def large_twitch(b: Bench, t: float) -> float:
    """Twitch of 300 µV–5 mV."""
    return twitch(b, t, 300.0, 5000.0)


def clear_twitch(b: Bench, t: float) -> float:
    """Twitch of at least 60 µV and 8 times the noise."""
    return twitch(b, t, least(b, 8, 60), 3000.0)


def doublet(b: Bench, t: float) -> float:
    """Doublet 10–110 ms apart."""
    return twitch(b, t, least(b, 5, 40), 4000.0, "doublet")


def poly(b: Bench, t: float) -> float:
    """Polyphasic potential or volley."""
    return twitch(b, t, least(b, 5, 40), 4000.0, str(b.rng.choice(["polyphasic", "volley"])))


def twitch_train(b: Bench, t: float) -> float:
    """Irregular run of 3–12 twitches of one or two units, 0.3–1.6 s apart (each a row)."""
    if b.emg is None:
        return t
    r = b.rng
    uv = loguni(r, least(b, 5, 40), min(2500.0, top(b)))
    units = [b.scaled(potential(r, b.ei, str(r.choice(SINGLE))), uv * f) for f in (1, r.uniform(0.3, 1.5))]
    for _ in range(int(r.integers(3, 13))):
        x = units[int(r.random() < 0.3)] * r.uniform(0.85, 1.15)
        e = emit(b, "twitch", t, "train_unit", [(0.0, x)], twitch_acc(b), False, "irregular train")
        t = max(t + 0.3 + r.gamma(1.3, 0.35), e + 0.15)
    return t


def jerk_emg(b: Bench, seconds: float, uv: float) -> np.ndarray:
    """EMG of a jerk: a burst, or at short lengths at times a compound potential."""
    r = b.rng
    if seconds < 0.03 and r.random() < 0.4:
        x = potential(r, b.ei, "compound")
    else:
        x, _ = burst(r, b.ei, seconds)
    return b.scaled(x, uv)


def jerk_size(b: Bench) -> float:
    """EMG size of a jerk: any, from 5 times the noise to the rails and over."""
    return loguni(b.rng, least(b, 6, 35), max(min(6000.0, 1.2 * top(b)), least(b, 12, 70)))


def jerk(b: Bench, t: float, low: float = 0.12, high: float = 4.0, seconds: float | None = None,
         turn: bool | None = None, note: str = "") -> float:
    """Isolated jerk; at times with a lasting turn of the leg of 3–24 degrees."""
    if b.acc is None:
        return t
    r = b.rng
    seconds = loguni(r, 0.010, 0.27) if seconds is None else seconds
    a, name = axes3(r, b.ai, True)
    g = loguni(r, low, min(high, 1.3 * b.acc.full_g))
    delay = r.uniform(0.010, 0.080) if b.emg is not None else 0.0
    emg: Pieces = [(0.0, jerk_emg(b, seconds, jerk_size(b)))] if b.emg is not None else []
    end = emit(b, "jerk", t, f"jerk_{name}", emg, [(delay, b.scaled_g(a, g))], False, note)
    if (r.random() < 0.35) if turn is None else turn:
        sec = r.uniform(0.25, 0.9)
        b.turn(t + delay, sec, r.uniform(3, 24))
        end = max(end, t + delay + sec)
    return end


def violent(b: Bench, t: float) -> float:
    """Violent jerk of 0.5–4 g with a short (7–25 ms) or long (60–270 ms) EMG of any size."""
    r = b.rng
    s = loguni(r, 0.007, 0.025) if r.random() < 0.5 else r.uniform(0.06, 0.27)
    return jerk(b, t, 0.5, 4.0, s, note="violent")


def mild(b: Bench, t: float) -> float:
    """Mild jerk of 0.12–0.4 g."""
    return jerk(b, t, 0.12, 0.4)


def jerk_train(b: Bench, t: float) -> float:
    """2–10 bursts at 2–20 Hz, each up to 0.25 s, silent between; never a tremor (5 cycles and 2 s)."""
    if b.acc is None:
        return t
    r = b.rng
    while True:
        n, rate = int(r.integers(2, 11)), loguni(r, 2, 20)
        if not (n >= 5 and rate >= 3.2 and (n - 1) / rate > 1.8):
            break
    period = 1 / rate
    longest = min(0.25, period - 0.032)
    size, g = jerk_size(b), loguni(r, 0.15, 2.5)
    sec0, jit = loguni(r, 0.008, max(0.009, 0.8 * longest)), r.uniform(0.01, 0.10)
    shape = str(r.choice(SHAPES))
    delay = r.uniform(0.010, 0.080) if b.emg is not None else 0.0
    mould, name = axes3(r, b.ai, True)
    emg: Pieces = []
    acc: Pieces = []
    for k in range(n):
        at = k * period + period * np.clip(jit * r.standard_normal(), -0.10, 0.10) * (k > 0)
        sec = float(np.clip(sec0 * r.uniform(0.8, 1.25), 0.007, 0.72 * longest))
        if b.emg is not None:
            emg.append((at, b.scaled(burst(r, b.ei, sec, shape)[0], size * r.uniform(0.5, 1.3))))
        own = mould if r.random() < 0.7 else axes3(r, b.ai, True)[0]
        cut = own[:, :max(4, int(min(own.shape[1] / b.ai, max(1.6 * period, 0.08)) * b.ai))]
        w = np.clip((cut.shape[1] - np.arange(cut.shape[1])) / (0.35 * cut.shape[1]), 0, 1)
        acc.append((at + delay + r.normal(0, 0.002) * (k > 0), b.scaled_g(cut * w, g * r.uniform(0.6, 1.3))))
    end = emit(b, "jerk", t, f"train_{shape}_{name}", emg, acc, False, f"train n={n} rate={rate:.2f}Hz")
    return end


def brief(b: Bench, t: float) -> float:
    """Brief contraction: 170–470 ms, at most 50 mg of slow motion."""
    if b.emg is None:
        return t
    r = b.rng
    x, shape = burst(r, b.ei, r.uniform(0.19, 0.46), str(r.choice(["raised_cosine", "skewed", "plateau"])))
    acc: Pieces = []
    if b.acc is not None and r.random() < 0.6:
        acc = [(r.uniform(0.02, 0.08), b.scaled_g(axes3(r, b.ai, False)[0], loguni(r, 2e-3, 0.05)))]
    return emit(b, "brief_contraction", t, f"contraction_{shape}", [(0.0, b.scaled(x, loguni(r, least(b, 9, 80), 1500)))], acc)


def near_jerk(b: Bench, t: float) -> float:
    """Two or three ordinary jerks 1.2–4 s apart."""
    for _ in range(int(b.rng.integers(2, 4))):
        t = jerk(b, t) + b.rng.uniform(0.9, 3.5)
    return t


