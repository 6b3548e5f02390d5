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
from twitchsense.recording import NS, Channel, Chunk
from twitchsense.settings import Settings
from twitchsense.store.nightread import name_columns


@dataclass
class _Place:
    """Where a stream stands."""

    start_ns: int = -1
    base: int = 0
    next: int = -1


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
        self._detector = Detector(Settings(), channels)
        self._places = {s.id: _Place() for s in info.streams}
        self._zero_ns: int | None = None
        self._near: int | None = None

    def push(self, frame: Frame, arrival_ns: int) -> list[Finding]:
        """Take a frame that is on disk; return the movements that are found by it."""
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
        found: list[Finding] = []
        for name, order in self._names[frame.type]:
            chunk = Chunk(name, place.start_ns, first - place.base, samples[:, order])
            if self._on_chunk is not None:
                self._on_chunk(chunk)
            found += [f for f in self._detector.push(chunk) if not f.reason]
        return found
