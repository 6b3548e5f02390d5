"""Which frames of a boot came, are on disk, or are lost: pure bookkeeping."""

from __future__ import annotations

from collections.abc import Iterable

from twitchsense.nightfile.ranges import RangeSet
from twitchsense.nightfile.records import Boot


class Ledger:
    """The frames of one boot of one device.

    Parameters
    ----------
    boot : Boot
    begin : int
        The first frame that is ours.
    known : iterable of int
        Frames that are on disk already.
    lost : iterable of (first, last)
        Ranges given up already.
    """

    def __init__(
        self,
        boot: Boot,
        begin: int,
        known: Iterable[int] = (),
        lost: Iterable[tuple[int, int]] = (),
    ) -> None:
        self.boot = boot
        self.begin = begin
        self.expected = begin
        self.lost = RangeSet((first, last + 1) for first, last in lost)
        self._stored = RangeSet((n, n + 1) for n in known)
        self._settled = RangeSet()
        for start, stop in self._stored.ranges + self.lost.ranges:
            self._settled.add(start, stop)
        self.expect(self._settled.stop)

    def expect(self, stop: int) -> None:
        """Take note that all frames below `stop` exist."""
        self.expected = max(self.expected, stop)

    def store(self, seq: int) -> bool:
        """Take note that a frame is on disk; tell whether it is new."""
        new = seq not in self._stored
        if new:
            self._stored.add(seq)
            self._settled.add(seq)
            self.expect(seq + 1)
        return new

    def give_up(self, first: int, last: int) -> list[tuple[int, int]]:
        """Count what is missing of a range as lost; return those ranges, ends included."""
        fresh = self._settled.holes(max(first, self.begin), last + 1)
        for start, stop in fresh:
            self.lost.add(start, stop)
            self._settled.add(start, stop)
        return [(start, stop - 1) for start, stop in fresh]

    def missing(self) -> list[tuple[int, int]]:
        """Return ranges that exist and neither came nor are lost, ends included."""
        holes = self._settled.holes(self.begin, self.expected)
        return [(start, stop - 1) for start, stop in holes]

    @property
    def received(self) -> int:
        """Number of frames on disk."""
        return len(self._stored)

    def ack_point(self) -> int | None:
        """Return the last frame before which nothing is open, or None."""
        end = self._settled.end_of_run(self.begin)
        return end - 1 if end > self.begin else None
