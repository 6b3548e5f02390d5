"""What a placement does, and what it returns.

Samples keep the number that the device's counter or clock gives them. A loss leaves a gap in the
numbers, and is never stretched over or padded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from twitchsense.devices.contract import SamplePacket
from twitchsense.devices.sample_timing.loss import LossCount
from twitchsense.model.channels import NS


@dataclass(frozen=True, slots=True)
class PlacedPacket:
    """A packet with its place.

    Attributes
    ----------
    run : int
        Number of the run: counter or clock go on within a run, and restart between two.
    index : int
        Index of the first sample in the run, counted at the rate of the device. Indices that
        no packet covers are lost samples.
    packet : SamplePacket
    ticks : int or None
        Time of the device that the packet states, without wrap (`SampleClock` only).
    """

    run: int
    index: int
    packet: SamplePacket
    ticks: int | None = None


class StreamPlacement(Protocol):
    """Places the packets of one stream.

    Attributes
    ----------
    loss : LossCount
        Loss up to the packets returned so far. The loss of streams whose packets may be resent
        is complete after `close` only.
    """

    loss: LossCount

    def push(self, packet: SamplePacket) -> list[PlacedPacket]:
        """Add a packet, in the order of arrival.

        Parameters
        ----------
        packet : SamplePacket

        Returns
        -------
        list of PlacedPacket
            Packets whose place is decided, in their order; each is returned once.
        """
        ...

    def close(self) -> list[PlacedPacket]:
        """Return the packets that are left."""
        ...


class RunBoundary:
    """Estimates the samples that are missing between two runs, from the arrivals.

    Parameters
    ----------
    fs : float
        Sampling rate, Hz.
    """

    def __init__(self, fs: float) -> None:
        self._fs = fs
        self._last_arrival_ns: int | None = None

    def missing(self, packet: SamplePacket) -> int:
        """Return the samples missing before a packet that starts a run; 0 for the first run."""
        if self._last_arrival_ns is None:
            return 0
        since_s = (packet.arrival_ns - self._last_arrival_ns) / NS
        return max(0, round(since_s * self._fs) - len(packet.samples))

    def add(self, packet: SamplePacket) -> None:
        """Note the arrival of a packet."""
        self._last_arrival_ns = packet.arrival_ns
