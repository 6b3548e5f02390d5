"""Decoder of Movesense's GATT SensorData protocol."""

from __future__ import annotations

from typing import Final

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
from twitchsense.devices.movesense.movesense_log import LoggedPayload, LogReader
from twitchsense.devices.movesense.movesense_packets import (
    PartJoiner,
    Subscription,
    parse_path,
    payload_time,
)
from twitchsense.devices.streams import MS2_PER_G, SampleClock, StreamDescription

WRITE_UUID: Final = "34800001-7185-4d5d-b431-630e7050e8f0"
NOTIFY_UUID: Final = "34800002-7185-4d5d-b431-630e7050e8f0"
BATTERY_UUID: Final = full_uuid(0x2A19)

#: Commands.
SUBSCRIBE: Final = 1
UNSUBSCRIBE: Final = 2
FETCH_LOG: Final = 3
GET: Final = 4
SET_LOGGED: Final = 6
SET_LOGGER_STATE: Final = 9
#: Messages of the sensor, and the status of a command that was carried out.
RESPONSE: Final = 1
SUCCESS: Final = 200
DATA: Final = 2
_DATA_PART2: Final = 3

#: One count of ECG is 50 / 2**17 mV.
_COUNTS_PER_MV: Final = 2**17 / 50
#: The accelerometer keeps its rate to some per cent only.
_FS_TOLERANCE: Final = 0.03


def describe_stream(subscription: Subscription, count: int | None) -> StreamDescription:
    """Describe a stream.

    Parameters
    ----------
    subscription : Subscription
    count : int or None
        Samples of every packet, if known.
    """
    clock = SampleClock(1000, "first", 2**32, samples_per_packet=count)
    if subscription.stream == "acc":
        return StreamDescription(
            name="acc",
            kind="acc",
            width=3,
            fs=subscription.fs,
            unit="g",
            counts_per_unit=MS2_PER_G,
            timing=clock,
            # ±8 g in 16 bits, the usual range; the packets hold floating-point numbers
            resolution=8 / 32768,
            fs_tolerance=_FS_TOLERANCE,
        )
    counts_per_mv = 1000.0 if subscription.in_mv else _COUNTS_PER_MV
    return StreamDescription(
        name="ecg",
        kind="ecg",
        width=1,
        fs=subscription.fs,
        unit="mV",
        counts_per_unit=counts_per_mv,
        timing=clock,
        resolution=1 / counts_per_mv,
        fs_tolerance=_FS_TOLERANCE,
    )


class _Channel:
    """A subscription of acceleration or ECG, with its payloads."""

    def __init__(self, subscription: Subscription, restarted: bool) -> None:
        self.subscription = subscription
        self.joiner = PartJoiner(subscription)
        self.restarted = restarted
        #: Whether the host ended it; some packets may still arrive.
        self.is_ended = False

    def decode(self, payload: bytes, arrival_ns: int) -> SamplePacket:
        """Return the packet of a payload."""
        samples = self.subscription.decode(payload, self.joiner.count or 0)
        restarted, self.restarted = self.restarted, False
        stream, position = self.subscription.stream, payload_time(payload)
        return SamplePacket(stream, samples, position, arrival_ns, restarted)


class _FetchedLog:
    """A log that is fetched."""

    def __init__(self) -> None:
        self.reader = LogReader()
        self._seen: set[str] = set()

    def packet(self, found: LoggedPayload, arrival_ns: int) -> SamplePacket:
        """Return the packet of a payload; the first one of each stream begins a log."""
        is_first = found.stream not in self._seen
        self._seen.add(found.stream)
        return SamplePacket(
            found.stream, found.samples, found.time_ms, arrival_ns, is_first, resent=True
        )


class MovesenseDecoder:
    """Decoder of Movesense sensors; see `Decoder`.

    Streams and rates are taken from the commands SUBSCRIBE, and those of a log in the sensor's
    memory from the command that says what is logged: without them, nothing can be decoded.
    Reasons of refusals: ``battery``, ``command``, ``descriptor``, ``length``, ``log``,
    ``message``, ``part``, ``subscription``, ``value``.
    """

    def __init__(self) -> None:
        self._channels: dict[int, _Channel] = {}
        #: Subscriptions that wait for the sensor's answer, with what the reference meant before.
        self._unanswered: dict[int, tuple[_Channel, _Channel | None]] = {}
        #: References of other commands and of other measurements.
        self._others: set[int] = set()
        self._owners: dict[str, int] = {}
        #: What the sensor logs, and the logs that are fetched, by reference.
        self._logged: dict[str, Subscription] = {}
        self._logs: dict[int, _FetchedLog] = {}
        self._specs: dict[str, StreamDescription] = {}

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """Streams of which a packet was decoded."""
        return tuple(self._specs.values())

    def push(self, message: Message) -> list[Decoded]:
        """Decode one value; see `Decoder`."""
        uuid, data = message.characteristic, message.data
        if uuid == WRITE_UUID:
            self._command(data)
        elif message.direction is Direction.WRITE:
            return []
        elif uuid == NOTIFY_UUID:
            return self._notification(data, message.arrival_ns)
        elif uuid == BATTERY_UUID:
            if len(data) != 1 or data[0] > 100:
                raise PacketError("battery", f"{data[:8].hex()} is not a percentage")
            return [BatteryLevel(data[0], message.arrival_ns)]
        else:
            return [Ignored("characteristic")]
        return []

    # -- commands ------------------------------------------------------------------------

    def _command(self, data: bytes) -> None:
        if len(data) < 2:
            raise PacketError("command", f"{len(data)} bytes")
        code, reference = data[0], data[1]
        if code == SUBSCRIBE:
            try:
                subscription = parse_path(data[2:].decode("ascii"))
            except UnicodeDecodeError as error:
                raise PacketError("command", "the path is not ASCII text") from error
            self._subscribe(reference, subscription)
        elif code == UNSUBSCRIBE:
            self._unanswered.pop(reference, None)
            if reference in self._channels:
                self._channels[reference].is_ended = True
        else:
            self._others.add(reference)
            self._logs.pop(reference, None)
            if code == FETCH_LOG:
                self._logs[reference] = _FetchedLog()
            elif code == SET_LOGGED:
                paths = data[2:].decode("ascii", "replace").split("\0")
                logged = [s for s in map(parse_path, paths) if s is not None]
                self._logged = {s.stream: s for s in logged}

    def _subscribe(self, reference: int, subscription: Subscription | None) -> None:
        if subscription is None:
            self._channels.pop(reference, None)
            self._unanswered.pop(reference, None)
            self._others.add(reference)
            return
        before = self._channels.get(reference)
        channel = _Channel(subscription, subscription.stream in self._specs)
        self._unanswered[reference] = channel, before
        if before is None or before.is_ended or before.subscription != subscription:
            self._channels[reference] = channel
        # else the sensor may refuse: then packets go on as before

    def _answer(self, reference: int, payload: bytes) -> None:
        if reference not in self._unanswered or len(payload) < 2:
            return
        channel, before = self._unanswered.pop(reference)
        if int.from_bytes(payload[:2], "little") == SUCCESS:
            self._channels[reference] = channel
        elif before is not None and not before.is_ended:
            self._channels[reference] = before

    # -- data ----------------------------------------------------------------------------

    def _notification(self, data: bytes, arrival_ns: int) -> list[Decoded]:
        if len(data) < 2:
            raise PacketError("length", f"{len(data)} bytes")
        code, reference, payload = data[0], data[1], data[2:]
        if code == RESPONSE:
            self._answer(reference, payload)
            return []
        if code not in (DATA, _DATA_PART2):
            raise PacketError("message", f"a message of type {code}")
        if reference in self._logs:
            return [*self._read_log(self._logs[reference], payload, arrival_ns)]
        channel = self._channels.get(reference)
        if channel is None:
            if reference in self._others:
                return [Ignored("measurement")]
            raise PacketError("subscription", f"no SUBSCRIBE with the reference {reference}")
        self._check_owner(reference, channel.subscription.stream)
        take = channel.joiner.begin if code == DATA else channel.joiner.extend
        packets = [channel.decode(*complete) for complete in take(payload, arrival_ns)]
        if packets:
            stream = channel.subscription.stream
            self._specs[stream] = describe_stream(channel.subscription, channel.joiner.count)
        return [*packets]

    def _read_log(self, log: _FetchedLog, payload: bytes, arrival_ns: int) -> list[SamplePacket]:
        """Return the samples in a piece of a log: its place in the log (4 bytes), and its bytes."""
        if len(payload) < 4:
            raise PacketError("length", f"a piece of a log of {len(payload)} bytes")
        packets = []
        for found in log.reader.push(int.from_bytes(payload[:4], "little"), payload[4:]):
            logged = self._logged.get(found.stream)
            if logged is None or logged.in_mv != found.in_mv:
                raise PacketError("subscription", f"it is not known at what rate {found.stream} is")
            spec = describe_stream(logged, len(found.samples))
            before = self._specs.setdefault(found.stream, spec)
            if (before.fs, before.counts_per_unit) != (spec.fs, spec.counts_per_unit):
                raise PacketError("subscription", f"the log of {found.stream} has other settings")
            packets.append(log.packet(found, arrival_ns))
        return packets

    def _check_owner(self, reference: int, stream: str) -> None:
        """Refuse a second subscription of a stream while the first one goes on."""
        owner = self._owners.setdefault(stream, reference)
        if owner == reference:
            return
        first = self._channels.get(owner)
        if first is not None and not first.is_ended and first.subscription.stream == stream:
            raise PacketError("subscription", f"{stream} is subscribed to twice")
        self._owners[stream] = reference
