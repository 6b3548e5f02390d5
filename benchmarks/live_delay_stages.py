"""Where the time goes between the end of a movement and its row, in signal time.

    python -m benchmarks.live_delay_stages --minutes 10

The simulator's samples go straight into the detector, 20 ms at a time, without radio, disk or
screen. Each delay is from the end of the movement to the newest sample of the channel that is
furthest behind. Prints a table for `docs/live.md`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

import twitchsense as ts
from twitchsense.detect.emg_candidates import EmgTrack
from twitchsense.live.event_updates import EventTracker, EventUpdate
from twitchsense.model.candidates import LONG_KINDS, ScoredCandidate
from twitchsense.model.channels import NS
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

STEP_S = 0.02
#: While the noise floor is learned nothing is told.
WARM_S = 12.0
SCENARIOS = ("rest_twitches", "violent", "night", "plm", "artefacts")
STAGES = ("heart taken out", "burst measured", "shown", "settled")


class Listener:
    """Hears a recording as it would come, and notes when each stage is done."""

    def __init__(self, recording: Recording) -> None:
        self.detector = ts.Detector(Settings(), recording.channels)
        self.rows = EventTracker()
        self.tracks: dict[str, EmgTrack] = {}
        self.clean: dict[str, list[tuple[int, int]]] = defaultdict(list)  # reach, at
        self.bursts: dict[tuple[str, int], int] = {}
        self.first: dict[int, tuple[str, int]] = {}
        self.named: dict[tuple[int, str], int] = {}  # when it was first shown as this kind
        self.settled: list[tuple[EventUpdate, int]] = []
        self.recording = recording

    def run(self) -> None:
        """Push everything, in order of time."""
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
                self._note(row, min(reach.values()))

    def _follow(self, name: str, chunk, now: int) -> None:
        if chunk.first_index == 0:
            channel = self.recording.channel(name)
            self.tracks[name] = EmgTrack(channel, chunk.segment_start_ns, Settings())
        track = self.tracks[name]
        track.push(chunk.samples)
        self.clean[name].append((track.reach_ns, now))
        for burst in track.take()[0]:
            self.bursts[name, burst.onset_ns] = now

    def _note(self, row: EventUpdate, now: int) -> None:
        self.first.setdefault(row.number, (row.finding.kind, now))
        self.named.setdefault((row.number, row.finding.kind), now)
        if row.settled:
            self.settled.append((row, now))

    def delays(self, f: ScoredCandidate, shown: int, settled: int) -> list[float]:
        """Return the delay of each stage in s; NaN where a finding has no burst of its own."""
        reach, at = np.array(self.clean[f.channel]).T
        k = int(np.searchsorted(reach, f.offset_ns))
        clean = at[k] if k < len(at) else np.nan
        burst = self.bursts.get((f.channel, f.onset_ns), np.nan)
        if f.kind in LONG_KINDS:  # made of many
            burst = np.nan
        return [(t - f.offset_ns) / NS for t in (clean, burst, shown, settled)]


def measure(scenario: str, minutes: float, seed: int) -> tuple[dict[str, list], Counter]:
    """Return the delays of each kind, and what became of the rows."""
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-m", "firmware_sim", "capture", "--out", folder]
        call += ["--minutes", str(minutes), "--seed", str(seed), "--scenario", scenario]
        subprocess.run(call, check=True, capture_output=True)
        listener = Listener(ts.read(Path(folder, "emg.csv"), Path(folder, "acc.csv")))
        listener.run()
    delays: dict[str, list] = defaultdict(list)
    fate: Counter = Counter()
    for row, at in listener.settled:
        kind, shown = listener.first[row.number]
        early = shown < at
        fate["rows"] += not row.gone
        fate["shown early"] += early
        fate["corrected"] += early and not row.gone and row.finding.kind != kind
        fate["taken back"] += row.gone
        told = row.finding.kind in LONG_KINDS or row.finding.waveform is not None
        if not row.gone and told and row.finding.kind in ("twitch", "jerk", *LONG_KINDS):
            # what was shown as another kind counts as shown when it was put right
            shown = listener.named[row.number, row.finding.kind]
            delays[row.finding.kind].append(listener.delays(row.finding, shown, at))
    return delays, fate


def quantiles(delays: np.ndarray) -> str:
    """Return median and 95th percentile of what is known."""
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
        delays, fate = measure(scenario, options.minutes, options.seed)
        total += fate
        for kind, rows in sorted(delays.items()):
            cells = " | ".join(quantiles(np.array(column)) for column in zip(*rows, strict=True))
            print(f"| {scenario} | {kind} | {len(rows)} | {cells} |", flush=True)
    print(", ".join(f"{n} {what}" for what, n in total.items()))


if __name__ == "__main__":
    main()
