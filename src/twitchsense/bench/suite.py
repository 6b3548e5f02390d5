"""The measurements of ``twitchsense bench``, in the order they are shown."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from twitchsense.bench.latency import time_packets
from twitchsense.bench.process import measure_memory, time_start
from twitchsense.bench.synthetic import make_tile, repeat_arrays, tile_recording
from twitchsense.bench.throughput import compare_engines, time_arrays, time_files, write_csv
from twitchsense.dsp.engine import engine_name

#: Length (s) of the recording that is pushed packet by packet. It is short, since a packet
#: takes about as long as a chunk of many seconds.
_LIVE_S: Final = 300.0
#: Its event rate, high enough for the quantiles of the delays.
_LIVE_EVENTS_PER_H: Final = 720.0


def run_suite(minutes: float) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Iterate over the measurements.

    Parameters
    ----------
    minutes : float
        Length of the synthetic night. The captures are a third as long, and at most
        5 min are pushed packet by packet.

    Yields
    ------
    name : str
        Key in the JSON output.
    measure : callable
        Performs the measurement and returns its figures.
    """
    tile = make_tile()
    seconds = 60 * minutes

    def files() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            captures = write_csv(tile, seconds / 3, Path(folder))
            return {"hours": seconds / 3 / 3600, **time_files(captures, Path(folder))}

    def live() -> dict[str, Any]:
        length_s = min(seconds, _LIVE_S)
        dense = make_tile(events_per_h=_LIVE_EVENTS_PER_H, seconds=length_s)
        return time_packets(tile_recording(dense, length_s))

    yield "about", describe_system
    yield "arrays", lambda: time_arrays(repeat_arrays(tile, seconds))
    yield "engines", lambda: compare_engines(repeat_arrays(tile, seconds / 3))
    yield "csv", files
    yield "live", live
    yield "memory", lambda: measure_memory(tile, seconds)
    yield "start", lambda: time_start(3)


def describe_system() -> dict[str, Any]:
    """Return what the figures depend on: versions and hardware."""
    packages = ("twitchsense", "numpy", "scipy", "pandas")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        **{name: metadata.version(name) for name in packages},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "engine": engine_name(),
        "cores": os.cpu_count(),
        "load": load,
    }


def _processor() -> str:
    """Return the name of the processor; empty if unknown."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
