"""Driver of the Myo armband: EMG of 8 channels without a unit at 200 Hz, acceleration at 50 Hz.

Source: thalmiclabs/myo-bluetooth, myohw.h (Apache-2.0), read as a description of the protocol.
It calls its values big-endian; the device and all clients use little-endian.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from twitchsense.devices.contract import (
    Abilities,
    Advertised,
    BatteryLevel,
    Decoded,
    Direction,
    Ignored,
    Message,
    PacketError,
    SamplePacket,
    full_uuid,
)
from twitchsense.devices.dialogue import Read, Steps, Subscribe, Write
from twitchsense.devices.streams import SampleCounter, StreamDescription


def _myo_uuid(short: int) -> str:
    return f"d506{short:04x}-a904-deb9-4748-2c7f4a124842"


SERVICE_UUID: Final = _myo_uuid(0x0001)
COMMAND_UUID: Final = _myo_uuid(0x0401)
IMU_UUID: Final = _myo_uuid(0x0402)
#: The four characteristics that send EMG in turn.
EMG_UUIDS: Final = tuple(_myo_uuid(number) for number in (0x0105, 0x0205, 0x0305, 0x0405))
BATTERY_UUID: Final = full_uuid(0x2A19)

NEVER_SLEEP: Final = b"\x09\x01\x01"
#: Raw EMG, motion data, no classifier of gestures.
START: Final = b"\x01\x03\x03\x01\x00"
STOP: Final = b"\x01\x03\x00\x00\x00"
_SET_MODE: Final = 1

_EMG_BYTES: Final = 16
_EMG_SAMPLES: Final = 2
_IMU_BYTES: Final = 20
_COUNTS_PER_G: Final = 2048.0
_FS: Final = 200.0

_EMG: Final = StreamDescription(
    name="emg",
    kind="emg",
    width=8,
    fs=_FS,
    unit="count",
    counts_per_unit=1.0,
    timing=SampleCounter(_EMG_SAMPLES * len(EMG_UUIDS)),
    resolution=1.0,
    limits=(-128.0, 127.0),
    # what the sampling rate leaves of surface EMG, which reaches to 400 Hz
    band_hz=(0.0, _FS / 2),
    fs_tolerance=0.01,
)
_ACC: Final = StreamDescription(
    name="acc",
    kind="acc",
    width=3,
    fs=50.0,
    unit="g",
    counts_per_unit=_COUNTS_PER_G,
    timing=None,
    resolution=1 / _COUNTS_PER_G,
    limits=(-16.0, 32767 / _COUNTS_PER_G),
    fs_tolerance=0.01,
)


class MyoDriver:
    """Driver of the Myo; see `Driver`."""

    kind = "myo"
    title = "Myo (Thalmic Labs)"
    version = 1
    abilities = Abilities(
        resend="none", while_disconnected="stops", restarts_on=frozenset({"power", "start"})
    )
    typical_streams = (_EMG, _ACC)
    options: Mapping[str, str] = MappingProxyType({})
    poll_period_s = 300.0

    def recognize(self, advertised: Advertised) -> float:
        """Return 1 for the service, which is Thalmic's own, and 0.5 for the name; see `Driver`."""
        if SERVICE_UUID in advertised.service_uuids:
            return 1.0
        return 0.5 if "myo" in advertised.name.lower().split() else 0.0

    def open(self, options: Mapping[str, str]) -> Steps:
        """Forbid sleep, subscribe and start; see `Driver`."""
        yield Write(COMMAND_UUID, NEVER_SLEEP)
        yield Subscribe(BATTERY_UUID, optional=True)
        yield Subscribe(IMU_UUID)
        for uuid in EMG_UUIDS:
            yield Subscribe(uuid)
        yield Write(COMMAND_UUID, START)
        yield Read(BATTERY_UUID, optional=True)

    def poll(self) -> Steps:
        """Forbid sleep again, and read the battery; see `Driver`."""
        yield Write(COMMAND_UUID, NEVER_SLEEP)
        yield Read(BATTERY_UUID, optional=True)

    def close(self) -> Steps:
        """Stop, and let the device sleep; see `Driver`."""
        yield Write(COMMAND_UUID, STOP)
        yield Write(COMMAND_UUID, NEVER_SLEEP[:2] + b"\0")

    def make_decoder(self) -> MyoDecoder:
        """Return a new decoder; see `Driver`."""
        return MyoDecoder()


class MyoDecoder:
    """Decoder of the Myo; see `Decoder`.

    The characteristic of an EMG notification counts it modulo 4.

    Reasons of refusals: ``length``, ``battery``.
    """

    def __init__(self) -> None:
        self._has_emg = False
        self._restarted = False

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """EMG and acceleration, which have no settings."""
        return (_EMG, _ACC)

    def push(self, message: Message) -> list[Decoded]:
        """Decode one value; see `Decoder`."""
        uuid, data = message.characteristic, message.data
        if uuid == COMMAND_UUID:
            if data[:1] == bytes([_SET_MODE]):
                self._restarted = self._has_emg
        elif message.direction is Direction.WRITE:
            return []
        elif uuid in EMG_UUIDS:
            _check_length(data, _EMG_BYTES)
            emg = np.frombuffer(data, np.int8).astype(np.int16).reshape(_EMG_SAMPLES, 8)
            position = _EMG_SAMPLES * EMG_UUIDS.index(uuid)
            restarted, self._restarted, self._has_emg = self._restarted, False, True
            return [SamplePacket("emg", emg, position, message.arrival_ns, restarted)]
        elif uuid == IMU_UUID:
            _check_length(data, _IMU_BYTES)
            # quaternion (4 values), acceleration (3), angular velocity (3)
            acc = np.frombuffer(data, "<i2")[4:7].astype(np.int16).reshape(1, 3)
            return [SamplePacket("acc", acc, None, message.arrival_ns)]
        elif uuid == BATTERY_UUID:
            if len(data) != 1 or data[0] > 100:
                raise PacketError("battery", f"{data[:8].hex()} is not a percentage")
            return [BatteryLevel(data[0], message.arrival_ns)]
        else:
            return [Ignored("characteristic")]
        return []


def _check_length(data: bytes, wanted: int) -> None:
    if len(data) != wanted:
        raise PacketError("length", f"{len(data)} bytes instead of {wanted}")
