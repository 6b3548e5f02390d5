"""Settings of the gForce, packets that come in pieces, and the rate of the acceleration."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from twitchsense.devices.contract import PacketError
from twitchsense.errors import InputError
from twitchsense.model.channels import NS

#: Rates that the maker's clients offer, Hz.
_RATES: Final = (100, 200, 250, 500, 650, 1000)
#: Highest rate with 12 bits, Hz: more does not fit through the radio.
_MAX_RATE_12_BITS: Final = 500
#: Bytes of samples in a packet that the driver sets.
_PACKET_BYTES: Final = 128
#: The maker's formula: range of 2.5 V, gain 1200, 127 or 2047 counts.
_RANGE_UV: Final = 2.5e6
_GAIN: Final = 1200.0
#: First bytes of a packet: the kinds of data.
_KINDS: Final = range(0x01, 0x0E)

#: Rates of the acceleration (Hz) that `RateFinder` can find, each twice the one before.
_ACC_RATES: Final = (12.5, 25.0, 50.0, 100.0, 200.0)
#: Time (s) that a rate is measured over, samples in it that no rate reaches, and the shares of
#: the rate that may arrive.
_MEASURE_S: Final = 2.0
_MAX_SAMPLES: Final = 2000
_MIN_SHARE: Final = 0.7
_MAX_SHARE: Final = 1.1


@dataclass(frozen=True, slots=True)
class EmgConfiguration:
    """Settings of the EMG.

    Attributes
    ----------
    fs : int
        Sampling rate, Hz.
    mask : int
        Bit mask of the channels.
    packet_size : int
        Size of a packet as set: bytes, or samples.
    bits : int
        8 or 12.
    """

    fs: int
    mask: int
    packet_size: int
    bits: int

    @classmethod
    def parse(cls, data: bytes) -> EmgConfiguration:
        """Return the settings that a command or an answer holds.

        Raises
        ------
        PacketError
            If they are none that the device offers.
        """
        if len(data) != 6:
            raise PacketError("settings", f"{len(data)} bytes instead of 6")
        settings = cls(*struct.unpack("<HHBB", data))
        valid = settings.fs in _RATES and settings.bits in (8, 12)
        if not (valid and settings.mask and settings.packet_size):
            raise PacketError("settings", f"{data.hex()} are not settings of the EMG")
        return settings

    @classmethod
    def of_options(cls, options: Mapping[str, str]) -> EmgConfiguration:
        """Return the settings that a user chose.

        Raises
        ------
        InputError
            If the device does not offer them.
        """
        rate, bits = options.get("rate", "500"), options.get("bits", "12")
        if bits not in ("8", "12"):
            raise InputError("option bits", f"is {bits!r}", "choose 8 or 12")
        if rate not in ("500", "650", "1000"):
            raise InputError("option rate", f"is {rate!r}", "choose 500, 650 or 1000")
        if bits == "12" and int(rate) > _MAX_RATE_12_BITS:
            raise InputError(
                "option rate", f"is {rate} Hz with 12 bits", "choose rate=500, or bits=8"
            )
        return cls(int(rate), 0xFF, _PACKET_BYTES, int(bits))

    def to_bytes(self) -> bytes:
        """Return the settings as the command holds them."""
        return struct.pack("<HHBB", self.fs, self.mask, self.packet_size, self.bits)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.mask.bit_count()

    @property
    def offset(self) -> int:
        """Value of zero volts."""
        return 128 if self.bits == 8 else 2048

    @property
    def counts_per_uv(self) -> float:
        """Counts per µV by the maker's formula."""
        return _GAIN * (self.offset - 1) / _RANGE_UV

    @property
    def payload_sizes(self) -> frozenset[int]:
        """Possible sizes of the samples of a packet, bytes.

        The clients set the size in bytes; the maker's text does not say whether it can also be
        a number of values or of samples. Each is a whole number of samples.
        """
        width = 1 if self.bits == 8 else 2
        sizes = {
            self.packet_size,
            self.packet_size * width,
            self.packet_size * width * self.channels,
        }
        return frozenset(size for size in sizes if size % (width * self.channels) == 0)


class PacketJoiner:
    """Joins packets that come in pieces: ``FF``, a number that counts down to 0, the content.

    The number of pieces is that of the last whole packet, so that a packet without its first
    piece is not taken for a short one.
    """

    def __init__(self) -> None:
        self._parts = bytearray()
        self._next: int | None = None
        self._first = 0
        self._least_first = 1

    def clear(self) -> None:
        """Forget the pieces so far, and how many a packet has."""
        self._parts.clear()
        self._next = None
        self._least_first = 1

    def push(self, data: bytes) -> bytes | None:
        """Add a piece.

        Parameters
        ----------
        data : bytes
            The notification.

        Returns
        -------
        bytes or None
            The packet, once its last piece is there.

        Raises
        ------
        PacketError
            If a piece before is missing.
        """
        if len(data) < 3:
            raise PacketError("pieces", "a piece without content")
        number = data[1]
        if self._next is not None and number == self._next:
            self._parts += data[2:]
        elif number >= self._least_first and data[2] in _KINDS:
            self._parts[:] = data[2:]
            self._first = number
        else:
            self._next = None
            raise PacketError("pieces", f"piece {number} without the one before")
        if number:
            self._next = number - 1
            return None
        self._next, self._least_first = None, self._first
        return bytes(self._parts)


class RateFinder:
    """Finds a rate from the arrivals of the first seconds.

    The available rates are far from each other, so that neither jitter nor some loss matters.

    Attributes
    ----------
    fs : float or None
        The rate, Hz; None before it is found.
    """

    def __init__(self) -> None:
        self.fs: float | None = None
        self._first_ns: int | None = None
        self._samples = 0

    def add(self, samples: int, arrival_ns: int) -> bool:
        """Add a packet.

        Parameters
        ----------
        samples : int
        arrival_ns : int

        Returns
        -------
        bool
            Whether the measurement is over; it restarts if no rate fits.
        """
        if self._first_ns is None:
            self._first_ns = arrival_ns
            return False
        self._samples += samples
        since_s = (arrival_ns - self._first_ns) / NS
        if since_s < _MEASURE_S and self._samples < _MAX_SAMPLES:
            return False
        rate = self._samples / max(since_s, 1 / NS)
        self._first_ns, self._samples = None, 0
        shares = ((fs, rate / fs) for fs in _ACC_RATES)
        self.fs = next((fs for fs, share in shares if _MIN_SHARE <= share <= _MAX_SHARE), None)
        return True
