"""Error of the times of a night for crystals that are fast, slow, or vary with temperature.

Run ``python benchmarks/recorder/crystals.py --hours 8``: for each crystal of `CRYSTALS`, a night
is recorded over simulated Bluetooth in virtual time, with the outages, packet errors and reboot of
`recorder.night`; all samples are zero. For every second of each boot, outages included, the true
tick of the device is mapped to UTC by the clock fit of the night and compared with the true time.
Prints the errors as JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.recorder.night import clock_errors, make_faults, start_recorder
from firmware_sim.wearable.plug import WearableOptions, open_air
from firmware_sim.wearable.virtual_time import run_virtual
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.reader import NightFileReader

#: Drift (ppm), amplitude (ppm) and period (s) of a slow wander: a room that cools overnight, and
#: heating that switches on and off.
CRYSTALS = [
    (100.0, 0.0, 10800.0),
    (-100.0, 0.0, 10800.0),
    (100.0, 10.0, 28800.0),
    (-100.0, 10.0, 10800.0),
    (-100.0, -10.0, 5400.0),
]


class ZeroSource:
    """Sample source that is always zero."""

    def read(self, stream: int, first: int, count: int):
        """Return zeros."""
        return np.zeros((count, {1: 2, 2: 3}[stream]), np.int32)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    for crystal in CRYSTALS:
        with tempfile.TemporaryDirectory() as folder:
            result = record_night(Path(folder) / "tonight.night", crystal, options)
        print(json.dumps(result), flush=True)


def record_night(path: Path, crystal: tuple[float, ...], options: argparse.Namespace) -> dict:
    drift, wander, period = crystal
    seconds = options.hours * 3600
    plan = WearableOptions(
        source=lambda model: ZeroSource(),
        seed=options.seed,
        drift_ppm=drift,
        wander_ppm=wander,
        wander_s=period,
        ring_frames=round(20000 * min(1.0, options.hours / 8)),
        faults=make_faults(options.hours),
    )
    boots: dict[int, float] = {}
    began = time.monotonic()

    async def night():
        async with open_air(wearable_options=[plan]) as air:
            (wearable,) = air.wearables

            def collect(firmware) -> None:
                boots[firmware.boot_count] = wearable.boot_time_s - wearable._start

            wearable.on_stored = collect
            recorder, stop = start_recorder(air, path, seconds)
            await recorder.run(stop)
            recorder.night.close()
            return wearable.clock

    crystal_truth = run_virtual(night())
    reader = NightFileReader(path)
    clocks = {source.count: reader.load(source).clock for source in reader.boots}
    reader.close()
    error = clock_errors(clocks, crystal_truth, boots, seconds)
    lost = sum((Counter(b.lost) for b in read_loss_reports(path)), Counter())
    return {
        "drift_ppm": drift,
        "wander_ppm": wander,
        "wander_period_h": period / 3600,
        "estimated_ppm": [round(c.drift_ppm, 2) for c in clocks.values()],
        "error_ms": {q: round(float(np.percentile(error, q)), 2) for q in (50, 99, 100)},
        "frames_lost": dict(lost),
        "wall_s": round(time.monotonic() - began, 1),
    }


if __name__ == "__main__":
    main()
