"""Driver of wearables that implement "twitchsense v1" (docs/protocol.md)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Final

from twitchsense.devices.contract import (
    Abilities,
    Advertised,
    BatteryLevel,
    ButtonPress,
    Decoded,
    Direction,
    Ignored,
    Message,
    PacketError,
    SamplePacket,
    StartRefusedError,
)
from twitchsense.devices.dialogue import Expect, Read, Step, Steps, Subscribe, Write
from twitchsense.devices.framing import FragmentAssembler, PacketErrorReason
from twitchsense.devices.streams import SampleCounter, StreamDescription
from twitchsense.devices.v1 import v1_control, v1_frames
from twitchsense.devices.v1.v1_control import ControlResponse, Opcode, ResponseStatus

#: Token of the requests of a dialogue. Only one is pending at a time.
_TOKEN: Final = 1
#: Session of a start without a recorder (`V1Driver.open`). A recorder chooses its own.
_SESSION: Final = 1


class V1Driver:
    """Driver of twitchsense v1; see `Driver`.

    A recorder that keeps the books of frames itself, and requests missing ones, uses
    `v1_control` in addition.
    """

    kind = "twitchsense"
    title = "twitchsense v1 wearables"
    version = 1
    abilities = Abilities(
        resend="live", while_disconnected="stores", restarts_on=frozenset({"power"})
    )
    typical_streams = (
        StreamDescription("emg", "emg", 2, 1000.0, "uV", 5.0, SampleCounter(None), 0.2,
                   (-6553.6, 6553.4)),
        StreamDescription("acc", "acc", 3, 100.0, "g", 4096.0, SampleCounter(None), 2**-12,
                   (-8.0, 8.0)),
    )  # fmt: skip
    options: Mapping[str, str] = MappingProxyType({})
    poll_period_s = 600.0

    def recognize(self, advertised: Advertised) -> float:
        """Return 1 for a device that advertises the service; see `Driver`."""
        return float(v1_frames.SERVICE_UUID in advertised.service_uuids)

    def open(self, options: Mapping[str, str]) -> Steps:
        """Read the description of the device, subscribe and start; see `Driver`."""
        yield Read(v1_frames.INFO_UUID)
        yield Subscribe(v1_frames.CONTROL_UUID)
        yield from _request(v1_control.encode_clock(_TOKEN))
        yield Subscribe(v1_frames.DATA_UUID)
        answer = yield from _request(v1_control.encode_start(_TOKEN, _SESSION, take_over=False))
        if answer.status is ResponseStatus.OTHER_SESSION:
            answer = yield from _request(v1_control.encode_start(_TOKEN, _SESSION, take_over=True))
        if answer.status is not ResponseStatus.OK:
            raise StartRefusedError(
                f"the wearable does not start ({answer.status.name}); switch it off and on"
            )

    def poll(self) -> Steps:
        """Read clock and battery; see `Driver`."""
        yield from _request(v1_control.encode_clock(_TOKEN))
        yield Read(v1_frames.BATTERY_UUID, optional=True)

    def close(self) -> Steps:
        """Stop; see `Driver`."""
        yield from _request(v1_control.encode_stop(_TOKEN, _SESSION))

    def make_decoder(self) -> V1Decoder:
        """Return a new decoder; see `Driver`."""
        return V1Decoder()


def _request(data: bytes) -> Generator[Step, bytes | None, ControlResponse]:
    """Write a request; return its answer."""
    yield Write(v1_frames.CONTROL_UUID, data)
    answer = yield Expect(v1_frames.CONTROL_UUID, v1_control.response_prefix(data))
    return v1_control.decode_response(answer or b"")


class V1Decoder:
    """Decoder of twitchsense v1; see `Decoder`.

    The position of a packet is the index of its first sample on the device's sampling grid,
    which never wraps: every loss is known exactly.
    """

    def __init__(self) -> None:
        self._info: v1_frames.DeviceInfo | None = None
        self._specs: dict[int, StreamDescription] = {}
        self._assembler = FragmentAssembler()
        self._boot: int | None = None
        self._ticks: int | None = None
        self._restarted: set[str] = set()

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """Streams of the device; empty until its *info* was read."""
        return tuple(self._specs.values())

    def push(self, message: Message) -> list[Decoded]:
        """Decode one value; see `Decoder`."""
        if message.direction is Direction.WRITE:
            return []
        match message.characteristic:
            case v1_frames.INFO_UUID:
                self._info = v1_frames.decode_info(message.data)
                self._specs = _stream_specs(self._info)
            case v1_frames.BATTERY_UUID:
                return [_battery_level(message)]
            case v1_frames.CONTROL_UUID:
                self._read_clock(v1_control.decode_response(message.data))
            case v1_frames.DATA_UUID:
                data = self._assembler.push(message.data)
                if data is not None:
                    return self._decode_frame(data, message.arrival_ns)
            case _:
                return [Ignored("characteristic")]
        return []

    def _read_clock(self, response: ControlResponse) -> None:
        """Take the full tick count, of which frames hold 32 bits."""
        if response.op is Opcode.CLOCK and response.clock is not None and self._ticks is None:
            self._ticks = response.clock[0]

    def _decode_frame(self, data: bytes, arrival_ns: int) -> list[Decoded]:
        if self._info is None:
            raise PacketError(
                PacketErrorReason.INFO, "a frame before the info characteristic was read"
            )
        frame = v1_frames.decode_frame(data, self._info)
        if self._boot is not None and frame.boot != self._boot:
            self._restarted = {spec.name for spec in self.streams}
            self._ticks = None
        near = frame.ticks if self._ticks is None else self._ticks
        ticks = v1_frames.unwrap_ticks(frame.ticks, near)
        if frame.type == v1_frames.MARKER_TYPE:
            first = next(iter(self._info.streams))
            position = ticks * first.rate_mhz // (1000 * self._info.tick_hz)
            self._boot, self._ticks = frame.boot, ticks
            name = self._specs[first.id].name if first.id in self._specs else ""
            return [ButtonPress(name, position, arrival_ns)]
        stream = self._info.stream_by_id[frame.type]
        position = self._info.sample_index(stream, ticks)
        self._boot, self._ticks = frame.boot, ticks
        spec = self._specs.get(stream.id)
        if spec is None:
            return [Ignored("measurement")]  # a kind of stream that a later version defines
        restarted = spec.name in self._restarted
        self._restarted.discard(spec.name)
        return [
            SamplePacket(spec.name, frame.samples, position, arrival_ns, restarted, frame.replayed)
        ]


def _stream_specs(info: v1_frames.DeviceInfo) -> dict[int, StreamDescription]:
    """Return the streams of known kind, by stream id."""
    specs: dict[int, StreamDescription] = {}
    names: set[str] = set()
    for stream in info.streams:
        if stream.kind is None:
            continue
        name = stream.kind if stream.kind not in names else f"{stream.kind}{stream.id}"
        names.add(name)
        per_count = 1e3 if stream.kind == "emg" else 1e6
        gain = 32768 * per_count / stream.full_scale
        specs[stream.id] = StreamDescription(
            name,
            stream.kind,
            stream.width,
            stream.fs,
            "uV" if stream.kind == "emg" else "g",
            gain,
            SampleCounter(None),
            1 / gain,
            (-32768 / gain, 32767 / gain),
        )
    return specs


def _battery_level(message: Message) -> BatteryLevel:
    if len(message.data) != 1 or message.data[0] > 100:
        raise PacketError(
            PacketErrorReason.BATTERY, f"{message.data[:8].hex()} is not a percentage"
        )
    return BatteryLevel(message.data[0], message.arrival_ns)
