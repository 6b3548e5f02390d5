"""Driver of OYMotion's gForce armbands: EMG in µV, or acceleration.

Sources: oymotion/gForceSDKPython, oymotion/gforce_sdk_python and libemg's copy of it for the
messages and the scale, oymotion/gForceSDKCXX for the parameters, read as descriptions of the
protocol.
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
    StartRefusedError,
    full_uuid,
)
from twitchsense.devices.dialogue import Expect, Steps, Subscribe, Write
from twitchsense.devices.gforce.gforce_packets import EmgConfiguration, PacketJoiner, RateFinder
from twitchsense.devices.streams import StreamDescription
from twitchsense.errors import InputError

SERVICE_UUID: Final = full_uuid(0xFFD0)
COMMAND_UUID: Final = "f000ffe1-0451-4000-b000-000000000000"
DATA_UUID: Final = "f000ffe2-0451-4000-b000-000000000000"

_BATTERY: Final = 0x08
_SET_EMG: Final = 0x3F
_GET_EMG: Final = 0x46
_SWITCH: Final = 0x4F
_SUCCESS: Final = 0x00
#: Largest code of an answer; commands that a log without directions holds are larger.
_MAX_CODE: Final = 0x04
_PARTIAL: Final = 0xFF
_ACC_DATA, _EMG_DATA = 0x01, 0x08
#: Other kinds of data, which are no samples of a stream here.
_OTHER_DATA: Final = range(0x02, 0x0E)
#: Bits of the data to send.
_STREAMS: Final = {"emg": 0x80, "acc": 0x01}
_COUNTS_PER_G: Final = 65536.0
#: Largest range of the accelerometer, g: larger values are no accelerations.
_MAX_G: Final = 16.0
_ANSWER_S: Final = 5.0
_FS_TOLERANCE: Final = 0.01


def _emg(settings: EmgConfiguration) -> StreamDescription:
    scale = settings.counts_per_uv
    return StreamDescription(
        name="emg",
        kind="emg",
        width=settings.channels,
        fs=float(settings.fs),
        unit="uV",
        counts_per_unit=scale,
        timing=None,
        resolution=1 / scale,
        limits=(-settings.offset / scale, (settings.offset - 1) / scale),
        fs_tolerance=_FS_TOLERANCE,
    )


def _acc(fs: float) -> StreamDescription:
    return StreamDescription(
        name="acc",
        kind="acc",
        width=3,
        fs=fs,
        unit="g",
        counts_per_unit=_COUNTS_PER_G,
        timing=None,
        resolution=1 / _COUNTS_PER_G,
        limits=(-_MAX_G, _MAX_G),
        fs_tolerance=_FS_TOLERANCE,
    )


class GForceDriver:
    """Driver of the gForcePro+ and related armbands; see `Driver`."""

    kind = "gforce"
    title = "gForcePro+ (OYMotion)"
    version = 1
    abilities = Abilities(
        resend="none", while_disconnected="stops", restarts_on=frozenset({"power", "start"})
    )
    typical_streams = (_emg(EmgConfiguration(500, 0xFF, 128, 12)), _acc(50.0))
    options: Mapping[str, str] = MappingProxyType(
        {
            "stream": "emg (the default) or acc: the device sends no valid EMG beside acceleration",
            "bits": "12 (the default, at most 500 Hz) or 8",
            "rate": "sampling rate of the EMG, Hz: 500 (the default), 650 or 1000",
        }
    )
    poll_period_s = 300.0

    def recognize(self, advertised: Advertised) -> float:
        """Return 0.9 for name and service, less for one of them; see `Driver`.

        The service is in use by other makers too.
        """
        by_name = advertised.name.lower().startswith("gforce")
        by_service = SERVICE_UUID in advertised.service_uuids
        return {2: 0.9, 1: 0.6 if by_name else 0.3, 0: 0.0}[by_name + by_service]

    def open(self, options: Mapping[str, str]) -> Steps:
        """Set rate and resolution, subscribe and start; see `Driver`."""
        stream = options.get("stream", "emg")
        if stream not in _STREAMS:
            raise InputError("option stream", f"is {stream!r}", "choose emg or acc")
        settings = EmgConfiguration.of_options(options)
        yield Subscribe(COMMAND_UUID)
        if stream == "emg":
            yield from self._configure(settings)
        yield Subscribe(DATA_UUID)
        yield Write(COMMAND_UUID, _switch(_STREAMS[stream]))
        answer = yield Expect(COMMAND_UUID, timeout_s=_ANSWER_S, optional=True)
        if answer is not None and answer[:1] != bytes([_SUCCESS]):
            raise StartRefusedError(
                f"the gForce does not start (code {answer[:1].hex()}): switch it off and on"
            )
        yield Write(COMMAND_UUID, bytes([_BATTERY]))

    def _configure(self, settings: EmgConfiguration) -> Steps:
        yield Write(COMMAND_UUID, bytes([_SET_EMG]) + settings.to_bytes())
        answer = yield Expect(COMMAND_UUID, timeout_s=_ANSWER_S)
        if answer is None or answer[:1] != bytes([_SUCCESS]):
            raise StartRefusedError(
                f"the gForce refuses {settings.fs} Hz with {settings.bits} bits: choose other "
                "values for the options rate and bits (bits=8 works with every device)"
            )

    def poll(self) -> Steps:
        """Request the battery level; see `Driver`."""
        yield Write(COMMAND_UUID, bytes([_BATTERY]))
        yield Expect(COMMAND_UUID, optional=True)

    def close(self) -> Steps:
        """Stop; see `Driver`."""
        yield Write(COMMAND_UUID, _switch(0))

    def make_decoder(self) -> GForceDecoder:
        """Return a new decoder; see `Driver`."""
        return GForceDecoder()


def _switch(bits: int) -> bytes:
    return bytes([_SWITCH]) + bits.to_bytes(4, "little")


class GForceDecoder:
    """Decoder of the gForce; see `Decoder`.

    Rate, channels and resolution of the EMG are taken from the command that sets them, or from
    the answer that states them. No command of the public text states the rate of the
    acceleration: it is found from the arrivals of the first seconds.

    Reasons of refusals: ``settings``, ``pieces`` (a piece of the packet was lost), ``length``,
    ``range``, ``type``, ``battery``.
    """

    def __init__(self) -> None:
        self._joiner = PacketJoiner()
        self._settings: EmgConfiguration | None = None
        self._settings_before: EmgConfiguration | None = None
        self._acc_rate = RateFinder()
        self._acc_waiting: list[SamplePacket] = []

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """EMG once its settings are known, acceleration once its rate is."""
        emg = () if self._settings is None else (_emg(self._settings),)
        acc = () if self._acc_rate.fs is None else (_acc(self._acc_rate.fs),)
        return emg + acc

    @property
    def waiting(self) -> int:
        """Packets of acceleration that wait until their rate is known."""
        return len(self._acc_waiting)

    def push(self, message: Message) -> list[Decoded]:
        """Decode one value; see `Decoder`."""
        data = message.data
        if message.characteristic == COMMAND_UUID and data:
            is_answer = data[0] <= _MAX_CODE and len(data) >= 2
            if message.direction is Direction.WRITE or not is_answer:
                self._take_command(data)
                return []
            return self._take_answer(data, message.arrival_ns)
        if message.characteristic == DATA_UUID and message.direction is not Direction.WRITE:
            return self._take_data(data, message.arrival_ns)
        is_known = message.characteristic in (COMMAND_UUID, DATA_UUID)
        is_ignored = message.direction is not Direction.WRITE and not is_known
        return [Ignored("characteristic")] if is_ignored else []

    def _take_command(self, data: bytes) -> None:
        if data[0] in (_SET_EMG, _SWITCH):
            self._joiner.clear()
        if data[0] == _SET_EMG:
            self._settings_before = self._settings
            self._settings = EmgConfiguration.parse(data[1:])

    def _take_answer(self, data: bytes, arrival_ns: int) -> list[Decoded]:
        code, command, content = data[0], data[1], data[2:]
        if command == _SET_EMG and code != _SUCCESS:
            self._settings = self._settings_before
        if code != _SUCCESS:
            return []
        if command == _GET_EMG:
            self._settings = EmgConfiguration.parse(content)
        elif command == _BATTERY:
            if len(content) != 1 or content[0] > 100:
                raise PacketError("battery", f"{content[:8].hex()} is not a percentage")
            return [BatteryLevel(content[0], arrival_ns)]
        return []

    def _take_data(self, data: bytes, arrival_ns: int) -> list[Decoded]:
        whole = self._joiner.push(data) if data[:1] == bytes([_PARTIAL]) else data
        if whole is None:
            return []
        kind = whole[0] if whole else -1
        if kind == _EMG_DATA:
            return [self._decode_emg(whole[1:], arrival_ns)]
        if kind == _ACC_DATA:
            return self._decode_acc(whole[1:], arrival_ns)
        if kind in _OTHER_DATA:
            return [Ignored("measurement")]
        raise PacketError("type", f"{whole[:1].hex()} is not a kind of data")

    def _decode_emg(self, payload: bytes, arrival_ns: int) -> SamplePacket:
        settings = self._settings
        if settings is None:
            raise PacketError(
                "settings", "the command that sets rate and resolution (3f) is not in the log"
            )
        if len(payload) not in settings.payload_sizes:
            raise PacketError("length", f"{len(payload)} bytes of EMG do not follow the settings")
        values = np.frombuffer(payload, "u1" if settings.bits == 8 else "<u2").astype(np.int16)
        samples = values - np.int16(settings.offset)
        if ((samples < -settings.offset) | (samples >= settings.offset)).any():
            raise PacketError("range", f"a value has more than {settings.bits} bits")
        return SamplePacket("emg", samples.reshape(-1, settings.channels), None, arrival_ns)

    def _decode_acc(self, payload: bytes, arrival_ns: int) -> list[Decoded]:
        if not payload or len(payload) % 12:
            raise PacketError("length", f"{len(payload)} bytes of acceleration")
        samples = np.frombuffer(payload, "<i4").astype(np.int32).reshape(-1, 3)
        if (np.abs(samples.astype(np.int64)) > _MAX_G * _COUNTS_PER_G).any():
            raise PacketError("range", f"an acceleration above {_MAX_G:g} g")
        self._acc_waiting.append(SamplePacket("acc", samples, None, arrival_ns))
        if self._acc_rate.fs is None and not self._acc_rate.add(len(samples), arrival_ns):
            return []
        waiting, self._acc_waiting = self._acc_waiting, []
        if self._acc_rate.fs is None:
            raise PacketError("settings", "the rate of the acceleration is none that is known")
        return list(waiting)
