"""Delay from the last sample of a movement to its line of `record --live`.

Run ``python benchmarks/live/delay.py --minutes 5``: the simulated wearable runs in this process;
its frames pass GATT and HCI, the disk and the detector until the line is printed. With
``--virtual`` in virtual time, which excludes delays by a busy computer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

import numpy as np

from firmware_sim.wearable.virtual_time import run_virtual
from twitchsense.acquire.adapter import DeviceSelector, open_adapter
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.cli.event_printer import EventPrinter
from twitchsense.cli.record import LIVE_PERIOD_S
from twitchsense.live.event_updates import EventUpdate
from twitchsense.nightfile.recorder_clock import RecorderClock
from twitchsense.nightfile.writer import NightFileWriter

START_NS = 1_790_000_000_000_000_000


class TimedEventPrinter(EventPrinter):
    """Event printer that records when each movement is shown."""

    def __init__(self, now_ns) -> None:
        super().__init__()
        self.now_ns = now_ns
        self.first_kind: dict[tuple[str, int, int], str] = {}
        self.delay_as_kind: dict[tuple[tuple[str, int, int], str], float] = {}
        self.shown: list[tuple[str, float]] = []  # kind and delay of accepted rows
        self.settled: list[tuple[str, float]] = []
        self.corrected = self.withdrawn = 0

    def print_update(self, row: EventUpdate, key: tuple[str, int, int], drift_ns: int = 0) -> None:
        """Record when a movement is shown, corrected or withdrawn."""
        super().print_update(row, key, drift_ns)
        kind, delay = row.candidate.kind, (self.now_ns() - row.candidate.offset_ns) / 1e9
        first_kind = self.first_kind.setdefault(key, kind)
        self.delay_as_kind.setdefault((key, kind), delay)
        if row.final:
            self.withdrawn += row.withdrawn
            self.corrected += not row.withdrawn and kind != first_kind
            if not row.withdrawn:
                self.shown.append((kind, self.delay_as_kind[key, kind]))
                self.settled.append((kind, delay))


async def run(minutes: float, scenario: str, seed: int, virtual: bool) -> TimedEventPrinter:
    loop = asyncio.get_running_loop()
    now_ns = (lambda: START_NS + round(loop.time() * 1e9)) if virtual else RecorderClock()
    view = TimedEventPrinter(now_ns)
    stop = asyncio.Event()
    options = {"minutes": minutes + 1, "scenario": scenario, "seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        night = NightFileWriter(Path(folder) / "a.night", make_metadata())
        async with open_adapter("sim", **options) as radio:
            (advertisement,) = await radio.scan(5, DeviceSelector("", "ts-0001"))
            recorder = Recorder(
                radio,
                night,
                [advertisement.address],
                now_ns=now_ns,
                period_s=LIVE_PERIOD_S,
                on_stored=view.push,
                inline=virtual,
            )
            loop.call_later(60 * minutes, stop.set)
            await recorder.run(stop)
        night.close()
    return view


def quantiles(kind: str, rows: list[tuple[str, float]]) -> dict[str, float]:
    """Return the number of rows of a kind, and quantiles of their delays (s)."""
    delays = [d for k, d in rows if k == kind]
    return {
        "n": len(delays),
        "median_s": round(float(np.median(delays)), 2),
        "p95_s": round(float(np.percentile(delays, 95)), 2),
        "most_s": round(max(delays), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--scenario", default="rest_twitches")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--virtual", action="store_true")
    options = parser.parse_args()
    work = run(options.minutes, options.scenario, options.seed, options.virtual)
    view = run_virtual(work) if options.virtual else asyncio.run(work)
    result = {
        kind: {"shown": quantiles(kind, view.shown), "settled": quantiles(kind, view.settled)}
        for kind in sorted({k for k, _ in view.shown})
    }
    result |= {"rows": len(view.shown), "corrected": view.corrected, "taken_back": view.withdrawn}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
