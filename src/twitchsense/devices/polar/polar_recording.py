"""A recording in the memory of a Polar sensor (file ``ACC0.REC``), as it arrives in pieces.

It begins with the kind of encryption (one byte), 16 bytes of header, the start (20 bytes), the
settings after their length, encryption of the content after its length, and the size of the first
frame. Frames follow, each as on the data characteristic, with the size of the next one between.
Sources: polarofficial/polar-ble-sdk, technical_documentation/offline_measurement.pdf (version
1.0) and the order of the fields in its parser, read as a description.
"""

from __future__ import annotations

from typing import Final

from twitchsense.devices.contract import PacketError
from twitchsense.devices.polar.polar_control import Setting, Settings, parse_settings
from twitchsense.devices.polar.polar_frames import COMPRESSED, PolarFrame, parse_frame

_MAGIC: Final = 0x3D7C4C2B
_SETTINGS_AT: Final = 37
_MAX_FRAME: Final = 4096


class RecordingReader:
    """Reads a recording whose bytes arrive in order.

    Attributes
    ----------
    settings : mapping of int to tuple of float
        Rate, range, factor; empty before they were read.
    """

    def __init__(self) -> None:
        self.settings: Settings = {}
        self._data = bytearray()
        self._frame_size: int | None = None
        self._failure = ""

    @property
    def fs(self) -> float:
        """Sampling rate, Hz; 0 if the file does not state it."""
        return (*self.settings.get(Setting.RATE, ()), 0.0)[0]

    @property
    def range_g(self) -> float | None:
        """Range of the sensor, g, if the file states it."""
        return (*self.settings.get(Setting.RANGE, ()), None)[0]

    def counts_per_g(self, frame_kind: int) -> float:
        """Return the counts per g of the values of a kind of frame."""
        factor = (*self.settings.get(Setting.FACTOR, ()), 1.0)[0]
        if not frame_kind & COMPRESSED:
            return 1000.0
        return 1 / factor if frame_kind == COMPRESSED else 1000 / factor

    def push(self, data: bytes) -> list[PolarFrame]:
        """Read the next bytes, and return the frames that are complete.

        Raises
        ------
        PacketError
            ``recording`` if it is encrypted, or no recording; then the rest is refused too.
        """
        if not self._failure:
            self._data += data
            try:
                return self._read()
            except PacketError as error:
                self._failure = str(error)
                self._data.clear()
        raise PacketError("recording", self._failure)

    def _read(self) -> list[PolarFrame]:
        frames: list[PolarFrame] = []
        if self._frame_size is None and not self._read_head():
            return frames
        while True:
            if self._frame_size == 0:
                if len(self._data) < 2:
                    return frames
                self._frame_size = self._take_size()
            size = self._frame_size or 0
            if len(self._data) < size:
                return frames
            frames.append(parse_frame(bytes(self._data[:size])))
            del self._data[:size]
            self._frame_size = 0

    def _read_head(self) -> bool:
        """Read what is before the first frame, if it is complete."""
        data = self._data
        if len(data) < _SETTINGS_AT + 1:
            return False
        if data[0]:
            raise PacketError("recording", "it is encrypted; record without a key")
        if int.from_bytes(data[1:5], "little") != _MAGIC:
            raise PacketError("recording", f"it begins with {bytes(data[:5]).hex()}")
        settings_end = _SETTINGS_AT + 1 + data[_SETTINGS_AT]
        if len(data) <= settings_end or len(data) < settings_end + 1 + data[settings_end] + 2:
            return False
        security = bytes(data[settings_end + 1 : settings_end + 1 + data[settings_end]])
        if any(security[:1]):
            raise PacketError("recording", "its content is encrypted; record without a key")
        self.settings = parse_settings(bytes(data[_SETTINGS_AT + 1 : settings_end]))
        del data[: settings_end + 1 + len(security)]
        self._frame_size = self._take_size()
        return True

    def _take_size(self) -> int:
        size = int.from_bytes(self._data[:2], "little")
        del self._data[:2]
        if not 0 < size <= _MAX_FRAME:
            raise PacketError("recording", f"a frame of {size} bytes")
        return size
