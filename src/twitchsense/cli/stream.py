"""Movements while they are recorded: one line each on stdout."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from twitchsense.acquire.inbox import Stored
from twitchsense.detect.finding import Finding
from twitchsense.live.lane import LiveLane
from twitchsense.recording import NS


class LiveView:
    """Shows movements on stdout as they are found."""

    def __init__(self) -> None:
        self.events = 0
        self._lanes: dict[tuple[str, int], LiveLane] = {}

    def show(self, frames: list[Stored]) -> None:
        """Take frames that are on disk."""
        for stored in frames:
            boot = stored.lane.boot
            lane = self._lanes.get((boot.device, boot.count))
            if lane is None:
                lane = self._lanes[boot.device, boot.count] = LiveLane(
                    boot.device, stored.lane.info
                )
            for finding in lane.push(stored.frame, stored.arrival_ns):
                self.events += 1
                self.tell(finding)

    def tell(self, finding: Finding) -> None:
        """Print one movement."""
        onset = datetime.fromtimestamp(finding.onset_ns / NS, UTC)
        length = (finding.offset_ns - finding.onset_ns) / NS
        place = f"{finding.channel} {finding.leg}".rstrip()
        click.echo(f"{onset:%H:%M:%S} UTC  {finding.kind}  {length:.2f} s  {place}")
