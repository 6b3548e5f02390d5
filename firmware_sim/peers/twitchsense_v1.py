"""A wearable that implements twitchsense v1, as a `PeripheralModel`: the firmware without radio."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from firmware_sim.peers.peripheral_model import CharacteristicModel, PeripheralModel
from firmware_sim.wearable.encoder import (
    ACC,
    CONTROL,
    DATA,
    EMG,
    INFO,
    SERVICE,
    Encoder,
    StreamSpec,
)
from firmware_sim.wearable.firmware import DeviceModel, Firmware

BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"

#: Two EMG channels at 1000 Hz with 0.2 µV per count, acceleration of ±8 g at 100 Hz.
_STREAMS = (
    StreamSpec(EMG, 1, 2, 1_000_000, 6_553_600),
    StreamSpec(ACC, 2, 3, 100_000, 8_000_000),
)


class _NoiseSource:
    """Samples that follow from their index alone, of both signs and the whole range."""

    def read(self, stream: int, first: int, count: int) -> NDArray[np.int32]:
        """Return the samples of a stream (counts)."""
        width = 2 if stream == EMG else 3
        index = np.arange(first, first + count)[:, None] * (2654435761 + stream) + np.arange(width)
        return ((index * 40503) % 65536 - 32768).astype(np.int32)


class WearableV1(PeripheralModel):
    """A simulated wearable of twitchsense v1.

    Parameters
    ----------
    mtu : int
        Of the connection; frames are split at small ones.
    """

    services: ClassVar = {
        SERVICE: (
            CharacteristicModel(INFO, frozenset({"read"})),
            CharacteristicModel(CONTROL, frozenset({"write", "notify"})),
            CharacteristicModel(DATA, frozenset({"notify"})),
        ),
        "0000180f-0000-1000-8000-00805f9b34fb": (
            CharacteristicModel(BATTERY, frozenset({"read", "notify"})),
        ),
    }

    def __init__(self, mtu: int = 247) -> None:
        super().__init__()
        self.model = DeviceModel(device=0x51, streams=_STREAMS, leg="left")
        self.name = self.model.name
        self.advertised_uuids = (SERVICE,)
        self._mtu = mtu
        self._encoder = Encoder()
        self._source = _NoiseSource()
        self.firmware = Firmware(self.model, self._source, self._encoder)
        self._boot_s = 0.0

    def disconnect(self, now_s: float) -> None:
        """End a connection; sampling goes on."""
        super().disconnect(now_s)
        self.firmware.unsubscribe()

    def reboot(self, now_s: float) -> None:
        """Restart with the counters at zero."""
        super().reboot(now_s)
        self.firmware.reboot()
        self._boot_s = now_s

    def subscribe(self, uuid: str, now_s: float) -> None:
        """Enable notifications."""
        super().subscribe(uuid, now_s)
        if uuid == DATA:
            self.firmware.subscribe()

    def read(self, uuid: str, now_s: float) -> bytes:
        """Return the value of a characteristic."""
        if uuid == BATTERY:
            return b"\x5a"
        return self._encoder.info(
            self.model.streams, self.model.tick_hz, self.model.device, self.model.leg
        )

    def write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take a request."""
        self.advance(now_s)
        self.notify(CONTROL, self.firmware.control(data))

    def advance(self, now_s: float) -> None:
        """Sample, and queue the frames that are complete."""
        self.firmware.advance(int((now_s - self._boot_s) * self.model.tick_hz))
        while (frame := self.firmware.next_frame()) is not None:
            for piece in self._encoder.pieces(frame, self._mtu):
                self.notify(DATA, piece)

    def samples(self, stream: int, index: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the true samples with these indices since boot, in µV or g."""
        counts = np.concatenate([self._source.read(stream, int(i), 1) for i in index])
        return counts * (0.2 if stream == EMG else 8 / 32768)
