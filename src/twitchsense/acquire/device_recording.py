"""What a session does during a connection, and what it is given for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from twitchsense.acquire.adapter import Advertisement
from twitchsense.acquire.connection import Connection
from twitchsense.acquire.frame_queue import FrameQueue
from twitchsense.acquire.status import SessionStatus
from twitchsense.devices.contract import Message
from twitchsense.errors import InputError
from twitchsense.model.channels import NS
from twitchsense.nightfile.records import Device, DeviceSetting, LinkEvent, Record
from twitchsense.nightfile.writer import NightFileWriter

log = logging.getLogger(__name__)

#: Time (s) after the start of a recording in which a wrong option ends it, because the user is
#: there to correct it. Later, the recording goes on with what its file holds.
START_S: Final = 60.0


@dataclass
class RecordingContext:
    """What all recordings use.

    Attributes
    ----------
    address : str
        The device, as in ``--device``.
    session_id : int
        Session id of the night.
    night : NightFileWriter
        Read to resume a night that exists.
    queue : FrameQueue
        Receives notifications and records.
    now_ns : callable
        Returns UTC in ns.
    flush : callable
        Writes the queue, and returns when it is on disk.
    status : SessionStatus
        State and counts.
    settings : mapping of str to str
        What the night file keeps of the device: ``leg``, ``gain``.
    options : mapping of str to str
        Options of drivers.
    device_key : str
        Key of the device in the night file; empty until it is known.
    has_gain : bool
        Whether the gain was stated, now or earlier in the night.
    """

    address: str
    session_id: int
    night: NightFileWriter
    queue: FrameQueue
    now_ns: Callable[[], int]
    flush: Callable[[], Awaitable[None]]
    status: SessionStatus
    settings: Mapping[str, str]
    options: Mapping[str, str]
    device_key: str = ""
    has_gain: bool = False

    def __post_init__(self) -> None:
        self._start_ns = self.now_ns()

    def record(self, record: Record) -> None:
        """Queue a record for the night file."""
        self.queue.put_record(record)

    def record_device(self, device: Device, own_leg: str | None = None) -> None:
        """Queue the record of the device, and what the user said of it.

        What the user states holds for the whole night, so another leg or gain than the night has
        would relabel the data that it already holds.

        Parameters
        ----------
        device : Device
        own_leg : str or None
            Leg that the device states itself.

        Raises
        ------
        InputError
            If the user states another leg or gain than the night has, during the first minute of
            the recording. Later, those of the night are kept, with a warning.
        """
        name = device.name or device.key
        before = self.night.settings(device.key)
        settings = dict(self.settings)
        if any(known.key == device.key for known in self.night.recorded_devices()):
            is_late = self.now_ns() - self._start_ns >= START_S * NS
            _keep_known(name, device.key, {"leg": own_leg or "", **before}, settings, is_late)
        elif own_leg and settings.get("leg", own_leg) != own_leg:
            log.warning(
                "%s says that it is on the %s leg; --leg %s counts; %s",
                name, own_leg, settings["leg"], _cure("leg", device.key, own_leg),
            )  # fmt: skip
        self.device_key = device.key
        self.has_gain = "gain" in settings or "gain" in before
        self.record(device)
        for key, value in settings.items():
            self.record(DeviceSetting(device.key, self.now_ns(), key, value))

    def log_event(self, event: str, detail: str) -> None:
        """Add an event to the connection log of the night file."""
        log.info("%s: %s %s", self.address, event, detail)
        device = self.device_key or self.address
        self.record(LinkEvent(device, self.now_ns(), event, detail))


class DeviceRecording(Protocol):
    """Records one device over any number of connections."""

    async def start(self, connection: Connection, advertisement: Advertisement) -> None:
        """Prepare the device after it was connected, and start its streams.

        Parameters
        ----------
        connection : Connection
        advertisement : Advertisement

        Raises
        ------
        DeviceConnectionError
            If the connection ends, or the device lacks what is needed.
        StartRefusedError, PacketError
            If the device refuses, or describes itself wrongly.
        """
        ...

    async def run(self, connection: Connection, stop: asyncio.Event) -> None:
        """Record until `stop` is set, then stop the device.

        Parameters
        ----------
        connection : Connection
        stop : asyncio.Event

        Raises
        ------
        DeviceConnectionError
            If the connection ends, or no data arrive.
        """
        ...

    def on_message(self, message: Message) -> None:
        """Take a value that passed between host and device; returns at once."""
        ...


def _cure(key: str, device_key: str, value: str) -> str:
    """Return how another leg or gain of a whole night is stated afterwards."""
    if key == "gain":
        return f"analyze --gain {value} states another one for the whole night"
    line = f'legs = {{"{device_key}" = "{value}"}}'
    return f"{line} in a file for analyze --settings states another one for the whole night"


def _keep_known(
    name: str, device_key: str, before: Mapping[str, str], now: dict[str, str], is_late: bool
) -> None:
    """Refuse a leg or gain that differs from that of the night; if it is late, remove it."""
    for key in ("leg", "gain"):
        known, stated = before.get(key, ""), now.get(key, "")
        if not stated or stated == known:
            continue
        if not known:
            log.warning("%s: --%s %s is also valid for what is recorded before", name, key, stated)
        elif is_late:
            log.warning(
                "%s is recorded on with the %s of this night (%s), without --%s %s; %s",
                name, key, known, key, stated, _cure(key, device_key, stated),
            )  # fmt: skip
            del now[key]
        else:
            raise InputError(
                f"--{key}",
                f"is {known} for {name} in this night; with {stated}, the {key} of data already "
                "recorded would change",
                f"leave --{key} out, or record into another --out",
            )
