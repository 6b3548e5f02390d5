"""How long after its last sample `record --live` shows a movement, in real time.

Run ``python benchmarks/live_delay.py --minutes 5``: the simulated wearable in this process,
frames over GATT and HCI, to the disk, to the detector, to the line on the screen. With
``--virtual``, in virtual time: what waiting costs, without what a busy computer adds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

import numpy as np

from firmware_sim.wearable.virtual import run_virtual
from twitchsense.acquire.adapter import open_adapter
from twitchsense.acquire.recorder import Recorder, make_host_clock, make_metadata
from twitchsense.cli.record import LIVE_PERIOD_S
from twitchsense.cli.stream import LiveView
from twitchsense.live.event_updates import EventUpdate
from twitchsense.nightfile.writer import NightFileWriter

T0 = 1_790_000_000_000_000_000


class Watch(LiveView):
    """Notes when each movement is shown."""

    def __init__(self, now_ns) -> None:
        super().__init__()
        self.now_ns = now_ns
        self.first: dict[tuple[str, int, int], str] = {}
        self.named: dict[tuple[tuple[str, int, int], str], float] = {}
        self.seen: list[tuple[str, float]] = []  # rows that stood, when first shown as that
        self.settled: list[tuple[str, float]] = []
        self.corrected = self.taken_back = 0

    def tell(self, row: EventUpdate, key: tuple[str, int, int]) -> None:
        """Note when a movement is shown, and what becomes of it."""
        super().tell(row, key)
        kind, delay = row.finding.kind, (self.now_ns() - row.finding.offset_ns) / 1e9
        shown = self.first.setdefault(key, kind)
        self.named.setdefault((key, kind), delay)
        if row.settled:
            self.taken_back += row.gone
            self.corrected += not row.gone and kind != shown
            if not row.gone:
                self.seen.append((kind, self.named[key, kind]))
                self.settled.append((kind, delay))


async def run(minutes: float, scenario: str, seed: int, virtual: bool) -> Watch:
    loop = asyncio.get_running_loop()
    now_ns = (lambda: T0 + round(loop.time() * 1e9)) if virtual else make_host_clock()
    watch = Watch(now_ns)
    stop = asyncio.Event()
    options = {"minutes": minutes + 1, "scenario": scenario, "seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        night = NightFileWriter(Path(folder) / "a.night", make_metadata())
        async with open_adapter("sim", **options) as radio:
            (sighting,) = await radio.scan(5, "ts-0001")
            recorder = Recorder(
                radio,
                night,
                [sighting.address],
                now_ns=now_ns,
                period_s=LIVE_PERIOD_S,
                on_stored=watch.show,
                inline=virtual,
            )
            loop.call_later(60 * minutes, stop.set)
            await recorder.run(stop)
        night.close()
    return watch


def quantiles(kind: str, rows: list[tuple[str, float]]) -> dict[str, float]:
    """Return how many rows of a kind there are, and their delays in s."""
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
    watch = run_virtual(work) if options.virtual else asyncio.run(work)
    told = {
        kind: {"shown": quantiles(kind, watch.seen), "settled": quantiles(kind, watch.settled)}
        for kind in sorted({k for k, _ in watch.seen})
    }
    told |= {"rows": len(watch.seen), "corrected": watch.corrected, "taken_back": watch.taken_back}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
