"""Files in the memory of Polar's sensors: how they are requested, and how they arrive.

A request is a protobuf message with a command and a path, after its length (two bytes). Requests
and responses are sent in frames. The first byte of a frame holds a bit that is set in all but the
first one, two bits of status and a counter of four bits.
Sources: polarofficial/polar-ble-sdk, technical_documentation/offline_measurement.pdf (version
1.0), pftp_request.proto, pftp_response.proto and the layout of the frames in its client.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from twitchsense.devices.contract import PacketError

FILE_UUID: Final = "fb005c51-02e7-f387-1cad-8acd2d8df0c8"
FROM_DEVICE_UUID: Final = "fb005c52-02e7-f387-1cad-8acd2d8df0c8"
TO_DEVICE_UUID: Final = "fb005c53-02e7-f387-1cad-8acd2d8df0c8"

#: Status of a frame; of the last one of a response, or of an error with its number.
ERROR: Final = 0
LAST: Final = 1
MORE: Final = 3
NO_SUCH_FILE: Final = 103
#: Notifications to the device: it gets ready for transfers, and ends them.
BEGIN_SESSION: Final = 8
END_SESSION: Final = 9
_VARINT, _BYTES = 0, 2
_MAX_NAME: Final = 200


def encode_request(path: str) -> bytes:
    """Return the frame that requests a file, or a folder if the path ends with a slash."""
    name = path.encode()
    message = bytes([1 << 3 | _VARINT, 0, 2 << 3 | _BYTES, len(name)]) + name
    return bytes([LAST << 1]) + len(message).to_bytes(2, "little") + message


def encode_notification(number: int) -> bytes:
    """Return the frame of a notification to the device."""
    return bytes([LAST << 1, number])


def parse_request(frame: bytes) -> str:
    """Return the path of a request, or an empty string if it requests no file."""
    if len(frame) < 3 or frame[0] & 1 or frame[2] & 0x80:
        return ""
    fields = dict(_fields(frame[3 : 3 + int.from_bytes(frame[1:3], "little")]))
    path = fields.get(2, b"")
    is_get = fields.get(1) == 0
    return path.decode("utf-8", "replace") if is_get and isinstance(path, bytes) else ""


def parse_folder(data: bytes) -> list[str]:
    """Return the names in a folder, in the order of the device; those of folders end with ``/``.

    Raises
    ------
    PacketError
        ``folder`` if the bytes are no list of entries.
    """
    names = []
    for number, entry in _fields(data):
        if number == 1 and isinstance(entry, bytes):
            name = dict(_fields(entry)).get(1, b"")
            if isinstance(name, bytes) and 0 < len(name) <= _MAX_NAME:
                names.append(name.decode("utf-8", "replace"))
    return names


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a protobuf message: number, and value or bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value, at = _varint(data, at)
        if key & 7 == _BYTES:
            end = at + value
            if end > len(data):
                raise PacketError("folder", "an entry is cut off")
            yield key >> 3, data[at:end]
            at = end
        elif key & 7 == _VARINT:
            yield key >> 3, value
        else:
            raise PacketError("folder", f"a field of type {key & 7}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and the place after it."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            raise PacketError("folder", "a number is cut off")
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    raise PacketError("folder", "a number has more than 64 bits")


class ResponseFrames:
    """Takes the frames of one response."""

    def __init__(self) -> None:
        self._next = 0
        self.is_complete = False

    def push(self, frame: bytes) -> bytes:
        """Return the content of the next frame.

        Raises
        ------
        PacketError
            ``file`` if a frame is missing, or the device reports an error.
        """
        if not frame:
            raise PacketError("file", "an empty frame")
        status, number = frame[0] >> 1 & 3, frame[0] >> 4
        if self.is_complete:
            raise PacketError("file", "a frame after the last one")
        if number != self._next % 16 or (frame[0] & 1) != (self._next > 0):
            self.is_complete = True
            raise PacketError("file", f"frame {number} instead of {self._next % 16}")
        self._next += 1
        self.is_complete = status != MORE
        if status == ERROR:
            error = int.from_bytes(frame[1:3], "little")
            if error:
                raise PacketError("file", f"error {error}")
            return b""
        return frame[1:]
