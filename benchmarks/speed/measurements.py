"""The parts of the speed benchmark: what they measure, their sizes, and the file of results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import signal

from benchmarks.speed.devices import measure_devices
from benchmarks.speed.engines import measure_engines
from benchmarks.speed.files import measure_files
from benchmarks.speed.peers import compare
from twitchsense.bench.latency import PACKET_SAMPLES, time_packets
from twitchsense.bench.process import measure_cost, measure_memory, time_start
from twitchsense.bench.suite import describe_system
from twitchsense.bench.synthetic import Arrays, make_tile, repeat_arrays, tile_recording
from twitchsense.bench.throughput import time_arrays
from twitchsense.results.night import analyze

Figures = dict[str, Any]
#: Samples per packet. "20 ms" shows the delay of the detector itself.
SIZES = {"wearable": PACKET_SAMPLES, "20 ms": {"emg": 20, "acc": 2}}


def measure_live(minutes: float, events_per_h: float = 720.0) -> dict[str, Any]:
    """Measure a stretch with many events."""
    tile = make_tile(events_per_h=events_per_h)
    recording = tile_recording(tile, 60 * minutes)
    return {"minutes": minutes, **{name: time_packets(recording, s) for name, s in SIZES.items()}}


@dataclass(frozen=True)
class Sizes:
    """Sizes of the measurements: hours (``_h``), minutes (``_min``) and counts."""

    night_h: float = 8.0
    packages_h: float = 1.0
    lengths_h: tuple[float, ...] = (1 / 6, 1, 8, 24, 168)
    channels: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    channels_h: float = 0.5
    events: tuple[int, ...] = (0, 100, 1000, 10_000, 100_000)
    events_h: float = 8.0
    live_min: float = 30.0
    starts: int = 9
    devices: tuple[int, ...] = (100, 150, 200)
    devices_s: float = 60.0


QUICK = Sizes(
    0.5, 1 / 6, (1 / 6, 0.5, 1), (1, 4, 16), 1 / 30, (0, 50, 500), 0.5, 5.0, 3, (1, 2), 5.0
)


def jobs(sizes: Sizes, python: Path | None) -> dict[str, Callable[[], Any]]:
    """Return the name of each part with the function that measures it, short ones first."""
    return {
        "start": lambda: time_start(sizes.starts),
        "night": lambda: measure_night(sizes.night_h),
        "engines": lambda: measure_engines(min(sizes.night_h, 2.0)),
        "live": lambda: measure_live(sizes.live_min),
        "files": lambda: measure_files(sizes.night_h),
        "devices": lambda: measure_devices(sizes.devices, sizes.devices_s),
        "length": lambda: by_length(sizes.lengths_h),
        "channels": lambda: by_channels(sizes.channels, sizes.channels_h),
        "events": lambda: by_events(sizes.events, sizes.events_h),
        "others": lambda: compare(sizes.night_h, python, sizes.packages_h),
    }


def measure_night(hours: float) -> Figures:
    """Measure arrays to event table, and one causal band-pass filter as a lower bound."""
    arrays = repeat_arrays(make_tile(), 3600 * hours)
    sos = signal.butter(4, (20, 450), "bandpass", fs=1000, output="sos").astype(np.float32)
    emg = [x for name, (x, _) in arrays.items() if name.startswith("emg")]
    step = 60_000  # samples; fits the processor cache

    def filter_once() -> None:
        for x in emg:
            state = np.zeros((len(sos), 2), np.float32)
            for first in range(0, len(x), step):
                _, state = signal.sosfilt(sos, x[first : first + step], zi=state)

    return {**time_arrays(arrays, 3), "filter_s": measure_cost(filter_once, 3).seconds}


NAMES = tuple(jobs(QUICK, None))


def run(path: Path, names: list[str], sizes: Sizes, python: Path | None) -> Figures:
    """Measure parts and store each result as soon as it is known.

    Parameters
    ----------
    path : Path
        JSON file of the release; results of other parts in it are kept.
    names : list of str
        Parts to measure.
    sizes : Sizes
    python : Path or None
        Interpreter with the other packages.

    Returns
    -------
    dict
        Everything the file holds.
    """
    measured: Figures = json.loads(path.read_text()) if path.exists() else {}
    all_jobs = jobs(sizes, python)
    for name in names:
        began, about = time.perf_counter(), describe_system()
        figures = all_jobs[name]()
        elapsed_s = time.perf_counter() - began
        about |= {"took_s": round(elapsed_s), "small": sizes is QUICK}
        measured[name] = {"about": about, "figures": figures}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rounded(measured), indent=1) + "\n")
        print(f"{name}: {elapsed_s:.0f} s")
    return measured


def rounded(value: Any) -> Any:
    """Round all floats to four significant digits: further digits are noise."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def by_length(hours: tuple[float, ...]) -> list[dict[str, Any]]:
    """Measure nights of several lengths (h), each in a fresh process.

    The signal repeats a tile, so that the memory is that of the analysis.
    """
    tile = make_tile()
    return [measure_memory(tile, 3600 * h) for h in hours]


def by_channels(counts: tuple[int, ...], hours: float) -> list[dict[str, Any]]:
    """Measure several numbers of EMG channels on one leg, with one accelerometer."""
    return [{"channels": n, **_time(make_tile(n_emg=n), hours)} for n in counts]


def by_events(counts: tuple[int, ...], hours: float) -> list[dict[str, Any]]:
    """Measure nights with several numbers of movements in the signal."""
    return [{"put_in": n, **_time(make_tile(events_per_h=n / hours), hours)} for n in counts]


def _time(tile: Arrays, hours: float) -> dict[str, Any]:
    recording = tile_recording(tile, 3600 * hours)
    found = {}

    def job() -> None:
        night = analyze(recording)
        found.update(events=len(night.events), rejected=len(night.rejected))

    return {"seconds": measure_cost(job).seconds, **found}
