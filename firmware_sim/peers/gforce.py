"""gForcePro+ of OYMotion: EMG of eight channels, or acceleration.

Written from the maker's Python clients, which describe the messages: commands of one byte with
parameters, answers of a code and the command, packets of a kind and samples, in pieces where
they are longer than a notification.
"""

from __future__ import annotations

import random
import struct
from typing import ClassVar

from firmware_sim.peers.peripheral_model import CharacteristicModel, PeripheralModel

SERVICE = "0000ffd0-0000-1000-8000-00805f9b34fb"
COMMAND = "f000ffe1-0451-4000-b000-000000000000"
DATA = "f000ffe2-0451-4000-b000-000000000000"

_OK, _NOT_SUPPORTED, _BAD_PARAMETER = 0, 1, 2
_ACC_HZ = 50.0


class GForce(PeripheralModel):
    """A simulated gForcePro+.

    Parameters
    ----------
    notification_bytes : int
        Largest notification; longer packets come in pieces.
    seed : int
        Of the values.
    ppm : float
        Error of the sampling clock, ppm.

    Attributes
    ----------
    contents : list of tuple of bytes
        The notifications of each packet.
    indices : list of (str, range)
        Stream and samples of each packet.
    """

    services: ClassVar = {
        SERVICE: (
            CharacteristicModel(COMMAND, frozenset({"write", "notify"})),
            CharacteristicModel(DATA, frozenset({"notify"})),
        )
    }

    def __init__(self, notification_bytes: int = 244, seed: int = 0, ppm: float = 0.0) -> None:
        super().__init__()
        self.name = "gForcePro+(0A1B)"
        self.advertised_uuids = (SERVICE,)
        self.percent = 78
        self.contents: list[tuple[bytes, ...]] = []
        self.indices: list[tuple[str, range]] = []
        self._size = notification_bytes
        self._stretch = 1 - ppm * 1e-6
        self._random = random.Random(seed)
        self._fs, self._mask, self._packet_bytes, self._bits = 500, 0xFF, 128, 8
        self._switch = 0
        self._emg_s = self._acc_s = 0.0
        self._batch: list[tuple[float, list[int]]] = []

    def disconnect(self, now_s: float) -> None:
        """Stop sending."""
        super().disconnect(now_s)
        self._switch = 0

    def write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take a command, and answer it."""
        if uuid != COMMAND or not data:
            return
        code, content = _OK, b""
        match data[0]:
            case 0x08:
                content = bytes([self.percent])
            case 0x3F if len(data) == 7:
                fs, mask, size, bits = struct.unpack("<HHBB", data[1:])
                if bits not in (8, 12) or (bits == 12 and fs > 500):
                    code = _BAD_PARAMETER
                else:
                    self._fs, self._mask, self._packet_bytes, self._bits = fs, mask, size, bits
            case 0x46:
                content = struct.pack("<HHBB", self._fs, self._mask, self._packet_bytes, self._bits)
            case 0x4F if len(data) == 5:
                self._switch = int.from_bytes(data[1:], "little")
                self._batch = []
                self._emg_s = now_s + self._stretch / self._fs
                self._acc_s = now_s + self._stretch / _ACC_HZ
            case _:
                code = _NOT_SUPPORTED
        self.notify(COMMAND, bytes([code, data[0]]) + content)

    def advance(self, now_s: float) -> None:
        """Sample, and queue the packets that are complete."""
        # with acceleration on, the device sends no valid EMG
        while self._switch & 0x81 == 0x80 and self._emg_s <= now_s:
            self._sample_emg(self._emg_s)
            self._emg_s += self._stretch / self._fs
        while self._switch & 0x01 and self._acc_s <= now_s:
            self._sample_acc(self._acc_s)
            self._acc_s += self._stretch / _ACC_HZ

    def _sample_emg(self, now_s: float) -> None:
        channels = self._mask.bit_count()
        zero, top = (128, 255) if self._bits == 8 else (2048, 4095)
        values = [
            min(top, max(0, round(self._random.gauss(zero + 5 * i, zero / 6))))
            for i in range(channels)
        ]
        self._batch.append((now_s, values))
        width = 1 if self._bits == 8 else 2
        if len(self._batch) * channels * width < self._packet_bytes:
            return
        payload = b"".join(v.to_bytes(width, "little") for _, row in self._batch for v in row)
        scale = 2.5e6 / 1200 / (zero - 1)  # µV per count
        rows = [(t, tuple((v - zero) * scale for v in row)) for t, row in self._batch]
        self._batch = []
        self._send("emg", b"\x08" + payload, rows)

    def _sample_acc(self, now_s: float) -> None:
        values = [round(self._random.gauss(mean, 0.005) * 65536) for mean in (-0.9, 0.1, 0.5)]
        row = (now_s, tuple(v / 65536 for v in values))
        self._send("acc", b"\x01" + struct.pack("<3i", *values), [row])

    def _send(
        self, stream: str, packet: bytes, rows: list[tuple[float, tuple[float, ...]]]
    ) -> None:
        first = len(self.sent[stream].values) if stream in self.sent else 0
        for time_s, values in rows:
            self.record(stream, time_s, values)
        notifications = [packet]
        if len(packet) > self._size:
            step = self._size - 2
            parts = [packet[i : i + step] for i in range(0, len(packet), step)]
            notifications = [
                bytes([0xFF, len(parts) - 1 - i]) + part for i, part in enumerate(parts)
            ]
        for data in notifications:
            self.notify(DATA, data)
        self.contents.append(tuple(notifications))
        self.indices.append((stream, range(first, first + len(rows))))
