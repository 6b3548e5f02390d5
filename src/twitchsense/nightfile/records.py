"""What a night file holds, one type for each kind of row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """A wearable, as it described itself."""

    key: str
    address: str
    name: str
    serial: str
    firmware: str
    info: bytes


@dataclass(frozen=True, slots=True)
class Boot:
    """One life of a device's counters."""

    device: str
    count: int


@dataclass(frozen=True, slots=True)
class Start:
    """The first frame of a boot that belongs to this night."""

    boot: Boot
    seq: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class Packet:
    """A frame that came, byte for byte."""

    boot: Boot
    seq: int
    arrival_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A device's tick counter, asked for and answered between two host times."""

    boot: Boot
    ticks: int
    sent_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class Loss:
    """Frames that will never come; `last` is None where nobody knows how many."""

    boot: Boot
    first: int
    last: int | None
    reason: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """What happened to the connection."""

    device: str
    time_ns: int
    event: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Battery:
    """What is left in a device's battery, as it says."""

    device: str
    time_ns: int
    percent: int


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment someone wanted to remember."""

    time_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """Bytes that were no frame, and why."""

    device: str
    time_ns: int
    reason: str
    data: bytes


Record = Device | Start | Packet | ClockReading | Loss | LinkEvent | Battery | Marker | Damaged
