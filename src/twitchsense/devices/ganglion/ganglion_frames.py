"""Data packets of the OpenBCI Ganglion: numbers, compressed samples, and the firmware.

Byte 0 numbers the packet. Both firmwares send two samples of four channels in 18 bits (with an
axis of the accelerometer in byte 19) or 19 bits, the sign in the lowest bit. They differ:

========================  =============================  ==============================
..                        firmware 1 and 2               firmware 3
========================  =============================  ==============================
number 0                  one sample of 24 bits          18 bits
numbers, 18 bits          1 to 100                       0 to 99
numbers, 19 bits          101 to 200                     100 to 199
values                    differences to the sample      the highest bits of each sample
                          before
samples in a cycle        201                            200
========================  =============================  ==============================

Sources: OpenBCI/OpenBCI_Ganglion_Library (MIT), releases 2.0.1 and 3.0.2, and OpenBCI's page
"Ganglion Data Format".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

CHANNELS: Final = 4
PACKET_BYTES: Final = 20
#: Largest number of a data packet; higher ones are impedances and texts.
LAST_NUMBER: Final = 200
#: What firmware 2 fills the packet of the uncompressed sample with.
_PADDING: Final = b"ABCDEFG"
#: Number of times that firmware 3 is seen to skip number 100 before that decides.
_SKIPS: Final = 2


class PacketFormat(IntEnum):
    """Format of the packets, which follows from the firmware."""

    DELTA = 2
    HIGH_BITS = 3


@dataclass(frozen=True, slots=True)
class PacketNumber:
    """What the number of a packet says.

    Attributes
    ----------
    level : int
        Number within the cycle, 0 to 100, whatever the number of bits.
    bits : int
        Bits of a value: 18, 19, or 24 for an uncompressed sample.
    position : int
        Count of its first sample within the cycle.
    """

    level: int
    bits: int
    position: int


def cycle_samples(packet_format: PacketFormat) -> int:
    """Return the samples of one cycle of packet numbers."""
    return 201 if packet_format is PacketFormat.DELTA else 200


def parse_number(number: int, packet_format: PacketFormat) -> PacketNumber:
    """Return what the number of a data packet says.

    Parameters
    ----------
    number : int
        0 to 200.
    packet_format : PacketFormat

    Returns
    -------
    PacketNumber
    """
    if packet_format is PacketFormat.HIGH_BITS:
        level = number % 100
        return PacketNumber(level, 18 if number < 100 else 19, 2 * level)
    if number == 0:
        return PacketNumber(0, 24, 0)
    level = (number - 1) % 100 + 1
    return PacketNumber(level, 18 if number <= 100 else 19, 2 * level - 1)


def unpack_values(data: bytes, bits: int) -> NDArray[np.int32]:
    """Unpack the values of a compressed packet.

    Parameters
    ----------
    data : bytes
        The packet, 20 bytes.
    bits : int
        18 or 19.

    Returns
    -------
    ndarray of int32, shape (2, 4)
        Two samples of four channels. The lowest bit is the sign, as in the packet.
    """
    payload = np.frombuffer(data, np.uint8, bits, offset=1)  # 8 values of `bits` bits each
    weights = 1 << np.arange(bits - 1, -1, -1, dtype=np.int32)
    values = np.unpackbits(payload).reshape(-1, bits).astype(np.int32) @ weights
    signed: NDArray[np.int32] = (values - ((values & 1) << bits)).astype(np.int32)
    return signed.reshape(2, CHANNELS)


def unpack_raw(data: bytes) -> NDArray[np.int32]:
    """Unpack an uncompressed packet.

    Returns
    -------
    ndarray of int32, shape (1, 4)
    """
    values = [int.from_bytes(data[i : i + 3], "big", signed=True) for i in range(1, 13, 3)]
    return np.array([values], np.int32)


class FormatGuess:
    """Decides between the firmwares by the packets, where neither a text nor a read tells."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._skips = 0

    def add(self, data: bytes) -> PacketFormat | None:
        """Add a data packet.

        Parameters
        ----------
        data : bytes
            20 bytes, in the order of arrival.

        Returns
        -------
        PacketFormat or None
            None if the packets so far could be of both.
        """
        number, last = data[0], self._last
        self._last = number
        if number == LAST_NUMBER:
            return PacketFormat.DELTA
        if number == 0 and (data[13:] == _PADDING or any(data[13:])):
            return PacketFormat.DELTA if data[13:] == _PADDING else PacketFormat.HIGH_BITS
        if last is None or number == last:
            return None
        if number == 100:
            return PacketFormat.HIGH_BITS if last > 100 else PacketFormat.DELTA
        if last == 100:
            return PacketFormat.HIGH_BITS if number > 100 else PacketFormat.DELTA
        if (last > 100 and number == 0) or (last == 0 and number > 100):
            return PacketFormat.DELTA
        self._skips += last == 99 and number == 0
        return PacketFormat.HIGH_BITS if self._skips >= _SKIPS else None
