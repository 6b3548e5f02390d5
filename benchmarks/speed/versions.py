"""Processor time of two versions of the package, run alternately on the same inputs.

    python -m benchmarks.speed.versions OTHER_SRC [--minutes 10] [--repeats 3] [--history FILE]

``OTHER_SRC`` is the ``src`` folder of the earlier version. Each measurement is a fresh process in
which a short recording is analysed first, so that imports are not measured; the smallest of several
counts. Both versions run on numpy and scipy, without compiled kernels. With ``--history``, the
figures are stored in that file of `benchmarks.speed`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

import twitchsense
from benchmarks.speed.files import record
from benchmarks.speed.measurements import rounded
from twitchsense.bench.suite import describe_system
from twitchsense.bench.synthetic import Arrays, make_tile
from twitchsense.bench.throughput import write_csv

#: Run in each version: processor time of reading captures, or of analysing arrays.
_WORKER: Final = """
import sys, time
import numpy as np
import twitchsense as ts
def load(path):
    with np.load(path) as stored:
        names = [(key, *key.split("@")) for key in stored.files]
        return {name: (stored[key], float(fs)) for key, name, fs in names}
short, job, *paths = sys.argv[1:]
ts.analyze(ts.Recording.from_arrays(load(short)))
began = time.process_time()
recording = ts.read(*paths) if job == "read" else ts.Recording.from_arrays(load(paths[0]))
if job != "read":
    began = time.process_time()
    ts.analyze(recording)
print(time.process_time() - began)
"""
_PACKETS: Final = {"emg": 57, "acc": 38}
_LOSS: Final = 0.02


def make_inputs(folder: Path, minutes: float) -> dict[str, tuple[str, list[Path]]]:
    """Write the inputs; return job and files of each case."""
    seconds = round(60 * minutes)

    def save(name: str, arrays: Arrays) -> list[Path]:
        path = folder / f"{name}.npz"
        np.savez(path, **{f"{column}@{fs}": x for column, (x, fs) in arrays.items()})
        return [path]

    def cut(arrays: Arrays, length_s: int) -> Arrays:
        repeated = {k: (np.resize(x, round(length_s * fs)), fs) for k, (x, fs) in arrays.items()}
        return {name: (x.copy(), fs) for name, (x, fs) in repeated.items()}

    tile = make_tile()
    save("short", cut(tile, 30))
    lossy = cut(tile, seconds)
    for name, (x, _) in lossy.items():
        size = _PACKETS[name[:3]]  # the axes of a sensor lose the same packets
        lost = np.random.default_rng(size).random(len(x) // size + 1) < _LOSS
        x[lost[np.arange(len(x)) // size]] = np.nan
    plain = write_csv(tile, seconds, folder)
    iso = []
    for path in plain:
        table = pd.read_csv(path)
        at = np.datetime64("2026-03-01T22:00:00", "ms") + np.rint(1000 * table.time_s).astype(
            "timedelta64[ms]"
        )
        table.insert(0, "time_utc", np.char.add(np.datetime_as_string(at), "Z"))
        iso.append(folder / f"iso_{path.name}")
        table.drop(columns="time_s").to_csv(iso[-1], index=False)
    night = folder / "tonight.night"
    record(night, tile, seconds)
    return {
        "analysis, 75 movements an hour": ("analyze", save("plain", cut(tile, seconds))),
        "analysis, 12,500 movements an hour": (
            "analyze",
            save("dense", cut(make_tile(events_per_h=12_500), seconds)),
        ),
        "analysis, 2 % of the packets lost": ("analyze", save("lossy", lossy)),
        "CSV with seconds, reading": ("read", plain),
        "CSV with ISO 8601 times, reading": ("read", iso),
        "night file, reading": ("read", [night]),
    }


def measure(source: Path, short: Path, job: str, paths: list[Path]) -> float:
    """Return the processor time of a case in a fresh process, s."""
    environment = {**os.environ, "PYTHONPATH": str(source), "TWITCHSENSE_ENGINE": "scipy"}
    command = [sys.executable, "-c", _WORKER, str(short), job, *map(str, paths)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout)


def compare_versions(other: Path, minutes: float, repeats: int) -> dict[str, Any]:
    """Return the processor time of each case with the other version and with this one."""
    sources = {"before_s": other, "after_s": Path(twitchsense.__file__).parents[1]}
    cases = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case, (job, paths) in make_inputs(folder, minutes).items():
            times: dict[str, list[float]] = {key: [] for key in sources}
            for _ in range(repeats):
                for key, source in sources.items():
                    times[key].append(measure(source, folder / "short.npz", job, paths))
            cases[case] = {key: min(values) for key, values in times.items()}
            print(case, cases[case], flush=True)
    return {"minutes": minutes, "cases": cases}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--history", type=Path)
    args = parser.parse_args()
    about = describe_system()
    figures = compare_versions(args.other, args.minutes, args.repeats)
    if args.history is not None:
        stored = json.loads(args.history.read_text())
        stored["versions"] = {"about": about | {"small": False}, "figures": rounded(figures)}
        args.history.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
