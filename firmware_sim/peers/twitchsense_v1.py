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


#: Gravity on the three axes, and standard deviation of the noise: 3 uV of EMG, 3 mg.
_REST_COUNTS = {EMG: (0, 0), ACC: (492, -983, 3891)}
_NOISE_COUNTS = {EMG: 15.0, ACC: 12.3}


class _RestingSource:
    """A muscle at rest on a leg that lies still; the samples follow from their index alone."""

    def read(self, stream: int, first: int, count: int) -> NDArray[np.int32]:
        """Return the samples of a stream (counts)."""
        rest = _REST_COUNTS[stream]
        number = np.arange(first, first + count, dtype=np.uint64)[:, None] * np.uint64(8)
        column = np.arange(len(rest)).astype(np.uint64) + np.uint64(4 * (stream == ACC))
        noise = _NOISE_COUNTS[stream] * _scatter(number + column)
        return np.rint(np.array(rest) + noise).astype(np.int32)


def _scatter(number: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return nearly Gaussian values of standard deviation 1, by the hash splitmix64."""
    bits = number * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    parts = [(bits >> np.uint64(k)) & np.uint64(0xFFFF) for k in (0, 16, 32, 48)]
    total: NDArray[np.float64] = np.sum(parts, axis=0, dtype=np.float64)
    return (total / 65536 - 2) * 3**0.5


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
        self._source = _RestingSource()
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
