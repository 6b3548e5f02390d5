"""Places packets by a counter that never wraps."""

from __future__ import annotations

from itertools import pairwise

from twitchsense.devices.contract import SamplePacket
from twitchsense.devices.sample_timing.loss import LossClass, LossCount
from twitchsense.devices.sample_timing.placed import PlacedPacket, RunBoundary
from twitchsense.devices.streams import StreamDescription
from twitchsense.model.intervals import RangeSet


class FullCounterPlacement:
    """Placement by a counter that never wraps; packets may arrive again and in any order."""

    def __init__(self, stream: StreamDescription) -> None:
        self.loss = LossCount()
        self._run = 0
        self._covered = RangeSet()
        self._boundary = RunBoundary(stream.fs)

    def push(self, packet: SamplePacket) -> list[PlacedPacket]:
        """Place a packet; see `StreamPlacement`."""
        if packet.restarted and len(self._covered):
            self._close_run()
            self.loss.add(LossClass.AMBIGUOUS, self._boundary.missing(packet))
            self._run += 1
        self._boundary.add(packet)
        index = packet.position or 0
        self._covered.add(index, index + len(packet.samples))
        return [PlacedPacket(self._run, index, packet)]

    def close(self) -> list[PlacedPacket]:
        """Count the loss; no packets are left."""
        self._close_run()
        return []

    def _close_run(self) -> None:
        ranges = self._covered.ranges
        for (_, stop), (start, _) in pairwise(ranges):
            self.loss.add(LossClass.EXACT, start - stop)
        self._covered = RangeSet()
