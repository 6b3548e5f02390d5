"""Bookkeeping of sequence numbers: which frames of a boot are stored, missing or lost."""

from __future__ import annotations

from collections.abc import Iterable

from twitchsense.model.intervals import RangeSet
from twitchsense.nightfile.records import Boot


class FrameTracker:
    """The frames of one boot of one device.

    Parameters
    ----------
    boot : Boot
        Device and boot count.
    first_seq : int
        First frame that belongs to the night.
    stored : iterable of int
        Frames that are already on disk.
    lost : iterable of (first, last)
        Ranges already recorded as lost, both ends included.

    Attributes
    ----------
    end_seq : int
        One more than the highest sequence number known to exist.
    lost : RangeSet
        Frames recorded as lost.
    """

    def __init__(
        self,
        boot: Boot,
        first_seq: int,
        stored: Iterable[int] = (),
        lost: Iterable[tuple[int, int]] = (),
    ) -> None:
        self.boot = boot
        self.first_seq = first_seq
        self.end_seq = first_seq
        self.lost = RangeSet((first, last + 1) for first, last in lost)
        self._stored = RangeSet((n, n + 1) for n in stored)
        self._resolved = RangeSet()  # stored or lost
        for start, stop in self._stored.ranges + self.lost.ranges:
            self._resolved.add(start, stop)
        self.extend(self._resolved.stop)

    def extend(self, end_seq: int) -> None:
        """Record that all frames below `end_seq` exist."""
        self.end_seq = max(self.end_seq, end_seq)

    def mark_stored(self, seq: int) -> bool:
        """Record that a frame is on disk; return whether it is new."""
        new = seq not in self._stored
        if new:
            self._stored.add(seq)
            self._resolved.add(seq)
            self.extend(seq + 1)
        return new

    def mark_lost(self, first: int, last: int) -> list[tuple[int, int]]:
        """Record the missing frames of a range as lost.

        Parameters
        ----------
        first, last : int
            The range, both ends included.

        Returns
        -------
        list of (first, last)
            Ranges that were missing and are lost now, both ends included.
        """
        newly_lost = self._resolved.gaps(max(first, self.first_seq), last + 1)
        for start, stop in newly_lost:
            self.lost.add(start, stop)
            self._resolved.add(start, stop)
        return [(start, stop - 1) for start, stop in newly_lost]

    def missing_ranges(self) -> list[tuple[int, int]]:
        """Return ranges that exist but are neither stored nor lost, both ends included."""
        holes = self._resolved.gaps(self.first_seq, self.end_seq)
        return [(start, stop - 1) for start, stop in holes]

    @property
    def n_stored(self) -> int:
        """Number of frames on disk."""
        return len(self._stored)

    @property
    def ack_seq(self) -> int | None:
        """Highest frame up to which none is missing, or None if the first is missing."""
        end = self._resolved.run_end(self.first_seq)
        return end - 1 if end > self.first_seq else None
