"""Processor time by processing stage and by function.

    python -m benchmarks.speed.profile [--minutes 30] [--events-per-h 75] [CAPTURE ...]

Without captures, a synthetic night in memory is analysed. Stages are sampled several hundred times
per second, without overhead. The list of functions comes from a second run under cProfile, which
overestimates the cost of small calls by a factor of two to three.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import time
from collections.abc import Callable
from pathlib import Path

import twitchsense as ts
from twitchsense.bench.stages import StageSampler
from twitchsense.bench.synthetic import make_tile, tile_recording


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("captures", nargs="*", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--events-per-h", type=float, default=75.0)
    parser.add_argument("--functions", type=int, default=40, help="how many to list; 0 for none")
    args = parser.parse_args()
    if args.captures:
        names, seconds = " ".join(p.name for p in args.captures), None

        def job() -> ts.Night:
            return ts.analyze(ts.read(*args.captures))
    else:
        names, seconds = "synthetic", 60 * args.minutes
        recording = tile_recording(make_tile(events_per_h=args.events_per_h), seconds)

        def job() -> ts.Night:
            return ts.analyze(recording)

    job()  # imports
    by_stage(names, job)
    if args.functions:
        by_function(job, args.functions)


def by_stage(names: str, job: Callable[[], ts.Night]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    with StageSampler() as sampler:
        night = job()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    hours = (night.recording.end_ns - night.recording.start_ns) / 3.6e12
    print(f"{names}: {hours:.2f} h, {len(night.events)} events, {len(night.rejected)} rejected")
    print(f"{cpu:.2f} s of processor time ({8 * cpu / hours:.1f} s for 8 h), {wall:.2f} s passed")
    seconds = sampler.seconds()
    total = sum(seconds.values())
    for stage, s in seconds.items():
        print(f"  {stage:<26}{s:8.3f} s {100 * s / total:5.1f} %   {8 * s / hours:7.2f} s for 8 h")


def by_function(job: Callable[[], ts.Night], count: int) -> None:
    profile = cProfile.Profile(time.process_time)
    profile.runcall(job)
    stats = pstats.Stats(profile, stream=sys.stdout).strip_dirs()
    for order in ("cumulative", "tottime"):
        stats.sort_stats(order).print_stats(count)


if __name__ == "__main__":
    main()
