"""The wire format "twitchsense v1", the host's side (docs/protocol.md)."""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.framing import MAX_FRAME_BYTES, PacketError, PacketErrorReason
from twitchsense.model.channels import Kind, Leg

SERVICE_UUID: Final = "b5a90001-3f7c-4e51-a8d2-6b1c0e94d37f"
DATA_UUID: Final = "b5a90002-3f7c-4e51-a8d2-6b1c0e94d37f"
CONTROL_UUID: Final = "b5a90003-3f7c-4e51-a8d2-6b1c0e94d37f"
INFO_UUID: Final = "b5a90004-3f7c-4e51-a8d2-6b1c0e94d37f"
BATTERY_UUID: Final = "00002a19-0000-1000-8000-00805f9b34fb"
SERIAL_UUID: Final = "00002a25-0000-1000-8000-00805f9b34fb"
FIRMWARE_UUID: Final = "00002a26-0000-1000-8000-00805f9b34fb"

PROTOCOL_MAJOR: Final = 1
MARKER_TYPE: Final = 64
FLAG_REPLAY: Final = 1
FLAG_GAP: Final = 2

_INFO_HEAD = struct.Struct("<BBBBIQ")
_INFO_STREAM = struct.Struct("<BBBBII")
#: Of a frame: type, flags, count, boot, sequence, ticks; and the size of its CRC-16.
HEADER: Final = struct.Struct("<BBBBII")
CHECKSUM_SIZE: Final = 2
_KINDS: Final[dict[int, Kind]] = {1: "emg", 2: "acc"}
_LEGS: Final[dict[int, Leg | None]] = {0: None, 1: "left", 2: "right"}


@dataclass(frozen=True)
class StreamInfo:
    """One kind of samples a device sends.

    Attributes
    ----------
    id : int
        Type of its frames.
    kind : {'emg', 'acc'} or None
        None for a kind of a later version: its frames are kept but not read.
    width : int
        Values in a sample.
    rate_mhz : int
        Samples per 1000 s of the device's clock.
    full_scale : int
        What a count of 32768 stands for: nV or µg.
    """

    id: int
    kind: Kind | None
    width: int
    rate_mhz: int
    full_scale: int

    @property
    def fs(self) -> float:
        """Nominal rate in Hz."""
        return self.rate_mhz / 1000

    def to_physical(self, counts: NDArray[np.int16]) -> NDArray[np.float64]:
        """Turn counts into µV or g, same shape."""
        unit = 1e3 if self.kind == "emg" else 1e6
        # one division by a number that floats hold exactly: 8e6 µg gives exact 2**-12 g
        return counts.astype(np.float64) * self.full_scale / (32768 * unit)


@dataclass(frozen=True)
class DeviceInfo:
    """What a device says of itself."""

    minor: int
    leg: Leg | None
    tick_hz: int
    device: int
    streams: tuple[StreamInfo, ...]

    @cached_property
    def stream_by_id(self) -> dict[int, StreamInfo]:
        """Streams by the type of their frames."""
        return {s.id: s for s in self.streams}

    def sample_index(self, stream: StreamInfo, ticks: int) -> int:
        """Return the index since boot of the sample that is due at a tick.

        Raises
        ------
        PacketError
            If none is.
        """
        period = 1000 * self.tick_hz
        k = -(-ticks * stream.rate_mhz // period)
        if k * period // stream.rate_mhz != ticks:
            raise PacketError(
                PacketErrorReason.OFF_GRID, f"no sample of stream {stream.id} at tick {ticks}"
            )
        return k


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, decoded.

    Attributes
    ----------
    type : int
        Stream id, or `MARKER`.
    flags, boot, seq, ticks : int
    samples : ndarray of int16, shape (n, values)
    """

    type: int
    flags: int
    boot: int
    seq: int
    ticks: int
    samples: NDArray[np.int16]

    @property
    def replayed(self) -> bool:
        """Whether its arrival tells nothing about the clock."""
        return bool(self.flags & FLAG_REPLAY)


def decode_info(data: bytes) -> DeviceInfo:
    """Read the *info* characteristic.

    Raises
    ------
    PacketError
    """
    if len(data) < _INFO_HEAD.size:
        raise PacketError(PacketErrorReason.TOO_SHORT, f"info of {len(data)} bytes")
    major, minor, leg, count, tick_hz, device = _INFO_HEAD.unpack_from(data)
    if major != PROTOCOL_MAJOR:
        raise PacketError(
            PacketErrorReason.VERSION,
            f"the device speaks version {major}, we speak {PROTOCOL_MAJOR}",
        )
    if not 1 <= count <= 8 or leg not in _LEGS or not 1000 <= tick_hz <= 1_000_000 or not device:
        raise PacketError(PacketErrorReason.INFO, "a number out of its range")
    if len(data) < _INFO_HEAD.size + count * _INFO_STREAM.size:
        raise PacketError(
            PacketErrorReason.TOO_SHORT, f"info of {len(data)} bytes for {count} streams"
        )
    streams = tuple(
        _stream(_INFO_STREAM.unpack_from(data, _INFO_HEAD.size + i * _INFO_STREAM.size), tick_hz)
        for i in range(count)
    )
    if len({s.id for s in streams}) < count:
        raise PacketError(PacketErrorReason.INFO, "a stream id twice")
    return DeviceInfo(minor, _LEGS[leg], tick_hz, device, streams)


def _stream(fields: tuple[int, ...], tick_hz: int) -> StreamInfo:
    number, kind, width, bits, rate, full_scale = fields
    widths = {1: range(1, 9), 2: range(3, 4)}.get(kind, range(1, 256))
    good = (
        1 <= number < MARKER_TYPE
        and width in widths
        and bits == 16
        and 0 < rate <= 1000 * tick_hz
        and full_scale > 0
    )
    if not good:
        raise PacketError(PacketErrorReason.INFO, f"stream {number} cannot be")
    return StreamInfo(number, _KINDS.get(kind), width, rate, full_scale)


def checksum(data: bytes | bytearray | memoryview) -> int:
    """Return the CRC-16 of a frame without its last two bytes, REPLAY taken as 0."""
    plain = bytearray(data)
    plain[1] &= ~FLAG_REPLAY & 0xFF
    return binascii.crc_hqx(plain, 0xFFFF)


def decode_frame(data: bytes, info: DeviceInfo) -> Frame:
    """Read one whole frame.

    Raises
    ------
    PacketError
        With the reason; the bytes may come from anywhere.
    """
    if len(data) < HEADER.size + CHECKSUM_SIZE:
        raise PacketError(PacketErrorReason.TOO_SHORT, f"frame of {len(data)} bytes")
    kind, flags, count, boot, seq, ticks = HEADER.unpack_from(data)
    width = 0
    if kind != MARKER_TYPE:
        stream = info.stream_by_id.get(kind)
        if stream is None:
            raise PacketError(PacketErrorReason.UNKNOWN_TYPE, f"type {kind}")
        width = stream.width
    if (count == 0) != (kind == MARKER_TYPE):
        raise PacketError(PacketErrorReason.COUNT, f"{count} samples in a frame of type {kind}")
    size = HEADER.size + 2 * count * width + CHECKSUM_SIZE
    if len(data) != size or size > MAX_FRAME_BYTES:
        raise PacketError(PacketErrorReason.LENGTH, f"{len(data)} bytes instead of {size}")
    body = memoryview(data)[:-CHECKSUM_SIZE]
    if checksum(body) != int.from_bytes(data[-CHECKSUM_SIZE:], "little"):
        raise PacketError(PacketErrorReason.CHECKSUM, f"frame {seq}")
    samples = np.frombuffer(body[HEADER.size :], "<i2").reshape(count, width)
    return Frame(kind, flags, boot, seq, ticks, samples.astype(np.int16, copy=False))


def unwrap_ticks(ticks: int, near: int) -> int:
    """Return the full tick count whose low 32 bits are `ticks`, closest to `near`."""
    return max(0, near + ((ticks - near + (1 << 31)) % (1 << 32)) - (1 << 31))
