"""Artefacts of electrodes, cables, electronics, bed and bed-mates.

Pops are steps of the half-cell potential seen through the skin's R-C (Huigen 2002; time constants
1-200 ms), gel slips, contact breaks and discharges of static charge; their sizes and lengths cover
those of twitches. Hum rises when contact or a heated blanket changes the coupling; phones send
217 Hz bursts that rectify in the first stage; power banks wake up in regular clicks.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, sosfilt

from .events import log_uniform, scale, twitch
from .leg import dynamic, moving_acceleration
from .leg import knock as knock_acc
from .model import FS_EMG, FS_MECH, Array
from .scene import Scene


def _log(scene: Scene, name: str, t: float, seconds: float) -> None:
    scene.log.append({"name": name, "onset": float(t), "duration": float(seconds)})


def _both(scene: Scene, x: Array) -> Array:
    """Spread a one-channel artefact over the channels (mostly one pair is hit)."""
    if scene.channels < 2:
        return x[None]
    hit = scene.rng.random()
    share = (1.0, float(scene.rng.uniform(0.0, 0.1))) if hit < 0.4 else (float(scene.rng.uniform(0.0, 0.1)), 1.0)
    return np.array(share)[:, None] * x[None]


def pop_wave(rng: np.random.Generator, style: str, tau_ms: float) -> Array:
    """One electrode pop at 4 kHz, about unit height."""
    tau = log_uniform(rng, 1.5, 20.0) if rng.random() < 0.4 else tau_ms * float(np.exp(0.5 * rng.standard_normal()))
    t = np.arange(int(max(0.1, 6 * tau / 1000.0) * FS_EMG)) / FS_EMG * 1000.0
    if style == "step":
        rise = log_uniform(rng, 0.1, 2.5)
        x = np.exp(-t / tau) - np.exp(-t / rise)
        x -= float(rng.uniform(0.0, 0.5)) * (np.exp(-t / (3 * tau)) - np.exp(-t / tau))
    elif style == "break":
        width = log_uniform(rng, 2.0, 40.0)
        x = np.where(t < width, 1.0 + 0.15 * rng.standard_normal(t.size), 0.0)
        x = x - np.where(t >= width, float(rng.uniform(0.0, 0.6)) * np.exp(-(t - width) / tau), 0.0)
    elif style == "slip":
        mid, wide = 2.5 * tau, log_uniform(rng, 2.0, 15.0)
        x = np.exp(-0.5 * ((t - mid) / np.where(t < mid, wide, wide * float(rng.uniform(1.0, 4.0)))) ** 2)
        x = x + float(rng.uniform(-0.6, 0.3)) * np.exp(-0.5 * ((t - mid - 2.5 * wide) / (1.5 * wide)) ** 2)
    elif style == "static":
        x = np.zeros(t.size)
        x[4 : 4 + int(rng.integers(1, 4))] = 1.0
        x = np.asarray(sosfilt(butter(2, float(rng.uniform(300, 1500)), fs=FS_EMG, output="sos"), x))
    else:
        hz = log_uniform(rng, 25.0, 180.0)
        x = np.exp(-t / (0.4 * tau)) * np.sin(2 * np.pi * hz * t / 1000.0)
    x = x * (t > 0) * np.clip((t[-1] - t) / (0.2 * t[-1]), 0.0, 1.0)
    out: Array = x * (-1.0 if rng.random() < 0.5 else 1.0)
    return out


def pop(scene: Scene, t: float, low: float = 30.0, high: float = 8000.0) -> float:
    """Electrode pop of any size and shape."""
    if not scene.has_emg:
        return t
    rng = scene.rng
    style = str(rng.choice(["step", "break", "slip", "static", "ring"], p=[0.4, 0.15, 0.2, 0.15, 0.1]))
    emg = scale(_both(scene, pop_wave(rng, style, scene.person.electrode.pop_tau_ms)), log_uniform(rng, low, high))
    scene.add_emg(t, emg)
    first, last = scene.span(emg)
    scene.row(t + first, "artefact", f"pop_{style}", last - first, emg)
    return t + last


def pop_volley(scene: Scene, t: float) -> float:
    """Two to six pops in quick succession (a drying electrode crackles)."""
    end = t
    for _ in range(int(scene.rng.integers(2, 7))):
        end = pop(scene, end + float(scene.rng.uniform(0.04, 0.7)), 40.0, 3000.0)
    return end


def _blow(scene: Scene, peak: float, name: str) -> tuple[str, str]:
    """Label of a blow: without EMG nobody can tell one of 0.1 g from a jerk."""
    return ("artefact" if scene.has_emg or peak < 0.1 else "unclear"), name


def knock(scene: Scene, t: float, low_g: float = 0.05, high_g: float = 2.0) -> float:
    """Blow on the sensor or the bed, with or without an EMG transient."""
    rng, p = scene.rng, scene.person
    if p.accelerometer is None:
        return pop(scene, t)
    acc = knock_acc(rng, p.accelerometer, log_uniform(rng, low_g, high_g))
    scene.add_acc(t, acc)
    peak = float(dynamic(acc).max())
    emg: Array | None = None
    if scene.has_emg and rng.random() < 0.6:
        tau = log_uniform(rng, 5.0, 60.0)
        emg = scale(_both(scene, pop_wave(rng, str(rng.choice(["slip", "step"])), tau)), log_uniform(rng, 20.0, 1500.0))
        scene.add_emg(t, emg)
    name = "knock" if emg is None else "knock_with_transient"
    scene.row(t, *_blow(scene, peak, name), 0.1, emg, peak)
    return t + 0.4


def knock_near_twitch(scene: Scene, t: float, low: float = 80.0, high: float = 3000.0) -> float:
    """Twitch with a knock 0.25-1.5 s before or after it."""
    gap = float(scene.rng.uniform(0.25, 1.5))
    if scene.rng.random() < 0.5:
        knock(scene, t, 0.05, 1.0)
        return twitch(scene, t + gap, low, high, "single", note="knock near")
    twitch(scene, t, low, high, "single", note="knock near")
    return knock(scene, t + gap + 0.05, 0.05, 1.0)


def hum_burst(scene: Scene, t: float) -> float:
    """Mains hum for 0.1-8 s (touch, blanket thermostat)."""
    rng, bed = scene.rng, scene.person.bed
    seconds = log_uniform(rng, 0.1, 8.0)
    k = np.arange(int(seconds * FS_EMG)) / FS_EMG
    x = sum(
        a * np.sin(2 * np.pi * h * bed.mains_hz * k + rng.uniform(0, 6.28))
        for h, a in ((1, 1.0), (2, bed.even * 0.5), (3, bed.odd * 0.7), (5, bed.odd * 0.4))
    )
    edge = log_uniform(rng, 0.004, 0.2)
    x = x * np.clip(np.minimum(k / edge, (seconds - k) / edge), 0.0, 1.0)
    scene.add_emg(t, np.repeat(x[None] * log_uniform(rng, 15.0, 800.0), max(scene.channels, 1), axis=0))
    _log(scene, "hum_burst", t, seconds)
    return t + seconds


def radio_burst(scene: Scene, t: float) -> float:
    """GSM time slots (217 Hz, with 8.3 Hz gaps) or a packet chatter rectified by the amplifier."""
    rng = scene.rng
    seconds = log_uniform(rng, 0.15, 4.0)
    k = np.arange(int(seconds * FS_EMG))
    x = np.zeros(k.size)
    if rng.random() < 0.6:
        frame = (k / FS_EMG) % 0.004615
        x = (frame < 0.000577).astype(float)
        if rng.random() < 0.5:
            x *= ((k / FS_EMG) % 0.12) < 0.115
    else:
        for at in np.cumsum(rng.exponential(0.04, 400)):
            i = int(at * FS_EMG)
            x[i : i + int(rng.integers(4, 20))] = 1.0
    x = sosfilt(butter(1, 900.0, fs=FS_EMG, output="sos"), x) * log_uniform(rng, 40.0, 900.0)
    scene.add_emg(t, np.repeat(x[None], max(scene.channels, 1), axis=0))
    _log(scene, "radio_burst", t, seconds)
    return t + seconds


def power_bank(scene: Scene, t: float) -> float:
    """Keep-alive clicks of a power bank: 20-90 s of regular small pulses, no rows."""
    rng = scene.rng
    step = float(rng.choice([0.25, 0.5, 1.0, 2.0])) * float(rng.uniform(0.98, 1.02))
    seconds = float(rng.uniform(20.0, 90.0))
    wave = pop_wave(rng, str(rng.choice(["static", "ring", "step"])), 4.0) * log_uniform(rng, 15.0, 150.0)
    for k in range(int(seconds / step)):
        scene.add_emg(t + k * step, np.repeat(wave[None], max(scene.channels, 1), axis=0))
    _log(scene, f"power_bank_every_{step:.2f}s", t, seconds)
    return t + seconds


def relay_click(scene: Scene, t: float) -> float:
    """Heated-blanket relay: click, then hum at a new level for some seconds."""
    pop(scene, t, 30.0, 1500.0)
    return hum_burst(scene, t + 0.002)


def loose_contact(scene: Scene, t: float) -> float:
    """Intermittent contact for 0.1-3 s: steps to the rails, hum and crackle."""
    if not scene.has_emg:
        return t
    rng = scene.rng
    seconds = log_uniform(rng, 0.1, 3.0)
    n = int(seconds * FS_EMG)
    k = np.arange(n) / FS_EMG
    gate = np.zeros(n)
    at, state = 0, 1.0
    while at < n:
        hold = max(4, int(log_uniform(rng, 0.003, 0.4) * FS_EMG))
        gate[at : at + hold] = state * float(rng.uniform(0.3, 1.0))
        state = float(rng.choice([0.0, 1.0, -1.0]))
        at += hold
    size = log_uniform(rng, 300.0, 20000.0)
    x = gate * size * (0.5 + 0.5 * np.sin(2 * np.pi * scene.person.bed.mains_hz * k))
    x = x + np.abs(gate) * 0.1 * size * rng.standard_normal(n)
    x = np.asarray(sosfilt(butter(1, 700.0, fs=FS_EMG, output="sos"), np.pad(x, (0, 40))))
    emg = _both(scene, x)
    scene.add_emg(t, emg)
    scene.row(t, "artefact", "loose_contact", seconds, emg)
    return t + seconds


def cable_swing(scene: Scene, t: float) -> float:
    """Swinging or pulled cable: 0.5-3 Hz waves for 1-6 s with small triboelectric noise."""
    if not scene.has_emg:
        return t
    rng = scene.rng
    seconds = float(rng.uniform(1.0, 6.0))
    k = np.arange(int(seconds * FS_EMG)) / FS_EMG
    fall = np.exp(-k / (seconds / 3.0)) * np.clip(k / 0.1, 0.0, 1.0) * np.clip((seconds - k) / 0.3, 0, 1)
    x = np.sin(2 * np.pi * float(rng.uniform(0.5, 3.0)) * k) * log_uniform(rng, 200.0, 6000.0)
    x = x + log_uniform(rng, 3.0, 40.0) * rng.standard_normal(k.size)
    emg = _both(scene, x * fall)
    scene.add_emg(t, emg)
    _log(scene, "cable_swing", t, seconds)
    return t + seconds


def saturation(scene: Scene, t: float) -> float:
    """Half-cell jump to the rail for 0.3-4 s."""
    if not scene.has_emg or scene.person.amplifier is None:
        return t
    rng = scene.rng
    seconds = float(rng.uniform(0.3, 4.0))
    k = np.arange(int((seconds + 1.0) * FS_EMG)) / FS_EMG
    top = min(3.0 * scene.person.amplifier.rail_uv, 300000.0)
    x = np.where(k < seconds, 1.0, np.exp(-(k - seconds) / 0.15)) * np.clip(k / 0.002, 0, 1)
    emg = _both(scene, x * top * (-1.0 if rng.random() < 0.5 else 1.0))
    scene.add_emg(t, emg)
    scene.row(t, "artefact", "saturation", seconds + 1.0, emg)
    return t + seconds + 1.5


def scratching(scene: Scene, t: float) -> float:
    """Scratching beside the electrode: 3-6 strokes per second for 1-4 s, friction and shaking."""
    rng, p = scene.rng, scene.person
    seconds = float(rng.uniform(1.0, 4.0))
    rate = float(rng.uniform(3.0, 6.0))
    k = np.arange(int(seconds * FS_EMG)) / FS_EMG
    stroke = np.clip(np.sin(2 * np.pi * rate * k), 0.0, 1.0) ** 2
    sos = butter(2, [4.0, 120.0], "bandpass", fs=FS_EMG, output="sos")
    rub = np.asarray(sosfilt(sos, rng.standard_normal(k.size)))
    edge = np.clip(np.minimum(k, seconds - k) / 0.05, 0.0, 1.0)
    emg = _both(scene, rub / (rub.std() + 1e-12) * stroke * edge * log_uniform(rng, 30.0, 500.0))
    scene.add_emg(t, emg)
    peak = 0.0
    if p.accelerometer is not None:
        drive = stroke[:: int(FS_EMG / FS_MECH)]
        acc = moving_acceleration(rng, drive, p.bed, p.accelerometer, log_uniform(rng, 0.03, 0.3))
        scene.add_acc(t, acc)
        peak = float(dynamic(acc).max())
    scene.row(t, "artefact", "scratching", seconds, emg, peak, note=f"{rate:.1f} strokes/s")
    return t + seconds


def partner(scene: Scene, t: float) -> float:
    """Bed partner turns: 0.5-6 s of slow mattress shaking without EMG."""
    rng, p = scene.rng, scene.person
    if p.accelerometer is None:
        return t
    seconds = float(rng.uniform(0.5, 6.0))
    drive = np.sin(np.pi * np.linspace(0, 1, int(seconds * 1000))) ** 2
    acc = moving_acceleration(rng, drive, p.bed, p.accelerometer, log_uniform(rng, 0.008, 0.15))
    scene.add_acc(t, acc)
    peak = float(dynamic(acc).max())
    kind = "unclear" if peak > 0.012 else "artefact"
    scene.row(t, kind, "bed_partner", seconds, None, peak, note="passive, no EMG")
    return t + seconds + 0.5


def cat(scene: Scene, t: float) -> float:
    """Cat jumps on the bed (one knock) and walks a few steps."""
    rng, p = scene.rng, scene.person
    if p.accelerometer is None:
        return t
    at = t
    for k in range(int(rng.integers(1, 8))):
        size = log_uniform(rng, 0.1, 0.8) if k == 0 else log_uniform(rng, 0.01, 0.06)
        acc = knock_acc(rng, p.accelerometer, size, slow=True)
        scene.add_acc(at, acc)
        name = "cat_jump" if k == 0 else "cat_step"
        size_t = dynamic(acc)
        long = float(np.flatnonzero(size_t > 0.1 * size_t.max())[-1]) / FS_MECH
        top = float(size_t.max())
        scene.row(at, *_blow(scene, top, name), long, None, top, note="passive, no EMG")
        at += float(rng.uniform(0.35, 0.9))
    return at + 1.0
