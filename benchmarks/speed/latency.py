"""Delay and computing time of live detection, in packets of the wearable and small ones."""

from __future__ import annotations

from typing import Any

from twitchsense.bench.latency import PACKET_SAMPLES, time_packets
from twitchsense.bench.synthetic import make_tile, tile_recording

#: Samples per packet. "20 ms" shows the delay of the detector itself.
SIZES = {"wearable": PACKET_SAMPLES, "20 ms": {"emg": 20, "acc": 2}}


def measure_live(minutes: float, events_per_h: float = 720.0) -> dict[str, Any]:
    """Measure a stretch with many events."""
    tile = make_tile(events_per_h=events_per_h)
    recording = tile_recording(tile, 60 * minutes)
    return {"minutes": minutes, **{name: time_packets(recording, s) for name, s in SIZES.items()}}
