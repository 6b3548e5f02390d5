"""Framing of notifications of "twitchsense v1": reassembly of fragmented frames."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from twitchsense.devices.contract import PacketError

#: Maximum size of a frame (bytes), header and checksum included.
MAX_FRAME_BYTES: Final = 244
#: First byte of a notification that holds a fragment of a frame.
FRAGMENT_TYPE: Final = 0xF0

_LAST_FRAGMENT: Final = 0x80


class PacketErrorReason(StrEnum):
    """Why bytes of a v1 device are rejected: the reasons of its `PacketError`."""

    TOO_SHORT = "too_short"
    LENGTH = "length"
    COUNT = "count"
    CHECKSUM = "checksum"
    UNKNOWN_TYPE = "unknown_type"
    OFF_GRID = "off_grid"
    FRAGMENT = "fragment"
    UNKNOWN_OP = "unknown_op"
    UNKNOWN_STATUS = "unknown_status"
    VERSION = "version"
    INFO = "info"
    BATTERY = "battery"


class FragmentAssembler:
    """Reassembles frames that were split because the ATT MTU is smaller than a frame.

    The buffer never holds more than one frame.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._next_number = 0

    def push(self, data: bytes) -> bytes | None:
        """Add one notification.

        Parameters
        ----------
        data : bytes
            Value of the notification: a whole frame or one fragment.

        Returns
        -------
        bytes or None
            A complete frame, or None while fragments are missing.

        Raises
        ------
        PacketError
            If a fragment is empty, out of order, or makes the frame too long. The incomplete
            frame is discarded; the next frame is not affected.
        """
        if not data or data[0] != FRAGMENT_TYPE:
            self._clear()  # an incomplete frame shows as a gap in the sequence numbers
            return bytes(data)
        if len(data) < 3:
            self._clear()
            raise PacketError(PacketErrorReason.FRAGMENT, "empty")
        number, is_last = data[1] & ~_LAST_FRAGMENT, data[1] & _LAST_FRAGMENT
        if number == 0:
            self._clear()
        if number != self._next_number:
            self._clear()
            raise PacketError(PacketErrorReason.FRAGMENT, f"number {number} out of order")
        self._buffer += data[2:]
        self._next_number += 1
        if len(self._buffer) > MAX_FRAME_BYTES:
            self._clear()
            raise PacketError(PacketErrorReason.FRAGMENT, "longer than a frame")
        if not is_last:
            return None
        frame = bytes(self._buffer)
        self._clear()
        return frame

    def _clear(self) -> None:
        self._buffer.clear()
        self._next_number = 0
