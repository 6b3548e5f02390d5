"""Recorders: amplifiers, converters and accelerometers, after data sheets of devices on sale.

EMG: Trigno (1259/1926/2148 Hz, 20–450 Hz, ±11 mV, 16 bit), BITalino (1000 Hz, 25–480 Hz, ±1.64 mV,
10 bit), Myo (200 Hz, 8 bit), gForcePro (500 Hz, 12 bit), OpenBCI Cyton/Ganglion (250/200 Hz, 24 bit,
DC-coupled), Shimmer3 (512/1024 Hz, 24 bit), Movesense-like ECG front end (250/500 Hz, 0.5–100/150 Hz,
18 bit), Olimex on a 10-bit Arduino converter (250/500 Hz, low-pass about 60 Hz), polysomnographs (10–100 Hz, 200/500 Hz, 16 bit).
Ranges and corners are rounded and partly from memory; the kit needs their order of size only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt

from .types import Array
from .waves import Rng


@dataclass(frozen=True)
class Emg:
    """EMG chain: rate (Hz), bits, full scale ± (µV), band (Hz; 0 = DC), orders of both flanks."""

    name: str
    fs: float
    bits: int
    full_uv: float
    low: float
    high: float
    order_low: int = 2
    order_high: int = 4


@dataclass(frozen=True)
class Acc:
    """Accelerometer: rate (Hz), bits, range ± (g), noise density (µg/√Hz)."""

    fs: float
    bits: int
    full_g: float
    density: float


EMGS: dict[str, Emg] = {
    "bitalino": Emg("bitalino", 1000, 10, 1640, 25, 480, 2, 2),
    "bitalino12": Emg("bitalino12", 1000, 12, 1640, 10, 480, 2, 2),
    "std1k": Emg("std1k", 1000, 16, 8000, 10, 500),
    "std1k_20": Emg("std1k_20", 1000, 16, 6000, 20, 450),
    "std1k_dc": Emg("std1k_dc", 1000, 24, 187500, 0.0, 400, 1, 3),
    "std1k_12": Emg("std1k_12", 1000, 12, 3000, 15, 450),
    "trigno1259": Emg("trigno1259", 34000 / 27, 16, 11000, 20, 450),
    "trigno2148": Emg("trigno2148", 58000 / 27, 16, 11000, 20, 450),
    "shimmer512": Emg("shimmer512", 512, 24, 200000, 5, 200, 1, 3),
    "shimmer1024": Emg("shimmer1024", 1024, 24, 200000, 5, 400, 1, 3),
    "cyton250": Emg("cyton250", 250, 24, 187500, 0.0, 65, 1, 3),
    "ganglion200": Emg("ganglion200", 200, 24, 15000, 0.3, 80, 1, 3),
    "movesense250": Emg("movesense250", 250, 18, 8000, 0.5, 100, 1, 2),
    "movesense500": Emg("movesense500", 500, 18, 8000, 0.5, 150, 1, 2),
    "myo200": Emg("myo200", 200, 8, 1000, 5, 95, 1, 2),
    "gforce500": Emg("gforce500", 500, 12, 2500, 20, 230, 2, 2),
    "gforce8": Emg("gforce8", 500, 8, 1500, 20, 230, 2, 2),
    "olimex250": Emg("olimex250", 250, 10, 860, 0.16, 60, 2, 3),
    "olimex500": Emg("olimex500", 500, 10, 860, 0.16, 59, 2, 3),
    "psg500": Emg("psg500", 500, 16, 3200, 10, 100, 1, 2),
    "psg200": Emg("psg200", 200, 16, 1600, 10, 70, 1, 2),
    "lab2000": Emg("lab2000", 2000, 16, 10000, 10, 500),
    "lab2000_lp": Emg("lab2000_lp", 2000, 12, 5000, 5, 150, 1, 2),
    "lab2048": Emg("lab2048", 2048, 16, 6000, 10, 900),
    "lab4000": Emg("lab4000", 4000, 24, 100000, 10, 1000),
}


def draw_acc(rng: Rng, rates: tuple[float, ...], full: tuple[float, ...], bits: tuple[int, ...]) -> Acc:
    """One accelerometer; 8 bits go with ±2 g only (else a step is bigger than a jerk)."""
    b = int(rng.choice(bits))
    return Acc(float(rng.choice(rates)), b, 2.0 if b == 8 else float(rng.choice(full)), rng.uniform(100, 300))


def inner_rate(fs: float, least: float) -> tuple[float, int]:
    """Synthesis rate (a multiple of ``fs`` not under ``least``) and the factor."""
    k = max(1, int(np.ceil(least / fs - 1e-9)))
    return fs * k, k


def amp_sos(d: Emg, fi: float) -> Array:
    """Causal pass band of the amplifier at the synthesis rate."""
    parts = [butter(d.order_high, min(d.high, 0.48 * fi), fs=fi, output="sos")]
    if d.low > 0:
        parts.append(butter(d.order_low, d.low, "high", fs=fi, output="sos"))
    return np.vstack(parts)


def band_rms(x: Array, fs: float) -> float:
    """RMS in 20–450 Hz (or to 0.45 of a low rate)."""
    return float(np.sqrt(np.mean(band(x, fs)[int(fs):] ** 2)))


def band(x: Array, fs: float) -> Array:
    """Causal 20–450 Hz (or 0.45 fs) Butterworth filter, order 4."""
    return sosfilt(butter(4, [20, min(450, 0.45 * fs)], "band", fs=fs, output="sos"), x)


def convert(x: Array, full: float, bits: int) -> Array:
    """Round to the converter's steps and clip at the rails."""
    lsb = 2 * full / 2**bits
    return np.clip(np.round(x / lsb) * lsb, -full, full - lsb)


def acc_sos(a: Acc, fi: float, corner: float) -> Array:
    """Low-pass of the sensor; ``corner`` as a part of its rate."""
    return butter(2, corner * a.fs, fs=fi, output="sos")
