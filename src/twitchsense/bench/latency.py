"""How soon a movement is known while it is recorded, and what a packet costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from twitchsense.detect.detector import Detector
from twitchsense.detect.finding import Finding
from twitchsense.recording import NS, Chunk, Recording
from twitchsense.settings import get_profile

#: Samples of a packet, as wearables usually send them (docs/protocol.md).
PACKET = {"emg": 57, "acc": 38}
#: Before this the noise floor is being learned.
SETTLED_S = 30.0


def packets(recording: Recording, size: dict[str, int]) -> Iterator[tuple[int, Chunk]]:
    """Yield the samples in packets, as they come: (time of the last sample in ns, packet)."""
    plan = []
    for order, channel in enumerate(recording.channels):
        for segment in recording.segments_of(channel.name):
            n, step = len(segment.samples), size[channel.kind]
            stops = np.minimum(np.arange(step, n + step, step), n)
            done = segment.start_ns + np.rint(stops * (NS / channel.fs)).astype(np.int64)
            plan += [
                (at, order, segment, stop) for at, stop in zip(done.tolist(), stops, strict=True)
            ]
    plan.sort(key=lambda row: row[:2])
    for at, order, segment, stop in plan:
        step = size[recording.channels[order].kind]
        first = (int(stop) - 1) // step * step
        samples = segment.samples.read(first, int(stop))
        yield at, Chunk(segment.channel, segment.start_ns, first, samples)


def time_packets(recording: Recording, size: dict[str, int] | None = None) -> dict[str, Any]:
    """Push a recording packet by packet, and note when each movement is told.

    Parameters
    ----------
    recording : Recording
    size : dict of kind to int, optional
        Samples of a packet; `PACKET` if not given.

    Returns
    -------
    dict
        ``packets``; ``p50_ms``, ``p99_ms``, ``most_ms``: computing per packet;
        ``share_of_core``: computing over the length of the recording; ``delay_s``:
        for each kind the signal time from a movement's end to its row, ``count``,
        ``p50``, ``p95``, ``most``. Movements of the first 30 s, while the noise
        floor is learned, are left out.
    """
    detector = Detector(get_profile("default-2026"), recording.channels)
    clock = _clock()
    costs: list[float] = []
    told: list[tuple[Finding, float]] = []
    for at, chunk in packets(recording, size or PACKET):
        begin = clock()
        found = detector.push(chunk)
        costs.append(clock() - begin)
        told += [(f, (at - f.offset_ns) / NS) for f in found if not f.reason]
    delays: dict[str, list[float]] = {}
    for finding, delay in told:
        if finding.onset_ns - recording.start_ns >= SETTLED_S * NS:
            delays.setdefault(finding.kind, []).append(delay)
    ms = 1000 * np.array(costs)
    length = (recording.end_ns - recording.start_ns) / NS
    return {
        "packets": len(costs),
        "p50_ms": float(np.percentile(ms, 50)),
        "p99_ms": float(np.percentile(ms, 99)),
        "most_ms": float(ms.max()),
        "share_of_core": float(ms.sum() / 1000 / length),
        "delay_s": {
            kind: {
                "count": len(d),
                "p50": float(np.percentile(d, 50)),
                "p95": float(np.percentile(d, 95)),
                "most": max(d),
            }
            for kind, d in sorted(delays.items())
        },
    }


def _clock() -> Any:
    """Return the processor's time of this thread where it is fine enough (not on Windows)."""
    fine = time.get_clock_info("thread_time").resolution <= 1e-6
    return time.thread_time if fine else time.perf_counter
