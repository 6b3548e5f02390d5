"""The ring buffer: frames wait here until the host has them on disk."""

from __future__ import annotations

from collections import deque


class RingBuffer:
    """Frames by sequence number; the oldest goes when it is full.

    Parameters
    ----------
    capacity : int
        Frames.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.next = 0
        self.dropped = 0
        self._frames: deque[bytes] = deque()

    @property
    def oldest(self) -> int:
        """Number of the oldest frame, or `next` if there is none."""
        return self.next - len(self._frames)

    def push(self, frame: bytes) -> None:
        """Store the frame that has the number `next`."""
        self._frames.append(frame)
        self.next += 1
        if len(self._frames) > self.capacity:
            self._frames.popleft()
            self.dropped += 1

    def get(self, seq: int) -> bytes | None:
        """Return a frame, if it is still here."""
        at = seq - self.oldest
        return self._frames[at] if 0 <= at < len(self._frames) else None

    def free(self, seq: int) -> None:
        """Forget acknowledged frames up to and including `seq`."""
        while self._frames and self.oldest <= seq:
            self._frames.popleft()
