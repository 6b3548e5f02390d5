"""How soon a movement is known while it is recorded, and what a packet costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from twitchsense.detect.detector import Detector
from twitchsense.live.event_updates import Rows
from twitchsense.model.recording import NS, Chunk, Recording
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
        ``packets``; ``p50_ms``, ``p99_ms``, ``most_ms``: computing per packet, looking
        for rows to show included; ``share_of_core``: computing over the length of the
        recording; ``shown_s`` and ``settled_s``: for each kind the signal time from a
        movement's end to its row, as it is shown first and once it can't change any more:
        ``count``, ``p50``, ``p95``, ``most``. Movements of the first 30 s, while the
        noise floor is learned, are left out.
    """
    detector, rows = Detector(get_profile("default-2026"), recording.channels), Rows()
    clock = _clock()
    costs: list[float] = []
    first: dict[int, int] = {}
    delays: dict[str, dict[str, list[float]]] = {"shown_s": {}, "settled_s": {}}
    for at, chunk in packets(recording, size or PACKET):
        begin = clock()
        fresh = rows.update(detector.push(chunk), detector.peek())
        costs.append(clock() - begin)
        for row in fresh:
            first.setdefault(row.number, at)
            f = row.finding
            if row.settled and not row.gone and f.onset_ns - recording.start_ns >= SETTLED_S * NS:
                for name, told in (("shown_s", first[row.number]), ("settled_s", at)):
                    delays[name].setdefault(f.kind, []).append((told - f.offset_ns) / NS)
    ms = 1000 * np.array(costs)
    length = (recording.end_ns - recording.start_ns) / NS
    return {
        "packets": len(costs),
        "p50_ms": float(np.percentile(ms, 50)),
        "p99_ms": float(np.percentile(ms, 99)),
        "most_ms": float(ms.max()),
        "share_of_core": float(ms.sum() / 1000 / length),
        **{
            name: {kind: _quantiles(d) for kind, d in sorted(those.items())}
            for name, those in delays.items()
        },
    }


def _quantiles(delays: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(delays, [50, 95]).tolist()
    return {"count": len(delays), "p50": p50, "p95": p95, "most": max(delays)}


def _clock() -> Any:
    """Return the processor's time of this thread where it is fine enough (not on Windows)."""
    fine = time.get_clock_info("thread_time").resolution <= 1e-6
    return time.thread_time if fine else time.perf_counter
