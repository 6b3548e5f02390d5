"""What is no movement: pops, knocks, hum and radio bursts, loose contact, cable swing, saturation, storms.

Pops: jump of the half-cell potential, recovering through electrode and amplifier (0.5–40 ms), or a pair of
jumps; 20 µV–5 mV like the twitches, so that only the infinitely sharp flank tells. Radio: rectified packets of
phones (217 Hz frames) or of Bluetooth / Wi-Fi (8–120 a second). Contact: hum, jumps and noise while a wire is loose.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .bench import Bench
from .emit import row
from .events import clear_twitch, least, top, twitch
from .types import Array
from .waves import add_at, loguni, slow_noise3


def _put(b: Bench, t: float, x: Array, cause: str, g: float = 0.0, note: str = "") -> float:
    """Add an artefact to the EMG with its row; return its end."""
    b.put_emg(t, x)
    o, dur, pp, ppb = b.measure(x, t, 0.0)
    row(b, t + o, dur, "artefact", cause, pp, g, False, f"{note} snr={ppb / b.noise_rms:.1f}".strip())
    return t + o + dur


def pop(b: Bench, t: float, low: float = 20.0, high: float = 5000.0) -> float:
    """Electrode pop over the whole range of sizes and lengths of twitches."""
    if b.emg is None:
        return t
    r, fs = b.rng, b.ei
    tau = loguni(r, 0.4e-3, 30e-3)
    n = int((8 * tau + 0.004) * fs)
    s = np.arange(n) / fs
    kind = str(r.choice(["decay", "step", "pair", "ringing", "crackle"], p=[0.4, 0.15, 0.2, 0.1, 0.15]))
    if kind == "decay":
        x = np.exp(-s / tau)
    elif kind == "step":
        x = np.exp(-np.arange(int(1.2 * fs)) / fs / r.uniform(0.08, 0.2))
    elif kind == "pair":
        w = loguni(r, 1e-3, 40e-3)
        x = np.zeros(int((w + 8 * tau) * fs) + 4)
        x[:int(w * fs) + 1] = 1 - 0.4 * np.linspace(0, 1, int(w * fs) + 1)
        add_at(x, int(w * fs) + 1, -r.uniform(0.2, 1) * np.exp(-s / tau))
    elif kind == "ringing":
        x = np.exp(-s / tau) * np.cos(2 * np.pi * loguni(r, 30, 300) * s)
    else:
        x = np.zeros(n + int(0.09 * fs))
        for at in r.uniform(0, 0.08, int(r.integers(2, 7))):
            add_at(x, int(at * fs), r.normal() * np.exp(-s / tau))
    x = x * (1 if r.random() < 0.5 else -1)
    uv = loguni(r, low, min(high, top(b)))
    return _put(b, t, b.scaled(np.concatenate([[0.0], x]), uv), f"pop_{kind}")


def knock(b: Bench, t: float, g: float | None = None) -> float:
    """Knock on bed or strap: ring of 12–60 Hz, 0.03–2.5 g; half of them with a slow electrode shift in the EMG."""
    r = b.rng
    if b.acc is None:
        return t
    f = loguni(r, 12, min(60, 0.45 * b.acc.fs) if b.acc.fs > 60 else 14)
    s = np.arange(0, 0.16, 1 / b.ai)
    w = np.exp(-s / r.uniform(0.008, 0.035)) * np.sin(2 * np.pi * f * s)
    d = r.standard_normal(3)
    a = b.scaled_g(np.outer(d / np.linalg.norm(d), w / np.abs(w).max()), loguni(r, 0.03, 2.5) if g is None else g)
    b.put_acc(t, a)
    peak = float(np.linalg.norm(a, axis=0).max())
    if b.emg is not None and r.random() < 0.5:
        n = int(r.uniform(0.1, 0.6) * b.ei)
        u = np.arange(n) / n
        x = u * np.exp(-u * 7) * np.sin(2 * np.pi * u * r.uniform(0.5, 2)) * np.clip((1 - u) / 0.3, 0, 1)
        x = gaussian_filter1d(np.pad(x, int(0.05 * b.ei)), 0.012 * b.ei)
        i = t - 0.05
        b.put_emg(i, x / np.ptp(x) * loguni(r, 20, 2000))
        row(b, t, 0.1, "artefact", "knock_with_shift", 0.0, peak)
    else:
        row(b, t, 0.1, "artefact", "knock", 0.0, peak)
    return t + 0.2


def hum_burst(b: Bench, t: float) -> float:
    """Burst of mains hum (0.1–4 s) with harmonics, abrupt or swelling."""
    r, fs = b.rng, b.ei
    n = int(loguni(r, 0.1, 4) * fs)
    s = np.arange(n) / fs
    f0 = float(str(b.meta.get("mains_hz") or r.choice([50.0, 60.0])))
    x = sum(loguni(r, 0.1, 1) / h * np.sin(2 * np.pi * f0 * h * s + r.uniform(0, 6.3)) for h in range(1, 6))
    edge = loguni(r, 0.003, 0.3)
    x = x * np.clip(np.minimum(s, s[-1] - s) / min(edge, 0.4 * s[-1]), 0, 1)
    return _put(b, t, x / np.ptp(x) * loguni(r, least(b, 5, 20), 3000), "hum_burst")


def rf_burst(b: Bench, t: float) -> float:
    """Radio burst (0.05–3 s): rectified packets, 217 Hz or 8–120 Hz, smeared by the input filter."""
    r, fs = b.rng, b.ei
    n = int(loguni(r, 0.05, 3) * fs)
    rate = 216.7 if r.random() < 0.4 else loguni(r, 8, 120)
    width = max(1, int((0.577e-3 if rate > 200 else loguni(r, 0.3e-3, 4e-3)) * fs))
    x = np.zeros(n)
    skip = r.uniform(0, 0.35)
    for at in np.arange(0, n / fs, 1 / rate):
        if r.random() > skip:
            add_at(x, int(at * fs), np.full(width, r.uniform(0.7, 1)))
    if np.ptp(x) == 0:
        x[: width] = 1
    x = gaussian_filter1d(np.pad(x, int(0.01 * fs)), 0.3e-3 * fs)
    return _put(b, t, x / np.ptp(x) * loguni(r, least(b, 5, 20), 3000), "rf_burst")


def contact(b: Bench, t: float) -> float:
    """Loose contact (0.1–3 s): random jumps, wide noise and hum, up to the rails."""
    r, fs = b.rng, b.ei
    n = int(loguni(r, 0.1, 3) * fs)
    x = np.zeros(n)
    for at in r.integers(0, n, max(2, r.poisson(n / fs * loguni(r, 5, 80)))):
        x[at:] += r.normal() * np.exp(-np.arange(n - at) / fs / loguni(r, 2e-3, 0.15))
    s = np.arange(n) / fs
    x += r.uniform(0, 0.8) * np.sin(2 * np.pi * 50 * s) + r.uniform(0, 0.4) * r.standard_normal(n)
    x *= np.clip((s[-1] - s) / (0.15 * s[-1]), 0, 1)
    x[0] = 0
    return _put(b, t, x / np.ptp(x) * loguni(r, 100, 20000), "contact")


def cable(b: Bench, t: float) -> float:
    """Cable swing (1–6 s): 0.7–6 Hz wave that carries hum along; small knocks of the cable at times."""
    r, fs = b.rng, b.ei
    n = int(r.uniform(1, 6) * fs)
    s = np.arange(n) / fs
    sw = np.sin(2 * np.pi * r.uniform(0.7, 6) * s + r.uniform(0, 6)) * np.sin(np.pi * s / s[-1]) ** 2
    x = sw + r.uniform(0, 0.15) * sw**2 * np.sin(2 * np.pi * 50 * s)
    return _put(b, t, x / np.ptp(x) * loguni(r, 200, 8000), "cable_swing")


def saturation(b: Bench, t: float) -> float:
    """Overload: to the rail for 0.05–1 s, with exponential recovery."""
    r, fs = b.rng, b.ei
    hold, tau = loguni(r, 0.05, 1), r.uniform(0.03, 0.25)
    s = np.arange(int((hold + 7 * tau) * fs)) / fs
    x = np.where(s < hold, 1.0, np.exp(-(s - hold) / tau)) * (1 if r.random() < 0.5 else -1)
    return _put(b, t, np.concatenate([[0.0], x]) * b.amp.full_uv * r.uniform(1.0, 3), "saturation")


def strap(b: Bench, t: float) -> float:
    """Strap or blanket sliding over the sensor (0.3–2 s): weak trembling acceleration only."""
    if b.acc is None:
        return t
    r = b.rng
    n = int(r.uniform(0.3, 2) * b.ai)
    a = b.scaled_g(slow_noise3(r, b.ai, n, 2, min(15, 0.4 * b.acc.fs)), loguni(r, 3e-3, 0.03))
    b.put_acc(t, a)
    row(b, t, n / b.ai, "artefact", "strap", 0.0, float(np.linalg.norm(a, axis=0).max()))
    return t + n / b.ai


SOME = (hum_burst, rf_burst, contact, cable, pop, saturation)
ODDS = (0.27, 0.27, 0.2, 0.08, 0.15, 0.03)


def storm(b: Bench, t: float, twitches: bool = False) -> float:
    """Storm of 10–60 s: hum and radio bursts, loose contacts, cable, pops 0.2–3 s apart."""
    r = b.rng
    stop = min(t + r.uniform(10, 60), b.dur - 8)
    while t < stop:
        t = SOME[int(r.choice(len(SOME), p=ODDS))](b, t)
        if twitches and r.random() < 0.35:
            t = twitch(b, t + r.uniform(0.5, 2), least(b, 7, 60), 4000.0, note="in a storm") + r.uniform(0.3, 1.2)
        t += min(loguni(r, 0.2, 3), 3)
    return t


def storm_twitches(b: Bench, t: float) -> float:
    """Storm with clear twitches in its gaps (0.3 s or more from any artefact)."""
    return storm(b, t, True)


def knock_near(b: Bench, t: float) -> float:
    """Twitch with a knock 0.3–1.5 s before or after it; now and then at the same moment (unclear)."""
    r = b.rng
    u = r.random()
    if u < 0.45:
        return clear_twitch(b, knock(b, t) + r.uniform(0.15, 1.3))
    if u < 0.88:
        return knock(b, clear_twitch(b, t) + r.uniform(0.3, 1.3))
    clear_twitch(b, t)
    last = b.truth[-1]
    b.truth[-1] = replace(last, kind="unclear", note=(last.note + " knock at the same moment").strip())
    return knock(b, last.onset + r.uniform(-0.02, 0.1)) + 0.2


