"""What electrodes, cables and the mains do: all shapes are simulated, none holds muscle."""

from __future__ import annotations

import numpy as np
from scipy import signal
from scipy.interpolate import CubicSpline

from benchmarks.accuracy.canvas import Canvas, Motion
from benchmarks.accuracy.limb import activity, bump, jolt
from benchmarks.accuracy.targets import log_uniform

SOURCE = "simulated"


def smoothed(canvas: Canvas, x: np.ndarray) -> np.ndarray:
    """Return `x` as the converter gets it: behind the device's analogue low-pass, if any."""
    fs, device = canvas.fs, canvas.device
    pad = np.pad(x, (round(0.01 * fs), round(0.02 * fs)))
    if not device.analogue_order:
        return pad
    corner = device.analogue_share * fs
    return signal.sosfilt(signal.butter(device.analogue_order, corner, fs=fs, output="sos"), pad)


def on_channels(canvas: Canvas, x: np.ndarray, both: float = 0.25) -> list[np.ndarray]:
    """Return the wave for one channel, or for all (a reference electrode)."""
    rng, n = canvas.rng, canvas.device.n_emg
    if rng.random() < both:
        return [x * rng.uniform(0.3, 1) for _ in range(n)]
    own = int(rng.integers(n))
    return [x if i == own else np.zeros(len(x)) for i in range(n)]


def spike(canvas: Canvas) -> np.ndarray:
    """Return a single sharp transient: a block, a wedge, a decay, or a ringing one."""
    rng, fs = canvas.rng, canvas.fs
    t = np.arange(round(0.06 * fs)) / fs
    length = log_uniform(rng, 0.0003, 0.004)
    form = rng.choice(["block", "wedge", "decay", "ring"], p=[0.3, 0.1, 0.5, 0.1])
    if form == "block":
        shape = (t < length).astype(float)
    elif form == "wedge":
        rise = max(length, 1 / fs)
        shape = np.clip(1 - np.abs(t - rise) / rise, 0, 1)
    else:
        shape = np.exp(-t / rng.uniform(0.002, 0.015))
    if form == "ring":
        shape *= np.cos(2 * np.pi * rng.uniform(60, 350) * t)
    if rng.random() < 0.4:  # swings back
        lag = max(round(rng.uniform(0.001, 0.006) * fs), 1)
        shape = shape - rng.uniform(0.4, 1.0) * np.roll(shape, lag) * (np.arange(len(t)) >= lag)
    return shape * log_uniform(rng, 30, 1500) * rng.choice((-1.0, 1.0))


def crackle(canvas: Canvas, shortest: float = 0.1, least: int = 5) -> np.ndarray:
    """Return a burst of 5 to 80 random spikes within 0.1 to 3 s."""
    rng, fs = canvas.rng, canvas.fs
    seconds = log_uniform(rng, shortest, 3)
    x = np.zeros(round((seconds + 0.1) * fs))
    size = log_uniform(rng, 40, 800)
    for _ in range(int(rng.integers(least, 15 + 22 * seconds))):
        one = spike(canvas)
        one *= size * rng.lognormal(0, 0.6) / np.abs(one).max()
        a = int(rng.integers(0, round(seconds * fs)))
        m = min(len(one), len(x) - a)
        x[a : a + m] += one[:m]
    return x


def step(canvas: Canvas) -> np.ndarray:
    """Return a step that decays with 50 to 500 ms."""
    rng, fs = canvas.rng, canvas.fs
    tau = log_uniform(rng, 0.05, 0.5)
    t = np.arange(round(6 * tau * fs)) / fs
    front = np.clip(t / rng.uniform(0.0005, 0.004), 0, 1)
    return front * np.exp(-t / tau) * log_uniform(rng, 80, 2500) * rng.choice((-1.0, 1.0))


def swing(canvas: Canvas) -> np.ndarray:
    """Return a slow swing of a moved cable, 1 to 8 Hz."""
    rng, fs = canvas.rng, canvas.fs
    n = round(rng.uniform(0.5, 5) * fs)
    sos = signal.butter(2, (0.8, rng.uniform(3, 8)), "bandpass", fs=fs, output="sos")
    x = signal.sosfilt(sos, rng.standard_normal(n + 2000))[2000:] * np.hanning(n)
    return x / np.abs(x).max() * log_uniform(rng, 50, 1000)


POPS = {"pop_spike": spike, "pop_crackle": crackle, "pop_step": step, "motion_swing": swing}


def add_artefact(
    canvas: Canvas,
    start: float,
    seconds: float,
    waves: list[np.ndarray],
    motion: Motion | None,
    kind: str,
    source: str,
) -> None:
    """Add an artefact; its row holds the whole of it, also what the EMG band does not show."""
    row = canvas.event(start, waves, motion, "artifact", kind, source)
    row |= {"onset": start, "duration": seconds}


def add_pops(canvas: Canvas, count: int, start: float, end: float) -> None:
    """Add electrode artefacts of all shapes."""
    rng = canvas.rng
    if not canvas.device.n_emg:
        return
    for _ in range(count):
        kind = str(rng.choice(list(POPS), p=[0.35, 0.25, 0.25, 0.15]))
        x = smoothed(canvas, POPS[kind](canvas))
        t = canvas.reserve_between(len(x) / canvas.fs, 0.4, start, end)
        if t is None:
            continue
        motion, where = None, ""
        if kind == "motion_swing" and rng.random() < 0.5:
            seconds = max(len(x) / canvas.fs, 0.6)
            motion, where = activity(canvas.parts, seconds, rng.uniform(0.005, 0.014), False, rng)
        source = f"{SOURCE} | {where}" if where else SOURCE
        add_artefact(canvas, t, len(x) / canvas.fs, on_channels(canvas, x), motion, kind, source)


def add_bumps(canvas: Canvas, count: int, near: list[dict], start: float, end: float) -> None:
    """Add knocks at the bed: free ones, and one near each target of `near` (rows)."""
    rng, fs = canvas.rng, canvas.fs
    times = [float(row["onset"] + rng.uniform(-0.25, 0.3)) for row in near]
    for _ in range(count):
        free = canvas.reserve_between(0.8, 1.0, start, end)
        if free is not None:
            times.append(free)
    for i, t in enumerate(times):
        motion, where = bump(canvas.parts, log_uniform(rng, 0.03, 1.0), rng)
        waves: list[np.ndarray] = []
        kind = "bump"
        if canvas.device.n_emg and rng.random() < 0.35 and i >= len(near):
            kind = "bump_with_cable"
            x = swing(canvas)[: round(0.4 * fs)]
            x = x * np.hanning(len(x))
            click = spike(canvas)[: len(x)]
            x[: len(click)] += click / np.abs(click).max() * log_uniform(rng, 10, 80)
            waves = on_channels(canvas, smoothed(canvas, x), 0.5)
        if i < len(near):
            kind = f"bump_at_{near[i]['trial_type']}"
        tolerated = "jerk" if not canvas.device.n_emg else ""
        canvas.event(t, waves, motion, "artifact", kind, where, tolerated)


def add_tugs(canvas: Canvas, count: int, start: float, end: float) -> None:
    """Knock at the sensor or pull at its cable: a contact opens while the leg is jolted."""
    rng = canvas.rng
    for _ in range(count):
        kind = str(rng.choice(list(POPS), p=[0.4, 0.3, 0.2, 0.1]))
        x = crackle(canvas, 0.02, 2) if kind == "pop_crackle" else POPS[kind](canvas)
        x = smoothed(canvas, x)
        to_g, lag = log_uniform(rng, 0.03, 1.5), float(rng.uniform(-0.04, 0.06))
        if rng.random() < 0.5:
            motion, where = bump(canvas.parts, to_g, rng)
            motion.start += lag
        else:
            motion, where = jolt(canvas.parts, to_g, lag, rng)
        t = canvas.reserve_between(max(len(x) / canvas.fs, 0.9), 0.6, start, end)
        if t is not None:
            waves, source = on_channels(canvas, x, 0.5), f"{SOURCE} | {where}"
            add_artefact(canvas, t, len(x) / canvas.fs, waves, motion, "tug", source)


def add_shifts(canvas: Canvas, count: int, start: float, end: float) -> None:
    """Let a contact jump to another level, 25 to 400 µV away, and creep back within seconds."""
    rng, fs = canvas.rng, canvas.fs
    for _ in range(count):
        tau = log_uniform(rng, 0.3, 10)
        t = np.arange(round(min(6 * tau, 30) * fs)) / fs
        x = np.clip(t / rng.uniform(0.0002, 0.004), 0, 1) * np.exp(-t / tau)
        x *= log_uniform(rng, 25, 400) * rng.choice((-1.0, 1.0))
        x = smoothed(canvas, x)
        at = canvas.reserve_between(0.1, 0.3, start, end)
        if at is not None:
            add_artefact(canvas, at, 0.1, on_channels(canvas, x), None, "shift", SOURCE)


def add_hiss(canvas: Canvas, count: int, start: float, end: float) -> None:
    """Let a contact hiss for 1 to 20 s, 8 to 60 µV RMS: no muscle has so flat a spectrum."""
    rng, fs = canvas.rng, canvas.fs
    for _ in range(count):
        n = round(log_uniform(rng, 1, 20) * fs)
        power = np.fft.rfft(rng.standard_normal(n))
        power /= np.maximum(np.fft.rfftfreq(n, 1 / fs), 10) ** rng.uniform(0, 0.5)
        x = np.fft.irfft(power, n)
        edge = min(log_uniform(rng, 0.01, 3) * fs, n / 2)
        swell = np.minimum(1, np.minimum(np.arange(n), np.arange(n)[::-1]) / edge)
        x *= swell * log_uniform(rng, 8, 60) / x.std()
        x = smoothed(canvas, x)
        at = canvas.reserve_between(len(x) / fs, 1.0, start, end)
        if at is not None:
            add_artefact(canvas, at, len(x) / fs, on_channels(canvas, x), None, "hiss", SOURCE)


def add_mains(canvas: Canvas, start: float, seconds: float, height_uv: float, abrupt: bool) -> None:
    """Add mains hum with harmonics; frequency wanders by some hundredths of a hertz."""
    rng, fs = canvas.rng, canvas.fs
    a, b = round(start * fs), min(round((start + seconds) * fs), canvas.n)
    t = np.arange(b - a) / fs
    base = float(rng.choice((50.0, 60.0))) / (1 + canvas.device.rate_error)
    knots = np.arange(0, len(t) / fs + 20, 10.0)
    drift = np.interp(t, knots, np.cumsum(rng.normal(0, 0.005, len(knots))))
    phase = 2 * np.pi * np.cumsum(base + drift) / fs
    edge = 0.005 if abrupt else min(rng.uniform(5, 30), seconds / 3)
    envelope = np.clip(np.minimum(t, (b - a) / fs - t) / edge, 0, 1)
    envelope *= 1 + 0.1 * np.sin(2 * np.pi * t / rng.uniform(20, 90) + rng.uniform(0, 6))
    shares = {2: rng.uniform(0, 0.15), 3: rng.uniform(0.1, 0.5), 5: rng.uniform(0, 0.3),
              7: rng.uniform(0, 0.15)}  # fmt: skip
    x = np.sin(phase)
    for order, share in shares.items():
        if order * base < 0.45 * fs:
            x += share * np.sin(order * phase + rng.uniform(0, 6))
    x *= envelope * height_uv / np.ptp(np.sin(phase[: round(fs)]))
    for channel in range(canvas.device.n_emg):
        canvas.emg[channel, a:b] += (x * rng.uniform(0.3, 1.0)).astype(np.float32)
    canvas.note(start, (b - a) / fs, "mains", SOURCE, amplitude_uv=height_uv)


def add_wander(canvas: Canvas, start: float, seconds: float) -> None:
    """Add baseline wander below 1 Hz, 50 to 1000 µV."""
    rng, fs = canvas.rng, canvas.fs
    a, b = round(start * fs), min(round((start + seconds) * fs), canvas.n)
    sos = signal.butter(2, (0.05, rng.uniform(0.3, 1.2)), "bandpass", fs=50, output="sos")
    count = round(seconds * 50) + 2
    slow = signal.sosfilt(sos, rng.standard_normal(count + 500))[500:]
    slow *= np.minimum(1, np.minimum(np.arange(count), np.arange(count)[::-1]) / 250)
    slow *= log_uniform(rng, 50, 1000) / np.abs(slow).max()
    x = CubicSpline(np.arange(count) / 50, slow)(np.arange(b - a) / fs)
    own = int(rng.integers(canvas.device.n_emg))
    canvas.emg[own, a:b] += x.astype(np.float32)
    canvas.note(start, (b - a) / fs, "wander", SOURCE, amplitude_uv=float(np.ptp(slow)))


def add_saturation(canvas: Canvas, start: float) -> None:
    """Drive a channel to its rail for 0.1 to 8 s; it comes back exponentially."""
    rng, fs = canvas.rng, canvas.fs
    held, tau = log_uniform(rng, 0.1, 8), rng.uniform(0.1, 0.6)
    t = np.arange(round((held + 10 * tau) * fs)) / fs
    high = 1.3 * canvas.device.emg_range_uv
    x = high * np.where(t < held, 1, np.exp(-(t - held) / tau)) * rng.choice((-1.0, 1.0))
    if canvas.reserve(start, len(t) / fs, 0.5):
        own = int(rng.integers(canvas.device.n_emg))
        canvas.add_emg(start, [x if i == own else 0 * x for i in range(canvas.device.n_emg)])
        canvas.note(start, len(t) / fs, "saturation", SOURCE, channel=f"emg{own + 1}")


def add_dropout(canvas: Canvas, start: float) -> None:
    """Lose 20 ms to 10 s of one channel, of the accelerometer, or of all."""
    rng = canvas.rng
    seconds = log_uniform(rng, 0.02, 10)
    where = int(rng.choice([-1, -1, 9, *range(canvas.device.n_emg)]))
    if canvas.reserve(start, seconds, 0.3):
        a, b = round(start * canvas.fs), round((start + seconds) * canvas.fs)
        canvas.gaps.append((where, a, b))
        lost = {-1: "all", 9: "acc"}.get(where, f"emg{where + 1}")
        canvas.note(start, seconds, "dropout", SOURCE, channel=lost)


def loosen(canvas: Canvas, start: float, seconds: float, kind: str) -> None:
    """Let contact worsen: gain falls and noise grows (`strap`), or noise alone (`low_contact`)."""
    rng = canvas.rng
    a = int(start)
    n = min(int(seconds), canvas.gain.shape[1] - a)
    ramp = np.interp(np.arange(n), [0, 0.4 * n, 0.9 * n, n], [0, 1, 1, 0])
    if kind == "low_contact":
        ramp = np.minimum(1, np.minimum(np.arange(n), np.arange(n)[::-1]) / 5)
    own = int(rng.integers(max(canvas.device.n_emg, 1)))
    level = canvas.levels_uv[own]
    high = rng.uniform(10, 30) / level if kind == "low_contact" else rng.uniform(1.5, 4)
    canvas.factor[own, a : a + n] *= np.exp(ramp * np.log(max(high, 1.1)))
    if kind == "strap_loosening":
        canvas.gain[own, a : a + n] *= 1 - ramp * rng.uniform(0.3, 0.7)
    canvas.note(start, n, kind, SOURCE, channel=f"emg{own + 1}")


def hiss(canvas: Canvas) -> None:
    """Let every contact be as bad as `low_contact` throughout."""
    for k, level in enumerate(canvas.levels_uv):
        canvas.factor[k] *= max(canvas.rng.uniform(10, 30) / level, 1.1)
        canvas.note(0.0, canvas.seconds, "low_contact", SOURCE, channel=f"emg{k + 1}")
