"""NPG Lite (Upside Down Labs): EMG of 3 or 6 channels with a counter per sample.

Written from the firmware's description of its protocol: notifications of whole samples, each a
counter byte and one big-endian 16-bit value per channel; commands in ASCII, answered on the
control characteristic.
"""

from __future__ import annotations

import random
from typing import ClassVar

from firmware_sim.peers.peripheral_model import CharacteristicModel, PeripheralModel

SERVICE = "4fafc201-1fb5-459e-8fcc-c5c9c331914b"
DATA = "beb5483e-36e1-4688-b7f5-ea07361b26a8"
CONTROL = "0000ff01-0000-1000-8000-00805f9b34fb"
BATTERY = "f633d0ec-46b4-43c1-a39f-1ca06d0602e1"


class NpgLite(PeripheralModel):
    """A simulated NPG Lite.

    Parameters
    ----------
    channels : int
        3 or 6.
    samples : int
        Samples in a notification: 10 (Chords firmware, 500 Hz) or 25 (IDF firmware, 250 Hz).
    seed : int
        Of the values.
    ppm : float
        Error of the sampling clock, ppm.
    """

    services: ClassVar = {
        SERVICE: (
            CharacteristicModel(DATA, frozenset({"notify"})),
            CharacteristicModel(CONTROL, frozenset({"read", "write", "notify"})),
            CharacteristicModel(BATTERY, frozenset({"read", "notify"})),
        )
    }

    def __init__(
        self, channels: int = 3, samples: int = 10, seed: int = 0, ppm: float = 0.0
    ) -> None:
        super().__init__()
        self.name = f"NPG-Lite-{channels}CH:0A:1B"
        self.channels = channels
        self.samples = samples
        self.fs = {10: 500.0, 25: 250.0}[samples]
        self.percent = 87
        self._period_s = (1 - ppm * 1e-6) / self.fs
        self._random = random.Random(seed)
        self._streaming = False
        self._counter = 0
        self._next_s = 0.0
        self._battery_s = 0.0
        self._batch = bytearray()

    def disconnect(self, now_s: float) -> None:
        """Stop streaming: the firmware does not go on without a connection."""
        super().disconnect(now_s)
        self._streaming = False

    def reboot(self, now_s: float) -> None:
        """Restart with the counter at zero."""
        super().reboot(now_s)
        self._counter = 0

    def read(self, uuid: str, now_s: float) -> bytes:
        """Return state or battery level."""
        if uuid == BATTERY:
            return bytes([self.percent])
        return b"RUNNING" if self._streaming else b"STOPPED"

    def write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take a command."""
        command = data.upper()
        answer = b"UNKNOWN COMMAND"
        if command.startswith(b"START"):
            self._streaming, self._counter = True, 0
            self._next_s, self._battery_s = now_s + self._period_s, now_s + 10.0
            self._batch.clear()
            answer = b"RUNNING"
        elif command.startswith(b"STOP"):
            self._streaming = False
            answer = b"STOPPED"
        elif command.startswith(b"WHORU"):
            answer = b"NPG-LITE"
        elif command.startswith(b"STATUS"):
            answer = self.read(CONTROL, now_s)
        self.notify(CONTROL, answer)

    def advance(self, now_s: float) -> None:
        """Sample, and queue each batch that is complete."""
        while self._streaming and self._next_s <= now_s:
            values = tuple(
                min(4095, max(0, round(self._random.gauss(2048, 150))))
                for _ in range(self.channels)
            )
            self._batch.append(self._counter)
            for value in values:
                self._batch += value.to_bytes(2, "big")
            self.record("emg", self._next_s, values)
            self._counter = (self._counter + 1) % 256
            self._next_s += self._period_s
            if len(self._batch) == self.samples * (1 + 2 * self.channels):
                self.notify(DATA, bytes(self._batch))
                self._batch.clear()
        if self._streaming and now_s >= self._battery_s:
            self.notify(BATTERY, bytes([self.percent]))
            self._battery_s += 10.0
