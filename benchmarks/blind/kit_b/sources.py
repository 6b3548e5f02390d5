"""The real recordings, read from the folder named by TWITCHSENSE_DATA, and banks cut from them.

Sources (none is copied into the kit):

* leg EMG of the elderly, hermescb, doi 10.1016/j.bspc.2023.105635, CC0-1.0 (2000 Hz);
* walking EMG, alesantuz/musclesyneRgies, doi 10.1016/j.isci.2019.100796, MIT (1000 Hz);
* BITalino EMG and ECG, PIA-Group/BioSPPy, BSD-3-Clause (1000 Hz);
* Daphnet ankle acceleration, Baechlin 2010, UCI, CC BY 4.0 (64 Hz);
* leg bursts in sleep, aroethen/RBDtector, MIT (scored times only).
"""

from __future__ import annotations

import csv
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import ndimage, signal

from .model import Array

MUAP_FS = 8000.0
CONTRACTION_FS = 2000.0
ACC_FS = 64.0


def folder() -> Path:
    """Return the data folder (environment variable TWITCHSENSE_DATA)."""
    if "TWITCHSENSE_DATA" not in os.environ:
        raise RuntimeError("set TWITCHSENSE_DATA to the folder of the real recordings (see KIT.md)")
    return Path(os.environ["TWITCHSENSE_DATA"])


def _load(name: str) -> dict[str, Array]:
    with np.load(folder() / name / "data.npz") as pack:
        return {k: np.asarray(pack[k], dtype=float) for k in pack.files}


def band(x: Array, lo: float, hi: float, fs: float) -> Array:
    """Zero-phase Butterworth band-pass of order 4."""
    hi = min(hi, 0.49 * fs)
    sos = signal.butter(4, [lo, hi], "bandpass", fs=fs, output="sos")
    return np.asarray(signal.sosfiltfilt(sos, x, axis=0), dtype=float)


@lru_cache(maxsize=1)
def elderly() -> dict[str, Array]:
    """Return the elderly leg EMG in µV, recording name -> (samples, 4)."""
    return {k: v * 0.1 for k, v in _load("emg_leg_elderly_hermescb").items()}


@lru_cache(maxsize=1)
def contractions() -> tuple[Array, ...]:
    """Return real contraction EMG (tibialis, vastus), slow envelope divided out: unit RMS, 2000 Hz."""
    out: list[Array] = []
    for name, x in elderly().items():
        for col, task in ((2, "TA"), (0, "VL")):
            if not name.endswith(task) or name in ("id5_EMG_VL", "id7_EMG_TA", "id8_EMG_TA"):
                continue
            y = band(x[:, col], 10.0, 500.0, CONTRACTION_FS)
            env = np.sqrt(ndimage.uniform_filter1d(y * y, 1001))
            out.append((y / np.maximum(env, 1e-3))[400:-400])
    return tuple(out)


def _clip_muap(s: Array, half: int) -> Array | None:
    """Taper a potential to where its envelope falls under a tenth of its peak; None if it does not."""
    env = ndimage.gaussian_filter1d(np.abs(signal.hilbert(s)), 2.0)
    peak = float(env.max())
    low = np.flatnonzero(env < 0.16 * peak)
    left, right = low[low < half], low[low > half]
    if not len(left) or not len(right):
        return None
    a, b = int(left[-1]), int(right[0])
    if b - a < 6 or b - a > 60:
        return None
    w = np.zeros(len(s))
    w[a:b] = 1.0
    y = s * ndimage.gaussian_filter1d(w, 2.0)
    return np.asarray(y[max(a - 7, 0) : b + 7], dtype=float)


@lru_cache(maxsize=1)
def muaps() -> tuple[Array, ...]:
    """Return isolated motor-unit-like potentials, unit peak to peak, 8000 Hz.

    They are cut from weak contractions: peaks above 4.5 robust deviations with no rival within 25 ms;
    potentials of the same channel alike by correlation (> 0.8) are averaged (spike-triggered average),
    the rest kept when clearly above their surroundings, and tapered to nothing.
    """
    half = 32
    out: list[Array] = []
    weak = [(k, c) for k in elderly() for c in (0, 1, 2)]
    for name, col in weak:
        x = band(elderly()[name][:, col], 12.0, 480.0, CONTRACTION_FS)
        sd = float(np.median(np.abs(x)) / 0.6745)
        if not 2.8 < sd < 60.0 or (name == "id5_EMG_VL" and col == 0):
            continue
        peaks, _ = signal.find_peaks(np.abs(x), height=4.0 * sd, distance=20)
        cut = []
        for p in peaks:
            if p < 120 or p > len(x) - 120:
                continue
            s = x[p - half : p + half + 1]
            around = np.concatenate([x[p - 90 : p - 24], x[p + 24 : p + 90]])
            if np.abs(around).max() < 0.42 * abs(x[p]):
                cut.append(s)
        used: set[int] = set()
        for i, s in enumerate(cut):
            if i in used:
                continue
            alike = [j for j, o in enumerate(cut) if j not in used and np.corrcoef(s[14:-14], o[14:-14])[0, 1] > 0.8]
            used.update(alike)
            y = _clip_muap(np.mean([cut[j] for j in alike], axis=0), half)
            if y is not None:
                y = np.asarray(signal.resample_poly(np.pad(y, 8), 4, 1), dtype=float)
                out.append(y / np.ptp(y))
    return tuple(out)


def _stationary(x: Array, fs: float, length: float, limit: float) -> list[Array]:
    """Cut pieces of real rest without any event above limit robust deviations."""
    y = band(x, 20.0, 450.0, fs)
    n = int(length * fs)
    sd = float(np.median(np.abs(y)) / 0.6745)
    pieces = []
    for i in range(int(0.3 * fs), len(x) - n - int(0.3 * fs), n // 2):
        part = y[i : i + n]
        if np.abs(part).max() < limit * sd and 0.8 < part.std() / sd < 1.15:
            pieces.append((x[i : i + n] - x[i : i + n].mean()) / part.std())
    return pieces


@lru_cache(maxsize=4)
def noise_pieces(kind: str) -> tuple[tuple[Array, ...], float]:
    """Return real resting noise, unit RMS in 20-450 Hz, and its rate.

    kind is "skin" (tibialis at rest, 2.4 µV), "amp" (a dead channel: electrode and amplifier only)
    or "bitalino" (a cheap wearable amplifier).
    """
    out: list[Array] = []
    if kind == "bitalino":
        x = _load("emg_bitalino_biosppy")["emg_uv"]
        for part in (x[:34000], x[60000:]):
            out += _stationary(part, 1000.0, 3.0, 5.2)
        return tuple(out), 1000.0
    for name, x in elderly().items():
        if kind == "skin" and name in ("id5_EMG_VL", "id6_EMG_VL"):
            out += _stationary(x[:, 2], 2000.0, 1.5, 5.0)
        elif kind == "amp":
            out += _stationary(x[:, 3], 2000.0, 3.0, 4.8)
    return tuple(out), 2000.0


@lru_cache(maxsize=1)
def gait_cycles() -> dict[str, tuple[Array, ...]]:
    """Return real gait cycles of EMG (1000 Hz, µV), touchdown to touchdown, by muscle."""
    data = _load("emg_leg_walking_musclesynergies")
    with (folder() / "emg_leg_walking_musclesynergies" / "cycles.csv").open() as f:
        down = [float(r["touchdown_s"]) for r in csv.DictReader(f)]
    t0 = float(data["time_s"][0])
    out: dict[str, tuple[Array, ...]] = {}
    for muscle, col in (("TA", 8), ("PL", 9), ("GM", 10), ("GL", 11), ("SO", 12)):
        x = data["emg_uv"][:, col]
        idx = [round((t - t0) * 1000) for t in down]
        out[muscle] = tuple(x[a:b] - x.mean() for a, b in zip(idx[:-1], idx[1:], strict=True) if b <= len(x))
    return out


@lru_cache(maxsize=1)
def ecg_beats() -> tuple[Array, ...]:
    """Return real heart beats (1000 Hz, R wave = 1, 0.2 s before R to 0.42 s after)."""
    x = _load("ecg_bitalino_biosppy")["ecg"]
    y = band(x, 0.5, 120.0, 1000.0)
    peaks, _ = signal.find_peaks(y, height=0.5 * y.max(), distance=500)
    out = []
    for p in peaks:
        if 250 < p < len(y) - 500:
            s = y[p - 200 : p + 420] * signal.windows.tukey(620, 0.25)
            out.append(s / s[200])
    return tuple(out)


@lru_cache(maxsize=1)
def ankle() -> tuple[Array, ...]:
    """Return the real ankle acceleration in g (64 Hz), gain set so that rest reads 1 g, glitches mended."""
    out = []
    for x in _load("acc_ankle_thigh_daphnet").values():
        a = x[:, :3] / 1000.0
        gain = float(np.median(np.linalg.norm(a, axis=1)))
        a = a / gain
        step = np.abs(a - ndimage.median_filter(a, size=(5, 1))).max(axis=1)
        bad = ndimage.binary_dilation((step > 4.0) | (np.abs(a).max(axis=1) > 7.0), iterations=2)
        good = np.flatnonzero(~bad)
        for c in range(3):
            a[:, c] = np.interp(np.arange(len(a)), good, a[good, c])
        out.append(a)
    return tuple(out)


def _dynamic(a: Array) -> Array:
    return band(a, 0.5, 31.0, ACC_FS)


@lru_cache(maxsize=1)
def swings() -> tuple[Array, ...]:
    """Return real ankle swings (64 Hz, 0.45 s, the peak at 0.12 s), peak vector = 1."""
    out = []
    for a in ankle():
        d = _dynamic(a)
        mag = np.linalg.norm(d, axis=1)
        peaks, _ = signal.find_peaks(mag, height=0.4, distance=40)
        for p in peaks[5:-5:3]:
            s = d[p - 8 : p + 21].copy()
            if len(s) == 29 and mag[p - 8] < 0.6 * mag[p]:
                out.append(s / mag[p])
    return tuple(out[:: max(1, len(out) // 400)])


@lru_cache(maxsize=1)
def episodes() -> tuple[Array, ...]:
    """Return real ankle movements between quiet times (64 Hz, dynamic part, peak vector = 1)."""
    out = []
    for a in ankle():
        d = _dynamic(a)
        mag = ndimage.maximum_filter1d(np.linalg.norm(d, axis=1), 13)
        on = ndimage.binary_closing(mag > 0.06, iterations=20)
        lab, n = ndimage.label(on)
        for sl in ndimage.find_objects(lab):
            i, j = sl[0].start, sl[0].stop
            if 0.6 * ACC_FS <= j - i <= 14 * ACC_FS and i > 64:
                s = d[i:j]
                peak = float(np.linalg.norm(s, axis=1).max())
                if 0.08 < peak < 3.0:
                    out.append(s / peak)
    return tuple(out)


@lru_cache(maxsize=1)
def walks() -> tuple[tuple[Array, float], ...]:
    """Return stretches of real walking (64 Hz, g, gravity kept) of 20 s or more, and their stride (s)."""
    out: list[tuple[Array, float]] = []
    for a in ankle():
        d = _dynamic(a)
        level = ndimage.uniform_filter1d(np.linalg.norm(d, axis=1), 192)
        lab, _ = ndimage.label(level > 0.18)
        for sl in ndimage.find_objects(lab):
            i, j = sl[0].start, sl[0].stop
            if j - i > 20 * ACC_FS:
                m = np.linalg.norm(d[i:j], axis=1)
                m = m - m.mean()
                ac = np.correlate(m[:1280], m[:1280], "full")[1279:]
                lag = 51 + int(np.argmax(ac[51:109]))
                out.append((a[i:j], lag / ACC_FS))
    return tuple(out)


@lru_cache(maxsize=1)
def sleep_bursts() -> tuple[tuple[float, float], ...]:
    """Return human-scored left-leg bursts in sleep as (onset, duration) in seconds."""
    rows: list[tuple[float, float]] = []
    with (folder() / "sleep_limb_bursts_rbdtector" / "scorer2.csv").open() as f:
        for r in csv.DictReader(f):
            if r["label"] in ("LeftLegPhasic", "LeftLegAny", "RightLegPhasic"):
                rows.append((float(r["onset_s"]), float(r["duration_s"])))
    return tuple(sorted(rows))
