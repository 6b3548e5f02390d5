"""One connection seen live: samples as they come, and the movements found in them.

What is found here is provisional. Times are by the device's nominal rate; rules that
need the neighbours of a candidate wait for the end, and frames that come late are left
out. `analyze` of the night has the last word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twitchsense.columns import plan_channels
from twitchsense.detect.detector import Detector
from twitchsense.detect.finding import Finding
from twitchsense.devices.packet import PacketError
from twitchsense.devices.twitch import MARKER, Frame, Info, unwrap
from twitchsense.live.rows import Row, Rows
from twitchsense.recording import NS, Channel, Chunk
from twitchsense.settings import Settings
from twitchsense.store.nightread import name_columns


@dataclass
class _Place:
    """Where a stream stands."""

    start_ns: int = -1
    base: int = 0
    next: int = -1


#: A detector keeps what a night's end would need. A live view needs no end, so after so
#: long a fresh one takes over, which has listened along until its noise floor is settled.
RENEW_S = 1800.0
SETTLE_S = 120.0
#: Longest movement that may still be open when the fresh one takes over.
OVERLAP_S = 60.0


class _Ear:
    """A detector, with segments of its own if it begins in the middle of one."""

    def __init__(self, channels: tuple[Channel, ...]) -> None:
        self._detector = Detector(Settings(), channels)
        self._fs = {c.name: c.fs for c in channels}
        self._bases: dict[str, tuple[int, int]] = {}

    def push(self, chunk: Chunk) -> tuple[list[Finding], list[Finding]]:
        """Take a chunk; return what is settled by now, and what is seen so far."""
        segment, base = self._bases.get(chunk.channel, (None, 0))
        if segment != chunk.segment_start_ns:
            base = chunk.first_index
            self._bases[chunk.channel] = (chunk.segment_start_ns, base)
        start = chunk.segment_start_ns + round(base / self._fs[chunk.channel] * NS)
        mine = Chunk(chunk.channel, start, chunk.first_index - base, chunk.samples)
        return self._detector.push(mine), self._detector.peek()


class LiveLane:
    """One connection: its detector, and where each stream stands.

    Parameters
    ----------
    device : str
    info : Info
    on_chunk : callable, optional
        Called with each chunk before the detector sees it.
    """

    def __init__(
        self, device: str, info: Info, on_chunk: Callable[[Chunk], None] | None = None
    ) -> None:
        self.info = info
        self._on_chunk = on_chunk
        columns = name_columns({device: info})[device]
        self._names: dict[int, list[tuple[str, list[int]]]] = {}
        channels: list[Channel] = []
        for stream in info.streams:
            if stream.id not in columns:
                continue
            names = columns[stream.id]
            for plan in plan_channels(names, "live"):
                channels.append(plan.channel(stream.fs))
                order = [names.index(n) for n in plan.names]
                self._names.setdefault(stream.id, []).append((plan.name, order))
        self.channels = tuple(channels)
        self._rows = Rows()
        self._ear = _Ear(self.channels)
        self._next: _Ear | None = None
        self._turn_ns: int | None = None  # from when on the next one is believed
        self._places = {s.id: _Place() for s in info.streams}
        self._zero_ns: int | None = None
        self._near: int | None = None

    def push(self, frame: Frame, arrival_ns: int) -> list[Row]:
        """Take a frame that is on disk; return the movements that it adds or changes."""
        if frame.replayed or frame.type == MARKER or frame.type not in self._names:
            return []
        stream, place = self.info.by_id[frame.type], self._places[frame.type]
        try:
            ticks = unwrap(frame.ticks, frame.ticks if self._near is None else self._near)
            first = self.info.sample_index(stream, ticks)
        except PacketError:
            return []
        self._near = ticks
        if first < place.next:
            return []
        if self._zero_ns is None:
            done = (first + len(frame.samples)) / stream.fs
            self._zero_ns = arrival_ns - round(done * NS)
        if first != place.next:
            place.start_ns = self._zero_ns + round(first / stream.fs * NS)
            place.base = first
        place.next = first + len(frame.samples)
        samples = stream.to_physical(frame.samples).astype(np.float32)
        changed: list[Row] = []
        for name, order in self._names[frame.type]:
            chunk = Chunk(name, place.start_ns, first - place.base, samples[:, order])
            if self._on_chunk is not None:
                self._on_chunk(chunk)
            at = chunk.segment_start_ns + round(chunk.first_index / stream.fs * NS)
            changed += self._rows.update(*self._hear(chunk, at))
        return changed

    def _hear(self, chunk: Chunk, time_ns: int) -> tuple[list[Finding], list[Finding]]:
        """Give a chunk to the detector, and to the one that will take over."""
        if self._turn_ns is None:
            self._turn_ns = time_ns
        old = self._ear.push(chunk)
        if self._next is None:
            if time_ns - self._turn_ns < RENEW_S * NS:
                return old
            self._next, self._turn_ns = _Ear(self.channels), time_ns + round(SETTLE_S * NS)
        turn, new = self._turn_ns, self._next.push(chunk)
        if time_ns > turn + OVERLAP_S * NS:
            self._ear, self._next = self._next, None
        settled, early = (
            [f for f in a if f.onset_ns < turn] + [f for f in b if f.onset_ns >= turn]
            for a, b in zip(old, new, strict=True)
        )
        return settled, early
