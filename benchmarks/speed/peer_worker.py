"""Time another method of finding bursts in EMG channels; does not import twitchsense.

    python peer_worker.py IN.npz NAME

IN holds one array per channel (µV) and `fs`. Prints the time in seconds (the smaller of wall-clock
and processor time, without imports and reading), the increase of the peak memory, and the number
of bursts found.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

Finder = Callable[[np.ndarray, float], int]


def script() -> Finder:
    """Return a typical script: zero-phase filter, Hilbert envelope, peaks."""
    from scipy import ndimage, signal

    def find(x: np.ndarray, fs: float) -> int:
        sos = signal.butter(4, (20, 450), "bandpass", fs=fs, output="sos")
        envelope = np.abs(signal.hilbert(signal.sosfiltfilt(sos, x)))
        smooth = ndimage.uniform_filter1d(envelope, round(0.05 * fs))
        median = np.median(smooth)
        threshold = median + 6 * np.median(np.abs(smooth - median))
        peaks, _ = signal.find_peaks(smooth, height=threshold, distance=round(0.1 * fs))
        return len(peaks)

    return find


def rms_script() -> Finder:
    """Return the script of the accuracy benchmark: 10-ms RMS above median + 10 MAD."""
    from scipy import ndimage, signal

    def find(x: np.ndarray, fs: float) -> int:
        sos = signal.butter(4, (20, 450), "bandpass", fs=fs, output="sos")
        band = signal.sosfiltfilt(sos, x)
        envelope = np.sqrt(np.maximum(ndimage.uniform_filter1d(band**2, round(0.01 * fs)), 0))
        median = np.median(envelope)
        threshold = median + 10 * np.median(np.abs(envelope - median))
        return int(np.count_nonzero(np.diff((envelope > threshold).astype(np.int8)) == 1))

    return find


def neurokit2() -> Finder:
    import neurokit2 as nk

    def find(x: np.ndarray, fs: float) -> int:
        clean = nk.emg_clean(x / 1000, sampling_rate=fs)
        _, info = nk.emg_activation(
            emg_amplitude=nk.emg_amplitude(clean),
            emg_cleaned=clean,
            sampling_rate=int(fs),
            method="threshold",
        )
        return len(info["EMG_Onsets"])

    return find


def biosppy() -> Finder:
    from biosppy.signals import emg

    def find(x: np.ndarray, fs: float) -> int:
        return len(emg.emg(signal=x, sampling_rate=fs, show=False)["onsets"])

    return find


def yasa() -> Finder:
    """Return YASA's spindle detection: other events, a comparable task."""
    import yasa as package

    def find(x: np.ndarray, fs: float) -> int:
        found = package.spindles_detect(x, sf=fs, verbose="ERROR")
        return 0 if found is None else len(found.summary())

    return find


METHODS: dict[str, Callable[[], Finder]] = {
    "script": script,
    "rms script": rms_script,
    "neurokit2": neurokit2,
    "biosppy": biosppy,
    "yasa": yasa,
}


def peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("no VmHWM")


def main(source: str, name: str) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    find = METHODS[name]()
    with np.load(source) as stored:
        fs = float(stored["fs"])
        channels = [stored[k].astype(float) for k in stored.files if k != "fs"]
    with contextlib.redirect_stdout(io.StringIO()):
        find(channels[0][: round(60 * fs)], fs)  # late imports and compilation
        before, wall, cpu = peak_mb(), time.perf_counter(), time.process_time()
        found = sum(find(x, fs) for x in channels)
        seconds = min(time.perf_counter() - wall, time.process_time() - cpu)
    result = {"seconds": seconds, "above_mb": peak_mb() - before, "found": found}
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
