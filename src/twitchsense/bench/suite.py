"""All that `twitchsense bench` measures, in the order it is shown."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from twitchsense.bench.latency import time_packets
from twitchsense.bench.process import measure_memory, time_start
from twitchsense.bench.synthetic import make_tile, repeat_arrays, tile_recording
from twitchsense.bench.throughput import time_arrays, time_files, write_csv

#: What is pushed packet by packet: short, since a packet costs as much as a long chunk,
#: and with enough movements to see how soon they are known.
_LIVE_S, _LIVE_EVENTS_PER_H = 300.0, 720.0


def run_suite(minutes: float) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the name of each part and how to measure it.

    Parameters
    ----------
    minutes : float
        Length of the made-up night. The captures are a third as long, and at most
        5 min of it are pushed packet by packet.
    """
    tile = make_tile()
    seconds = 60 * minutes

    def files() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            captures = write_csv(tile, seconds / 3, Path(folder))
            return {"hours": seconds / 3 / 3600, **time_files(captures, Path(folder))}

    def live() -> dict[str, Any]:
        length = min(seconds, _LIVE_S)
        busy = make_tile(events_per_h=_LIVE_EVENTS_PER_H, seconds=length)
        return time_packets(tile_recording(busy, length))

    yield "about", about
    yield "arrays", lambda: time_arrays(repeat_arrays(tile, seconds))
    yield "csv", files
    yield "live", live
    yield "memory", lambda: measure_memory(tile, seconds)
    yield "start", lambda: time_start(3)


def about() -> dict[str, Any]:
    """Return what the figures depend on: versions and the computer."""
    packages = ("twitchsense", "numpy", "scipy", "pandas")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        **{name: metadata.version(name) for name in packages},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": load,
    }


def _processor() -> str:
    """Return the name of the processor, or an empty text."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
