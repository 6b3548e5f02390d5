"""What is always there: electrode noise, hum, heart, pulse and breath."""

import json
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import signal


def data_folder():
    return Path(os.environ.get("TWITCHSENSE_DATA", "."))


@lru_cache(maxsize=1)
def rest_spectrum():
    """Mean spectrum of real resting leg skin (a tibialis while the thigh works)."""
    folder = data_folder() / "emg_leg_elderly_hermescb"
    try:
        fs = float(json.loads((folder / "meta.json").read_text())["fs_hz"])
        with np.load(folder / "data.npz") as d:
            f, a = signal.welch(d["id5_EMG_VL"][:, 2] * 0.1, fs, nperseg=1024)
            _, b = signal.welch(d["id6_EMG_VL"][:, 2] * 0.1, fs, nperseg=1024)
    except (OSError, KeyError, ValueError):
        return None
    p = (a + b) / 2
    for m in (50, 60):
        for h in range(1, 12):
            near = np.abs(f - m * h) < 3
            p[near] = np.median(p[np.abs(f - m * h) < 14])
    return f, p


@lru_cache(maxsize=1)
def real_contractions():
    """Real held contractions of the tibialis, as (trace in uV, rate)."""
    folder = data_folder() / "emg_leg_elderly_hermescb"
    out = []
    try:
        with np.load(folder / "data.npz") as d:
            for key in sorted(d.files):
                if key.endswith("EMG_TA"):
                    out.append(d[key][:, 2].astype(float) * 0.1)
    except (OSError, KeyError):
        return []
    return [x for x in out if np.std(x) > 20]


def skin_noise(rng, n, fs, flavour):
    """Noise at the electrode, RMS 1 in 20-450 Hz, with slow breathing of its size.

    flavour: real (spectrum of real skin, random phases), skin (fractional
    electrode impedance), white (amplifier).
    """
    x = rng.normal(0, 1, n)
    if flavour != "white":
        f = np.fft.rfftfreq(2048, 1 / fs)
        rest = rest_spectrum() if flavour == "real" else None
        if rest is not None:
            gain = np.sqrt(np.interp(f, rest[0], rest[1]))
            gain[f > rest[0][-1]] = np.sqrt(rest[1][-1])
        else:
            slope, corner = rng.uniform(0.25, 0.8), rng.uniform(40, 200)
            gain = 1 + (corner / np.maximum(f, 2)) ** slope
        taps = np.fft.fftshift(np.fft.irfft(gain)) * signal.windows.hann(2048)
        x = signal.oaconvolve(x, taps, mode="same")
    sos = signal.butter(4, [20, min(450, 0.45 * fs)], "band", fs=fs, output="sos")
    part = signal.sosfilt(sos, x[: int(30 * fs)])
    x /= part.std()
    m = int(n / fs / 7) + 4
    slow = np.interp(np.arange(n) / fs, np.arange(m) * 7.0, np.exp(rng.normal(0, 0.06, m)))
    return x * slow


def hum(rng, n, fs, mains, rms):
    """Mains with harmonics; its size wanders slowly."""
    t = np.arange(n) / fs
    y = np.zeros(n)
    for k, part in ((1, 1.0), (2, 0.1), (3, 0.35), (5, 0.15)):
        y += part * rng.uniform(0.5, 1.2) * np.sin(2 * np.pi * mains * k * t + rng.uniform(0, 6.28))
    y *= 1 + 0.2 * np.sin(2 * np.pi * t / rng.uniform(60, 300) + rng.uniform(0, 6))
    return rms * y / y.std()


def beats(rng, seconds, bpm):
    """Heart beat times with breathing arrhythmia."""
    out, t = [], rng.uniform(0.2, 1)
    while t < seconds - 1:
        out.append(t)
        t += 60 / bpm * (1 + 0.04 * np.sin(2 * np.pi * t / 4.1) + rng.normal(0, 0.02))
    return np.array(out)


def still_acc(rng, n, fs, times, pulse_mg, breath_deg):
    """Pulse of the artery and breath in a leg that lies still (3, n)."""
    out = np.zeros((3, n))
    m = int(0.5 * fs)
    u = np.arange(m) / fs
    wave = np.sin(2 * np.pi * rng.uniform(3, 7) * u) * np.exp(-u / rng.uniform(0.06, 0.12))
    wave *= pulse_mg / 1000 / np.abs(wave).max()
    ax = rng.normal(0, 1, 3)
    ax /= np.linalg.norm(ax)
    train = np.zeros(n)
    hit = ((times + 0.25) * fs).astype(int)
    hit = hit[hit < n - m]
    train[hit] = rng.normal(1, 0.1, len(hit))
    out += ax[:, None] * signal.oaconvolve(train, wave)[:n]
    t = np.arange(n) / fs
    bx = rng.normal(0, 1, 3)
    bx /= np.linalg.norm(bx)
    rate = rng.uniform(0.2, 0.32)
    out += bx[:, None] * np.radians(breath_deg) * np.sin(2 * np.pi * rate * t + np.sin(t / 37))
    return out
