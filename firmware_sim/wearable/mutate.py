"""Firmware that breaks one field of the protocol: each must turn a test red."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware_sim.wearable.wire import ACC, EMG, StreamSpec, Wire


class _ByteOrder(Wire):
    def payload(self, type_: int, counts: NDArray[np.int32]) -> bytes:
        plain = super().payload(type_, counts)
        return np.frombuffer(plain, np.uint8).reshape(-1, 2)[:, ::-1].tobytes()


class _Scale(Wire):
    def full_scale(self, spec: StreamSpec) -> int:
        return spec.full_scale * 2


class _Sign(Wire):
    def payload(self, type_: int, counts: NDArray[np.int32]) -> bytes:
        return super().payload(type_, counts + 32768)  # offset binary


class _SequenceWidth(Wire):
    def sequence(self, seq: int) -> bytes:
        return super().sequence(seq & 0xFF)


class _TickWidth(Wire):
    def ticks(self, ticks: int) -> bytes:
        return super().ticks(ticks & 0xFFFF)


class _TickUnit(Wire):
    def ticks(self, ticks: int) -> bytes:
        return super().ticks(ticks * 1000 // 32768)  # milliseconds


class _AxisOrder(Wire):
    def payload(self, type_: int, counts: NDArray[np.int32]) -> bytes:
        return super().payload(type_, counts[:, ::-1] if type_ == ACC else counts)


class _ChannelOrder(Wire):
    def payload(self, type_: int, counts: NDArray[np.int32]) -> bytes:
        return super().payload(type_, counts[:, ::-1] if type_ == EMG else counts)


class _Checksum(Wire):
    def checksum(self, body: bytes) -> bytes:
        good = super().checksum(body)
        return good[::-1]


class _ReplayInChecksum(Wire):
    def replayed(self, frame: bytes) -> bytes:
        again = super().replayed(frame)
        # as if the checksum covered the flag: one bit of a CRC flips many
        return again[:-2] + bytes([again[-2] ^ 0x21, again[-1] ^ 0x10])


class _Count(Wire):
    def frame(
        self, type_: int, flags: int, boot: int, seq: int, ticks: int, counts: NDArray[np.int32]
    ) -> bytes:
        good = bytearray(super().frame(type_, flags, boot, seq, ticks, counts))
        good[2] = (good[2] + 1) & 0xFF
        return bytes(good[:-2]) + self.checksum(bytes(good[:-2]))


class _Boot(Wire):
    def frame(
        self, type_: int, flags: int, boot: int, seq: int, ticks: int, counts: NDArray[np.int32]
    ) -> bytes:
        return super().frame(type_, flags, boot + 1, seq, ticks, counts)


class _Type(Wire):
    def frame(
        self, type_: int, flags: int, boot: int, seq: int, ticks: int, counts: NDArray[np.int32]
    ) -> bytes:
        return super().frame(type_ + 4, flags, boot, seq, ticks, counts)


class _FirstSampleTick(Wire):
    """Stamps frames with their end instead of their start."""

    def frame(
        self, type_: int, flags: int, boot: int, seq: int, ticks: int, counts: NDArray[np.int32]
    ) -> bytes:
        late = ticks + (1868 if type_ == EMG else 12452)
        return super().frame(type_, flags, boot, seq, late, counts)


MUTATIONS: Final[Mapping[str, type[Wire]]] = {
    "byte-order": _ByteOrder,
    "scale": _Scale,
    "sign": _Sign,
    "sequence-width": _SequenceWidth,
    "tick-width": _TickWidth,
    "tick-unit": _TickUnit,
    "first-sample-tick": _FirstSampleTick,
    "axis-order": _AxisOrder,
    "channel-order": _ChannelOrder,
    "checksum": _Checksum,
    "replay-in-checksum": _ReplayInChecksum,
    "count": _Count,
    "boot": _Boot,
    "type": _Type,
}
