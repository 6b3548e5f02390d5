"""Sleep onset without EEG: error, spread, and the delay caused by leg events.

    python benchmarks/sleep_onset_accuracy.py DIR_OF_HYPNOGRAMS --out docs/sleep-onset-figures.md

A simulated leg with simulated and with real hypnograms: restless in wake, with jerks
and periodic movements before and after sleep onset. Each night is simulated twice,
with and without these leg events, which separates the delay they cause from the
error of the method.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import twitchsense as ts
from firmware_sim import scenarios
from firmware_sim.capture import CaptureSettings, SimulatedCapture
from firmware_sim.hypnogram import StageSequence
from firmware_sim.schedule import EventKind, Schedule
from twitchsense.detect.detector import Detector
from twitchsense.sleep.activity_counts import ActivityCounter
from twitchsense.sleep.context import find_context
from twitchsense.sleep.onset import SleepOnset

HEAD = """# Sleep onset: figures

Made by `python benchmarks/sleep_onset_accuracy.py DIR`, seeds {seeds}. The simulated leg is restless
in wake (a change of position every 40-200 s, the last one 12-18 s before sleep), jerks about every
half minute from 4 min before sleep onset to 15 min after it, and has periodic leg movements for half
an hour from 4 min before sleep onset. The real hypnograms are the two of YASA's test data (BSD
licence), cut to {minutes:g} min.

People lie awake without moving, which this leg does not do. The errors below are therefore those of
a method whose assumption holds. Against EEG, expect estimates 9-20 min too early
([falling asleep](sleep-context.md)).

*Error*: estimate minus the first epoch of sleep, in seconds. *Delay*: estimate with the leg events
minus the estimate for the same night without them. *Inside*: nights whose true onset lies in the
reported interval.

| hypnograms | leg events masked | nights | median error | bias | SD | largest delay | median delay | inside |
|---|---|---|---|---|---|---|---|---|
"""  # noqa: E501
METHODS_HEAD = """
## By method

Median error in seconds (and nights in which the method found sleep), leg events masked.

| hypnograms | {names} |
|---|{bars}|
"""
BASE = ts.get_profile("default-2026")
UNMASKED = BASE.model_copy(
    update={"context": BASE.context.model_copy(update={"mask_events": False})}
)


@dataclass(frozen=True)
class Night:
    """The true sleep onset of a night, and the estimates of it."""

    truth_s: float
    without_events_s: float | None
    masked: SleepOnset
    unmasked: SleepOnset


def record(schedule: Schedule, minutes: float, seed: int) -> ts.Recording:
    """Simulate a schedule as a recording."""
    settings = CaptureSettings(minutes, seed, "restless_onset", channels=1)
    capture = SimulatedCapture(settings, schedule=schedule)
    blocks = list(capture.blocks())
    sensor = capture.sensor
    emg = np.concatenate([b.emg[:, 0] for b in blocks]) * sensor.emg_lsb_uv
    acc = np.concatenate([b.acc for b in blocks]) * sensor.acc_lsb_g
    signals = {"emg1_uv": (emg, settings.fs_emg)}
    signals |= {f"acc_{axis}_g": (acc[:, k], settings.fs_acc) for k, axis in enumerate("xyz")}
    return ts.Recording.from_arrays(signals)


def estimate(recording: ts.Recording) -> tuple[SleepOnset, SleepOnset]:
    """Return the sleep onset with and without masking, from one detection."""
    detector, counter = (
        Detector(BASE, recording.channels),
        ActivityCounter(recording.channel("acc")),
    )
    for chunk in recording.chunks():
        detector.push(chunk)
        if chunk.channel == "acc":
            counter.push(chunk)
    found, counts = detector.close(), {"acc": counter.close()}
    both = [find_context(recording, found, s, None, counts).onset for s in (BASE, UNMASKED)]
    return both[0], both[1]


def run(minutes: float, seed: int, stages: StageSequence | None) -> Night:
    """Simulate a night with and without leg events, and estimate the sleep onset of both."""
    plan = scenarios.make_schedule("restless_onset", minutes, seed, 1, stages)
    legs = (EventKind.JERK, EventKind.LEG_MOVEMENT)
    without_events = replace(plan, events=tuple(e for e in plan.events if e.kind not in legs))
    masked, unmasked = estimate(record(plan, minutes, seed))
    truth = plan.hypnogram.sleep_onset_s
    assert truth is not None
    return Night(truth, estimate(record(without_events, minutes, seed))[0].time_s, masked, unmasked)


def real_hypnograms(folder: Path, minutes: float) -> Iterator[StageSequence]:
    """Yield the real hypnograms of a folder, cut to `minutes`."""
    for path in sorted(folder.glob("*.csv")):
        with path.open() as file:
            stages = [row["stage"] for row in csv.DictReader(file)]
        yield StageSequence(tuple(stages[: round(minutes * 2)]))


def lines(name: str, nights: list[Night]) -> Iterator[str]:
    for masked in (True, False):
        found = [n.masked if masked else n.unmasked for n in nights]
        pairs = [(f, n) for f, n in zip(found, nights, strict=True) if f.time_s is not None]
        error = np.array([f.time_s - n.truth_s for f, n in pairs])
        delay = np.array(
            [f.time_s - n.without_events_s for f, n in pairs if n.without_events_s is not None]
        )
        inside = sum(f.low_s <= n.truth_s <= f.high_s for f, n in pairs)
        cells = [name, "yes" if masked else "no", f"{len(pairs)} of {len(nights)}"]
        cells += [f"{v:+.0f}" for v in (np.median(error), error.mean())]
        cells += [f"{error.std(ddof=1):.0f}", f"{delay.max():+.0f}", f"{np.median(delay):+.0f}"]
        yield "| " + " | ".join([*cells, f"{inside} of {len(pairs)}"]) + " |"


def methods_line(name: str, nights: list[Night], names: list[str]) -> str:
    cells = []
    for method in names:
        estimates = [(n.masked.by_method.get(method), n.truth_s) for n in nights]
        error = [t - truth for t, truth in estimates if t is not None]
        cells.append(f"{np.median(error):+.0f} ({len(error)})" if error else "– (0)")
    return "| " + " | ".join([name, *cells]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(301, 309)))
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    made = [run(args.minutes, seed, None) for seed in args.seeds]
    stages = list(real_hypnograms(args.data, args.minutes))
    real = [run(min(args.minutes, len(s.stages) / 2), seed, s)
            for s in stages for seed in args.seeds[:4]]  # fmt: skip
    groups = {"simulated": made, "real": real}
    text = HEAD.format(seeds=f"{args.seeds[0]}-{args.seeds[-1]}", minutes=args.minutes)
    text += "\n".join(line for name, nights in groups.items() for line in lines(name, nights))
    names = sorted({k for n in (*made, *real) for k in n.masked.by_method})
    text += "\n" + METHODS_HEAD.format(names=" | ".join(names), bars="|".join("---" for _ in names))
    text += "\n".join(methods_line(n, nights, names) for n, nights in groups.items()) + "\n"
    if args.out:
        args.out.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
