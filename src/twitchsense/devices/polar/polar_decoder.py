"""Decoder of Polar's measurement service: acceleration, and the ECG of the H10."""

from __future__ import annotations

import re
from collections import deque
from itertools import pairwise
from typing import Final

import numpy as np

from twitchsense.devices.contract import (
    BatteryLevel,
    Decoded,
    Direction,
    Ignored,
    Message,
    PacketError,
    SamplePacket,
    full_uuid,
)
from twitchsense.devices.inferred_rate import find_rate
from twitchsense.devices.polar.polar_control import (
    ACC,
    ANSWER,
    ECG,
    GET_SDK_MODE_SETTINGS,
    GET_SETTINGS,
    IN_MEMORY,
    START,
    ControlAnswer,
    Setting,
    Settings,
    parse_answer,
    parse_settings,
)
from twitchsense.devices.polar.polar_files import FILE_UUID, ResponseFrames, parse_request
from twitchsense.devices.polar.polar_frames import (
    COMPRESSED,
    PolarFrame,
    decode_acc,
    decode_ecg,
    parse_frame,
)
from twitchsense.devices.polar.polar_recording import RecordingReader
from twitchsense.devices.streams import SampleClock, StreamDescription

CONTROL_UUID: Final = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA_UUID: Final = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
BATTERY_UUID: Final = full_uuid(0x2A19)

#: Measurements of which nothing is recorded: PPG, pulse intervals, gyroscope, magnetometer,
#: skin temperature, location, pressure, temperature, heart rate.
_OTHER_MEASUREMENTS: Final = frozenset({1, 3, 5, 6, 7, 10, 11, 12, 14})
#: Rates of acceleration and of ECG on any of the devices, Hz.
_RATES: Final = {
    ACC: (12.0, 13.0, 25.0, 26.0, 50.0, 52.0, 100.0, 104.0, 200.0, 208.0, 400.0, 416.0),
    ECG: (130.0,),
}
#: Commands whose answers hold settings.
_SETTINGS_COMMANDS: Final = (GET_SETTINGS, START, GET_SDK_MODE_SETTINGS)
#: Frames that wait for the rate.
_MAX_WAITING: Final = 32
#: Parameters of an answer in several parts, bytes.
_MAX_PARAMETERS: Final = 4096
#: Rate of the H10 at 20 to 40 °C: ±2 % (Polar, H10 ECG Explained).
_FS_TOLERANCE: Final = 0.02
_CLOCK: Final = SampleClock(10**9, "last", epoch="2000-01-01T00:00:00Z", jitter_s=0.002)
_NS: Final = 1_000_000_000


def describe_acc(fs: float, counts_per_g: float, range_g: float | None) -> StreamDescription:
    """Describe the stream of acceleration.

    Parameters
    ----------
    fs : float
        Hz.
    counts_per_g : float
    range_g : float or None
        Range of the sensor, if known.
    """
    return StreamDescription(
        name="acc",
        kind="acc",
        width=3,
        fs=fs,
        unit="g",
        counts_per_unit=counts_per_g,
        timing=_CLOCK,
        resolution=1 / counts_per_g,
        limits=None if range_g is None else (-range_g, range_g),
        fs_tolerance=_FS_TOLERANCE,
    )


def describe_ecg(fs: float) -> StreamDescription:
    """Describe the ECG of the H10, whose samples are in µV; `fs` in Hz."""
    return StreamDescription(
        name="ecg",
        kind="ecg",
        width=1,
        fs=fs,
        unit="mV",
        counts_per_unit=1000.0,
        timing=_CLOCK,
        resolution=0.001,
        limits=(-20.0, 20.0),
        band_hz=(0.7, 40.0),
        fs_tolerance=_FS_TOLERANCE,
    )


class PolarDecoder:
    """Decoder of Polar devices; see `Decoder`.

    Rate, range and factor are taken from the command START and its answer. Without them, the
    first frames wait until their times show the rate; compressed frames, whose factor is
    unknown then, are refused. Reasons of refusals: ``answer``, ``battery``, ``command``,
    ``delta``, ``file``, ``frame_type``, ``length``, ``measurement``, ``range``, ``recording``,
    ``settings``, ``time``.
    """

    def __init__(self) -> None:
        self._measurements = {ACC: _Measurement(ACC), ECG: _Measurement(ECG)}
        #: The recording of acceleration in the device's memory that is being fetched.
        self._file: _FetchedRecording | None = None
        self._starts_in_memory = False
        self._parameters: dict[tuple[int, int], bytes] = {}

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """Streams of which a frame was decoded."""
        specs = (m.spec for m in self._measurements.values())
        return tuple(spec for spec in specs if spec is not None)

    @property
    def waiting(self) -> int:
        """Frames that wait for their rate."""
        return sum(len(m.waiting) for m in self._measurements.values())

    def push(self, message: Message) -> list[Decoded]:
        """Decode one value; see `Decoder`."""
        uuid, data = message.characteristic, message.data
        if uuid == CONTROL_UUID:
            self._control(data)
        elif message.direction is Direction.WRITE:
            if uuid == FILE_UUID:
                self._file = _requested(data)
            return []
        elif uuid == FILE_UUID:
            if self._file is not None:
                return [*self._measurements[ACC].decode_file(self._file, data, message.arrival_ns)]
        elif uuid == DATA_UUID:
            frame = parse_frame(data)
            if frame.measurement in self._measurements:
                return [*self._measurements[frame.measurement].decode(frame, message.arrival_ns)]
            if frame.measurement not in _OTHER_MEASUREMENTS:
                raise PacketError("measurement", f"{frame.measurement:#04x} is not known")
            return [Ignored("measurement")]
        elif uuid == BATTERY_UUID:
            if len(data) != 1 or data[0] > 100:
                raise PacketError("battery", f"{data[:8].hex()} is not a percentage")
            return [BatteryLevel(data[0], message.arrival_ns)]
        else:
            return [Ignored("characteristic")]
        return []

    def _control(self, data: bytes) -> None:
        """Take a command or an answer; they differ in the first byte, not only in direction."""
        if not data:
            raise PacketError("command", "an empty value")
        if data[0] == ANSWER:
            self._answer(parse_answer(data))
        elif data[0] == START:
            if len(data) < 2:
                raise PacketError("command", "START without a measurement")
            self._starts_in_memory = bool(data[1] & IN_MEMORY)
            measurement = self._measurements.get(data[1])
            if measurement is not None:
                measurement.start(parse_settings(data[2:]))

    def _answer(self, answer: ControlAnswer) -> None:
        measurement = self._measurements.get(answer.measurement)
        if measurement is None or answer.command not in _SETTINGS_COMMANDS:
            return
        if answer.command == START and self._starts_in_memory:
            return
        key = answer.command, answer.measurement
        parameters = self._parameters.pop(key, b"") + answer.parameters
        if answer.error:
            if answer.command == START:
                measurement.refuse_start()
        elif answer.more:
            if len(parameters) > _MAX_PARAMETERS:
                raise PacketError("answer", f"more than {_MAX_PARAMETERS} bytes of parameters")
            self._parameters[key] = parameters
        elif answer.command == START:
            measurement.confirm_start(parse_settings(parameters))
        else:
            measurement.offer(parse_settings(parameters))


#: Files of acceleration; long recordings have several, numbered from 0.
_RECORDING: Final = re.compile(r".*/ACC([0-9]*)\.REC", re.IGNORECASE)


class _FetchedRecording:
    """A recording that is fetched from the memory."""

    def __init__(self, *, is_first: bool) -> None:
        self.frames = ResponseFrames()
        self.reader = RecordingReader()
        self.is_first = is_first


def _requested(frame: bytes) -> _FetchedRecording | None:
    """Return the recording that is requested; None for folders and other files."""
    try:
        found = _RECORDING.fullmatch(parse_request(frame))
    except PacketError as error:
        raise PacketError("command", str(error)) from error
    return None if found is None else _FetchedRecording(is_first=int(found[1] or 0) == 0)


class _Measurement:
    """Settings and frames of one measurement.

    Attributes
    ----------
    spec : StreamDescription or None
        Its stream; None before the first frame.
    waiting : deque of SamplePacket
        Packets that wait until the rate is known.
    """

    def __init__(self, kind: int) -> None:
        self.spec: StreamDescription | None = None
        self._name = {ACC: "acc", ECG: "ecg"}[kind]
        self._kind = kind
        #: Settings of the latest START, with those of its answer.
        self._settings: Settings = {}
        self._confirmed = False
        #: Whether the scale of frames may differ from that of the frames before.
        self._is_new = True
        self._restarted = False
        self._before: tuple[Settings, bool, bool, bool] | None = None
        self._offered: Settings = {}
        #: Rate found from the times of frames, Hz.
        self._found_rate: float | None = None
        self.waiting: deque[SamplePacket] = deque()
        self._waiting_scale = 0.0

    # -- settings ------------------------------------------------------------------------

    def offer(self, settings: Settings) -> None:
        """Take the settings that the device offers."""
        rates = {*self._offered.get(Setting.RATE, ()), *settings.get(Setting.RATE, ())}
        self._offered = {**settings, Setting.RATE: tuple(sorted(rates))}

    def start(self, settings: Settings) -> None:
        """Take a command START, which the device may still refuse."""
        self._before = (self._settings, self._confirmed, self._is_new, self._restarted)
        self._settings, self._confirmed, self._is_new = settings, False, True
        self._found_rate = None
        self._restarted = self.spec is not None
        if self.waiting:
            lost = len(self.waiting)
            self.waiting.clear()
            raise PacketError("settings", f"the rate of {lost} frames before START is not known")

    def refuse_start(self) -> None:
        """Take the answer that START was not carried out."""
        if self._before is not None:
            self._settings, self._confirmed, self._is_new, self._restarted = self._before
            self._before = None

    def confirm_start(self, settings: Settings) -> None:
        """Take the answer that START was carried out."""
        if self._before is None:  # the command is missing in the log
            self._restarted = self.spec is not None
        self._before = None
        self._settings = {**self._settings, **settings}
        self._confirmed = self._is_new = True

    def _single(self, kind: Setting) -> float | None:
        """Return a setting: that of START, else the only available one."""
        for settings in (self._settings, self._offered):
            values = settings.get(kind, ())
            if len(values) == 1:
                return values[0]
        return None

    # -- frames --------------------------------------------------------------------------

    def decode(self, frame: PolarFrame, arrival_ns: int) -> list[SamplePacket]:
        """Return the packets that a frame completes."""
        decode = decode_ecg if self._kind == ECG else decode_acc
        samples = decode(frame.kind, frame.content)
        counts_per_unit = self._counts_per_unit(frame.kind)
        if self.spec is not None and not self._is_new:
            _check_scale(counts_per_unit, self.spec.counts_per_unit)
        packet = SamplePacket(self._name, samples, frame.time_ns, arrival_ns, self._restarted)
        fs = self._single(Setting.RATE) or self._found_rate
        if fs is None:
            return self._wait(packet, counts_per_unit)
        self._restarted = False
        self._describe(fs, counts_per_unit)
        return [packet]

    def decode_file(
        self, file: _FetchedRecording, data: bytes, arrival_ns: int
    ) -> list[SamplePacket]:
        """Return the packets that a piece of a recording completes."""
        packets = []
        for frame in file.reader.push(file.frames.push(data)):
            samples = decode_acc(frame.kind, frame.content)
            fs, counts_per_g = file.reader.fs, file.reader.counts_per_g(frame.kind)
            if self.spec is None:
                self.spec = describe_acc(fs, counts_per_g, file.reader.range_g)
            if self.spec.fs != fs or self.spec.counts_per_unit < counts_per_g:
                raise PacketError("settings", "the recording has another rate or a finer scale")
            if self.spec.counts_per_unit > counts_per_g:
                # the error of the conversion is below the resolution of the recording
                ratio = self.spec.counts_per_unit / counts_per_g
                samples = np.rint(samples * ratio).astype(np.int32)
            restarted, file.is_first = file.is_first, False
            packets.append(
                SamplePacket(self._name, samples, frame.time_ns, arrival_ns, restarted, resent=True)
            )
        return packets

    def _counts_per_unit(self, frame_kind: int) -> float:
        if not frame_kind & COMPRESSED:
            return 1000.0  # mg, µV
        if not self._confirmed:
            raise PacketError("settings", "the answer to START, with the factor, is missing")
        factor = self._single(Setting.FACTOR) or 1.0
        return 1 / factor if frame_kind == COMPRESSED else 1000 / factor

    def _describe(self, fs: float, counts_per_unit: float) -> None:
        self._is_new = False
        if self._kind == ECG:
            self.spec = describe_ecg(fs)
            return
        self.spec = describe_acc(fs, counts_per_unit, self._single(Setting.RANGE))

    def _wait(self, packet: SamplePacket, counts_per_unit: float) -> list[SamplePacket]:
        """Keep a packet until the rate is known."""
        waiting = self.waiting
        if waiting:
            _check_scale(counts_per_unit, self._waiting_scale)
        self._waiting_scale = counts_per_unit
        waiting.append(packet)
        pairs = [
            (len(after.samples), ((after.position or 0) - (before.position or 0)) / _NS)
            for before, after in pairwise(waiting)
        ]
        offered = self._offered.get(Setting.RATE, ()) or _RATES[self._kind]
        self._found_rate = find_rate(pairs, offered)
        if self._found_rate is not None:
            packets = list(waiting)
            waiting.clear()
            self._restarted = False
            self._describe(self._found_rate, counts_per_unit)
            return packets
        if len(waiting) > _MAX_WAITING:
            waiting.popleft()
            raise PacketError(
                "settings", "no START in the log, and the times of the frames show no rate"
            )
        return []


def _check_scale(counts_per_unit: float, before: float) -> None:
    """Refuse a frame with another scale than that of the frames before."""
    if counts_per_unit != before:
        raise PacketError("frame_type", "another scale than that of the frames before")
