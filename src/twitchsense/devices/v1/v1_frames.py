"""Decoder of the frames and the device information of "twitchsense v1" (docs/protocol.md)."""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.contract import PacketError
from twitchsense.devices.framing import MAX_FRAME_BYTES, PacketErrorReason
from twitchsense.model.channels import Kind, Leg

SERVICE_UUID: Final = "b5a90001-3f7c-4e51-a8d2-6b1c0e94d37f"
DATA_UUID: Final = "b5a90002-3f7c-4e51-a8d2-6b1c0e94d37f"
CONTROL_UUID: Final = "b5a90003-3f7c-4e51-a8d2-6b1c0e94d37f"
INFO_UUID: Final = "b5a90004-3f7c-4e51-a8d2-6b1c0e94d37f"
BATTERY_UUID: Final = "00002a19-0000-1000-8000-00805f9b34fb"
SERIAL_UUID: Final = "00002a25-0000-1000-8000-00805f9b34fb"
FIRMWARE_UUID: Final = "00002a26-0000-1000-8000-00805f9b34fb"

#: Major version of the protocol that is supported.
PROTOCOL_MAJOR: Final = 1
#: Type of a frame that reports a press of the device's button.
MARKER_TYPE: Final = 64
#: Flag of a retransmitted frame.
FLAG_REPLAY: Final = 1
#: Flag of a frame before which samples were lost on the device.
FLAG_GAP: Final = 2

_INFO_HEAD = struct.Struct("<BBBBIQ")
_INFO_STREAM = struct.Struct("<BBBBII")
#: Header of a frame: type, flags, count, boot, sequence number, ticks.
HEADER: Final = struct.Struct("<BBBBII")
#: Size of the CRC-16 at the end of a frame (bytes).
CHECKSUM_SIZE: Final = 2
_KINDS: Final[dict[int, Kind]] = {1: "emg", 2: "acc"}
_LEGS: Final[dict[int, Leg | None]] = {0: None, 1: "left", 2: "right"}


@dataclass(frozen=True)
class StreamInfo:
    """One stream of samples of a device.

    Attributes
    ----------
    id : int
        Type of the frames that carry it.
    kind : {'emg', 'acc'} or None
        None for a kind defined by a later version: its frames are stored but not decoded.
    width : int
        Values per sample.
    rate_mhz : int
        Nominal sampling rate (mHz).
    full_scale : int
        Physical value of 32768 counts (nV or µg).
    """

    id: int
    kind: Kind | None
    width: int
    rate_mhz: int
    full_scale: int

    @property
    def fs(self) -> float:
        """Nominal sampling rate (Hz)."""
        return self.rate_mhz / 1000

    def to_physical(self, counts: NDArray[np.int16]) -> NDArray[np.float64]:
        """Convert counts to physical units.

        Parameters
        ----------
        counts : ndarray of int16, shape (n, width)

        Returns
        -------
        ndarray of float64, shape (n, width)
            In µV (EMG) or g (acceleration).
        """
        unit = 1e3 if self.kind == "emg" else 1e6
        # a single division keeps full scales like 8e6 µg exact: one count is 2**-12 g
        return counts.astype(np.float64) * self.full_scale / (32768 * unit)


@dataclass(frozen=True)
class DeviceInfo:
    """Description that a device gives of itself.

    Attributes
    ----------
    minor : int
        Minor version of the protocol.
    leg : {'left', 'right'} or None
        Leg that the device is worn on, if it knows.
    tick_hz : int
        Frequency of the device's clock (Hz).
    device : int
        Unique number of the device.
    streams : tuple of StreamInfo
        Streams that it sends.
    """

    minor: int
    leg: Leg | None
    tick_hz: int
    device: int
    streams: tuple[StreamInfo, ...]

    @cached_property
    def stream_by_id(self) -> dict[int, StreamInfo]:
        """Streams by id, which is the type of their frames."""
        return {s.id: s for s in self.streams}

    def sample_index(self, stream: StreamInfo, ticks: int) -> int:
        """Return the index of the sample that is taken at a tick.

        Parameters
        ----------
        stream : StreamInfo
            Stream of the sample.
        ticks : int
            Full tick count since boot.

        Returns
        -------
        int
            Index of the sample since boot.

        Raises
        ------
        PacketError
            If no sample of the stream is taken at that tick.
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
    """A decoded frame.

    Attributes
    ----------
    type : int
        Stream id, or `MARKER_TYPE`.
    flags : int
        `FLAG_REPLAY` and `FLAG_GAP`.
    boot : int
        Low 8 bits of the boot count.
    seq : int
        Sequence number.
    ticks : int
        Low 32 bits of the tick of the first sample.
    samples : ndarray of int16, shape (n, width)
        Counts.
    """

    type: int
    flags: int
    boot: int
    seq: int
    ticks: int
    samples: NDArray[np.int16]

    @property
    def replayed(self) -> bool:
        """Whether the frame was retransmitted, so that its arrival says nothing about the clock."""
        return bool(self.flags & FLAG_REPLAY)


def decode_info(data: bytes) -> DeviceInfo:
    """Decode the *info* characteristic.

    Parameters
    ----------
    data : bytes
        Value of the characteristic.

    Returns
    -------
    DeviceInfo

    Raises
    ------
    PacketError
        If the bytes are invalid or of another major version.
    """
    if len(data) < _INFO_HEAD.size:
        raise PacketError(PacketErrorReason.TOO_SHORT, f"info of {len(data)} bytes")
    major, minor, leg, count, tick_hz, device = _INFO_HEAD.unpack_from(data)
    if major != PROTOCOL_MAJOR:
        raise PacketError(
            PacketErrorReason.VERSION,
            f"the device uses version {major}, supported is {PROTOCOL_MAJOR}",
        )
    if not 1 <= count <= 8 or leg not in _LEGS or not 1000 <= tick_hz <= 1_000_000 or not device:
        raise PacketError(PacketErrorReason.INFO, "a value is out of range")
    if len(data) < _INFO_HEAD.size + count * _INFO_STREAM.size:
        raise PacketError(
            PacketErrorReason.TOO_SHORT, f"info of {len(data)} bytes for {count} streams"
        )
    streams = tuple(
        _decode_stream(
            _INFO_STREAM.unpack_from(data, _INFO_HEAD.size + i * _INFO_STREAM.size), tick_hz
        )
        for i in range(count)
    )
    if len({s.id for s in streams}) < count:
        raise PacketError(PacketErrorReason.INFO, "a stream id occurs twice")
    return DeviceInfo(minor, _LEGS[leg], tick_hz, device, streams)


def _decode_stream(fields: tuple[int, ...], tick_hz: int) -> StreamInfo:
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
        raise PacketError(PacketErrorReason.INFO, f"stream {number} is invalid")
    return StreamInfo(number, _KINDS.get(kind), width, rate, full_scale)


def checksum(data: bytes | bytearray | memoryview) -> int:
    """Return the CRC-16 of a frame.

    Parameters
    ----------
    data : bytes-like
        The frame without its last two bytes. `FLAG_REPLAY` is taken as 0.

    Returns
    -------
    int
        Polynomial 0x1021, initial value 0xFFFF.
    """
    without_replay = bytearray(data)
    without_replay[1] &= ~FLAG_REPLAY & 0xFF
    return binascii.crc_hqx(without_replay, 0xFFFF)


def decode_frame(data: bytes, info: DeviceInfo) -> Frame:
    """Decode one whole frame.

    Parameters
    ----------
    data : bytes
        The frame; any bytes are safe.
    info : DeviceInfo
        Streams of the device.

    Returns
    -------
    Frame

    Raises
    ------
    PacketError
        If the bytes are not a valid frame, with the reason.
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
    """Extend a 32-bit tick count.

    Parameters
    ----------
    ticks : int
        Low 32 bits.
    near : int
        A full tick count not far away.

    Returns
    -------
    int
        Full tick count closest to `near` whose low 32 bits are `ticks`.
    """
    return max(0, near + ((ticks - near + (1 << 31)) % (1 << 32)) - (1 << 31))
