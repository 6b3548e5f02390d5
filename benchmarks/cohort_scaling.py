"""Time, memory and cost of a cohort with one worker and with two.

python -m benchmarks.cohort_scaling --nights 200 --minutes 30 --json cohort.json
python -m benchmarks.cohort_scaling --nights 2 --minutes 480 --json long.json     for the cost

A few simulated captures (CSV: two EMG channels at 1000 Hz, three axes at 100 Hz) are listed
many times under different names. Nothing is shared between nights, so their content does not
matter. The same list is run with one worker and with two, each into a new dataset, and once
more with nothing left to do.

Other programs distort the ratio of the two times, so the share of the processors that they used
is printed as well. The ratio is also given without their influence: the processor time per night
with one worker over that with two (mutual slow-down), times the share of the time in which each of
the two workers had a night to process (cost of starting, distributing and waiting for the last
one).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from firmware_sim.capture import CaptureSettings, SimulatedCapture
from firmware_sim.capture_files import write_capture
from twitchsense.cohort.manifest import NightEntry
from twitchsense.cohort.run import CohortProgress, run_cohort
from twitchsense.cohort.task import Outcome
from twitchsense.settings import Settings

#: Assumed price of a vCPU-hour (US dollars), general-purpose machine on demand.
PRICE = 0.05


def make_nights(folder: Path, count: int, minutes: float, distinct: int) -> list[NightEntry]:
    """Simulate captures and list them as `count` nights."""
    captures = []
    for seed in range(1, distinct + 1):
        home = folder / f"seed{seed}"
        write_capture(SimulatedCapture(CaptureSettings(minutes=minutes, seed=seed)), home)
        captures.append((home / "emg.csv", home / "acc.csv"))
    return [
        NightEntry(f"night {k}", captures[k % distinct], f"night {k}", Settings())
        for k in range(count)
    ]


def processor_s() -> tuple[float, float]:
    """Return the busy time (s) of all processors, and of this process and its children."""
    own = sum(os.times()[:4])
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    busy = sum(int(x) for i, x in enumerate(fields[:8]) if i not in (3, 4))
    return busy / os.sysconf("SC_CLK_TCK"), own


def measure(nights: list[NightEntry], out: Path, workers: int) -> dict[str, Any]:
    """Run a cohort and return its time, processor time and memory."""
    outcomes: list[Outcome] = []

    def collect(tally: CohortProgress, outcome: Outcome) -> None:
        outcomes.append(outcome)

    busy, own = processor_s()
    began = time.monotonic()
    tally = run_cohort(nights, out, workers=workers, on_night=collect)
    wall = time.monotonic() - began
    busy, own = (b - a for a, b in zip((busy, own), processor_s(), strict=True))
    memory: dict[int, list[float]] = {}
    for outcome in outcomes:
        memory.setdefault(outcome.worker, []).append(outcome.rss_mb)
    return {
        "workers": workers,
        "nights": tally.done,
        "failed": tally.failed,
        "wall_s": round(wall, 1),
        "cpu_s_per_night": round(own / max(tally.done, 1), 3),
        "analysis_cpu_s_median": round(statistics.median(o.cpu_s for o in outcomes), 3),
        "night_in_hand": round(sum(o.took_s for o in outcomes) / wall / workers, 3),
        "busy_by_others": round((busy - own) / wall / (os.cpu_count() or 1), 3),
        "memory_mb": [describe(m) for m in memory.values()],
    }


def describe(rss: list[float]) -> dict[str, Any]:
    """Return the memory (MB) of one worker, by tenths of its nights."""
    cuts = [round(k * len(rss) / 10) for k in range(11)]
    tenths = [rss[a:b] for a, b in pairwise(cuts) if b > a]
    return {
        "nights": len(rss),
        "median_of_each_tenth": [round(statistics.median(t)) for t in tenths],
        "most": round(max(rss), 1),
    }


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--nights", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--distinct", type=int, default=8)
    parser.add_argument("--price", type=float, default=PRICE, help="of a vCPU-hour")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        distinct = min(options.distinct, options.nights)
        nights = make_nights(folder, options.nights, options.minutes, distinct)
        one = measure(nights, folder / "one", 1)
        two = measure(nights, folder / "two", 2)
        began = time.monotonic()
        kept = run_cohort(nights, folder / "two").kept
        nothing_to_do_s = time.monotonic() - began
        size = sum(p.stat().st_size for p in (folder / "two").rglob("*.parquet"))
    speed_up = one["wall_s"] / two["wall_s"]
    hours = two["cpu_s_per_night"] / 3600
    result = {
        "minutes": options.minutes,
        "runs": [one, two],
        "speed_up": round(speed_up, 3),
        "of_ideal": round(speed_up / 2, 3),
        "of_ideal_by_processor_time": round(
            one["cpu_s_per_night"] / two["cpu_s_per_night"] * two["night_in_hand"], 3
        ),
        "nothing_to_do_s": round(nothing_to_do_s, 2),
        "kept": kept,
        "dataset_mb_per_night": round(size / len(nights) / 1e6, 3),
        "vcpu_hours_per_1000_nights": round(1000 * hours, 2),
        "assumed_price_per_vcpu_hour": options.price,
        "cost_per_1000_nights": round(1000 * hours * options.price, 2),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
