"""The radio: the computer's own, or another one that a plug-in brings.

A plug-in is an entry point of the group ``twitchsense.radios``. It is called with the
options of the command line and returns an asynchronous context manager, whose value
has ``scanner`` and ``client``: back ends of bleak. So the simulator needs no import here,
and none of ours there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Final

import bleak
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from twitchsense.acquire.device_lock import claim
from twitchsense.devices import v1_frames
from twitchsense.errors import InputError, MissingExtraError, TwitchsenseError

log = logging.getLogger(__name__)

GROUP: Final = "twitchsense.radios"


class RadioError(TwitchsenseError):
    """Bluetooth cannot be used on this computer, now."""


@dataclass(frozen=True)
class Sighting:
    """A device that advertises, or that this computer is connected to already."""

    address: str
    name: str
    rssi: int | None
    device: BLEDevice

    def answers_to(self, wanted: str) -> bool:
        """Tell whether this is its address or name."""
        names = (self.address.casefold(), self.name.casefold())
        return bool(wanted) and wanted.casefold() in names


@dataclass(frozen=True)
class Radio:
    """How to scan and connect.

    Attributes
    ----------
    scanner, client : type or None
        Back ends of bleak; None for those of the platform.
    """

    scanner: Any = None
    client: Any = None

    async def scan(self, seconds: float, wanted: str = "") -> list[Sighting]:
        """Return wearables that are there; at once when `wanted` is among them.

        Parameters
        ----------
        seconds : float
        wanted : str
            Address or name.

        Raises
        ------
        RadioError
        """
        found = {s.address: s for s in await self._connected()}
        seen = asyncio.Event()
        if any(s.answers_to(wanted) for s in found.values()):
            seen.set()

        def note(device: BLEDevice, advertisement: AdvertisementData) -> None:
            if v1_frames.SERVICE not in (u.lower() for u in advertisement.service_uuids):
                return
            name = advertisement.local_name or device.name or ""
            sighting = Sighting(device.address, name, advertisement.rssi, device)
            found[device.address] = sighting
            if sighting.answers_to(wanted):
                seen.set()

        log.info("scanning%s", f" for {wanted}" if wanted else "")
        options: dict[str, Any] = {} if self.scanner is None else {"backend": self.scanner}
        try:
            scanner = BleakScanner(note, **options)
            async with scanner:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(seen.wait(), seconds)
        except Exception as error:  # back ends have errors that nobody has listed
            if not isinstance(error, (BleakError, OSError, EOFError)):
                log.warning("unexpected error of the Bluetooth back end", exc_info=True)
            raise RadioError(
                f"cannot scan for Bluetooth devices: {error}; is there an adapter, and is it on?"
            ) from error
        return sorted(found.values(), key=lambda s: (s.name, s.address))

    async def _connected(self) -> list[Sighting]:
        """Return wearables that the system is connected to.

        Linux keeps the connection of a process that was killed, and a wearable that is
        connected does not advertise: without this it would never be found again.
        """
        adapters = getattr(bleak, "BleakAdapter", None)  # new in bleak 3.1
        if self.scanner is not None or adapters is None:
            return []
        try:
            adapter = await adapters.get()
            devices: list[BLEDevice] = await adapter.get_connected_devices([v1_frames.SERVICE])
        except Exception as error:  # here too; the scan may find them all the same
            log.info("cannot ask for connected devices: %s", error)
            return []
        return [Sighting(d.address, d.name or "", None, d) for d in devices]

    def claim(self, address: str) -> AbstractContextManager[None]:
        """Keep other recorders off a wearable, where the radio is the computer's own.

        Raises
        ------
        InputError
            If it is being recorded already.
        """
        return contextlib.nullcontext() if self.client is not None else claim(address)

    def make_client(self, device: BLEDevice, on_lost: Callable[[], None]) -> BleakClient:
        """Return a fresh client: one that had a broken connection may stay broken.

        Raises
        ------
        RadioError
        """
        options: dict[str, Any] = {} if self.client is None else {"backend": self.client}
        try:
            return BleakClient(device, lambda _: on_lost(), **options)
        except BleakError as error:
            raise RadioError(f"Bluetooth cannot be used now: {error}") from error


@asynccontextmanager
async def open_radio(plugin: str = "", **options: Any) -> AsyncIterator[Radio]:
    """Open the computer's own radio, or the one of a plug-in by name.

    Raises
    ------
    InputError
        If there is no such plug-in.
    MissingExtraError
        If its library is not installed.
    RadioError
        If it can't be opened.
    """
    if not plugin:
        yield Radio()
        return
    found = [e for e in entry_points(group=GROUP) if e.name == plugin]
    if not found:
        raise InputError(plugin, "no such radio", "install twitchsense again, with its extra sim")
    try:
        make = found[0].load()
    except ImportError as error:
        raise MissingExtraError("sim", "the simulated wearable") from error
    async with contextlib.AsyncExitStack() as stack:
        try:
            air = await stack.enter_async_context(make(**options))
        except OSError as error:
            raise RadioError(f"{plugin}: cannot be opened ({error}); is it served?") from error
        yield Radio(air.scanner, air.client)
