"""Time and peak memory of reading 8-h captures, for each text dialect beside the plain one.

Run ``python -m benchmarks.capture_speed --hours 8``. Each file is written and read in a process
of its own; the memory is the peak of that process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

FS_EMG, FS_ACC = 1000, 100
#: Seconds of signal that are written at once.
BLOCK_S = 600


#: Yields the text of a file of some hours.
Writer = Callable[[float], Iterator[str]]


def emg_rows(
    form: Callable[[int, np.ndarray], list[str]], fs: int
) -> Callable[[float], Iterator[str]]:
    """Return a writer of rows of one signal."""

    def write(hours: float) -> Iterator[str]:
        rng = np.random.default_rng(0)
        for start in range(0, round(hours * 3600), BLOCK_S):
            n = BLOCK_S * fs
            yield "\n".join(form(start * fs, rng.normal(0, 10, n))) + "\n"

    return write


def plain(first: int, x: np.ndarray) -> list[str]:
    return [f"{(first + i) / FS_EMG:.3f},{v:.2f}" for i, v in enumerate(x.tolist())]


def commas(first: int, x: np.ndarray) -> list[str]:
    return [
        f"{(first + i) / FS_EMG:.3f};{v:.2f}".replace(".", ",") for i, v in enumerate(x.tolist())
    ]


def words(first: int, x: np.ndarray) -> list[str]:
    rows = plain(first, x)
    rows[::5000] = [row.partition(",")[0] + ",off" for row in rows[::5000]]
    return rows


def unix(first: int, x: np.ndarray) -> list[str]:
    return [f"{1_772_403_300_000 + first + i},{v:.2f}" for i, v in enumerate(x.tolist())]


def utc(first: int, x: np.ndarray) -> list[str]:
    base = np.datetime64("2026-03-01T22:15:00.000", "ms") + first
    times = np.datetime_as_string(base + np.arange(len(x)).astype("timedelta64[ms]"))
    return [f"{t}Z,{v:.2f}" for t, v in zip(times.tolist(), x.tolist(), strict=True)]


def opensignals(first: int, x: np.ndarray) -> list[str]:
    counts = np.rint(512 + x * 3).astype(int).tolist()
    return [f"{(first + i) % 16}\t0\t0\t0\t0\t{v}\t" for i, v in enumerate(counts)]


def openbci(first: int, x: np.ndarray) -> list[str]:
    return [
        f"{(first + i) % 256}.0, {v:.4f}, 0.0, 0.0, 1.0, {1_772_403_300 + (first + i) / FS_EMG:.6f}"
        for i, v in enumerate(x.tolist())
    ]


def acc_rows(first: int, x: np.ndarray) -> list[str]:
    base = np.datetime64("2026-03-01T22:15:00.000", "ms") + first * 10
    times = np.datetime_as_string(base + 10 * np.arange(len(x)).astype("timedelta64[ms]"))
    values = (x / 1000).tolist()
    return [
        f"{t.replace('T', ' ')},{v:.4f},{-v:.4f},{1 + v:.4f}"
        for t, v in zip(times.tolist(), values, strict=True)
    ]


def headed(header: str, rows: Writer) -> Writer:
    def write(hours: float) -> Iterator[str]:
        yield header + "\n"
        yield from rows(hours)

    return write


OPENSIGNALS = {
    "20:16:04:12:01:40": {
        "sensor": ["EMG"], "column": ["nSeq", "I1", "I2", "O1", "O2", "A1"], "label": ["A1"],
        "date": "2026-3-1", "time": "22:15:0.0", "device": "bitalino_rev", "sampling rate": FS_EMG,
        "resolution": [4, 1, 1, 1, 1, 10],
    }
}  # fmt: skip
#: Name: file name, writer, samples in an hour.
FILES = {
    "plain CSV": ("a.csv", headed("time_s,emg1_uv", emg_rows(plain, FS_EMG)), FS_EMG),
    "decimal commas": ("a.csv", headed("time_s;emg1_uv", emg_rows(commas, FS_EMG)), FS_EMG),
    "a word in 1 of 5000 cells": (
        "a.csv",
        headed("time_s,emg1_uv", emg_rows(words, FS_EMG)),
        FS_EMG,
    ),
    "Unix time in ms": ("a.csv", headed("timestamp,emg1_uv", emg_rows(unix, FS_EMG)), FS_EMG),
    "ISO 8601": ("a.csv", headed("time_utc,emg1_uv", emg_rows(utc, FS_EMG)), FS_EMG),
    "OpenSignals": (
        "a.txt",
        headed(
            "# OpenSignals Text File Format. Version 1\n# "
            + json.dumps(OPENSIGNALS)
            + "\n# EndOfHeader",
            emg_rows(opensignals, FS_EMG),
        ),
        FS_EMG,
    ),
    "OpenBCI GUI": (
        "a.txt",
        headed(
            f"%OpenBCI Raw EXG Data\n%Number of channels = 1\n%Sample Rate = {FS_EMG} Hz\n"
            "Sample Index, EXG Channel 0, Accel Channel 0, Accel Channel 1, Accel Channel 2, "
            "Timestamp",
            emg_rows(openbci, FS_EMG),
        ),
        FS_EMG,
    ),
    "Axivity CSV (100 Hz)": ("a.csv", emg_rows(acc_rows, FS_ACC), FS_ACC),
}


def measure(path: Path) -> dict[str, float]:
    """Read a file in a process of its own; return seconds and peak memory."""
    code = (
        "import json, resource, sys, time; from twitchsense.io import read;"
        "t = time.perf_counter();"
        "r = read(sys.argv[1]); s = time.perf_counter() - t;"
        "print(json.dumps({'seconds': s, 'samples': sum(len(x.samples) for x in r.segments),"
        "'mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    options = parser.parse_args()
    print("| file | samples | seconds | million samples a second | peak memory, MB |")
    print("|---|---|---|---|---|")
    for name, (file_name, write, _) in FILES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / file_name
            with path.open("w") as file:
                file.writelines(write(options.hours))
            found = measure(path)
        rate = found["samples"] / found["seconds"] / 1e6
        print(
            f"| {name} | {found['samples']:,.0f} | {found['seconds']:.1f} | {rate:.2f} "
            f"| {found['mb']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
