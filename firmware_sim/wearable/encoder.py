"""Encoder of "twitchsense v1", built field by field from docs/protocol.md.

It is written as firmware would be, byte by byte, and shares nothing with the decoder of
twitchsense but that page.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BASE = "b5a9{:04x}-3f7c-4e51-a8d2-6b1c0e94d37f"
#: UUIDs of the service and of its characteristics.
SERVICE, DATA, CONTROL, INFO = (_BASE.format(number) for number in (1, 2, 3, 4))

#: Types of frames.
EMG, ACC, MARKER = 1, 2, 64
#: Flag of a retransmitted frame.
FLAG_REPLAY = 0b01
#: Flag of a frame before which samples were lost.
FLAG_GAP = 0b10
#: Size (bytes) of a full frame: 57 samples of two EMG channels, or 38 of acceleration.
FULL_FRAME_BYTES = 242


def _build_table() -> tuple[int, ...]:
    table = []
    for top in range(256):
        register = top << 8
        for _ in range(8):
            carry = register & 0x8000
            register = (register << 1) & 0xFFFF
            if carry:
                register ^= 0x1021
        table.append(register)
    return tuple(table)


_TABLE = _build_table()


def crc16(data: bytes) -> int:
    """Return the CRC-16 of a frame (polynomial 0x1021, initial value 0xFFFF)."""
    register = 0xFFFF
    for byte in data:
        register = ((register << 8) & 0xFFFF) ^ _TABLE[(register >> 8) ^ byte]
    return register


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One stream as the info characteristic describes it.

    Attributes
    ----------
    number, kind, width : int
        Stream id, EMG or ACC, and values per sample.
    rate_mhz : int
        Sampling rate (mHz).
    full_scale : int
        Physical value of 32768 counts (nV or ug).
    """

    number: int
    kind: int
    width: int
    rate_mhz: int
    full_scale: int

    @property
    def frame_samples(self) -> int:
        """Samples in a full frame."""
        return (FULL_FRAME_BYTES - 14) // (2 * self.width)

    def due_tick(self, sample: int, tick_hz: int) -> int:
        """Return the tick at which the sample with this index since boot is taken."""
        return sample * tick_hz * 1000 // self.rate_mhz


def _little_endian(value: int, size: int) -> bytes:
    return bytes((value >> (8 * place)) & 0xFF for place in range(size))


class Encoder:
    """Encodes frames, responses and characteristics; `intercept` can change the bytes."""

    def intercept(self, place: str, data: bytes) -> bytes:
        """Return the bytes of a field unchanged; a hook for fault injection.

        Every field that the device sends and every request that it receives passes through
        this method.

        Parameters
        ----------
        place : str
            Name of the field.
        data : bytes
            Its bytes.

        Returns
        -------
        bytes
            Bytes to use instead.
        """
        return data

    def info(self, streams: tuple[StreamSpec, ...], tick_hz: int, device: int, leg: str) -> bytes:
        """Encode the info characteristic."""
        out = bytearray([1, 0, {"": 0, "left": 1, "right": 2}[leg], len(streams)])
        out += _little_endian(tick_hz, 4) + _little_endian(device, 8)
        for spec in streams:
            out += bytes([spec.number, spec.kind, spec.width, 16])
            out += _little_endian(spec.rate_mhz, 4) + _little_endian(spec.full_scale, 4)
        return self.intercept("info", bytes(out))

    def frame(
        self, type_: int, flags: int, boot: int, seq: int, ticks: int, counts: NDArray[np.int32]
    ) -> bytes:
        """Encode a frame; `counts` has one row per sample."""
        out = bytearray([type_, flags, len(counts), boot & 0xFF])
        out += _little_endian(seq, 4) + _little_endian(ticks & 0xFFFFFFFF, 4) + _samples(counts)
        body = self.intercept("frame", bytes(out))
        return body + self.intercept(
            "checksum", _little_endian(crc16(self.intercept("covered", body)), 2)
        )

    def replayed(self, frame: bytes) -> bytes:
        """Set the REPLAY flag of a stored frame; the checksum does not cover it."""
        flagged = frame[:1] + bytes([frame[1] | FLAG_REPLAY]) + frame[2:]
        return self.intercept("replayed", flagged)

    def pieces(self, frame: bytes, mtu: int) -> list[bytes]:
        """Split a frame into notifications that fit the MTU."""
        cut = split_frame(self.intercept("sent", frame), mtu)
        return cut if len(cut) == 1 else [self.intercept("fragment", piece) for piece in cut]

    def answer(self, op: int, token: int, status: int, body: bytes = b"") -> bytes:
        """Encode a response of the control point."""
        return self.intercept("answer", bytes([op | 0x80, token, status]) + body)

    def state(self, boot: int, session: int, oldest: int, next_: int, dropped: int) -> bytes:
        """Encode STATE, the body of most responses."""
        words = (session, oldest, next_, dropped)
        body = bytes([boot & 0xFF]) + b"".join(_little_endian(word, 4) for word in words)
        return self.intercept("state", body)

    def clock(self, ticks: int, boot_count: int) -> bytes:
        """Encode the body of the response to CLOCK."""
        return self.intercept("clock", _little_endian(ticks, 8) + _little_endian(boot_count, 4))

    def range(self, first: int, last: int) -> bytes:
        """Encode the body of the response to RESEND."""
        return self.intercept("range", _little_endian(first, 4) + _little_endian(last, 4))


def _samples(counts: NDArray[np.int32]) -> bytes:
    """Encode samples, two's complement, low byte first."""
    flat = counts.reshape(-1) & 0xFFFF
    out = np.empty((len(flat), 2), np.uint8)
    out[:, 0] = flat & 0xFF
    out[:, 1] = flat >> 8
    return out.tobytes()


def split_frame(frame: bytes, mtu: int) -> list[bytes]:
    """Split a frame into notifications that fit the MTU; fragments if there are several."""
    if len(frame) <= mtu - 3:
        return [frame]
    size = mtu - 5
    pieces = [frame[at : at + size] for at in range(0, len(frame), size)]
    last = len(pieces) - 1
    return [bytes([0xF0, n | (0x80 if n == last else 0)]) + p for n, p in enumerate(pieces)]
