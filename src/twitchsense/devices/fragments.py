"""Frames from notifications: whole ones, and those in pieces over a small MTU."""

from __future__ import annotations

from typing import Final

from twitchsense.devices.packet import PacketError, Reason
from twitchsense.devices.v1_frames import MAX_FRAME

FRAGMENT: Final = 0xF0
_LAST: Final = 0x80


class Assembler:
    """Puts fragments together. Memory is bounded by one frame."""

    def __init__(self) -> None:
        self._pieces = bytearray()
        self._next = 0

    def push(self, data: bytes) -> bytes | None:
        """Take one notification; return a frame's bytes when it is whole.

        Raises
        ------
        PacketError
            If pieces do not fit; the frame is given up, the next one is not harmed.
        """
        if not data or data[0] != FRAGMENT:
            self._drop()  # a frame cut short shows as a hole in the sequence
            return bytes(data)
        if len(data) < 3:
            self._drop()
            raise PacketError(Reason.FRAGMENT, "empty")
        number, last = data[1] & ~_LAST, data[1] & _LAST
        if number == 0:
            self._drop()
        if number != self._next:
            self._drop()
            raise PacketError(Reason.FRAGMENT, f"number {number} out of order")
        self._pieces += data[2:]
        self._next += 1
        if len(self._pieces) > MAX_FRAME:
            self._drop()
            raise PacketError(Reason.FRAGMENT, "longer than a frame")
        if not last:
            return None
        whole = bytes(self._pieces)
        self._drop()
        return whole

    def _drop(self) -> None:
        self._pieces.clear()
        self._next = 0
