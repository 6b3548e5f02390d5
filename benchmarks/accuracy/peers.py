"""What other detectors find in the same recordings: an expert's script, and other packages.

The script runs here; NeuroKit2, BioSPPy and psgscoring run in an environment of their own
(`peer_worker.py`; the README says how to make it). Bursts of all of them become events by the
same rules of duration and peak acceleration.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import fft, ndimage, signal

from benchmarks.accuracy.nights import Arrays

#: Thresholds of the script, in median absolute deviations above the median.
SCRIPT_K = (6, 8, 10, 15, 20, 30)
#: Bursts this near are one, whichever channels saw them.
JOIN_S = 0.05
SHORTEST_S = 0.005
LONG_S = 0.5
LONGEST_S = 15.0
JERK_G = 0.1
#: A jolt from here to there around a burst's onset belongs to it.
JOLT_S = (-0.05, 0.3)
WORKER = Path(__file__).with_name("peer_worker.py")


def find_peers(
    arrays: Arrays,
    python: Path | None,
    script_k: Sequence[float] = SCRIPT_K,
    packages: Sequence[str] = (),
) -> dict[str, pd.DataFrame]:
    """Return the events of each peer; those of other packages only with their `python`.

    With `packages`, only these of their detectors are run.
    """
    bursts = {f"script k={k}": script_bursts(arrays, k) for k in script_k}
    bursts["envelope"] = envelope_bursts(arrays)
    if python is not None:
        bursts |= package_bursts(arrays, python, packages)
    names = sorted(bursts, key=lambda n: (not n.startswith("script"), list(bursts).index(n)))
    return {name: to_events(bursts[name], arrays, name == "psgscoring") for name in names}


def _emg(arrays: Arrays) -> dict[str, tuple[np.ndarray, float]]:
    """Return EMG channels without offset and gaps."""
    found = {}
    for name, (x, fs) in arrays.items():
        if name.startswith("emg"):
            found[name] = (np.nan_to_num(x.astype(float) - np.nanmedian(x)), fs)
    return found


def script_bursts(arrays: Arrays, k: float) -> np.ndarray:
    """Return bursts above median + k MAD of the 10-ms RMS envelope, 20-450 Hz, of any channel."""
    every = []
    for x, fs in _emg(arrays).values():
        band = _band_passed(x, fs)
        envelope = np.sqrt(np.maximum(ndimage.uniform_filter1d(band**2, round(0.01 * fs)), 0))
        every.append(_above(envelope, k) / fs)
    return np.concatenate(every) if every else np.empty((0, 2))


def envelope_bursts(arrays: Arrays) -> np.ndarray:
    """Return bursts above median + 6 MAD of the smoothed Hilbert envelope, of any channel."""
    every = []
    for x, fs in _emg(arrays).values():
        band = _band_passed(x, fs)
        fast = fft.next_fast_len(len(band))
        envelope = np.abs(signal.hilbert(band, fast))[: len(band)]
        every.append(_above(ndimage.uniform_filter1d(envelope, round(0.05 * fs)), 6) / fs)
    return np.concatenate(every) if every else np.empty((0, 2))


def _band_passed(x: np.ndarray, fs: float) -> np.ndarray:
    sos = signal.butter(4, (20, min(450, 0.45 * fs)), "bandpass", fs=fs, output="sos")
    return signal.sosfiltfilt(sos, x)


def _above(envelope: np.ndarray, k: float) -> np.ndarray:
    """Return first and last sample of each run above median + k MAD."""
    middle = np.median(envelope)
    limit = middle + k * np.median(np.abs(envelope - middle))
    edges = np.diff(np.concatenate([[0], (envelope > limit).astype(np.int8), [0]]))
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)])


def package_bursts(
    arrays: Arrays, python: Path, packages: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Return the bursts of each detector of `peer_worker.py`, of any channel."""
    channels = _emg(arrays)
    if not channels:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        rate = next(iter(channels.values()))[1]
        np.savez(source, fs=rate, **{name: x for name, (x, _) in channels.items()})
        command = [str(python), str(WORKER), str(source), str(target), *packages]
        subprocess.run(command, check=True)
        with np.load(target) as stored:
            found = {key: stored[key] for key in stored.files}
    bursts: dict[str, list[np.ndarray]] = {}
    for key, value in found.items():
        name, _, rest = key.partition("/")
        if name == "failed":
            print(f"{rest} failed: {value}")
        else:
            bursts.setdefault(name, []).append(value)
    return {name: np.concatenate(parts) for name, parts in bursts.items()}


def to_events(bursts: np.ndarray, arrays: Arrays, movements_alone: bool) -> pd.DataFrame:
    """Return events: up to 0.5 s a twitch, or a jerk if the leg jolts; longer, a movement."""
    joined = _joined(bursts)
    onset, duration = joined[:, 0], joined[:, 1] - joined[:, 0]
    kind = np.where(duration < LONG_S, "twitch", "movement").astype(object)
    kind[(duration < LONG_S) & (_jolts(onset, arrays) >= JERK_G)] = "jerk"
    kept = (duration >= SHORTEST_S) & (duration <= LONGEST_S)
    if movements_alone:
        kept &= kind == "movement"
    table = {"onset": onset, "duration": duration, "trial_type": kind}
    return pd.DataFrame(table)[kept].reset_index(drop=True)


def _joined(bursts: np.ndarray) -> np.ndarray:
    if not len(bursts):
        return np.empty((0, 2))
    bursts = bursts[np.argsort(bursts[:, 0], kind="stable")]
    ends = np.maximum.accumulate(bursts[:, 1])
    first = np.concatenate([[True], bursts[1:, 0] > ends[:-1] + JOIN_S])
    return np.column_stack([bursts[first, 0], ends[np.append(np.flatnonzero(first)[1:] - 1, -1)]])


def _jolts(onset: np.ndarray, arrays: Arrays) -> np.ndarray:
    """Return the peak of the dynamic acceleration around each onset, in g."""
    axes = [arrays[f"acc_{a}_g"] for a in "xyz" if f"acc_{a}_g" in arrays]
    if not axes or not len(onset):
        return np.zeros(len(onset))
    fs = axes[0][1]
    sos = signal.butter(2, (0.5, min(40, 0.45 * fs)), "bandpass", fs=fs, output="sos")
    still = [np.nan_to_num(x - np.nanmedian(x)) for x, _ in axes]
    size = np.linalg.norm([signal.sosfiltfilt(sos, x) for x in still], axis=0)
    low, high = (round(s * fs) for s in JOLT_S)
    most = ndimage.maximum_filter1d(size, high - low + 1)
    centre = np.round(onset * fs).astype(int) + (low + high) // 2
    return most[np.clip(centre, 0, len(most) - 1)]
