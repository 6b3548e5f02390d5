"""One clock for all streams of a device whose times are those of one device clock.

A stream alone has fewer arrivals, and the least delay of its packets differs from that of the
other streams. Fitted together, the streams of a device stay together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.streams import SampleClock
from twitchsense.io.device_logs.decoded_stream import DecodedStream
from twitchsense.nightfile.device_clock import CRYSTAL_PPM, ArrivalTimes

#: Time (s) by which the arrivals of two streams may be apart and still belong to one run.
_APART_S = 60.0


def fit_clocks(streams: Iterable[DecodedStream], steps_ns: NDArray[np.int64] | None = None) -> None:
    """Fit the clocks of all runs of the streams of a device.

    Parameters
    ----------
    streams : iterable of DecodedStream
        Streams of one device; `DecodedStream.finish` was called.
    steps_ns : ndarray of int64, optional
        Arrivals after which the host's clock was set; see `fit_device_clock`.
    """
    by_clock: dict[object, list[DecodedStream]] = {}
    for stream in streams:
        timing = stream.spec.timing
        key = (timing.tick_hz, timing.epoch) if isinstance(timing, SampleClock) else stream
        by_clock.setdefault(key, []).append(stream)
    for group in by_clock.values():
        if len(group) > 1 and _have_same_runs(group):
            _fit_together(group, steps_ns)
            continue
        for stream in group:
            stream.fit_clocks(steps_ns)


def _have_same_runs(group: list[DecodedStream]) -> bool:
    """Return whether the clock restarted at the same times in all streams."""
    if len({len(stream.runs) for stream in group}) > 1:
        return False
    timing = group[0].spec.timing
    assert isinstance(timing, SampleClock)
    for runs in zip(*(stream.runs for stream in group), strict=True):
        offsets_s = []
        for stream, run in zip(group, runs, strict=True):
            ticks, arrival_ns = stream.arrivals(run).points()
            ticks_s = (ticks + stream.first_tick(run)) / timing.tick_hz
            offsets_s.append(float(np.min(arrival_ns / 1e9 - ticks_s)))
        if max(offsets_s) - min(offsets_s) > _APART_S:
            return False
    return True


def _fit_together(group: list[DecodedStream], steps_ns: NDArray[np.int64] | None) -> None:
    timing = group[0].spec.timing
    assert isinstance(timing, SampleClock)
    for runs in zip(*(stream.runs for stream in group), strict=True):
        members = list(zip(group, runs, strict=True))
        origin = min(stream.first_tick(run) for stream, run in members)
        merged = ArrivalTimes(timing.tick_hz, CRYSTAL_PPM)
        for stream, run in members:
            ticks, arrival_ns = stream.arrivals(run).points()
            merged.push(ticks + (stream.first_tick(run) - origin), arrival_ns)
        merged.n_frames = sum(stream.arrivals(run).n_frames for stream, run in members)
        clock = merged.fit(steps_ns)
        for stream, run in members:
            since = stream.first_tick(run) - origin
            stream.clocks[run] = replace(clock, origin_tick=clock.origin_tick - since)
