"""Notifications between the radio's callback and the disk: stamped, in order, bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from twitchsense.devices.fragments import Assembler
from twitchsense.devices.packet import PacketError
from twitchsense.devices.v1_frames import Frame, Info, decode_frame
from twitchsense.nightfile.records import Boot, Damaged, Packet, Record

#: Half an hour of usual traffic: a disk that is stuck longer is an error to be seen.
LIMIT: Final = 40_000


@dataclass
class Lane:
    """One connection, as the decoder needs it.

    Attributes
    ----------
    next : int
        Number the device's next frame will have, as far as we know.
    """

    info: Info
    boot: Boot
    next: int
    on_stored: Callable[[Stored], None]
    assembler: Assembler = field(default_factory=Assembler)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One notification."""

    lane: Lane
    arrival_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A frame that is on disk."""

    lane: Lane
    frame: Frame
    arrival_ns: int


class Inbox:
    """What came and is not on disk yet. Used by the event loop alone.

    Attributes
    ----------
    held : int
        Items that were taken and wait for the disk: they count too.
    overflows : int
        Notifications turned away because it was full. They are asked for again.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.held = 0
        self.overflows = 0
        self._items: list[Arrival | Record] = []

    def put(self, item: Arrival) -> None:
        """Take a notification, if there is room."""
        if len(self._items) + self.held >= self.limit:
            self.overflows += 1
            return
        self._items.append(item)

    def note(self, record: Record) -> None:
        """Take a record; those are few, and there is always room."""
        self._items.append(record)

    def take(self) -> list[Arrival | Record]:
        """Return everything, and be empty."""
        items, self._items = self._items, []
        return items


def decode(items: list[Arrival | Record]) -> tuple[list[Record], list[Stored]]:
    """Turn what came into records for the night file.

    Returns
    -------
    records : list of Record
    frames : list of Stored
        Those of the records that are frames.
    """
    records: list[Record] = []
    frames: list[Stored] = []
    for item in items:
        if not isinstance(item, Arrival):
            records.append(item)
            continue
        lane = item.lane
        try:
            whole = lane.assembler.push(item.data)
            if whole is None:
                continue
            frame = decode_frame(whole, lane.info)
        except PacketError as error:
            records.append(Damaged(lane.boot.device, item.arrival_ns, error.reason, item.data))
            continue
        if frame.boot != lane.boot.count & 0xFF:
            records.append(Damaged(lane.boot.device, item.arrival_ns, "boot", whole))
            continue
        if frame.seq >= lane.next + LIMIT:
            # believing it would make us wait for frames that will not exist for hours
            records.append(Damaged(lane.boot.device, item.arrival_ns, "sequence", whole))
            continue
        lane.next = max(lane.next, frame.seq + 1)
        records.append(Packet(lane.boot, frame.seq, item.arrival_ns, whole))
        frames.append(Stored(lane, frame, item.arrival_ns))
    return records, frames
