"""Movements while they are recorded: one line each on stdout."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click

from twitchsense.acquire.frame_queue import StoredFrame
from twitchsense.live.device_stream import DeviceStream
from twitchsense.live.event_updates import EventUpdate
from twitchsense.model.candidates import ScoredCandidate
from twitchsense.model.channels import NS

_HEAD: Final = (
    "Movements as they are first seen. A line with 'corrects' or 'taken back' puts an earlier "
    "one right; `twitchsense analyze` has the last word."
)


class LiveView:
    """Shows movements on stdout as they are found."""

    def __init__(self) -> None:
        self.events = 0
        self._lanes: dict[tuple[str, int], DeviceStream] = {}
        self._told: dict[tuple[str, int, int], str] = {}  # not settled yet, and as what

    def show(self, frames: list[StoredFrame]) -> None:
        """Take frames that are on disk."""
        came: dict[tuple[str, int], list[StoredFrame]] = {}
        for stored in frames:
            came.setdefault((stored.source.boot.device, stored.source.boot.count), []).append(
                stored
            )
        for (device, count), those in came.items():
            lane = self._lanes.get((device, count))
            if lane is None:
                lane = self._lanes[device, count] = DeviceStream(device, those[0].source.info)
            for row in lane.push((s.frame, s.arrival_ns) for s in those):
                self.tell(row, (device, count, row.number))

    def tell(self, row: EventUpdate, key: tuple[str, int, int]) -> None:
        """Print a movement, or what has become of one that was printed."""
        if not self.events and not self._told:
            click.echo(_HEAD, err=True)
        before, finding = self._told.pop(key, ""), row.finding
        if not row.settled:
            self._told[key] = finding.kind
        self.events += (0 if row.gone else 1) - (1 if before else 0)
        if row.gone:
            self._say(finding, f"taken back: {before}")
        elif before != finding.kind:
            self._say(finding, finding.kind, f"  (corrects {before})" if before else "")

    def _say(self, finding: ScoredCandidate, what: str, why: str = "") -> None:
        onset = datetime.fromtimestamp(finding.onset_ns / NS, UTC)
        length = (finding.offset_ns - finding.onset_ns) / NS
        place = f"{finding.channel} {finding.leg}".rstrip()
        click.echo(f"{onset:%H:%M:%S} UTC  {what}  {length:.2f} s  {place}{why}")
