"""Wearables that one process records and analyses live."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

Figures = dict[str, Any]


def measure_devices(counts: Iterable[int], seconds: float) -> Figures:
    """Record and analyse several numbers of wearables at real-time rate, each in a process."""
    command = [sys.executable, "-m", "benchmarks.recorder.scaling", "--seconds", str(seconds)]
    runs: list[Figures] = []
    for count in counts:
        devices = ["--devices", str(count)]
        done = subprocess.run([*command, *devices], capture_output=True, text=True, check=True)
        runs += json.loads(done.stdout)
    most = max((run["devices"] for run in runs if run["lossless"]), default=0)
    return {"most_lossless": most, "seconds": seconds, "runs": runs}


def section(figures: Figures, table: Callable[[str, Iterable[str]], list[str]]) -> list[str]:
    """Return the section of the page."""
    return [
        "## Many wearables",
        "",
        f"{figures['seconds']:g} s at real-time rate in one process, with night file and live "
        "detector, without the radio ([method](recording.md)). Without loss: every frame is in "
        "the file, none was requested again, every wearable shows as many movements as alone.",
        "",
        *table(
            "wearables | share of a core | per wearable | detector's share of that | peak memory "
            "| without loss",
            (
                f"{run['devices']} | {100 * run['cpu_share_of_one_core']:.0f} % "
                f"| {run['cpu_percent_per_device']:.2f} % "
                f"| {100 * run['detector_share_of_that']:.0f} % "
                f"| {run['peak_mb']:.0f} MB | {'yes' if run['lossless'] else 'no'}"
                for run in figures["runs"]
            ),
        ),
    ]
