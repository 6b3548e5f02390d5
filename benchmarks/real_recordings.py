"""Results on public recordings, which are not part of the repository.

    python benchmarks/real_recordings.py [--data FOLDER] [--figure docs/figures/real-emg.png]
                                         [--gallery docs/figures/real-events.png]

Each recording is written as a CSV capture, read back and analysed.
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
    """Write each recording as CSV and yield its name and path."""

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
    parser.add_argument("--figure", type=Path, help="draw one recording with its events")
    parser.add_argument("--gallery", type=Path, help="draw up to four examples of every kind")
    args = parser.parse_args()
    if not args.data.exists():
        sys.exit(f"{args.data}: no recordings found; give their folder with --data")
    print("| recording | length, s | valid, s | events | rejected |\n|---|---|---|---|---|")
    nights = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in captures(args.data, Path(folder)):
            nights[name] = night = ts.analyze(ts.read(path))
            length = (night.recording.end_ns - night.recording.start_ns) / 1e9
            kinds = night.events.trial_type.value_counts().sort_index()
            reasons = night.rejected.reason.value_counts().sort_index()
            cells = [", ".join(f"{v} {k}" for k, v in t.items()) or "–" for t in (kinds, reasons)]
            valid = next(iter(night.valid_s.values()))
            print(f"| {name} | {length:.0f} | {valid:.0f} | {cells[0]} | {cells[1]} |")
            if args.figure and name == "bitalino_emg_1_uv":
                draw(night, args.figure)
        if args.gallery:
            draw_gallery(nights, args.gallery)


def draw(night: ts.Night, path: Path) -> None:
    """Draw a recording with its events in orange and rejected candidates in grey."""
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


def draw_gallery(nights: dict[str, ts.Night], path: Path, examples: int = 4) -> None:
    """Draw the strongest example of each kind in each recording, at most four per kind.

    EMG and the magnitude of the acceleration minus their medians; for changes of posture the three
    axes.
    """
    from matplotlib.figure import Figure

    found = {}
    for name, night in nights.items():
        strongest = night.events.sort_values(["amplitude_uv", "peak_g"], ascending=False)
        for event in strongest.drop_duplicates("trial_type").itertuples():
            found.setdefault(event.trial_type, []).append((name, night, event))
    figure = Figure(figsize=(12, 1.9 * len(found)), layout="constrained")
    grid = figure.subplots(len(found), examples, squeeze=False)
    for row, (kind, cases) in zip(grid, sorted(found.items()), strict=True):
        for axes, case in zip(row, [*cases, *[None] * examples], strict=False):
            axes.axis("off") if case is None else draw_event(axes, kind, *case)
    figure.savefig(path, dpi=80)


def draw_event(axes, kind: str, name: str, night: ts.Night, event) -> None:
    """Draw one event with a margin of 0.1 to 5 s, depending on its kind and duration."""
    around = max(0.1 if kind == "twitch" else 0.5, min(event.duration, 5.0))
    start, stop = event.onset - around, event.onset + event.duration + around
    times, x = night.recording.window(
        event.channel, max(round(start * 1e9), 0), min(round(stop * 1e9), night.recording.end_ns)
    )
    if x.shape[1] == 3 and kind != "posture_change":
        x = np.linalg.norm(x, axis=1, keepdims=True)
    if kind != "posture_change":
        x = x - np.nanmedian(x, axis=0)
    axes.axvspan(event.onset, event.onset + event.duration, color="#d55e00", alpha=0.25, lw=0)
    axes.plot(times / 1e9, x, lw=0.6)
    unit = next(c.unit for c in night.recording.channels if c.name == event.channel)
    axes.set_title(f"{kind} · {name}, {unit}", fontsize=7)
    axes.tick_params(labelsize=6)


if __name__ == "__main__":
    main()
