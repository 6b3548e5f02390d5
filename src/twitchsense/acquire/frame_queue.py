"""Queue of notifications between the Bluetooth callback and the disk, and their decoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from twitchsense.devices.contract import PacketError
from twitchsense.devices.framing import FragmentAssembler
from twitchsense.devices.v1_frames import DeviceInfo, Frame, decode_frame
from twitchsense.nightfile.records import Boot, DamagedFrame, Packet, Record

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


class FrameQueue:
    """Notifications and records that are not on disk yet. Used by the event loop only.

    Parameters
    ----------
    limit : int
        Maximum number of items, those being written included.

    Attributes
    ----------
    n_uncommitted : int
        Items that were taken from the queue but are not on disk yet; they count as queued.
    n_overflows : int
        Notifications dropped because the queue was full. Their frames are requested again.
    """

    def __init__(self, limit: int = MAX_QUEUED) -> None:
        self.limit = limit
        self.n_uncommitted = 0
        self.n_overflows = 0
        self._items: list[Notification | Record] = []

    def put(self, notification: Notification) -> None:
        """Append a notification, or drop it if the queue is full."""
        if len(self._items) + self.n_uncommitted >= self.limit:
            self.n_overflows += 1
            return
        self._items.append(notification)

    def put_record(self, record: Record) -> None:
        """Append a record. Records are few and never dropped."""
        self._items.append(record)

    def drain(self) -> list[Notification | Record]:
        """Return all items and empty the queue."""
        items, self._items = self._items, []
        return items


def decode_notifications(
    items: list[Notification | Record],
) -> tuple[list[Record], list[StoredFrame]]:
    """Convert queued items to records of the night file.

    Parameters
    ----------
    items : list of Notification or Record
        In order of arrival. Records are passed on unchanged.

    Returns
    -------
    records : list of Record
        Records to write: valid frames, damaged notifications, and the given records.
    frames : list of StoredFrame
        The records that are valid frames, decoded.
    """
    records: list[Record] = []
    frames: list[StoredFrame] = []
    for item in items:
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
        frames.append(StoredFrame(source, frame, item.arrival_ns))
    return records, frames
