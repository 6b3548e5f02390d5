"""The rows that are written to a night file, one class for each table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """A wearable, by its own description (table ``device``).

    Attributes
    ----------
    key : str
        Identifies the device in the file.
    address : str
        Bluetooth address.
    name, serial, firmware : str
    info : bytes
        Its *info* characteristic (docs/protocol.md); empty for a device of another protocol.
    """

    key: str
    address: str
    name: str
    serial: str
    firmware: str
    info: bytes


@dataclass(frozen=True, slots=True)
class Boot:
    """One boot of a device (table ``boot``): its counters run from boot to boot.

    Attributes
    ----------
    device : str
        Key of the device.
    count : int
        Boot count.
    """

    device: str
    count: int


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """The first frame of a boot that belongs to the night (table ``start``)."""

    boot: Boot
    seq: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class Packet:
    """A frame, byte for byte as received (table ``packet``).

    Attributes
    ----------
    boot : Boot
    seq : int
        Sequence number.
    arrival_ns : int
        UTC of the arrival.
    data : bytes
    """

    boot: Boot
    seq: int
    arrival_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ConnectionStart:
    """A connection to a device of which every value is stored (table ``connection``).

    Attributes
    ----------
    device : str
        Key of the device.
    time_ns : int
        UTC at which it was connected; unique for a device.
    driver : str
        Kind of the driver.
    version : int
        Version of the driver.
    """

    device: str
    time_ns: int
    driver: str
    version: int


@dataclass(frozen=True, slots=True)
class Value:
    """A value that was notified, read or written, byte for byte (table ``value``).

    Attributes
    ----------
    connection : ConnectionStart
    number : int
        Number in the connection, counted by the host. A missing number is a value that the
        host could not store.
    characteristic : str
        Full UUID in lower case.
    direction : str
        ``notify``, ``read`` or ``write``.
    arrival_ns : int
        UTC of the arrival, or of the write.
    data : bytes
    """

    connection: ConnectionStart
    number: int
    characteristic: str
    direction: str
    arrival_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class DeviceSetting:
    """What the user said of a device, such as its leg (table ``device_setting``).

    The latest setting of a key is valid for the whole night. The recorder therefore refuses
    to change the leg or the gain of a device of which the night holds data.
    """

    device: str
    time_ns: int
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A reading of a device's tick counter (table ``clock``).

    Attributes
    ----------
    boot : Boot
    ticks : int
        Since boot.
    sent_ns, received_ns : int
        UTC of the request and of the response.
    """

    boot: Boot
    ticks: int
    sent_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class HostClockReading:
    """The clocks of recorder and computer at one time (table ``host_clock``).

    Attributes
    ----------
    time_ns : int
        UTC by the clock of the recorder, which is that of all arrivals and is never set.
    wall_ns : int
        UTC by the clock of the computer.
    ticks_ns : int
        Time since the start of the computer.
    boot : str
        Identifies the boot of the computer; empty if that is unknown.
    """

    time_ns: int
    wall_ns: int
    ticks_ns: int
    boot: str


@dataclass(frozen=True, slots=True)
class Loss:
    """Frames that will never arrive (table ``loss``).

    Attributes
    ----------
    boot : Boot
    first : int
        Sequence number of the first frame.
    last : int or None
        Sequence number of the last frame; None if their number is unknown.
    reason : str
    time_ns : int
        UTC at which they were given up.
    """

    boot: Boot
    first: int
    last: int | None
    reason: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """A change of a device's connection (table ``link``)."""

    device: str
    time_ns: int
    event: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BatteryReading:
    """The battery level that a device reports (table ``battery``)."""

    device: str
    time_ns: int
    percent: int


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment that someone marked, with a text (table ``marker``)."""

    time_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class DamagedFrame:
    """Received bytes that are not a valid frame, and the reason (table ``damaged``)."""

    device: str
    time_ns: int
    reason: str
    data: bytes


Record = (
    Device
    | FirstFrame
    | Packet
    | ConnectionStart
    | Value
    | DeviceSetting
    | ClockReading
    | HostClockReading
    | Loss
    | LinkEvent
    | BatteryReading
    | Marker
    | DamagedFrame
)
