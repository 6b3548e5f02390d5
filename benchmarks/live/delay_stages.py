"""Delay from the end of a movement to its row by processing stage, in signal time.

    python -m benchmarks.live.delay_stages --minutes 10

Simulated samples are pushed into the detector 20 ms at a time, without radio, disk or screen. A
delay is measured from the end of the movement to the newest sample of the slowest channel. Prints
a table for `docs/live.md`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from itertools import count
from pathlib import Path

import numpy as np

import twitchsense as ts
from twitchsense.detect.candidates.emg_segment import EmgSegment
from twitchsense.live.event_updates import EventTracker, EventUpdate
from twitchsense.model.candidates import LONG_KINDS, ScoredCandidate
from twitchsense.model.channels import NS
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

STEP_S = 0.02
SCENARIOS = ("rest_twitches", "violent", "night", "plm", "artefacts")
STAGES = ("ECG subtracted", "burst measured", "shown", "final")


class StageTimer:
    """Pushes a recording in the order of arrival, and records when each stage is complete."""

    def __init__(self, recording: Recording) -> None:
        self.detector = ts.Detector(Settings(), recording.channels)
        self.rows = EventTracker()
        self.tracks: dict[str, EmgSegment] = {}
        self.cleaned: dict[str, list[tuple[int, int]]] = defaultdict(list)  # cleaned until, time
        self.bursts: dict[tuple[str, int], int] = {}
        self.first: dict[int, tuple[str, int]] = {}
        self.first_as_kind: dict[tuple[int, str], int] = {}  # time of the first update as this kind
        self.final: list[tuple[EventUpdate, int]] = []
        self.recording = recording

    def run(self) -> None:
        """Push the whole recording."""
        fs = {c.name: c for c in self.recording.channels}
        reach = {c.name: 0 for c in self.recording.channels}
        for chunk in self.recording.chunks(STEP_S):
            name, channel = chunk.channel, fs[chunk.channel]
            stop_s = (chunk.first_index + len(chunk.samples)) / channel.fs
            reach[name] = chunk.segment_start_ns + round(stop_s * NS)
            if channel.kind == "emg":
                self._follow(name, chunk, reach[name])
            settled = self.detector.push(chunk)
            for row in self.rows.update(settled, self.detector.peek()):
                self._record(row, min(reach.values()))

    def _follow(self, name: str, chunk, now: int) -> None:
        if chunk.first_index == 0:
            channel = self.recording.channel(name)
            self.tracks[name] = EmgSegment(channel, chunk.segment_start_ns, Settings(), count())
        track = self.tracks[name]
        track.push(chunk.samples)
        self.cleaned[name].append((track.newest_ns, now))
        for burst in track.take_bursts():
            self.bursts[name, burst.onset_ns] = now

    def _record(self, row: EventUpdate, now: int) -> None:
        self.first.setdefault(row.number, (row.candidate.kind, now))
        self.first_as_kind.setdefault((row.number, row.candidate.kind), now)
        if row.final:
            self.final.append((row, now))

    def delays(self, f: ScoredCandidate, shown: int, settled: int) -> list[float]:
        """Return the delay (s) of each stage; NaN if the candidate is not a single burst."""
        reach, at = np.array(self.cleaned[f.channel]).T
        k = int(np.searchsorted(reach, f.offset_ns))
        clean = at[k] if k < len(at) else np.nan
        burst = self.bursts.get((f.channel, f.onset_ns), np.nan)
        if f.kind in LONG_KINDS:  # made of several bursts
            burst = np.nan
        return [(t - f.offset_ns) / NS for t in (clean, burst, shown, settled)]


def measure(scenario: str, minutes: float, seed: int) -> tuple[dict[str, list], Counter]:
    """Return the delays by kind, and how many rows were shown early, corrected or withdrawn."""
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-m", "firmware_sim", "capture", "--out", folder]
        call += ["--minutes", str(minutes), "--seed", str(seed), "--scenario", scenario]
        subprocess.run(call, check=True, capture_output=True)
        timer = StageTimer(ts.read(Path(folder, "emg.csv"), Path(folder, "acc.csv")))
        timer.run()
    delays: dict[str, list] = defaultdict(list)
    outcomes: Counter = Counter()
    for row, at in timer.final:
        kind, shown = timer.first[row.number]
        early = shown < at
        outcomes["rows"] += not row.withdrawn
        outcomes["shown early"] += early
        outcomes["corrected"] += early and not row.withdrawn and row.candidate.kind != kind
        outcomes["withdrawn"] += row.withdrawn
        has_waveform = row.candidate.kind in LONG_KINDS or row.candidate.waveform is not None
        if (
            not row.withdrawn
            and has_waveform
            and row.candidate.kind in ("twitch", "jerk", *LONG_KINDS)
        ):
            # a row first shown as another kind counts as shown when it was corrected
            shown = timer.first_as_kind[row.number, row.candidate.kind]
            delays[row.candidate.kind].append(timer.delays(row.candidate, shown, at))
    return delays, outcomes


def quantiles(delays: np.ndarray) -> str:
    """Format median and 95th percentile, without NaN."""
    known = delays[~np.isnan(delays)]
    return "{:.2f}, {:.2f}".format(*np.quantile(known, [0.5, 0.95])) if len(known) else ""


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenario", nargs="*", default=SCENARIOS)
    options = parser.parse_args()
    print(f"| scenario | kind | rows | {' | '.join(STAGES)} |")
    print("|---|---|---|" + "---|" * len(STAGES))
    total: Counter = Counter()
    for scenario in options.scenario:
        delays, outcomes = measure(scenario, options.minutes, options.seed)
        total += outcomes
        for kind, rows in sorted(delays.items()):
            cells = " | ".join(quantiles(np.array(column)) for column in zip(*rows, strict=True))
            print(f"| {scenario} | {kind} | {len(rows)} | {cells} |", flush=True)
    print(", ".join(f"{n} {what}" for what, n in total.items()))


if __name__ == "__main__":
    main()
