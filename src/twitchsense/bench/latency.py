"""Live detection: computing time per packet, and delay from an event to its report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from twitchsense.detect.detector import Detector
from twitchsense.live.event_updates import EventTracker
from twitchsense.model.channels import NS, Chunk
from twitchsense.model.recording import Recording
from twitchsense.settings import DEFAULT_PROFILE, get_profile

#: Samples per packet by kind of channel, as the wearable sends them (docs/protocol.md).
PACKET_SAMPLES = {"emg": 57, "acc": 38}
#: Events that begin earlier (s) are left out: the noise floor is still being estimated.
WARM_UP_S = 30.0


def iter_packets(recording: Recording, size: dict[str, int]) -> Iterator[tuple[int, Chunk]]:
    """Cut a recording into packets, in the order of their arrival.

    Parameters
    ----------
    recording : Recording
    size : dict of kind to int
        Samples per packet.

    Yields
    ------
    time_ns : int
        End of the packet's last sample on the recording's axis.
    packet : Chunk
    """
    schedule = []
    for order, channel in enumerate(recording.channels):
        for segment in recording.segments_of(channel.name):
            n, step = len(segment.samples), size[channel.kind]
            stops = np.minimum(np.arange(step, n + step, step), n)
            ends_ns = segment.start_ns + np.rint(stops * (NS / channel.fs)).astype(np.int64)
            schedule += [
                (end_ns, order, segment, stop)
                for end_ns, stop in zip(ends_ns.tolist(), stops, strict=True)
            ]
    schedule.sort(key=lambda row: row[:2])
    for end_ns, order, segment, stop in schedule:
        step = size[recording.channels[order].kind]
        first = (int(stop) - 1) // step * step
        samples = segment.samples.read(first, int(stop))
        yield end_ns, Chunk(segment.channel, segment.start_ns, first, samples)


def time_packets(recording: Recording, size: dict[str, int] | None = None) -> dict[str, Any]:
    """Push a recording packet by packet; record when each event is reported.

    Parameters
    ----------
    recording : Recording
    size : dict of kind to int, optional
        Samples per packet; `PACKET_SAMPLES` if not given.

    Returns
    -------
    dict
        ``packets``: their number; ``p50_ms``, ``p99_ms``, ``most_ms``: median, 99th
        percentile and maximum of the computing time per packet, including the update of
        the rows; ``share_of_core``: computing time over the length of the recording;
        ``shown_s`` and ``settled_s``: for each kind of event the signal time from its end to
        its row, when it is first shown and when it is final: ``count``, ``p50``, ``p95``,
        ``most`` (maximum). Events of the first `WARM_UP_S` seconds are left out.
    """
    # as in the live view, which keeps nothing
    detector = Detector(get_profile(DEFAULT_PROFILE), recording.channels, keep=False)
    rows = EventTracker()
    clock = _thread_clock()
    costs: list[float] = []
    first_shown_ns: dict[int, int] = {}
    delays: dict[str, dict[str, list[float]]] = {"shown_s": {}, "settled_s": {}}
    kinds = {channel.name: channel.kind for channel in recording.channels}
    # a packet holds the samples of all channels of a kind
    for (now_ns, _), packet in groupby(
        iter_packets(recording, size or PACKET_SAMPLES),
        lambda row: (row[0], kinds[row[1].channel]),
    ):
        chunks = [chunk for _, chunk in packet]
        start_s = clock()
        updates = rows.update(detector.push(*chunks), detector.peek())
        costs.append(clock() - start_s)
        for row in updates:
            first_shown_ns.setdefault(row.number, now_ns)
            f = row.candidate
            if (
                row.final
                and not row.withdrawn
                and f.onset_ns - recording.start_ns >= WARM_UP_S * NS
            ):
                times_ns = {"shown_s": first_shown_ns[row.number], "settled_s": now_ns}
                for name, time_ns in times_ns.items():
                    delays[name].setdefault(f.kind, []).append((time_ns - f.offset_ns) / NS)
    ms = 1000 * np.array(costs)
    length_s = (recording.end_ns - recording.start_ns) / NS
    return {
        "packets": len(costs),
        "p50_ms": float(np.percentile(ms, 50)),
        "p99_ms": float(np.percentile(ms, 99)),
        "most_ms": float(ms.max()),
        "share_of_core": float(ms.sum() / 1000 / length_s),
        **{
            name: {kind: _quantiles(d) for kind, d in sorted(by_kind.items())}
            for name, by_kind in delays.items()
        },
    }


def _quantiles(delays: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(delays, [50, 95]).tolist()
    return {"count": len(delays), "p50": p50, "p95": p95, "most": max(delays)}


def _thread_clock() -> Any:
    """Return the clock of this thread's processor time, or wall time if that is too coarse."""
    fine = time.get_clock_info("thread_time").resolution <= 1e-6
    return time.thread_time if fine else time.perf_counter
