"""Processor time and peak memory of reading a night, for each text dialect beside the plain one.

Run ``python -m benchmarks.captures.speed --hours 8``. Each file is read in a process of its own;
the memory is the peak of that process. Values are samples of one channel or axis.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
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
        f"{(first + i) % 256}.0, "
        + f"{v:.4f}, " * 8
        + "0.0, 0.0, 1.0, "
        + f"{1_772_403_300 + (first + i) / 250:.6f}, 0.0"
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


def noraxon(first: int, x: np.ndarray) -> list[str]:
    return [f"{(first + i) / FS_EMG:.6f},{v:.4f},0" for i, v in enumerate(x.tolist())]


def shimmer(first: int, x: np.ndarray) -> list[str]:
    return [
        f"{1_772_403_300_000 + first + i}.000000\t{v / 1e3:.9g}\t" for i, v in enumerate(x.tolist())
    ]


def emgworks(first: int, x: np.ndarray) -> list[str]:
    return [f"{(first + i) / FS_EMG:.10g},{v / 1e6:.9g}" for i, v in enumerate(x.tolist())]


def discover(first: int, x: np.ndarray) -> list[str]:
    return [f"{(first + i) / FS_EMG:.6f},{v / 1e3:.7f}" for i, v in enumerate(x.tolist())]


def axes(form: str, factor: float = 1.0) -> Callable[[int, np.ndarray], list[str]]:
    """Return a writer of rows of three axes: ``{i}``, ``{x}``, ``{y}`` and ``{z}`` of a form."""

    def rows(first: int, x: np.ndarray) -> list[str]:
        values = (x / 1000).tolist()
        return [
            form.format(
                i=first + i, s=(first + i) / FS_ACC, ns=(first + i) * 10_000_000, x=v * factor,
                y=-v * factor, z=(1 + v) * factor,
            )
            for i, v in enumerate(values)
        ]  # fmt: skip

    return rows


def dated(form: str, tail: str) -> Callable[[int, np.ndarray], list[str]]:
    """Return a writer of rows of a local time and three axes."""

    def rows(first: int, x: np.ndarray) -> list[str]:
        base = datetime(2026, 3, 1, 22, 15) + timedelta(seconds=first / FS_ACC)
        seconds = [
            (base + timedelta(seconds=k)).strftime(form) for k in range(-(-len(x) // FS_ACC))
        ]
        return [
            f"{seconds[i // FS_ACC]}{i % FS_ACC * 10:03d},{v:.4f},{-v:.4f},{1 + v:.4f}{tail}"
            for i, v in enumerate((x / 1000).tolist())
        ]

    return rows


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
            "%OpenBCI Raw EXG Data\n%Number of channels = 8\n%Sample Rate = 250 Hz\n"
            + ", ".join(["Sample Index", *(f"EXG Channel {i}" for i in range(8))])
            + ", Accel Channel 0, Accel Channel 1, Accel Channel 2, Timestamp, Marker",
            emg_rows(openbci, 250),
        ),
        250,
    ),
    "BrainFlow": (
        "a.csv",
        emg_rows(
            lambda first, x: [
                f"{(first + i) % 256}\t{v:.4f}"
                + "\t0.0" * 20
                + f"\t{1_772_403_300 + (first + i) / 250:.6f}\t0.0"
                for i, v in enumerate(x.tolist())
            ],
            250,
        ),
        250,
    ),
    "EMGworks": (
        "a.csv",
        headed('Application: EMGworks\nX[s],"L TIBIALIS: EMG 1 [V]"', emg_rows(emgworks, FS_EMG)),
        FS_EMG,
    ),
    "Trigno Discover": (
        "a.csv",
        headed(
            "Application:,Trigno Discover (1.7.0)\nEMG 1 Time Series (s),EMG 1 (mV)\n,1000 Hz",
            emg_rows(discover, FS_EMG),
        ),
        FS_EMG,
    ),
    "Shimmer Consensys": (
        "a.csv",
        headed(
            '"sep=\t"\nS_Timestamp_Unix_CAL\tS_EMG_CH1_24BIT_CAL\t\nms\tmV\t',
            emg_rows(shimmer, FS_EMG),
        ),
        FS_EMG,
    ),
    "Noraxon": (
        "a.csv",
        headed('"Time,s","TIB.ANT. LT, uV","Ultium EMG.Sync, On"', emg_rows(noraxon, FS_EMG)),
        FS_EMG,
    ),
    "units in the header": ("a.csv", headed("Time (s),EMG1 (uV)", emg_rows(plain, FS_EMG)), FS_EMG),
    "blanks between columns": (
        "a.txt",
        headed(
            "time_s emg1_uv",
            emg_rows(lambda n, x: [row.replace(",", " ") for row in plain(n, x)], FS_EMG),
        ),
        FS_EMG,
    ),
    "plain CSV of axes": (
        "a.csv",
        headed(
            "time_s,acc_x_g,acc_y_g,acc_z_g",
            emg_rows(axes("{s:.2f},{x:.4f},{y:.4f},{z:.4f}"), FS_ACC),
        ),
        FS_ACC,
    ),
    "Axivity CSV": ("a.csv", emg_rows(acc_rows, FS_ACC), FS_ACC),
    "ActiGraph CSV": (
        "a.csv",
        headed(
            "--- Data File Created By ActiGraph GT3X+ ActiLife date format M/d/yyyy at 100 Hz ---\n"
            "Start Time 22:15:00\nStart Date 3/1/2026\n"
            + "-" * 20
            + "\nTimestamp,Accelerometer X,Accelerometer Y,Accelerometer Z",
            emg_rows(dated("%m/%d/%Y %H:%M:%S.", ""), FS_ACC),
        ),
        FS_ACC,
    ),
    "GENEActiv CSV": (
        "a.csv",
        headed(
            "Device Type,GENEActiv\nTime Zone,GMT +01:00" + "\n" * 98,
            emg_rows(dated("%Y-%m-%d %H:%M:%S:", ",0,0,25.6"), FS_ACC),
        ),
        FS_ACC,
    ),
    "dates of another form": (
        "a.csv",
        headed("Time,X,Y,Z", emg_rows(dated("%d.%m.%Y %H:%M:%S.", ""), FS_ACC)),
        FS_ACC,
    ),
    "Empatica E4": (
        "ACC.csv",
        headed(
            "1772403300, 1772403300, 1772403300\n100, 100, 100",
            emg_rows(axes("{x:.0f},{y:.0f},{z:.0f}", 64), FS_ACC),
        ),
        FS_ACC,
    ),
    "Polar Sensor Logger": (
        "a_ACC.txt",
        headed(
            "Phone timestamp;sensor timestamp [ns];X [mg];Y [mg];Z [mg]",
            emg_rows(axes("2026-03-01T22:15:00.000;{ns};{x:.0f};{y:.0f};{z:.0f}", 1000), FS_ACC),
        ),
        FS_ACC,
    ),
    "phyphox": (
        "a.csv",
        headed(
            '"Time (s)","Acceleration x (m/s^2)","Acceleration y (m/s^2)","Acceleration z (m/s^2)"',
            emg_rows(axes("{s:.9E},{x:.9E},{y:.9E},{z:.9E}", 9.80665), FS_ACC),
        ),
        FS_ACC,
    ),
    "Movesense CSV": (
        "a.csv",
        headed(
            "Timestamp (ms),X: (m/s^2),Y: (m/s^2),Z: (m/s^2)",
            emg_rows(
                lambda n, x: [
                    f"{(n + i) // 4 * 40},{v:.7g},{-v:.7g},{9.80665 + v:.7g}"
                    for i, v in enumerate((x / 100).tolist())
                ],
                FS_ACC,
            ),
        ),
        FS_ACC,
    ),
}


def measure(path: Path) -> dict[str, float]:
    """Read a file in a process of its own; return processor seconds and peak memory."""
    code = (
        "import json, re, sys, time; from twitchsense.io import read;"
        "t = time.process_time();"
        "r = read(sys.argv[1]); s = time.process_time() - t;"
        "n = sum(len(x.samples) * r.channel(x.channel).width for x in r.segments);"
        "mb = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1];"
        "print(json.dumps({'seconds': s, 'values': n, 'mb': int(mb) / 1024}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("names", nargs="*", help="only these files")
    options = parser.parse_args()
    print("| file | values | processor time, s | values/s | of plain CSV | MB |")
    print("|---|---|---|---|---|---|")
    plain_rate: dict[int, float] = {}
    for name, (file_name, write, fs) in FILES.items():
        if options.names and name not in options.names and not name.startswith("plain CSV"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / file_name
            with path.open("w") as file:
                file.writelines(write(options.hours))
            found = measure(path)
        rate = found["values"] / found["seconds"]
        share = rate / plain_rate.setdefault(0 if fs > FS_ACC else 1, rate)
        print(
            f"| {name} | {found['values']:,.0f} | {found['seconds']:.1f} "
            f"| {rate / 1e6:.1f} million | {share:.2f} | {found['mb']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
