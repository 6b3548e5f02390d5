"""Delay and cost while it is recorded, in packets of the wearable and in small ones."""

from __future__ import annotations

from typing import Any

from twitchsense.bench.latency import PACKET_SAMPLES, time_packets
from twitchsense.bench.synthetic import make_tile, tile_recording

#: Samples of a packet. "20 ms" shows what the detector's own waiting costs.
SIZES = {"wearable": PACKET_SAMPLES, "20 ms": {"emg": 20, "acc": 2}}


def measure_live(minutes: float, events_per_h: float = 720.0) -> dict[str, Any]:
    """Measure a busy stretch, so that there are delays to look at."""
    tile = make_tile(events_per_h=events_per_h)
    recording = tile_recording(tile, 60 * minutes)
    return {"minutes": minutes, **{name: time_packets(recording, s) for name, s in SIZES.items()}}
