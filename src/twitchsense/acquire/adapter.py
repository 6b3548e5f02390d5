"""The Bluetooth adapter: of this computer, or one that a plug-in provides.

A plug-in is an entry point of the group ``twitchsense.radios``. It is called with the options
of the command line and returns an asynchronous context manager, whose value has the attributes
``scanner`` and ``client``: back ends of bleak. The simulator is found this way, so that neither
package imports the other.
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

from twitchsense.acquire.device_lock import lock_device
from twitchsense.devices import v1_frames
from twitchsense.errors import InputError, MissingExtraError, TwitchsenseError

log = logging.getLogger(__name__)

ENTRY_POINT_GROUP: Final = "twitchsense.radios"


class AdapterError(TwitchsenseError):
    """Bluetooth cannot be used on this computer at the moment."""


@dataclass(frozen=True)
class Advertisement:
    """A device that advertises, or that this computer is already connected to.

    Attributes
    ----------
    address, name : str
        Bluetooth address (a UUID on macOS) and advertised name.
    rssi : int or None
        Received signal strength (dBm); None for a device that is already connected.
    device : BLEDevice
        The device as bleak describes it.
    """

    address: str
    name: str
    rssi: int | None
    device: BLEDevice

    def matches(self, wanted: str) -> bool:
        """Return whether `wanted` is the address or name, ignoring case."""
        names = (self.address.casefold(), self.name.casefold())
        return bool(wanted) and wanted.casefold() in names


@dataclass(frozen=True)
class Adapter:
    """Scans for wearables and creates clients that connect to them.

    Attributes
    ----------
    scanner, client : type or None
        Back ends of bleak; None selects those of the platform.
    """

    scanner: Any = None
    client: Any = None

    async def scan(self, timeout_s: float, wanted: str = "") -> list[Advertisement]:
        """Find wearables.

        Parameters
        ----------
        timeout_s : float
            Duration of the scan (s).
        wanted : str, optional
            Address or name: the scan ends as soon as this device is found.

        Returns
        -------
        list of Advertisement
            Devices that offer the twitchsense service, sorted by name.

        Raises
        ------
        AdapterError
            If the platform cannot scan.
        """
        found = {a.address: a for a in await self._connected_devices()}
        wanted_found = asyncio.Event()
        if any(a.matches(wanted) for a in found.values()):
            wanted_found.set()

        def on_advertisement(device: BLEDevice, data: AdvertisementData) -> None:
            if v1_frames.SERVICE_UUID not in (u.lower() for u in data.service_uuids):
                return
            name = data.local_name or device.name or ""
            advertisement = Advertisement(device.address, name, data.rssi, device)
            found[device.address] = advertisement
            if advertisement.matches(wanted):
                wanted_found.set()

        log.info("scanning%s", f" for {wanted}" if wanted else "")
        options: dict[str, Any] = {} if self.scanner is None else {"backend": self.scanner}
        try:
            scanner = BleakScanner(on_advertisement, **options)
            async with scanner:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wanted_found.wait(), timeout_s)
        except Exception as error:  # back ends raise undocumented errors
            if not isinstance(error, (BleakError, OSError, EOFError)):
                log.warning("unexpected error of the Bluetooth back end", exc_info=True)
            raise AdapterError(
                f"cannot scan for Bluetooth devices: {error}; is there an adapter, and is it on?"
            ) from error
        return sorted(found.values(), key=lambda a: (a.name, a.address))

    async def _connected_devices(self) -> list[Advertisement]:
        """Return wearables that the operating system is already connected to.

        Linux keeps the connection of a process that was killed, and a connected wearable does
        not advertise: a scan alone would never find it again.
        """
        adapters = getattr(bleak, "BleakAdapter", None)  # since bleak 3.1
        if self.scanner is not None or adapters is None:
            return []
        try:
            adapter = await adapters.get()
            devices: list[BLEDevice] = await adapter.get_connected_devices([v1_frames.SERVICE_UUID])
        except Exception as error:  # undocumented errors again; the scan may still succeed
            log.info("cannot list the connected devices: %s", error)
            return []
        return [Advertisement(d.address, d.name or "", None, d) for d in devices]

    def lock(self, address: str) -> AbstractContextManager[None]:
        """Prevent other recorders from using a wearable.

        A plug-in's adapter needs no lock: only its own process can reach its devices.

        Parameters
        ----------
        address : str
            Bluetooth address of the wearable.

        Returns
        -------
        context manager
            Holds the lock until it exits.

        Raises
        ------
        InputError
            On entry, if the wearable is already being recorded.
        """
        return contextlib.nullcontext() if self.client is not None else lock_device(address)

    def make_client(self, device: BLEDevice, on_lost: Callable[[], None]) -> BleakClient:
        """Return a new client; one whose connection broke may be unusable.

        Parameters
        ----------
        device : BLEDevice
            Device to connect to.
        on_lost : callable
            Called without arguments when the connection ends.

        Returns
        -------
        BleakClient

        Raises
        ------
        AdapterError
            If the platform has no Bluetooth back end.
        """
        options: dict[str, Any] = {} if self.client is None else {"backend": self.client}
        try:
            return BleakClient(device, lambda _: on_lost(), **options)
        except BleakError as error:
            raise AdapterError(f"Bluetooth cannot be used now: {error}") from error


@asynccontextmanager
async def open_adapter(plugin: str = "", **options: Any) -> AsyncIterator[Adapter]:
    """Open the adapter of this computer, or that of a plug-in.

    Parameters
    ----------
    plugin : str, optional
        Name of an entry point of the group ``twitchsense.radios``.
    **options
        Passed to the plug-in.

    Yields
    ------
    Adapter

    Raises
    ------
    InputError
        If there is no such plug-in.
    MissingExtraError
        If a library of the plug-in is not installed.
    AdapterError
        If the plug-in's adapter cannot be opened.
    """
    if not plugin:
        yield Adapter()
        return
    found = [e for e in entry_points(group=ENTRY_POINT_GROUP) if e.name == plugin]
    if not found:
        raise InputError(plugin, "no such Bluetooth plug-in", "install twitchsense[sim]")
    try:
        make = found[0].load()
    except ImportError as error:
        raise MissingExtraError("sim", "the simulated wearable") from error
    async with contextlib.AsyncExitStack() as stack:
        try:
            backends = await stack.enter_async_context(make(**options))
        except OSError as error:
            raise AdapterError(
                f"{plugin}: cannot be opened ({error}); is its server running?"
            ) from error
        yield Adapter(backends.scanner, backends.client)
