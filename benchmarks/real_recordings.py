"""What the whole job says about real recordings (not part of the project).

    python benchmarks/real_recordings.py [--data FOLDER] [--figure docs/figures/real-emg.png]

Each is written as a capture of the contract's form, read back and analysed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import twitchsense as ts

DATA = Path(__file__).parents[2] / "shared" / "data"
MUSCLES = ("ME", "MA", "FL", "RF", "VM", "VL", "ST", "BF", "TA", "PL", "GM", "GL", "SO")


def captures(data: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name and the CSV of each recording."""

    def write(name: str, fs: float, **columns: np.ndarray) -> tuple[str, Path]:
        n = len(next(iter(columns.values())))
        path = folder / f"{name}.csv"
        table = pd.DataFrame({"time_s": np.round(np.arange(n) / fs, 6), **columns})
        table.to_csv(path, index=False)
        return name, path

    bitalino = np.load(data / "emg_bitalino_biosppy" / "data.npz")
    for name in bitalino.files:
        yield write(f"bitalino_{name}", 1000, emg1_uv=bitalino[name])
    legs = np.load(data / "emg_leg_elderly_hermescb" / "data.npz")
    for name in ("id1_EMG_TA", "id4_EMG_VL", "id5_EMG_VL", "id6_EMG_VL"):
        yield write(f"elderly_{name}_TA", 2000, emg1_uv=legs[name][:, 2] * 0.1)  # stored as 0.1 µV
    walk = np.load(data / "emg_leg_walking_musclesynergies" / "data.npz")["emg_uv"]
    for muscle in ("TA", "GM", "SO"):
        yield write(f"walking_{muscle}", 1000, emg1_uv=walk[:, MUSCLES.index(muscle)])
    ankle = np.load(data / "acc_ankle_thigh_daphnet" / "data.npz")
    for name in ankle.files:
        axes = {f"acc_{a}_mg": ankle[name][:, i] for i, a in enumerate("xyz")}
        yield write(f"daphnet_{name}", 64, **axes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    if not args.data.exists():
        sys.exit(f"{args.data}: the real recordings are not here; give their folder with --data")
    print("| recording | length, s | valid, s | events | rejected |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in captures(args.data, Path(folder)):
            night = ts.analyze(ts.read(path))
            length = (night.recording.end_ns - night.recording.start_ns) / 1e9
            kinds = night.events.trial_type.value_counts().sort_index()
            reasons = night.rejected.reason.value_counts().sort_index()
            cells = [", ".join(f"{v} {k}" for k, v in t.items()) or "–" for t in (kinds, reasons)]
            valid = next(iter(night.valid_s.values()))
            print(f"| {name} | {length:.0f} | {valid:.0f} | {cells[0]} | {cells[1]} |")
            if args.figure and name == "bitalino_emg_1_uv":
                draw(night, args.figure)


def draw(night: ts.Night, path: Path) -> None:
    """Draw a recording with its events shaded and its rejected candidates in grey."""
    from matplotlib.figure import Figure

    (channel,) = night.recording.channels
    times, samples = night.recording.window(channel.name, 0, night.recording.end_ns)
    figure = Figure(figsize=(10, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(times / 1e9, samples[:, 0] - np.median(samples), color="#222", lw=0.4)
    for table, colour in ((night.rejected, "#bbbbbb"), (night.events, "#d55e00")):
        for row in table.itertuples():
            axes.axvspan(row.onset, row.onset + row.duration, color=colour, alpha=0.5, lw=0)
            if colour != "#bbbbbb":
                axes.text(row.onset, 400, row.trial_type, rotation=60, fontsize=7)
    axes.set(xlabel="time (s)", ylabel="EMG (µV)")
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main()
