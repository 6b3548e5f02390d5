"""Movements while they are recorded: the detector of `analyze` on frames as they come.

What it shows is provisional. Times are by the device's nominal rate; rules that need the
neighbours of a candidate wait for the end, and frames that come late are left out.
`analyze` of the night has the last word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import click
import numpy as np

from twitchsense.acquire.inbox import Lane, Stored
from twitchsense.columns import plan_channels
from twitchsense.detect.detector import Detector
from twitchsense.detect.finding import Finding
from twitchsense.devices.packet import PacketError
from twitchsense.devices.twitch import MARKER, unwrap
from twitchsense.recording import NS, Channel, Chunk
from twitchsense.settings import Settings
from twitchsense.store.nightread import name_columns


@dataclass
class _Place:
    """Where a stream stands."""

    start_ns: int = -1
    base: int = 0
    next: int = -1


class _LaneView:
    """One connection: its detector, and where each stream stands."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        columns = name_columns({lane.boot.device: lane.info})[lane.boot.device]
        self._names: dict[int, list[tuple[str, list[int]]]] = {}
        channels: list[Channel] = []
        for stream in lane.info.streams:
            if stream.id not in columns:
                continue
            names = columns[stream.id]
            for plan in plan_channels(names, "live"):
                channels.append(plan.channel(stream.fs))
                order = [names.index(n) for n in plan.names]
                self._names.setdefault(stream.id, []).append((plan.name, order))
        self._detector = Detector(Settings(), channels)
        self._places = {s.id: _Place() for s in lane.info.streams}
        self._zero_ns: int | None = None
        self._near: int | None = None

    def push(self, stored: Stored) -> list[Finding]:
        """Return movements that are complete with this frame."""
        frame, info = stored.frame, self.lane.info
        if frame.replayed or frame.type == MARKER or frame.type not in self._names:
            return []
        stream, place = info.by_id[frame.type], self._places[frame.type]
        try:
            ticks = unwrap(frame.ticks, frame.ticks if self._near is None else self._near)
            first = info.sample_index(stream, ticks)
        except PacketError:
            return []
        self._near = ticks
        if first < place.next:
            return []
        if self._zero_ns is None:
            done = (first + len(frame.samples)) / stream.fs
            self._zero_ns = stored.arrival_ns - round(done * NS)
        if first != place.next:
            place.start_ns = self._zero_ns + round(first / stream.fs * NS)
            place.base = first
        place.next = first + len(frame.samples)
        samples = stream.to_physical(frame.samples).astype(np.float32)
        found: list[Finding] = []
        for name, order in self._names[frame.type]:
            chunk = Chunk(name, place.start_ns, first - place.base, samples[:, order])
            found += [f for f in self._detector.push(chunk) if not f.reason]
        return found


class LiveView:
    """Shows movements on stdout as they are found."""

    def __init__(self) -> None:
        self.events = 0
        self._lanes: dict[tuple[str, int], _LaneView] = {}

    def show(self, frames: list[Stored]) -> None:
        """Take frames that are on disk."""
        for stored in frames:
            boot = stored.lane.boot
            view = self._lanes.get((boot.device, boot.count))
            if view is None:
                view = self._lanes[boot.device, boot.count] = _LaneView(stored.lane)
            for finding in view.push(stored):
                self.events += 1
                self.tell(finding)

    def tell(self, finding: Finding) -> None:
        """Print one movement."""
        onset = datetime.fromtimestamp(finding.onset_ns / NS, UTC)
        length = (finding.offset_ns - finding.onset_ns) / NS
        place = f"{finding.channel} {finding.leg}".rstrip()
        click.echo(f"{onset:%H:%M:%S} UTC  {finding.kind}  {length:.2f} s  {place}")
