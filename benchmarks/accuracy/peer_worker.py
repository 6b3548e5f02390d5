"""Other packages' detectors on the channels of one recording; runs in an environment of its own.

    python peer_worker.py IN.npz OUT.npz [NAME ...]

With names, only those detectors are run. IN holds one array per EMG channel (µV, no gaps) and `fs`;
OUT gets, for each detector and channel, the bursts it found as (onset, end) in seconds, under the
name "detector/channel", and for each that failed its error under "failed/detector".  Imports
nothing of ours: NeuroKit2, BioSPPy and psgscoring ask for a pandas that twitchsense may not have.

Below 250 Hz the packages' own high-pass of 100 Hz cannot be made; a band-pass takes its place.
NeuroKit2's steps are called one by one: `emg_activation` also fills a table of samples, which takes
three minutes for an hour of one channel and changes no onset.

Left out: NeuroKit2's `pelt` (25 s for a minute of one channel, measured) and BioSPPy's `abbink`
(it keeps the last burst alone).
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator

import numpy as np

Bursts = np.ndarray
Detector = Callable[[np.ndarray, float], Bursts]
REST_S = 10.0
SLOWEST_HZ = 250.0


def quietest(x: np.ndarray, fs: float) -> np.ndarray:
    """Return the quietest 10 s: what a user would mark as rest."""
    n = round(REST_S * fs)
    windows = x[: len(x) // n * n].reshape(-1, n)
    return windows[int(np.argmin(windows.std(axis=1)))]


def band_passed(x: np.ndarray, fs: float) -> np.ndarray:
    """Return the EMG of a device too slow for the packages' own filter."""
    from scipy import signal

    return signal.sosfiltfilt(signal.butter(4, (20, 0.45 * fs), "bandpass", fs=fs, output="sos"), x)


def neurokit(method: str) -> Detector:
    import neurokit2 as nk

    steps = sys.modules["neurokit2.emg.emg_activation"]

    def find(x: np.ndarray, fs: float) -> Bursts:
        mv = x / 1000  # in which its thresholds are
        clean = nk.emg_clean(mv, sampling_rate=fs) if fs >= SLOWEST_HZ else band_passed(mv, fs)
        given = {"sampling_rate": int(fs)} if method == "biosppy" else {}
        if method in ("threshold", "mixture"):
            clean = nk.emg_amplitude(clean)
        active = getattr(steps, f"_emg_activation_{method}")(clean, **given)
        info = steps._emg_activation_activations(active, duration_min=int(0.05 * fs))
        return paired(np.asarray(info["EMG_Onsets"]), np.asarray(info["EMG_Offsets"])) / fs

    return find


def paired(onsets: np.ndarray, ends: np.ndarray) -> Bursts:
    """Return each onset with the first end behind it."""
    onsets, ends = onsets.astype(float), ends.astype(float)
    place = np.searchsorted(ends, onsets, side="right")
    good = place < len(ends)
    return np.column_stack([onsets[good], ends[place[good]]]).astype(float)


def biosppy(name: str, threshold: float) -> Detector:
    from biosppy.signals import emg, tools

    def teager(x: np.ndarray) -> np.ndarray:
        return np.abs(x[1:-1] ** 2 - x[2:] * x[:-2])

    def power(x: np.ndarray, size: int) -> np.ndarray:
        mean = np.ones(size) / size
        return np.convolve(x**2, mean, "valid") - np.convolve(x, mean, "valid") ** 2

    def find(x: np.ndarray, fs: float) -> Bursts:
        # As in the package's own emg.emg.
        if fs >= SLOWEST_HZ:
            x, _, _ = tools.filter_signal(
                signal=x, ftype="butter", band="highpass", order=4, frequency=100, sampling_rate=fs
            )
        else:
            x = band_passed(x, fs)
        ms = fs / 1000
        rest = quietest(x, fs)
        # The test functions of solnik and londral are energies, but the package compares them
        # with the rest's amplitude: they get the rest in their own unit instead.
        more: dict = {
            "find_onsets": {"size": 0.05},
            "hodges_bui": {"rest": rest, "size": round(25 * ms)},
            "bonato": {"rest": rest, "active_state_duration": round(10 * ms),
                       "samples_above_fail": round(5 * ms), "fail_size": round(5 * ms)},
            "lidierth": {"rest": rest, "size": round(25 * ms),
                         "active_state_duration": round(10 * ms), "fail_size": round(5 * ms)},
            "solnik": {"rest": stats(teager(rest)), "active_state_duration": round(5 * ms)},
            "londral": {"rest": stats(power(rest, round(25 * ms))), "size": round(25 * ms),
                        "active_state_duration": round(10 * ms)},
            "silva": {"size": round(10 * ms), "threshold_size": round(22 * ms)},
        }[name]  # fmt: skip
        if name == "find_onsets":
            found = emg.find_onsets(signal=x, sampling_rate=fs, **more)
        else:
            limit = threshold * float(np.abs(rest).mean()) if name == "silva" else threshold
            call = getattr(emg, f"{name}_onset_detector")
            found = call(signal=x, sampling_rate=fs, threshold=limit, **more)
        edges = np.asarray(found["onsets"], float)
        return edges[: len(edges) // 2 * 2].reshape(-1, 2) / fs

    return find


def stats(x: np.ndarray) -> dict[str, float]:
    return {"mean": float(x.mean()), "std_dev": float(x.std())}


def psg(x: np.ndarray, fs: float) -> Bursts:
    """Find leg movements by psgscoring's AASM rule, all of the time taken as sleep."""
    from psgscoring.plm import analyze_plm

    stages = ["N2"] * (int(len(x) / fs / 30) + 1)
    found = analyze_plm(x, None, fs, stages, leg_unit="uV", event_list_cap=None)
    if found.get("error"):
        raise RuntimeError(found["error"])
    rows = [(e["onset_s"], e["onset_s"] + e["duration_s"]) for e in found["events"]]
    return np.array(rows, float).reshape(-1, 2)


def detectors() -> Iterator[tuple[str, Callable[[], Detector]]]:
    """Yield name and maker of each; a threshold is the detector's own unit."""
    for method in ("threshold", "mixture", "biosppy", "silva"):
        yield f"neurokit2 {method}", lambda m=method: neurokit(m)
    yield "biosppy find_onsets", lambda: biosppy("find_onsets", 0)
    for name, usual in (
        ("hodges_bui", 3), ("bonato", 10), ("lidierth", 3), ("solnik", 15), ("londral", 3),
        ("silva", 3),
    ):  # fmt: skip
        # londral takes 0.5 s for a minute of one channel: one threshold must do.
        for limit in (usual / 2, usual, 3 * usual) if name != "londral" else (usual,):
            yield f"biosppy {name} {limit:g}", lambda n=name, k=limit: biosppy(n, k)
    yield "psgscoring", lambda: psg


def main(source: str, target: str, *names: str) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    with np.load(source) as stored:
        fs = float(stored["fs"])
        channels = {k: stored[k].astype(float) for k in stored.files if k != "fs"}
    out: dict[str, np.ndarray] = {}
    for name, make in detectors():
        if names and name not in names:
            continue
        try:
            find = make()
            for channel, x in channels.items():
                out[f"{name}/{channel}"] = find(x, fs)
        except Exception as error:  # another package's failure is a result, not the end
            out[f"failed/{name}"] = np.array(f"{type(error).__name__}: {error}"[:200])
    np.savez(target, **out)


if __name__ == "__main__":
    main(*sys.argv[1:])
