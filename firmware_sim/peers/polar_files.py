"""The memory of a Polar sensor: recordings in folders, and the frames in which they are given.

Written from Polar's description of offline recordings and the definitions of its messages.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

SERVICE = "0000feee-0000-1000-8000-00805f9b34fb"
FILE = "fb005c51-02e7-f387-1cad-8acd2d8df0c8"
FROM_DEVICE = "fb005c52-02e7-f387-1cad-8acd2d8df0c8"
TO_DEVICE = "fb005c53-02e7-f387-1cad-8acd2d8df0c8"

NO_SUCH_FILE = 103
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Memory:
    """Recordings, of which one is being written.

    Parameters
    ----------
    frame : int
        Bytes of a frame of a response.
    file_size : int
        Bytes after which a recording goes on in another file.
    encrypted : bool
        Whether recordings say that they are encrypted.
    in_mg : bool
        Whether recordings hold mg and state no factor, as the one in Polar's own tests.

    Attributes
    ----------
    files : dict of str to bytearray
        By path.
    frames : list of bytes
        All frames that were written.
    """

    def __init__(
        self,
        frame: int = 200,
        file_size: int = 1 << 20,
        encrypted: bool = False,
        in_mg: bool = True,
    ) -> None:
        self.in_mg = in_mg
        self.files: dict[str, bytearray] = {
            "/U/0/S/PHYSDATA.BPB": bytearray(b"\x01"),
            "/U/0/20180101/R/120000/HR0.REC": bytearray(b"\x02"),
        }
        self.frames: list[bytes] = []
        self._frame = frame
        self._file_size = file_size
        self._encrypted = encrypted
        self._folder = ""
        self._head = b""
        self._number = -1

    def begin(self, time_ns: int, settings: bytes) -> None:
        """Begin a recording at a time of the device, ns since 2000."""
        start = _EPOCH + timedelta(microseconds=time_ns // 1000)
        self._folder = f"/U/0/{start:%Y%m%d}/R/{start:%H%M%S}/"
        head = struct.pack("<4I", 0x3D7C4C2B, 1, 0, 0xABCD)
        head += f"{start:%Y-%m-%d %H:%M:%S}\0".encode()
        self._head = bytes([2 if self._encrypted else 0]) + head
        self._head += bytes([len(settings)]) + settings + b"\0"
        self._number = -1

    def add(self, frame: bytes) -> None:
        """Write a frame."""
        self.frames.append(frame)
        path = f"{self._folder}ACC{self._number}.REC"
        if self._number < 0 or len(self.files[path]) + len(frame) > self._file_size:
            self._number += 1
            path = f"{self._folder}ACC{self._number}.REC"
            self.files[path] = bytearray(self._head)
        self.files[path] += struct.pack("<H", len(frame)) + frame

    def respond(self, request: bytes) -> list[bytes]:
        """Return the frames that answer a request."""
        size = struct.unpack("<H", request[1:3])[0]
        message = request[3 : 3 + size]
        # command (field 1, varint), path (field 2, text)
        assert message[:3] == b"\x08\x00\x12", message
        path = message[4 : 4 + message[3]].decode()
        if path.endswith("/"):
            inside = [p[len(path) :] for p in self.files if p.startswith(path)]
            names = dict.fromkeys(n.split("/")[0] + "/" * ("/" in n) for n in inside)
            data = b"".join(self._entry(name) for name in names) if names else None
        else:
            data = bytes(self.files[path]) if path in self.files else None
        if data is None:
            return [bytes([0]) + struct.pack("<H", NO_SUCH_FILE)]
        pieces = [data[i : i + self._frame - 1] for i in range(0, len(data), self._frame - 1)]
        frames = []
        for i, piece in enumerate(pieces or [b""]):
            status = 1 if i == len(pieces) - 1 or not pieces else 3
            frames.append(bytes([(i % 16) << 4 | status << 1 | (i > 0)]) + piece)
        return frames

    @staticmethod
    def _entry(name: str) -> bytes:
        text = name.encode()
        size = b"\x10" + (b"\x00" if name.endswith("/") else b"\x80\x10")  # 0 or 2048
        entry = b"\x0a" + bytes([len(text)]) + text + size
        return b"\x0a" + bytes([len(entry)]) + entry
