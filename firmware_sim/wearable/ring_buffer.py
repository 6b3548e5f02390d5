"""Ring buffer of the frames that the host has not acknowledged."""

from __future__ import annotations

from collections import deque


class RingBuffer:
    """Frames by sequence number; when it is full, the oldest frame is dropped.

    Parameters
    ----------
    capacity : int
        Maximum number of frames.

    Attributes
    ----------
    next : int
        Sequence number of the next frame.
    dropped : int
        Frames that were dropped before they were acknowledged.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.next = 0
        self.dropped = 0
        self._frames: deque[bytes] = deque()

    @property
    def oldest(self) -> int:
        """Sequence number of the oldest frame, or `next` if the buffer is empty."""
        return self.next - len(self._frames)

    def push(self, frame: bytes) -> None:
        """Store the frame with the sequence number `next`."""
        self._frames.append(frame)
        self.next += 1
        if len(self._frames) > self.capacity:
            self._frames.popleft()
            self.dropped += 1

    def get(self, seq: int) -> bytes | None:
        """Return a frame, or None if it is not in the buffer."""
        at = seq - self.oldest
        return self._frames[at] if 0 <= at < len(self._frames) else None

    def free(self, seq: int) -> None:
        """Remove acknowledged frames up to and including `seq`."""
        while self._frames and self.oldest <= seq:
            self._frames.popleft()
