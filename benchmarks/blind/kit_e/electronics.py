"""Background, amplifier and converters.

Electrode noise is white (thermal, amplifier) plus 1/f^a of the electrode-skin interface, slowly
changing as gel dries. Mains comes from the imbalance of electrode impedances, its frequency
wanders within the grid's tolerance and rectifier loads add odd (transformers also even)
harmonics. The heart's field reaches the leg as a small, smoothed QRS with T wave.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import bessel, butter, sosfilt

from .model import Accelerometer, Amplifier, Array, Bed, Body, Electrode


def amplify(x: Array, amp: Amplifier) -> Array:
    """Pass ``x`` (..., n) through the amplifier's band (causal)."""
    out = x
    if amp.high_hz > 0:
        out = sosfilt(butter(amp.high_order, amp.high_hz, "highpass", fs=amp.fs, output="sos"), out)
    if amp.low_hz < 0.46 * amp.fs:
        out = sosfilt(bessel(4, amp.low_hz, "lowpass", fs=amp.fs, output="sos", norm="mag"), out)
    return np.asarray(out, dtype=float)


def convert(x: Array, amp: Amplifier) -> Array:
    """Quantise and clip as the converter does (uV)."""
    top = amp.rail_uv
    out: Array = np.clip(np.round(x / amp.lsb_uv) * amp.lsb_uv, -top, top - amp.lsb_uv)
    return out


def band(x: Array, fs: float, low: float = 20.0, high: float = 450.0) -> Array:
    """Band-pass (4th order, causal) for the noise measure of the truth."""
    top = min(high, 0.46 * fs)
    return np.asarray(sosfilt(butter(4, [low, top], "bandpass", fs=fs, output="sos"), x), dtype=float)


def coloured(rng: np.random.Generator, n: int, fs: float, colour: float) -> Array:
    """White plus 1/f^colour noise of unit density at the 60 Hz corner, with slow breathing of level."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    f = np.fft.rfftfreq(n, 1.0 / fs)
    f[0] = f[1]
    spectrum *= np.sqrt(1.0 + (60.0 / np.maximum(f, 0.3)) ** colour)
    spectrum[f < 0.02] = 0.0
    x = np.fft.irfft(spectrum, n)
    knots = np.exp(0.07 * np.cumsum(rng.standard_normal(int(n / fs / 60) + 3)) * 0.5)
    out: Array = x * np.interp(np.arange(n) / fs / 60.0, np.arange(knots.size), knots)
    return out


def electrode_noise(
    rng: np.random.Generator, n: int, amp: Amplifier, electrode: Electrode, rms_uv: float
) -> Array:
    """Noise before the amplifier with ``rms_uv`` behind it in 20-450 Hz."""
    x = coloured(rng, n, amp.fs, electrode.colour)
    probe = band(amplify(x[: int(40 * amp.fs)], amp), amp.fs)[int(amp.fs) :]
    out: Array = x * (rms_uv / float(probe.std()))
    return out


def mains(rng: np.random.Generator, n: int, fs: float, bed: Bed, level_uv: float) -> Array:
    """Mains hum of ``level_uv`` RMS with harmonics, wandering frequency and level."""
    if level_uv <= 0:
        return np.zeros(n)
    seconds = n / fs
    limit = 0.2 if bed.mains_hz < 55 else 0.1
    knots = int(seconds / 10) + 3
    drift = np.clip(np.cumsum(0.15 * limit * rng.standard_normal(knots)), -limit, limit)
    level = np.exp(np.clip(np.cumsum(0.12 * rng.standard_normal(knots)), -0.9, 0.9))
    t = np.arange(n) / fs
    phase = 2 * np.pi * np.cumsum(bed.mains_hz + np.interp(t / 10.0, np.arange(knots), drift)) / fs
    shares = {1: 1.0}
    for k in (2, 3, 4, 5, 7, 9):
        shares[k] = (bed.odd if k % 2 else bed.even) / k**0.6 * float(rng.uniform(0.3, 1.0))
    x = np.zeros(n)
    for k, share in shares.items():
        if k * bed.mains_hz < 0.48 * fs:
            x += share * np.sin(k * phase + rng.uniform(0, 2 * np.pi))
    out: Array = x / x.std() * level_uv * np.interp(t / 10.0, np.arange(knots), level)
    return out


def beats(rng: np.random.Generator, seconds: float, body: Body, ectopic: float) -> list[tuple[float, bool]]:
    """Heart beats (time, ectopic) with respiratory and slow variability."""
    out: list[tuple[float, bool]] = []
    t = float(rng.uniform(0.2, 1.0))
    slow = 0.0
    while t < seconds:
        slow = 0.97 * slow + 0.01 * rng.standard_normal()
        rr = 60.0 / body.heart_bpm * (
            1.0 + slow + 0.04 * np.sin(2 * np.pi * body.breath_hz * t) + 0.01 * rng.standard_normal()
        )
        early = rng.random() < ectopic
        if early:
            out.append((t + 0.62 * rr, True))
            t += 1.95 * rr
            out.append((t, False))
        else:
            t += rr
            out.append((t, False))
    return [b for b in out if b[0] < seconds - 1.0]


def heart_field(
    rng: np.random.Generator, n: int, fs: float, marks: list[tuple[float, bool]], size_uv: float
) -> Array:
    """ECG at the leg, ``size_uv`` peak to peak of the QRS."""
    t = np.arange(-0.25, 0.5, 1.0 / fs)
    q, s = rng.uniform(-0.4, 0.1), rng.uniform(-0.8, -0.05)
    wide = rng.uniform(0.009, 0.014)

    def bell(at: float, width: float) -> Array:
        out: Array = np.exp(-0.5 * ((t - at) / width) ** 2)
        return out

    normal = bell(0, wide) + q * bell(-0.022, wide) + s * bell(0.026, 1.2 * wide)
    normal = normal + 0.15 * bell(0.26, 0.05) + 0.06 * bell(-0.16, 0.025)
    odd = -0.9 * bell(0.0, 0.03) + 1.1 * bell(0.05, 0.035) - 0.3 * bell(0.3, 0.06)
    unit = float(np.ptp(normal))
    x = np.zeros(n)
    sign = -1.0 if rng.random() < 0.5 else 1.0
    for at, ectopic in marks:
        i = int((at - 0.25) * fs)
        if i < 0 or i + t.size > n:
            continue
        x[i : i + t.size] += (odd if ectopic else normal) * (1.0 + 0.05 * rng.standard_normal())
    out: Array = sign * x * size_uv / unit
    return out


def wander(rng: np.random.Generator, n: int, fs: float, size_uv: float) -> Array:
    """Slow drift of half-cell and skin potentials (sweat waves of 3-20 s)."""
    knots = int(n / fs / 4.0) + 4
    walk = np.cumsum(rng.standard_normal(knots)) * 0.3 + rng.standard_normal(knots)
    grid = np.arange(n) / fs / 4.0
    i = np.minimum(grid.astype(int), knots - 2)
    f = grid - i
    f = f * f * (3 - 2 * f)
    out: Array = size_uv * ((1 - f) * walk[i] + f * walk[i + 1])
    return out


def still_acceleration(
    rng: np.random.Generator, n: int, fs: float, body: Body, marks: list[tuple[float, bool]]
) -> Array:
    """Pulse, breathing and snoring (3, n) in g of a leg at rest."""
    t = np.arange(n) / fs
    direction = rng.standard_normal((3, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    pulse = np.zeros(n)
    k = np.arange(0, 0.7, 1.0 / fs)
    late = k - 0.12
    shape = np.where(late > 0, np.sin(2 * np.pi * 5.5 * late) * np.exp(-late / 0.09), 0.0)
    shape = shape + 0.35 * np.where(k > 0.3, np.sin(2 * np.pi * 4 * (k - 0.3)) * np.exp(-(k - 0.3) / 0.08), 0.0)
    for at, ectopic in marks:
        i = int((at + 0.06) * fs)
        if i + k.size < n:
            pulse[i : i + k.size] += shape * (0.6 if ectopic else 1.0) * (1 + 0.1 * rng.standard_normal())
    phase = 2 * np.pi * np.cumsum(body.breath_hz * (1 + 0.08 * np.sin(0.05 * t + 1.0))) / fs
    breath = np.sin(phase) + 0.3 * np.sin(2 * phase + 0.7)
    tone = float(rng.uniform(28.0, 70.0))
    snore = np.sin(2 * np.pi * tone * t + 2.0 * np.sin(0.3 * t)) * np.clip(np.sin(phase + 0.4), 0, 1) ** 2
    parts = (body.pulse_mg * pulse, 0.8 * breath, body.snore_mg * snore)
    out: Array = sum(d[:, None] * p for d, p in zip(direction, parts, strict=True)) / 1000.0
    return out


def sense(rng: np.random.Generator, acc: Array, sensor: Accelerometer) -> Array:
    """Add sensor noise, gain and offset errors; quantise and clip (g)."""
    gain = 1.0 + 0.015 * rng.standard_normal((3, 1))
    offset = 0.015 * rng.standard_normal((3, 1))
    noise = sensor.noise_ug * 1e-6 * np.sqrt(sensor.fs / 2.0) * rng.standard_normal(acc.shape)
    lsb = 2.0 * sensor.range_g / 2.0**sensor.bits
    out: Array = np.clip(
        np.round((gain * acc + offset + noise) / lsb) * lsb, -sensor.range_g, sensor.range_g - lsb
    )
    return out
