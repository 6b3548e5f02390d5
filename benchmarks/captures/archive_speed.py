"""Time and memory of reading a night in each format, beside plain CSV.

Each file is written here, holds a night of repeated noise, and is read in a process of its own.
Values are samples of one channel or axis.

Run ``python -m benchmarks.captures.archive_speed --hours 8 --out DIR``.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.io import actigraphy_builder as builder
from tests.io.xdf_builder import chunk, emg_stream
from twitchsense.io.bids.bids_write import write_bids
from twitchsense.io.capture_export import export
from twitchsense.model.recording import Recording

#: Blocks of samples that are repeated through the night.
POOL = 50
#: Sampling rates of acceleration and EMG in Hz.
ACC_HZ, EMG_HZ = 100, 1000
#: Program of the process that reads a file; it prints values, seconds and megabytes.
READ = r"""
import json, re, sys, time
from twitchsense.io.read import read
began = time.process_time()
recording = read(*sys.argv[2:], via=sys.argv[1] or None)
values = sum(len(s.samples) * recording.channel(s.channel).width for s in recording.segments)
# not of getrusage, which begins with the memory of the process that started this one
memory = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps([values, time.process_time() - began, memory]))
"""


def write_cwa(path: Path, seconds: int) -> None:
    data = [builder.pack_10_bits(np.rint(builder.motion(120, k) * 256).astype(int))[0]
            for k in range(POOL)]  # fmt: skip
    with path.open("wb") as file:
        file.write((b"MD" + struct.pack("<H", 1020)).ljust(1024, b"\xff"))
        for n in range(seconds * ACC_HZ // 120):
            file.write(
                builder.cwa_sector(
                    data[n % POOL], rate=0x4A, packing=0x30, light=0, count=120, number=n,
                    time_s=n * 1.2, fractional=True,
                )
            )  # fmt: skip


def write_geneactiv(path: Path, seconds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "a.bin"
        builder.write_geneactiv(small, builder.motion(300 * POOL))
        head, *pages = small.read_bytes().split(b"Recorded Data")
    start = np.datetime64(builder.START, "ms")
    with path.open("wb") as file:
        file.write(head)
        for n in range(seconds * ACC_HZ // 300):
            when = str(start + np.timedelta64(3000 * n, "ms")).replace("T", " ").replace(".", ":")
            before, _, after = pages[n % POOL].partition(b"Page Time:")
            after = after.partition(b"\r\n")[2]
            file.write(b"Recorded Data" + before + b"Page Time:" + when.encode() + b"\r\n" + after)


def write_gt3x(path: Path, seconds: int, kind: int) -> None:
    log, _ = builder.gt3x_log(builder.motion(ACC_HZ * POOL), ACC_HZ, kind=kind)
    size = len(builder.gt3x_record(kind, 0, b"")) + ACC_HZ * (6 if kind == 26 else 9) // (
        1 if kind == 26 else 2
    )
    record = log[:size]
    payload = record[8:-1]
    body = b"".join(builder.gt3x_record(kind, second, payload) for second in range(seconds))
    builder.write_gt3x(path, {"info.txt": builder.gt3x_info(ACC_HZ), "log.bin": body})


def write_xdf(path: Path, seconds: int) -> None:
    stream = emg_stream(50 * POOL)
    values = stream.samples.astype("<f4")
    blocks = []
    for k in range(POOL):
        rows = [b"\0" + row.tobytes() for row in values[50 * k : 50 * k + 50]]
        blocks.append(rows[0][1:] + b"".join(rows[1:]))
    with path.open("wb") as file:
        head = b'<?xml version="1.0"?><info><datetime>2026-03-01T22:10:05+0100</datetime></info>'
        file.write(b"XDF:" + chunk(1, head) + stream.header())
        for n in range(seconds * EMG_HZ // 50):
            start = struct.pack("<IBIBd", 1, 4, 50, 8, 5000 + n * 0.05)
            file.write(chunk(3, start + blocks[n % POOL]))


def night(seconds: int, emg: bool) -> Recording:
    """Return a night of two EMG channels, or of an accelerometer."""
    names = ("emg1_uv", "emg2_uv") if emg else ("acc_x_g", "acc_y_g", "acc_z_g")
    fs = EMG_HZ if emg else ACC_HZ
    noise = np.random.default_rng(1).normal(0, 12 if emg else 0.3, (len(names), 60 * fs))
    repeated = np.tile(np.round(noise, 3).astype(np.float32), seconds // 60)
    return Recording.from_arrays({n: (x, float(fs)) for n, x in zip(names, repeated, strict=True)})


def write_fif(path: Path, recording: Recording) -> None:
    import mne

    samples = [recording.segments_of(c.name)[0].samples for c in recording.channels]
    data = np.stack([s.read(0, len(s))[:, 0] for s in samples]) * 1e-6
    info = mne.create_info([c.name for c in recording.channels], float(EMG_HZ), "emg")
    mne.io.RawArray(data, info, verbose="error").save(path, verbose="error")


def formats(seconds: int) -> dict[str, dict[str, Callable[[Path], object]]]:
    """Return what writes each format into a folder, by the signal in it; CSV comes first.

    The CSV of EMG holds one hour, because writing a night of it takes many minutes.
    """
    hour = min(seconds, 3600)
    return {
        "acceleration": {
            "CSV": lambda d: export(night(seconds, False), "csv", d),
            "Axivity .cwa": lambda d: write_cwa(d / "a.cwa", seconds),
            "GENEActiv .bin": lambda d: write_geneactiv(d / "a.bin", seconds),
            "ActiGraph .gt3x, 16 bits": lambda d: write_gt3x(d / "a.gt3x", seconds, 26),
            "ActiGraph .gt3x, 12 bits": lambda d: write_gt3x(d / "b.gt3x", seconds, 0),
            "BIDS motion": lambda d: write_bids(night(seconds, False), d / "bids"),
        },
        "EMG": {
            "CSV, one hour": lambda d: export(night(hour, True), "csv", d),
            "EDF+": lambda d: export(night(seconds, True), "edf", d),
            "XDF": lambda d: write_xdf(d / "a.xdf", seconds),
            "fif by MNE": lambda d: write_fif(d / "a_raw.fif", night(seconds, True)),
        },
    }


def measure(folder: Path, via: str) -> tuple[int, float, float]:
    """Return values, seconds of processor time and peak memory (MB) of reading a folder."""
    files = [folder / "bids"] if (folder / "bids").exists() else sorted(folder.iterdir())
    call = [sys.executable, "-c", READ, via, *map(str, files)]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    values, seconds, memory = json.loads(done.stdout)
    return values, seconds, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=8)
    parser.add_argument("--signal", choices=["acceleration", "EMG"], help="only this one")
    options = parser.parse_args()
    seconds = round(options.hours * 60) * 60
    print("| signal | format | size, MB | values | processor time, s | values/s | of CSV | MB |")
    print("|---|---|---|---|---|---|---|---|")
    for signal, writers in formats(seconds).items():
        if options.signal in (None, signal):
            _print_rows(signal, writers)


def _print_rows(signal: str, writers: dict[str, Callable[[Path], object]]) -> None:
    csv_speed = 0.0
    for name, write in writers.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            write(folder)
            size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6
            values, took, memory = measure(folder, "mne" if "MNE" in name else "")
        speed = values / took
        csv_speed = csv_speed or speed
        print(
            f"| {signal} | {name} | {size:.0f} | {values:,} | {took:.1f} | "
            f"{speed / 1e6:.1f} million | {speed / csv_speed:.1f} | {memory:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
