"""What a session does during a connection, and what it is given for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from twitchsense.acquire.adapter import Advertisement
from twitchsense.acquire.connection import Connection
from twitchsense.acquire.frame_queue import FrameQueue
from twitchsense.acquire.status import SessionStatus
from twitchsense.devices.contract import Message
from twitchsense.errors import InputError
from twitchsense.nightfile.records import Device, DeviceSetting, LinkEvent, Record
from twitchsense.nightfile.writer import NightFileWriter

log = logging.getLogger(__name__)


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

    def record(self, record: Record) -> None:
        """Queue a record for the night file."""
        self.queue.put_record(record)

    def record_device(self, device: Device, own_leg: str | None = None) -> None:
        """Queue the record of the device, and what the user said of it.

        Parameters
        ----------
        device : Device
        own_leg : str or None
            Leg that the device states itself.

        Raises
        ------
        InputError
            If the night holds data of the device with another leg or gain: what is stated is
            valid for the whole night, so that these data would be relabelled.
        """
        name = device.name or device.key
        before = self.night.settings(device.key)
        if any(known.key == device.key for known in self.night.recorded_devices()):
            _refuse_changes(name, {"leg": own_leg or "", **before}, self.settings)
        self.device_key = device.key
        self.has_gain = "gain" in self.settings or "gain" in before
        self.record(device)
        for key, value in self.settings.items():
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


def _refuse_changes(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Raise `InputError` if a leg or gain differs from the one that the night has."""
    for key in ("leg", "gain"):
        known, stated = before.get(key, ""), now.get(key, "")
        if not stated or stated == known:
            continue
        if known:
            raise InputError(
                f"--{key}",
                f"is {known} for {name} in this night; with {stated}, the {key} of data already "
                "recorded would change",
                f"leave --{key} out, or record into another --out",
            )
        log.warning("%s: --%s %s is also valid for what is recorded before", name, key, stated)
