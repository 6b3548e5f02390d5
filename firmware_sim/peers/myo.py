"""Myo armband of Thalmic Labs: EMG of eight channels at 200 Hz, motion data at 50 Hz.

Written from the maker's header myohw.h: four EMG characteristics that send in turn, each
notification two samples of eight signed bytes; quaternion, acceleration and angular velocity
as 16-bit values; commands of a kind, a length and a payload.
"""

from __future__ import annotations

import random
import struct
from typing import ClassVar

from firmware_sim.peers.peripheral_model import CharacteristicModel, PeripheralModel


def uuid(short: int) -> str:
    """Return a full UUID of the device."""
    return f"d506{short:04x}-a904-deb9-4748-2c7f4a124842"


INFO, FIRMWARE, COMMAND = uuid(0x0101), uuid(0x0201), uuid(0x0401)
IMU, MOTION, CLASSIFIER, SMOOTH = uuid(0x0402), uuid(0x0502), uuid(0x0103), uuid(0x0104)
EMG = (uuid(0x0105), uuid(0x0205), uuid(0x0305), uuid(0x0405))
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"

_EMG_S, _IMU_S = 1 / 200, 1 / 50
#: Time (s) without movement after which a Myo in its normal sleep mode sleeps.
_SLEEP_S = 60.0


class Myo(PeripheralModel):
    """A simulated Myo.

    Parameters
    ----------
    seed : int
        Of the values.
    ppm : float
        Error of the sampling clock, ppm.
    """

    services: ClassVar = {
        uuid(0x0001): (
            CharacteristicModel(INFO, frozenset({"read"})),
            CharacteristicModel(FIRMWARE, frozenset({"read"})),
            CharacteristicModel(COMMAND, frozenset({"write"})),
        ),
        uuid(0x0002): (
            CharacteristicModel(IMU, frozenset({"notify"})),
            CharacteristicModel(MOTION, frozenset({"indicate"})),
        ),
        uuid(0x0003): (CharacteristicModel(CLASSIFIER, frozenset({"indicate"})),),
        uuid(0x0004): (CharacteristicModel(SMOOTH, frozenset({"notify"})),),
        uuid(0x0005): tuple(CharacteristicModel(one, frozenset({"notify"})) for one in EMG),
        "0000180f-0000-1000-8000-00805f9b34fb": (
            CharacteristicModel(BATTERY, frozenset({"read", "notify"})),
        ),
    }

    def __init__(self, seed: int = 0, ppm: float = 0.0) -> None:
        super().__init__()
        self.name = "My Myo"
        self.advertised_uuids = (uuid(0x0001),)
        self.percent = 91
        #: Number of EMG notifications queued, and whether the device sleeps.
        self.emg_notifications = 0
        self.asleep = False
        self._stretch = 1 - ppm * 1e-6
        self._random = random.Random(seed)
        self._emg_mode = self._imu_mode = self._sleep_mode = 0
        self._active_s = 0.0
        self._turn = 0
        self._emg_s = self._imu_s = 0.0
        self._half: list[int] = []
        self._half_s = 0.0

    def connect(self, now_s: float) -> None:
        """Begin a connection."""
        super().connect(now_s)
        self.asleep, self._active_s = False, now_s

    def disconnect(self, now_s: float) -> None:
        """Stop streaming."""
        super().disconnect(now_s)
        self._emg_mode = self._imu_mode = 0

    def reboot(self, now_s: float) -> None:
        """Restart with the settings after power-on."""
        super().reboot(now_s)
        self._sleep_mode = 0

    def read(self, uuid: str, now_s: float) -> bytes:
        """Return battery level, description or firmware."""
        if uuid == BATTERY:
            return bytes([self.percent])
        if uuid == INFO:
            return struct.pack("<6sH5B7x", b"\1\2\3\4\5\6", 0, 0, 0, 0, 0, 1)
        return struct.pack("<4H", 1, 5, 1970, 2)

    def write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take a command."""
        if uuid != COMMAND or len(data) < 2 or len(data) != 2 + data[1]:
            return
        match data[0]:
            case 1 if len(data) == 5:
                self._emg_mode, self._imu_mode = data[2], data[3]
                self._turn = 0
                self._half = []
                self._emg_s = now_s + _EMG_S * self._stretch
                self._imu_s = now_s + _IMU_S * self._stretch
            case 4:
                self.asleep = True
            case 9:
                self._sleep_mode = data[2]

    def advance(self, now_s: float) -> None:
        """Sample, and queue the notifications that are complete."""
        if not self._sleep_mode and now_s - self._active_s > _SLEEP_S:
            self.asleep = True
        if self.asleep:
            self._emg_mode = self._imu_mode = 0
        while self._emg_mode in (2, 3) and self._emg_s <= now_s:
            self._sample_emg(self._emg_s)
            self._emg_s += _EMG_S * self._stretch
        while self._imu_mode in (1, 3, 4) and self._imu_s <= now_s:
            self._sample_imu(self._imu_s)
            self._imu_s += _IMU_S * self._stretch

    def _sample_emg(self, now_s: float) -> None:
        values = [min(127, max(-128, round(self._random.gauss(3 * i - 12, 9)))) for i in range(8)]
        if not self._half:
            self._half, self._half_s = values, now_s
            return
        self.record("emg", self._half_s, tuple(map(float, self._half)))
        self.record("emg", now_s, tuple(map(float, values)))
        self.notify(EMG[self._turn], struct.pack("16b", *self._half, *values))
        self.emg_notifications += 1
        self._turn = (self._turn + 1) % 4
        self._half = []

    def _sample_imu(self, now_s: float) -> None:
        acc = [round(self._random.gauss(mean, 12)) for mean in (-1500, 300, 1100)]
        gyro = [round(self._random.gauss(0, 40)) for _ in range(3)]
        self.record("acc", now_s, tuple(a / 2048 for a in acc))
        self.notify(IMU, struct.pack("<10h", 16384, 0, 0, 0, *acc, *gyro))
