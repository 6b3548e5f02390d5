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
from twitchsense.acquire.radio import open_radio
from twitchsense.acquire.recorder import Recorder, host_clock, new_meta
from twitchsense.cli.record import LIVE_PERIOD_S
from twitchsense.cli.stream import LiveView
from twitchsense.detect.finding import Finding
from twitchsense.store.night import NightFile

T0 = 1_790_000_000_000_000_000


class Watch(LiveView):
    """Notes when each movement is shown."""

    def __init__(self, now_ns) -> None:
        super().__init__()
        self.now_ns = now_ns
        self.seen: list[tuple[str, float]] = []

    def tell(self, finding: Finding) -> None:
        """Note when a movement is shown."""
        super().tell(finding)
        self.seen.append((finding.kind, (self.now_ns() - finding.offset_ns) / 1e9))


async def run(minutes: float, scenario: str, seed: int, virtual: bool) -> Watch:
    loop = asyncio.get_running_loop()
    now_ns = (lambda: T0 + round(loop.time() * 1e9)) if virtual else host_clock()
    watch = Watch(now_ns)
    stop = asyncio.Event()
    options = {"minutes": minutes + 1, "scenario": scenario, "seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        night = NightFile(Path(folder) / "a.night", new_meta())
        async with open_radio("sim", **options) as radio:
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--scenario", default="rest_twitches")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--virtual", action="store_true")
    options = parser.parse_args()
    work = run(options.minutes, options.scenario, options.seed, options.virtual)
    watch = run_virtual(work) if options.virtual else asyncio.run(work)
    told = {}
    for kind in sorted({k for k, _ in watch.seen}):
        delays = [d for k, d in watch.seen if k == kind]
        told[kind] = {
            "shown": len(delays),
            "median_s": round(float(np.median(delays)), 2),
            "p95_s": round(float(np.percentile(delays, 95)), 2),
            "most_s": round(max(delays), 2),
        }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
