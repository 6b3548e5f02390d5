"""Queue of what was received, between the Bluetooth callback and the disk, and its decoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from twitchsense.acquire.sample_decoder import SampleDecoder
from twitchsense.devices.contract import Message, PacketError, SamplePacket
from twitchsense.devices.framing import FragmentAssembler
from twitchsense.devices.streams import StreamDescription
from twitchsense.devices.v1.v1_frames import DeviceInfo, Frame, decode_frame
from twitchsense.nightfile.records import (
    BatteryReading,
    Boot,
    ConnectionStart,
    DamagedFrame,
    Packet,
    Record,
    Value,
)

#: Maximum number of queued items, about 30 min of usual traffic. A disk that is stuck for longer
#: is an error that must be reported.
MAX_QUEUED: Final = 40_000


@dataclass
class FrameSource:
    """The connection that notifications come from, with the state of its decoder.

    Attributes
    ----------
    info : DeviceInfo
        Streams of the device.
    boot : Boot
        Device and boot count.
    next_seq : int
        Sequence number expected for the next new frame.
    on_stored : callable
        Called with each `StoredFrame` after it was committed.
    assembler : FragmentAssembler
        Reassembles fragmented frames.
    """

    info: DeviceInfo
    boot: Boot
    next_seq: int
    on_stored: Callable[[StoredFrame], None]
    assembler: FragmentAssembler = field(default_factory=FragmentAssembler)


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification of the data characteristic, with its arrival (UTC, ns)."""

    source: FrameSource
    arrival_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A decoded frame that is on disk, with its arrival (UTC, ns)."""

    source: FrameSource
    frame: Frame
    arrival_ns: int


@dataclass
class ValueSource:
    """The connection that values come from, with the decoder of its device.

    Attributes
    ----------
    connection : ConnectionStart
    decoder : SampleDecoder
    on_stored : callable
        Called with each `StoredPacket` after it was committed.
    settings : mapping of str to str
        What the user said of the device: ``leg``, ``gain``.
    """

    connection: ConnectionStart
    decoder: SampleDecoder
    on_stored: Callable[[StoredPacket], None]
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReceivedValue:
    """A value that passed between host and device, with its number in the connection."""

    source: ValueSource
    number: int
    message: Message


@dataclass(frozen=True, slots=True)
class StoredPacket:
    """Samples of a value that is on disk, with their stream."""

    source: ValueSource
    stream: StreamDescription
    packet: SamplePacket


#: What is given to the consumers of samples after a commit.
Stored = StoredFrame | StoredPacket
#: What waits for the next commit.
Item = Notification | ReceivedValue | Record


class FrameQueue:
    """What was received, and records, that are not on disk yet. Used by the event loop only.

    Parameters
    ----------
    limit : int
        Maximum number of items, those being written included.

    Attributes
    ----------
    n_uncommitted : int
        Items that were taken from the queue but are not on disk yet; they count as queued.
    n_overflows : int
        Notifications dropped because the queue was full. Frames are requested again; the
        values of devices that do not resend are lost.
    """

    def __init__(self, limit: int = MAX_QUEUED) -> None:
        self.limit = limit
        self.n_uncommitted = 0
        self.n_overflows = 0
        self._items: list[Item] = []

    def put(self, received: Notification | ReceivedValue) -> None:
        """Append what was received, or drop it if the queue is full."""
        if len(self._items) + self.n_uncommitted >= self.limit:
            self.n_overflows += 1
            return
        self._items.append(received)

    def put_record(self, record: Record) -> None:
        """Append a record. Records are few and never dropped."""
        self._items.append(record)

    def drain(self) -> list[Item]:
        """Return all items and empty the queue."""
        items, self._items = self._items, []
        return items


def decode_notifications(
    items: list[Item],
) -> tuple[list[Record], list[Stored]]:
    """Convert queued items to records of the night file.

    Parameters
    ----------
    items : list of Notification, ReceivedValue or Record
        In order of arrival. Records are passed on unchanged.

    Returns
    -------
    records : list of Record
        Records to write: valid frames, damaged notifications, values, battery levels, and the
        given records.
    stored : list of StoredFrame or StoredPacket
        The samples in them.
    """
    records: list[Record] = []
    stored: list[Stored] = []
    for item in items:
        if isinstance(item, ReceivedValue):
            _decode_value(item, records, stored)
            continue
        if not isinstance(item, Notification):
            records.append(item)
            continue
        source = item.source
        device = source.boot.device
        try:
            data = source.assembler.push(item.data)
            if data is None:
                continue
            frame = decode_frame(data, source.info)
        except PacketError as error:
            records.append(DamagedFrame(device, item.arrival_ns, error.reason, item.data))
            continue
        if frame.boot != source.boot.count & 0xFF:
            records.append(DamagedFrame(device, item.arrival_ns, "boot", data))
            continue
        if frame.seq >= source.next_seq + MAX_QUEUED:
            # an implausible number would declare all frames in between as missing
            records.append(DamagedFrame(device, item.arrival_ns, "sequence", data))
            continue
        source.next_seq = max(source.next_seq, frame.seq + 1)
        records.append(Packet(source.boot, frame.seq, item.arrival_ns, data))
        stored.append(StoredFrame(source, frame, item.arrival_ns))
    return records, stored


def _decode_value(item: ReceivedValue, records: list[Record], stored: list[Stored]) -> None:
    source, message = item.source, item.message
    records.append(
        Value(
            source.connection,
            item.number,
            message.characteristic,
            str(message.direction),
            message.arrival_ns,
            message.data,
        )
    )
    battery = source.decoder.battery
    for stream, packet in source.decoder.push(message):
        stored.append(StoredPacket(source, stream, packet))
    if source.decoder.battery not in (None, battery):
        records.append(
            BatteryReading(
                source.connection.device, message.arrival_ns, int(source.decoder.battery or 0)
            )
        )
