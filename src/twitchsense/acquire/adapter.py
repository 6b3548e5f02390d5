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
from collections.abc import AsyncIterator, Callable, Mapping
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
from twitchsense.devices.contract import Advertised, Driver, full_uuid
from twitchsense.devices.registry import installed_drivers, recognize
from twitchsense.devices.v1.v1_frames import SERVICE_UUID
from twitchsense.errors import (
    InputError,
    MissingExtraError,
    TwitchsenseError,
    install_command,
)

log = logging.getLogger(__name__)

ENTRY_POINT_GROUP: Final = "twitchsense.radios"
#: Services of every device (Generic Access, Generic Attribute), to list connected devices by.
_COMMON_SERVICES: Final = frozenset({full_uuid(0x1800), full_uuid(0x1801)})


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
    driver : Driver or None
        The driver that recognises it.
    """

    address: str
    name: str
    rssi: int | None
    device: BLEDevice
    driver: Driver | None = None


@dataclass(frozen=True)
class DeviceSelector:
    """Which device to record: the value of ``--device``.

    Attributes
    ----------
    kind : str
        Kind of its driver; empty for any.
    name : str
        Its address or name, or the last part of its name; empty for any of this kind.
    """

    kind: str
    name: str

    @classmethod
    def parse(cls, text: str, kinds: Mapping[str, object]) -> DeviceSelector:
        """Parse ``KIND``, ``KIND:ID``, an address or a name.

        Parameters
        ----------
        text : str
        kinds : mapping with str keys
            Kinds of devices; anything else before a colon belongs to the address or name.

        Returns
        -------
        DeviceSelector
        """
        kind, _, name = text.partition(":")
        if kind.casefold() in kinds:
            return cls(kind.casefold(), name.strip())
        return cls("", text)

    def matches(self, found: Advertisement) -> bool:
        """Return whether a device is the selected one, ignoring case.

        A stated kind holds also for a device that its driver does not recognise, if address or
        name are those stated.
        """
        wanted, name = self.name.casefold(), found.name.casefold()
        if wanted and wanted in (found.address.casefold(), name):
            return True
        is_of_kind = bool(self.kind) and found.driver is not None and found.driver.kind == self.kind
        # the last part of a name is only unique among the devices of one maker
        return is_of_kind and name.endswith(wanted)

    def __str__(self) -> str:
        return ":".join(part for part in (self.kind, self.name) if part)


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

    async def scan(
        self, timeout_s: float, wanted: DeviceSelector | None = None, *, unknown: bool = False
    ) -> list[Advertisement]:
        """Find devices.

        Parameters
        ----------
        timeout_s : float
            Duration of the scan (s).
        wanted : DeviceSelector, optional
            The scan ends as soon as this device is found.
        unknown : bool
            Include devices that no driver recognises.

        Returns
        -------
        list of Advertisement
            Sorted by name.

        Raises
        ------
        AdapterError
            If the platform cannot scan.
        """
        drivers = installed_drivers()
        found = {a.address: a for a in await self._connected_devices(drivers)}
        services: dict[str, frozenset[str]] = {}
        wanted_found = asyncio.Event()
        if wanted is not None and any(wanted.matches(a) for a in found.values()):
            wanted_found.set()

        def on_advertisement(device: BLEDevice, data: AdvertisementData) -> None:
            # name and services may come in different packets
            before = found.get(device.address)
            name = data.local_name or device.name or (before.name if before else "")
            uuids = frozenset(u.lower() for u in data.service_uuids)
            uuids |= services.get(device.address, frozenset())
            services[device.address] = uuids
            driver = recognize(Advertised(name, uuids, data.manufacturer_data), drivers)
            advertisement = Advertisement(device.address, name, data.rssi, device, driver)
            found[device.address] = advertisement
            if wanted is not None and wanted.matches(advertisement) and (wanted.kind or driver):
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
            # BlueZ is reached by a socket of D-Bus
            missing = isinstance(error, FileNotFoundError)
            problem = "no Bluetooth service runs on this computer" if missing else str(error)
            raise AdapterError(
                f"cannot scan for Bluetooth devices: {problem}; is there an adapter, and is it on?"
            ) from error
        listed = [a for a in found.values() if unknown or a.driver is not None]
        return sorted(listed, key=lambda a: (a.name, a.address))

    async def find(self, timeout_s: float, wanted: DeviceSelector) -> Advertisement | None:
        """Find one device.

        Parameters
        ----------
        timeout_s : float
            Maximum duration of the search, s.
        wanted : DeviceSelector

        Returns
        -------
        Advertisement or None

        Raises
        ------
        AdapterError
            If the platform cannot search.
        """
        found = await self.scan(timeout_s, wanted, unknown=True)
        return next((a for a in found if wanted.matches(a)), None)

    async def _connected_devices(self, drivers: Mapping[str, Driver]) -> list[Advertisement]:
        """Return known devices that the operating system is already connected to.

        Linux keeps the connection of a process that was killed, and a connected device does
        not advertise: a scan alone would never find it again.
        """
        adapters = getattr(bleak, "BleakAdapter", None)  # since bleak 3.1
        if self.scanner is not None or adapters is None:
            return []
        found: dict[str, Advertisement] = {}
        try:
            adapter = await adapters.get()
            for services in (_COMMON_SERVICES, frozenset({SERVICE_UUID})):
                for device in await adapter.get_connected_devices(services):
                    uuids = _stated_services(device)
                    if SERVICE_UUID in services:
                        uuids |= services
                    name = device.name or ""
                    driver = recognize(Advertised(name, uuids), drivers)
                    if driver is not None:
                        found[device.address] = Advertisement(
                            device.address, name, None, device, driver
                        )
        except Exception as error:  # undocumented errors again; the scan may still succeed
            log.info("cannot list the connected devices: %s", error)
            return []
        return list(found.values())

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


def _stated_services(device: BLEDevice) -> frozenset[str]:
    """Return the services that the operating system knows of a connected device."""
    details = device.details if isinstance(device.details, dict) else {}
    return frozenset(str(u).lower() for u in details.get("props", {}).get("UUIDs", ()))


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
        If there is no such plug-in, or it raises `ValueError` because of an option; its message
        is the problem and, after a semicolon, the cure.
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
        raise InputError(plugin, "no such Bluetooth plug-in", install_command("sim"))
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
        except ValueError as error:
            problem, _, cure = str(error).partition("; ")
            raise InputError("--option", problem, cure or "see docs/recording.md") from error
        yield Adapter(backends.scanner, backends.client)
