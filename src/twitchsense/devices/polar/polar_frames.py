"""Data frames of Polar's measurement service: raw and delta-compressed samples.

Source: polarofficial/polar-ble-sdk, technical_documentation/online_measurement.pdf (version 1.0),
section 4, read as a description of the protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.contract import PacketError

#: Bytes before the samples: measurement, time (8), type of the frame.
HEADER_SIZE: Final = 10
#: Bit of the type of a frame whose samples are compressed.
COMPRESSED: Final = 0x80
#: Longest delta, bits: one more than the values that it connects has the full range.
_MAX_DELTA_BITS: Final = 32
_AXES: Final = 3
#: Bytes of a value in raw frames of acceleration, by type of the frame.
_RAW_ACC_SIZES: Final = {0: 1, 1: 2, 2: 3}
_ECG_SIZE: Final = 3
_MAX_TIME: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class PolarFrame:
    """A frame without its samples.

    Attributes
    ----------
    measurement : int
    time_ns : int
        Time of the last sample on the device's clock, ns since 2000.
    kind : int
        Type of the frame, with the bit `COMPRESSED`.
    content : bytes
        The samples.
    """

    measurement: int
    time_ns: int
    kind: int
    content: bytes


def parse_frame(data: bytes) -> PolarFrame:
    """Split a frame; raise PacketError ``length`` or ``time`` if that is not possible."""
    if len(data) <= HEADER_SIZE:
        raise PacketError("length", f"{len(data)} bytes hold no sample")
    time_ns = int.from_bytes(data[1:9], "little")
    if time_ns >= _MAX_TIME:
        raise PacketError("time", f"{time_ns} ns since 2000 is later than 2290")
    return PolarFrame(data[0], time_ns, data[9], data[HEADER_SIZE:])


def decode_acc(kind: int, content: bytes) -> NDArray[np.int32]:
    """Return the samples of a frame of acceleration.

    Parameters
    ----------
    kind : int
        Type of the frame.
    content : bytes

    Returns
    -------
    ndarray of int32, shape (n, 3)
        As sent: in mg, or in units of the factor if the frame is compressed.

    Raises
    ------
    PacketError
        ``frame_type``, ``length``, ``delta`` or ``range``.
    """
    if kind in _RAW_ACC_SIZES:
        return decode_raw(content, _RAW_ACC_SIZES[kind], _AXES)
    if kind in (COMPRESSED, COMPRESSED | 1):
        return decode_deltas(content, 2, _AXES)
    raise PacketError("frame_type", f"frames of acceleration of type {kind:#04x} are not known")


def decode_ecg(kind: int, content: bytes) -> NDArray[np.int32]:
    """Return the samples of a frame of ECG.

    Parameters
    ----------
    kind : int
        Type of the frame.
    content : bytes

    Returns
    -------
    ndarray of int32, shape (n, 1)
        µV.

    Raises
    ------
    PacketError
        ``frame_type`` or ``length``.
    """
    if kind != 0:
        raise PacketError("frame_type", f"frames of ECG of type {kind:#04x} are not known")
    return decode_raw(content, _ECG_SIZE, 1)


def decode_raw(content: bytes, size: int, width: int) -> NDArray[np.int32]:
    """Return signed little-endian values.

    Parameters
    ----------
    content : bytes
    size : int
        Bytes of a value, up to 4.
    width : int
        Values of a sample.

    Returns
    -------
    ndarray of int32, shape (n, width)

    Raises
    ------
    PacketError
        ``length`` if there is not a whole number of samples.
    """
    if not content or len(content) % (size * width):
        raise PacketError("length", f"{len(content)} bytes are not a whole number of samples")
    raw = np.frombuffer(content, np.uint8).reshape(-1, size)
    padded = np.zeros((len(raw), 4), np.uint8)
    padded[:, 4 - size :] = raw
    values: NDArray[Any] = padded.view("<i4")[:, 0] >> (8 * (4 - size))  # extends the sign
    return values.reshape(-1, width).astype(np.int32)


def decode_deltas(content: bytes, size: int, width: int) -> NDArray[np.int32]:
    """Return the samples of a compressed frame.

    The first sample is raw; blocks of differences follow, each with the number of bits of a
    difference and the number of samples before it, padded to whole bytes. Within a block, the
    least significant bits come first.

    Parameters
    ----------
    content : bytes
    size : int
        Bytes of a value of the first sample, up to 4.
    width : int
        Values of a sample.

    Returns
    -------
    ndarray of int32, shape (n, width)

    Raises
    ------
    PacketError
        ``length`` if a block is cut off, ``delta`` if its number of bits is not possible,
        ``range`` if a sum needs more than `size` bytes.
    """
    at = size * width
    if len(content) < at:
        raise PacketError("length", f"{len(content)} bytes are not a whole sample")
    steps = [decode_raw(content[:at], size, width).astype(np.int64)]
    while at < len(content):
        if at + 2 > len(content):
            raise PacketError("length", "a block of differences is cut off")
        bits, count = content[at], content[at + 1]
        if count and not 1 <= bits <= _MAX_DELTA_BITS:
            raise PacketError("delta", f"{count} samples of {bits} bits")
        end = at + 2 + (bits * count * width + 7) // 8
        if end > len(content):
            raise PacketError("length", "a block of differences is cut off")
        if count:
            steps.append(_unpack(content[at + 2 : end], bits, count, width))
        at = end
    values = np.cumsum(np.concatenate(steps), axis=0)
    limit = 1 << (8 * size - 1)
    if values.min() < -limit or values.max() >= limit:
        raise PacketError("range", f"a sum of differences needs more than {8 * size} bits")
    return values.astype(np.int32)


def _unpack(block: bytes, bits: int, count: int, width: int) -> NDArray[np.int64]:
    """Return the signed numbers of a block, shape (count, width)."""
    flat = np.unpackbits(np.frombuffer(block, np.uint8), bitorder="little")
    rows = flat[: bits * count * width].reshape(-1, bits).astype(np.int64)
    weights = np.int64(1) << np.arange(bits, dtype=np.int64)
    weights[-1] = -weights[-1]  # two's complement
    return (rows @ weights).reshape(count, width)
