"""Requests for missing frames: a few ranges at a time, with a limit on attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from twitchsense.acquire.frame_tracker import FrameTracker
from twitchsense.acquire.v1_requests import ControlPoint, require_state
from twitchsense.devices.v1 import v1_control
from twitchsense.devices.v1.v1_control import ResponseStatus
from twitchsense.devices.v1.v1_frames import Frame

#: Reason of a loss: the device overwrote the frame before it was retransmitted.
OVERFLOW: Final = "ring_overflow"
#: Reason of a loss: the device holds the frame, but it never arrives intact.
UNREADABLE: Final = "unreadable"

#: Maximum number of frames in one request: about 2 s of a good connection.
_MAX_RANGE_FRAMES: Final = 400
#: Maximum number of requested ranges that have not arrived completely.
_MAX_PENDING_RANGES: Final = 4
#: Time (s) without a retransmitted frame after which a range is requested again.
_RETRY_S: Final = 8.0
#: Maximum number of requests for one frame before it is given up as unreadable.
_MAX_ATTEMPTS: Final = 5


@dataclass
class _RequestedRange:
    """A range that was requested and has not arrived completely."""

    first: int
    last: int
    active_s: float  # event-loop time of the request or of its last frame


class RetransmissionRequester:
    """Requests the missing frames of one boot over one connection.

    Parameters
    ----------
    tracker : FrameTracker
        Knows which frames are missing.
    mark_lost : callable
        Called with the first and last frame of a lost range and the reason.

    Attributes
    ----------
    n_missing : int
        Missing frames at the last call of `request_missing`.
    """

    def __init__(self, tracker: FrameTracker, mark_lost: Callable[[int, int, str], None]) -> None:
        self.tracker = tracker
        self.n_missing = 0
        self._mark_lost = mark_lost
        self._pending: list[_RequestedRange] = []
        self._attempts: dict[int, int] = {}

    def on_stored(self, frame: Frame) -> None:
        """Record that a frame is on disk."""
        self._attempts.pop(frame.seq, None)
        if not frame.replayed:
            return
        now = asyncio.get_running_loop().time()
        for pending in self._pending:
            if pending.first <= frame.seq <= pending.last:
                pending.first, pending.active_s = frame.seq + 1, now
        self._pending = [p for p in self._pending if p.first <= p.last]

    async def request_missing(self, control: ControlPoint) -> None:
        """Request missing frames, up to the limit on pending ranges.

        Parameters
        ----------
        control : ControlPoint

        Raises
        ------
        DeviceConnectionError
            If the connection ends or the device does not respond.
        """
        now = asyncio.get_running_loop().time()
        self._pending = [p for p in self._pending if now - p.active_s < _RETRY_S]
        missing = self.tracker.missing_ranges()
        self.n_missing = sum(last - first + 1 for first, last in missing)
        for first, last in missing:
            for start in range(first, last + 1, _MAX_RANGE_FRAMES):
                if len(self._pending) >= _MAX_PENDING_RANGES:
                    return
                stop = min(last, start + _MAX_RANGE_FRAMES - 1)
                if any(p.first <= stop and start <= p.last for p in self._pending):
                    continue
                if not await self._request_range(control, start, stop):
                    return

    async def _request_range(self, control: ControlPoint, first: int, last: int) -> bool:
        """Request one range; return whether the device can take further requests."""
        response = await control.request(lambda t: v1_control.encode_resend(t, first, last))
        if response.status is ResponseStatus.NOT_STORED:
            state = require_state(await control.request(v1_control.encode_status))
            self._mark_lost(first, min(last, state.oldest - 1), OVERFLOW)
            return True
        if response.range is None:
            return False  # the device is busy, or has not produced the frames yet
        start, stop = response.range
        self._mark_lost(first, start - 1, OVERFLOW)
        self._pending.append(_RequestedRange(start, stop, asyncio.get_running_loop().time()))
        self._attempts[start] = self._attempts.get(start, 0) + 1
        if self._attempts[start] > _MAX_ATTEMPTS:
            # the device holds the frame, but it never arrives intact: one bad frame must not
            # block the acknowledgement of all later ones
            self._mark_lost(start, start, UNREADABLE)
            self._attempts.pop(start)
        return True
